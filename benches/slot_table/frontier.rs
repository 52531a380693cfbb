//! Balance against movement against memory against time: slot tables of every size and cap, Maglev
//! and the ring, on the same 100 nodes. Each is built and changed alone.

use crate::common::{Table, populate, prime_from};
use crate::names;
use clockwise::{HashRing, SlotTable, Token};
use std::time::{Duration, Instant};

const NODES: usize = 100;

/// Sets of nodes, and losses in each. A loss and the arrival that undoes it move the same keys.
const SETS: usize = 4;
const LOSSES: usize = 4;

/// A way to place keys.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Table {
        slots: usize,
        load_factor: Option<f64>,
    },
    Maglev {
        slots: usize,
    },
    Ring {
        virtual_nodes: u32,
    },
}

/// What it gives.
pub(crate) struct Row {
    pub(crate) way: Way,
    /// The busiest and the least loaded node, relative to the mean: the mean over the sets.
    pub(crate) busiest: f64,
    pub(crate) least: f64,
    /// Keys that moved, relative to those of the node that left.
    pub(crate) moved: f64,
    /// For routing, and for changes besides.
    bytes: (usize, usize),
    build: Duration,
    change: Duration,
}

/// The owner of every part of the tokens, as an index of the full set of nodes.
type Owners = Vec<u32>;

impl Way {
    /// The owners with all nodes and without each of the first few; bytes; the times of a build and
    /// of a loss.
    fn owners(self, nodes: &[String]) -> (Owners, Vec<Owners>, (usize, usize), Duration, Duration) {
        let all = || (0..NODES as u32).map(|i| (nodes[i as usize].clone(), 1));
        let index =
            |name: &String| nodes.iter().position(|node| node == name).expect("a node") as u32;
        let start = Instant::now();
        match self {
            Way::Table { slots, load_factor } => {
                let builder = SlotTable::builder().slots(slots);
                let builder = match load_factor {
                    Some(c) => builder.load_factor(c),
                    None => builder,
                };
                let mut table = builder.build().expect("a working configuration");
                table.extend_weighted(all()).expect("distinct nodes");
                let build = start.elapsed();
                let owners = |table: &SlotTable<String>| {
                    let indexes: Vec<u32> = table.nodes().map(index).collect();
                    let ranks = table.to_array().into_iter();
                    ranks.map(|rank| indexes[rank as usize]).collect::<Owners>()
                };
                let mut change = Duration::MAX;
                let lost = (0..LOSSES).map(|i| {
                    let mut without = table.clone();
                    let start = Instant::now();
                    without.remove(&nodes[i]);
                    change = change.min(start.elapsed());
                    owners(&without)
                });
                let lost = lost.collect();
                let updates = if load_factor.is_some() { 2 * slots } else { 0 };
                (owners(&table), lost, (2 * slots, updates), build, change)
            }
            Way::Maglev { slots } => {
                let full = populate(nodes, slots);
                let build = start.elapsed();
                let mut change = Duration::MAX;
                let lost = (0..LOSSES as u32).map(|i| {
                    let rest = [&nodes[..i as usize], &nodes[i as usize + 1..]].concat();
                    let start = Instant::now();
                    let without = populate(&rest, slots);
                    change = change.min(start.elapsed());
                    let shift = |owner: u32| owner + u32::from(owner >= i);
                    without.into_iter().map(shift).collect()
                });
                let lost = lost.collect();
                (full, lost, (4 * slots, 0), build, change)
            }
            Way::Ring { virtual_nodes } => {
                let builder = HashRing::builder().virtual_nodes(virtual_nodes);
                let mut ring = builder.build().expect("a working configuration");
                ring.extend_weighted(all()).expect("distinct nodes");
                let build = start.elapsed();
                // Not arcs, so that all are measured alike: 2¹⁹ tokens, evenly.
                let owners = |ring: &HashRing<String>| {
                    let tokens = (0..1u64 << 19).map(|i| Token::new(i << 45));
                    let names =
                        tokens.map(|token| ring.route_token(token).expect("there are nodes"));
                    let mut known: std::collections::HashMap<&String, u32> =
                        std::collections::HashMap::new();
                    names
                        .map(|name| *known.entry(name).or_insert_with(|| index(name)))
                        .collect::<Owners>()
                };
                let mut change = Duration::MAX;
                let lost = (0..LOSSES).map(|i| {
                    let mut without = ring.clone();
                    let start = Instant::now();
                    without.remove(&nodes[i]);
                    change = change.min(start.elapsed());
                    owners(&without)
                });
                let lost = lost.collect();
                // 20 bytes a point up to 65,535 points, 14.2 beyond: its docs.
                let points = ring.point_count();
                let bytes = if points <= 65_535 {
                    20 * points
                } else {
                    points * 142 / 10
                };
                (owners(&ring), lost, (bytes, 0), build, change)
            }
        }
    }

