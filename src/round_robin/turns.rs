//! Whose turn it is at each tick.

use crate::atomic::{Count, Counter, Ordering, wide};
use crate::random::{GOLDEN, Line};
use alloc::vec::Vec;

/// Longest cycle that is kept, in turns (4 bytes each), and the most work to find it, in turns × nodes (about 15 ms).
const LONGEST: u64 = 1 << 16;
const MOST_WORK: u64 = 1 << 24;

/// A short cycle is kept several times over, to at least this many turns, so that going back to its start is rare.
const SHORTEST: usize = 1 << 10;

/// Whose turn it is.
#[derive(Debug, Clone)]
pub(super) enum Turns {
    /// The smooth sequence, which repeats after Σw/gcd turns, whole cycles of it. Empty where no node is eligible.
    Cycle(Vec<u32>),
    /// Where that is too long: ticks along the golden ratio, over the weights.
    Golden,
}

impl Turns {
    pub(super) const NONE: Turns = Turns::Cycle(Vec::new());

    /// The turns of nodes of these weights, in order of rank; 0 for one that has none.
    pub(super) fn of(weights: &[u32]) -> Turns {
        let eligible = weights.iter().filter(|&&weight| weight > 0).count() as u64;
        let divisor = weights.iter().fold(0, |a, &b| gcd(a, b));
        if divisor == 0 {
            return Turns::NONE;
        }
        let length: u64 = weights
            .iter()
            .map(|&weight| u64::from(weight / divisor))
            .sum();
        let cycle = if length == eligible {
            // All weights equal: in order.
            let ranks = 0..weights.len() as u32;
            ranks.filter(|&rank| weights[rank as usize] > 0).collect()
        } else if length <= LONGEST && length * eligible <= MOST_WORK {
            smooth(weights, divisor, length as usize)
        } else {
            return Turns::Golden;
        };
        Turns::Cycle(cycle.repeat(SHORTEST.div_ceil(cycle.len())))
    }

    /// Brings the counter, wherever it stands, to its place in the cycle.
    pub(super) fn wind(&self, tick: &Counter) {
        if let Turns::Cycle(turns) = self {
            let within = tick
                .load(Ordering::Relaxed)
                .checked_rem(turns.len() as Count);
            if let Some(within) = within {
                tick.store(within, Ordering::Relaxed);
            }
        }
    }

    /// Takes the next turn: `None` where no node is eligible.
    #[inline]
    pub(super) fn take(&self, tick: &Counter, line: &Line) -> Option<u32> {
        let turn = tick.fetch_add(1, Ordering::Relaxed);
        match self {
            Turns::Cycle(turns) => match turns.get(turn as usize) {
                Some(&rank) => Some(rank),
                None => go_round(turns, turn, tick),
            },
            Turns::Golden => line.draw(wide(turn).wrapping_mul(GOLDEN)),
        }
    }
}

/// A turn past the end of the cycle. The one just past it, and each a whole number of cycles after, takes one cycle off the counter: so
/// the counter modulo the cycle goes on by one a pick, whenever that happens, and stays near the cycle without anyone waiting. Dividing each
/// turn by the length instead costs 4 ns, as the processor overlaps nothing with an atomic addition.
#[cold]
fn go_round(turns: &[u32], turn: Count, tick: &Counter) -> Option<u32> {
    let length = turns.len() as Count;
    let within = turn.checked_rem(length)?;
    if within == 0 {
        tick.fetch_sub(length, Ordering::Relaxed);
    }
    Some(turns[within as usize])
}

/// nginx's smooth sequence, by its definition, with all weights divided by `divisor`.
#[allow(clippy::cast_possible_wrap, reason = "all of it is within ±2¹⁶")]
fn smooth(weights: &[u32], divisor: u32, length: usize) -> Vec<u32> {
    // The sums stay within ±length.
    let mut current: Vec<(i32, i32, u32)> = (0..)
        .zip(weights)
        .filter(|&(_, &weight)| weight > 0)
        .map(|(rank, &weight)| (0, (weight / divisor) as i32, rank))
        .collect();
    let mut turns = Vec::with_capacity(length);
    for _ in 0..length {
        let (mut best, mut greatest) = (0, i32::MIN);
        for (i, (sum, weight, _)) in current.iter_mut().enumerate() {
            *sum += *weight;
            if *sum > greatest {
                (best, greatest) = (i, *sum);
            }
        }
        current[best].0 -= length as i32;
        turns.push(current[best].2);
    }
    turns
}

fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;

    /// Three threads cross the end of a cycle of two turns: whoever takes the cycle off the counter and whenever, each turn is taken as
    /// often as it should be.
    #[test]
    fn every_turn_is_taken_once_a_cycle() {
        loom::model(|| {
            let turns = Turns::Cycle(Vec::from([0, 1]));
            let shared = Arc::new((turns, Counter::new(1), Line::new()));
            let take = |shared: &(Turns, Counter, Line)| shared.0.take(&shared.1, &shared.2);
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    loom::thread::spawn(move || [take(&shared), take(&shared)])
                })
                .collect();
            let mut taken = [0; 2];
            let mut count = |rank: Option<u32>| taken[rank.unwrap() as usize] += 1;
            count(take(&shared));
            count(take(&shared));
            for thread in threads {
                thread.join().unwrap().into_iter().for_each(&mut count);
            }
            assert_eq!(taken, [3, 3]);
            let tick = shared.1.load(Ordering::Relaxed);
            assert_eq!(tick % 2, 1, "7 turns from the start");
        });
    }
}
