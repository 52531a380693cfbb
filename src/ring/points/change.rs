//! Changes the points in place. Nothing here can fail or run a caller's code.

use super::index::{Index, Shape, Touched};
use super::run::Run;
use super::{PAD, Points};
use alloc::vec::Vec;

/// Marks an owner whose points are removed. No owner has this number, because there are fewer than
/// 2³² points.
const GONE: u32 = u32::MAX;

impl Points {
    /// Renumbers owners, removes the points of those that are renumbered to `None`, and adds
    /// points. Afterwards there are `owners` owners.
    ///
    /// `renumber` must keep the order of the owners that stay, so that the points that stay are in
    /// order already.
    ///
    /// # Performance
    /// O(P), about two passes. Points move within the memory that they have, which is a third
    /// faster than copying them to fresh memory, and holds them once. Memory grows by an
    /// eighth more than is needed, so that most additions need none.
    pub(crate) fn change(&mut self, renumber: &[Option<u32>], added: Run, owners: usize) {
        if self.len() == 0 || renumber.iter().all(Option::is_none) {
            *self = Points::of(added, owners);
            return;
        }
        self.slots.truncate(self.len());
        let wider = Shape::of(self.slots.len(), owners);
        if wider.bits > self.index.shape.bits {
            self.reshape(wider);
        }
        self.keep(renumber);
        if self.slots.is_empty() {
            *self = Points::of(added, owners);
            return;
        }
        self.reshape(Shape::of(self.slots.len() + added.len(), owners));
        self.merge(&added);
        self.pad();
    }

    /// Returns the points of a run, with owners up to the greatest in it. Points that coincide stay
    /// in the order of the run.
    #[cfg(feature = "compat")]
    pub(crate) fn of_owners_in(run: Run) -> Points {
        let owners = run
            .owners
            .iter()
            .max()
            .map_or(0, |&owner| owner as usize + 1);
        Points::of(run, owners)
    }

    /// Returns the points of a run.
    fn of(run: Run, owners: usize) -> Points {
        let mut points = Points::new();
        if run.len() > 0 {
            let mut index = Index::blank(Shape::of(run.len(), owners));
            let mut slots = run.tokens;
            for (slot, &owner) in slots.iter_mut().zip(&run.owners) {
                index.count(*slot);
                *slot = index.slot(*slot, owner);
            }
            index.finish();
            points = Points { slots, index };
            points.pad();
        }
        points
    }

    /// Encodes the slots and counts the index anew, if the shape is another.
    fn reshape(&mut self, shape: Shape) {
        if shape == self.index.shape {
            return;
        }
        let mut index = Index::blank(shape);
        for group in 0..self.index.groups.len() - 1 {
            for slot in &mut self.slots[self.index.range(group)] {
                let token = self.index.token(*slot, group);
                index.count(token);
                *slot = index.slot(token, self.index.owner(*slot));
            }
        }
        index.finish();
        self.index = index;
    }

    /// Keeps the points of the owners that stay, under their new numbers.
    fn keep(&mut self, renumber: &[Option<u32>]) {
        if renumber.iter().zip(0..).all(|(&owner, i)| owner == Some(i)) {
            return;
        }
        if let Some((from, by)) = single_step(renumber) {
            // A sum that carries instead of a comparison, because that compiles to vector code. It
            // takes a third of the time of a table of owners.
            let mask = u64::from(self.index.owner_mask);
            let (carry, bits) = (mask + 1 - from, self.index.shape.bits);
            for slot in &mut self.slots {
                *slot += (((*slot & mask) + carry) >> bits) * by;
            }
            return;
        }
        let mut owners: Vec<u32> = renumber.iter().map(|owner| owner.unwrap_or(GONE)).collect();
        // With a power of two of them, no index has to be checked.
        owners.resize(owners.len().next_power_of_two(), GONE);
        let mask = owners.len() - 1;
        let renumbered = |slot: u64| owners[slot as usize & mask];
        let (mut removed, mut kept) = (Vec::new(), 0);
        let clear = !u64::from(self.index.owner_mask);
        for read in 0..self.slots.len() {
            let slot = self.slots[read];
            let owner = renumbered(slot);
            if owner == GONE {
                removed.push(read as u32);
            } else {
                self.slots[kept] = slot & clear | u64::from(owner);
                kept += 1;
            }
        }
        self.slots.truncate(kept);
        if self.slots.capacity() / 8 * 7 > Run::room(kept) {
            self.slots.shrink_to(Run::room(kept));
        }
        let (mut touched, mut gone, mut begin) = (Vec::new(), 0, 0);
        for (end, group) in self.index.groups.iter_mut().enumerate() {
            let before = gone;
            while removed.get(gone).is_some_and(|&place| place < group.base) {
                gone += 1;
            }
            group.base -= gone as u32;
            if gone > before {
                touched.push(Touched {
                    group: end as u32 - 1,
                    was_or_is_empty: group.base == begin,
                });
            }
            begin = group.base;
        }
        self.index.recount(&touched, &self.slots);
    }

    /// Adds points. Moves each stretch between two new points once, the last first.
    fn merge(&mut self, added: &Run) {
        let places = added
            .iter()
            .map(|(token, owner)| self.place_of(token, owner));
        let places: Vec<usize> = places.collect();
        let len = self.slots.len();
        if self.slots.capacity() < len + added.len() + PAD {
            self.slots.reserve_exact(Run::room(len + added.len()) - len);
        }
        self.slots.resize(len + added.len(), 0);
        let mut end = len;
        for (j, ((token, owner), &place)) in added.iter().zip(&places).enumerate().rev() {
            self.slots.copy_within(place..end, place + j + 1);
            self.slots[place + j] = self.index.slot(token, owner);
            end = place;
        }
        let (mut touched, mut done) = (Vec::<Touched>::new(), 0);
        for (j, &token) in added.tokens.iter().enumerate() {
            let group = self.index.group_of(token);
            if touched
                .last()
                .is_some_and(|last| last.group == group as u32)
            {
                continue;
            }
            touched.push(Touched {
                group: group as u32,
                was_or_is_empty: self.index.range(group).is_empty(),
            });
            for before in &mut self.index.groups[done..=group] {
                before.base += j as u32;
            }
            done = group + 1;
        }
        for after in &mut self.index.groups[done..] {
            after.base += added.len() as u32;
        }
        self.index.recount(&touched, &self.slots);
    }
}

/// Returns `(from, by)` if all owners stay, and those from `from` on move up by `by`. So it is if
/// one node is added.
fn single_step(renumber: &[Option<u32>]) -> Option<(u64, u64)> {
    let mut numbers = renumber.iter().zip(0u64..);
    let (&moved, from) = numbers.find(|&(&owner, i)| owner.map(u64::from) != Some(i))?;
    let by = u64::from(moved?) - from;
    let is_moved = |(owner, i): (&Option<u32>, u64)| owner.map(u64::from) == Some(i + by);
    numbers.all(is_moved).then_some((from, by))
}
