//! The eligible nodes, and the best of them for a token.
//!
//! The nodes form *classes* of equal weight. Within a class the greatest score wins, and a loop
//! without branches finds it. Only the winners of the classes are compared by the logarithm, so
//! equal weights never need one.
//!
//! The second node of an order is found in the same way, because only the class of the first needs
//! another loop, and so on. Such a pass takes 1.2 to 1.5 times as long as [`Field::best`]. These
//! alternatives were measured, as multiples of a route (`cargo bench --bench rendezvous`):
//!
//! | first two | 20 equal | 100 equal | 100 of 5 weights |
//! |---|---:|---:|---:|
//! | comparing every claim with the last one | 11.4 | 10.3 | 4.2 |
//! | the best few in one pass | 5.1 | 3.7 | 6.8 |
//! | the least estimate above that of the last one | 4.2 | 3.5 | 5.2 |
//! | winners of classes | 2.8 | 2.4 | 2.3 |

use super::bid::{Bid, Scale};
use super::ranking::{FEW, MOST_PASSES};
use super::score::{Folded, score};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::Range;

pub(crate) use super::claim::{Claim, Seat};

/// The eligible nodes, the heaviest first, then by rank. A *place* is an index into that order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field {
    nodes: Vec<Folded>,
    ranks: Vec<u32>,
    classes: Vec<Class>,
    passes: usize,
}

/// The places of the nodes of one weight.
#[derive(Debug, Clone)]
struct Class {
    weight: u32,
    places: Range<usize>,
    scale: Scale,
}

impl Field {
    pub(crate) const fn new() -> Self {
        Field {
            nodes: Vec::new(),
            ranks: Vec::new(),
            classes: Vec::new(),
            passes: 0,
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
                    scale: Scale::Equal,
                }),
            }
        }
        if let [_, .., Class { weight: least, .. }] = classes[..] {
            for class in &mut classes {
                class.scale = Scale::of(class.weight, least);
            }
        }
        Field {
            nodes: seats.iter().map(|seat| seat.node).collect(),
            ranks: seats.iter().map(|seat| seat.rank).collect(),
            passes: passes(seats.len(), classes.len()),
            classes,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the number of nodes of an order that are found by passes before the rest is sorted.
    #[inline]
    pub(super) fn passes(&self) -> usize {
        self.passes
    }

    /// Returns the ranks, by place.
    pub(crate) fn ranks(&self) -> &[u32] {
        &self.ranks
    }

    /// Returns the place of a claim of this field.
    pub(super) fn place(&self, claim: &Claim) -> usize {
        let heavier = |class: &Class| class.weight > claim.weight;
        let class = &self.classes[self.classes.partition_point(heavier)];
        let ranks = &self.ranks[class.places.clone()];
        class.places.start + ranks.partition_point(|&rank| rank < claim.rank)
    }

    fn claim(&self, class: &Class, token: Folded, place: usize) -> Claim {
        Claim {
            score: score(token, self.nodes[place]),
            weight: class.weight,
            rank: self.ranks[place],
        }
    }

    fn claim_at(&self, token: Folded, place: usize) -> Claim {
        let before = |class: &Class| class.places.end <= place;
        let class = &self.classes[self.classes.partition_point(before)];
        self.claim(class, token, place)
    }

    /// Returns the best claim, or `None` if there is no node.
    #[inline]
    pub(crate) fn best(&self, token: Folded) -> Option<Claim> {
        self.best_placed(token).map(|(claim, _)| claim)
    }

    /// Returns the best claim and its place, or `None` if there is no node.
    #[inline]
    pub(super) fn best_placed(&self, token: Folded) -> Option<(Claim, usize)> {
        let mut classes = self.classes.iter();
        let mut best = self.best_of(classes.next()?, token);
        // Not `reduce`: it takes half as long again with 100 distinct weights.
        for class in classes {
            let winner = self.best_of(class, token);
            if winner.0.beats(&best.0) {
                best = winner;
            }
        }
        Some(best)
    }

    /// Returns the place of the best claim after those at `places`, which are the best, in order.
    pub(super) fn best_after(&self, token: Folded, places: &[u32]) -> Option<usize> {
        let mut best: Option<(Claim, usize)> = None;
        for class in &self.classes {
            let inside = |&&place: &&u32| class.places.contains(&(place as usize));
            let winner = match places.iter().rev().find(inside) {
                None => Some(self.best_of(class, token)),
                Some(&last) => self.best_below(class, token, last as usize),
            };
            let Some(winner) = winner else { continue };
            if best.is_none_or(|best| winner.0.beats(&best.0)) {
                best = Some(winner);
            }
        }
        best.map(|(_, place)| place)
    }

    /// Returns the best claim of a class, and its place.
    #[inline]
    fn best_of(&self, class: &Class, token: Folded) -> (Claim, usize) {
        let (mut best, mut at) = (0, 0);
        // The first of equal scores has the lowest rank. Two selects side by side: as
        // `if best < score { … }` one waits for the flags of the other, 1.3 ns a node instead of
        // 0.9.
        for (i, &node) in self.nodes[class.places.clone()].iter().enumerate() {
            let score = score(token, node);
            at = if best < score { i } else { at };
            best = best.max(score);
        }
        let place = class.places.start + at;
        let claim = Claim {
            score: best,
            weight: class.weight,
            rank: self.ranks[place],
        };
        (claim, place)
    }

    /// Returns the best claim of a class after the one at the place `last`, and its place.
    #[inline]
    fn best_below(&self, class: &Class, token: Folded, last: usize) -> Option<(Claim, usize)> {
        let bound = score(token, self.nodes[last]);
        let (mut nearest, mut at, mut ties) = (u64::MAX, 0, 0u32);
        for (i, &node) in self.nodes[class.places.clone()].iter().enumerate() {
            // Scores that are not below the bound wrap around, and are farther away than the rest.
            let distance = bound.wrapping_sub(score(token, node)).wrapping_sub(1);
            ties += u32::from(distance == u64::MAX);
            at = if distance < nearest { i } else { at };
            nearest = nearest.min(distance);
        }
        let mut place = (nearest < bound).then_some(class.places.start + at);
        if ties > 1 {
            let mut later = last + 1..class.places.end;
            let next = later.find(|&place| score(token, self.nodes[place]) == bound);
            place = next.or(place);
        }
        place.map(|place| (self.claim(class, token, place), place))
    }

    /// Fills `bids`, one for each node, with the whole order.
    pub(super) fn sort(&self, token: Folded, bids: &mut [Bid]) {
        for class in &self.classes {
            let nodes = &self.nodes[class.places.clone()];
            let bids = &mut bids[class.places.clone()];
            for ((bid, &node), place) in bids.iter_mut().zip(nodes).zip(class.places.clone()) {
                *bid = Bid::new(class.scale, score(token, node), place);
            }
        }
        bids.sort_unstable();
        for close in bids.chunk_by_mut(|a, &b| a.is_close_to(b)) {
            close.sort_unstable_by_key(|bid| self.claim_at(token, bid.place()));
        }
    }

    /// Returns the best claim whose score is at least the floor of its place, and its place.
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

/// See [`Field::passes`].
///
/// With equal weights, a sort takes as long as 7 passes over 10 nodes, and 10 over 100. With many
/// distinct weights a pass computes many logarithms, and a sort of up to 20 nodes takes no longer
/// than two passes.
fn passes(nodes: usize, weights: usize) -> usize {
    match nodes {
        0..=20 => (nodes / weights.max(1)).clamp(1, 3),
        21..=FEW => 3,
        _ => MOST_PASSES,
    }
}
