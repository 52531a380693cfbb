//! TODO
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod error;
mod hash;
mod key;
mod nodes;
mod rendezvous;
mod ring;
mod strategy;
mod table;

pub use error::{ConfigError, NodeError, NotEnoughDomains, SlotDiffError};
pub use hash::{FromBuildHasher, FromFn, KeyHasher, Mixed, SipHash13, Token, Xxh3};
pub use key::Key;
pub use nodes::{Changes, Member, Members, Nodes};
pub use rendezvous::{Ranking, Rendezvous};
#[cfg(feature = "std")]
pub use ring::Forecast;
pub use ring::{Arcs, Balance, HashRing, HashRingBuilder, NodeBalance, Preference, RingArc};
pub use strategy::{Membership, Route, Strategy};
pub use table::{SlotDiff, SlotMove, SlotTable, SlotTableBuilder, Slots};
