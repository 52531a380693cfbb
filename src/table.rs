//! Rendezvous hashing compiled into a table of slots.

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
