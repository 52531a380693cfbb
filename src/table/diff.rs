//! What moves between two tables: thin methods over `topology`, which is given slots and members.

use super::SlotTable;
use crate::error::DiffError;
use crate::hash::{KeyHasher, Token};
use crate::snapshot::same_hasher;
use crate::topology::{Domains, Migration, Union, replica_set};
use alloc::vec::Vec;

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
    /// let slot = (1u128 << 64) / old.slot_count() as u128; // tokens
    /// assert_eq!(migration.measure(), old.slots_of("b").unwrap().count() as u128 * slot);
    /// assert!(migration.moves().all(|m| m.from == Some(&"b") && m.to.is_some()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff<'a, H2: KeyHasher>(
        &'a self,
        new: &'a SlotTable<N, H2>,
    ) -> Result<Migration<'a, N>, DiffError> {
        let Union { nodes, places } = self.beside(new)?;
        let ranges = (0..self.slot_count()).map(|slot| {
            let (first, last) = self.tokens_of(slot);
            (first, last, self.owners.get(slot), new.owners.get(slot))
        });
        Ok(Migration::of_owners(nodes, &places, ranges))
    }

    /// What moves when each key has the first `n` nodes as its replicas: which member of its set is replaced by which, as
    /// [`HashRing::diff_replicas`](crate::HashRing::diff_replicas) says. O(N·M·n) for small n.
    ///
    /// A change of one node replaces at most one member of any set where there is no cap; a cap may also move the owner.
    ///
    /// # Errors
    /// As [`diff`](SlotTable::diff).
    ///
    /// ```
    /// let old = clockwise::SlotTable::from_nodes(["a", "b", "c", "d"])?;
    /// let mut new = old.clone();
    /// new.remove("a");
    /// let migration = old.diff_replicas(&new, 2)?;
    /// assert!(migration.moves().all(|m| m.from == Some(&"a")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff_replicas<'a, H2: KeyHasher>(
        &'a self,
        new: &'a SlotTable<N, H2>,
        n: usize,
    ) -> Result<Migration<'a, N>, DiffError> {
        let domains = (Domains::none(&self.nodes, n), Domains::none(&new.nodes, n));
        self.diff_sets(new, domains)
    }

    /// As [`diff_replicas`](SlotTable::diff_replicas), for replicas spread over domains as
    /// [`replicas_across`](crate::Route::replicas_across) does.
    ///
    /// # Errors
    /// As [`diff`](SlotTable::diff).
    pub fn diff_replicas_across<'a, H2, Z, F>(
        &'a self,
        new: &'a SlotTable<N, H2>,
        n: usize,
        mut domain: F,
    ) -> Result<Migration<'a, N>, DiffError>
    where
        H2: KeyHasher,
        Z: PartialEq,
        F: FnMut(&'a N) -> Z,
    {
        let domains = (
            Domains::new(&self.nodes, n, &mut domain),
            Domains::new(&new.nodes, n, &mut domain),
        );
        self.diff_sets(new, domains)
    }

    fn diff_sets<'a, H2: KeyHasher>(
        &'a self,
        new: &'a SlotTable<N, H2>,
        (old_domains, new_domains): (Domains, Domains),
    ) -> Result<Migration<'a, N>, DiffError> {
        Ok(Migration::of_sets(
            self.beside(new)?,
            old_domains.copies().max(new_domains.copies()),
            self.sets(&old_domains),
            new.sets(&new_domains),
        ))
    }

    /// Both memberships, if slots and hashers agree.
    fn beside<'a, H2: KeyHasher>(
        &'a self,
        new: &'a SlotTable<N, H2>,
    ) -> Result<Union<'a, N>, DiffError> {
        same_hasher(&self.hasher, &new.hasher)?;
        if self.slot_count() != new.slot_count() {
            return Err(DiffError::OtherSlots {
                old: self.slot_count() as u64,
                new: new.slot_count() as u64,
            });
        }
        Ok(Union::of(&self.nodes, &new.nodes))
    }
}

impl<N, H> SlotTable<N, H> {
    /// The replica set of every slot; none at all where nobody is eligible.
    fn sets(&self, domains: &Domains) -> impl Iterator<Item = (u64, u64, Vec<u32>)> {
        (0..self.owners.len()).map(|slot| {
            let (first, last) = self.tokens_of(slot);
            let order = self.ranks(Token::new(first));
            (first, last, replica_set(domains, order))
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
