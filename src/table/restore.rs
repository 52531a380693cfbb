//! A slot table as a snapshot, and back.

use super::SlotTable;
use super::settle::ONE;
use crate::error::RestoreError;
use crate::hash::KeyHasher;
use crate::key::Key;
use crate::rendezvous::score;
use crate::snapshot::{Placement, Snapshot, snapshot_verbs};

const KIND: &str = "slot_table";
const MAX_LOAD: &str = "max_load";
const SLOTS: &str = "slots";

impl<N, H: KeyHasher> SlotTable<N, H> {
    fn placement(&self) -> Placement<2> {
        Placement {
            kind: KIND,
            layout: score::LAYOUT_V1,
            parameters: [
                // 0 is no cap.
                (MAX_LOAD, self.config.max_load.unwrap_or(0)),
                (SLOTS, self.slots() as u64),
            ],
        }
    }

    /// The table that a snapshot was taken of, under the hasher that it was taken with.
    ///
    /// A snapshot may ask for up to 2²⁸ slots, of 2 bytes and while it is being filled up to 28: of one that you do not trust look at
    /// [`parameter("slots")`](Snapshot::parameter) first.
    ///
    /// # Errors
    /// [`RestoreError`]: a newer format, another kind or layout, a number of slots or a cap that [`build`](super::SlotTableBuilder::build) refuses,
    /// another hasher, seed or key, a node whose identity changed, a fingerprint that does not fit, and whatever
    /// [`extend_weighted`](SlotTable::extend_weighted) refuses.
    ///
    /// ```
    /// use clockwise::{SlotTable, Xxh3};
    ///
    /// let mut table = SlotTable::builder().slots(1024).max_load(1.05).build()?;
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
        snapshot.expect(KIND, score::LAYOUT_V1)?;
        let builder = SlotTable::builder().hasher(hasher);
        let builder = builder.slots(snapshot.require(SLOTS)?);
        let mut table = match snapshot.require(MAX_LOAD)? {
            0u64 => builder,
            // Exact for every cap that a table can have; `plan` compares.
            max_load => builder.max_load(max_load as f64 / ONE as f64),
        }
        .build()?;
        let (hasher, nodes) = (&table.hasher, &table.nodes);
        let edit = table.placement().plan(snapshot, hasher, nodes)?;
        let _ = table.apply(edit);
        Ok(table)
    }
}

snapshot_verbs!(SlotTable);
