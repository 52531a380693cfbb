//! A process takes steps, acknowledges them, crashes, and begins operations.

use super::{Action, Model, Next};
use crate::config::Nodes;
use crate::rules::{Drain, Position, Stage};
use crate::state::{Process, Read, State, Step, Write};

impl Model {
    /// Returns the position that a process at `at` enters when it takes the step.
    fn target(state: &State, at: Position) -> Position {
        match state.published {
            Step::To(to) if at.reversed == to.reversed && at.stage >= to.stage => at,
            Step::To(to) => to,
            Step::Reverse if at.reversed => at,
            Step::Reverse => at.reverse(),
        }
    }

    /// Lets a process take the step, crash, or begin an operation.
    ///
    /// Storing and applying a step is one action. To crash between the two is the same as to crash
    /// after both, because a crash loses the operations and restarts at the stored position.
    pub(super) fn process(&self, state: &State, index: usize, f: &mut impl FnMut(Action, Next)) {
        let process = u8::try_from(index).unwrap_or(u8::MAX);
        let Process {
            stored, applied, ..
        } = state.processes[index];
        let target = Self::target(state, applied);
        if target != applied {
            let mut next = *state;
            next.processes[index].applied = target;
            if self.rules.store_first {
                next.processes[index].stored = target;
            }
            next.first_done |= target == Position::forward(Stage::Done);
            self.emit(Action::Take { process }, next, f);
        }
        if stored != applied {
            let mut next = *state;
            next.processes[index].stored = applied;
            self.emit(Action::StoreLate { process }, next, f);
        }
        let mut next = *state;
        next.processes[index].applied = stored;
        next.read = next.read.filter(|read| read.process != process);
        next.writes = next
            .writes
            .map(|w| w.filter(|write| write.process != process));
        if next != *state {
            self.emit(Action::CrashAndRestart { process }, next, f);
        }
        if state.read.is_none() {
            let floor = state.acknowledged;
            let read = Read {
                process,
                at: applied,
                floor,
                asked: Nodes(0),
                best: 0,
            };
            self.emit(
                Action::BeginRead { process },
                State {
                    read: Some(read),
                    ..*state
                },
                f,
            );
        }
        let locked = self.rules.lock_while_copying && state.copies != [None; 2];
        let free = state.writes.iter().position(Option::is_none);
        if let Some(slot) = free.filter(|_| !locked) {
            let version = state.begun + 1;
            if version <= 2 + self.config.writes {
                for delete in [false, true] {
                    let mut next = *state;
                    let pending = self.pending(applied);
                    next.writes[slot] = Some(Write {
                        process,
                        at: applied,
                        version,
                        pending,
                    });
                    next.begun = version;
                    next.deletes |= u8::from(delete) << version;
                    next.copy_back |= state.first_done;
                    self.emit(
                        Action::BeginWrite {
                            process,
                            version,
                            delete,
                        },
                        next,
                        f,
                    );
                }
            }
        }
    }

    /// Returns all nodes that a write at `at` is sent to.
    pub(super) fn pending(&self, at: Position) -> Nodes {
        let [one, other] = self.rules.writes(at, self.config.old, self.config.new);
        one.union(other)
    }

    /// Lets each process acknowledge the step, if the rules allow it.
    ///
    /// It acknowledges as early as it may. A later acknowledgement only makes the coordinator
    /// wait, and the coordinator may wait anyway.
    pub(super) fn acknowledge(&self, state: &mut State) {
        for index in 0..self.config.processes {
            let at = state.processes[index].applied;
            let mut running = (state.read.iter().map(|read| (read.process, read.at))).chain(
                state
                    .writes
                    .iter()
                    .flatten()
                    .map(|write| (write.process, write.at)),
            );
            let waits = match self.rules.drain {
                Drain::Wait => true,
                Drain::Repeat => at.stage == Stage::Done,
                Drain::RepeatOnly | Drain::Ignore => false,
            };
            let drained = !waits
                || running.all(|(process, begun)| usize::from(process) != index || begun == at);
            state.processes[index].acknowledged |= drained && Self::target(state, at) == at;
        }
    }
}
