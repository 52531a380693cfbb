//! Weights and drain: bigger nodes get more, a node in maintenance gets nothing and comes back to
//! its own keys.

use clockwise::{HashRing, NodeError};

fn main() -> Result<(), NodeError> {
    let mut ring = HashRing::new();
    ring.extend_weighted([("small", 1), ("medium", 2), ("large", 4)])?;
    println!("{}\n", ring.balance());

    // Raising a weight moves keys only to that node.
    let keys: Vec<String> = (0..10_000).map(|i| format!("user:{i}")).collect();
    let before = ring.clone();
    ring.set_weight("small", 2)?;
    let moved: Vec<_> = keys
        .iter()
        .filter(|key| before.route(*key) != ring.route(*key))
        .collect();
    assert!(moved.iter().all(|key| ring.route(*key) == Some(&"small")));
    println!(
        "small grows to weight 2: {} of {} keys move, all to it",
        moved.len(),
        keys.len()
    );

    // A drained node stays a member but owns nothing; its keys go where they would if it left.
    let before = ring.clone();
    ring.drain("large")?;
    assert!(ring.contains("large") && ring.share("large") == Some(0.0));
    let moved = keys
        .iter()
        .filter(|key| before.route(*key) != ring.route(*key))
        .count();
    println!("large is drained: {moved} keys move, all from it");

    ring.undrain("large")?;
    assert!(keys.iter().all(|key| before.route(key) == ring.route(key)));
    println!("large is back: every key is where it was");

    // What cannot work is refused by name, and changes nothing.
    let refused = ring.set_weight("small", 4_000_000_000).unwrap_err();
    println!("\nrefused: {}", broken(&refused));
    let refused = ring.set_weight("small", 0).unwrap_err();
    println!("refused: {}", broken(&refused));
    assert_eq!(ring.weight("small"), Some(2));
    Ok(())
}

/// An error on lines that fit a terminal.
fn broken(error: &NodeError) -> String {
    error
        .to_string()
        .replace(", ", ",\n  ")
        .replace("; ", ";\n  ")
}
