//! Bids: claims reduced to 64 bits, so that a whole order is a sort of integers.
//!
//! ```text
//! high 32 bits   an estimate of the cost of the claim for its weight
//! low 32 bits    the place of the node
//! ```
//!
//! Comparing claims takes logarithms and branches that a processor cannot predict. With passes and
//! a sort by claims, the whole order of 20 nodes of distinct weights took 68 routes, and that of
//! 100 took 197. With bids they take about 4 and 9 (`cargo bench --bench rendezvous`).
//!
//! An estimate is not exact, but bids that differ by more than [`Bid::SLACK`] are in the order of
//! their claims. Closer ones are compared by their claims.

use super::log::Bracket;

/// A claim, reduced to an estimate and a place. See the top of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Bid(u64);

impl Bid {
    /// The greatest error of a bid: that of the bracket, of rounding twice, and of the low half.
    const SLACK: u64 = Bracket::WIDTH + 2 + (1 << 32);

    #[inline]
    pub(super) fn new(scale: Scale, score: u64, place: usize) -> Self {
        Bid(scale.estimate(score) >> 32 << 32 | place as u64)
    }

    #[inline]
    pub(super) fn place(self) -> usize {
        self.0 as u32 as usize
    }

    /// Returns `true` if only the claims can tell the order of this bid and a greater one.
    #[inline]
    pub(super) fn is_close_to(self, greater: Bid) -> bool {
        greater.0 - self.0 <= Bid::SLACK
    }
}

/// The factor that makes the costs of a weight comparable with those of the least weight.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// There is one weight, so the score decides.
    Equal,
    /// The least weight divided by this one, in units of 2⁻⁶⁴, rounded down.
    Ratio(u64),
}

impl Scale {
    /// Returns the scale of `weight`. The least weight is at least 1.
    pub(super) fn of(weight: u32, least: u32) -> Self {
        let ratio = u128::from(u64::MAX) * u128::from(least) / u128::from(weight);
        Scale::Ratio(ratio as u64)
    }

    /// Estimates cost(score) × least / weight, too low by at most the width of a bracket and 2.
    #[inline]
    fn estimate(self, score: u64) -> u64 {
        match self {
            // Costs never increase with the score.
            Scale::Equal => !score,
            Scale::Ratio(ratio) => {
                ((u128::from(Bracket::of(score).low) * u128::from(ratio)) >> 64) as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::fmix64;
    use crate::rendezvous::claim::Claim;

    #[test]
    fn bids_that_are_not_close_are_in_the_order_of_their_claims() {
        let weights = [1, 2, 3, 100, 101, 1 << 20, u32::MAX - 1, u32::MAX];
        let mut apart = 0;
        for i in 0..60_000u64 {
            let any = |salt: u64| fmix64(i ^ salt << 40);
            let score = |salt| match i % 3 {
                0 => any(salt),
                1 => u64::MAX - (any(salt) >> (any(7) % 64)),
                _ => any(salt) >> (any(8) % 64),
            };
            let weight = |salt| weights[any(salt) as usize % weights.len()];
            let (a, mut b) = (
                Claim {
                    score: score(1),
                    weight: weight(3),
                    rank: 0,
                },
                Claim {
                    score: score(2),
                    weight: weight(4),
                    rank: 1,
                },
            );
            for near in 0..8 {
                let least = a.weight.min(b.weight).min(weight(5));
                let bid = |claim: &Claim| {
                    let scale = Scale::of(claim.weight, least);
                    Bid::new(scale, claim.score, claim.rank as usize)
                };
                let (low, high) = (bid(&a).min(bid(&b)), bid(&a).max(bid(&b)));
                if !low.is_close_to(high) {
                    apart += 1;
                    assert_eq!(bid(&a) < bid(&b), a < b, "{a:?} {b:?}");
                }
                // Near the score whose cost for its weight is the same.
                let v = u128::from(!a.score) * u128::from(b.weight) / u128::from(a.weight);
                b.score = !u64::try_from(v + (1 << (6 * near))).unwrap_or(u64::MAX);
            }
        }
        assert!(apart > 100_000, "{apart}");
    }
}