    fn measured(self) -> Row {
        let mut row = Row {
            way: self,
            busiest: 0.0,
            least: 0.0,
            moved: 0.0,
            bytes: (0, 0),
            build: Duration::MAX,
            change: Duration::MAX,
        };
        for set in 0..SETS {
            let (full, lost, bytes, build, change) = self.owners(&names(set, NODES));
            let mut counts = [0u32; NODES];
            for &owner in &full {
                counts[owner as usize] += 1;
            }
            let relative = counts.map(|count| f64::from(count) * NODES as f64 / full.len() as f64);
            row.busiest += relative.iter().fold(0.0, |a: f64, &b| a.max(b)) / SETS as f64;
            row.least += relative.iter().fold(f64::MAX, |a: f64, &b| a.min(b)) / SETS as f64;
            for (i, without) in lost.iter().enumerate() {
                let moved = full.iter().zip(without).filter(|(a, b)| a != b).count();
                assert!(moved >= counts[i] as usize, "what a node owned must move");
                row.moved += moved as f64 / f64::from(counts[i]) / (SETS * LOSSES) as f64;
            }
            row.bytes = bytes;
            row.build = row.build.min(build);
            row.change = row.change.min(change);
        }
        row
    }
}

/// Sizes of tables in the frontier, and caps.
pub(crate) const SLOTS: [usize; 4] = [1 << 13, 1 << 16, 1 << 17, 1 << 20];
pub(crate) const MAX_LOADS: [Option<f64>; 6] = [
    None,
    Some(1.1),
    Some(1.05),
    Some(1.02),
    Some(1.01),
    Some(1.0),
];

/// Measures and prints all.
pub(crate) fn print() -> Vec<Row> {
    println!("\nMeans over {SETS} sets of nodes, with {LOSSES} losses each.");
    let columns = [
        "slots/node",
        "busiest",
        "least",
        "moved",
        "KiB + updates",
        "build ms",
        "change ms",
    ];
    let table = Table::new("100 nodes", &columns);
    let tables = SLOTS
        .into_iter()
        .flat_map(|slots| MAX_LOADS.map(|load_factor| Way::Table { slots, load_factor }));
    let maglevs = SLOTS.map(|slots| Way::Maglev {
        slots: prime_from(slots),
    });
    let rings = [160, 512, 1024].map(|virtual_nodes| Way::Ring { virtual_nodes });
    tables
        .chain(maglevs)
        .chain(rings)
        .map(|way| {
            let row = way.measured();
            row.print(&table);
            row
        })
        .collect()
}

impl Row {
    fn print(&self, table: &Table) {
        let (name, size) = match self.way {
            Way::Table { slots, load_factor } => {
                let cap = load_factor.map_or("uncapped".into(), |c| format!("c = {c:.2}"));
                (format!("{slots} slots, {cap}"), slots)
            }
            Way::Maglev { slots } => (format!("Maglev, {slots} slots"), slots),
            Way::Ring { virtual_nodes } => (format!("ring, {virtual_nodes} points a node"), 0),
        };
        let per_node = if size == 0 {
            "–".into()
        } else {
            (size / NODES).to_string()
        };
        let (route, updates) = (self.bytes.0 / 1024, self.bytes.1 / 1024);
        table.row(
            &name,
            [
                per_node,
                format!("{:.3}", self.busiest),
                format!("{:.3}", self.least),
                format!("{:.3}", self.moved),
                format!("{route} + {updates}"),
                format!("{:.2}", self.build.as_secs_f64() * 1e3),
                format!("{:.2}", self.change.as_secs_f64() * 1e3),
            ],
        );
    }
}
