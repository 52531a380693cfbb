//! What in-flight counting and the wrappers cost beside the route they go round. Each figure but the addition includes hashing the key.
//!
//! ```text
//! cargo bench --bench wrappers --all-features
//! ```
//! An atomic addition of the same run is the yardstick: `begin` and its end are four of them (the count and the reference to it, up and down),
//! as are `acquire` and release (the node's count and the open leases, up and down), and on a shared machine ratios are what to trust.

mod common;

use clockwise::{Bounded, HashRing, KeyHasher, Tracked, Xxh3};
use common::{RandomKey, address, keys, race};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

const CHUNK: usize = 1 << 8;
const CHUNKS: usize = 1 << 6;
const ROUNDS: usize = 60;

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
    println!(
        "ns (and what is beside the route, in atomic additions); 16 requests a node in flight\n"
    );
    let columns = [(10, 1), (10, 3), (100, 1), (100, 3)];
    print!("{:<22}", "");
    for (nodes, heaviest) in columns {
        print!("{:>20}", format!("{nodes}, weight 1 to {heaviest}"));
    }
    println!();
    let times = columns.map(|(nodes, heaviest)| measure(nodes, heaviest));
    // The last row needs the feature `sticky`.
    for row in 0..NAMES.len() - usize::from(!cfg!(feature = "sticky")) {
        print!("{:<22}", NAMES[row]);
        for column in &times {
            let beside = if row > 2 {
                column[row] - column[2]
            } else {
                0.0
            };
            print!("{:>13.1} ({:4.1})", column[row], beside / column[0]);
        }
        println!();
    }
}

/// Nanoseconds of each.
fn measure(nodes: u32, heaviest: u32) -> [f64; 7] {
    let keys = keys(CHUNK * CHUNKS);
    let chunk = |c: usize| &keys[c * CHUNK..(c + 1) * CHUNK];
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
    let times = race(
        ROUNDS,
        CHUNKS,
        &mut [
            &mut |c| {
                sum(chunk(c), |_| {
                    black_box(&counter).fetch_add(1, Ordering::AcqRel) as u64
                });
            },
            &mut |c| sum(chunk(c), |key| Xxh3::new().hash_bytes(key)),
            &mut |c| sum(chunk(c), |key| ring.route(key).map_or(0, address)),
            &mut |c| {
                sum(chunk(c), |key| {
                    ring.route(key).map_or(0, |node| address(&node.begin()))
                });
            },
            &mut |c| {
                sum(chunk(c), |key| {
                    let lease = bounded.acquire(key);
                    lease.map_or(0, |lease| address(lease.node()))
                });
            },
            &mut |c| sum(chunk(c), |key| bounded.route(key).map_or(0, address)),
            #[cfg(feature = "sticky")]
            &mut |c| sum(chunk(c), |key| sticky.route(key).map_or(0, address)),
            #[cfg(not(feature = "sticky"))]
            &mut |_| {},
        ],
    );
    drop(in_flight);
    assert_eq!(bounded.open_leases(), 0);
    times.map(|time| time.as_nanos() as f64 / (CHUNK * CHUNKS) as f64)
}

fn sum(keys: &[RandomKey], answer: impl Fn(&RandomKey) -> u64) {
    black_box(
        keys.iter()
            .fold(0u64, |sum, key| sum.wrapping_add(answer(key))),
    );
}
