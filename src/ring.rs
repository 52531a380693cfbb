//! Consistent hashing with virtual nodes.

// First, so that the page of the type begins with how to construct it and to route.
mod hash_ring;

mod arcs;
mod builder;
mod change;
mod compare;
mod copies;
pub(crate) mod points;
pub(crate) mod preference;
mod restore;

pub use arcs::{Arcs, RingArc};
pub use builder::HashRingBuilder;
pub use hash_ring::HashRing;
