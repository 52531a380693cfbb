//! A strategy chosen by name at run time, which then follows service discovery.
//!
//! `cargo run --example config -- least_loaded`

use clockwise::{
    Bounded, HashRing, Key, LeastLoaded, Manage, Membership, PowerOfTwo, Rendezvous, RoundRobin,
    Route, SlotTable, Strategy, Tracked, WeightedRandom,
};
use std::error::Error;

/// What the application knows of a server. Its name is its identity.
#[derive(Debug)]
struct Server {
    name: String,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

/// Whatever the strategy is, it answers and follows a list of members.
type Any = Box<dyn Membership<Node = Tracked<Server>> + Send + Sync>;

/// The names as a configuration file would have them.
fn strategy(name: &str) -> Result<Any, Box<dyn Error>> {
    Ok(match name {
        "hash_ring" => Box::new(HashRing::new()),
        "rendezvous" => Box::new(Rendezvous::new()),
        "slot_table" => Box::new(SlotTable::new()),
        "bounded_hash_ring" => Box::new(Bounded::new(HashRing::new(), 1.25)?),
        "round_robin" => Box::new(RoundRobin::new()),
        "weighted_random" => Box::new(WeightedRandom::new()),
        "least_loaded" => Box::new(LeastLoaded::new()),
        "power_of_two" => Box::new(PowerOfTwo::new()),
        "power_of_three" => Box::new(PowerOfTwo::new().with_choices(3)?),
        _ => return Err(format!("no strategy is called `{name}`").into()),
    })
}

fn members(list: &[(&str, u32)]) -> Vec<(Tracked<Server>, u32)> {
    list.iter()
        .map(|&(name, weight)| {
            let name = name.to_owned();
            (Tracked::new(Server { name }), weight)
        })
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or("power_of_two".to_owned());
    let mut servers = strategy(&name)?;

    // Each time discovery hands over the list, only the difference is applied: servers that stay keep their counts.
    let mut requests = Vec::new();
    for list in [
        [("web-1", 1), ("web-2", 1), ("web-3", 2)],
        [("web-2", 1), ("web-3", 2), ("web-4", 1)],
    ] {
        let changes = servers.set_nodes(members(&list))?;
        println!(
            "{name}: {} came, {} left",
            changes.added(),
            changes.removed()
        );
        for user in ["ann", "bob", "cid", "dot", "eve", "fay"] {
            if let Some(server) = servers.route(user) {
                requests.push(server.begin());
                let busy = server.in_flight();
                println!("  {user} -> {} ({busy} in flight)", server.name);
            }
        }
    }

    // A refused list changes nothing, and says why.
    if let Err(error) = servers.set_nodes(members(&[("web-9", 1), ("web-9", 1)])) {
        println!("refused: {}", error.to_string().replace("; ", ";\n  "));
    }

    // On its way out: no new requests, a member still.
    servers.drain("web-3")?;
    let all = servers.replicas("ann", usize::MAX);
    println!("eligible now: {}", all.len());

    // Those who only route need to know no more than this.
    let fixed: Box<dyn Strategy<Node = Tracked<Server>> + Send + Sync> = Box::new(servers);
    println!("ann -> {:?}", fixed.route("ann").map(|server| &server.name));
    Ok(())
}
