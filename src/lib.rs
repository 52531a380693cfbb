//! TODO
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod atomic;
mod clock;
mod draws;
mod error;
mod hash;
mod key;
mod least_loaded;
mod load;
mod nodes;
mod power_of_two;
mod ring;
mod round_robin;
#[cfg(feature = "shared")]
mod shared;
mod strategy;
mod urn;
mod weighted_random;
mod wrappers;

pub use clock::Clock;
#[cfg(feature = "std")]
pub use clock::SystemClock;
pub use error::{ConfigError, NodeError, NotEnoughDomains};
pub use hash::{FromBuildHasher, FromFn, KeyHasher, Mixed, SipHash13, Token, Xxh3};
pub use key::Key;
pub use least_loaded::LeastLoaded;
pub use load::Load;
#[cfg(target_has_atomic = "ptr")]
pub use load::{InFlight, Tracked};
pub use nodes::{Changes, Member, Members, Nodes};
pub use power_of_two::PowerOfTwo;
#[cfg(feature = "std")]
pub use ring::Forecast;
pub use ring::{Arcs, Balance, HashRing, HashRingBuilder, NodeBalance, Preference, RingArc};
pub use round_robin::RoundRobin;
#[cfg(feature = "shared")]
pub use shared::Shared;
pub use strategy::{Membership, Route, Strategy};
pub use weighted_random::WeightedRandom;
#[cfg(feature = "sticky")]
pub use wrappers::Sticky;
#[cfg(target_has_atomic = "ptr")]
pub use wrappers::{Bounded, Lease};
pub use wrappers::{Failover, Filtered, Spread};
