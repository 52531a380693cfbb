//! Slot tables beside Maglev and the ring, in one run: what routes and changes cost, and the frontier of balance, movement, memory and time.
//!
//! `cargo bench --bench slot_table` prints the tables; with `-- --picture` it also draws docs/slot-table.svg anew.

mod cost;
mod maglev;

/// Names of `n` nodes; each set has its own.
pub(crate) fn names(set: usize, n: usize) -> Vec<String> {
    (0..n)
        .map(|i| format!("cache-{i}.set-{set}.example.org"))
        .collect()
}

fn main() {
    cost::routes();
    cost::rendezvous();
    cost::changes();
}
