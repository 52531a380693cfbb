//! The stages of epochs as a state to store, and back.

use super::epochs::{Epochs, first};
use super::stages::{Stage, Stages};
use crate::error::ResumeError;
use crate::hash::{KeyHasher, Token, TokenRange, Xxh3};
use crate::key::Key;
use crate::strategy::Strategy;
use alloc::vec::Vec;

/// The stages of all ranges, to be stored, and of which migration they are.
///
/// Returned by [`Epochs::progress`] and read by [`Epochs::resume`].
///
/// # Examples
/// ```
/// use clockwise::{Epochs, HashRing, migration::EpochsProgress};
///
/// let ring = HashRing::from_nodes(["a", "b"])?;
/// let stored: EpochsProgress = Epochs::new(&ring, &ring).progress();
/// assert!(Epochs::new(&ring, &ring).resume(&stored).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EpochsProgress {
    /// A checksum of both sides.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::word"))]
    migration: u64,
    /// In ascending order, without ranges in `Copying`.
    stages: Vec<(TokenRange, Stage)>,
}

impl<N: Key, Old: Strategy<Node = N>, New: Strategy<Node = N>> Epochs<Old, New> {
    /// Returns the state to store.
    ///
    /// Store a step before you acknowledge it; see [Protocol](Epochs#protocol).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage, TokenRange};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let mut epochs = Epochs::new(&ring, &ring);
    /// let before = epochs.progress();
    /// epochs.advance(TokenRange::ALL, Stage::Copied)?;
    /// assert_ne!(epochs.progress(), before); // store this, then acknowledge
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(members + ranges).
    pub fn progress(&self) -> EpochsProgress {
        let stages = self.stages();
        EpochsProgress {
            migration: self.checksum(),
            stages: stages.filter(|part| part.1 > Stage::Copying).collect(),
        }
    }

    /// Resumes from a stored state, after a restart and before the first operation: each range has
    /// the stage that it had then.
    ///
    /// The state belongs to epochs with the same members, weights, drained nodes and numbers of
    /// replicas on the same sides. If no strategy is filtered, the replicas of a few fixed tokens
    /// are compared too. The state of epochs that were reversed belongs to reversed epochs.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage, TokenRange};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let mut before = Epochs::new(&ring, &ring);
    /// before.advance(TokenRange::ALL, Stage::Copied)?;
    ///
    /// // After a restart:
    /// let mut epochs = Epochs::new(&ring, &ring);
    /// epochs.resume(&before.progress())?;
    /// assert_eq!(epochs.stage(ring.token("user:42")), Stage::Copied);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ResumeError::MigrationMismatch`] if the state belongs to another migration.
    /// [`ResumeError::RangeOrder`] if it is damaged. The epochs are unchanged then.
    ///
    /// # Performance
    /// O(members + ranges × log ranges).
    pub fn resume(&mut self, progress: &EpochsProgress) -> Result<(), ResumeError> {
        let expected = self.checksum();
        if progress.migration != expected {
            return Err(ResumeError::MigrationMismatch {
                expected,
                found: progress.migration,
            });
        }
        let mut stored = Stages::new();
        let mut before = None;
        for &(range, stage) in &progress.stages {
            if before.is_some_and(|last| range.first() <= last) {
                return Err(ResumeError::RangeOrder { range });
            }
            before = Some(range.last());
            stored.set(range, stage);
        }
        self.stages = stored;
        Ok(())
    }

    /// A checksum of all that decides the replicas, as far as the strategies tell.
    fn checksum(&self) -> u64 {
        let mut bytes = Vec::new();
        describe(&self.old, self.old_count, &mut bytes);
        describe(&self.new, self.new_count, &mut bytes);
        let probe = b"clockwise probe";
        let token = if self.reversed {
            self.new.token_of(probe)
        } else {
            self.old.token_of(probe)
        };
        bytes.extend(token.get().to_le_bytes());
        Xxh3::new().hash_bytes(&bytes)
    }
}

/// Appends the number of replicas of one side, its members, and the replicas of a few tokens.
fn describe<S: Strategy>(strategy: &S, n: usize, bytes: &mut Vec<u8>) {
    /// The number of tokens, spread over the circle.
    const TOKENS: u64 = 64;
    /// The greatest number of replicas that is compared.
    const REPLICAS: usize = 4;

    fn append(bytes: &mut Vec<u8>, identity: &[u8]) {
        bytes.extend((identity.len() as u64).to_le_bytes());
        bytes.extend(identity);
    }

    bytes.extend((n as u64).to_le_bytes());
    strategy.for_each_member(&mut |member| {
        // A strategy of one's own may have no identity to lend.
        if member.id.is_empty() {
            append(bytes, member.node.key_bytes().as_ref());
        } else {
            append(bytes, member.id);
        }
        bytes.extend(member.weight.to_le_bytes());
        bytes.push(u8::from(member.drained));
    });
    // What a filter refuses may change at any time, and is no part of the placement.
    if strategy.is_filtered() {
        return;
    }
    for token in (0..TOKENS).map(|i| Token::new(i.wrapping_mul(u64::MAX / TOKENS))) {
        for node in first(strategy, token, n.min(REPLICAS)) {
            match strategy.identity_of(node) {
                Some(identity) => append(bytes, identity),
                None => append(bytes, node.key_bytes().as_ref()),
            }
        }
    }
}
