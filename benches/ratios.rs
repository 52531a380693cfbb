//! How fast a route is: every time as a multiple of the naive ring's in the same run, with each
//! contender alone and then cold. Prints the README's table.
//!
//! ```text
//! cargo bench --bench ratios
//! ```

mod common;

use clockwise::{HashRing, KeyHasher, Xxh3};
use common::{CHUNK, Maglev, Naive, Run, Table, alone, chunk, cold, nodes, ratio, strings, sum};
use peak_alloc::PeakAlloc;
use std::hint::black_box;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Passes of a race, and the chunks of a pass.
const PASSES: usize = 5;
const ALONE: usize = 500;
const COLD: usize = 25;
/// Keys whose owners are compared before the clock starts.
const CHECKED: usize = 20_000;
const SIZES: [usize; 4] = [10, 100, 1000, 10_000];

fn main() {
    let keys = strings(ALONE * CHUNK);
    for (virtual_nodes, title) in [
        (512, "nodes (512 virtual nodes each, the default)"),
        (160, "nodes (160 virtual nodes each)"),
    ] {
        let columns = SIZES.map(|n| measure(n, virtual_nodes, &keys));
        let table = Table::new(title, &["10", "100", "1000", "10,000"]);
        for (row, name) in ROWS.iter().enumerate() {
            table.row(name, columns.each_ref().map(|column| column.alone(row)));
            table.row(
                &format!("{name}, cold"),
                columns.each_ref().map(|column| column.cold(row)),
            );
        }
        let cell = |digits: fn(&Column) -> String| columns.each_ref().map(digits);
        table.row(
            "naive, ns",
            cell(|column| nanoseconds(column.alone[NAIVE], ALONE)),
        );
        table.row(
            "naive, cold, ns",
            cell(|column| nanoseconds(column.cold[NAIVE], COLD)),
        );
        table.row(
            "bytes a point",
            cell(|column| format!("{:.1}", column.bytes)),
        );
    }
}

/// The rows before the references.
const ROWS: [&str; 5] = [
    "`route`",
    "`route_batch`",
    "three of `preference`",
    "for comparison: a Maglev table, 100 slots a node",
    "for comparison: the hash alone",
];
const THREE: usize = 2;
const NAIVE: usize = 5;
const NAIVE_THREE: usize = 6;
const CONTENDERS: usize = 7;

struct Column {
    alone: [Duration; CONTENDERS],
    cold: [Duration; CONTENDERS],
    bytes: f64,
}

impl Column {
    fn alone(&self, row: usize) -> String {
        of_naive(&self.alone, row)
    }

    fn cold(&self, row: usize) -> String {
        of_naive(&self.cold, row)
    }
}

/// Three nodes are compared with three of the naive ring's walk.
fn of_naive(times: &[Duration; CONTENDERS], row: usize) -> String {
    let reference = if row == THREE { NAIVE_THREE } else { NAIVE };
    ratio(times[row], times[reference])
}

fn nanoseconds(time: Duration, chunks: usize) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e9 / (chunks * CHUNK) as f64)
}

fn measure(n: usize, virtual_nodes: u32, keys: &[String]) -> Column {
    let before = MEMORY.current_usage();
    let ring: HashRing<u64> = HashRing::builder()
        .virtual_nodes(virtual_nodes)
        .from_nodes(nodes(n))
        .expect("distinct nodes");
    let bytes = (MEMORY.current_usage() - before) as f64 / ring.point_count() as f64;
    let naive = Naive::new(n, virtual_nodes);
    let maglev = Maglev::new(n, 100 * n);
    check(&ring, &naive, &keys[..CHECKED]);

    let mut out = Vec::with_capacity(CHUNK);
    let mut run: [Run<'_>; CONTENDERS] = [
        &mut |c| sum(chunk(keys, c), |key| *ring.route(key).expect("nodes")),
        &mut |c| {
            ring.route_batch(chunk(keys, c), &mut out);
            let owners = out.iter().map(|owner| *owner.expect("nodes"));
            black_box(owners.fold(0, u64::wrapping_add));
        },
        &mut |c| sum(chunk(keys, c), |key| ring.preference(key).take(3).sum()),
        &mut |c| sum(chunk(keys, c), |key| *maglev.route(key)),
        &mut |c| sum(chunk(keys, c), |key| Xxh3::new().hash_bytes(key.as_bytes())),
        &mut |c| sum(chunk(keys, c), |key| *naive.route(key)),
        &mut |c| sum(chunk(keys, c), |key| three(&naive, key).into_iter().sum()),
    ];
    Column {
        alone: alone(PASSES, ALONE, &mut run),
        cold: cold(PASSES, COLD, &mut run),
        bytes,
    }
}

#[inline]
fn three<'a>(naive: &'a Naive, key: &str) -> [&'a u64; 3] {
    naive.three_from(xxh3_64(key.as_bytes()))
}

/// All three give the naive ring's owners.
fn check(ring: &HashRing<u64>, naive: &Naive, keys: &[String]) {
    let mut out = Vec::new();
    ring.route_batch(keys, &mut out);
    for (key, batched) in keys.iter().zip(out) {
        let owner = Some(naive.route(key));
        assert_eq!(ring.route(key), owner);
        assert_eq!(batched, owner);
        assert!(ring.preference(key).take(3).eq(three(naive, key)));
    }
}
