//! A slot table as a snapshot, and back.

use super::settle::ONE;
use super::{SlotTable, SlotTableBuilder};
use crate::error::RestoreError;
use crate::hash::KeyHasher;
use crate::key::Key;
use crate::rendezvous::score;
use crate::snapshot::{Placement, Snapshot, snapshot_verbs};

const KIND: &str = "slot_table";
const LOAD_FACTOR: &str = "max_load";
const SLOTS: &str = "slots";

impl<N, H: KeyHasher> SlotTable<N, H> {
    fn placement(&self) -> Placement<2> {
        Placement {
            kind: KIND,
            layout: score::LAYOUT_V1,
            parameters: [
                // 0 is no cap.
                (LOAD_FACTOR, self.config.load_factor.unwrap_or(0)),
                (SLOTS, self.slot_count() as u64),
            ],
        }
    }

    /// The table that a snapshot was taken of, under the hasher that it was taken with.
    ///
    /// A snapshot may ask for up to 2²⁴ slots, of 2 bytes and while it is being filled up to 28; for another budget see
    /// [`SlotTableBuilder::restore`].
    ///
    /// # Errors
    /// [`RestoreError`]: a newer format, another kind or layout, a number of slots or a cap that [`build`](SlotTableBuilder::build) refuses,
    /// another hasher, seed or key, a node whose identity changed, a fingerprint that does not fit, and whatever
    /// [`extend_weighted`](SlotTable::extend_weighted) refuses.
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
    /// # Complexity
    /// That of building the table, O(N·M), once all checks have passed; before that O(N).
    pub fn restore(snapshot: Snapshot<N>, hasher: H) -> Result<Self, RestoreError>
    where
        N: Key,
    {
        SlotTable::builder().hasher(hasher).restore(snapshot)
    }
}

impl<N, H: KeyHasher> SlotTableBuilder<N, H> {
    /// The table that a snapshot was taken of, with this builder's hasher and budget of slots; the slots and the cap are the snapshot's.
    ///
    /// # Errors
    /// As [`SlotTable::restore`].
    ///
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let table = SlotTable::from_nodes(["a", "b"])?;
    /// let small = SlotTable::<&str>::builder().max_slots(1024);
    /// assert!(small.restore(table.snapshot()).is_err()); // it has 65,536 slots
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn restore(self, snapshot: Snapshot<N>) -> Result<SlotTable<N, H>, RestoreError>
    where
        N: Key,
    {
        snapshot.expect(KIND, score::LAYOUT_V1)?;
        let builder = self.slots(snapshot.require(SLOTS)?);
        let mut table = match snapshot.require(LOAD_FACTOR)? {
            0u64 => builder,
            // Exact for every cap that a table can have; `plan` compares.
            load_factor => builder.load_factor(load_factor as f64 / ONE as f64),
        }
        .build()?;
        let (hasher, nodes) = (&table.hasher, &table.nodes);
        let draft = table.placement().plan(snapshot, hasher, nodes)?;
        table.carry_out(draft);
        Ok(table)
    }
}

snapshot_verbs!(SlotTable);
