//! Absolute times of routing: one key, a batch, a chain of dependent keys, three nodes; beside the
//! naive ring and a Maglev table. Criterion runs each alone, and compares with its run before.
//!
//! ```text
//! cargo bench --bench route
//! ```
//!
//! `cargo bench --bench ratios` compares the contenders within one run, and with cold caches.

// Of what the macros of criterion make; and closures here return what the optimizer must keep.
#![allow(missing_docs, clippy::semicolon_if_nothing_returned)]

mod common;

use clockwise::{HashRing, Token};
use common::{Maglev, Naive, nodes, strings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

const KEYS: usize = 1 << 16;
/// The default.
const VIRTUAL_NODES: u32 = 512;

fn route(c: &mut Criterion) {
    let keys = strings(KEYS);
    for n in [10, 100, 1000, 10_000] {
        let ring: HashRing<u64> = HashRing::builder()
            .virtual_nodes(VIRTUAL_NODES)
            .from_nodes(nodes(n))
            .expect("distinct nodes");
        let naive = Naive::new(n, VIRTUAL_NODES);
        let maglev = Maglev::new(n, 100 * n);
        for key in &keys {
            assert_eq!(ring.route(key), Some(naive.route(key)));
            assert!(ring.preference(key).take(3).eq(three(&naive, key)));
        }

        let sum = |answer: &dyn Fn(&str) -> u64| {
            keys.iter()
                .map(|key| answer(key))
                .fold(0, u64::wrapping_add)
        };
        let mut group = c.benchmark_group(format!("route/{n} nodes"));
        group.throughput(Throughput::Elements(KEYS as u64));
        group.bench_function("ring", |b| {
            b.iter(|| sum(&|key| *ring.route(key).expect("nodes")))
        });
        group.bench_function("naive", |b| b.iter(|| sum(&|key| *naive.route(key))));
        group.bench_function("maglev", |b| b.iter(|| sum(&|key| *maglev.route(key))));
        group.bench_function("ring, batch", |b| {
            let mut out = Vec::new();
            b.iter(|| {
                ring.route_batch(&keys, &mut out);
                black_box(
                    out.iter()
                        .flatten()
                        .fold(0u64, |sum, node| sum.wrapping_add(**node)),
                )
            });
        });
        group.finish();

        let mut group = c.benchmark_group(format!("latency/{n} nodes"));
        group.throughput(Throughput::Elements(KEYS as u64));
        let tokens: Vec<u64> = keys.iter().map(|key| ring.token(key).get()).collect();
        let chain = |answer: &dyn Fn(u64) -> u64| {
            let next =
                |last: u64, &token: &u64| answer(token ^ last.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            tokens.iter().fold(0, next)
        };
        group.bench_function("ring", |b| {
            b.iter(|| chain(&|token| ring.route_token(Token::new(token)).copied().unwrap_or(0)));
        });
        group.bench_function("naive", |b| {
            b.iter(|| chain(&|token| *naive.route_token(token)))
        });
        group.finish();

        let mut group = c.benchmark_group(format!("three of preference/{n} nodes"));
        group.throughput(Throughput::Elements(KEYS as u64));
        group.bench_function("ring", |b| {
            b.iter(|| sum(&|key| ring.preference(key).take(3).sum()))
        });
        group.bench_function("naive", |b| {
            b.iter(|| sum(&|key| three(&naive, key).into_iter().sum()))
        });
        group.finish();
    }
}

fn three<'a>(naive: &'a Naive, key: &str) -> [&'a u64; 3] {
    naive.three_from(xxh3_64(key.as_bytes()))
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500));
    targets = route
}
criterion_main!(benches);
