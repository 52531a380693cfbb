//! Changing the membership and building, beside the naive ring.
//!
//! ```text
//! cargo bench --bench membership
//! ```

#![allow(missing_docs)] // of what the macros of criterion make

mod common;

use clockwise::HashRing;
use common::{Naive, nodes};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::time::Duration;

fn ring(n: usize) -> HashRing<u64> {
    let mut ring = HashRing::builder()
        .virtual_nodes(160)
        .build()
        .expect("valid");
    ring.extend_weighted(nodes(n).map(|node| (node, 1)))
        .expect("distinct");
    ring
}

fn membership(c: &mut Criterion) {
    for n in [10, 100, 1000, 10_000] {
        let new = n as u64;
        let (small, naive) = (ring(n), Naive::new(n, 160));
        let mut large = small.clone();
        large.insert(new).expect("a new node");
        let mut larger = naive.clone();
        larger.add(160);
        assert_eq!(large.point_count(), larger.points.len());

        let mut group = c.benchmark_group(format!("membership/{n} nodes"));
        group.bench_function("insert one", |b| {
            let insert = |mut ring: HashRing<u64>| {
                ring.insert(new).expect("a new node");
                ring
            };
            b.iter_batched(|| small.clone(), insert, BatchSize::LargeInput);
        });
        group.bench_function("insert one, naive", |b| {
            let insert = |mut naive: Naive| {
                naive.add(160);
                naive
            };
            b.iter_batched(|| naive.clone(), insert, BatchSize::LargeInput);
        });
        group.bench_function("insert ten at once", |b| {
            let insert = |mut ring: HashRing<u64>| {
                ring.extend_weighted((new..new + 10).map(|node| (node, 1)))
                    .expect("new nodes");
                ring
            };
            b.iter_batched(|| small.clone(), insert, BatchSize::LargeInput);
        });
        group.bench_function("remove one", |b| {
            let remove = |mut ring: HashRing<u64>| {
                assert!(ring.remove(&new).is_some());
                ring
            };
            b.iter_batched(|| large.clone(), remove, BatchSize::LargeInput);
        });
        group.bench_function("drain one", |b| {
            let drain = |mut ring: HashRing<u64>| {
                ring.drain(&new).expect("a member");
                ring
            };
            b.iter_batched(|| large.clone(), drain, BatchSize::LargeInput);
        });
        group.bench_function("build", |b| b.iter(|| ring(n)));
        group.bench_function("build, naive", |b| b.iter(|| Naive::new(n, 160)));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    targets = membership
}
criterion_main!(benches);
