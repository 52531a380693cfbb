//! Which group is a key's home, if the groups' health decides.
//!
//! FROZEN, as the layouts are: section 10 of docs/SPEC.md. Integers alone, so that every platform
//! agrees.

use crate::error::ConfigError;
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::wrappers::few::Few;
use core::fmt;

#[cfg(feature = "std")]
use {alloc::boxed::Box, alloc::vec::Vec, std::sync::OnceLock};

/// The number of hashes that make up all keys.
const ALL: u128 = 1 << 64;

#[derive(Clone)]
pub(super) struct Overprovision {
    /// The factor as fixed point, with 32 bits after the point.
    factor: u64,
    known: Known,
}

/// The ends of the groups' shares, if they were worked out since the last change.
#[cfg(feature = "std")]
type Known = OnceLock<Box<[u128]>>;

/// Without `std` there is no lock to keep them in.
#[cfg(not(feature = "std"))]
type Known = ();

/// The weights of the members of a group.
#[derive(Debug, Default)]
pub(super) struct Weights {
    healthy: u64,
    all: u64,
}

impl Weights {
    pub(super) fn add(&mut self, weight: u32, healthy: bool) {
        self.all += u64::from(weight);
        if healthy {
            self.healthy += u64::from(weight);
        }
    }
}

impl Overprovision {
    pub(super) fn new(factor: f64) -> Result<Self, ConfigError> {
        if !factor.is_finite() || factor < 1.0 {
            let must = "finite and at least 1";
            return Err(ConfigError::out_of_range("overprovision", factor, must));
        }
        Ok(Overprovision {
            // Exact but for the bits after the 32nd. The cast saturates, far beyond use.
            factor: (factor * (1u64 << 32) as f64) as u64,
            known: Known::default(),
        })
    }

    /// Forgets the groups' health, which is about to change.
    pub(super) fn forget(&mut self) {
        self.known = Known::default();
    }

    /// Returns the home of a token's key among so many groups. `weights` returns those of a group.
    pub(super) fn home(
        &self,
        token: Token,
        filtered: bool,
        groups: usize,
        weights: impl Fn(usize) -> Weights,
    ) -> usize {
        #[cfg(feature = "std")]
        if !filtered {
            let ends = match self.known.get() {
                Some(ends) => ends,
                None => {
                    // `weights` calls strategies, so it must not run inside `get_or_init`.
                    let mut ends = Vec::new();
                    self.each_end(groups, weights, |end| ends.push(end));
                    self.known.get_or_init(|| ends.into())
                }
            };
            let total = ends.last().copied().unwrap_or(0);
            return home_among(token, total, ends.iter().copied());
        }
        let _ = filtered;
        let mut ends = Few::new();
        let total = self.each_end(groups, weights, |end| ends.push(end));
        home_among(token, total, ends.iter())
    }

    /// Passes the ends of the groups' shares to `f`, up to the first that leaves no key to others.
    /// Returns the last one.
    fn each_end(
        &self,
        groups: usize,
        weights: impl Fn(usize) -> Weights,
        mut f: impl FnMut(u128),
    ) -> u128 {
        let mut end = 0;
        for group in 0..groups {
            end += self.share(&weights(group));
            f(end);
            if end >= ALL {
                break;
            }
        }
        end
    }

    /// Returns factor × health, at most 1, in units of 2⁻⁶⁴.
    ///
    /// Rounded up: shares whose exact sum is 1 or more must not sum to less, or they would be
    /// scaled.
    fn share(&self, weights: &Weights) -> u128 {
        let all = u128::from(weights.all);
        // Both below 2⁶⁴, so their product fits.
        let healthy = u128::from(self.factor) * u128::from(weights.healthy);
        if healthy >= all << 32 {
            // Also for a group without members, which has no share.
            return if all == 0 { 0 } else { ALL };
        }
        // `healthy` is below 2⁹⁶.
        (healthy << 32).div_ceil(all)
    }
}

/// Shows the factor.
impl fmt::Debug for Overprovision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let factor = self.factor as f64 / (1u64 << 32) as f64;
        f.debug_tuple("Overprovision").field(&factor).finish()
    }
}

/// Returns the first group whose share ends after the token's place among all shares.
fn home_among(token: Token, total: u128, mut ends: impl Iterator<Item = u128>) -> usize {
    // The product is below 2¹²⁸.
    let place = (u128::from(hash(token)) * total.min(ALL)) >> 64;
    ends.position(|end| place < end).unwrap_or(0)
}

/// Returns a second hash of the token, which says nothing about its order of preference.
fn hash(token: Token) -> u64 {
    let mut bytes = *b"failover\0\0\0\0\0\0\0\0";
    bytes[8..].copy_from_slice(&token.get().to_le_bytes());
    Xxh3::new().hash_bytes(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(factor: f64, groups: &[(u64, u64)]) -> u128 {
        let weights = |i: usize| Weights {
            healthy: groups[i].0,
            all: groups[i].1,
        };
        let overprovision = Overprovision::new(factor).expect("a factor");
        overprovision.each_end(groups.len(), weights, |_| ())
    }

    #[test]
    fn shares_of_exactly_1_in_all_are_not_scaled() {
        for parts in 2..50 {
            let equal = [(1, parts as u64); 50];
            assert!(total(1.0, &equal[..parts]) >= ALL, "{parts}");
        }
        assert!(total(1.0, &[(1, 3), (2, 7), (8, 21)]) >= ALL);
        // Just below 1 they are.
        assert!(total(1.0, &[(1, 3), (2, 7), (7, 21)]) < ALL);
    }

    #[test]
    fn the_greatest_weights_and_factors_fit() {
        let most = u64::MAX;
        assert_eq!(total(f64::MAX, &[(1, most), (1, 1)]), ALL + (1 << 32));
        assert_eq!(total(1.0, &[(most - 1, most)]), ALL - 1);
        assert_eq!(total(1.0, &[(0, most), (0, 0), (most, most)]), ALL);
    }
}
