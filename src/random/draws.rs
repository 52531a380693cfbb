//! Random numbers from a seed, drawn through `&self` by many threads that do not slow each other
//! down.
//!
//! FROZEN. Pick number i of a strategy draws from `SplitMix64` (Steele, Lea and Flood, OOPSLA
//! 2014). Its state is `seed + (i + 1)·γ`, where γ is the golden ratio in 64 bits, and its value is
//! that state mixed. One thread sees i = 0, 1, 2, …, so a seed replays a run.
//!
//! A shared counter would give i, but then each pick moves that counter's line of memory between
//! the cores. Two threads then pick no faster than one: 0.8 times, measured on `RoundRobin`, which
//! needs such a counter, and 1.8 times on `PowerOfTwo` with lanes (`cargo bench --bench threads`).
//! So a thread takes a block of 64 numbers and counts through them in a *lane* of its own.

use crate::atomic::{Count, Counter, Ordering, wide};
use alloc::sync::Arc;
use core::array::from_fn;
use core::fmt;

/// 2⁶⁴ divided by the golden ratio. Multiples of it fill the circle of 2⁶⁴ evenly at every length.
pub(crate) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The size of the blocks of numbers that a lane takes.
const BLOCK: Count = 64;

/// The number of lanes. If there are more threads, some share a lane. Those are slower, and two
/// that race may draw the same number.
#[cfg(feature = "std")]
const LANES: usize = 16;
#[cfg(not(feature = "std"))]
const LANES: usize = 1;

/// The source of a strategy's draws.
pub(crate) struct Draws {
    seed: u64,
    counters: Arc<Counters>,
}

struct Counters {
    /// The number of numbers that were given to lanes.
    taken: Alone,
    /// The next number of each lane, or a multiple of [`BLOCK`] if its block is used up.
    lanes: [Alone; LANES],
}

/// A counter on its own line of memory, apart also from the line that is prefetched with it.
#[repr(align(128))]
struct Alone(Counter);

impl Draws {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Draws {
            seed,
            counters: Arc::new(Counters {
                taken: Alone(Counter::new(0)),
                lanes: from_fn(|_| Alone(Counter::new(0))),
            }),
        }
    }

    /// Returns a source whose seed no other process is likely to have. The keys of `RandomState`
    /// are from the operating system.
    #[cfg(feature = "std")]
    pub(crate) fn from_entropy() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Draws::with_seed(RandomState::new().hash_one(0u64))
    }

    /// Returns the random numbers of one more pick.
    #[inline]
    pub(crate) fn next(&self) -> Random {
        Random::of_pick(self.seed, self.number_in(lane()))
    }

    #[inline]
    fn number_in(&self, lane: usize) -> u64 {
        let Counters { taken, lanes } = &*self.counters;
        let lane = &lanes[lane];
        let mut number = lane.0.load(Ordering::Relaxed);
        if number % BLOCK == 0 {
            number = taken.0.fetch_add(BLOCK, Ordering::Relaxed);
        }
        lane.0.store(number.wrapping_add(1), Ordering::Relaxed);
        wide(number)
    }
}

/// Shares the numbers with the original, so that no number is drawn by both.
impl Clone for Draws {
    fn clone(&self) -> Self {
        Draws {
            seed: self.seed,
            counters: Arc::clone(&self.counters),
        }
    }
}

impl fmt::Debug for Draws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draws")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Returns the lane of this thread. Threads take lanes in turn, each at its first draw.
#[cfg(feature = "std")]
#[inline]
fn lane() -> usize {
    use core::sync::atomic::AtomicUsize;
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static LANE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % LANES;
    }
    LANE.try_with(|lane| *lane).unwrap_or(0)
}

#[cfg(not(feature = "std"))]
fn lane() -> usize {
    0
}

