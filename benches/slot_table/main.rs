//! Slot tables beside Maglev and the ring, in one run: what routes and changes cost, and the
//! frontier of balance, movement, memory and time, with the README's picture of it.
//!
//! ```text
//! cargo bench --bench slot_table                         # draws docs/slot-table.svg anew
//! cargo bench --bench slot_table -- --picture FILE       # draws FILE instead
//! ```

#[path = "../common/mod.rs"]
mod common;
mod cost;
mod frontier;
mod picture;

use common::{Picture, report};
use std::error::Error;
use std::process::ExitCode;

/// Names of `n` nodes; each set has its own.
fn names(set: usize, n: usize) -> Vec<String> {
    (0..n)
        .map(|i| format!("cache-{i}.set-{set}.example.org"))
        .collect()
}

fn main() -> ExitCode {
    report(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let picture = Picture::open("slot-table.svg")?;
    cost::routes();
    cost::rendezvous();
    cost::changes();
    let rows = frontier::print();
    picture.write(&picture::draw(&rows)?)
}
