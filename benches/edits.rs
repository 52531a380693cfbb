//! Many changes in one call, as multiples of one `set_nodes` of the same change. Each change has a
//! copy of its own.
//!
//! ```text
//! cargo bench --bench edits
//! ```

mod common;

use clockwise::{Edit, HashRing};
use common::{Table, ratio};
use std::time::{Duration, Instant};

const NODES: u64 = 10_000;
const VIRTUAL_NODES: u32 = 512;
const ROUNDS: usize = 5;

fn ring() -> HashRing<u64> {
    HashRing::builder()
        .virtual_nodes(VIRTUAL_NODES)
        .from_nodes(0..NODES)
        .expect("distinct nodes")
}

/// The least time that `change` takes on a copy, and the fingerprint that it leads to.
fn time(before: &HashRing<u64>, change: impl Fn(&mut HashRing<u64>)) -> (Duration, u64) {
    let (mut least, mut fingerprint) = (Duration::MAX, 0);
    for _ in 0..ROUNDS {
        let mut ring = before.clone();
        let start = Instant::now();
        change(&mut ring);
        least = least.min(start.elapsed());
        fingerprint = ring.fingerprint();
    }
    (least, fingerprint)
}

fn main() {
    let before = ring();
    let keep = |node: &u64| node % 100 != 7;
    let list = || (0..NODES).filter(keep).map(|node| (node, 1));
    let (listed, expected) = time(&before, |ring| {
        ring.set_nodes(list()).expect("distinct nodes");
    });
    println!("100 of {NODES} nodes leave by one `set_nodes`: {listed:.1?}");
    let table = Table::new("as a multiple of that", &["ratio"]);
    let row = |name: &str, (time, fingerprint): (Duration, u64), same: bool| {
        assert!(!same || fingerprint == expected, "{name} leads elsewhere");
        table.row(name, [ratio(time, listed)]);
    };
    let removals = || (0..NODES).filter(|node| !keep(node));
    row(
        "the same 100 by one `apply`",
        time(&before, |ring| {
            ring.apply(removals().map(|node| Edit::remove(&node)))
                .expect("members");
        }),
        true,
    );
    row(
        "the same 100 by one `retain`",
        time(&before, |ring| {
            assert_eq!(ring.retain(|member| keep(member.node)).len(), 100);
        }),
        true,
    );
    row(
        "1 by one `remove`",
        time(&before, |ring| assert_eq!(ring.remove(&7u64), Some(7))),
        false,
    );
    row(
        "a third drained by one `drain_where`",
        time(&before, |ring| {
            assert_eq!(ring.drain_where(|node| node % 3 == 0), 3334);
        }),
        false,
    );
    let mut drained = before.clone();
    drained.drain_where(|node| node % 3 == 0);
    row(
        "a third restored by one `undrain_where`",
        time(&drained, |ring| {
            assert_eq!(ring.undrain_where(|_| true), 3334);
        }),
        false,
    );
}
