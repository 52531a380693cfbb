//! What in-flight counting and the wrappers cost beside the route they go round: each figure includes hashing the key and routing it.
//!
//! `cargo bench --bench wrappers --all-features`. An atomic addition is the yardstick: `begin` and `acquire` are four of them each.

#![allow(
    missing_docs,
    reason = "`criterion_group!` makes a function without any"
)]

use clockwise::{Bounded, HashRing, Route, Tracked};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Keys in the order in which they are asked for.
fn keys() -> Vec<String> {
    (0..20_000u32)
        .map(|i| format!("key-{:012}", i.wrapping_mul(7919)))
        .collect()
}

fn wrappers(c: &mut Criterion) {
    let keys = keys();
    let mut group = c.benchmark_group("wrappers");
    let counter = AtomicUsize::new(0);
    group.bench_function("one atomic addition", |b| {
        b.iter(|| black_box(&counter).fetch_add(1, Ordering::AcqRel));
    });
    for nodes in [10, 100] {
        for (name, heaviest) in [("equal weights", 1), ("weights 1 to 3", 3)] {
            let mut ring = HashRing::builder().virtual_nodes(160).build().unwrap();
            let weighted = (0..nodes).map(|i| (Tracked::new(i), 1 + i % heaviest));
            ring.extend_weighted(weighted).unwrap();
            let bounded = Bounded::new(ring.clone(), 1.25).unwrap();
            let of = |what: &str| BenchmarkId::new(what, format!("{nodes} nodes, {name}"));
            let mut next = keys.iter().cycle();
            let mut key = move || next.next().expect("a cycle has no end");

            group.bench_function(of("route"), |b| b.iter(|| ring.route(key())));
            group.bench_function(of("route, begin, end"), |b| {
                b.iter(|| drop(ring.route(key()).map(Tracked::begin)));
            });
            // 16 requests a node stay in flight meanwhile.
            let in_flight: Vec<_> = keys
                .iter()
                .take(16 * nodes as usize)
                .filter_map(|key| Some(bounded.acquire(key)?.into_in_flight()))
                .collect();
            assert_eq!(in_flight.len(), 16 * nodes as usize);
            group.bench_function(of("acquire, release"), |b| {
                b.iter(|| drop(bounded.acquire(key())));
            });
            group.bench_function(of("bounded route"), |b| b.iter(|| bounded.route(key())));
            drop(in_flight);
            assert_eq!(bounded.open_leases(), 0);
            #[cfg(feature = "sticky")]
            {
                let hour = std::time::Duration::from_secs(3600);
                let sticky = clockwise::Sticky::new(ring, 100_000, hour);
                group.bench_function(of("sticky route"), |b| b.iter(|| sticky.route(key())));
                assert!(sticky.session_count() <= keys.len());
            }
        }
    }
    group.finish();
}

criterion_group!(benches, wrappers);
criterion_main!(benches);
