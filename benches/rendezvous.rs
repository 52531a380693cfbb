//! The cost of a key's order of preference by rendezvous hashing, beyond its first node.
//!
//! ```text
//! cargo bench --bench rendezvous
//! ```
//!
//! The contenders take turns, pass by pass, and each pass has keys of its own. The first quarter of
//! a pass is not counted, so that no contender gains from what another has brought into the caches.
//! A figure is the median over all passes of its time divided by the time of the reference in the
//! same pass. There are two references: `route`, and the textbook method, which scores every node,
//! sorts the scores and reads the nodes in that order. The answers are compared with the textbook's
//! before the clock starts.

mod common;

use clockwise::Rendezvous;
use common::{Table, strings};
use std::hint::black_box;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

/// The number of keys of a pass, and of those before them that are not counted.
const KEYS: usize = 512;
const UNCOUNTED: usize = KEYS / 4;
const PASSES: usize = 101;
const SIZES: [usize; 5] = [3, 10, 20, 50, 100];

/// The weight of the node at an index.
type Weights = fn(usize) -> u32;

const MIXES: [(&str, Weights); 3] = [
    ("equal weights", |_| 1),
    ("weights 1 to 5", |i| 1 + i as u32 % 5),
    ("distinct weights", |i| 100 + i as u32),
];

/// The rows of the table after the two references: a name and a target.
const ROWS: [(&str, &str); 4] = [
    ("first two", "4 routes"),
    ("first three", ""),
    ("one refusal", "4 routes"),
    ("whole order", "2 sorts"),
];

fn main() {
    let keys = strings((KEYS + UNCOUNTED) * PASSES);
    for (mix, weight) in MIXES {
        let title = format!("{mix}: multiples of `route` (of scores and a sort); nodes");
        let table = Table::new(
            &title,
            &SIZES
                .map(|size| size.to_string())
                .each_ref()
                .map(|size| &**size),
        );
        let columns = SIZES.map(|size| measure(&keys, size, weight));
        let cell = |figure: fn(&Column) -> f64| {
            columns
                .each_ref()
                .map(|column| format!("{:.1}", figure(column)))
        };
        table.row("`route`, ns", cell(|column| column.route));
        table.row("scores and a sort, ns", cell(|column| column.sort));
        for (row, (name, target)) in ROWS.iter().enumerate() {
            let name = format!("{name} ({target})").replace(" ()", "");
            let cell = |column: &Column| {
                let (by_route, by_sort) = column.ratios[row];
                format!("{by_route:.1} ({by_sort:.2})")
            };
            table.row(&name, columns.each_ref().map(cell));
        }
    }
}

struct Column {
    /// Nanoseconds, the median.
    route: f64,
    sort: f64,
    /// Of each row, by `route` and by scores and a sort.
    ratios: [(f64, f64); ROWS.len()],
}

fn measure(keys: &[String], size: usize, weight: Weights) -> Column {
    let members: Vec<(u64, u32)> = (0..size).map(|i| (i as u64, weight(i))).collect();
    let mut nodes = Rendezvous::new();
    nodes
        .extend_weighted(members.iter().copied())
        .expect("distinct nodes");
    let textbook = Textbook::new(&members);
    check(&keys[..4 * KEYS], &nodes, &textbook);
    let contenders: [&dyn Fn(&str) -> u64; 2 + ROWS.len()] = [
        &|key| *nodes.route(key).expect("there are nodes"),
        &|key| textbook.order(key).iter().copied().fold(0, mix),
        &|key| nodes.preference(key).take(2).copied().fold(0, mix),
        &|key| nodes.preference(key).take(3).copied().fold(0, mix),
        &|key| *second(&nodes, key),
        &|key| nodes.preference(key).copied().fold(0, mix),
    ];
    let mut passes = Vec::with_capacity(PASSES);
    // Each pass has keys of its own: a processor learns the branches of keys that repeat.
    for (pass, keys) in keys.chunks(UNCOUNTED + KEYS).enumerate() {
        let (uncounted, keys) = keys.split_at(UNCOUNTED);
        let mut times = [0.0; 2 + ROWS.len()];
        for turn in 0..contenders.len() {
            let at = (pass + turn) % contenders.len();
            time(uncounted, contenders[at]);
            times[at] = time(keys, contenders[at]).as_nanos() as f64 / keys.len() as f64;
        }
        passes.push(times);
    }
    let ratio = |row: usize, to: usize| median(passes.iter().map(|t| t[row] / t[to]).collect());
    Column {
        route: median(passes.iter().map(|times| times[0]).collect()),
        sort: median(passes.iter().map(|times| times[1]).collect()),
        ratios: core::array::from_fn(|row| (ratio(row + 2, 0), ratio(row + 2, 1))),
    }
}

/// The node that is returned after one refusal.
fn second<'a>(nodes: &'a Rendezvous<u64>, key: &str) -> &'a u64 {
    let mut refused = false;
    let accept = |_: &u64| core::mem::replace(&mut refused, true);
    nodes.route_where(key, accept).expect("there are more")
}

/// Adds a node to a sum that depends on the order.
fn mix(sum: u64, node: u64) -> u64 {
    sum.wrapping_mul(31).wrapping_add(node)
}

#[inline(never)]
fn time(keys: &[String], answer: &dyn Fn(&str) -> u64) -> Duration {
    let start = Instant::now();
    for key in keys {
        black_box(answer(key));
    }
    start.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn check(keys: &[String], nodes: &Rendezvous<u64>, textbook: &Textbook) {
    for key in keys {
        let order = textbook.order(key);
        assert_eq!(nodes.route(key), order.first());
        assert_eq!(second(nodes, key), &order[1]);
        assert!(nodes.preference(key).eq(&order));
    }
}

/// Scores and a sort, with a node's hash computed beforehand.
struct Textbook {
    /// A node, its hash and its weight.
    nodes: Vec<(u64, u64, u32)>,
    equal: bool,
}

impl Textbook {
    fn new(members: &[(u64, u32)]) -> Self {
        let hash = |node: u64| xxh3_64(&[&[0; 4], &node.to_le_bytes()[..]].concat());
        let nodes = members.iter().map(|&(node, w)| (node, hash(node), w));
        Textbook {
            nodes: nodes.collect(),
            equal: members.iter().all(|&(_, weight)| weight == members[0].1),
        }
    }

    #[inline(never)]
    fn order(&self, key: &str) -> Vec<u64> {
        let token = xxh3_64(key.as_bytes());
        if self.equal {
            let scored = self
                .nodes
                .iter()
                .map(|&(n, hash, _)| (!score(token, hash), n));
            let mut scored: Vec<(u64, u64)> = scored.collect();
            scored.sort_unstable();
            scored.into_iter().map(|(_, node)| node).collect()
        } else {
            let scored = self.nodes.iter().map(|&(node, hash, weight)| {
                let u = (score(token, hash) as f64 + 1.0) / 18_446_744_073_709_551_616.0;
                (-u.ln() / f64::from(weight), node)
            });
            let mut scored: Vec<(f64, u64)> = scored.collect();
            scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            scored.into_iter().map(|(_, node)| node).collect()
        }
    }
}

fn score(token: u64, hash: u64) -> u64 {
    let y = token ^ hash;
    let y = (y ^ (y >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (y ^ (y >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
}
