//! Reads and writes that have begun go on, one node at a time.

use super::{Action, Law, Model, Next};
use crate::config::{Consistency, Nodes};
use crate::rules::Drain;
use crate::state::{Read, State, Write};

impl Model {
    /// Lets one more node answer the read.
    pub(super) fn go_on_reading(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        let Some(read) = state.read else { return };
        let (side, fallback) = self.rules.reads(read.at, self.config.old, self.config.new);
        let ask = if read.asked.is_empty() {
            side
        } else {
            fallback.unwrap_or(side)
        };
        for node in ask.without(read.asked).iter() {
            let asked = read.asked.union(Nodes::one(node));
            let best = read.best.max(state.at(node));
            let complete = match (self.config.consistency, fallback) {
                // The answers still to come cannot make this read wrong.
                (_, None) if best >= read.floor => true,
                (Consistency::All, None) => true,
                (Consistency::All, Some(_)) => state.is_value(best) || asked.len() == 2,
                (Consistency::Quorum, _) => asked.len() >= side.quorum(),
            };
            // "Not there" is a miss, if the read goes on to the other side.
            let best = if fallback.is_none() || state.is_value(best) {
                best
            } else {
                0
            };
            let now = state.processes[usize::from(read.process)].applied;
            let mut next = *state;
            next.read = if !complete {
                Some(Read {
                    asked,
                    best,
                    ..read
                })
            } else if self.repeats() && now != read.at {
                Some(Read {
                    at: now,
                    asked: Nodes(0),
                    best: 0,
                    ..read
                })
            } else {
                None
            };
            let right = (state.is_value(best) && best >= read.floor)
                || (!state.is_value(best) && state.is_deleted_since(read.floor));
            if next.read.is_none() && !right {
                f(Action::ReadNode { node }, Err(Law::FreshReads));
            } else {
                self.emit(Action::ReadNode { node }, next, f);
            }
        }
    }

    /// Lets a write arrive at one more node, or end early.
    pub(super) fn go_on_writing(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        for (slot, write) in state.writes.iter().enumerate() {
            let Some(write) = *write else { continue };
            let version = write.version;
            let now = state.processes[usize::from(write.process)].applied;
            for node in write.pending.iter() {
                let mut next = *state;
                let held = &mut next.nodes[usize::from(node)];
                *held = version.max(*held);
                let mut write = Write {
                    pending: write.pending.without(Nodes::one(node)),
                    ..write
                };
                if self.is_acknowledged(write) {
                    if self.repeats() && now != write.at {
                        write = Write {
                            at: now,
                            pending: self.pending(now),
                            ..write
                        };
                    } else {
                        next.acknowledged = version.max(state.acknowledged);
                    }
                }
                next.writes[slot] = (!write.pending.is_empty()).then_some(write);
                self.emit(Action::WriteNode { version, node }, next, f);
            }
            let mut next = *state;
            next.writes[slot] = None;
            self.emit(Action::GiveUp { version }, next, f);
        }
    }

    /// Returns `true` if an operation is repeated when the stage has changed.
    fn repeats(&self) -> bool {
        matches!(self.rules.drain, Drain::Repeat | Drain::RepeatOnly)
    }

    /// Returns `true` if enough nodes have the write.
    fn is_acknowledged(&self, write: Write) -> bool {
        let sides = self
            .rules
            .writes(write.at, self.config.old, self.config.new);
        let enough = |side: Nodes| match self.config.consistency {
            Consistency::All => write.pending.is_empty(),
            Consistency::Quorum => side.without(write.pending).len() >= side.quorum(),
        };
        if self.rules.quorum_of_each_side {
            sides.into_iter().all(enough)
        } else {
            enough(sides[0].union(sides[1]))
        }
    }
}
