//! An owner for every slot, in 2 bytes if ranks fit.

use alloc::vec::Vec;

/// Ranks by slot. Empty if no node is eligible.
#[derive(Debug, Clone)]
pub(super) enum Owners {
    /// The ranks of up to 65,536 members.
    Few(Vec<u16>),
    /// The ranks of more members.
    Many(Vec<u32>),
}

impl Owners {
    pub(super) const fn none() -> Self {
        Owners::Few(Vec::new())
    }

    /// Returns the ranks, below `members`, that `owner` returns for the slots 0 to `slots` − 1,
    /// called in this order.
    #[inline]
    pub(super) fn of(slots: usize, members: usize, owner: impl FnMut(usize) -> u32) -> Self {
        Owners::collect(members, (0..slots).map(owner))
    }

    /// Returns the ranks, below `members`, that `next` returns for each slot and its present owner.
    #[inline]
    pub(super) fn map(&self, members: usize, mut next: impl FnMut(usize, u32) -> u32) -> Self {
        match self {
            Owners::Few(ranks) => {
                let ranks = ranks.iter().enumerate();
                Owners::collect(members, ranks.map(|(slot, &rank)| next(slot, rank.into())))
            }
            Owners::Many(ranks) => {
                let ranks = ranks.iter().enumerate();
                Owners::collect(members, ranks.map(|(slot, &rank)| next(slot, rank)))
            }
        }
    }

    #[inline]
    fn collect(members: usize, ranks: impl Iterator<Item = u32>) -> Self {
        if members <= 1 << 16 {
            Owners::Few(ranks.map(|rank| rank as u16).collect())
        } else {
            Owners::Many(ranks.collect())
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
