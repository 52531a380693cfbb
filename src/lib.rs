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
mod strategy;
mod urn;
mod weighted_random;

pub use clock::{Clock, SystemClock};
pub use error::{ConfigError, NodeError, NotEnoughDomains};
pub use hash::{FromBuildHasher, FromFn, KeyHasher, Mixed, SipHash13, Token, Xxh3};
pub use key::Key;
pub use least_loaded::LeastLoaded;
pub use load::Load;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use load::PeakEwma;
#[cfg(target_has_atomic = "64")]
pub use load::Reported;
#[cfg(feature = "std")]
pub use load::SlowStart;
pub use nodes::{Changes, Member, Members, Nodes};
pub use power_of_two::PowerOfTwo;
#[cfg(feature = "std")]
pub use ring::Forecast;
pub use ring::{Arcs, Balance, HashRing, HashRingBuilder, NodeBalance, Preference, RingArc};
pub use round_robin::RoundRobin;
pub use strategy::{Membership, Route, Strategy};
pub use weighted_random::WeightedRandom;
