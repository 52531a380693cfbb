//! The figures of the README: every time as a multiple of the naive ring's in the same run. Bare
//! times would mean little on a shared machine. Each contender runs alone, and the node is read.
//!
//! ```text
//! cargo bench --profile release --bench ratios
//! ```
//!
//! The profile is the one that users have, without link-time optimization.

mod common;

use clockwise::{HashRing, KeyHasher, Token, Xxh3};
use common::{Maglev, Naive, RandomKey, keys, nodes, race_alone};
use peak_alloc::PeakAlloc;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const KEYS: usize = 1 << 20;
const CHUNK: usize = 1 << 10;
const PASSES: usize = 4;
const VIRTUAL_NODES: u32 = 160;
const SIZES: [usize; 4] = [10, 100, 1000, 10_000];

fn main() {
    let keys = keys(KEYS);
    for (virtual_nodes, title) in [
        (512, "512 virtual nodes (the default)"),
        (160, "160 virtual nodes"),
    ] {
        let table: Vec<Row> = SIZES.map(|n| measure(n, virtual_nodes, &keys)).into();
        print(&format!("{title}, as multiples of the naive ring"), &table);
    }
    updates();
}

struct Row {
    nodes: usize,
    /// Nanoseconds a key of the naive ring's route, latency and three replicas.
    naive: [f64; 3],
    ratios: [f64; 6],
    bytes: f64,
}

const COLUMNS: [&str; 6] = [
    "route",
    "batch",
    "latency",
    "3 replicas",
    "hash only",
    "Maglev",
];

fn measure(n: usize, virtual_nodes: u32, keys: &[RandomKey]) -> Row {
    let before = MEMORY.current_usage();
    let ring = ring(n, virtual_nodes);
    let bytes = (MEMORY.current_usage() - before) as f64 / ring.point_count() as f64;
    let naive = Naive::new(n, virtual_nodes);
    let maglev = Maglev::new(n, 100 * n);
    for key in keys {
        let owner = naive.route(key);
        assert_eq!(ring.route(key), Some(owner));
        assert!(ring.preference(key).take(3).eq(naive.three(key)));
    }
    let mut out = Vec::new();
    ring.route_batch(keys, &mut out);
    assert!(
        out.iter()
            .zip(keys)
            .all(|(owner, key)| *owner == Some(naive.route(key)))
    );

    let chunk = |c: usize| &keys[c * CHUNK..(c + 1) * CHUNK];
    let route = |key: &RandomKey| ring.route(key).copied().unwrap_or(0);
    let mut out = Vec::with_capacity(CHUNK);
    let [hash, ours, batch, slow, table] = race_alone(
        PASSES,
        KEYS / CHUNK,
        &mut [
            &mut |c| sum(chunk(c), |key| Xxh3::new().hash_bytes(key)),
            &mut |c| sum(chunk(c), route),
            &mut |c| {
                ring.route_batch(chunk(c), &mut out);
                let owners = out.iter().flatten();
                black_box(owners.fold(0u64, |sum, owner| sum.wrapping_add(**owner)));
            },
            &mut |c| sum(chunk(c), |key| *naive.route(key)),
            &mut |c| sum(chunk(c), |key| *maglev.route(key)),
        ],
    );
    // Each token depends on the answer before it, so that nothing overlaps.
    let [latency, slow_latency] = race_alone(
        PASSES,
        KEYS / CHUNK / 4,
        &mut [
            &mut |c| {
                chain(chunk(c), |token| {
                    *ring.route_token(Token::new(token)).expect("nodes")
                });
            },
            &mut |c| chain(chunk(c), |token| *naive.route_token(token)),
        ],
    );
    let [three, slow_three] = race_alone(
        PASSES,
        KEYS / CHUNK / 4,
        &mut [
            &mut |c| {
                sum(chunk(c), |key| ring.preference(key).take(3).sum());
            },
            &mut |c| sum(chunk(c), |key| naive.three(key).into_iter().sum()),
        ],
    );
    let of = |time: Duration, naive: Duration| time.as_secs_f64() / naive.as_secs_f64();
    let each = |time: Duration, keys: usize| time.as_secs_f64() * 1e9 / keys as f64;
    Row {
        nodes: n,
        naive: [
            each(slow, KEYS),
            each(slow_latency, KEYS / 4),
            each(slow_three, KEYS / 4),
        ],
        ratios: [
            of(ours, slow),
            of(batch, slow),
            of(latency, slow_latency),
            of(three, slow_three),
            of(hash, slow),
            of(table, slow),
        ],
        bytes,
    }
}

