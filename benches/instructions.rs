//! Instructions per call of the hot paths, counted by valgrind. They repeat on every run of the
//! same binary, and another process cannot disturb them. Fails if a path needs more than its limit.
//!
//! ```text
//! cargo bench --bench instructions
//! ```

mod common;

use clockwise::{HashRing, KeyHasher, Xxh3};
use common::{Maglev, Naive, RandomKey, Table, address, keys, nodes};
use std::hint::black_box;
use std::process::Command;

const KEYS: usize = 10_000;

/// A path to count.
struct Case {
    name: &'static str,
    /// Most instructions a unit: the count of Rust 1.95 with a little room.
    limit: f64,
    /// Calls, or points where that is what a call's cost is proportional to.
    units: usize,
    run: fn(&[RandomKey]),
}

const fn case(name: &'static str, limit: f64, run: fn(&[RandomKey])) -> Case {
    Case {
        name,
        limit,
        units: KEYS,
        run,
    }
}

const NO_LIMIT: f64 = f64::INFINITY;

const CASES: [Case; 10] = [
    case("hash only", 30.0, |keys| {
        measured(keys, |key| Xxh3::new().hash_bytes(key));
    }),
    case("route, 10 nodes", 66.0, |keys| {
        let ring = ring(10);
        measured(keys, |key| ring.route(key).map_or(0, address));
    }),
    case("route, 1000 nodes", 66.0, |keys| {
        let ring = ring(1000);
        measured(keys, |key| ring.route(key).map_or(0, address));
    }),
    case("route_batch, 1000 nodes", 76.0, |keys| {
        let ring = ring(1000);
        let mut out = Vec::with_capacity(KEYS);
        measured(&keys[..1], |_| {
            ring.route_batch(keys, &mut out);
            address(&out)
        });
    }),
    case("3 of preference, 1000 nodes", 165.0, |keys| {
        let ring = ring(1000);
        measured(keys, |key| {
            let three = ring.preference(key).take(3).map(address);
            three.fold(0, u64::wrapping_add)
        });
    }),
    case("the third by route_where, 1000 nodes", 115.0, |keys| {
        let ring = ring(1000);
        measured(keys, |key| {
            let mut left = 3;
            let third = ring.route_where(key, |_| {
                left -= 1;
                left == 0
            });
            third.map_or(0, address)
        });
    }),
    Case {
        name: "insert and remove, 1000 nodes, a point",
        limit: 45.0,
        units: 160_000,
        run: |keys| {
            let mut ring = ring(1000);
            measured(&keys[..1], |_| {
                ring.insert(1000).expect("a new node");
                ring.remove(&1000u64).unwrap_or(0)
            });
        },
    },
    case("reference: naive, 10 nodes", NO_LIMIT, |keys| {
        let naive = Naive::new(10, 160);
        measured(keys, |key| address(naive.route(key)));
    }),
    case("reference: naive, 1000 nodes", NO_LIMIT, |keys| {
        let naive = Naive::new(1000, 160);
        measured(keys, |key| address(naive.route(key)));
    }),
    case("reference: Maglev, 1000 nodes", NO_LIMIT, |keys| {
        let maglev = Maglev::new(1000, 100_000);
        measured(keys, |key| address(maglev.route(key)));
    }),
];

fn ring(n: usize) -> HashRing<u64> {
    let mut ring = HashRing::builder()
        .virtual_nodes(160)
        .build()
        .expect("a valid configuration");
    ring.extend_weighted(nodes(n).map(|node| (node, 1)))
        .expect("distinct nodes");
    ring
}

/// The only part in which valgrind counts: it knows it by this name.
#[inline(never)]
fn measured(keys: &[RandomKey], mut answer: impl FnMut(&RandomKey) -> u64) {
    black_box(
        keys.iter()
            .fold(0u64, |sum, key| sum.wrapping_add(answer(key))),
    );
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    if let Some(name) = args.next() {
        if let Some(case) = CASES.iter().find(|case| case.name == name) {
            (case.run)(&keys(KEYS));
        }
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("SKIPPED: valgrind is not installed");
        return;
    }
    let table = Table::new("instructions a call", &["counted", "limit"]);
    let mut failed = false;
    for Case {
        name, limit, units, ..
    } in CASES
    {
        let each = count(name) as f64 / units as f64;
        let shown = if limit.is_finite() {
            limit.to_string()
        } else {
            String::from("none")
        };
        table.row(name, [format!("{each:.1}"), shown]);
        failed |= each > limit;
    }
    assert!(!failed, "a path needs more instructions than its limit");
}

/// Runs this program under valgrind for one case.
fn count(name: &str) -> u64 {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=*measured*"])
        .arg(program)
        .arg(name)
        .output()
        .expect("valgrind runs");
    let log = String::from_utf8_lossy(&output.stderr);
    let counted = log.lines().find_map(|line| line.split_once("Collected : "));
    let (_, counted) = counted.unwrap_or_else(|| panic!("valgrind counted nothing:\n{log}"));
    counted.trim().parse().expect("a number")
}
