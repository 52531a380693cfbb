//! What a second thread adds: the picks of two threads at once over one strategy, as a multiple of one thread's.
//!
//! ```text
//! cargo bench --bench threads --all-features
//! ```
//! 2 is all there is to have; `hash only` says how much of it this machine has. What counts on one counter for all threads (the turns of
//! `RoundRobin`, the open leases of `Bounded`, the references to one snapshot) cannot gain. Of many short rounds the best counts for either side: what a shared machine takes
//! away is never negative.

mod common;

use clockwise::{
    Bounded, HashRing, Key, KeyHasher, LeastLoaded, Load, PowerOfTwo, Rendezvous, RoundRobin,
    Route, SlotTable, Strategy, Tracked, WeightedRandom, Xxh3,
};
use common::{RandomKey, address, keys};
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const NODES: u32 = 100;
const PICKS: usize = 1 << 14;
const TIME: Duration = Duration::from_millis(500);

struct Server {
    id: u32,
    load: AtomicU32,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.id.to_be_bytes()
    }
}

impl Load for Server {
    fn load(&self) -> f64 {
        f64::from(self.load.load(Ordering::Relaxed)) + 1.0
    }
}

fn servers() -> impl Iterator<Item = (Server, u32)> {
    (0..NODES).map(|id| {
        let load = AtomicU32::new((id * 7919 + 1) % NODES);
        (Server { id, load }, 1)
    })
}

fn main() {
    println!("{NODES} nodes; two threads' picks as a multiple of one's\n");
    let counter = AtomicU64::new(0);
    print("hash only", |key| Xxh3::new().hash_bytes(key));

    let mut ring = HashRing::new();
    ring.extend_weighted(servers()).unwrap();
    strategy("HashRing", &ring);
    let mut rendezvous = Rendezvous::new();
    rendezvous.extend_weighted(servers()).unwrap();
    strategy("Rendezvous", &rendezvous);
    let mut table = SlotTable::new();
    table.extend_weighted(servers()).unwrap();
    strategy("SlotTable", &table);
    let mut random = WeightedRandom::with_seed(1);
    random.extend_weighted(servers()).unwrap();
    strategy("WeightedRandom", &random);
    let mut least = LeastLoaded::with_seed(1);
    least.extend_weighted(servers()).unwrap();
    strategy("LeastLoaded", &least);
    let mut two = PowerOfTwo::with_seed(1);
    two.extend_weighted(servers()).unwrap();
    strategy("PowerOfTwo", &two);
    #[cfg(feature = "shared")]
    {
        let mut ring = HashRing::new();
        ring.extend_weighted(servers()).unwrap();
        let shared = clockwise::Shared::new(ring);
        print("Shared: read, route", |key| {
            shared.read(|ring| ring.route(key).map_or(0, address))
        });
    }

    println!("\nwith a counter for all");
    #[cfg(feature = "shared")]
    {
        let mut ring = HashRing::new();
        ring.extend_weighted(servers()).unwrap();
        let shared = clockwise::Shared::new(ring);
        print("Shared: load, route", |key| {
            shared.load().route(key).map_or(0, address)
        });
    }
    print("one atomic addition", |_| {
        counter.fetch_add(1, Ordering::Relaxed)
    });
    let mut turns = RoundRobin::new();
    turns.extend_weighted(servers()).unwrap();
    strategy("RoundRobin", &turns);
    let ring = HashRing::from_nodes((0..NODES).map(Tracked::new)).unwrap();
    print("route, begin, end", |key| {
        ring.route(key).map_or(0, |node| address(&node.begin()))
    });
    let bounded = Bounded::new(ring.clone(), 1.25).unwrap();
    print("Bounded: acquire, release", |key| {
        let reserved = bounded.acquire(key);
        reserved.map_or(0, |place| address(place.node()))
    });
    assert_eq!(bounded.open_leases(), 0);
}

fn strategy(name: &str, strategy: &(impl Strategy<Node = Server> + Sync)) {
    // As the same strategy answers in one thread, it answers here: a member.
    let node = strategy.route(&[7u8; 16]).unwrap();
    assert!(strategy.member(node.key_bytes().as_ref()).is_some());
    print(name, |key| strategy.route(key).map_or(0, address));
}

fn print(name: &str, pick: impl Fn(&RandomKey) -> u64 + Sync) {
    let keys = keys(PICKS);
    let trial = best(1, 5, &keys, &pick);
    let rounds = (TIME.as_nanos() / trial.as_nanos().max(1)) as usize + 1;
    let [one, two] = [1, 2].map(|threads| best(threads, rounds, &keys, &pick));
    println!(
        "{name:<28}{:>8.1} ns{:>8.2}",
        one.as_nanos() as f64 / PICKS as f64,
        2.0 * one.as_secs_f64() / two.as_secs_f64()
    );
}

/// The shortest time, from the first start to the last end, in which so many threads at once each make their picks.
fn best(
    threads: usize,
    rounds: usize,
    keys: &[RandomKey],
    pick: &(impl Fn(&RandomKey) -> u64 + Sync),
) -> Duration {
    let arrived = AtomicUsize::new(0);
    let work = || {
        (1..=rounds)
            .map(|round| {
                // They spin: a thread that sleeps wakes up when the other is done.
                arrived.fetch_add(1, Ordering::AcqRel);
                let mut spins = 0u32;
                while arrived.load(Ordering::Acquire) < round * threads {
                    spins += 1;
                    if spins % 4096 == 0 {
                        std::thread::yield_now();
                    }
                    std::hint::spin_loop();
                }
                let start = Instant::now();
                black_box(
                    keys.iter()
                        .fold(0u64, |sum, key| sum.wrapping_add(pick(key))),
                );
                (start, Instant::now())
            })
            .collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut spans = work();
        for other in others {
            let theirs = other.join().expect("no pick panics");
            for (span, (start, end)) in spans.iter_mut().zip(theirs) {
                *span = (span.0.min(start), span.1.max(end));
            }
        }
        let spans = spans.into_iter().map(|(start, end)| end - start);
        spans.min().expect("there are rounds")
    })
}
