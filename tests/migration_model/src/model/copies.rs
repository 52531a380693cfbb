//! Copies read their sources, are under way for any time, and arrive or are lost.

use super::{Action, Model, Next};
use crate::config::{Consistency, Nodes};
use crate::rules::{Merge, Position, Source, Stage};
use crate::state::{Copying, State, Step};

impl Model {
    /// Returns the direction in which copies may begin now.
    fn copying(&self, state: &State) -> Option<bool> {
        let all = self.all_acknowledged(state);
        match state.published {
            Step::To(at) if at == Position::forward(Stage::Copying) => {
                (all || !self.rules.copy_when_acknowledged).then_some(false)
            }
            Step::Reverse => (all && state.first_done && self.least_stage(state) == Stage::Copying)
                .then_some(true),
            Step::To(_) => None,
        }
    }

    /// Begins a copy, or lets one that is under way read on, arrive or get lost.
    pub(super) fn copy(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        let free = state.copies.iter().position(Option::is_none);
        let free = free.filter(|_| state.copies.iter().flatten().count() < self.config.copies);
        let alone = state.writes == [None; 2] && state.copies == [None; 2];
        let free = free.filter(|_| alone || !self.rules.lock_while_copying);
        if let (Some(slot), Some(reversed)) = (free, self.copying(state)) {
            for taker in self.takers(reversed).iter() {
                let copy = Copying {
                    reversed,
                    taker,
                    asked: Nodes(0),
                    best: 0,
                };
                self.read_copy(state, slot, copy, f);
            }
        }
        for (slot, copy) in state.copies.iter().enumerate() {
            let Some(copy) = *copy else { continue };
            let Copying {
                taker,
                best: version,
                ..
            } = copy;
            let mut next = *state;
            next.copies[slot] = None;
            self.emit(Action::LoseCopy { taker, version }, next, f);
            if !self.has_read(copy) {
                self.read_copy(state, slot, copy, f);
                continue;
            }
            let held = &mut next.nodes[usize::from(taker)];
            match self.rules.merge {
                Merge::Newer => *held = version.max(*held),
                Merge::IfAbsent if *held != 0 => {}
                Merge::Blind | Merge::IfAbsent => *held = version,
            }
            if self.copying(state) == Some(copy.reversed) {
                next.copied = next.copied.union(Nodes::one(taker));
            }
            self.emit(Action::Deliver { taker, version }, next, f);
        }
    }

    /// Returns the members that need a copy.
    pub(super) fn takers(&self, reversed: bool) -> Nodes {
        let (from, to) = self.config.sides(reversed);
        let quorums = self.config.consistency == Consistency::Quorum;
        if quorums && to.len() < from.len() && self.rules.copy_to_fewer {
            to
        } else {
            to.without(from)
        }
    }

    /// Reads one more source, or the first one.
    fn read_copy(
        &self,
        state: &State,
        slot: usize,
        copy: Copying,
        f: &mut impl FnMut(Action, Next),
    ) {
        let taker = copy.taker;
        let (from, _) = self.config.sides(copy.reversed);
        let sources = match self.replaced(copy) {
            Some(replaced) => Nodes::one(replaced),
            None => from.without(copy.asked),
        };
        for source in sources.iter() {
            let asked = copy.asked.union(Nodes::one(source));
            let best = copy.best.max(state.at(source));
            let mut next = *state;
            next.copies[slot] = Some(Copying {
                asked,
                best,
                ..copy
            });
            self.emit(Action::ReadCopy { taker, source }, next, f);
        }
    }

    /// Returns the one member that the copy reads, if it has to be this one.
    fn replaced(&self, copy: Copying) -> Option<u8> {
        let (from, to) = self.config.sides(copy.reversed);
        let one = self.config.consistency == Consistency::Quorum
            && self.rules.source == Source::Replaced
            && (from.len() <= to.len() || !self.rules.copy_to_fewer);
        self.config
            .replaced_by(copy.taker, copy.reversed)
            .filter(|_| one)
    }

    /// Returns `true` if the copy has read enough to be delivered.
    fn has_read(&self, copy: Copying) -> bool {
        let (from, _) = self.config.sides(copy.reversed);
        let one = self.config.consistency == Consistency::All
            || self.rules.source == Source::AnyMember
            || self.replaced(copy).is_some();
        one || copy.asked.len() >= from.quorum()
    }
}
