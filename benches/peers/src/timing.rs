//! The clock work. A pass is limited by keys and by time, so that slow contenders end too.

use crate::child::{POINTS, change, nodes};
use crate::common;
use crate::peer::{Node, Peer};
use std::hint::black_box;
use std::time::{Duration, Instant};

pub const KEYS: usize = 1 << 18;

/// The routes between two looks at the clock, and between two floods of the caches.
const CHUNK: usize = 1000;

/// A pass ends with the chunk in which it takes this long.
const PASS: Duration = Duration::from_millis(40);

/// A cold pass has so many chunks at most.
const COLD_CHUNKS: usize = 8;

/// Changes are repeated at most so often, and until they have taken `CHANGES` together.
const REPEATS: usize = 7;
const CHANGES: Duration = Duration::from_millis(600);

/// Strings of 16 bytes in the order in which they are visited.
pub fn keys(count: usize) -> Vec<&'static str> {
    let hex = |key: common::RandomKey| format!("{:016x}", u64::from_le_bytes(first_half(key)));
    let keys = common::keys(count).into_iter().map(hex);
    keys.map(|key| &*key.leak()).collect()
}

fn first_half(key: common::RandomKey) -> [u8; 8] {
    *key.first_chunk().expect("a key has 16 bytes")
}

#[inline]
fn work(keys: &[&'static str], answer: &impl Fn(&'static str) -> u64) {
    black_box(
        keys.iter()
            .fold(0u64, |sum, key| sum.wrapping_add(answer(key))),
    );
}

/// Nanoseconds a key of one pass, after a quarter of a pass that is not counted.
pub fn alone(keys: &[&'static str], answer: impl Fn(&'static str) -> u64) -> f64 {
    pass(keys, PASS / 4, keys.len() / 4, &answer);
    let (took, routes) = pass(keys, PASS, keys.len(), &answer);
    took.as_secs_f64() * 1e9 / routes as f64
}

fn pass(
    keys: &[&'static str],
    limit: Duration,
    most: usize,
    answer: &impl Fn(&'static str) -> u64,
) -> (Duration, usize) {
    let start = Instant::now();
    let mut routes = 0;
    for chunk in keys[..most].chunks(CHUNK) {
        // Contenders that take more than 10 µs a key look at the clock more often.
        for part in chunk.chunks(CHUNK / 10) {
            work(part, answer);
            routes += part.len();
            if start.elapsed() > limit {
                return (start.elapsed(), routes);
            }
        }
    }
    (start.elapsed(), routes)
}

/// Nanoseconds a key if 32 MB of other memory are touched before every 1,000 routes.
pub fn cold(keys: &[&'static str], answer: impl Fn(&'static str) -> u64) -> f64 {
    let mut other = vec![1u8; 32 << 20];
    let mut took = Duration::ZERO;
    let mut routes = 0;
    for chunk in keys.chunks(CHUNK).take(COLD_CHUNKS) {
        for line in other.chunks_mut(64) {
            line[0] = line[0].wrapping_add(1);
        }
        black_box(&other);
        let start = Instant::now();
        work(chunk, &answer);
        took += start.elapsed();
        routes += chunk.len();
        if took > PASS {
            break;
        }
    }
    took.as_secs_f64() * 1e9 / routes as f64
}

/// The median and the 99th percentile of single routes in nanoseconds, without the clock's own
/// time. Each is the first after 100 others.
pub fn single(keys: &[&'static str], answer: impl Fn(&'static str) -> u64) -> [f64; 2] {
    const SAMPLES: usize = 2_000;
    let mut clock: Vec<Duration> = (0..SAMPLES).map(|_| Instant::now().elapsed()).collect();
    let mut routes: Vec<Duration> = Vec::new();
    let begin = Instant::now();
    for chunk in keys.chunks(100).take(SAMPLES) {
        let (key, others) = chunk.split_first().expect("a chunk is not empty");
        let start = Instant::now();
        black_box(answer(key));
        routes.push(start.elapsed());
        work(others, &answer);
        if begin.elapsed() > 10 * PASS {
            break;
        }
    }
    clock.sort_unstable();
    routes.sort_unstable();
    let own = clock[clock.len() / 2];
    let at = |percent: usize| routes[(routes.len() - 1) * percent / 100].saturating_sub(own);
    [50, 99].map(|percent| at(percent).as_secs_f64() * 1e9)
}

/// Nanoseconds to place so many nodes: the least of a few times.
pub fn build<P: Peer>(count: usize) -> f64 {
    let nodes = nodes(count);
    least(|| {
        let start = Instant::now();
        let built = P::build(black_box(&nodes), POINTS);
        let took = start.elapsed();
        drop(built);
        took
    })
}

/// Nanoseconds to add one more node: the least of a few times.
pub fn join<P: Peer>(count: usize) -> f64 {
    let mut present = nodes(count);
    let build = |present: &[Node]| P::build(present, POINTS).expect("built before");
    let mut peer = build(&present);
    let joins = Node::new(count as u64);
    least(|| {
        present.push(joins);
        let start = Instant::now();
        let added = change(&mut peer, &present, |peer| peer.add(&joins));
        let took = start.elapsed();
        added.expect("a new node");
        present.pop();
        if peer.remove(&joins).is_err() {
            peer = build(&present);
        }
        took
    })
}

fn least(mut once: impl FnMut() -> Duration) -> f64 {
    let begin = Instant::now();
    let mut least = Duration::MAX;
    for _ in 0..REPEATS {
        least = least.min(once());
        if begin.elapsed() > CHANGES {
            break;
        }
    }
    least.as_secs_f64() * 1e9
}
