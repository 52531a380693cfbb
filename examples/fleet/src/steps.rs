//! [`Step`]: the placement that every router must have, as the coordinator publishes it, and
//! [`Placement`]: the same, ready to be asked.

use crate::Failure;
use crate::server::{REPLICAS, Ring, Server};
use clockwise::migration::EpochsProgress;
use clockwise::{Epochs, Token};
use serde::{Deserialize, Serialize};

/// A numbered step.
///
/// It holds the stages of all ranges and not only of those that advance, so a router that starts
/// needs only the present step.
#[derive(Serialize, Deserialize)]
pub struct Step {
    pub number: u64,
    /// The ring, or the old side of a change.
    pub ring: Ring,
    pub change: Option<Change>,
}

/// The change that is under way.
#[derive(Serialize, Deserialize)]
pub struct Change {
    pub new: Ring,
    pub stages: EpochsProgress,
}

impl Change {
    /// Returns the epochs of a change from `old`, at the stored stages.
    pub fn epochs(&self, old: &Ring) -> Result<Epochs<Ring>, Failure> {
        let mut epochs = Epochs::new(old.clone(), self.new.clone()).with_replicas(REPLICAS);
        epochs.resume(&self.stages)?;
        Ok(epochs)
    }
}

/// Where a router reads and writes.
pub enum Placement {
    Settled(Ring),
    Moving(Box<Epochs<Ring>>),
}

impl Placement {
    pub fn of(step: &Step) -> Result<Placement, Failure> {
        Ok(match &step.change {
            None => Placement::Settled(step.ring.clone()),
            Some(change) => Placement::Moving(Box::new(change.epochs(&step.ring)?)),
        })
    }

    /// Returns the servers that a read may ask.
    pub fn reads(&self, token: Token) -> Vec<&Server> {
        match self {
            Placement::Settled(ring) => replicas(ring, token),
            Placement::Moving(epochs) => epochs.reads_token(token),
        }
    }

    /// Returns the servers that must all have a write.
    pub fn writes(&self, token: Token) -> Vec<&Server> {
        match self {
            Placement::Settled(ring) => replicas(ring, token),
            Placement::Moving(epochs) => epochs.writes_token(token),
        }
    }

    /// Returns the token of a key.
    pub fn token(&self, key: u64) -> Token {
        match self {
            Placement::Settled(ring) => ring.token(&key),
            Placement::Moving(epochs) => epochs.old_strategy().token(&key),
        }
    }
}

fn replicas(ring: &Ring, token: Token) -> Vec<&Server> {
    ring.preference_token(token).take(REPLICAS).collect()
}
