//! What a pick costs, and how much of it is one atomic addition or the reading of loads. Tokens are
//! computed beforehand, so no hashing is in it. The node is read.
//!
//! ```text
//! cargo bench --bench strategies
//! ```
//!
//! Every figure is beside two of the same run: an atomic addition of one thread, below which no
//! shared counter can be, and the XXH3 of a string of 16 bytes.

mod common;

use clockwise::{
    Key, KeyHasher, LeastLoaded, Load, PowerOfTwo, Rendezvous, RoundRobin, Strategy, Token,
    WeightedRandom, Xxh3,
};
use common::{CHUNK, Table, alone, chunk, strings, sum};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Passes of a race, and the chunks of a pass.
const PASSES: usize = 10;
const CHUNKS: usize = 16;

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
    let columns = ["10", "100", "1000", "ns a node: 10", "1000"];
    let table = Table::new("ns a pick (in atomic additions); nodes", &columns);
    let columns = [10, 100, 1000].map(measure);
    for (row, name) in NAMES.iter().enumerate() {
        let cell =
            |column: &[f64; 9]| format!("{:.1} ({:.1})", column[row], column[row] / column[0]);
        let mut cells: Vec<String> = columns.iter().map(cell).collect();
        let scans = name.starts_with("least") || name.starts_with("rendezvous");
        for (column, nodes) in [(0, 10.0), (2, 1000.0)] {
            let each = format!("{:.2}", columns[column][row] / nodes);
            cells.push(if scans { each } else { String::new() });
        }
        table.row(name, cells);
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
    let keys = strings(CHUNK * CHUNKS);
    let tokens: Vec<Token> = keys.iter().map(|key| rendezvous.token(key)).collect();
    alone(
        PASSES,
        CHUNKS,
        &mut [
            &mut |c| {
                sum(chunk(&tokens, c), |_| {
                    black_box(&counter).fetch_add(1, Ordering::Relaxed)
                });
            },
            &mut |c| {
                sum(chunk(&keys, c), |key| {
                    Xxh3::new().hash_bytes(key.as_bytes())
                });
            },
            &mut |c| picks(chunk(&tokens, c), &turns),
            &mut |c| picks(chunk(&tokens, c), &random),
            &mut |c| picks(chunk(&tokens, c), &two),
            &mut |c| picks(chunk(&tokens, c), &three),
            &mut |c| picks(chunk(&tokens, c), &least),
            &mut |c| picks(chunk(&tokens, c), &idle),
            &mut |c| picks(chunk(&tokens, c), &rendezvous),
        ],
    )
    .map(|time| time.as_secs_f64() * 1e9 / (CHUNK * CHUNKS) as f64)
}

/// A pick for each token.
fn picks(tokens: &[Token], strategy: &impl Strategy<Node = Server>) {
    sum(tokens, |&token| {
        let server = strategy.route_token(token);
        u64::from(server.expect("there are servers").id)
    });
}
