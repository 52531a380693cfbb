//! Takes and restores snapshots of a slot table.

use super::settle::ONE;
use super::{SlotTable, SlotTableBuilder};
use crate::error::RestoreError;
use crate::hash::KeyHasher;
use crate::key::Key;
use crate::rendezvous::score;
use crate::snapshot::{Placement, Snapshot, Work, snapshot_verbs};

const KIND: &str = "slot_table";
const LOAD_FACTOR: &str = "max_load";
const SLOTS: &str = "slots";

impl<N, H: KeyHasher> SlotTable<N, H> {
    fn placement(&self) -> Placement<2> {
        Placement {
            kind: KIND,
            layout: score::LAYOUT_V1,
            parameters: [
                // 0 means no cap.
                (LOAD_FACTOR, self.config.load_factor.unwrap_or(0)),
                (SLOTS, self.slot_count() as u64),
            ],
        }
    }

    /// Restores the table that a snapshot was taken of. `hasher` must be the one that it was taken
    /// with.
    ///
    /// A small snapshot can ask for a large table. The default budget of
    /// [`max_work`](SlotTableBuilder::max_work) allows, for example, 65,536 slots of 4,000 nodes,
    /// or 1,048,576 of 200. For another budget use [`SlotTableBuilder::restore`].
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{SlotTable, Xxh3};
    ///
    /// let mut table = SlotTable::builder().slots(1024).load_factor(1.05).build()?;
    /// table.extend_weighted([("a", 1), ("b", 2)])?;
    /// let again = SlotTable::restore(table.snapshot(), Xxh3::new())?;
    /// assert_eq!(again.to_array(), table.to_array());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`RestoreError`] in these cases:
    ///
    /// - The format is newer.
    /// - The kind, the layout or the hasher (with its seed or key) differs.
    /// - [`build`](SlotTableBuilder::build) would refuse the number of slots or the cap.
    /// - The identity of a node has changed, or the fingerprint does not match.
    /// - The table would exceed the budget.
    /// - [`extend_weighted`](SlotTable::extend_weighted) would refuse a member.
    ///
    /// # Performance
    ///
    /// O(size of the snapshot) before all checks have passed, then that of building the table,
    /// O(N·M).
    pub fn restore(snapshot: Snapshot<N>, hasher: H) -> Result<Self, RestoreError>
    where
        N: Key,
    {
        SlotTable::builder().hasher(hasher).restore(snapshot)
    }
}

impl<N, H: KeyHasher> SlotTableBuilder<N, H> {
    /// Restores the table that a snapshot was taken of, with this builder's hasher and budgets. The
    /// slots and the cap are those of the snapshot.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let table = SlotTable::from_nodes(["a", "b"])?;
    /// let small = SlotTable::<&str>::builder().max_slots(1024);
    /// assert!(small.restore(table.snapshot()).is_err()); // it has 65,536 slots
    /// let brief = SlotTable::<&str>::builder().max_work(10_000);
    /// assert!(brief.restore(table.snapshot()).is_err());
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`SlotTable::restore`].
    pub fn restore(self, snapshot: Snapshot<N>) -> Result<SlotTable<N, H>, RestoreError>
    where
        N: Key,
    {
        snapshot.expect(KIND, score::LAYOUT_V1)?;
        let max_work = self.max_work;
        let builder = self.slots(snapshot.require(SLOTS)?);
        let mut table = match snapshot.require(LOAD_FACTOR)? {
            0u64 => builder,
            // This is exact for every cap that a table can have; `plan` compares.
            load_factor => builder.load_factor(load_factor as f64 / ONE as f64),
        }
        .build()?;
        let (hasher, nodes) = (&table.hasher, &table.nodes);
        let draft = table.placement().plan(snapshot, hasher, nodes)?;
        let capped = table.config.load_factor.is_some();
        Work::of_slots(table.slot_count(), capped, draft.added()).within(max_work)?;
        table.carry_out(draft);
        Ok(table)
    }
}

snapshot_verbs!(SlotTable);
