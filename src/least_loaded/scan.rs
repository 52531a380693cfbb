//! The least of many loads, with ties spread evenly. Knows no strategy.

use crate::random::{Random, below};

/// The load of a node that takes no part: not less than any other and equal to none.
pub(super) const ABSENT: f64 = f64::NAN;

/// Returns the rank of an item of least load that is not among `refused`.
///
/// `number` decides between equals of the first block, and `random` if more are tied.
///
/// It works in blocks, without branches on loads: 1.1 to 1.4 ns an item if loads are at hand. One
/// pass with a branch on each load mispredicts ln N times, and a second look at the loads to find
/// the tied would find them changed. A block of 64 takes the fewest steps, and one of 16 is written
/// sooner if there are no more items than that.
#[inline]
pub(super) fn least<T, const BLOCK: usize>(
    items: &[T],
    refused: &[u32],
    mut number: u64,
    random: &mut Random,
    mut load: impl FnMut(&T) -> f64,
) -> Option<u32> {
    let (mut least, mut tied, mut best) = (f64::INFINITY, 0, None);
    let mut loads = [ABSENT; BLOCK];
    for (block, items) in items.chunks(BLOCK).enumerate() {
        let loads = &mut loads[..items.len()];
        let first = block * BLOCK;
        for (place, item) in loads.iter_mut().zip(items) {
            *place = load(item);
        }
        for &rank in refused {
            if let Some(load) = loads.get_mut((rank as usize).wrapping_sub(first)) {
                *load = ABSENT;
            }
        }
        let low = lowest(loads);
        if low > least {
            continue;
        }
        if low < least {
            (least, tied) = (low, 0);
        }
        let here = loads.iter().filter(|&&load| load == low).count();
        tied += here;
        // Each of the tied so far is as likely: those of this block take over with here/tied.
        let place = below(number, tied as u64) as usize;
        if place < here {
            best = Some((first + nth_equal(loads, low, here, place)) as u32);
        }
        number = random.draw();
    }
    best
}

/// Returns the lowest load, and infinity if there is none. Four running minima, because one is a
/// chain of 4 cycles an item.
#[inline]
fn lowest(loads: &[f64]) -> f64 {
    let lower = |a: f64, b: f64| if b < a { b } else { a };
    let mut lows = [f64::INFINITY; 4];
    let mut fours = loads.chunks_exact(4);
    for four in &mut fours {
        for (low, &load) in lows.iter_mut().zip(four) {
            *low = lower(*low, load);
        }
    }
    for (low, &load) in lows.iter_mut().zip(fours.remainder()) {
        *low = lower(*low, load);
    }
    lower(lower(lows[0], lows[1]), lower(lows[2], lows[3]))
}

/// Returns the place of the n-th (from 0) of the `count` loads that are equal to `low`.
#[inline]
fn nth_equal(loads: &[f64], low: f64, count: usize, n: usize) -> usize {
    // In an idle system all are equal.
    if count == loads.len() {
        return n;
    }
    let mut equal = (0..).zip(loads).filter(|&(_, &load)| load == low);
    equal.nth(n).map_or(0, |(i, _)| i)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// All ranks of least load that are not refused, by one look at each.
    fn naive(loads: &[f64], refused: &[u32]) -> Vec<u32> {
        let present = || (0..).zip(loads).filter(|(rank, _)| !refused.contains(rank));
        let low = present()
            .map(|(_, &load)| load)
            .fold(f64::INFINITY, f64::min);
        present()
            .filter(|(_, load)| **load == low)
            .map(|(rank, _)| rank)
            .collect()
    }

    #[test]
    fn it_finds_one_of_the_least_and_each_of_them() {
        let mut random = Random::of_pick(1, 0);
        for case in 0..300u64 {
            let count = 1 + case % 150;
            let kinds = [1.0, 1.0, 2.0, 4.0, f64::INFINITY, ABSENT, 1.0];
            let some = 7 - case % 4;
            let loads: Vec<f64> = (0..count)
                .map(|_| kinds[below(random.draw(), some) as usize])
                .collect();
            let refused: Vec<u32> = (0..case % 5)
                .map(|_| below(random.draw(), count) as u32)
                .collect();
            let due = naive(&loads, &refused);
            let mut seen: Vec<u32> = (0..3000)
                .filter_map(|_| {
                    let number = random.draw();
                    if case % 2 == 0 {
                        least::<_, 16>(&loads, &refused, number, &mut random, |&load| load)
                    } else {
                        least::<_, 64>(&loads, &refused, number, &mut random, |&load| load)
                    }
                })
                .collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen, due, "case {case}");
        }
    }
}
