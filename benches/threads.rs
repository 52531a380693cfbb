//! What a second thread adds: the picks of two threads over one strategy, as a multiple of one
//! thread's. Each contender runs alone, and reads the node.
//!
//! ```text
//! cargo bench --bench threads --all-features
//! ```
//!
//! Two is the most there can be, and `hash only` shows how much of it this machine gives. A counter
//! that all threads share cannot gain: the turns of `RoundRobin`, the open leases of `Bounded`, the
//! references to one snapshot. The best of many short rounds counts for either side, because what a
//! shared machine takes away is never negative.

mod common;

use clockwise::{
    Bounded, HashRing, Key, KeyHasher, LeastLoaded, Load, PowerOfTwo, Rendezvous, RoundRobin,
    Route, SlotTable, Strategy, Tracked, WeightedRandom, Xxh3,
};
use common::{Table, strings};
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const NODES: u32 = 100;
const PICKS: usize = 1 << 14;
const TIME: Duration = Duration::from_millis(250);

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
    let columns = ["ns a pick of one thread", "picks of two threads"];
    let table = Table::new("100 nodes", &columns);
    row(&table, "hash only", |key| {
        Xxh3::new().hash_bytes(key.as_bytes())
    });

    let mut ring = HashRing::new();
    ring.extend_weighted(servers()).unwrap();
    strategy(&table, "HashRing", &ring);
    let mut rendezvous = Rendezvous::new();
    rendezvous.extend_weighted(servers()).unwrap();
    strategy(&table, "Rendezvous", &rendezvous);
    let mut slots = SlotTable::new();
    slots.extend_weighted(servers()).unwrap();
    strategy(&table, "SlotTable", &slots);
    let mut random = WeightedRandom::with_seed(1);
    random.extend_weighted(servers()).unwrap();
    strategy(&table, "WeightedRandom", &random);
    let mut least = LeastLoaded::with_seed(1);
    least.extend_weighted(servers()).unwrap();
    strategy(&table, "LeastLoaded", &least);
    let mut two = PowerOfTwo::with_seed(1);
    two.extend_weighted(servers()).unwrap();
    strategy(&table, "PowerOfTwo", &two);
    #[cfg(feature = "shared")]
    {
        let mut ring = HashRing::new();
        ring.extend_weighted(servers()).unwrap();
        let shared = clockwise::Shared::new(ring);
        row(&table, "Shared: read, route", |key| {
            shared.read(|ring| id(ring.route(key)))
        });
    }

    let table = Table::new("100 nodes, with a counter that all threads share", &columns);
    let counter = AtomicU64::new(0);
    #[cfg(feature = "shared")]
    {
        let mut ring = HashRing::new();
        ring.extend_weighted(servers()).unwrap();
        let shared = clockwise::Shared::new(ring);
        row(&table, "Shared: load, route", |key| {
            id(shared.load().route(key))
        });
    }
    row(&table, "one atomic addition", |_| {
        counter.fetch_add(1, Ordering::Relaxed)
    });
    let mut turns = RoundRobin::new();
    turns.extend_weighted(servers()).unwrap();
    strategy(&table, "RoundRobin", &turns);
    let ring = HashRing::from_nodes((0..NODES).map(Tracked::new)).unwrap();
    row(&table, "route, begin, end", |key| {
        let request = ring.route(key).map(|node| (node.begin(), node));
        request.map_or(0, |(_in_flight, node)| u64::from(**node))
    });
    let bounded = Bounded::new(ring.clone(), 1.25).unwrap();
    row(&table, "Bounded: acquire, release", |key| {
        let acquired = bounded.acquire(key);
        acquired.map_or(0, |lease| u64::from(**lease.node()))
    });
    assert_eq!(bounded.open_leases(), 0);
}

fn id(server: Option<&Server>) -> u64 {
    server.map_or(0, |server| u64::from(server.id))
}

fn strategy(table: &Table, name: &str, strategy: &(impl Strategy<Node = Server> + Sync)) {
    // What it returns is a member.
    let node = strategy.route(&[7u8; 16]).unwrap();
    assert!(strategy.member(node.key_bytes().as_ref()).is_some());
    row(table, name, |key| id(strategy.route(key)));
}

fn row(table: &Table, name: &str, pick: impl Fn(&str) -> u64 + Sync) {
    let keys = strings(PICKS);
    let trial = best(1, 5, &keys, &pick);
    let rounds = (TIME.as_nanos() / trial.as_nanos().max(1)) as usize + 1;
    let [one, two] = [1, 2].map(|threads| best(threads, rounds, &keys, &pick));
    let each = one.as_secs_f64() * 1e9 / PICKS as f64;
    let gain = 2.0 * one.as_secs_f64() / two.as_secs_f64();
    table.row(name, [format!("{each:.1}"), format!("{gain:.2}")]);
}

/// Returns the shortest time, from the first start to the last end, in which each of so many
/// threads makes its picks.
fn best(
    threads: usize,
    rounds: usize,
    keys: &[String],
    pick: &(impl Fn(&str) -> u64 + Sync),
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