/// The numbers of one pick, by `SplitMix64`.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Returns the numbers of the pick with this number, counted from 0.
    #[inline]
    pub(crate) fn of_pick(seed: u64, number: u64) -> Self {
        Random(seed.wrapping_add(GOLDEN.wrapping_mul(number)))
    }

    /// Returns a number that is spread over consecutive picks more evenly than chance, mod 2⁶⁴
    /// along the golden ratio. Draws nothing.
    #[inline]
    pub(crate) fn even(&self) -> u64 {
        self.0
    }

    /// Returns a random number. The first one of a pick belongs to the seed's stream, and more of
    /// them to a stream of this pick's own.
    #[inline]
    pub(crate) fn draw(&mut self) -> u64 {
        let mut z = self.0.wrapping_add(GOLDEN);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        self.0 = z ^ (z >> 31);
        self.0
    }
}

/// Scales a 64-bit number down to one below `bound`, or 0 for bound 0. Each result's probability is
/// off by at most `bound`/2⁶⁴.
#[inline]
pub(crate) fn below(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Threads that begin to draw one after the other have lanes of their own, and keep them.
    #[cfg(feature = "std")]
    #[test]
    fn threads_draw_in_different_lanes() {
        let in_a_thread = || std::thread::spawn(|| [lane(), lane()]).join().unwrap();
        let lanes: [[usize; 2]; 3] = from_fn(|_| in_a_thread());
        assert!(
            lanes
                .iter()
                .all(|[first, again]| first == again && *first < LANES)
        );
        // Other tests take lanes meanwhile, so two of three may be equal by chance.
        assert!(lanes.iter().any(|lane| *lane != lanes[0]));
    }

    #[test]
    fn picks_draw_from_splitmix64_one_after_the_other() {
        // The published outputs for seed 1234567.
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        let draws = Draws::with_seed(1_234_567);
        assert_eq!([(); 5].map(|()| draws.next().draw()), published);
        // The stream continues past the ends of blocks: its states are a golden ratio apart.
        for number in 5..1000 {
            let state = 1_234_567u64.wrapping_add(GOLDEN.wrapping_mul(number));
            assert_eq!(draws.next().even(), state, "pick {number}");
        }
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use alloc::vec::Vec;

    /// Threads with lanes of their own never draw one number twice, and each draws ascending
    /// numbers.
    #[test]
    fn lanes_of_their_own_share_no_number() {
        loom::model(|| {
            let draws = loom::sync::Arc::new(Draws::with_seed(0));
            let threads: Vec<_> = (0..2)
                .map(|lane| {
                    let draws = draws.clone();
                    loom::thread::spawn(move || [(); 2].map(|()| draws.number_in(lane)))
                })
                .collect();
            let drawn: Vec<[u64; 2]> = threads.into_iter().map(|t| t.join().unwrap()).collect();
            for [first, second] in &drawn {
                assert_eq!(*second, first + 1);
                assert_eq!(first % 64, 0);
            }
            assert_ne!(drawn[0][0], drawn[1][0]);
        });
    }

    /// A clone draws from the same lanes, so neither repeats what the other has drawn.
    #[test]
    fn clones_share_no_number() {
        loom::model(|| {
            let draws = Draws::with_seed(0);
            let other = {
                let draws = draws.clone();
                loom::thread::spawn(move || [(); 2].map(|()| draws.number_in(1)))
            };
            let own = [(); 2].map(|()| draws.number_in(0));
            let again = draws.clone().number_in(0);
            let theirs = other.join().unwrap();
            assert_eq!([own[1], again], [own[0] + 1, own[0] + 2]);
            assert!(theirs.iter().all(|number| number / 64 != own[0] / 64));
        });
    }

    /// Two threads on one lane may draw a number twice, but each makes progress and repeats none of
    /// its own.
    #[test]
    fn a_shared_lane_goes_on() {
        loom::model(|| {
            let draws = loom::sync::Arc::new(Draws::with_seed(0));
            let other = {
                let draws = draws.clone();
                loom::thread::spawn(move || draws.number_in(0))
            };
            let first = draws.number_in(0);
            let second = draws.number_in(0);
            let theirs = other.join().unwrap();
            assert_ne!(first, second);
            assert!(
                [first, second, theirs]
                    .iter()
                    .all(|number| *number < 3 * 64)
            );
        });
    }
}
