//! The sorted points of a ring and the index over them. It knows neither nodes nor hashers.
//!
//! # What it computes
//! `successor(t)` is the first point whose token is at or after `t`, or else the first point of
//! all. The oracle in the tests finds it by a linear scan. Points have one order only, by token and
//! then by owner, in whichever order they were added.
//!
//! # A point in 8 bytes
//! A point is a token of 64 bits and an owner. With N owners, an owner takes b = ⌈log₂ N⌉ bits, and
//! a slot is `token << b | owner`. The top b bits of the token are lost. A *lap*, the tokens that
//! share them, is a part of 2⁻ᵇ of the circle. The index says where on the circle a slot is, so
//! nothing has to be stored twice: two slots that are less than half a lap apart compare exactly,
//! by the sign of their difference.
//!
//! # How it avoids the search
//! Tokens are uniform, so the position of a token among P points is known to within a few places.
//! The circle is cut into 2 to 4 equal *cells* for each point. For every cell the index keeps the
//! number of points before it, which is where to start. The first or the second slot from there
//! usually is the answer, and one comparison without a branch decides between them. If neither is,
//! or if a slot may be too far away to be compared, a search in the group of cells decides.
//!
//! A binary search costs log₂ P mispredicted branches. Here the expected cost does not depend on P.
//! Measured beside it in one run, with 512 points for each node and keys of 16 bytes that are
//! strings. *Alone* is as a multiple of the first row, and *cold* is that after 32 MB of other
//! memory were touched before every 1000 routes:
//!
//! | alone, cold | 10 nodes | 100 | 1000 | 10,000 | bytes a point |
//! |---|---|---|---|---|---|
//! | sorted `(u64, u32)` + `partition_point` | 1, 1 | 1, 1 | 1, 1 | 1, 1 | 16 |
//! | **here** | **0.23, 0.42** | **0.18, 0.29** | **0.16, 0.17** | **0.10, 0.11** | 11.5 to 14 |
//! | the same, each slot tested in turn | 0.34, 0.45 | 0.25, 0.25 | 0.16, 0.15 | 0.09, 0.10 | 11.5 to 14 |
//! | 16 bits of token and 16 of owner; cells in groups of 64 bytes | 0.35, 0.47 | 0.24, 0.26 | 0.16, 0.20 | 0.12, 0.15 | 14.2 |
//! | the same, each slot tested in turn | 0.63, 0.61 | 0.41, 0.20 | 0.19, 0.17 | 0.09, 0.12 | 14.2 |
//! | 32 bits of token, 32 of owner, the rest apart; 4 slots compared | 0.29, 0.46 | 0.22, 0.35 | 0.17, 0.20 | 0.14, 0.15 | 14.3 |

mod change;
mod index;
mod run;
#[cfg(test)]
mod tests;

pub(crate) use run::Run;

use alloc::vec::Vec;
use index::{CELLS, Index, SEARCH};

/// The number of slots past the last point, so that a window never ends early. They stand for the
/// first point, at the last token of the circle.
const PAD: usize = 2;

/// A start past all slots, for tokens that only a search can find.
const FAR: usize = usize::MAX - PAD;

/// Points in order of token, then of owner, and their index.
#[derive(Debug)]
pub(crate) struct Points {
    /// One for each point, then the pad. Empty if there are no points.
    slots: Vec<u64>,
    index: Index,
}

impl Clone for Points {
    /// Keeps the spare room, so that a change of the copy does not copy it again.
    fn clone(&self) -> Self {
        let mut slots = Vec::with_capacity(self.slots.capacity());
        slots.extend_from_slice(&self.slots);
        Points {
            slots,
            index: self.index.clone(),
        }
    }
}

impl Points {
    pub(crate) const fn new() -> Points {
        Points {
            slots: Vec::new(),
            index: Index::EMPTY,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.slots.len().saturating_sub(PAD)
    }

    /// Returns the owner of the first point at or after `token`, or else of the first point.
    /// Returns `None` if there are no points.
    // Always inlined, for the reason that its caller gives.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(crate) fn owner_of(&self, token: u64) -> Option<u32> {
        let start = self.start(token)?;
        Some(self.owner_from(token, start))
    }

    /// Returns the owner of `token`, for which [`start`](Points::start) has returned `start`. If
    /// many starts are looked up first and then all owners, the processor waits for many lines of
    /// memory at the same time.
    #[inline]
    pub(crate) fn owner_from(&self, token: u64, start: usize) -> u32 {
        self.index.owner(self.settle(token, start).1)
    }