#[inline]
fn sum(keys: &[RandomKey], answer: impl Fn(&RandomKey) -> u64) {
    black_box(
        keys.iter()
            .fold(0u64, |sum, key| sum.wrapping_add(answer(key))),
    );
}

#[inline]
fn chain(keys: &[RandomKey], answer: impl Fn(u64) -> u64) {
    let hasher = Xxh3::new();
    black_box(keys.iter().fold(0u64, |last, key| {
        answer(hasher.hash_bytes(key) ^ last.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }));
}

fn ring(n: usize, virtual_nodes: u32) -> HashRing<u64> {
    let mut ring = HashRing::builder()
        .virtual_nodes(virtual_nodes)
        .build()
        .expect("a valid configuration");
    ring.extend_weighted(nodes(n).map(|node| (node, 1)))
        .expect("distinct nodes");
    ring
}

fn print(title: &str, table: &[Row]) {
    println!("\n{title}");
    print!("{:>6}", "nodes");
    for column in COLUMNS {
        print!(" {column:>10}");
    }
    println!(
        " {:>12}   naive ns: route, latency, 3 replicas",
        "bytes/point"
    );
    for row in table {
        print!("{:>6}", row.nodes);
        for ratio in row.ratios {
            print!(" {ratio:>10.3}");
        }
        let [route, latency, three] = row.naive;
        println!(
            " {:>12.1}   {route:>15.1} {latency:>8.1} {three:>11.1}",
            row.bytes
        );
    }
}

/// Adding and removing a node, a batch, and building, beside the naive ring.
fn updates() {
    println!("\nchanges, as multiples of the naive ring's ({VIRTUAL_NODES} virtual nodes)");
    let mut ours = ring(1000, VIRTUAL_NODES);
    let naive = Naive::new(1000, VIRTUAL_NODES);
    let (mut add, mut remove, mut ten) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let mut slow = Duration::MAX;
    for _ in 0..30 {
        add = add.min(time(|| ours.insert(1000).expect("a new node")));
        let mut grown = naive.clone();
        slow = slow.min(time(|| grown.add(VIRTUAL_NODES)));
        assert_eq!(ours.point_count(), grown.points.len());
        remove = remove.min(time(|| assert_eq!(ours.remove(&1000u64), Some(1000))));
        ten = ten.min(time(|| {
            ours.extend_weighted((1000..1010).map(|node| (node, 1)))
                .expect("new nodes");
        }));
        let _ = ours
            .set_nodes(nodes(1000).map(|node| (node, 1)))
            .expect("valid");
    }
    let of = |time: Duration, naive: Duration| time.as_secs_f64() / naive.as_secs_f64();
    println!(
        "  1000 nodes: add one {:.3}, remove one {:.3}, add ten at once {:.3}   (naive add: {slow:.0?})",
        of(add, slow),
        of(remove, slow),
        of(ten, slow)
    );
    for n in [1000, 10_000] {
        let (mut build, mut slow) = (Duration::MAX, Duration::MAX);
        for _ in 0..5 {
            build = build.min(time(|| drop(black_box(ring(n, VIRTUAL_NODES)))));
            slow = slow.min(time(|| drop(black_box(Naive::new(n, VIRTUAL_NODES)))));
        }
        println!(
            "  build {n:>6} nodes: {:.3}   (naive: {slow:.0?})",
            of(build, slow)
        );
    }
    let before = MEMORY.current_usage();
    let mut ring = ring(1000, 512);
    let steady = MEMORY.current_usage() - before;
    MEMORY.reset_peak_usage();
    ring.insert(1000).expect("a new node");
    let peak = MEMORY.peak_usage() - before;
    println!(
        "  memory while a node joins 1000 x 512: at most {:.2} x steady",
        peak as f64 / steady as f64
    );
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
