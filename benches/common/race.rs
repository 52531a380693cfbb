//! Races in which no contender finds in the caches what another has brought there.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The keys of a chunk. A cold race touches other memory before each chunk.
pub const CHUNK: usize = 1000;

/// A contender, who works through the chunk of this number.
pub type Run<'a> = &'a mut dyn FnMut(usize);

/// More than the second-level cache holds, and what an application may touch between its routes.
const OTHER_MEMORY: usize = 32 << 20;
const CACHE_LINE: usize = 64;

/// The keys of a chunk.
pub fn chunk<K>(keys: &[K], number: usize) -> &[K] {
    &keys[number * CHUNK..(number + 1) * CHUNK]
}

/// Answers for all keys. The compiler cannot leave out the answers, because their sum is used.
#[inline]
pub fn sum<K>(keys: &[K], answer: impl Fn(&K) -> u64) {
    black_box(
        keys.iter()
            .fold(0u64, |sum, key| sum.wrapping_add(answer(key))),
    );
}

/// Times contenders alone: each works through all chunks for a whole pass, after a quarter of a
/// pass that is not counted. They take turns pass by pass. The least pass of each counts, because
/// what a shared machine adds is never negative.
pub fn alone<const N: usize>(
    passes: usize,
    chunks: usize,
    run: &mut [Run<'_>; N],
) -> [Duration; N] {
    least_pass(passes, run, |run| {
        (0..chunks / 4).for_each(&mut *run);
        let start = Instant::now();
        (0..chunks).for_each(run);
        start.elapsed()
    })
}

/// Times contenders as [`alone`] does, but touches other memory before every chunk. That is not
/// counted.
pub fn cold<const N: usize>(passes: usize, chunks: usize, run: &mut [Run<'_>; N]) -> [Duration; N] {
    let mut other = vec![1u8; OTHER_MEMORY];
    least_pass(passes, run, |run| {
        let mut pass = Duration::ZERO;
        for chunk in 0..chunks {
            for line in other.chunks_mut(CACHE_LINE) {
                line[0] = line[0].wrapping_add(1);
            }
            black_box(&other);
            let start = Instant::now();
            run(chunk);
            pass += start.elapsed();
        }
        pass
    })
}

/// The first contender of a pass is another in each pass.
fn least_pass<const N: usize>(
    passes: usize,
    run: &mut [Run<'_>; N],
    mut pass: impl FnMut(Run<'_>) -> Duration,
) -> [Duration; N] {
    let mut least = [Duration::MAX; N];
    for number in 0..passes {
        for turn in 0..N {
            let who = (number + turn) % N;
            least[who] = least[who].min(pass(&mut *run[who]));
        }
    }
    least
}
