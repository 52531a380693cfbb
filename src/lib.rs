//! Consistent hashing and load balancing as a library: it picks a node for a key. It does no
//! networking.
//!
//! **Same nodes, same weights, same key: same owner**, on every platform, compiler, process and
//! release before 2.0, in whichever order the nodes were added. When nodes are added or removed,
//! only the minimum number of keys move.
//!
//! ```
//! use clockwise::HashRing;
//!
//! let mut ring = HashRing::from_nodes(["cache-1", "cache-2", "cache-3"])?;
//! let owner = ring.route("user:42");        // Some(&"cache-…"), the same on every machine
//! let replicas = ring.replicas("user:42", 2); // the owner, then the next node
//! assert_eq!(owner, Some(replicas[0]));
//!
//! ring.insert_weighted("cache-4", 2)?;      // twice the share; keys move to it or stay
//! ring.drain("cache-1")?;                   // still a member, but it owns nothing
//! assert_ne!(ring.route("user:42"), Some(&"cache-1"));
//! # Ok::<(), clockwise::NodeError>(())
//! ```
//!
//! # The one idea
//!
//! A *strategy* puts the nodes in order of preference for a key. The owner is the first, replicas
//! are the first n, and failover takes the next one. Health, exclusion and bounded load take the
//! first that is accepted. That is the trait [`Strategy`].
//!
//! Every strategy and wrapper has the same methods to route (`route`, `route_where`, `replicas`),
//! to change members (`insert`, `remove`, `drain`, `set_nodes`, `apply`), and to look (`len`,
//! `get`, `members`). Every strategy also has the same constructors (`new`, `from_nodes`,
//! `from_weighted`), and those with a fixed order have `preference`. None needs an import.
//! [`Route`] and [`Manage`] have the same methods for generic code and for `dyn Strategy` and
//! `dyn Membership`.
//!
//! # Which part for which job
//!
//! - **The same key must find the same node**: [`HashRing`]; [`Rendezvous`] for few nodes;
//!   [`SlotTable`] for one load per route and a guaranteed balance; [`compat`] to leave another
//!   system without moving a key.
//! - **Any node will do, the less busy the better**: [`LeastLoaded`], [`PowerOfTwo`],
//!   [`RoundRobin`], [`WeightedRandom`], over nodes that know their [`Load`], such as [`Tracked`].
//! - **Around any of them**: [`Bounded`], [`Sticky`], [`Filtered`], [`Failover`], [`Zoned`],
//!   [`Spread`]; [`AnyStrategy`] for one that is chosen at run time, and [`Shared`] for many
//!   threads.
//! - **Before a change**: [`HashRing::diff`] returns what moves, [`Migration::plan`] a queue of
//!   moves, [`Epochs`] where to read and write meanwhile, [`HashRing::losses`] what the loss of a
//!   node does, [`HashRing::explain`] why a key is where it is, and [`Snapshot`] what other
//!   processes see.
//!
//! # Guides
//!
//! | you want | read |
//! |---|---|
//! | to begin | [first steps](guide::first_steps) |
//! | to compare strategies | [choosing](guide::choosing) |
//! | the same owners in all programs | [keys and stability](guide::keys_and_stability) |
//! | larger nodes, maintenance | [weights, drain and warm-up](guide::weights_drain_and_warm_up) |
//! | several copies of each key | [replicas and zones](guide::replicas_and_zones) |
//! | to change nodes while others route | [threads and async](guide::threads_and_async) |
//! | health checks, hot keys | [health and bounded load](guide::health_and_bounded_load) |
//! | sessions that keep their server | [sessions](guide::sessions) |
//! | to move stored data | [migrations](guide::migrations) |
//! | to replace what you have | [another system](guide::leaving_another_system), [your own ring](guide::leaving_your_own_ring) |
//! | a short answer | [recipes](guide::recipes) |
//! | to accept input from strangers | [security](guide::security) |
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | node | what a key is routed to; any type that is a [`Key`], identified by its key bytes |
//! | member | a node with its identity, its weight and whether it is drained |
//! | key | what is routed: text, bytes, integers, addresses, tuples, or a [`Key`] of your own |
//! | token | a hashed key, a position on the circle of 2⁶⁴ |
//! | token range | tokens from a first to a last one, both included |
//! | virtual node | one of a node's points on the circle |
//! | arc | a range of tokens that one node owns |
//! | owner | the node that a key belongs to: the first in its order of preference |
//! | replica set | the first n nodes of a key's order of preference |
//! | share | the fraction of all tokens that a node owns |
//! | drained | still a member, but the owner of nothing, as if it were removed |
//! | eligible | not drained |
//!
//! # Features
//!
//! | feature | adds | costs |
//! |---|---|---|
//! | `std` (default) | forecasts, [`PeakEwma`], [`SlowStart`], the system's clock | nothing if std is linked anyway; without it the crate is `no_std` + `alloc` |
//! | `serde` | `Serialize` and `Deserialize` for snapshots, strategies, tokens, plans | serde with its derive macro |
//! | `compat` | the module [`compat`] | md-5 and crc32fast |
//! | `sticky` | [`Sticky`] | lru, which has no dependencies here |
//! | `shared` | [`Shared`] | arc-swap |
//!
//! [`Tracked`], [`Bounded`] and the load-driven strategies require pointer-width atomics.
//!
//! # Stability
//!
//! Placements are frozen as layout V1, which `docs/SPEC.md` in the repository specifies in words.
//! Golden owners, made by a second implementation in another language, are part of the tests. The
//! crate forbids unsafe code. No input panics: invalid changes return a typed error that names the
//! node and leave the strategy unchanged.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
// The docs link to everything, also to what a build without all features does not have. With all
// features every link is checked.
#![cfg_attr(
    not(all(
        feature = "compat",
        feature = "serde",
        feature = "shared",
        feature = "sticky"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod balance;
#[cfg(feature = "compat")]
pub mod compat;
pub mod error;
pub mod hash;
pub mod load;
pub mod migration;
pub mod nodes;
pub mod preference;
pub mod ring;
pub mod snapshot;
pub mod table;
pub mod wrappers;

// The examples of the guides need these features.
#[cfg(any(
    all(doc, not(doctest)),
    all(doctest, feature = "compat", feature = "shared", feature = "sticky")
))]
pub mod guide;

