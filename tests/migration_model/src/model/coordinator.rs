//! The coordinator publishes the steps. It drops old data and purges tombstones after the last one.

use super::{Action, Model, Next};
use crate::config::Nodes;
use crate::rules::{Position, Stage};
use crate::state::{Process, State, Step};

impl Model {
    /// Publishes the next step, or reverses the migration once.
    pub(super) fn coordinate(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        if let Some(step) = self.next_step(state) {
            let mut next = *state;
            if step == Step::To(Position::forward(Stage::Copying)) && self.rules.empty_taker {
                let takers = self.config.new.without(self.config.old);
                takers
                    .iter()
                    .for_each(|node| next.nodes[usize::from(node)] = 0);
            }
            if matches!(step, Step::To(Position { reversed: true, .. })) {
                (next.first_done, next.copy_back) = (false, false);
            }
            self.publish(next, step, f);
        }
        if let Step::To(Position {
            reversed: false,
            stage,
        }) = state.published
        {
            if self.config.reversal && stage != Stage::Before {
                let dropped = Nodes(0);
                self.publish(State { dropped, ..*state }, Step::Reverse, f);
            }
        }
    }

    fn publish(&self, mut next: State, step: Step, f: &mut impl FnMut(Action, Next)) {
        next.published = step;
        next.copied = Nodes(0);
        for process in &mut next.processes[..self.config.processes] {
            process.acknowledged = false;
        }
        self.emit(Action::Publish(step), next, f);
    }

    /// Returns the step that may be published now.
    fn next_step(&self, state: &State) -> Option<Step> {
        if self.rules.wait_for_all && !self.all_acknowledged(state) {
            return None;
        }
        match state.published {
            Step::To(Position {
                reversed: false,
                stage,
            }) => {
                let next = self.rules.next(stage)?;
                (stage != Stage::Copying || self.all_copied(state, false))
                    .then_some(Step::To(Position::forward(next)))
            }
            Step::To(Position {
                stage: Stage::Done, ..
            }) => None,
            Step::To(_) => Some(Step::To(Position::back(Stage::Done))),
            Step::Reverse => match self.least_stage(state) {
                Stage::Copying => {
                    (!self.rules.copy_back || !state.copy_back || self.all_copied(state, true))
                        .then_some(Step::To(Position::back(Stage::Copied)))
                }
                _ => Some(Step::To(Position::back(Stage::Done))),
            },
        }
    }

    fn processes<'a>(&self, state: &'a State) -> &'a [Process] {
        &state.processes[..self.config.processes]
    }

    pub(super) fn all_acknowledged(&self, state: &State) -> bool {
        self.processes(state)
            .iter()
            .all(|process| process.acknowledged)
    }

    /// Returns the stage of the process that is farthest behind.
    pub(super) fn least_stage(&self, state: &State) -> Stage {
        let stages = self
            .processes(state)
            .iter()
            .map(|process| process.applied.stage);
        stages.min().unwrap_or(Stage::Done)
    }

    /// Returns `true` if the rules let the range be `Copied`.
    fn all_copied(&self, state: &State, reversed: bool) -> bool {
        let takers = self.takers(reversed);
        let one = !state.copied.is_empty() && !self.rules.copied_after_all_moves;
        one || state.copied.includes(takers)
    }

    /// Returns the members that leave, if the last step is acknowledged by all.
    pub(super) fn leavers(&self, state: &State) -> Option<Nodes> {
        let Step::To(Position {
            reversed,
            stage: Stage::Done,
        }) = state.published
        else {
            return None;
        };
        let (from, to) = self.config.sides(reversed);
        let to = if self.rules.drop_leavers_only {
            to
        } else {
            Nodes(0)
        };
        let now = self.all_acknowledged(state) || !self.rules.drop_when_acknowledged;
        now.then_some(from.without(to))
    }

    /// Drops old data after the last step, and then purges tombstones.
    pub(super) fn clean_up(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        let copies_ended = state.copies == [None; 2] || !self.rules.end_copies_first;
        let running = state.read.is_some() || state.writes != [None; 2];
        let leavers = self.leavers(state).filter(|_| copies_ended);
        for node in leavers.unwrap_or_default().without(state.dropped).iter() {
            let mut next = *state;
            next.nodes[usize::from(node)] = 0;
            next.dropped = next.dropped.union(Nodes::one(node));
            next.copy_back |= state.first_done;
            self.emit(Action::DropOldData { node }, next, f);
        }
        // Even without a migration, a store may purge a tombstone only when no replica has a value
        // any more and no operation is under way.
        let dropped = leavers
            .filter(|&leavers| state.dropped.includes(leavers) || !self.rules.drop_before_purge);
        let all = self.config.old.union(self.config.new);
        let kept = dropped.map(|leavers| all.without(leavers));
        let deleted = |nodes: &Nodes| nodes.iter().all(|node| !state.is_value(state.at(node)));
        let purgers = match kept.filter(deleted) {
            _ if running => Nodes(0),
            Some(kept) => kept,
            None if !self.rules.keep_tombstones => all,
            None => Nodes(0),
        };
        for node in purgers.iter().filter(|&node| state.at(node) != 0) {
            if !state.is_value(state.at(node)) {
                let mut next = *state;
                next.nodes[usize::from(node)] = 0;
                self.emit(Action::PurgeTombstone { node }, next, f);
            }
        }
    }
}
