//! The actions: all that can happen next in a state, and what must hold.

use crate::config::{Config, Consistency, Nodes};
use crate::rules::{Drain, Merge, Position, Rules, Source, Stage};
use crate::state::{Copying, Process, Read, State, Step, Version, Write};

/// What happens between one state and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The coordinator publishes a step.
    Publish(Step),
    /// A process stores the step and applies it.
    Take { process: u8 },
    /// A process stores the step that it has acknowledged before (a broken rule).
    StoreLate { process: u8 },
    /// A process loses its operations, and starts again with the position that it has stored.
    CrashAndRestart { process: u8 },
    BeginRead { process: u8 },
    /// The read gets the answer of one node.
    ReadNode { node: u8 },
    BeginWrite { process: u8, version: Version, delete: bool },
    /// The write arrives at one node.
    WriteNode { version: Version, node: u8 },
    /// The write fails half-way or, if it is acknowledged, never arrives at the other nodes.
    GiveUp { version: Version },
    /// A copy to `taker` begins, or goes on: it reads `source`.
    ReadCopy { taker: u8, source: u8 },
    Deliver { taker: u8, version: Version },
    LoseCopy { taker: u8, version: Version },
    DropOldData { node: u8 },
    PurgeTombstone { node: u8 },
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
        let Config { old, new, consistency, .. } = self.config;
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
            nodes: [0; 6],
            deletes: 0,
            begun: 2,
            acknowledged: 2,
            published: Step::To(Position::BEFORE),
            processes: [process; 3],
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
            nodes.iter().for_each(|node| state.nodes[usize::from(node)] = version);
            state
        };
        let leftovers = fill(&empty, new.without(old), 1);
        let value = fill(&leftovers, old, 1);
        let deleted = State { deletes: 1 << 2, ..value };
        let purged = State { deletes: 1 << 2, ..leftovers };
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

    // ---- The coordinator -----------------------------------------------------------------------

    fn coordinate(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        if let Some(step) = self.next_step(state) {
            let mut next = *state;
            if step == Step::To(Position::forward(Stage::Copying)) && self.rules.empty_taker {
                let takers = self.config.new.without(self.config.old);
                takers.iter().for_each(|node| next.nodes[usize::from(node)] = 0);
            }
            if matches!(step, Step::To(Position { reversed: true, .. })) {
                (next.first_done, next.copy_back) = (false, false);
            }
            self.publish(next, step, f);
        }
        if let Step::To(Position { reversed: false, stage }) = state.published {
            if self.config.reversal && stage != Stage::Before {
                self.publish(State { dropped: Nodes(0), ..*state }, Step::Reverse, f);
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
            Step::To(Position { reversed: false, stage }) => {
                let next = self.rules.next(stage)?;
                (stage != Stage::Copying || self.all_copied(state, false))
                    .then_some(Step::To(Position::forward(next)))
            }
            Step::To(Position { stage: Stage::Done, .. }) => None,
            Step::To(_) => Some(Step::To(Position::back(Stage::Done))),
            Step::Reverse => match self.least_stage(state) {
                Stage::Copying => (!self.rules.copy_back
                    || !state.copy_back
                    || self.all_copied(state, true))
                .then_some(Step::To(Position::back(Stage::Copied))),
                _ => Some(Step::To(Position::back(Stage::Done))),
            },
        }
    }

    fn processes<'a>(&self, state: &'a State) -> &'a [Process] {
        &state.processes[..self.config.processes]
    }

    fn all_acknowledged(&self, state: &State) -> bool {
        self.processes(state).iter().all(|process| process.acknowledged)
    }

    fn least_stage(&self, state: &State) -> Stage {
        let stages = self.processes(state).iter().map(|process| process.applied.stage);
        stages.min().unwrap_or(Stage::Done)
    }

    fn all_copied(&self, state: &State, reversed: bool) -> bool {
        state.copied.includes(self.takers(reversed))
    }

    // ---- A process -----------------------------------------------------------------------------

    /// Returns the position that a process at `at` enters when it takes the step.
    fn target(state: &State, at: Position) -> Position {
        match state.published {
            Step::To(to) if at.reversed == to.reversed && at.stage >= to.stage => at,
            Step::To(to) => to,
            Step::Reverse if at.reversed => at,
            Step::Reverse => at.reverse(),
        }
    }

    /// A process may take the step, crash, or begin an operation.
    ///
    /// Storing and applying a step is one action. To crash between the two is the same as to crash
    /// after both, because a crash loses the operations and restarts at the stored position.
    fn process(&self, state: &State, index: usize, f: &mut impl FnMut(Action, Next)) {
        let process = u8::try_from(index).unwrap_or(u8::MAX);
        let Process { stored, applied, .. } = state.processes[index];
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
        next.writes = next.writes.map(|w| w.filter(|write| write.process != process));
        if next != *state {
            self.emit(Action::CrashAndRestart { process }, next, f);
        }
        if state.read.is_none() {
            let floor = state.acknowledged;
            let read = Read { process, at: applied, floor, asked: Nodes(0), best: 0 };
            self.emit(Action::BeginRead { process }, State { read: Some(read), ..*state }, f);
        }
        if let Some(slot) = state.writes.iter().position(Option::is_none) {
            let version = state.begun + 1;
            if version <= 2 + self.config.writes {
                for delete in [false, true] {
                    let mut next = *state;
                    let pending = self.pending(applied);
                    next.writes[slot] = Some(Write { process, at: applied, version, pending });
                    next.begun = version;
                    next.deletes |= u8::from(delete) << version;
                    next.copy_back |= state.first_done;
                    self.emit(Action::BeginWrite { process, version, delete }, next, f);
                }
            }
        }
    }

    fn pending(&self, at: Position) -> Nodes {
        let [one, other] = self.rules.writes(at, self.config.old, self.config.new);
        one.union(other)
    }

    /// Lets each process acknowledge the step, if the rules allow it.
    ///
    /// It acknowledges as early as it may. A later acknowledgement only makes the coordinator
    /// wait, and the coordinator may wait anyway.
    fn acknowledge(&self, state: &mut State) {
        for index in 0..self.config.processes {
            let at = state.processes[index].applied;
            let mut running = (state.read.iter().map(|read| (read.process, read.at)))
                .chain(state.writes.iter().flatten().map(|write| (write.process, write.at)));
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

    // ---- Operations ----------------------------------------------------------------------------

    fn go_on_reading(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        let Some(read) = state.read else { return };
        let (side, fallback) = self.rules.reads(read.at, self.config.old, self.config.new);
        let ask = if read.asked.is_empty() { side } else { fallback.unwrap_or(side) };
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
            let best = if fallback.is_none() || state.is_value(best) { best } else { 0 };
            let now = state.processes[usize::from(read.process)].applied;
            let mut next = *state;
            next.read = if !complete {
                Some(Read { asked, best, ..read })
            } else if self.repeats() && now != read.at {
                Some(Read { at: now, asked: Nodes(0), best: 0, ..read })
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

    fn go_on_writing(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        for (slot, write) in state.writes.iter().enumerate() {
            let Some(write) = *write else { continue };
            let version = write.version;
            let now = state.processes[usize::from(write.process)].applied;
            for node in write.pending.iter() {
                let mut next = *state;
                let held = &mut next.nodes[usize::from(node)];
                *held = version.max(*held);
                let mut write =
                    Write { pending: write.pending.without(Nodes::one(node)), ..write };
                if self.is_acknowledged(write) {
                    if self.repeats() && now != write.at {
                        write = Write { at: now, pending: self.pending(now), ..write };
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

    fn repeats(&self) -> bool {
        matches!(self.rules.drain, Drain::Repeat | Drain::RepeatOnly)
    }

    fn is_acknowledged(&self, write: Write) -> bool {
        let sides = self.rules.writes(write.at, self.config.old, self.config.new);
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

    // ---- Copies --------------------------------------------------------------------------------

    /// Returns the direction in which copies may begin now.
    fn copying(&self, state: &State) -> Option<bool> {
        let all = self.all_acknowledged(state);
        match state.published {
            Step::To(at) if at == Position::forward(Stage::Copying) => {
                (all || !self.rules.copy_when_acknowledged).then_some(false)
            }
            Step::Reverse => {
                (all && state.first_done && self.least_stage(state) == Stage::Copying)
                    .then_some(true)
            }
            Step::To(_) => None,
        }
    }

    fn copy(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
        let free = state.copies.iter().position(Option::is_none);
        let free = free.filter(|_| state.copies.iter().flatten().count() < self.config.copies);
        if let (Some(slot), Some(reversed)) = (free, self.copying(state)) {
            for taker in self.takers(reversed).iter() {
                let copy = Copying { reversed, taker, asked: Nodes(0), best: 0 };
                self.read_copy(state, slot, copy, f);
            }
        }
        for (slot, copy) in state.copies.iter().enumerate() {
            let Some(copy) = *copy else { continue };
            let Copying { taker, best: version, .. } = copy;
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
    fn takers(&self, reversed: bool) -> Nodes {
        let (from, to) = self.config.sides(reversed);
        let quorums = self.config.consistency == Consistency::Quorum;
        if quorums && to.len() < from.len() && self.rules.copy_to_fewer {
            to
        } else {
            to.without(from)
        }
    }

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
            next.copies[slot] = Some(Copying { asked, best, ..copy });
            self.emit(Action::ReadCopy { taker, source }, next, f);
        }
    }

    /// Returns the one member that the copy reads, if it has to be this one.
    fn replaced(&self, copy: Copying) -> Option<u8> {
        let (from, to) = self.config.sides(copy.reversed);
        let one = self.config.consistency == Consistency::Quorum
            && self.rules.source == Source::Replaced
            && (from.len() <= to.len() || !self.rules.copy_to_fewer);
        self.config.replaced_by(copy.taker, copy.reversed).filter(|_| one)
    }

    /// Returns `true` if the copy has read enough to be delivered.
    fn has_read(&self, copy: Copying) -> bool {
        let (from, _) = self.config.sides(copy.reversed);
        let one = self.config.consistency == Consistency::All
            || self.rules.source == Source::AnyMember
            || self.replaced(copy).is_some();
        one || copy.asked.len() >= from.quorum()
    }

    // ---- Old data and tombstones ---------------------------------------------------------------

    /// Returns the members that leave, if the last step is acknowledged by all.
    fn leavers(&self, state: &State) -> Option<Nodes> {
        let Step::To(Position { reversed, stage: Stage::Done }) = state.published else {
            return None;
        };
        let (from, to) = self.config.sides(reversed);
        let to = if self.rules.drop_leavers_only { to } else { Nodes(0) };
        self.all_acknowledged(state).then_some(from.without(to))
    }

    fn clean_up(&self, state: &State, f: &mut impl FnMut(Action, Next)) {
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
        // Also without a migration, a store purges a tombstone only when all replicas have it and
        // no operation is under way.
        let dropped = leavers.filter(|&leavers| {
            state.dropped.includes(leavers) || !self.rules.drop_before_purge
        });
        let all = self.config.old.union(self.config.new);
        let purgers = match dropped {
            _ if running => Nodes(0),
            Some(leavers) if !all.without(leavers).iter().any(|n| state.is_value(state.at(n))) => {
                all.without(leavers)
            }
            _ if !self.rules.keep_tombstones => all,
            _ => Nodes(0),
        };
        for node in purgers.iter().filter(|&node| state.at(node) != 0) {
            if !state.is_value(state.at(node)) {
                let mut next = *state;
                next.nodes[usize::from(node)] = 0;
                self.emit(Action::PurgeTombstone { node }, next, f);
            }
        }
    }

    // ---- The laws ------------------------------------------------------------------------------

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
        let Step::To(Position { reversed, .. }) = state.published else { return None };
        let idle = state.writes == [None; 2] && state.copies == [None; 2];
        let dropped = self.leavers(state).is_some_and(|nodes| state.dropped.includes(nodes));
        (idle && dropped).then_some(reversed)
    }
}
