//! The errors of comparisons, plans and steps of a migration.

use crate::hash::TokenRange;
use crate::migration::Stage;
use thiserror::Error;

/// An error from comparing two placements.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, Xxh3, error::DiffError};
///
/// let old = HashRing::from_nodes(["a"])?;
/// let new = HashRing::builder().hasher(Xxh3::with_seed(1)).from_nodes(["a"])?;
/// assert!(matches!(old.diff(&new), Err(DiffError::HasherMismatch { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DiffError {
    /// The hashers differ. A key has two tokens then, and a range of tokens means other keys on
    /// either side.
    #[error(
        "the hashers differ: a fixed probe hashes to {old_probe:#018x} on the old side and to \
         {new_probe:#018x} on the new (compare placements with the same hasher, seed and key)"
    )]
    #[non_exhaustive]
    HasherMismatch {
        /// The hash of the probe on the old side.
        old_probe: u64,
        /// The hash of the probe on the new side.
        new_probe: u64,
    },
    /// The slot tables differ in their number of slots, so no slot of one is a slot of the other.
    #[error(
        "the slot tables differ in size: {old} slots on the old side, {new} on the \
         new (compare tables with the same number of slots)"
    )]
    #[non_exhaustive]
    SlotCountMismatch {
        /// The number of slots on the old side.
        old: u64,
        /// The number of slots on the new side.
        new: u64,
    },
}

/// An error from making a plan.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, error::PlanError};
///
/// let ring = HashRing::from_nodes(["a"])?;
/// assert!(matches!(ring.diff(&ring)?.plan(0), Err(PlanError::ZeroLimit)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The limit is zero.
    #[error("the limit is 0 moves for each node, but must be at least 1")]
    ZeroLimit,
}

/// An error from resuming a plan or epochs from a stored state.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, error::ResumeError};
///
/// let ring = HashRing::from_nodes(["a", "b"])?;
/// let mut more = ring.clone();
/// more.insert("c")?;
/// let other = ring.diff(&ring)?.plan(1)?.progress();
/// let resumed = ring.diff(&more)?.plan(1)?.resume(&other);
/// assert!(matches!(resumed, Err(ResumeError::MigrationMismatch { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The stored state belongs to another migration.
    #[error(
        "the stored progress belongs to another migration: its checksum is {found:#018x}, this \
         migration has {expected:#018x}"
    )]
    #[non_exhaustive]
    MigrationMismatch {
        /// The checksum of this migration.
        expected: u64,
        /// The checksum in the stored state.
        found: u64,
    },
    /// The stored state of a plan does not hold one bit for each move.
    #[error(
        "the stored progress is damaged: {bytes} bytes do not hold exactly one bit for each of \
         {moves} moves"
    )]
    #[non_exhaustive]
    BitCount {
        /// The number of moves of the plan.
        moves: usize,
        /// The number of bytes in the stored state.
        bytes: usize,
    },
    /// The ranges in the stored state of epochs are not in ascending order or overlap.
    #[error("the stored progress is damaged: range {range} is not after the one before it")]
    #[non_exhaustive]
    RangeOrder {
        /// The range that is out of order.
        range: TokenRange,
    },
}

/// An error from advancing a range of tokens by more than one stage.
///
/// # Examples
/// ```
/// use clockwise::{Epochs, HashRing, Stage, TokenRange};
///
/// let ring = HashRing::from_nodes(["a"])?;
/// let mut epochs = Epochs::new(&ring, &ring);
/// let error = epochs.advance(TokenRange::ALL, Stage::Done).unwrap_err(); // skips `Copied`
/// assert_eq!((error.from, error.to), (Stage::Copying, Stage::Done));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("range {range} is in stage {from} and cannot skip to {to} (advance it to Copied first)")]
#[non_exhaustive]
pub struct AdvanceError {
    /// The first part of the range that would skip a stage.
    pub range: TokenRange,
    /// The stage of that part.
    pub from: Stage,
    /// The stage that was asked for.
    pub to: Stage,
}

/// An error from ending a migration that is not complete.
///
/// # Examples
/// ```
/// use clockwise::{Epochs, HashRing, Stage};
///
/// let ring = HashRing::from_nodes(["a"])?;
/// let error = Epochs::new(&ring, &ring).into_new().unwrap_err();
/// assert_eq!(error.stage, Stage::Copying);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("range {range} is in stage {stage}, not Done (advance it first)")]
#[non_exhaustive]
pub struct NotDone {
    /// The first range that is not in [`Stage::Done`].
    pub range: TokenRange,
    /// Its stage.
    pub stage: Stage,
}
