//! Rendezvous hashing compiled into a table of slots.
//!
//! # Examples
//! ```
//! use clockwise::SlotTable;
//!
//! let table = SlotTable::builder().slots(1 << 12).load_factor(1.02).from_nodes(["a", "b"])?;
//! assert!(table.slots_of("a").unwrap().count() <= 2089); // 1.02 × 4096 ÷ 2
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// First, so that the page of the type begins with how to construct it and to route.
mod slot_table;

mod builder;
mod diff;
mod first;
mod inspect;
mod owners;
mod restore;
mod settle;

pub use builder::SlotTableBuilder;
pub use inspect::Slots;
pub use slot_table::SlotTable;
