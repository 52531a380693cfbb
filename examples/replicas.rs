//! Replicas and failover: the next in a key's order of preference takes over, and only its keys
//! notice.

use clockwise::{HashRing, NodeError};

fn main() -> Result<(), NodeError> {
    let mut ring = HashRing::from_nodes(["db-1", "db-2", "db-3", "db-4", "db-5"])?;

    // The owner and its two successors. Write to all three, read from the first that answers.
    let replicas: Vec<_> = ring
        .replicas("order:1001", 3)
        .into_iter()
        .copied()
        .collect();
    println!("order:1001 is kept on {replicas:?}");

    // All nodes in order, lazily: as far as you need to look.
    for (rank, node) in ring.preference("order:1001").enumerate() {
        println!("  choice {}: {node}", rank + 1);
    }

    // The owner is lost for good: the second replica owns the key now, and one node joins the set.
    ring.remove(replicas[0]);
    let after = ring.replicas("order:1001", 3);
    println!("without {}: {after:?}", replicas[0]);
    assert_eq!(after[..2], [&replicas[1], &replicas[2]]);
    Ok(())
}
