//! The state of the model: what is on the nodes, in the processes, and under way between them.

use crate::config::{MAX_NODES, MAX_PROCESSES, Nodes};
use crate::names::Names;
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
    /// Whether it began after a reversal, so that it reads the new side.
    pub reversed: bool,
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

    /// Returns the versions on the nodes under other names.
    #[must_use]
    pub fn renamed_nodes(&self, names: &Names) -> [Version; MAX_NODES] {
        let mut nodes = [0; MAX_NODES];
        for (&name, version) in names.nodes.iter().zip(self.nodes) {
            nodes[name as usize] = version;
        }
        nodes
    }

    /// Returns the same state with other names for processes and nodes.
    #[must_use]
    pub fn renamed(&self, names: &Names) -> Self {
        let process = |process: u8| names.processes[process as usize];
        let mut new = Self {
            nodes: self.renamed_nodes(names),
            ..*self
        };
        for (&name, &process) in names.processes.iter().zip(&self.processes) {
            new.processes[name as usize] = process;
        }
        if let Some(read) = &mut new.read {
            read.process = process(read.process);
            read.asked = names.set(read.asked);
        }
        for write in new.writes.iter_mut().flatten() {
            write.process = process(write.process);
            write.pending = names.set(write.pending);
        }
        for copy in new.copies.iter_mut().flatten() {
            copy.taker = names.nodes[copy.taker as usize];
            copy.asked = names.set(copy.asked);
        }
        new.copied = names.set(new.copied);
        new.dropped = names.set(new.dropped);
        new.sorted()
    }

    /// Returns the state without knowing which versions were deletes, if that can no longer matter:
    /// the version is older than all that a read may return, and it is not in use.
    #[must_use]
    pub fn without_old_deletes(mut self) -> Self {
        let floor = self.read.map_or(self.acknowledged, |read| read.floor);
        let writes = self.writes.iter().flatten().map(|write| write.version);
        let copies = self.copies.iter().flatten().map(|copy| copy.best);
        let read = self.read.iter().map(|read| read.best);
        let held = self
            .nodes
            .into_iter()
            .chain(writes)
            .chain(copies)
            .chain(read);
        let in_use = held.fold(u8::MAX << floor, |bits, version| bits | 1 << version);
        self.deletes &= in_use;
        self
    }

    /// Returns the state with its writes and copies in a fixed order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.writes.sort_unstable();
        self.copies.sort_unstable();
        self
    }
}
