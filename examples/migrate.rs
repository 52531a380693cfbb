//! Adds a node to a small store without losing a value: the plan, round by round, with both epochs side by side.
//!
//! ```sh
//! cargo run --example migrate
//! ```

use clockwise::{Epochs, HashRing};
use std::collections::HashMap;
use std::error::Error;

const REPLICAS: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let old = HashRing::from_nodes(["store-1", "store-2", "store-3", "store-4"])?;
    let mut new = old.clone();
    new.insert("store-5")?;

    // What each node stores, filled under the old ring.
    let mut stores: HashMap<&str, HashMap<String, u32>> = HashMap::new();
    for value in 0..1000 {
        let key = format!("user:{value}");
        for node in old.replicas(&key, REPLICAS) {
            stores.entry(node).or_default().insert(key.clone(), value);
        }
    }

    let migration = old.diff_replicas(&new, REPLICAS)?;
    println!("{migration}\n");

    // At most 64 ranges at once from a node, and 64 to one.
    let mut plan = migration.plan(64)?;
    let mut epochs = Epochs::new(&old, &new);
    while let Some(round) = plan.next_round() {
        for step in &round {
            let moving = |key: &String| (step.first..=step.last).contains(&old.token(key));
            if let (Some(from), Some(to)) = (step.from, step.to) {
                let giver = stores.remove(from).unwrap_or_default();
                let (copied, kept): (HashMap<_, _>, HashMap<_, _>) =
                    giver.into_iter().partition(|(key, _)| moving(key));
                stores.insert(from, kept);
                stores.entry(to).or_default().extend(copied);
            }
            // One node came, so each range is one move. From here on it is read from the new replicas.
            epochs.finish(step.first, step.last);
            plan.complete(step);
        }
        // Store `plan.progress()` here (it is Serialize with the feature `serde`), to resume after a restart.
        for value in 0..1000 {
            let key = format!("user:{value}");
            let mut readers = epochs.reads(&key, REPLICAS).into_iter();
            let found = readers.find_map(|node| stores.get(node)?.get(&key));
            assert_eq!(found, Some(&value), "nothing is lost");
        }
        println!("{} moves complete, {} to go", round.len(), plan.remaining());
    }

    println!("\n{}", new.explain("user:42"));
    Ok(())
}
