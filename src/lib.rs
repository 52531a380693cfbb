//! TODO
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "compat")]
pub mod compat;
mod error;
mod hash;
mod key;
mod nodes;
mod ring;
mod strategy;

pub use error::{ConfigError, NodeError, NotEnoughDomains};
pub use hash::{FromBuildHasher, FromFn, KeyHasher, Mixed, SipHash13, Token, Xxh3};
pub use key::Key;
pub use nodes::{Changes, Member, Members, Nodes};
#[cfg(feature = "std")]
pub use ring::Forecast;
pub use ring::{Arcs, Balance, HashRing, HashRingBuilder, NodeBalance, Preference, RingArc};
pub use strategy::{Membership, Route, Strategy};
