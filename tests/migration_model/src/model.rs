//! The actions: all that can happen next in a state, and what must hold.

mod coordinator;
mod copies;
mod operations;
mod process;

use crate::config::{Config, Consistency, MAX_NODES, MAX_PROCESSES, Nodes};
use crate::rules::{Position, Rules};
use crate::state::{Process, State, Step, Version};

/// What happens between one state and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The coordinator publishes a step.
    Publish(Step),
    /// A process stores the step and applies it.
    Take {
        process: u8,
    },
    /// A process stores the step that it has acknowledged before (a broken rule).
    StoreLate {
        process: u8,
    },
    /// A process loses its operations, and starts again with the position that it has stored.
    CrashAndRestart {
        process: u8,
    },
    BeginRead {
        process: u8,
    },
    /// The read gets the answer of one node.
    ReadNode {
        node: u8,
    },
    BeginWrite {
        process: u8,
        version: Version,
        delete: bool,
    },
    /// The write arrives at one node.
    WriteNode {
        version: Version,
        node: u8,
    },
    /// The write fails half-way or, if it is acknowledged, never arrives at the other nodes.
    GiveUp {
        version: Version,
    },
    /// A copy to `taker` begins, or goes on: it reads `source`.
    ReadCopy {
        taker: u8,
        source: u8,
    },
    Deliver {
        taker: u8,
        version: Version,
    },
    LoseCopy {
        taker: u8,
        version: Version,
    },
    DropOldData {
        node: u8,
    },
    PurgeTombstone {
        node: u8,
    },
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// A read returns the last value that was acknowledged before the read began, or a later one.
    FreshReads,
    /// The last value that was acknowledged is on some node.
    NoLostCopy,
    /// After the end, each replica (under quorums: enough of them) has the last value.
    PlacedAtTheEnd,
    /// A node whose old data is dropped stays empty.
    NoLeftovers,
}

/// A placement change under some rules.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    pub config: Config,
    pub rules: Rules,
}

/// A state that follows from another, or the law that is broken on the way to it.
pub type Next = Result<State, Law>;

impl Model {
    /// Returns the states before the migration.
    ///
    /// The key has a value, or a tombstone, on all old members (under quorums: on more than half,
    /// and the others have an older value), or it was deleted and purged. The new members hold an
    /// older value, left from an earlier attempt.
    #[must_use]
    pub fn initial(&self) -> Vec<State> {
        let Config {
            old,
            new,
            consistency,
            ..
        } = self.config;
        let least = match consistency {
            Consistency::All => old.len(),
            Consistency::Quorum => old.quorum(),
        };
        let process = Process {
            stored: Position::BEFORE,
            applied: Position::BEFORE,
            acknowledged: true,
        };
        let empty = State {
            nodes: [0; MAX_NODES],
            deletes: 0,
            begun: 2,
            acknowledged: 2,
            published: Step::To(Position::BEFORE),
            processes: [process; MAX_PROCESSES],
            read: None,
            writes: [None; 2],
            copies: [None; 2],
            copied: Nodes(0),
            dropped: Nodes(0),
            first_done: false,
            copy_back: false,
        };
        let fill = |state: &State, nodes: Nodes, version| {
            let mut state = *state;
            nodes
                .iter()
                .for_each(|node| state.nodes[usize::from(node)] = version);
            state
        };
        let leftovers = fill(&empty, new.without(old), 1);
        let value = fill(&leftovers, old, 1);
        let deleted = State {
            deletes: 1 << 2,
            ..value
        };
        let purged = State {
            deletes: 1 << 2,
            ..leftovers
        };
        old.subsets(least)
            .flat_map(|holders| [fill(&value, holders, 2), fill(&deleted, holders, 2)])
            .chain([purged])
            .collect()
    }

    /// Calls `f` with each action that is possible in `state`, and what follows.
    pub fn for_each_next(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        self.coordinate(state, f);
        for process in 0..self.config.processes {
            self.process(state, process, f);
        }
        self.go_on_reading(state, f);
        self.go_on_writing(state, f);
        self.copy(state, f);
        self.clean_up(state, f);
    }

    /// Checks the laws in `next`, after the acknowledgements that follow by themselves.
    fn emit(&self, action: Action, mut next: State, f: &mut impl FnMut(Action, Next)) {
        self.acknowledge(&mut next);
        let next = next.without_old_deletes().sorted();
        f(action, self.broken(&next).map_or(Ok(next), Err));
    }

    /// Returns the law that does not hold in `state`. [`Law::FreshReads`] is checked on each read.
    fn broken(&self, state: &State) -> Option<Law> {
        let acknowledged = state.acknowledged;
        let deleted = state.is_deleted_since(acknowledged);
        let all = self.config.old.union(self.config.new);
        if !deleted && state.greatest(all) < acknowledged {
            return Some(Law::NoLostCopy);
        }
        if state.greatest(state.dropped) != 0 {
            return Some(Law::NoLeftovers);
        }
        let (_, to) = self.config.sides(self.end(state)?);
        let enough = match self.config.consistency {
            Consistency::All => to.len(),
            Consistency::Quorum => to.quorum(),
        };
        let holds = |&node: &u8| {
            state.at(node) >= acknowledged || (deleted && !state.is_value(state.at(node)))
        };
        let holders = to.iter().filter(holds).count();
        ((holders as u64) < u64::from(enough)).then_some(Law::PlacedAtTheEnd)
    }

    /// Returns the direction of the migration, if it has come to its end: the last step is
    /// acknowledged by all, the old data is dropped, and nothing is under way.
    #[must_use]
    pub fn end(&self, state: &State) -> Option<bool> {
        let Step::To(Position { reversed, .. }) = state.published else {
            return None;
        };
        let idle = state.writes == [None; 2] && state.copies == [None; 2];
        let dropped = self
            .leavers(state)
            .is_some_and(|nodes| state.dropped.includes(nodes));
        (idle && dropped).then_some(reversed)
    }
}
