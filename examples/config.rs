//! A load balancer that is described by a TOML file and follows service discovery.
//!
//! The file chooses the strategy, so that is a value of type `AnyStrategy`. What wraps it is fixed
//! in the program. Eight threads send requests while discovery reports a list with new addresses.
//!
//! `cargo run --example config --features shared -- least_loaded`

use clockwise::{
    AnyStrategy, Bounded, HashRing, Key, LeastLoaded, PowerOfTwo, Rendezvous, RoundRobin, Shared,
    SlotTable, Tracked, WeightedRandom,
};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A server as discovery reports it. Its name is its identity, and its address may change.
#[derive(Debug, Clone)]
struct Server {
    name: String,
    address: String,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

type Node = Tracked<Server>;
type Balancer = Shared<Bounded<AnyStrategy<Node>>>;

/// Builds the strategy that the file names.
fn strategy(config: &toml::Table, name: &str) -> Result<AnyStrategy<Node>, Box<dyn Error>> {
    let setting = |key: &str| config.get(name)?.get(key);
    let integer = |key: &str, default: i64| -> Result<u32, _> {
        let value = setting(key).and_then(toml::Value::as_integer);
        u32::try_from(value.unwrap_or(default)).map_err(|error| format!("{name}.{key}: {error}"))
    };
    Ok(match name {
        "hash_ring" => {
            let virtual_nodes = integer("virtual_nodes", 512)?;
            AnyStrategy::new(HashRing::builder().virtual_nodes(virtual_nodes).build()?)
        }
        "rendezvous" => AnyStrategy::new(Rendezvous::new()),
        "slot_table" => {
            let mut builder = SlotTable::builder().slots(integer("slots", 65_536)? as usize);
            if let Some(factor) = setting("load_factor").and_then(toml::Value::as_float) {
                builder = builder.load_factor(factor);
            }
            AnyStrategy::new(builder.build()?)
        }
        "round_robin" => AnyStrategy::new(RoundRobin::new()),
        "weighted_random" => AnyStrategy::new(WeightedRandom::new()),
        "least_loaded" => AnyStrategy::new(LeastLoaded::new()),
        "power_of_two" => AnyStrategy::new(PowerOfTwo::new().with_choices(integer("choices", 2)?)?),
        _ => return Err(format!("no strategy is called `{name}`").into()),
    })
}

fn balancer(file: &str, name: Option<&str>) -> Result<Balancer, Box<dyn Error>> {
    let config: toml::Table = file.parse()?;
    let text = config.get("strategy").and_then(toml::Value::as_str);
    let name = name.or(text).ok_or("`strategy` is missing")?;
    let load_factor = config.get("load_factor").and_then(toml::Value::as_float);
    let min_cap = config.get("min_cap").and_then(toml::Value::as_integer);
    let bounded = Bounded::new(strategy(&config, name)?, load_factor.unwrap_or(1.25))?
        .min_cap(u32::try_from(min_cap.unwrap_or(0))?);
    Ok(Shared::new(bounded))
}

/// A list of servers as discovery reports it: name, address and weight.
fn listed(list: &[(&str, &str, u32)]) -> Vec<(Node, u32)> {
    let node = |&(name, address, weight): &(&str, &str, u32)| {
        let (name, address) = (name.to_owned(), address.to_owned());
        (Tracked::new(Server { name, address }), weight)
    };
    list.iter().map(node).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = include_str!("data/balancer.toml");
    let name = std::env::args().nth(1);
    let balancer = balancer(file, name.as_deref())?;

    let first = [
        ("web-1", "10.0.0.1:80", 1),
        ("web-2", "10.0.0.2:80", 1),
        ("web-3", "10.0.0.3:80", 2),
    ];
    balancer.try_update(|servers| servers.set_nodes(listed(&first)))?;

    let requests = AtomicUsize::new(0);
    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        for thread in 0..8u64 {
            let (balancer, requests) = (&balancer, &requests);
            scope.spawn(move || {
                for i in 0..5_000 {
                    // One snapshot for one request. The lease counts it until it is dropped.
                    let servers = balancer.load();
                    if let Some(lease) = servers.acquire(&(thread << 32 | i)) {
                        assert!(lease.address.starts_with("10.0."));
                        requests.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }

        // Meanwhile web-1 leaves, web-2 has a new address, and web-4 joins.
        let second = [
            ("web-2", "10.0.9.2:80", 1),
            ("web-3", "10.0.0.3:80", 2),
            ("web-4", "10.0.0.4:80", 1),
        ];
        let changes = balancer.try_update(|servers| {
            servers.set_nodes_with(listed(&second), |present, listed| *present = listed)
        })?;
        println!("{} joined, {} left", changes.added(), changes.removed());
        Ok(())
    })?;

    let servers = balancer.load();
    println!(
        "{} requests, {} still open",
        requests.load(Ordering::Relaxed),
        servers.open_leases()
    );
    for name in ["web-2", "web-3", "web-4"] {
        let node = servers.get(name).ok_or("it is listed")?;
        println!("{name}: {}, {} in flight", node.address, node.in_flight());
    }
    assert_eq!(
        servers.get("web-2").map(|node| &*node.address),
        Some("10.0.9.2:80")
    );
    assert_eq!((requests.into_inner(), servers.open_leases()), (40_000, 0));

    // A list that is refused changes nothing. The error names the node.
    let twice = listed(&[("web-9", "10.0.0.9:80", 1), ("web-9", "10.0.0.9:80", 1)]);
    if let Err(error) = balancer.try_update(|servers| servers.set_nodes(twice)) {
        println!("refused: {error}");
    }
    Ok(())
}
