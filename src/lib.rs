//! When a key must find its server: consistent hashing and server selection, embedded in your program, with no network in it.
//!
//! > **Same nodes, same weights, same key: same owner**, on every platform, compiler, process and release before 2.0, whatever order the nodes came in.
//! > And when the set changes, only the keys that must move, move.
//!
//! ```
//! use clockwise::HashRing;
//!
//! let mut ring = HashRing::from_nodes(["cache-1", "cache-2", "cache-3"])?;
//! let owner = ring.route("user:42");        // Some(&"cache-…"), the same everywhere
//! let replicas = ring.replicas("user:42", 2); // the owner, then the next
//! assert_eq!(owner, Some(replicas[0]));
//!
//! ring.insert_weighted("cache-4", 2)?;      // twice the share; keys move to it or not at all
//! ring.drain("cache-1")?;                   // a member still, but it owns nothing
//! assert_ne!(ring.route("user:42"), Some(&"cache-1"));
//! # Ok::<(), clockwise::NodeError>(())
//! ```
//!
//! # The one idea
//!
//! A *strategy* puts the nodes in order of preference for a key. The owner is the first, replicas are the first n, failover is the next one, and health,
//! exclusion or bounded load are the first that you accept. That is the trait [`Strategy`]; [`Route`] gives its verbs for keys.
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | node | what a key is routed to; any type that is a [`Key`], identified by its key bytes |
//! | member | a node with its weight and whether it is drained |
//! | key | what is routed: text, bytes, integers, addresses, tuples, or your own [`Key`] |
//! | token | a hashed key, a place on the circle of 2⁶⁴ |
//! | virtual node | one of the points at which a node stands on the circle |
//! | arc | a stretch of the circle that one node owns |
//! | owner | the node that a key belongs to: the first in its order of preference |
//! | replica set | the first n of a key's order of preference |
//! | share | the part of all tokens that a node owns |
//! | drained | a member that owns nothing, to the others' keys as if it were removed |
//!
//! # Which part when
//!
//! - **The same key must find the same node**: [`HashRing`], [`Rendezvous`] for few nodes, [`SlotTable`] for one load per route and a guaranteed
//!   balance; `compat` to leave another system without moving a key.
//! - **Any node will do, the less busy the better**: [`LeastLoaded`], [`PowerOfTwo`], [`RoundRobin`], [`WeightedRandom`], over nodes that know their
//!   [`Load`], such as [`Tracked`].
//! - **Around any of them**: [`Bounded`], `Sticky`, [`Filtered`], [`Failover`], [`Spread`], and `Shared` for many threads.
//! - **Before a change**: [`HashRing::diff`] says what moves, [`Migration::plan`] in which order, [`Epochs`] where to read meanwhile,
//!   [`HashRing::losses`] what if one dies, [`HashRing::explain`] why a key is where it is, [`Snapshot`] what other processes see.
//!
//! The guide [`choosing`] compares them.
//!
//! # Features
//!
//! | feature | what it brings | what it costs |
//! |---|---|---|
//! | `std` (default) | [`Balance::forecast`](crate::Balance::forecast), [`PeakEwma`], [`SlowStart`], [`SystemClock`] | nothing where std is linked anyway; without it the crate is `no_std` + `alloc` |
//! | `serde` | `Serialize` and `Deserialize` for [`Snapshot`], and for rings, rendezvous, slot tables and [`Tracked`] nodes | serde with its derive macro |
//! | `compat` | the module `compat` | md-5 and crc32fast |
//! | `sticky` | `Sticky` | lru, which brings nothing else |
//! | `shared` | `Shared` | arc-swap |
//!
//! On targets without atomics as wide as a pointer what counts or draws through `&self` is not there: the load-driven strategies, [`Tracked`], [`Bounded`].
//!
//! # What it promises, and where that is written down
//!
//! Placements are frozen as layout V1, specified in words in `docs/SPEC.md` of the repository, with golden owners that a second implementation in another
//! language agrees with. The crate forbids unsafe code. No input panics: what cannot work is a typed error that names the offender, and
//! leaves everything as it was.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "compat")]
pub mod compat;

pub mod balance;
mod clock;
pub mod error;
mod hash;
#[cfg(feature = "serde")]
mod hex;
mod key;
pub mod load;
pub mod migration;
mod named;
mod nodes;
mod pointers;
mod preference;
mod rendezvous;
mod ring;
mod snapshot;
mod strategy;
mod table;
mod wrappers;

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

#[cfg(any(doc, doctest))]
// The guide links to everything, also to what a build without all features has not got.
#[cfg_attr(
    not(all(feature = "compat", feature = "sticky", feature = "shared")),
    allow(rustdoc::broken_intra_doc_links)
)]
#[doc = include_str!("choosing.md")]
pub mod choosing {}
#[cfg(any(doc, doctest))]
pub mod guide;

pub use balance::{Balance, NodeBalance};
pub use clock::{Clock, SystemClock};
pub use error::{ConfigError, DiffError, NodeError, NotEnoughDomains, PlanError, RestoreError};
pub use hash::{FromBuildHasher, FromFn, KeyHasher, Mixed, SipHash13, Token, TokenRange, Xxh3};
pub use key::Key;
pub use load::Load;
pub use migration::{
    Epochs, Explanation, Flow, Heir, Loss, Migration, Move, Moves, NodeTotal, Plan, Progress,
    Stage, Stop, Verdict,
};
pub use named::Named;
pub use nodes::{Changes, Edit, Member, Members, Nodes};
pub use preference::Preference;
pub use rendezvous::Rendezvous;
pub use ring::{Arcs, HashRing, HashRingBuilder, RingArc};
pub use snapshot::Snapshot;
pub use strategy::{Manage, Membership, Route, Strategy};
pub use table::{SlotTable, SlotTableBuilder, Slots};
pub use wrappers::{AnyStrategy, Failover, Filtered, Spread, Zoned};

#[cfg(feature = "std")]
pub use balance::Forecast;
#[cfg(target_has_atomic = "ptr")]
pub use least_loaded::LeastLoaded;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use load::PeakEwma;
#[cfg(target_has_atomic = "64")]
pub use load::Reported;
#[cfg(feature = "std")]
pub use load::SlowStart;
#[cfg(target_has_atomic = "ptr")]
pub use load::{InFlight, Tracked};
#[cfg(target_has_atomic = "ptr")]
pub use power_of_two::PowerOfTwo;
#[cfg(target_has_atomic = "ptr")]
pub use round_robin::RoundRobin;
#[cfg(feature = "shared")]
pub use shared::Shared;
#[cfg(target_has_atomic = "ptr")]
pub use weighted_random::WeightedRandom;
#[cfg(target_has_atomic = "ptr")]
pub use wrappers::{Bounded, Lease};
#[cfg(feature = "sticky")]
pub use wrappers::{Session, Sticky};

/// The README's examples, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
