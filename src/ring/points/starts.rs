//! The index: for every cell of the circle, the position to start at.

use super::run::Run;
use alloc::vec::Vec;

/// The greatest number of points whose positions fit the 16 bits of a fine cell.
pub(super) const FINE_MAX: usize = u16::MAX as usize;

/// The number of cells for each point. Fine cells take 8 bytes a point, and two slots do not decide
/// 1 token in 100. Coarse cells take 2.1 bytes a point, and four slots do not decide 4 in 10,000.
pub(super) const FINE_CELLS: usize = 4;
pub(super) const COARSE_CELLS: usize = 2;

/// The number of coarse cells that share a base.
pub(super) const GROUP: usize = 64;

/// For every cell, a position at or before the first point that is in or after it.
#[derive(Debug, Clone)]
pub(super) enum Starts {
    /// The exact position.
    Fine(Vec<u16>),
    /// The exact position of each group, and what to add for each cell. At most 255 is added;
    /// beyond that, points are searched.
    Coarse { base: Vec<u32>, offset: Vec<u8> },
}

/// Returns the cell of `token` among `cells`, of which there are at most 2³². It is monotone, cells
/// differ in size by at most one high half, and their number need not be a power of two.
#[inline]
pub(super) fn cell_of(token: u64, cells: usize) -> usize {
    (((token >> 32) * cells as u64) >> 32) as usize
}

impl Starts {
    pub(super) fn of(run: &Run) -> Starts {
        if run.len() > FINE_MAX {
            let cells = coarse_cells(run.len());
            let mut offset = alloc::vec![0; cells];
            let mut base = Vec::with_capacity(cells.div_ceil(GROUP));
            let mut before = 0;
            for (g, group) in offset.chunks_mut(GROUP).enumerate() {
                base.push(before as u32);
                before = fill(group, g * GROUP, cells, run, before);
            }
            return Starts::Coarse { base, offset };
        }
        let cells = run.len() * FINE_CELLS;
        let mut starts = alloc::vec![0u16; cells];
        // The low half of a slot is an owner, but a cell does not depend on the low half.
        for &slot in &run.slots {
            starts[cell_of(slot, cells)] += 1;
        }
        let mut before = 0;
        for start in &mut starts {
            before += core::mem::replace(start, before);
        }
        Starts::Fine(starts)
    }

    /// Returns the index of `run`. `self` must be the index of a run that differs from it only in
    /// the groups `touched`, in ascending order. The other groups are copied and shifted as a
    /// whole, which saves five sixths of the time for one node of 1000.
    pub(super) fn after(&self, touched: &[u32], run: &Run) -> Starts {
        match self {
            Starts::Coarse { base, offset } if offset.len() == coarse_cells(run.len()) => {
                let (mut base, mut offset) = (base.clone(), offset.clone());
                let cells = offset.len();
                // How far the groups from here on shift. It wraps, because it may be negative.
                let (mut done, mut shift) = (0, 0u32);
                for &g in touched {
                    let group = g as usize;
                    let first = group * GROUP;
                    for base in &mut base[done..=group] {
                        *base = base.wrapping_add(shift);
                    }
                    done = group + 1;
                    let last = offset.len().min(first + GROUP);
                    let before = base[group] as usize;
                    let end = fill(&mut offset[first..last], first, cells, run, before);
                    if let Some(&next) = base.get(done) {
                        shift = (end as u32).wrapping_sub(next);
                    }
                }
                for base in &mut base[done..] {
                    *base = base.wrapping_add(shift);
                }
                Starts::Coarse { base, offset }
            }
            _ => Starts::of(run),
        }
    }

    /// Returns the group of a token, or 0 if there are no groups.
    pub(super) fn group_of(&self, token: u64) -> u32 {
        match self {
            Starts::Coarse { offset, .. } => (cell_of(token, offset.len()) / GROUP) as u32,
            Starts::Fine(_) => 0,
        }
    }
}

/// Returns the number of coarse cells for `points` points: at least [`COARSE_CELLS`] for each. The
/// number is the same over a range of some percent, so that a small change leaves most of an index
/// unchanged.
pub(super) fn coarse_cells(points: usize) -> usize {
    let least = points.saturating_mul(COARSE_CELLS);
    let step = (least.checked_next_power_of_two().unwrap_or(least) / 32).max(1);
    least
        .div_ceil(step)
        .saturating_mul(step)
        .min(u32::MAX as usize)
}

/// Fills a group of coarse cells. `first` is its first cell, and `before` the number of points
/// before that. Returns the number of points before the group's end.
fn fill(group: &mut [u8], first: usize, cells: usize, run: &Run, before: usize) -> usize {
    group.fill(0);
    let mut p = before;
    while let Some(&slot) = run.slots.get(p) {
        let Some(count) = group.get_mut(cell_of(slot, cells) - first) else {
            break;
        };
        *count = count.saturating_add(1);
        p += 1;
    }
    let mut sum = 0u8;
    for count in group {
        sum = sum.saturating_add(core::mem::replace(count, sum));
    }
    p
}

#[inline]
pub(super) fn coarse_start(base: &[u32], offset: &[u8], token: u64) -> usize {
    let cell = cell_of(token, offset.len());
    base[cell / GROUP] as usize + usize::from(offset[cell])
}
