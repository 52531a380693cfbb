//! Sticky sessions under bounded load: a node joins, one is drained, one is removed.
//!
//! The example `rolling_upgrade` does the same under many threads.
//!
//! Run with `cargo run --example sticky --features sticky`.

use clockwise::{Bounded, HashRing, Key, Sticky, Tracked};
use std::collections::BTreeMap;
use std::time::Duration;

struct Server {
    name: &'static str,
    zone: &'static str,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name
    }
}

type Strategy = Sticky<Bounded<HashRing<Tracked<Server>>>>;

fn server(name: &'static str, zone: &'static str) -> Tracked<Server> {
    Tracked::new(Server { name, zone })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ring = HashRing::from_nodes([
        server("app-1", "north"),
        server("app-2", "south"),
        server("app-3", "north"),
    ])?;
    let mut strategy: Strategy = Sticky::new(
        Bounded::new(ring, 1.5)?,
        100_000,
        Duration::from_secs(30 * 60),
    );

    let first = visits(&strategy);
    println!("{:28} {}", "300 sessions", summary(&first));

    strategy.insert(server("app-4", "south"))?;
    report("app-4 joins", &first, &visits(&strategy));

    strategy.drain("app-1")?;
    report("app-1 is drained", &first, &visits(&strategy));
    let new = strategy
        .route("a new session")
        .ok_or("no node is eligible")?;
    println!(
        "{:28} {} in the {}",
        "a new session goes to", new.name, new.zone
    );

    println!(
        "{:28} {}",
        "sessions on app-1",
        strategy.sessions_on("app-1")
    );
    strategy.remove("app-1");
    report("app-1 is removed", &first, &visits(&strategy));
    Ok(())
}

/// One request of each session, and the node that served it.
fn visits(strategy: &Strategy) -> BTreeMap<u32, &'static str> {
    (0..300)
        .filter_map(|session: u32| {
            // Reserved until the end of the request.
            let lease = strategy.acquire(&session)?;
            Some((session, lease.name))
        })
        .collect()
}

fn report(what: &str, first: &BTreeMap<u32, &str>, now: &BTreeMap<u32, &str>) {
    let moved = first
        .iter()
        .filter(|(session, node)| now[session] != **node)
        .count();
    println!("{what:28} {}, {moved} sessions moved", summary(now));
}

fn summary(visits: &BTreeMap<u32, &str>) -> String {
    let mut counts = BTreeMap::new();
    for node in visits.values() {
        *counts.entry(node).or_insert(0) += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(node, n)| format!("{node}: {n}"))
        .collect();
    counts.join(", ")
}
