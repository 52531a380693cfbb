//! Bounded loads on eight nodes: what the load factor does to a hot key, and what a least cap and a
//! health filter do.
//!
//! Run with `cargo run --example bounded`.

use clockwise::{Bounded, Filtered, HashRing, Tracked};
use std::collections::VecDeque;

/// Requests in flight at once; every third asks for the one hot key.
const IN_FLIGHT: u32 = 240;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let names = (1..=8).map(|i| format!("cache-{i}"));
    let ring = HashRing::from_nodes(names.map(Tracked::new))?;

    println!("{IN_FLIGHT} requests in flight on {} nodes\n", ring.len());
    show("plain", &ring, || {
        requests()
            .map(|key| ring.route(&key).map(Tracked::begin))
            .collect()
    });
    for load_factor in [2.0, 1.5, 1.25, 1.05] {
        let bounded = Bounded::new(ring.clone(), load_factor)?;
        let mut at_owner = 0;
        show(&format!("c = {load_factor}"), &ring, || {
            requests()
                .map(|key| {
                    let lease = bounded.acquire(&key)?;
                    at_owner += u32::from(ring.route(&key) == Some(lease.node()));
                    Some(lease.into_in_flight()) // goes along with the request, to any thread
                })
                .collect()
        });
        println!(
            "{:>12} {} % of the requests at their key's owner\n",
            "",
            at_owner * 100 / IN_FLIGHT
        );
    }

    println!("4 requests in flight on 8 nodes, each with a key of its own\n");
    for min_cap in [0, 8] {
        let bounded = Bounded::new(ring.clone(), 1.25)?.min_cap(min_cap);
        let mut in_flight = VecDeque::new();
        let mut left = 0;
        for key in 0..1000u32 {
            let lease = bounded.acquire(&key).ok_or("no node is eligible")?;
            left += u32::from(ring.route(&key) != Some(lease.node()));
            in_flight.push_back(lease);
            if in_flight.len() > 4 {
                in_flight.pop_front();
            }
        }
        println!(
            "min_cap({min_cap}): {} % of the requests leave their key's owner",
            left / 10
        );
    }

    // The caps are those of the six nodes that pass, as if the other two were drained.
    let healthy = Filtered::new(ring.clone(), |node| {
        !["cache-1", "cache-2"].contains(&&***node)
    });
    let bounded = Bounded::new(healthy, 1.25)?;
    println!();
    show("two down", &ring, || {
        requests()
            .map(|key| Some(bounded.acquire(&key)?.into_in_flight()))
            .collect()
    });
    Ok(())
}

fn requests() -> impl Iterator<Item = String> {
    (0..IN_FLIGHT).map(|i| match i % 3 {
        0 => "hot".to_owned(),
        _ => format!("key {i}"),
    })
}

/// Prints the requests on each node while those that `begin` begins are in flight.
fn show<T>(title: &str, ring: &HashRing<Tracked<String>>, begin: impl FnOnce() -> Vec<T>) {
    let in_flight = begin();
    let counts: Vec<u32> = ring.nodes().map(Tracked::in_flight).collect();
    println!("{title:>12} {counts:>4?}");
    drop(in_flight);
    assert!(ring.nodes().all(|node| node.in_flight() == 0));
}