    /// Returns the owners of the points from `token` on, clockwise and without end. Each point is
    /// returned every time that it is passed.
    #[inline]
    pub(crate) fn walk(&self, token: u64) -> Walk<'_> {
        Walk {
            slots: &self.slots[..self.len()],
            at: self.position(token),
            owner: self.index.owner_mask,
        }
    }

    /// Returns the position of the first point at or after `token`, or the number of points if
    /// there is none.
    #[inline]
    fn position(&self, token: u64) -> usize {
        match self.start(token) {
            Some(start) => self.settle(token, start).0,
            None => 0,
        }
    }

    /// Returns the tokens and owners of all points, in order.
    pub(crate) fn iter(&self) -> Iter<'_> {
        self.from(0, 0)
    }

    /// Returns the tokens and owners of all points, each once, clockwise from `token`.
    pub(crate) fn around(&self, token: u64) -> impl Iterator<Item = (u64, u32)> {
        let at = self.position(token);
        let group = self.index.group_of(token);
        self.from(at, group).chain(self.iter().take(at))
    }

    /// Returns the points from position `at` on, which is in `group` or after it.
    fn from(&self, at: usize, group: usize) -> Iter<'_> {
        Iter {
            points: self,
            at,
            group,
            // Looked up at the first point.
            end: at,
        }
    }

    /// Returns where to start looking for `token`: a position at or before its successor's, or
    /// [`FAR`]. Returns `None` if there are no points.
    // Always inlined, for the reason that `owner_of`'s caller gives.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(crate) fn start(&self, token: u64) -> Option<usize> {
        let cell = self.index.cell_of(token);
        let group = self.index.groups.get(cell / CELLS)?;
        match group.before[cell % CELLS] {
            SEARCH => Some(FAR),
            before => Some(group.base as usize + usize::from(before)),
        }
    }

    /// Returns the position and the slot of the first point at or after `token`. The position may
    /// be the number of points, where the pad stands for the first point.
    // Always inlined, for the reason that `owner_of`'s caller gives.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn settle(&self, token: u64, start: usize) -> (usize, u64) {
        // This is not `get(start..)` and then `first_chunk`, which compiles to three tests instead
        // of one.
        if let Some(window) = self.slots.get(start..start + PAD) {
            let wanted = self.index.slot(token, 0);
            let k = is_before(window[0], wanted);
            if is_before(window[k], wanted) == 0 {
                return (start + k, window[k]);
            }
        }
        self.search(token)
    }

    /// Does what `settle` does if a window does not decide. It compares offsets within the group of
    /// cells, which are exact. If all points are in one group, that costs O(log P).
    #[cold]
    #[inline(never)]
    fn search(&self, token: u64) -> (usize, u64) {
        let p = self.place_of(token, 0);
        (p, self.slots[p])
    }

    /// Returns the number of points that are before a point of this token and owner. There must be
    /// points.
    fn place_of(&self, token: u64, owner: u32) -> usize {
        let group = self.index.group_of(token);
        let range = self.index.range(group);
        let origin = self.index.origin(group);
        let wanted = self.index.slot(token, owner).wrapping_sub(origin);
        let slots = &self.slots[range.clone()];
        range.start + slots.partition_point(|slot| slot.wrapping_sub(origin) < wanted)
    }

    /// Makes the slots past the last point stand for the first one.
    fn pad(&mut self) {
        let first = self.index.owner(self.slots[0]);
        let past_the_last = self.index.slot(u64::MAX, first);
        self.slots.extend([past_the_last; PAD]);
    }
}

/// Returns 1 if the token of `slot` is before the token of `wanted`, which has owner 0, or else 0.
/// They must be less than half a lap apart. It is the sign of the difference, shifted down, so that
/// no branch is compiled.
#[inline]
fn is_before(slot: u64, wanted: u64) -> usize {
    (slot.wrapping_sub(wanted) >> 63) as usize
}

/// An iterator over owners; see [`Points::walk`].
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a> {
    slots: &'a [u64],
    at: usize,
    owner: u32,
}

impl Iterator for Walk<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let slot = match self.slots.get(self.at) {
            Some(&slot) => slot,
            None => {
                self.at = 0;
                *self.slots.first()?
            }
        };
        self.at += 1;
        Some(slot as u32 & self.owner)
    }
}

/// An iterator over tokens and owners; see [`Points::iter`].
#[derive(Debug, Clone)]
pub(crate) struct Iter<'a> {
    points: &'a Points,
    at: usize,
    /// The next group, whose points begin at `end`.
    group: usize,
    end: usize,
}

impl Iterator for Iter<'_> {
    type Item = (u64, u32);

    #[inline]
    fn next(&mut self) -> Option<(u64, u32)> {
        if self.at == self.points.len() {
            return None;
        }
        let index = &self.points.index;
        while self.at >= self.end {
            self.end = index.range(self.group).end;
            self.group += 1;
        }
        let slot = self.points.slots[self.at];
        self.at += 1;
        Some((index.token(slot, self.group - 1), index.owner(slot)))
    }
}
