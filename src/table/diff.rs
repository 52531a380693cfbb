//! What moves between two tables: thin methods over `topology`, which is given slots and members.

use super::SlotTable;
use crate::error::DiffError;
use crate::hash::KeyHasher;
use crate::snapshot::same_hasher;
use crate::topology::{Migration, Union};

impl<N, H: KeyHasher> SlotTable<N, H> {
    /// What moves when this table becomes `new`: ranges of tokens, which are whole slots, from where, to where, exactly. Caps, weights and
    /// members may differ in any way; nodes are told apart by identity. O(N + M).
    ///
    /// # Errors
    /// [`DiffError::OtherHasher`] where the two hash a fixed probe differently, [`DiffError::OtherSlots`] where they differ in the
    /// number of slots.
    ///
    /// ```
    /// let old = clockwise::SlotTable::from_nodes(["a", "b", "c"])?;
    /// let mut new = old.clone();
    /// new.remove("b");
    ///
    /// let migration = old.diff(&new)?;
    /// let slot = (1u128 << 64) / old.slots() as u128; // tokens
    /// assert_eq!(migration.measure(), old.slots_of("b").unwrap().count() as u128 * slot);
    /// assert!(migration.moves().all(|m| m.from == Some(&"b") && m.to.is_some()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff<'a, H2: KeyHasher>(
        &'a self,
        new: &'a SlotTable<N, H2>,
    ) -> Result<Migration<'a, N>, DiffError> {
        let Union { nodes, places } = self.beside(new)?;
        let ranges = (0..self.slots()).map(|slot| {
            let (first, last) = self.tokens_of(slot);
            (first, last, self.owners.get(slot), new.owners.get(slot))
        });
        Ok(Migration::of_owners(nodes, &places, ranges))
    }

    /// Both memberships, if slots and hashers agree.
    fn beside<'a, H2: KeyHasher>(
        &'a self,
        new: &'a SlotTable<N, H2>,
    ) -> Result<Union<'a, N>, DiffError> {
        same_hasher(&self.hasher, &new.hasher)?;
        if self.slots() != new.slots() {
            return Err(DiffError::OtherSlots {
                old: self.slots() as u64,
                new: new.slots() as u64,
            });
        }
        Ok(Union::of(&self.nodes, &new.nodes))
    }

    /// The first and the last token of a slot.
    fn tokens_of(&self, slot: usize) -> (u64, u64) {
        let bits = self.config.bits;
        // In two steps, because the one slot of a table without bits has all 64.
        let first = (slot as u64) << (63 - bits) << 1;
        (first, first | u64::MAX >> bits)
    }
}
