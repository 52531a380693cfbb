//! Copies that do not fail together: one in each zone, and what a small zone costs.

use clockwise::{Filtered, HashRing, Key, Zoned, error::NotEnoughDomains};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq)]
struct Server {
    name: &'static str,
    zone: &'static str,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

const SERVERS: [(&str, &str); 7] = [
    ("a1", "eu-a"),
    ("a2", "eu-a"),
    ("a3", "eu-a"),
    ("b1", "eu-b"),
    ("b2", "eu-b"),
    ("b3", "eu-b"),
    ("c1", "eu-c"),
];

fn show(copies: &[&Server]) -> String {
    let shown = copies.iter().map(|s| format!("{} in {}", s.name, s.zone));
    shown.collect::<Vec<_>>().join(", ")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let servers = SERVERS.map(|(name, zone)| Server { name, zone });
    let ring = HashRing::from_nodes(servers)?;
    let mut zoned = Zoned::new(ring, |server: &Server| server.zone);

    // Plain replicas may share a zone. These use every zone once before any zone twice.
    for key in ["photo:1", "photo:2", "photo:3"] {
        println!("{key}: {}", show(&zoned.replicas(key, 3)));
    }
    let four = zoned.replicas("photo:1", 4);
    assert_eq!(four[..3], zoned.replicas("photo:1", 3));

    // Health goes inside, so that a zone with a node that is down gives its next one.
    let down = four[0].name;
    let healthy = Filtered::new(zoned.strategy().clone(), |s: &Server| s.name != down);
    let healthy = Zoned::new(healthy, |server: &Server| server.zone);
    println!("{down} is down: {}", show(&healthy.replicas("photo:1", 3)));

    // The only node of eu-c holds a copy of every key. The balance of owners does not show it.
    let busiest = |balance: &clockwise::Balance| {
        let busiest = &balance.nodes()[0];
        format!(
            "{} with {:.2} of its fair part",
            busiest.node, busiest.relative
        )
    };
    println!("busiest owner: {}", busiest(&zoned.strategy().balance()));
    println!("busiest with 3 copies: {}", busiest(&zoned.balance_of(3)));

    // More nodes in eu-c share its copies. Only keys that move to them move.
    let before = zoned.clone();
    for name in ["c2", "c3"] {
        zoned.insert(Server { name, zone: "eu-c" })?;
    }
    println!("eu-c with 3 nodes: {}", busiest(&zoned.balance_of(3)));
    for key in 0..1000u64 {
        let names = |copies: Vec<&Server>| copies.iter().map(|s| s.name).collect::<BTreeSet<_>>();
        let (was, is) = (
            names(before.replicas(&key, 3)),
            names(zoned.replicas(&key, 3)),
        );
        assert!(is.difference(&was).all(|name| ["c2", "c3"].contains(name)));
    }

    // A single call can ask for distinct zones, or an error.
    let ring = zoned.strategy();
    let error: NotEnoughDomains = ring
        .try_replicas_across("photo:1", 4, |server| server.zone)
        .unwrap_err();
    println!("{error}");
    Ok(())
}
