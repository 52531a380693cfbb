//! Slot tables beside Maglev and the ring, in one run: what routes and changes cost, and the frontier of balance, movement, memory and time.
//!
//! `cargo bench --bench slot_table` prints the tables; with `-- --picture` it also draws `docs/slot-table.svg` anew.

mod cost;
mod frontier;
mod maglev;
mod picture;

use std::error::Error;
use std::path::Path;

/// Names of `n` nodes; each set has its own.
fn names(set: usize, n: usize) -> Vec<String> {
    (0..n)
        .map(|i| format!("cache-{i}.set-{set}.example.org"))
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    cost::routes();
    cost::rendezvous();
    cost::changes();
    let rows = frontier::print();
    if std::env::args().any(|arg| arg == "--picture") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/slot-table.svg");
        picture::draw(&rows, &path)?;
        println!("\ndrawn: {}", path.display());
    }
    Ok(())
}
