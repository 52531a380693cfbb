//! The state of the model: what is on the nodes, in the processes, and under way between them.

use crate::config::{MAX_NODES, MAX_PROCESSES, Nodes};
use crate::rules::Position;

/// The version of a write. The versions are given in the order in which writes begin. 0 is the
/// version of a node that holds nothing, neither a value nor a tombstone.
pub type Version = u8;

/// What the coordinator publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Each process enters this position, if it is not there yet.
    To(Position),
    /// Each process reverses the position that it is in.
    Reverse,
}

/// A client process. It is one that reads and writes, and that takes the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// What it finds when it restarts.
    pub stored: Position,
    /// What it works by.
    pub applied: Position,
    /// Whether it has acknowledged the step that is published.
    pub acknowledged: bool,
}

/// A read that has begun.
///
/// One at a time is enough, as a read changes nothing: what one read can see while others run, it
/// can see without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Read {
    pub process: u8,
    /// The position of the process when the read began.
    pub at: Position,
    /// The greatest version that was acknowledged when the read began.
    pub floor: Version,
    /// The nodes that have answered.
    pub asked: Nodes,
    /// The greatest version among the answers.
    pub best: Version,
}

/// A write that has begun: a value or a delete. [`State::deletes`] says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Write {
    pub process: u8,
    /// The position of the process when the write began.
    pub at: Position,
    pub version: Version,
    /// The nodes that do not have it yet.
    pub pending: Nodes,
}

/// A copy under way: it has read, and has not arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Copying {
    pub taker: u8,
    /// The nodes that it has read.
    pub asked: Nodes,
    /// The greatest version that it has read.
    pub best: Version,
}

/// One moment of the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The version on each node.
    pub nodes: [Version; MAX_NODES],
    /// The versions that are deletes, one bit each.
    pub deletes: u8,
    /// The greatest version that has begun.
    pub begun: Version,
    /// The greatest version that has been acknowledged.
    pub acknowledged: Version,
    pub published: Step,
    pub processes: [Process; MAX_PROCESSES],
    pub read: Option<Read>,
    pub writes: [Option<Write>; 2],
    pub copies: [Option<Copying>; 2],
    /// The takers to which a copy has been made in this direction.
    pub copied: Nodes,
    /// The nodes whose old data has been dropped in this direction.
    pub dropped: Nodes,
    /// Whether a process has ever been in `Done`.
    pub first_done: bool,
    /// Whether a write has begun since then, or old data has been dropped.
    pub copy_back: bool,
}

impl State {
    /// Returns `true` if `version` is a value, not a tombstone and not nothing.
    #[must_use]
    pub const fn is_value(&self, version: Version) -> bool {
        version > 0 && self.deletes >> version & 1 == 0
    }

    /// Returns `true` if a delete of version `floor` or later has begun, so that finding nothing
    /// is a right answer.
    #[must_use]
    pub const fn is_deleted_since(&self, floor: Version) -> bool {
        floor == 0 || self.deletes >> floor != 0
    }

    #[must_use]
    pub const fn at(&self, node: u8) -> Version {
        self.nodes[node as usize]
    }

    /// Returns the greatest version on `nodes`.
    #[must_use]
    pub fn greatest(&self, nodes: Nodes) -> Version {
        nodes.iter().map(|node| self.at(node)).max().unwrap_or(0)
    }

    /// Returns the same state with other names for processes and nodes.
    #[must_use]
    pub fn renamed(&self, processes: &[u8; MAX_PROCESSES], nodes: &[u8; MAX_NODES]) -> Self {
        let set = |old: Nodes| old.iter().map(|n| nodes[n as usize]).map(Nodes::one);
        let set = |old: Nodes| set(old).fold(Nodes(0), Nodes::union);
        let mut new = *self;
        for (from, &to) in nodes.iter().enumerate() {
            new.nodes[to as usize] = self.nodes[from];
        }
        for (from, &to) in processes.iter().enumerate() {
            new.processes[to as usize] = self.processes[from];
        }
        if let Some(read) = &mut new.read {
            read.process = processes[read.process as usize];
            read.asked = set(read.asked);
        }
        for write in new.writes.iter_mut().flatten() {
            write.process = processes[write.process as usize];
            write.pending = set(write.pending);
        }
        for copy in new.copies.iter_mut().flatten() {
            copy.taker = nodes[copy.taker as usize];
            copy.asked = set(copy.asked);
        }
        new.copied = set(new.copied);
        new.dropped = set(new.dropped);
        new.sorted()
    }

    /// Returns the state with its writes and copies in a fixed order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.writes.sort_unstable();
        self.copies.sort_unstable();
        self
    }
}
