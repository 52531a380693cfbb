//! What copies over zones cost, as ratios to as many plain replicas of the same ring.
//!
//! Counts instructions under valgrind, which repeat on every run of the same binary. Answers are
//! compared with the definition: sort by rank within the zone. Fails if a case that is meant to be
//! cheap needs more than its limit, about 3 times the instructions of plain replicas.
//!
//! ```text
//! cargo bench --bench zoned
//! ```

mod common;

use clockwise::{HashRing, Zoned};
use common::{RandomKey, Table, keys};
use std::hint::black_box;
use std::process::Command;

const KEYS: usize = 500;

/// Zones of these sizes, so many copies.
struct Case {
    name: &'static str,
    sizes: [u64; 3],
    copies: usize,
    /// The most that it may cost, as a multiple of plain replicas.
    limit: f64,
}

const fn case(name: &'static str, sizes: [u64; 3], copies: usize, limit: f64) -> Case {
    Case {
        name,
        sizes,
        copies,
        limit,
    }
}

const EVEN: [u64; 3] = [1000; 3];

const CASES: [Case; 7] = [
    case("3 copies, zones of 1000", EVEN, 3, 3.0),
    case("4 copies, zones of 1000", EVEN, 4, 3.0),
    case("6 copies, zones of 1000", EVEN, 6, 3.4),
    case("3 copies, 499, 500 and 1", [499, 500, 1], 3, 3.4),
    case("4 copies, 499, 500 and 1", [499, 500, 1], 4, 3.4),
    case("3 copies, 498, 500 and 2", [498, 500, 2], 3, f64::INFINITY),
    case(
        "3 copies, 490, 500 and 10",
        [490, 500, 10],
        3,
        f64::INFINITY,
    ),
];

type Node = (u8, u64);

fn ring(sizes: [u64; 3]) -> HashRing<Node> {
    let mut ring = HashRing::builder()
        .virtual_nodes(160)
        .build()
        .expect("a valid configuration");
    let nodes = (0u8..).zip(sizes);
    let nodes = nodes.flat_map(|(zone, size)| (0..size).map(move |node| ((zone, node), 1)));
    ring.extend_weighted(nodes).expect("distinct nodes");
    ring
}

fn zone(node: &Node) -> u8 {
    node.0
}

/// The definition: rank each node within its zone, and sort by rank.
fn by_definition<'a>(ring: &'a HashRing<Node>, key: &RandomKey, n: usize) -> Vec<&'a Node> {
    let mut met = [0; 3];
    let ranked = ring.preference(key).map(|node| {
        met[usize::from(node.0)] += 1;
        (met[usize::from(node.0)], node)
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|&(rank, _)| rank);
    ranked.into_iter().take(n).map(|(_, node)| node).collect()
}

/// Plain replicas are contender 0, `Zoned` is 1 and `replicas_across` is 2.
fn replicas(
    zoned: &Zoned<HashRing<Node>, fn(&Node) -> u8>,
    key: &RandomKey,
    n: usize,
    contender: usize,
) -> u64 {
    let replicas = match contender {
        0 => zoned.strategy().replicas(key, n),
        1 => zoned.replicas(key, n),
        _ => zoned.strategy().replicas_across(key, n, zone),
    };
    replicas.iter().fold(0, |sum, node| sum ^ node.1)
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
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let keys = keys(KEYS);
    if let [case, contender] = &args[..] {
        let case: &Case = &CASES[case.parse::<usize>().expect("a number")];
        let contender = contender.parse().expect("a number");
        let zoned = Zoned::new(ring(case.sizes), zone as fn(&Node) -> u8);
        let _counts_the_zones = zoned.replicas(&keys[0], 1);
        measured(&keys, |key| replicas(&zoned, key, case.copies, contender));
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("SKIPPED: valgrind is not installed");
        return;
    }
    let columns = ["plain replicas", "`Zoned`", "limit", "`replicas_across`"];
    let table = Table::new("instructions a key", &columns);
    let mut failed = false;
    for (number, case) in CASES.iter().enumerate() {
        let zoned = Zoned::new(ring(case.sizes), zone as fn(&Node) -> u8);
        for key in &keys[..100] {
            let right = by_definition(zoned.strategy(), key, case.copies);
            assert_eq!(zoned.replicas(key, case.copies), right);
            let across = zoned.strategy().replicas_across(key, case.copies, zone);
            assert_eq!(across, right);
        }
        let [plain, ratio, across] = [0, 1, 2].map(|contender| count(number, contender));
        let (ratio, across) = (ratio / plain, across / plain);
        table.row(
            case.name,
            [
                format!("{:.0}", plain / KEYS as f64),
                format!("{ratio:.2}x"),
                format_limit(case.limit),
                format!("{across:.2}x"),
            ],
        );
        failed |= ratio > case.limit;
    }
    assert!(!failed, "copies over zones cost more than their limit");
}

fn format_limit(limit: f64) -> String {
    if limit.is_finite() {
        format!("{limit}x")
    } else {
        String::from("none")
    }
}

/// Runs this program under valgrind for one case. Returns the instructions of all keys.
fn count(case: usize, contender: usize) -> f64 {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=*measured*"])
        .arg(program)
        .args([case.to_string(), contender.to_string()])
        .output()
        .expect("valgrind runs");
    let log = String::from_utf8_lossy(&output.stderr);
    let counted = log.lines().find_map(|line| line.split_once("Collected : "));
    let (_, counted) = counted.unwrap_or_else(|| panic!("valgrind counted nothing:\n{log}"));
    counted.trim().parse().expect("a number")
}
