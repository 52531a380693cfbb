//! Consistent hashing with virtual nodes.
//!
//! # Examples
//! ```
//! use clockwise::HashRing;
//!
//! let ring = HashRing::builder().virtual_nodes(1024).from_nodes(["a", "b"])?;
//! let longest = ring.arcs().max_by_key(|arc| arc.range.len()).unwrap();
//! println!("{} belongs to {}", longest.range, longest.node);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// First, so that the page of the type begins with how to construct it and to route.
mod hash_ring;

mod arcs;
mod builder;
mod change;
mod compare;
mod copies;
pub(crate) mod layout;
pub(crate) mod points;
pub(crate) mod preference;
mod restore;

pub use arcs::{Arcs, RingArc};
pub use builder::HashRingBuilder;
pub use hash_ring::HashRing;
