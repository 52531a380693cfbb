//! What changes and builds cost: every time as a multiple of what the same change costs the naive
//! ring in the same run. Each contender changes a ring of its own, and no ring is copied.
//!
//! ```text
//! cargo bench --bench membership
//! ```

mod common;

use clockwise::HashRing;
use common::{Naive, Run, Table, alone, nodes, ratio};
use peak_alloc::PeakAlloc;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SIZES: [usize; 4] = [10, 100, 1000, 10_000];
/// The default.
const VIRTUAL_NODES: u32 = 512;
/// Points that are gone over for one figure, about.
const WORK: usize = 30_000_000;

fn main() {
    let table = Table::new(
        "nodes (512 virtual nodes each, the default)",
        &["10", "100", "1000", "10,000"],
    );
    let columns = SIZES.map(measure);
    for (row, name) in ROWS.iter().enumerate() {
        let cell = |column: &Column| ratio(column.ours[row], column.naive[row]);
        table.row(name, columns.each_ref().map(cell));
    }
    for (row, name) in ROWS.iter().enumerate() {
        let cell = |column: &Column| format!("{:.1?}", column.naive[row]);
        table.row(&format!("naive: {name}"), columns.each_ref().map(cell));
    }
    let peak = |column: &Column| format!("{:.2}", column.peak);
    table.row(
        "peak of memory while one joins, × steady",
        columns.each_ref().map(peak),
    );
}

const ROWS: [&str; 4] = ["add one", "remove one", "add ten in one call", "build"];

struct Column {
    ours: [Duration; ROWS.len()],
    naive: [Duration; ROWS.len()],
    peak: f64,
}

fn ring(n: usize) -> HashRing<u64> {
    HashRing::builder()
        .virtual_nodes(VIRTUAL_NODES)
        .from_nodes(nodes(n))
        .expect("distinct nodes")
}

fn measure(n: usize) -> Column {
    let before = MEMORY.current_usage();
    let mut ours = ring(n);
    let steady = MEMORY.current_usage() - before;
    MEMORY.reset_peak_usage();
    ours.insert(n as u64).expect("a new node");
    let peak = (MEMORY.peak_usage() - before) as f64 / steady as f64;
    assert_eq!(ours.remove(&(n as u64)), Some(n as u64));

    let mut naive = Naive::new(n, VIRTUAL_NODES);
    let repeats = (WORK / (n * VIRTUAL_NODES as usize)).clamp(5, 200);
    let (mut our_times, mut naive_times) = ([Duration::MAX; 4], [Duration::MAX; 4]);
    let mut ours = || keep_least(&mut our_times, change_ours(&mut ours, n));
    let mut theirs = || keep_least(&mut naive_times, change_naive(&mut naive, n));
    let mut run: [Run<'_>; 2] = [&mut |_| ours(), &mut |_| theirs()];
    alone(2, repeats, &mut run);
    Column {
        ours: our_times,
        naive: naive_times,
        peak,
    }
}

fn keep_least(least: &mut [Duration; 4], times: [Duration; 4]) {
    for (least, time) in least.iter_mut().zip(times) {
        *least = time.min(*least);
    }
}

fn change_ours(ring: &mut HashRing<u64>, n: usize) -> [Duration; 4] {
    let new = n as u64;
    let add = time(|| ring.insert(new).expect("a new node"));
    assert_eq!(ring.point_count(), (n + 1) * VIRTUAL_NODES as usize);
    let remove = time(|| assert_eq!(ring.remove(&new), Some(new)));
    let ten = time(|| {
        ring.extend_weighted((new..new + 10).map(|node| (node, 1)))
            .expect("new nodes");
    });
    assert_eq!(ring.point_count(), (n + 10) * VIRTUAL_NODES as usize);
    assert_eq!(ring.retain(|member| *member.node < new).len(), 10);
    let build = time(|| drop(black_box(self::ring(n))));
    [add, remove, ten, build]
}

fn change_naive(ring: &mut Naive, n: usize) -> [Duration; 4] {
    let add = time(|| ring.add(VIRTUAL_NODES));
    assert_eq!(ring.points.len(), (n + 1) * VIRTUAL_NODES as usize);
    let remove = time(|| ring.truncate(n));
    let ten = time(|| ring.add_many(10, VIRTUAL_NODES));
    assert_eq!(ring.points.len(), (n + 10) * VIRTUAL_NODES as usize);
    ring.truncate(n);
    let build = time(|| drop(black_box(Naive::new(n, VIRTUAL_NODES))));
    [add, remove, ten, build]
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
