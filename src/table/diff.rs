//! What changed between two tables, slot by slot.

use super::SlotTable;
use crate::error::SlotDiffError;
use crate::hash::KeyHasher;
use alloc::vec::Vec;

/// A slot whose owner differs between two tables.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotMove<'a, N> {
    /// The slot.
    pub slot: usize,
    /// Its owner in the old table; `None` where that has no eligible node.
    pub from: Option<&'a N>,
    /// Its owner in the new table; `None` where that has no eligible node.
    pub to: Option<&'a N>,
}

impl<N> Clone for SlotMove<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for SlotMove<'_, N> {}

/// The slots whose owners differ between two tables; see [`SlotTable::diff`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotDiff<'a, N> {
    slots: usize,
    moves: Vec<SlotMove<'a, N>>,
}

impl<'a, N> SlotDiff<'a, N> {
    /// The moves, by slot, ascending.
    pub fn moves(&self) -> &[SlotMove<'a, N>] {
        &self.moves
    }

    /// How many slots move.
    pub fn len(&self) -> usize {
        self.moves.len()
    }

    /// Whether no slot moves.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    /// The part of all tokens that moves, 0 to 1.
    pub fn share(&self) -> f64 {
        self.moves.len() as f64 / self.slots as f64
    }
}

impl<N, H: KeyHasher> SlotTable<N, H> {
    /// The slots that move when this table gives way to `new`: those whose owners differ by identity.
    ///
    /// The tables may differ in their cap; a payload that was [replaced](SlotTable::replace) is no move. O(M).
    ///
    /// # Errors
    /// [`SlotDiffError`] where they differ in the number of slots or in the hasher (tested on a fixed probe).
    ///
    /// ```
    /// let old = clockwise::SlotTable::from_nodes(["a", "b", "c"])?;
    /// let mut new = old.clone();
    /// new.remove("b");
    /// let diff = old.diff(&new)?;
    /// assert_eq!(diff.len(), old.slots_of("b").unwrap().count());
    /// assert!(diff.moves().iter().all(|m| m.from == Some(&"b") && m.to.is_some()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff<'a>(&'a self, new: &'a SlotTable<N, H>) -> Result<SlotDiff<'a, N>, SlotDiffError> {
        if self.slots() != new.slots() {
            return Err(SlotDiffError::Slots {
                old: self.slots(),
                new: new.slots(),
            });
        }
        let probe = |table: &SlotTable<N, H>| table.hasher.hash_bytes(b"clockwise probe");
        if probe(self) != probe(new) {
            return Err(SlotDiffError::Hashers);
        }
        let entries = self.nodes.entries().iter();
        let renumbered: Vec<Option<u32>> = entries
            .map(|entry| new.nodes.rank_of(&entry.identity).map(|rank| rank as u32))
            .collect();
        let moves = (0..self.slots()).filter_map(|slot| {
            let (from, to) = (self.owners.get(slot), new.owners.get(slot));
            let moves = match (from, to) {
                (Some(from), Some(to)) => renumbered[from as usize] != Some(to),
                _ => from.is_some() || to.is_some(),
            };
            moves.then(|| SlotMove {
                slot,
                from: self.owner_of(slot),
                to: new.owner_of(slot),
            })
        });
        Ok(SlotDiff {
            slots: self.slots(),
            moves: moves.collect(),
        })
    }
}
