//! Whose turn it is at each tick.

use crate::atomic::{Count, Counter, Ordering, wide};
use crate::random::{GOLDEN, Line};
use alloc::vec::Vec;

/// Longest cycle that is kept, in turns (4 bytes each), and the most work to find it, in turns × nodes (about 15 ms).
const LONGEST: u64 = 1 << 16;
const MOST_WORK: u64 = 1 << 24;

/// A short cycle is kept several times over, to at least this many turns, so that a new lap is rare.
const SHORTEST: usize = 1 << 10;

/// Whose turn it is. Pick number i of a strategy, its *tick*, takes the same turn in every clone.
#[derive(Debug, Clone)]
pub(super) enum Turns {
    /// The smooth sequence, which repeats after Σw/gcd turns.
    Cycle(Cycle),
    /// Where that is too long: ticks along the golden ratio, over the weights.
    Golden {
        /// Added to each tick.
        start: u64,
    },
}

impl Turns {
    /// The turns if no node is eligible.
    pub(super) fn none() -> Turns {
        Turns::Cycle(Cycle::new(Vec::new(), 0))
    }

    /// The turns of nodes of these weights, in order of rank; 0 for one that has none. Tick 0 takes
    /// turn number `start`.
    pub(super) fn of(weights: &[u32], start: u64) -> Turns {
        let eligible = weights.iter().filter(|&&weight| weight > 0).count() as u64;
        let divisor = weights.iter().fold(0, |a, &b| gcd(a, b));
        if divisor == 0 {
            return Turns::none();
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
            return Turns::Golden { start };
        };
        let cycle: Vec<u32> = cycle;
        let times = SHORTEST.div_ceil(cycle.len());
        Turns::Cycle(Cycle::new(cycle.repeat(times), start))
    }

    /// The turn of this tick: `None` if no node is eligible.
    #[inline]
    pub(super) fn at(&self, tick: Count, line: &Line) -> Option<u32> {
        match self {
            Turns::Cycle(cycle) => cycle.at(tick),
            Turns::Golden { start } => {
                line.draw(start.wrapping_add(wide(tick)).wrapping_mul(GOLDEN))
            }
        }
    }
}

/// A sequence of turns that repeats.
///
/// Ticks only count up, and are shared with clones whose cycle may have another length. So the turn
/// of a tick is a remainder. To divide each tick costs 4 ns, as the processor overlaps nothing with
/// an atomic addition. Instead each clone remembers at which tick its lap began, and divides once a
/// lap. What it remembers is only a hint: any tick outside of that lap, earlier or later, is
/// divided, so threads may overwrite it in any order.
#[derive(Debug)]
pub(super) struct Cycle {
    /// Whole cycles. Empty if no node is eligible.
    turns: Vec<u32>,
    /// Added to each tick.
    start: u64,
    /// A tick that takes the first turn; modulo 2⁶⁴, as that may be before tick 0.
    lap: Counter,
}

impl Cycle {
    fn new(turns: Vec<u32>, start: u64) -> Self {
        let within = start.checked_rem(turns.len() as u64).unwrap_or(0);
        Cycle {
            turns,
            start,
            lap: Counter::new((within as Count).wrapping_neg()),
        }
    }

    #[inline]
    fn at(&self, tick: Count) -> Option<u32> {
        let within = tick.wrapping_sub(self.lap.load(Ordering::Relaxed));
        match usize::try_from(within).ok().and_then(|i| self.turns.get(i)) {
            Some(&rank) => Some(rank),
            None => self.on_another_lap(tick),
        }
    }

    #[cold]
    fn on_another_lap(&self, tick: Count) -> Option<u32> {
        let turn = u128::from(self.start) + u128::from(wide(tick));
        let within = turn.checked_rem(self.turns.len() as u128)? as usize;
        let lap = tick.wrapping_sub(within as Count);
        self.lap.store(lap, Ordering::Relaxed);
        Some(self.turns[within])
    }
}

impl Clone for Cycle {
    fn clone(&self) -> Self {
        Cycle {
            turns: self.turns.clone(),
            start: self.start,
            lap: Counter::new(self.lap.load(Ordering::Relaxed)),
        }
    }
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

    fn cycle(turns: &[u32], start: u64) -> Turns {
        Turns::Cycle(Cycle::new(Vec::from(turns), start))
    }

    fn take(turns: &Turns, tick: &Counter) -> (Count, u32) {
        let tick = tick.fetch_add(1, Ordering::Relaxed);
        (tick, turns.at(tick, &Line::new()).unwrap())
    }

    /// Two threads and a clone cross the ends of laps of two turns. Each turn is taken as often as
    /// it should be, although threads of one clone overwrite the lap that it remembers.
    #[test]
    fn every_turn_is_taken_once_a_cycle() {
        loom::model(|| {
            let shared = Arc::new((cycle(&[0, 1], 1), Counter::new(0)));
            let copy = shared.0.clone();
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    loom::thread::spawn(move || [(); 2].map(|()| take(&shared.0, &shared.1)))
                })
                .collect();
            let mut taken = [0; 2];
            let mut count = |(_, rank): (Count, u32)| taken[rank as usize] += 1;
            count(take(&copy, &shared.1));
            count(take(&copy, &shared.1));
            for thread in threads {
                thread.join().unwrap().into_iter().for_each(&mut count);
            }
            assert_eq!(taken, [3, 3]);
        });
    }

    /// While one thread goes on with the turns before a change, others have those after it, which
    /// are of another length. Each tick is taken once and has its own turn in either, so no thread
    /// is sent elsewhere by another's laps.
    #[test]
    fn a_change_of_the_turns_disturbs_no_reader() {
        loom::model(|| {
            let shared = Arc::new((cycle(&[0, 1], 5), cycle(&[10, 11, 12], 5), Counter::new(0)));
            let before = {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || [(); 2].map(|()| take(&shared.0, &shared.2)))
            };
            let after = {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || [(); 2].map(|()| take(&shared.1, &shared.2)))
            };
            let own = [(); 2].map(|()| take(&shared.1, &shared.2));
            let (before, after) = (before.join().unwrap(), after.join().unwrap());
            for (tick, rank) in before {
                assert_eq!(u64::from(rank), (5 + tick) % 2);
            }
            for (tick, rank) in after.into_iter().chain(own) {
                assert_eq!(u64::from(rank), 10 + (5 + tick) % 3);
            }
            let ticks = before.into_iter().chain(after).chain(own);
            let mut ticks: Vec<Count> = ticks.map(|(tick, _)| tick).collect();
            ticks.sort_unstable();
            assert_eq!(ticks, [0, 1, 2, 3, 4, 5]);
        });
    }

    /// A reset while another thread picks: each tick, before and after it, has its own turn.
    #[test]
    fn a_reset_meanwhile_leaves_each_tick_its_turn() {
        loom::model(|| {
            let shared = Arc::new((cycle(&[0, 1], 0), Counter::new(0)));
            let reader = {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || [(); 3].map(|()| take(&shared.0, &shared.1)))
            };
            shared.1.store(0, Ordering::Relaxed);
            let own = take(&shared.0, &shared.1);
            for (tick, rank) in reader.join().unwrap().into_iter().chain([own]) {
                assert_eq!(u64::from(rank), tick % 2);
            }
        });
    }
}
