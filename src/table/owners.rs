//! An owner for every slot, in 2 bytes while ranks fit.

use alloc::vec::Vec;

/// Ranks by slot; empty where no node is eligible.
#[derive(Debug, Clone)]
pub(super) enum Owners {
    /// Of up to 65,536 members.
    Few(Vec<u16>),
    /// Of more.
    Many(Vec<u32>),
}

impl Owners {
    pub(super) const fn none() -> Self {
        Owners::Few(Vec::new())
    }

    /// The ranks, below `members`, that `owner` gives to the slots 0 to `slots` − 1, asked in this order.
    #[inline]
    pub(super) fn of(slots: usize, members: usize, mut owner: impl FnMut(usize) -> u32) -> Self {
        if members <= 1 << 16 {
            Owners::Few((0..slots).map(|slot| owner(slot) as u16).collect())
        } else {
            Owners::Many((0..slots).map(owner).collect())
        }
    }

    #[inline]
    pub(super) fn get(&self, slot: usize) -> Option<u32> {
        match self {
            Owners::Few(ranks) => ranks.get(slot).map(|&rank| u32::from(rank)),
            Owners::Many(ranks) => ranks.get(slot).copied(),
        }
    }

    /// Gives `slot`, which has an owner, to another.
    pub(super) fn set(&mut self, slot: usize, rank: u32) {
        match self {
            Owners::Few(ranks) => ranks[slot] = rank as u16,
            Owners::Many(ranks) => ranks[slot] = rank,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Owners::Few(ranks) => ranks.len(),
            Owners::Many(ranks) => ranks.len(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).filter_map(|slot| self.get(slot))
    }
}
