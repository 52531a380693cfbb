//! Other systems' placements, byte for byte: nginx, ketama, Envoy, gRPC, HAProxy, jump.
//!
//! Whoever moves a cache tier's client, a proxy or a gateway here wants that *no key moves on that day*. Each type below
//! answers as the program it is named after, proven against the running program. [`guide`] says how a configuration maps, how
//! to verify that on your own keys, and how to plan the move to a [`HashRing`](crate::HashRing) afterwards.
//!
//! | type | same owners as |
//! |---|---|
//! | [`Nginx`] | nginx `hash … consistent`, pingora |
//! | [`Ketama`] | libmemcached `KETAMA_WEIGHTED`, libketama; [twemproxy](Ketama::twemproxy) `distribution: ketama` |
//! | [`EnvoyRing`] | Envoy `RING_HASH`, gRPC `ring_hash` |
//! | [`EnvoyMaglev`] | Envoy `MAGLEV` |
//! | [`HaproxyConsistent`] | HAProxy `hash-type consistent` |
//! | [`Jump`] | jump consistent hash, Guava `Hashing.consistentHash` |
//!
//! ```
//! use clockwise::{Route, compat::Nginx};
//!
//! // upstream cache { hash $uri consistent; server 10.0.0.1:80 weight=2; server 10.0.0.2:80; }
//! let cache = Nginx::try_from_nodes([("10.0.0.1:80", 2), ("10.0.0.2:80", 1)])?;
//! let node = cache.route("/video/42"); // the one that nginx would proxy to
//! # assert!(node.is_some());
//! # Ok::<(), clockwise::compat::CompatError>(())
//! ```
//!
//! # What they have in common
//! - Each is a [`Strategy`](crate::Strategy) with the membership verbs of a [`HashRing`](crate::HashRing). Keys route through
//!   [`Route`](crate::Route).
//! - **A node's text is its key bytes**: what the other program's configuration says, such as `10.0.0.1:80`. [`Named`](crate::Named) gives a
//!   node another text than its own (an alias, a `hash_key`). A `SocketAddr` is *not* its text, as its key bytes are its octets: write
//!   `Named::new(address.to_string(), address)`, or every key is placed elsewhere.
//! - **Order counts** in these programs: for points that coincide, for fractions of points, for numbers given by position. The
//!   order here is that of the list handed to `try_from_nodes` or `set_nodes`; `insert` adds at the end. A changed strategy
//!   answers as a fresh one of the same list; only the ids of HAProxy stay with their nodes. (`nodes()` is in order of identity,
//!   as everywhere.)
//! - `drain` is the other program's "down": each type says what that does.
//! - Where the other program's order of failover ends before every eligible node was offered, the others follow in order of the
//!   list, so that `None` means here what it means everywhere: no node is eligible.
//! - Where the program refuses a configuration, or does not survive it, there is a typed error: weight 0, duplicate texts, no
//!   text, too many points. No nodes is no error: such a strategy routes to `None`.
//! - Tokens of 32-bit hashes stand in the upper half of a [`Token`](crate::Token).
//!
//! # When to leave them
//! Soon. Every one of these moves more keys than it must, or cannot do without positions, or makes shares less even; its docs
//! say which, with figures. No fix is possible without moving keys, so none is made here.

mod common;
mod envoy_maglev;
mod envoy_ring;
mod error;
mod haproxy;
mod jump;
mod ketama;
mod nginx;
#[cfg(test)]
mod oracle;

pub use envoy_maglev::{EnvoyMaglev, EnvoyMaglevBuilder};
pub use envoy_ring::{EnvoyRing, EnvoyRingBuilder};
pub use error::CompatError;
pub use haproxy::{HaproxyConsistent, HaproxyConsistentBuilder, HaproxyHash};
pub use jump::Jump;
pub use ketama::{Ketama, KetamaBuilder, KetamaHash};
pub use nginx::Nginx;

#[doc = include_str!("compat/guide.md")]
pub mod guide {}
