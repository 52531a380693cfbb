//! A node's claim to a token, and the exact order of claims.

use super::log::{Bracket, cost};
use super::score::{Folded, score};
use core::cmp::Ordering;

/// A node's claim to a token. The order of claims is the order of preference, best first: by
/// cost(score) / weight, then by the greater score, then by the lower rank, which is the order of
/// identity.
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

/// Compares cost(a) / weight(a) with cost(b) / weight(b).
///
/// It is exact: the products crosswise have at most 63 + 32 bits. Most pairs are far apart, and the
/// brackets of most others do not overlap, so few costs are computed.
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

/// Returns `true` only if `a` costs more for its weight than `b`.
///
/// With v = 1 − score, −log₂(score) is at least v / ln 2 = 1.44 v (the tangent at 1), and for
/// scores of a half or more at most 2 v (the chord), so 1.5 times as much v is enough. v is taken
/// in 32 bits, rounded down for `a` and up for `b`, which outweighs the rounding of costs.
#[inline]
fn far_behind(a: &Claim, b: &Claim) -> bool {
    let (a_down, b_up) = (!a.score >> 32, (!b.score >> 32) + 1);
    b.score >> 63 == 1
        && 2 * u128::from(a_down * u64::from(b.weight))
            >= 3 * u128::from(b_up) * u128::from(a.weight)
}

/// What the claims of a member depend on.
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

    /// Only ranks break the ties of equal nodes, and of scores that cost nothing for any weight.
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
