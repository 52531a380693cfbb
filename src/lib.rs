//! TODO
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(target_has_atomic = "ptr")]
mod atomic;
mod clock;
#[cfg(target_has_atomic = "ptr")]
mod draws;
mod error;
mod hash;
mod key;
#[cfg(target_has_atomic = "ptr")]
mod least_loaded;
mod load;
mod nodes;
#[cfg(target_has_atomic = "ptr")]
mod power_of_two;
mod ring;
#[cfg(target_has_atomic = "ptr")]
mod round_robin;
#[cfg(feature = "shared")]
mod shared;
mod strategy;
#[cfg(target_has_atomic = "ptr")]
mod urn;
#[cfg(target_has_atomic = "ptr")]
mod weighted_random;
mod wrappers;

#[cfg(any(doc, doctest))]
#[doc = include_str!("choosing.md")]
pub mod choosing {}

pub use clock::{Clock, SystemClock};
pub use error::{ConfigError, NodeError, NotEnoughDomains};
pub use hash::{FromBuildHasher, FromFn, KeyHasher, Mixed, SipHash13, Token, Xxh3};
pub use key::Key;
#[cfg(target_has_atomic = "ptr")]
pub use least_loaded::LeastLoaded;
pub use load::Load;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use load::PeakEwma;
#[cfg(target_has_atomic = "64")]
pub use load::Reported;
#[cfg(feature = "std")]
pub use load::SlowStart;
#[cfg(target_has_atomic = "ptr")]
pub use load::{InFlight, Tracked};
pub use nodes::{Changes, Member, Members, Nodes};
#[cfg(target_has_atomic = "ptr")]
pub use power_of_two::PowerOfTwo;
#[cfg(feature = "std")]
pub use ring::Forecast;
pub use ring::{Arcs, Balance, HashRing, HashRingBuilder, NodeBalance, Preference, RingArc};
#[cfg(target_has_atomic = "ptr")]
pub use round_robin::RoundRobin;
#[cfg(feature = "shared")]
pub use shared::Shared;
pub use strategy::{Membership, Route, Strategy};
#[cfg(target_has_atomic = "ptr")]
pub use weighted_random::WeightedRandom;
#[cfg(feature = "sticky")]
pub use wrappers::Sticky;
#[cfg(target_has_atomic = "ptr")]
pub use wrappers::{Bounded, Lease};
pub use wrappers::{Failover, Filtered, Spread};
