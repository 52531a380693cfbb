//! The placements of other systems, byte for byte: nginx, pingora, ketama, Envoy, gRPC, HAProxy and
//! jump.
//!
//! If you replace the client of a cache tier, a proxy or a gateway, *no key should move on that
//! day*. Each type below answers as the program that it is named after, which is checked against
//! the running program. [`guide`] says how a configuration maps, how to verify that with your own
//! keys, and how to plan the move to a [`HashRing`](crate::HashRing) afterwards.
//!
//! | type | same owners as |
//! |---|---|
//! | [`Nginx`] | nginx `hash … consistent`; [pingora](Nginx::pingora) |
//! | [`Ketama`] | libmemcached `KETAMA_WEIGHTED`, libketama; [twemproxy](Ketama::twemproxy) |
//! | [`EnvoyRing`] | Envoy `RING_HASH`; [gRPC](EnvoyRing::grpc) `ring_hash` |
//! | [`EnvoyMaglev`] | Envoy `MAGLEV` |
//! | [`HaproxyConsistent`] | HAProxy `hash-type consistent` |
//! | [`Jump`] | jump consistent hash, Guava `Hashing.consistentHash` |
//!
//! # Examples
//! ```
//! use clockwise::compat::Nginx;
//!
//! // upstream cache { hash $uri consistent; server 10.0.0.1:80 weight=2; server 10.0.0.2:80; }
//! let cache = Nginx::from_weighted([("10.0.0.1:80", 2), ("10.0.0.2:80", 1)])?;
//! let node = cache.route("/video/42"); // the server that nginx would choose
//! # assert!(node.is_some());
//! # Ok::<(), clockwise::NodeError>(())
//! ```
//!
//! # What they have in common
//! - Each is a [`Strategy`](crate::Strategy) with the verbs of a [`HashRing`](crate::HashRing):
//!   `from_nodes`, `route`, `preference`, `set_nodes`, `drain` and the others. Options are set with
//!   a builder.
//! - **The text of a node is its key bytes**, as the configuration of the other program has it,
//!   such as `10.0.0.1:80`. [`Named`](crate::Named) gives a node another text (an alias, a
//!   `hash_key`). The key bytes of a `SocketAddr` are its octets and *not* its text: write
//!   `Named::new(address.to_string(), address)`, or every key is placed elsewhere.
//! - **Order counts** in these programs, for points that coincide, for fractions of points and for
//!   numbers given by position. The order here is that of the list handed to `from_weighted` or
//!   `set_nodes`. `insert` adds a node at the end. A changed strategy answers as a fresh one of the
//!   same list, except that nodes keep their HAProxy ids. (`nodes()` is in the order of identity,
//!   as everywhere.)
//! - `drain` corresponds to the "down" of the other program. Each type says what that does.
//! - If the failover of the other program ends before it has offered every eligible node, the
//!   remaining nodes follow in the order of the list. So `None` means what it means everywhere: no
//!   node is eligible.
//! - If the program refuses a configuration or does not survive it, there is a typed error: weight
//!   0, duplicate texts, an empty text, too many points. A strategy without nodes is no error. It
//!   routes to `None`.
//! - The token of a 32-bit hash has the hash in its upper half.
//!
//! # When to leave them
//! Soon. Each of these placements moves more keys than it must, or depends on positions, or has
//! less even shares. The docs of each type say which, with figures. These flaws cannot be mended
//! without moving keys, so they are kept.

mod common;
mod envoy_maglev;
mod envoy_ring;
mod haproxy;
mod jump;
mod ketama;
mod nginx;
#[cfg(test)]
mod oracle;

pub use envoy_maglev::{EnvoyMaglev, EnvoyMaglevBuilder};
pub use envoy_ring::{EnvoyRing, EnvoyRingBuilder};
pub use haproxy::{HaproxyConsistent, HaproxyConsistentBuilder, HaproxyHash};
pub use jump::Jump;
pub use ketama::{Ketama, KetamaBuilder, KetamaHash};
pub use nginx::{Nginx, NginxBuilder};

#[doc = include_str!("compat/guide.md")]
pub mod guide {}
