//! The rules of the protocol, one switch for each.
//!
//! [`Rules::correct`] is the protocol. Each test in `tests/broken.rs` changes one switch and
//! expects a counterexample.

use crate::config::Nodes;

/// A stage of a range, as one process sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The process has no epochs yet.
    Before,
    /// Writes go to both sides, reads go to the old side alone.
    Copying,
    /// Writes go to both sides, reads go to the new side alone.
    Copied,
    /// Writes and reads go to the new side.
    Done,
}

/// A stage together with the direction. If `reversed`, old and new have changed places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub reversed: bool,
    pub stage: Stage,
}

impl Position {
    pub const BEFORE: Self = Self::forward(Stage::Before);

    #[must_use]
    pub const fn forward(stage: Stage) -> Self {
        Self {
            reversed: false,
            stage,
        }
    }

    #[must_use]
    pub const fn back(stage: Stage) -> Self {
        Self {
            reversed: true,
            stage,
        }
    }

    /// Returns the position that `Epochs::reverse()` gives. A process without epochs has nothing to
    /// reverse: it keeps using the old side alone, which is what `Done` means after the reversal.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self.stage {
            Stage::Before => Self::back(Stage::Done),
            Stage::Copying => Self::back(Stage::Copied),
            Stage::Copied | Stage::Done => Self::back(Stage::Copying),
        }
    }
}

/// What a process does with its running operations before it acknowledges a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// It waits until all operations that began before the step have ended.
    Wait,
    /// It waits in `Done` only, and repeats each operation during which the stage changed.
    Repeat,
    /// It never waits, and repeats each operation during which the stage changed. Broken: an
    /// operation of an earlier stage writes to a node whose old data is dropped.
    RepeatOnly,
    /// It never waits. Broken.
    Ignore,
}

/// What a node does with a copy that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// It keeps the greater version. Tombstones are copied too.
    Newer,
    /// It stores the copy in place of what it has. To copy an absence is to delete. Broken without
    /// a lock.
    Blind,
    /// It stores the copy if it has no value and no tombstone. Broken.
    IfAbsent,
}

/// Where a copy is read under quorums. If writes wait for all replicas, any old member is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the member that is replaced or, if there is none, by a quorum read of the old side.
    Replaced,
    /// Always by a quorum read of the old side. Right as well, for a member that is dead.
    Quorum,
    /// From any one old member. Broken.
    AnyMember,
}

/// The switches. The README of this folder lists the rules in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Rules {
    /// `Copied` lies between `Copying` and `Done`. If not, there are two stages.
    pub copied_stage: bool,
    /// "Not there" is an answer. If not, a read goes on to the other side: in `Copied`, or in
    /// `Copying` if there are two stages.
    pub absence_is_an_answer: bool,
    /// Tombstones are kept until `Done` is acknowledged by all. If not, a node may purge its own.
    pub keep_tombstones: bool,
    /// Tombstones are kept until the old data is dropped as well.
    pub drop_before_purge: bool,
    /// The taker is emptied before the range enters `Copying`.
    pub empty_taker: bool,
    /// The position is stored before it is acknowledged.
    pub store_first: bool,
    pub drain: Drain,
    /// Step k + 1 is published when every process has acknowledged step k.
    pub wait_for_all: bool,
    /// Copies begin when every process has acknowledged `Copying`.
    pub copy_when_acknowledged: bool,
    pub source: Source,
    pub merge: Merge,
    /// A lock on the key keeps all writes out while a copy is under way. It makes
    /// [`Merge::Blind`] right, also if deletes leave no tombstones.
    pub lock_while_copying: bool,
    /// Under quorums, if a side has fewer members than the one that is left, each of its members
    /// gets a copy by a quorum read. A value on a quorum of three may be on one of the two that
    /// stay, and on none of one that stays.
    pub copy_to_fewer: bool,
    /// A quorum is counted on each side. If not, it is counted over the union of the sides.
    pub quorum_of_each_side: bool,
    /// A range is `Copied` when each taker has its copy. If not, when any one has.
    pub copied_after_all_moves: bool,
    /// Old data is dropped when `Done` is acknowledged by all. If not, when it is published.
    pub drop_when_acknowledged: bool,
    /// Old data is dropped on old members that are not new members. If not, on all old members.
    pub drop_leavers_only: bool,
    /// No copy is under way any more when old data is dropped or tombstones are purged.
    pub end_copies_first: bool,
    /// If the range was `Done` in any process, a reversal copies back what was written since.
    pub copy_back: bool,
}

impl Rules {
    /// Returns the protocol as it should be.
    #[must_use]
    pub const fn correct() -> Self {
        Self {
            copied_stage: true,
            absence_is_an_answer: true,
            keep_tombstones: true,
            drop_before_purge: true,
            empty_taker: true,
            store_first: true,
            drain: Drain::Wait,
            wait_for_all: true,
            copy_when_acknowledged: true,
            source: Source::Replaced,
            merge: Merge::Newer,
            lock_while_copying: false,
            copy_to_fewer: true,
            quorum_of_each_side: true,
            copied_after_all_moves: true,
            drop_when_acknowledged: true,
            drop_leavers_only: true,
            end_copies_first: true,
            copy_back: true,
        }
    }

    /// Returns the nodes that a write at `at` is sent to, one set for each side.
    #[must_use]
    pub fn writes(&self, at: Position, old: Nodes, new: Nodes) -> [Nodes; 2] {
        let (from, to) = if at.reversed { (new, old) } else { (old, new) };
        match at.stage {
            Stage::Before => [from, from],
            Stage::Copying | Stage::Copied => [from, to],
            Stage::Done => [to, to],
        }
    }

    /// Returns the side that a read at `at` asks, and the side that it asks next if it finds
    /// nothing there. Under the correct rules there is never a next one.
    #[must_use]
    pub fn reads(&self, at: Position, old: Nodes, new: Nodes) -> (Nodes, Option<Nodes>) {
        let (from, to) = if at.reversed { (new, old) } else { (old, new) };
        let fall_through = !self.absence_is_an_answer;
        match at.stage {
            Stage::Before => (from, None),
            Stage::Copying => (from, (fall_through && !self.copied_stage).then_some(to)),
            Stage::Copied => (to, fall_through.then_some(from)),
            Stage::Done => (to, None),
        }
    }

    /// Returns the stage after `stage`.
    #[must_use]
    pub const fn next(&self, stage: Stage) -> Option<Stage> {
        match stage {
            Stage::Before => Some(Stage::Copying),
            Stage::Copying if self.copied_stage => Some(Stage::Copied),
            Stage::Copying | Stage::Copied => Some(Stage::Done),
            Stage::Done => None,
        }
    }
}
