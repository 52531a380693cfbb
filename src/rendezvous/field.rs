//! The nodes that compete for a token, and who wins.
//!
//! Nodes stand in *classes* of equal weight. Within a class the greatest score wins, which is a loop without a branch: 0.9 ns a
//! node. Only the winners of the classes are compared by the logarithm, so a set of equal weights never takes one.

use super::log::{Bracket, cost};
use super::score::{Folded, score};
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use core::ops::Range;

/// A node's claim to a token. The order of claims is the order of preference, least first: by −log₂(score) / weight, then greater score, then
/// lower rank, which is the order of identity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) score: u64,
    pub(crate) weight: u32,
    pub(crate) rank: u32,
}

impl Claim {
    #[inline]
    pub(crate) fn beats(&self, other: &Claim) -> bool {
        self.cmp(other).is_lt()
    }
}

impl Ord for Claim {
    #[inline]
    fn cmp(&self, other: &Claim) -> Ordering {
        let by_cost = if self.weight == other.weight {
            // Costs never increase with the score.
            Ordering::Equal
        } else {
            by_cost(self, other)
        };
        by_cost
            .then_with(|| other.score.cmp(&self.score))
            .then_with(|| self.rank.cmp(&other.rank))
    }
}

impl PartialOrd for Claim {
    fn partial_cmp(&self, other: &Claim) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Claim {
    fn eq(&self, other: &Claim) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Claim {}

/// Compares cost(a) / weight(a) with cost(b) / weight(b), exactly: crosswise, in at most 63 + 32 bits. Most pairs are far apart, most
/// others apart by their brackets.
#[inline]
fn by_cost(a: &Claim, b: &Claim) -> Ordering {
    if far_behind(a, b) {
        return Ordering::Greater;
    }
    if far_behind(b, a) {
        return Ordering::Less;
    }
    let (near_a, near_b) = (Bracket::of(a.score), Bracket::of(b.score));
    if cross(near_a.high, b.weight) < cross(near_b.low, a.weight) {
        return Ordering::Less;
    }
    if cross(near_a.low, b.weight) > cross(near_b.high, a.weight) {
        return Ordering::Greater;
    }
    cross(cost(a.score), b.weight).cmp(&cross(cost(b.score), a.weight))
}

fn cross(cost: u64, weight: u32) -> u128 {
    u128::from(cost) * u128::from(weight)
}

/// Whether `a` surely costs more for its weight than `b`. With v = 1 − score, −log₂(score) is at least v / ln 2 = 1.44 v (the
/// tangent at 1), and for scores of a half or more at most 2 v (the chord): so 1.5 times as much v will do. v is taken in 32 bits,
/// down for `a` and up for `b`, which outweighs the rounding of costs.
#[inline]
fn far_behind(a: &Claim, b: &Claim) -> bool {
    let (a_down, b_up) = (!a.score >> 32, (!b.score >> 32) + 1);
    b.score >> 63 == 1
        && 2 * u128::from(a_down * u64::from(b.weight))
            >= 3 * u128::from(b_up) * u128::from(a.weight)
}

/// A member: what its claims depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) node: Folded,
    pub(crate) weight: u32,
    pub(crate) rank: u32,
}

impl Seat {
    #[inline]
    pub(crate) fn claim(&self, token: Folded) -> Claim {
        Claim {
            score: score(token, self.node),
            weight: self.weight,
            rank: self.rank,
        }
    }
}

/// The competing nodes: heaviest first, then by rank. A *place* is an index into that order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field {
    nodes: Vec<Folded>,
    ranks: Vec<u32>,
    classes: Vec<Class>,
}

/// The places of the nodes of one weight.
#[derive(Debug, Clone)]
struct Class {
    weight: u32,
    places: Range<usize>,
}

impl Field {
    pub(crate) const fn new() -> Self {
        Field {
            nodes: Vec::new(),
            ranks: Vec::new(),
            classes: Vec::new(),
        }
    }

