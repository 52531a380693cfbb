//! What in-flight counting and the wrappers cost beside the route inside. Each figure but the
//! addition includes hashing the key, and reads the node.
//!
//! ```text
//! cargo bench --bench wrappers --all-features
//! ```
//!
//! The unit is an atomic addition of the same run. `begin` and its end are four of them: the count
//! and the reference to it, up and down. `acquire` and its release are four too: the node's count
//! and the open leases, up and down.

mod common;

use clockwise::wrappers::Lease;
use clockwise::{Bounded, HashRing, KeyHasher, Tracked, Xxh3};
use common::{CHUNK, Table, alone, chunk, strings, sum};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Passes of a race, and the chunks of a pass.
const PASSES: usize = 20;
const CHUNKS: usize = 16;

const NAMES: [&str; 7] = [
    "one atomic addition",
    "xxh3 of 16 bytes",
    "route",
    "route, begin, end",
    "acquire, release",
    "bounded route",
    "sticky route",
];

fn main() {
    let columns = [(10, 1), (10, 3), (100, 1), (100, 3)];
    let titles = columns.map(|(nodes, heaviest)| format!("{nodes}, weights 1 to {heaviest}"));
    let table = Table::new(
        "ns (atomic additions beside the route), 16 requests a node in flight; nodes",
        &titles.each_ref().map(|title| &**title),
    );
    let times = columns.map(|(nodes, heaviest)| measure(nodes, heaviest));
    // The last row needs the feature `sticky`.
    let rows = NAMES.len() - usize::from(!cfg!(feature = "sticky"));
    for (row, name) in NAMES.iter().enumerate().take(rows) {
        let cell = |column: &[f64; 7]| match row {
            0..=2 => format!("{:.1}", column[row]),
            _ => {
                let beside = (column[row] - column[2]) / column[0];
                format!("{:.1} ({beside:.1})", column[row])
            }
        };
        table.row(name, times.each_ref().map(cell));
    }
}

/// Nanoseconds of each.
fn measure(nodes: u32, heaviest: u32) -> [f64; 7] {
    let keys = strings(CHUNK * CHUNKS);
    let mut ring = HashRing::builder().virtual_nodes(160).build().unwrap();
    ring.extend_weighted((0..nodes).map(|i| (Tracked::new(i), 1 + i % heaviest)))
        .unwrap();
    let bounded = Bounded::new(ring.clone(), 1.25).unwrap();
    let in_flight: Vec<_> = keys
        .iter()
        .take(16 * nodes as usize)
        .filter_map(|key| Some(bounded.acquire(key)?.into_in_flight()))
        .collect();
    assert_eq!(bounded.open_leases(), 16 * nodes);
    #[cfg(feature = "sticky")]
    let sticky = {
        let hour = std::time::Duration::from_secs(3600);
        clockwise::Sticky::new(ring.clone(), 100_000, hour)
    };
    for key in &keys {
        let lease = bounded.acquire(key).unwrap();
        let cap = bounded.cap(&**lease.node()).unwrap();
        assert!(lease.node().in_flight() <= cap);
        #[cfg(feature = "sticky")]
        assert_eq!(sticky.route(key), ring.route(key));
    }

    let counter = AtomicUsize::new(0);
    let times = alone(
        PASSES,
        CHUNKS,
        &mut [
            &mut |c| {
                sum(chunk(&keys, c), |_| {
                    black_box(&counter).fetch_add(1, Ordering::AcqRel) as u64
                });
            },
            &mut |c| {
                sum(chunk(&keys, c), |key| {
                    Xxh3::new().hash_bytes(key.as_bytes())
                });
            },
            &mut |c| sum(chunk(&keys, c), |key| read(ring.route(key))),
            &mut |c| {
                sum(chunk(&keys, c), |key| {
                    let request = ring.route(key).map(|node| (node.begin(), node));
                    read(request.as_ref().map(|(_, node)| *node))
                });
            },
            &mut |c| {
                sum(chunk(&keys, c), |key| {
                    let lease = bounded.acquire(key);
                    read(lease.as_ref().map(Lease::node))
                });
            },
            &mut |c| sum(chunk(&keys, c), |key| read(bounded.route(key))),
            #[cfg(feature = "sticky")]
            &mut |c| sum(chunk(&keys, c), |key| read(sticky.route(key))),
            #[cfg(not(feature = "sticky"))]
            &mut |_| {},
        ],
    );
    drop(in_flight);
    assert_eq!(bounded.open_leases(), 0);
    times.map(|time| time.as_secs_f64() * 1e9 / (CHUNK * CHUNKS) as f64)
}

#[inline]
fn read(node: Option<&Tracked<u32>>) -> u64 {
    u64::from(**node.expect("there are nodes"))
}
