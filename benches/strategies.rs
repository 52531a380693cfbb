//! What a pick of the load-driven strategies costs, and how much of it is the one atomic addition or the reading of loads.
//!
//! `cargo bench --bench strategies`; the token is there already, so no hashing is in it.

#![allow(
    missing_docs,
    reason = "`criterion_group!` makes a function without any"
)]

use clockwise::{Key, LeastLoaded, Load, PowerOfTwo, RoundRobin, Strategy, Token, WeightedRandom};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// As `Tracked` does it: the count behind an `Arc`.
struct Server {
    id: u32,
    in_flight: Arc<AtomicU32>,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.id.to_be_bytes()
    }
}

impl Load for Server {
    fn load(&self) -> f64 {
        f64::from(self.in_flight.load(Ordering::Relaxed)) + 1.0
    }
}

/// `busy`: loads that differ, the least at an id that is known; else all idle.
fn servers(n: u32, busy: bool) -> impl Iterator<Item = (Server, u32)> {
    (0..n).map(move |id| {
        let load = if busy { (id * 7919 + 1) % n } else { 0 };
        let in_flight = Arc::new(AtomicU32::new(load));
        (Server { id, in_flight }, 1)
    })
}

fn picks(c: &mut Criterion) {
    let mut group = c.benchmark_group("pick");
    let counter = AtomicU64::new(0);
    group.bench_function("one atomic addition", |b| {
        b.iter(|| black_box(counter.fetch_add(1, Ordering::Relaxed)));
    });
    let token = Token::new(42);
    for n in [10, 100, 1000] {
        let mut turns = RoundRobin::new();
        turns.extend_weighted(servers(n, true)).unwrap();
        let mut random = WeightedRandom::with_seed(1);
        random.extend_weighted(servers(n, true)).unwrap();
        let mut two = PowerOfTwo::with_seed(1);
        two.extend_weighted(servers(n, true)).unwrap();
        let mut three = PowerOfTwo::with_seed(1).with_choices(3).unwrap();
        three.extend_weighted(servers(n, true)).unwrap();
        let mut least = LeastLoaded::with_seed(1);
        least.extend_weighted(servers(n, true)).unwrap();
        let mut idle = LeastLoaded::with_seed(1);
        idle.extend_weighted(servers(n, false)).unwrap();

        // The answers: turns in order, and the one server without load.
        for id in 0..n {
            assert_eq!(turns.route_token(token).map(|server| server.id), Some(id));
        }
        let best = least.route_token(token).unwrap();
        assert_eq!(best.in_flight.load(Ordering::Relaxed), 0);

        let strategies: [(&str, &dyn Strategy<Server>); 6] = [
            ("round-robin", &turns),
            ("weighted random", &random),
            ("two choices", &two),
            ("three choices", &three),
            ("least loaded, busy", &least),
            ("least loaded, idle", &idle),
        ];
        for (name, strategy) in strategies {
            group.bench_with_input(BenchmarkId::new(name, n), &token, |b, &token| {
                b.iter(|| strategy.route_token(black_box(token)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, picks);
criterion_main!(benches);
