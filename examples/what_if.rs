//! Asks a ring what would happen: if a node dies, two at once, a zone; if a weight or the number of
//! virtual nodes changes.
//!
//! ```sh
//! cargo run --example what_if
//! ```

use clockwise::{HashRing, migration::Loss};
use std::error::Error;

const NODES: [&str; 9] = [
    "eu-1", "eu-2", "eu-3", "us-1", "us-2", "us-3", "ap-1", "ap-2", "ap-3",
];

fn worst<'a>(losses: Vec<Loss<'a, &'static str>>) -> Option<Loss<'a, &'static str>> {
    losses
        .into_iter()
        .max_by(|a, b| a.busiest.total_cmp(&b.busiest))
}

fn main() -> Result<(), Box<dyn Error>> {
    let ring = HashRing::from_nodes(NODES)?;
    println!("now: busiest {:.3}\n", ring.balance().busiest());

    if let Some(loss) = worst(ring.losses()) {
        println!("worst single loss: {loss}");
        for heir in loss.heirs.iter().take(3) {
            let percent = 100.0 * heir.inherits as f64 / loss.measure as f64;
            println!("  {percent:.1} % of it to {}", heir.node);
        }
    }
    let pair = ring.loss_where(|node| ["eu-1", "us-1"].contains(node));
    println!("a pair: {pair}");
    if let Some(loss) = worst(ring.losses_by(|node| &node[..2])) {
        println!("worst zone: {loss}\n");
    }

    // A planned change is made on a clone, and compared.
    let mut planned = ring.clone();
    planned.set_weight("eu-3", 2)?;
    println!("weight 2 for eu-3: {}\n", ring.diff(&planned)?);

    for virtual_nodes in [128, 1024] {
        let planned = ring.resized(virtual_nodes)?;
        let (moves, busiest) = (ring.diff(&planned)?.share(), planned.balance().busiest());
        let percent = 100.0 * moves;
        println!("{virtual_nodes} virtual nodes: {percent:.1} % moves, busiest {busiest:.3}");
    }
    Ok(())
}
