//! A strategy chosen by name at run time, which then follows service discovery.
//!
//! `cargo run --example config -- least_loaded`

use clockwise::{
    HashRing, Key, LeastLoaded, Load, Membership, PowerOfTwo, RoundRobin, Route, Strategy,
    WeightedRandom,
};
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the application knows of a server. Its name is its identity.
#[derive(Debug)]
struct Server {
    name: String,
    in_flight: AtomicU32,
}

impl Server {
    fn new(name: &str) -> Self {
        Server {
            name: name.to_owned(),
            in_flight: AtomicU32::new(0),
        }
    }
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

impl Load for Server {
    fn load(&self) -> f64 {
        f64::from(self.in_flight.load(Ordering::Relaxed)) + 1.0
    }
}

/// Whatever the strategy is, it answers and follows a list of members.
fn strategy(name: &str) -> Result<Box<dyn Membership<Server> + Send + Sync>, Box<dyn Error>> {
    Ok(match name {
        "hash_ring" => Box::new(HashRing::new()),
        "round_robin" => Box::new(RoundRobin::new()),
        "weighted_random" => Box::new(WeightedRandom::new()),
        "least_loaded" => Box::new(LeastLoaded::new()),
        "power_of_two" => Box::new(PowerOfTwo::new()),
        "power_of_three" => Box::new(PowerOfTwo::new().with_choices(3)?),
        _ => return Err(format!("no strategy is called `{name}`").into()),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or("power_of_two".to_owned());
    let mut servers = strategy(&name)?;

    // Each time discovery hands over the list, only the difference is applied: servers that stay keep what they carry.
    for list in [
        vec![("web-1", 1), ("web-2", 1), ("web-3", 2)],
        vec![("web-2", 1), ("web-3", 2), ("web-4", 1)],
    ] {
        let list = list
            .into_iter()
            .map(|(name, weight)| (Server::new(name), weight));
        let changes = servers.set_members(list.collect())?;
        println!(
            "{name}: {} came, {} left",
            changes.added(),
            changes.removed()
        );
        for user in ["ann", "bob", "cid", "dot", "eve", "fay"] {
            if let Some(server) = servers.route(user) {
                let busy = server.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
                println!("  {user} -> {} ({busy} in flight)", server.name);
            }
        }
    }

    // A refused list changes nothing, and says why.
    let twice = vec![(Server::new("web-9"), 1), (Server::new("web-9"), 1)];
    if let Err(error) = servers.set_members(twice) {
        println!("refused: {error}");
    }

    // On its way out: no new requests, a member still.
    servers.set_drained(b"web-3", true)?;
    let all = servers.replicas("ann", usize::MAX);
    println!("eligible now: {}", all.len());

    // Those who only route need to know no more than this.
    let fixed: Box<dyn Strategy<Server> + Send + Sync> = Box::new(servers);
    println!("ann -> {:?}", fixed.route("ann").map(|server| &server.name));
    Ok(())
}