    pub(crate) fn of(seats: impl Iterator<Item = Seat>) -> Self {
        let mut seats: Vec<Seat> = seats.collect();
        seats.sort_unstable_by_key(|seat| (Reverse(seat.weight), seat.rank));
        let mut classes: Vec<Class> = Vec::new();
        for (place, seat) in seats.iter().enumerate() {
            match classes.last_mut() {
                Some(class) if class.weight == seat.weight => class.places.end = place + 1,
                _ => classes.push(Class {
                    weight: seat.weight,
                    places: place..place + 1,
                }),
            }
        }
        Field {
            nodes: seats.iter().map(|seat| seat.node).collect(),
            ranks: seats.iter().map(|seat| seat.rank).collect(),
            classes,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The ranks, by place.
    pub(crate) fn ranks(&self) -> &[u32] {
        &self.ranks
    }

    fn claim(&self, class: &Class, token: Folded, place: usize) -> Claim {
        Claim {
            score: score(token, self.nodes[place]),
            weight: class.weight,
            rank: self.ranks[place],
        }
    }

    /// The winner; `None` only where nobody competes.
    #[inline]
    pub(crate) fn best(&self, token: Folded) -> Option<Claim> {
        let mut classes = self.classes.iter();
        let mut best = self.best_of(classes.next()?, token);
        for class in classes {
            let claim = self.best_of(class, token);
            if claim.beats(&best) {
                best = claim;
            }
        }
        Some(best)
    }

    /// The winner of a class. The first of equal scores has the lowest rank.
    #[inline]
    fn best_of(&self, class: &Class, token: Folded) -> Claim {
        let (mut best, mut at) = (0, 0);
        // Two selects side by side. As `if best < score { … }` the compiler makes one depend on the other's flags: 1.3 ns a node.
        for (i, &node) in self.nodes[class.places.clone()].iter().enumerate() {
            let score = score(token, node);
            at = if best < score { i } else { at };
            best = best.max(score);
        }
        Claim {
            score: best,
            weight: class.weight,
            rank: self.ranks[class.places.start + at],
        }
    }

    /// The best of those that `last` beats.
    pub(crate) fn best_after(&self, token: Folded, last: &Claim) -> Option<Claim> {
        self.classes
            .iter()
            .filter_map(|class| {
                let best = self.best_of(class, token);
                if last.beats(&best) {
                    return Some(best);
                }
                class
                    .places
                    .clone()
                    .map(|place| self.claim(class, token, place))
                    .filter(|claim| last.beats(claim))
                    .min()
            })
            .min()
    }

    /// All that `last` beats, best last.
    pub(crate) fn all_after(&self, token: Folded, last: &Claim) -> Vec<Claim> {
        let claims = self.classes.iter().flat_map(|class| {
            let places = class.places.clone();
            places.map(|place| self.claim(class, token, place))
        });
        let mut after: Vec<Claim> = claims.filter(|claim| last.beats(claim)).collect();
        after.sort_unstable_by(|a, b| b.cmp(a));
        after
    }

    /// The best whose score is at least what `floors` asks at its place, and its place.
    pub(crate) fn best_above(&self, token: Folded, floors: &[u64]) -> Option<(Claim, usize)> {
        let winners = self.classes.iter().filter_map(|class| {
            let (mut best, mut at) = (0, None);
            let nodes = &self.nodes[class.places.clone()];
            for (i, (&node, &floor)) in nodes.iter().zip(&floors[class.places.clone()]).enumerate()
            {
                let score = score(token, node);
                if score >= floor && (best < score || at.is_none()) {
                    (best, at) = (score, Some(i));
                }
            }
            let place = class.places.start + at?;
            Some((self.claim(class, token, place), place))
        });
        winners.min_by(|(a, _), (b, _)| a.cmp(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::fmix64;

    fn naive(a: &Claim, b: &Claim) -> Ordering {
        let costs = cross(cost(a.score), b.weight).cmp(&cross(cost(b.score), a.weight));
        costs.then(b.score.cmp(&a.score)).then(a.rank.cmp(&b.rank))
    }

    #[test]
    fn claims_compare_as_their_costs_do() {
        let weights = [1, 2, 3, 5, 100, 999, 1000, 1 << 20, u32::MAX - 1, u32::MAX];
        let claim = |i: u64, rank| Claim {
            score: match i % 3 {
                0 => fmix64(i),
                // Near 1, and of every magnitude.
                1 => u64::MAX - (fmix64(i) >> (i / 3 % 64)),
                _ => fmix64(i) >> (i / 3 % 64),
            },
            weight: weights[fmix64(i ^ 1 << 60) as usize % weights.len()],
            rank,
        };
        for i in 0..40_000 {
            let (a, mut b) = (claim(i, 0), claim(fmix64(i) >> 8, 1));
            assert_eq!(a.cmp(&b), naive(&a, &b), "{a:?} {b:?}");
            assert_eq!(b.cmp(&a), naive(&b, &a), "{a:?} {b:?}");
            // As close as can be: −ln(score)/weight alike, by the tangent at 1.
            let v = u128::from(!a.score) * u128::from(b.weight) / u128::from(a.weight);
            for off in 0..3 {
                b.score = !u64::try_from(v + off).unwrap_or(u64::MAX);
                assert_eq!(a.cmp(&b), naive(&a, &b), "{a:?} {b:?}");
            }
        }
    }

    /// Ties that only ranks break: of equal nodes, and of certain scores, which cost nothing whatever the weight.
    #[test]
    fn the_lower_rank_wins_a_tie() {
        for (weight, other) in [(1, 1), (1, 2), (2, 1)] {
            let claim = |weight, rank| Claim {
                score: u64::MAX,
                weight,
                rank,
            };
            assert!(claim(weight, 0).beats(&claim(other, 1)));
            assert!(!claim(other, 1).beats(&claim(weight, 0)));
        }
    }
}
