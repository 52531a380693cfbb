//! Health at lookup: skip what is down without touching the ring, so that nothing else moves and
//! the node's keys come back with it.

use clockwise::{HashRing, NodeError};
use std::collections::HashSet;

fn main() -> Result<(), NodeError> {
    let ring = HashRing::from_nodes(["web-1", "web-2", "web-3", "web-4"])?;
    let keys: Vec<String> = (0..1000).map(|i| format!("session:{i}")).collect();

    let down = HashSet::from(["web-2"]);
    let is_up = |node: &&str| !down.contains(node);

    let mut rerouted = 0;
    for key in &keys {
        let owner = ring.route(key).expect("the ring has nodes");
        let chosen = ring.route_where(key, is_up).expect("three are up");
        assert!(chosen == owner || down.contains(owner));
        rerouted += usize::from(chosen != owner);
    }
    println!(
        "web-2 is down: {rerouted} of {} keys go to their next choice, the rest stay",
        keys.len()
    );

    // `None` says that no node was accepted; what then is yours to decide.
    assert_eq!(ring.route_where("session:1", |_| false), None);
    Ok(())
}
