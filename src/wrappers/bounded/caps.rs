//! The cap of a node: ⌈c · requests · weight / total weight⌉, in integers, the same on every
//! platform.

use crate::error::ConfigError;

/// The load factor c as a fixed-point number of 32.32 bits.
///
/// Rounded down: c = 1.05 becomes a little less than 1.05, so a quotient that is exactly an integer
/// stays below it, and its ceiling is that integer. Rounded up, the ceiling would be the next
/// integer and the cap too high.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factor(u64);

const ONE: f64 = (1u64 << 32) as f64;

impl Factor {
    pub(super) fn new(factor: f64) -> Result<Self, ConfigError> {
        if factor.is_finite() && factor > 1.0 {
            // Exact, as 2³² is a power of two. From 2³² on the cast saturates: no cap is reached.
            Ok(Factor((factor * ONE) as u64))
        } else {
            let must = "finite and above 1";
            Err(ConfigError::out_of_range("load factor", factor, must))
        }
    }

    pub(super) fn get(self) -> f64 {
        self.0 as f64 / ONE
    }

    /// The caps while `in_flight` requests are in flight and one more is to begin, over nodes of
    /// this total weight.
    ///
    /// They sum to at least c · (`in_flight` + 1) > `in_flight`. So of nodes that have no more than
    /// that in flight between them, at least one is below its cap.
    #[inline]
    pub(super) fn caps(self, in_flight: u64, total_weight: u64) -> Caps {
        Caps {
            requests: u128::from(self.0) * (u128::from(in_flight) + 1),
            total_weight: u128::from(total_weight) << 32,
        }
    }
}

/// The caps of all nodes at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    /// c · (requests in flight + 1), times 2³².
    requests: u128,
    /// The total weight, times 2³²: below 2⁹⁶, so that its product with a count fits.
    total_weight: u128,
}

impl Caps {
    /// The least caps: `min_cap` requests for a node of average weight, of `count` nodes with this
    /// total weight.
    pub(super) fn floor(min_cap: u32, count: u64, total_weight: u64) -> Caps {
        let requests = u128::from(min_cap) * u128::from(count);
        Caps {
            requests: requests.saturating_mul(1 << 32),
            total_weight: u128::from(total_weight) << 32,
        }
    }

    /// Returns `true` if a node of this weight with so many requests in flight is below its cap.
    ///
    /// n < ⌈x⌉ exactly if n < x, and that needs no division: 2 ns instead of the 25 ns of dividing
    /// 128 bits.
    #[inline]
    pub(super) fn admit(self, in_flight: u32, weight: u32) -> bool {
        // If the product is cut at 2¹²⁸ − 1, it is greater than anything on the left.
        u128::from(in_flight) * self.total_weight < self.requests.saturating_mul(u128::from(weight))
    }

    /// The cap of a node of this weight, at most `u32::MAX`.
    pub(super) fn cap(self, weight: u32) -> u32 {
        let cap = self
            .requests
            .saturating_mul(u128::from(weight))
            .div_ceil(self.total_weight.max(1));
        u32::try_from(cap).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn caps(factor: f64, in_flight: u64, total_weight: u64) -> Caps {
        Factor::new(factor).unwrap().caps(in_flight, total_weight)
    }

    #[test]
    fn what_is_no_factor_is_named() {
        for factor in [
            1.0,
            0.99,
            0.0,
            -2.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
        ] {
            let error = Factor::new(factor).unwrap_err().to_string();
            assert!(error.contains(&factor.to_string()), "{error}");
        }
        assert_eq!(Factor::new(1.25).unwrap().0, 5 << 30);
        assert_eq!(Factor::new(1.0 + f64::EPSILON).unwrap().0, 1 << 32);
        assert_eq!(Factor::new(f64::MAX).unwrap().0, u64::MAX);
    }

    #[test]
    fn whole_quotients_are_not_rounded_up() {
        // 1.05 · 20 = 21 exactly, in mathematics.
        assert_eq!(caps(1.05, 19, 21).cap(1), 1);
        assert_eq!(caps(1.05, 19, 7).cap(1), 3);
        assert_eq!(caps(1.25, 7, 10).cap(1), 1);
        assert_eq!(caps(1.25, 8, 10).cap(1), 2);
        assert_eq!(caps(2.0, 0, 1).cap(1), 2);
    }

    #[test]
    fn extremes_neither_overflow_nor_refuse_wrongly() {
        let most = caps(f64::MAX, u64::MAX, 1);
        assert!(most.admit(u32::MAX, u32::MAX));
        assert_eq!(most.cap(u32::MAX), u32::MAX);
        let least = caps(1.1, 0, u64::MAX);
        assert!(least.admit(0, 1));
        assert!(!least.admit(1, u32::MAX));
        assert_eq!(least.cap(1), 1);
        assert_eq!(caps(1.1, 0, 0).cap(0), 0);
    }

    /// A least cap of `min_cap` for a node of average weight, however large the numbers.
    #[test]
    fn floors_are_in_proportion_to_weight() {
        let floor = Caps::floor(8, 4, 12);
        assert_eq!([1, 2, 3, 6].map(|weight| floor.cap(weight)), [3, 6, 8, 16]);
        assert!(floor.admit(2, 1) && !floor.admit(3, 1));
        assert_eq!(Caps::floor(0, 4, 12).cap(3), 0);
        assert!(!Caps::floor(0, 4, 12).admit(0, 3));
        let most = Caps::floor(u32::MAX, u64::MAX, 1);
        assert!(most.admit(u32::MAX, u32::MAX));
        assert_eq!(most.cap(1), u32::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]

        /// The formula, by fractions: c = a / 2³².
        #[test]
        fn admits_below_the_cap_and_not_at_it(
            a in (1u64 << 32) + 1..1 << 36,
            in_flight in 0u64..1 << 20,
            weight in 1u32..1000,
            others in 0u64..100_000,
        ) {
            let total = others + u64::from(weight);
            let caps = Factor(a).caps(in_flight, total);
            let requests = u128::from(a) * u128::from(in_flight + 1);
            let cap = (requests * u128::from(weight)).div_ceil(u128::from(total) << 32) as u32;
            prop_assert_eq!(caps.cap(weight), cap);
            prop_assert!(cap >= 1);
            prop_assert!(caps.admit(cap - 1, weight));
            prop_assert!(!caps.admit(cap, weight));
        }

        #[test]
        fn caps_sum_to_more_than_is_in_flight(
            factor in (10_001u32..40_000).prop_map(|c| f64::from(c) / 1e4),
            in_flight in 0u64..10_000,
            weights in prop::collection::vec(1u32..50, 1..30),
        ) {
            let total = weights.iter().map(|&w| u64::from(w)).sum();
            let caps = caps(factor, in_flight, total);
            let sum: u64 = weights.iter().map(|&w| u64::from(caps.cap(w))).sum();
            prop_assert!(sum > in_flight);
        }
    }
}
