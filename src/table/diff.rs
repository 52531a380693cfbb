//! What moves between two tables: hands slots and members to `migration`.

use super::SlotTable;
use crate::error::DiffError;
use crate::hash::{KeyHasher, Token};
use crate::migration::{Domains, Pieces, Places, Union, diff_verbs, replica_set};
use crate::snapshot::same_hasher;
use alloc::vec::Vec;

diff_verbs!(
    SlotTable,
    performance: "O(N + M) for N nodes and M slots.",
        "O(N·M·n) for small n.",
    errors: "[`DiffError::HasherMismatch`](crate::error::DiffError::HasherMismatch) if the two hash a \
        fixed probe differently, \
        [`DiffError::SlotCountMismatch`](crate::error::DiffError::SlotCountMismatch) if they differ in \
        their number of slots."
);

impl<N, H: KeyHasher> SlotTable<N, H> {
    /// Both memberships, if slots and hashers agree.
    fn beside<'a, H2: KeyHasher>(
        &'a self,
        new: &'a SlotTable<N, H2>,
    ) -> Result<Union<'a, N>, DiffError> {
        same_hasher(&self.hasher, &new.hasher)?;
        if self.slot_count() != new.slot_count() {
            return Err(DiffError::SlotCountMismatch {
                old: self.slot_count() as u64,
                new: new.slot_count() as u64,
            });
        }
        Ok(Union::of(&self.nodes, &new.nodes))
    }
}

impl<N, H> SlotTable<N, H> {
    /// The owners of every slot on both sides.
    fn owners_beside<H2>(
        &self,
        new: &SlotTable<N, H2>,
        _: &Places,
    ) -> impl Iterator<Item = (u64, u64, Option<u32>, Option<u32>)> {
        (0..self.slot_count()).map(|slot| {
            let (first, last) = self.tokens_of(slot);
            (first, last, self.owners.get(slot), new.owners.get(slot))
        })
    }

    /// The first and the last token of a slot.
    fn tokens_of(&self, slot: usize) -> (u64, u64) {
        let bits = self.config.bits;
        // In two steps, because the one slot of a table without bits has all 64.
        let first = (slot as u64) << (63 - bits) << 1;
        (first, first | u64::MAX >> bits)
    }
}

impl<N, H> Pieces for SlotTable<N, H> {
    fn sets(&self, domains: &Domains) -> impl Iterator<Item = (u64, u64, Vec<u32>)> {
        (0..self.owners.len()).map(|slot| {
            let (first, last) = self.tokens_of(slot);
            let order = self.ranks(Token::new(first));
            (first, last, replica_set(domains, order))
        })
    }
}
