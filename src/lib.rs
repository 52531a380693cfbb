//! TODO
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(target_has_atomic = "ptr")]
mod atomic;
mod clock;
mod error;
mod hash;
mod key;
mod load;
mod nodes;
mod ring;
#[cfg(feature = "shared")]
mod shared;
mod strategy;
mod wrappers;

pub use clock::Clock;
#[cfg(feature = "std")]
pub use clock::SystemClock;
pub use error::{ConfigError, NodeError, NotEnoughDomains};
pub use hash::{FromBuildHasher, FromFn, KeyHasher, Mixed, SipHash13, Token, Xxh3};
pub use key::Key;
pub use load::Load;
#[cfg(target_has_atomic = "ptr")]
pub use load::{InFlight, Tracked};
pub use nodes::{Changes, Member, Members, Nodes};
#[cfg(feature = "std")]
pub use ring::Forecast;
pub use ring::{Arcs, Balance, HashRing, HashRingBuilder, NodeBalance, Preference, RingArc};
#[cfg(feature = "shared")]
pub use shared::Shared;
pub use strategy::{Membership, Route, Strategy};
#[cfg(feature = "sticky")]
pub use wrappers::Sticky;
#[cfg(target_has_atomic = "ptr")]
pub use wrappers::{Bounded, Lease};
pub use wrappers::{Failover, Filtered, Spread};
