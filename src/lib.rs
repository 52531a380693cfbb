//! TODO
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod error;
mod hash;
mod key;
mod nodes;
mod ring;
mod snapshot;
mod strategy;
mod topology;

pub use error::{ConfigError, DiffError, NodeError, NotEnoughDomains, PlanError, RestoreError};
pub use hash::{FromBuildHasher, FromFn, KeyHasher, Mixed, SipHash13, Token, Xxh3};
pub use key::Key;
pub use nodes::{Changes, Member, Members, Nodes};
#[cfg(feature = "std")]
pub use ring::Forecast;
pub use ring::{Arcs, Balance, HashRing, HashRingBuilder, NodeBalance, Preference, RingArc};
pub use snapshot::Snapshot;
pub use strategy::{Membership, Route, Strategy};
pub use topology::{
    Epochs, Explanation, Flow, Heir, Loss, Migration, Move, Moves, NodeTotal, Plan, Progress, Stop,
    Transition, Verdict,
};
