//! FROZEN. Layout V1: the logarithm that applies weights to scores, in integers, so that every
//! platform agrees.
//!
//! The *cost* of a score is −log₂((score + 1) / 2⁶⁴) in units of 2⁻⁵⁷, from 0 to 2⁶³:
//!
//! ```text
//! x = score + 1;  if x = 2⁶⁴: cost = 0
//! n = leading zero bits of x as a u64
//! m = x × 2ⁿ                               so 2⁶³ ≤ m < 2⁶⁴; it represents m / 2⁶³, in [1, 2)
//! f = 0;  57 times:
//!     s = m²                               exact, 128 bits
//!     if s ≥ 2¹²⁷: f = 2f + 1, m = ⌊s / 2⁶⁴⌋ the next bit of log₂ m is 1
//!     else:        f = 2f,     m = ⌊s / 2⁶³⌋
//! cost = (1 + n) × 2⁵⁷ − f
//! ```
//!
//! Squaring doubles a logarithm, so each step brings its next bit to the front. It only takes
//! multiplications that are rounded down, so no platform can round differently. Two facts follow.
//! - *The cost never increases with the score.* Rounding down keeps the order of any two m, and the
//!   first step at which their bits differ gives the greater one its 1. So among nodes of one
//!   weight the greatest score has the least cost, and no logarithm is needed.
//! - *The cost is exact to 1.03 units.* Rounding takes less than 2⁻⁶³ of m in a step, which reaches
//!   the k-th bit and those after it as 1.45 × 2⁻⁶³⁻ᵏ. All steps together take less than 0.03
//!   units, and the bits that are not computed less than 1, always towards the greater cost.
//!
//! The squarings depend on each other and take 150 to 200 ns. So [`Bracket`] gives bounds of a cost
//! quickly. Only if two brackets overlap, once in thousands of comparisons, are costs computed.

/// The number of fraction bits of a cost.
const BITS: u32 = 57;

/// Returns the cost of a score. See the top of this file.
pub(crate) const fn cost(score: u64) -> u64 {
    match score.checked_add(1) {
        None => 0,
        Some(x) => {
            let n = x.leading_zeros();
            ((1 + n as u64) << BITS) - log2_fraction(x << n)
        }
    }
}

/// Returns ⌊2⁵⁷ log₂(m / 2⁶³)⌋, or one less, for m ≥ 2⁶³.
const fn log2_fraction(mut m: u64) -> u64 {
    let (mut f, mut i) = (0, 0);
    while i < BITS {
        let square = m as u128 * m as u128;
        let bit = (square >> 127) as u64;
        m = (square >> (63 + bit)) as u64;
        f = f << 1 | bit;
        i += 1;
    }
    f
}

/// The bounds of a cost, both included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bracket {
    pub(crate) low: u64,
    pub(crate) high: u64,
}

/// log₂ at 256 steps of m and at the end, from [`log2_fraction`].
const KNOTS: [u64; 257] = {
    let mut knots = [1 << BITS; 257];
    let mut i = 0;
    while i < 256 {
        knots[i] = log2_fraction((256 + i as u64) << 55);
        i += 1;
    }
    knots
};

/// A bound of the height of the logarithm above a chord between two knots, which is at most
/// (1/256)²/(8 ln 2) = 2.76 × 10⁻⁶ < 2⁻¹⁸.
const RISE: u64 = 1 << (BITS - 18);

/// A bound of the rounding of knots and fractions, which are rounded down.
const ROUNDING: u64 = 4;

impl Bracket {
    /// The greatest distance between the bounds.
    pub(crate) const WIDTH: u64 = RISE + 2 * ROUNDING;

    /// Returns the bounds of `cost(score)`. The logarithm is concave, so it is above its chords.
    #[inline]
    pub(crate) const fn of(score: u64) -> Self {
        let Some(x) = score.checked_add(1) else {
            return Bracket { low: 0, high: 0 };
        };
        let n = x.leading_zeros();
        let m = x << n;
        let (knot, within) = ((m >> 55 & 0xff) as usize, m & ((1 << 55) - 1));
        let step = KNOTS[knot + 1] - KNOTS[knot];
        let chord = KNOTS[knot] + ((step as u128 * within as u128) >> 55) as u64;
        let high = ((1 + n as u64) << BITS) - chord + ROUNDING;
        Bracket {
            low: high.saturating_sub(Bracket::WIDTH),
            high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::fmix64;

    /// Returns scores of every magnitude, at and around powers of two and knots, and random ones.
    fn scores() -> impl Iterator<Item = u64> {
        let edges = (0..64u32).flat_map(|n| {
            (0..=256u64).step_by(4).flat_map(move |knot| {
                let x = ((256 + u128::from(knot)) << 55 >> n) as u64;
                [x.wrapping_sub(2), x.wrapping_sub(1), x, x.wrapping_add(1)]
            })
        });
        let random = (0..20_000u64).map(|i| fmix64(i) >> (i % 64));
        edges.chain(random)
    }

    /// `tests/spec/check_rendezvous_slots.py` recorded the costs, with exact values from
    /// arbitrary-precision arithmetic.
    #[test]
    fn costs_are_as_recorded_and_exact_to_1_03_units() {
        let file = include_str!("../../tests/golden/v1/log2.tsv");
        let lines = file.lines().filter(|line| !line.starts_with('#'));
        let mut count = 0;
        for line in lines {
            let mut fields = line.split('\t');
            let mut next = || fields.next().expect("three fields");
            let score = u64::from_str_radix(next(), 16).expect("hex");
            let recorded: u64 = next().parse().expect("a number");
            let exact: i128 = next().parse().expect("a number");
            assert_eq!(cost(score), recorded, "{score}");
            // The recorded exact value has 20 bits more.
            let error = (i128::from(recorded) << 20) - exact;
            assert!(
                (-1..=(103 << 20) / 100).contains(&error),
                "{score}: {error}"
            );
            count += 1;
        }
        assert!(count > 2000);
    }

    #[test]
    fn powers_of_two_are_exact() {
        assert_eq!(cost(u64::MAX), 0);
        assert_eq!(cost(0), 1 << 63);
        for n in 0..64 {
            assert_eq!(cost((1 << n) - 1), (64 - n) << 57, "2^{n}");
        }
    }

    #[test]
    fn costs_never_increase_with_the_score() {
        for score in scores() {
            for step in [1, 2, 3, 1 << 7, 1 << 20] {
                let above = score.saturating_add(step);
                assert!(cost(above) <= cost(score), "{score} {above}");
            }
        }
        // There are 2⁵⁷ costs for 2⁶⁴ scores near 1, which distinguish neighbours 2⁷ apart.
        assert!(cost(u64::MAX - (1 << 7)) > cost(u64::MAX));
    }

    #[test]
    fn brackets_hold_the_cost_tightly() {
        for score in scores() {
            let Bracket { low, high } = Bracket::of(score);
            let cost = cost(score);
            assert!(low <= cost && cost <= high, "{score}: {low} {cost} {high}");
            assert!(high - low <= 1 << 40);
        }
    }

    #[test]
    fn the_logarithm_of_a_square_is_twice_that_of_its_root() {
        for i in 2..20_000u64 {
            let (once, twice) = (cost(i - 1), cost(i * i - 1));
            let expected = 2 * i128::from(once) - (64i128 << 57);
            assert!((-2..=1).contains(&(i128::from(twice) - expected)), "{i}");
        }
    }
}
