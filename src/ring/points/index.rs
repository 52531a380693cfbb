//! The index: for every cell of the circle, the position to start at. It also says where on the
//! circle a slot is, which a slot itself does not.

use alloc::vec::Vec;
use core::ops::Range;

/// The number of cells that share a base.
pub(super) const CELLS: usize = 16;

/// The least number of cells for each point. The power of two at or above it is taken, so there are
/// 2 to 4. With 2, one token in 30 is not decided by two slots, and slots and index together take
/// 11.5 bytes a point. With 4 it is one in 100, and they take 14.
const CELLS_A_POINT: u64 = 2;

/// The most groups that one start may be away from its point.
const REACH: usize = 4;

/// Marks a cell whose first point is too far away, or has too many points before it in the group.
pub(super) const SEARCH: u8 = u8::MAX;

/// Neighbouring cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    /// The number of points before the group.
    pub(super) base: u32,
    /// For each cell, the number of points of the group before it, or [`SEARCH`].
    pub(super) before: [u8; CELLS],
}

/// A group whose points have changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touched {
    pub(super) group: u32,
    /// `true` if it has no points, or had none before the change.
    pub(super) was_or_is_empty: bool,
}

/// How slots are encoded, and how the circle is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// The number of bits of an owner in a slot.
    pub(super) bits: u32,
    /// The number of bits of a token within its cell.
    cell_bits: u32,
}

impl Shape {
    /// Returns the shape for this many points of this many owners.
    ///
    /// A group is at most half a lap, so that all offsets within a group are exact. That sets the
    /// number of cells if the owners have fewer than 16 points each, on average.
    pub(super) fn of(points: usize, owners: usize) -> Shape {
        let bits = owners.next_power_of_two().trailing_zeros();
        let wanted = (points as u64 * CELLS_A_POINT).max((2 * CELLS as u64) << bits);
        Shape {
            bits,
            cell_bits: u64::BITS - wanted.next_power_of_two().trailing_zeros(),
        }
    }

    fn groups(self) -> usize {
        1 << (u64::BITS - self.cell_bits - CELLS.trailing_zeros())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    /// One more than there are groups; the last holds the number of points. Empty if there are no
    /// points.
    pub(super) groups: Vec<Group>,
    pub(super) shape: Shape,
    /// The bits of an owner in a slot.
    pub(super) owner_mask: u32,
}

impl Index {
    pub(super) const EMPTY: Index = Index {
        groups: Vec::new(),
        shape: Shape {
            bits: 0,
            cell_bits: u64::BITS - 1,
        },
        owner_mask: 0,
    };

    /// Returns the index of no points, to be counted and then [finished](Index::finish).
    pub(super) fn blank(shape: Shape) -> Index {
        let group = Group {
            base: 0,
            before: [0; CELLS],
        };
        Index {
            groups: alloc::vec![group; shape.groups() + 1],
            shape,
            owner_mask: ((1u64 << shape.bits) - 1) as u32,
        }
    }

    /// Counts a point of a blank index.
    #[inline]
    pub(super) fn count(&mut self, token: u64) {
        let cell = self.cell_of(token);
        let group = &mut self.groups[cell / CELLS];
        group.base += 1;
        let count = &mut group.before[cell % CELLS];
        *count = count.saturating_add(1);
    }

    /// Replaces the counts of cells by positions.
    pub(super) fn finish(&mut self) {
        let mut base = 0;
        for group in &mut self.groups {
            base += core::mem::replace(&mut group.base, base);
        }
        for group in 0..self.groups.len() - 1 {
            self.close(group);
        }
    }

    /// Replaces the counts of a group's cells by the number of points before each.
    fn close(&mut self, group: usize) {
        // Up to here, points are less than half a lap away from the group. At the end of the circle
        // that includes the pad.
        let last = self.groups.len() - 1;
        let near = self.groups[..last].get(group + self.reach());
        let near = near.map(|group| group.base);
        let group = &mut self.groups[group];
        let mut sum = 0u32;
        for cell in &mut group.before {
            let count = core::mem::replace(cell, SEARCH);
            if near != Some(group.base + sum) && sum < u32::from(SEARCH) {
                *cell = sum as u8;
            }
            sum += u32::from(count);
        }
    }

    /// Returns how many groups together are at most half a lap, up to a limit that keeps changes
    /// local.
    fn reach(&self) -> usize {
        (self.shape.groups() >> (self.shape.bits + 1)).min(REACH)
    }

    /// Counts groups again after their points have changed. `touched` must be in ascending order,
    /// and all bases must be right. `slots` are those of all points.
    pub(super) fn recount(&mut self, touched: &[Touched], slots: &[u64]) {
        let mut done = 0;
        for &Touched {
            group,
            was_or_is_empty,
        } in touched
        {
            let touched = group as usize;
            let mut from = touched;
            if was_or_is_empty {
                // The groups before it look for their first point up to here.
                from = (touched + 1).saturating_sub(self.reach()).max(done);
            }
            for group in from..=touched {
                let (range, origin) = (self.range(group), self.origin(group));
                let mut counts = [0u8; CELLS];
                for slot in &slots[range] {
                    let offset = slot.wrapping_sub(origin) >> self.shape.bits;
                    let count = &mut counts[(offset >> self.shape.cell_bits) as usize % CELLS];
                    *count = count.saturating_add(1);
                }
                self.groups[group].before = counts;
                self.close(group);
            }
            done = touched + 1;
        }
    }

    #[inline]
    pub(super) fn cell_of(&self, token: u64) -> usize {
        (token >> self.shape.cell_bits) as usize
    }

    #[inline]
    pub(super) fn group_of(&self, token: u64) -> usize {
        self.cell_of(token) / CELLS
    }

    /// Returns the positions of a group's points.
    #[inline]
    pub(super) fn range(&self, group: usize) -> Range<usize> {
        self.groups[group].base as usize..self.groups[group + 1].base as usize
    }

    /// Returns the slot of a point.
    #[inline]
    pub(super) fn slot(&self, token: u64, owner: u32) -> u64 {
        token << self.shape.bits | u64::from(owner)
    }

    /// Returns the owner of a slot.
    #[inline]
    pub(super) fn owner(&self, slot: u64) -> u32 {
        slot as u32 & self.owner_mask
    }

    /// Returns the slot of a group's first token.
    #[inline]
    pub(super) fn origin(&self, group: usize) -> u64 {
        self.slot(self.first_token(group), 0)
    }

    #[inline]
    fn first_token(&self, group: usize) -> u64 {
        ((group * CELLS) as u64) << self.shape.cell_bits
    }

    /// Returns the token of a slot of this group.
    #[inline]
    pub(super) fn token(&self, slot: u64, group: usize) -> u64 {
        let first = self.first_token(group);
        first + (slot.wrapping_sub(self.slot(first, 0)) >> self.shape.bits)
    }
}
