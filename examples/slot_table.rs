//! A router's table: balance guaranteed, one load per route, and what a change moves.
//!
//! `cargo run --example slot_table`

use clockwise::SlotTable;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // 2 % is the most that any backend gets above its share. The number of slots stays for ever;
    // 100 for each node there may be will do.
    let mut table = SlotTable::builder()
        .slots(65_536)
        .load_factor(1.02)
        .build()?;
    table.extend_weighted((1..=20).map(|i| (format!("backend-{i}"), 1)))?;
    table.set_weight("backend-20", 4)?; // a larger machine
    println!("{}\n", table.balance());

    // Routing hashes the key, and loads once.
    let flow = "10.1.2.3:51312 -> 192.0.2.10:443";
    let backend = table.route(flow).ok_or("no backend")?;
    println!("{flow}: {backend}");

    // If it is down, the next; as replicas, the first three.
    let next = table.route_where(flow, |node| node != backend);
    println!("  if it is down: {next:?}");
    println!("  replicas: {:?}\n", table.replicas(flow, 3));

    // What would a drain move? Ask a copy.
    let mut without = table.clone();
    without.drain("backend-7")?;
    let owned = table.slots_of("backend-7").map_or(0, Iterator::count);
    let moves = table.diff(&without)?.share();
    println!(
        "draining backend-7 moves {:.2} % of all keys: its own {:.2} %, the rest to keep the cap\n",
        moves * 100.0,
        owned as f64 / table.slot_count() as f64 * 100.0
    );

    // Hand the table to a data plane in another language: an index of the nodes for every slot.
    let array = without.to_array();
    let names: Vec<&String> = without.nodes().collect();
    println!(
        "{} slots, the first owned by {}",
        array.len(),
        names[array[0] as usize]
    );
    Ok(())
}
