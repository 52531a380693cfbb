//! What a pick costs, and how much of it is one atomic addition or the reading of loads. The token is there already: no hashing is in it.
//!
//! ```text
//! cargo bench --bench strategies
//! ```
//! Every figure stands beside two of the same run: an uncontended atomic addition, below which no shared counter can be, and the XXH3 of a
//! 16-byte key. On a shared machine the ratios are what to trust.

mod common;

use clockwise::{
    Key, KeyHasher, LeastLoaded, Load, PowerOfTwo, Rendezvous, RoundRobin, Strategy, Token,
    WeightedRandom, Xxh3,
};
use common::{RandomKey, address, keys, race};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const CHUNK: usize = 1 << 8;
const CHUNKS: usize = 1 << 6;
const ROUNDS: usize = 40;

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

fn main() {
    println!("ns a pick (and as a multiple of one atomic addition)\n");
    println!(
        "{:<24}{:>18}{:>18}{:>18}{:>20}",
        "", "10 nodes", "100", "1000", "ns a node, 10/1000"
    );
    let sizes = [10, 100, 1000];
    let columns = sizes.map(measure);
    for row in 0..NAMES.len() {
        print!("{:<24}", NAMES[row]);
        for column in &columns {
            print!("{:>11.1} ({:4.1})", column[row], column[row] / column[0]);
        }
        if NAMES[row].starts_with("least") || NAMES[row].starts_with("rendezvous") {
            print!(
                "{:>10.2}/{:.2}",
                columns[0][row] / 10.0,
                columns[2][row] / 1000.0
            );
        }
        println!();
    }
}

const NAMES: [&str; 9] = [
    "one atomic addition",
    "xxh3 of 16 bytes",
    "round-robin",
    "weighted random",
    "two choices",
    "three choices",
    "least loaded, busy",
    "least loaded, idle",
    "rendezvous",
];

/// Nanoseconds a pick.
fn measure(n: u32) -> [f64; 9] {
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
    let mut rendezvous = Rendezvous::new();
    rendezvous.extend_weighted(servers(n, true)).unwrap();

    // The answers: turns in order, the one server without load, and the first of an order.
    let token = Token::new(42);
    for id in 0..n {
        assert_eq!(turns.route_token(token).map(|server| server.id), Some(id));
    }
    let best = least.route_token(token).unwrap();
    assert_eq!(best.in_flight.load(Ordering::Relaxed), 0);
    let first = rendezvous.pick(token, &mut |_| true).unwrap();
    assert_eq!(rendezvous.route_token(token).unwrap().id, first.id);

    let counter = AtomicU64::new(0);
    let keys = keys(CHUNK * CHUNKS);
    let chunk = |c: usize| &keys[c * CHUNK..(c + 1) * CHUNK];
    race(
        ROUNDS,
        CHUNKS,
        &mut [
            &mut |c| {
                sum(chunk(c), |_| {
                    black_box(&counter).fetch_add(1, Ordering::Relaxed)
                });
            },
            &mut |c| sum(chunk(c), |key| Xxh3::new().hash_bytes(key)),
            &mut |c| picks(chunk(c), &turns),
            &mut |c| picks(chunk(c), &random),
            &mut |c| picks(chunk(c), &two),
            &mut |c| picks(chunk(c), &three),
            &mut |c| picks(chunk(c), &least),
            &mut |c| picks(chunk(c), &idle),
            &mut |c| picks(chunk(c), &rendezvous),
        ],
    )
    .map(|time| time.as_nanos() as f64 / (CHUNK * CHUNKS) as f64)
}

/// A pick for each key, by a token that is at hand.
fn picks(keys: &[RandomKey], strategy: &impl Strategy<Node = Server>) {
    sum(keys, |key| {
        let token = Token::new(u64::from_le_bytes(
            key[..8].try_into().expect("16 bytes have 8"),
        ));
        strategy.route_token(token).map_or(0, address)
    });
}

fn sum(keys: &[RandomKey], answer: impl Fn(&RandomKey) -> u64) {
    black_box(
        keys.iter()
            .fold(0u64, |sum, key| sum.wrapping_add(answer(key))),
    );
}
