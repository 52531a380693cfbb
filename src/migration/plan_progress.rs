//! Stores and restores the progress of a plan.

use super::plan::{Plan, State};
use crate::error::ResumeError;
use alloc::vec::Vec;

/// The progress of a plan, to be stored: which moves are complete, and of which migration.
///
/// Returned by [`Plan::progress`] and read by [`Plan::resume`]. Takes one bit a move, in the order
/// of [`Migration::moves`](super::Migration::moves).
///
/// # Examples
/// ```
/// use clockwise::{HashRing, migration::Progress};
///
/// let old = HashRing::from_nodes(["a", "b"])?;
/// let mut new = old.clone();
/// new.insert("c")?;
/// let stored: Progress = old.diff(&new)?.plan(1)?.progress();
/// assert!(old.diff(&new)?.plan(8)?.resume(&stored).is_ok()); // another limit is fine
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Progress {
    /// A checksum of the migration.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::word"))]
    migration: u64,
    /// Move i is bit i % 8 of byte i / 8.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::bytes"))]
    complete: Vec<u8>,
}

impl<N> Plan<N> {
    /// Returns the state to store.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let mut plan = old.diff(&new)?.plan(1)?;
    /// let nothing = plan.progress();
    /// let step = plan.start().unwrap();
    /// plan.complete(&step);
    /// assert_ne!(plan.progress(), nothing); // store this
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(moves).
    pub fn progress(&self) -> Progress {
        let byte = |states: &[State]| {
            let bits = (0..).zip(states);
            bits.map(|(i, &state)| u8::from(state == State::Complete) << i)
                .sum()
        };
        Progress {
            migration: self.checksum,
            complete: self.states.chunks(8).map(byte).collect(),
        }
    }

    /// Resumes from a stored state. Exactly the moves that were complete then are complete now, and
    /// no move is under way. The limit may differ.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let migration = old.diff(&new)?;
    /// let mut before = migration.plan(1)?;
    /// let step = before.start().unwrap();
    /// before.complete(&step);
    ///
    /// // After a restart:
    /// let mut plan = migration.plan(1)?;
    /// plan.resume(&before.progress())?;
    /// assert_eq!(plan.remaining(), before.remaining());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ResumeError::MigrationMismatch`] if the state belongs to a migration with other ranges or
    /// nodes. [`ResumeError::BitCount`] if its length does not fit. The plan is unchanged then. A
    /// changed bit is not noticed: add a checksum of your own if your storage may damage it.
    ///
    /// # Performance
    /// O(moves × log moves).
    pub fn resume(&mut self, progress: &Progress) -> Result<(), ResumeError> {
        if progress.migration != self.checksum {
            return Err(ResumeError::MigrationMismatch {
                expected: self.checksum,
                found: progress.migration,
            });
        }
        let (moves, bytes) = (self.steps.len(), progress.complete.len());
        let bit = |i: usize| progress.complete[i / 8] >> (i % 8) & 1 == 1;
        if bytes != moves.div_ceil(8) || (moves..bytes * 8).any(bit) {
            return Err(ResumeError::BitCount { moves, bytes });
        }
        self.restart(bit);
        Ok(())
    }
}
