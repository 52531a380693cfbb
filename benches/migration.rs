//! What a migration costs, as multiples of one naive build of the same run.
//!
//! ```text
//! cargo bench --bench migration
//! CLOCKWISE_LONG=1 cargo bench --bench migration       # 10,000 nodes too
//! ```

mod common;

use clockwise::{HashRing, KeyHasher, Plan, Xxh3, migration::Loss};
use common::{Table, ratio};
use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

const NODES: u32 = 1000;
const VIRTUAL_NODES: u32 = 160;
const ROUNDS: usize = 3;

fn name(i: u32) -> String {
    format!("10.{}.{}.{}:8080", i >> 16, i >> 8 & 255, i & 255)
}

/// The obvious ring: hash every point, sort once.
fn naive() -> Vec<(u64, u32)> {
    let hasher = Xxh3::new();
    let mut points = Vec::with_capacity((NODES * VIRTUAL_NODES) as usize);
    for node in 0..NODES {
        let mut bytes = [&[0; 4], name(node).as_bytes()].concat();
        for i in 0..VIRTUAL_NODES {
            bytes[..4].copy_from_slice(&i.to_le_bytes());
            points.push((hasher.hash_bytes(&bytes), node));
        }
    }
    points.sort_unstable();
    points
}

fn ring(nodes: std::ops::Range<u32>, virtual_nodes: u32) -> HashRing<String> {
    let mut ring = HashRing::builder()
        .virtual_nodes(virtual_nodes)
        .build()
        .expect("a valid configuration");
    ring.extend_weighted(nodes.map(|i| (name(i), 1)))
        .expect("distinct names");
    ring
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = black_box(work());
    let elapsed = start.elapsed();
    drop(result);
    elapsed
}

fn milliseconds<T>(work: impl FnOnce() -> T) -> f64 {
    time(work).as_secs_f64() * 1e3
}

/// Completes all moves, the oldest under way first. Returns how many there were.
fn work_through(mut plan: Plan<String>) -> usize {
    let mut under_way = VecDeque::new();
    let mut moves = 0;
    loop {
        while let Some(step) = plan.start() {
            under_way.push_back(step);
        }
        let Some(step) = under_way.pop_front() else {
            assert!(plan.is_complete());
            return moves;
        };
        assert!(plan.complete(&step));
        moves += 1;
    }
}

type Work<'a> = (&'static str, Box<dyn Fn() -> usize + 'a>);

fn main() {
    let old = ring(0..NODES, VIRTUAL_NODES);
    let mut one_lost = old.clone();
    assert!(one_lost.remove(&name(77)).is_some());
    let another_count = ring(0..NODES, VIRTUAL_NODES + 1);
    let half_other = ring(NODES / 2..NODES + NODES / 2, VIRTUAL_NODES);
    let all_other = ring(NODES..2 * NODES, VIRTUAL_NODES);
    let everything = old.diff(&all_other).expect("one hasher");
    assert_eq!(everything.measure(), 1 << 64);

    let diff = |new: &HashRing<String>| old.diff(new).expect("one hasher").moves().len();
    let zone = |name: &String| name.as_bytes()[name.len() - 6] % 3;
    let work: [Work<'_>; 11] = [
        ("diff, one node lost", Box::new(|| diff(&one_lost))),
        (
            "diff, one more virtual node",
            Box::new(|| diff(&another_count)),
        ),
        (
            "diff, half the nodes differ",
            Box::new(|| diff(&half_other)),
        ),
        ("diff, all nodes differ", Box::new(|| diff(&all_other))),
        (
            "diff_replicas(3), one node lost",
            Box::new(|| {
                old.diff_replicas(&one_lost, 3)
                    .expect("one hasher")
                    .moves()
                    .len()
            }),
        ),
        (
            "diff_replicas_across(3), one node lost, 3 zones",
            Box::new(|| {
                let migration = old.diff_replicas_across(&one_lost, 3, zone);
                migration.expect("one hasher").moves().len()
            }),
        ),
        (
            "losses: all 1000 single ones",
            Box::new(|| old.losses().len()),
        ),
        ("losses_by: 3 zones", Box::new(|| old.losses_by(zone).len())),
        (
            "plan(4) where all nodes differ",
            Box::new(|| everything.plan(4).expect("a limit").remaining()),
        ),
        (
            "the same, worked through",
            Box::new(|| work_through(everything.plan(4).expect("a limit"))),
        ),
        (
            "flows where all nodes differ",
            Box::new(|| everything.flows().len()),
        ),
    ];

    // They take turns. Each runs twice and only the second time counts, so that no memory that it
    // finds in the caches has been brought there by another.
    let (mut reference, mut least) = (Duration::MAX, [Duration::MAX; 11]);
    for _ in 0..ROUNDS {
        time(naive);
        reference = reference.min(time(naive));
        for (least, (_, work)) in least.iter_mut().zip(&work) {
            time(work);
            *least = (*least).min(time(work));
        }
    }
    println!("The naive build of {NODES} × {VIRTUAL_NODES} takes {reference:.2?}.");
    let table = Table::new("as a multiple of that", &["ratio", "ms", "answer"]);
    for ((name, work), least) in work.iter().zip(least) {
        let milliseconds = format!("{:.2}", least.as_secs_f64() * 1e3);
        table.row(
            name,
            [ratio(least, reference), milliseconds, work().to_string()],
        );
    }

    if std::env::var_os("CLOCKWISE_LONG").is_some() {
        long(&old);
    }
}

fn long(old: &HashRing<String>) {
    // The slow path to the same losses: a clone without the node, compared.
    let slow = || {
        let lost = |loss: &Loss<'_, String>| {
            let mut after = old.clone();
            assert!(after.remove(loss.lost[0]).is_some());
            let moved = old.diff(&after).expect("one hasher").measure();
            assert_eq!(moved, loss.measure);
        };
        old.losses().iter().for_each(lost);
    };
    println!(
        "clone, remove, diff for each of {NODES}: {:.0} ms",
        milliseconds(slow)
    );

    let old = ring(0..10_000, 512);
    let mut new = old.clone();
    new.insert(name(10_000)).expect("a new name");
    let first = || {
        let mut plan = old
            .diff(&new)
            .expect("one hasher")
            .plan(4)
            .expect("a limit");
        plan.start().expect("a move")
    };
    println!(
        "10,000 × 512: {:>8.0} ms  one node added: diff, plan, first start",
        milliseconds(first)
    );

    let old = ring(0..10_000, 1024);
    let mut new = old.clone();
    assert!(new.remove(&name(77)).is_some());
    let report = |what, ms: f64| println!("10,000 × 1024: {ms:>8.0} ms  {what}");
    report(
        "diff, one node lost",
        milliseconds(|| old.diff(&new).expect("one hasher").measure()),
    );
    new = ring(0..10_000, 1000);
    report(
        "diff, 1000 virtual nodes",
        milliseconds(|| old.diff(&new).expect("one hasher").measure()),
    );
    new = ring(10_000..20_000, 1024);
    report(
        "diff, all nodes differ",
        milliseconds(|| old.diff(&new).expect("one hasher").measure()),
    );
    report(
        "losses: all 10,000 single ones",
        milliseconds(|| old.losses().len()),
    );
}