mod clock;
#[cfg(feature = "serde")]
mod hex;
mod key;
mod named;
mod pointers;
mod rendezvous;
mod strategy;

#[cfg(target_has_atomic = "ptr")]
mod atomic;
#[cfg(target_has_atomic = "ptr")]
mod least_loaded;
#[cfg(target_has_atomic = "ptr")]
mod power_of_two;
#[cfg(target_has_atomic = "ptr")]
mod random;
#[cfg(target_has_atomic = "ptr")]
mod round_robin;
#[cfg(feature = "shared")]
mod shared;
#[cfg(target_has_atomic = "ptr")]
mod weighted_random;

// Keys and nodes.
#[doc(inline)]
pub use hash::{KeyHasher, Mixed, SipHash13, Token, TokenRange, Xxh3};
pub use key::Key;
pub use named::Named;
#[doc(inline)]
pub use nodes::{Changes, Edit, Member};

// Strategies.
#[cfg(target_has_atomic = "ptr")]
pub use least_loaded::LeastLoaded;
#[cfg(target_has_atomic = "ptr")]
pub use power_of_two::PowerOfTwo;
pub use rendezvous::Rendezvous;
#[doc(inline)]
pub use ring::HashRing;
#[cfg(target_has_atomic = "ptr")]
pub use round_robin::RoundRobin;
pub use strategy::{Manage, Membership, Route, Strategy};
#[doc(inline)]
pub use table::SlotTable;
#[cfg(target_has_atomic = "ptr")]
pub use weighted_random::WeightedRandom;

// Around a strategy.
#[cfg(feature = "shared")]
pub use shared::Shared;
#[cfg(target_has_atomic = "ptr")]
#[doc(inline)]
pub use wrappers::Bounded;
#[cfg(feature = "sticky")]
#[doc(inline)]
pub use wrappers::Sticky;
#[doc(inline)]
pub use wrappers::{AnyStrategy, Failover, Filtered, Spread, Zoned};

// Loads.
#[doc(inline)]
pub use load::Load;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[doc(inline)]
pub use load::PeakEwma;
#[cfg(target_has_atomic = "64")]
#[doc(inline)]
pub use load::Reported;
#[cfg(feature = "std")]
#[doc(inline)]
pub use load::SlowStart;
#[cfg(target_has_atomic = "ptr")]
#[doc(inline)]
pub use load::Tracked;

// Before and during a change.
#[doc(inline)]
pub use balance::Balance;
#[doc(inline)]
pub use migration::{Epochs, Migration, Move, Plan, Stage};
#[doc(inline)]
pub use snapshot::Snapshot;

#[doc(inline)]
pub use error::{ConfigError, NodeError};

/// The README's examples, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The example of a strategy outside of the crate.
#[cfg(doctest)]
#[doc = include_str!("../CONTRIBUTING.md")]
struct Contributing;
