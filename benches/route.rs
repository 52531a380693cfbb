//! Routing: one key, a batch, a chain of dependent keys, three replicas; beside the naive ring and a Maglev table.
//!
//! ```text
//! cargo bench --bench route
//! ```
//! For figures to compare, `cargo bench --profile release --bench ratios` is better: it runs each
//! contender alone.

// Of what the macros of criterion make; and closures here return what criterion keeps from being optimised away.
#![allow(missing_docs, clippy::semicolon_if_nothing_returned)]

mod common;

use clockwise::{HashRing, Token};
use common::{Maglev, Naive, RandomKey, address, keys, nodes};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

const KEYS: usize = 1 << 16;

fn route(c: &mut Criterion) {
    let keys = keys(KEYS);
    for n in [10, 100, 1000, 10_000] {
        let mut ring = HashRing::builder()
            .virtual_nodes(160)
            .build()
            .expect("valid");
        ring.extend_weighted(nodes(n).map(|node| (node, 1)))
            .expect("distinct");
        let naive = Naive::new(n, 160);
        let maglev = Maglev::new(n, 100 * n);
        for key in &keys {
            assert_eq!(ring.route(key), Some(naive.route(key)));
            assert!(ring.preference(key).take(3).eq(naive.three(key)));
        }

        let sum =
            |answer: &dyn Fn(&RandomKey) -> u64| keys.iter().map(answer).fold(0, u64::wrapping_add);
        let mut group = c.benchmark_group(format!("route/{n} nodes"));
        group.throughput(Throughput::Elements(KEYS as u64));
        group.bench_function("ring", |b| {
            b.iter(|| sum(&|key| ring.route(key).map_or(0, address)))
        });
        group.bench_function("naive", |b| {
            b.iter(|| sum(&|key| address(naive.route(key))))
        });
        group.bench_function("maglev", |b| {
            b.iter(|| sum(&|key| address(maglev.route(key))))
        });
        group.bench_function("ring, batch", |b| {
            let mut out = Vec::new();
            b.iter(|| {
                ring.route_batch(&keys, &mut out);
                black_box(out.len())
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

        let mut group = c.benchmark_group(format!("three replicas/{n} nodes"));
        group.throughput(Throughput::Elements(KEYS as u64));
        group.bench_with_input(BenchmarkId::from_parameter("ring"), &ring, |b, ring| {
            let three = |key: &RandomKey| {
                ring.preference(key)
                    .take(3)
                    .map(address)
                    .fold(0, u64::wrapping_add)
            };
            b.iter(|| sum(&three));
        });
        group.bench_with_input(BenchmarkId::from_parameter("naive"), &naive, |b, naive| {
            let three = |key: &RandomKey| {
                naive
                    .three(key)
                    .map(address)
                    .into_iter()
                    .fold(0, u64::wrapping_add)
            };
            b.iter(|| sum(&three));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = route
}
criterion_main!(benches);
