//! Takes and restores snapshots of a ring.

use super::{HashRing, HashRingBuilder};
use crate::error::RestoreError;
use crate::hash::{KeyHasher, layout};
use crate::key::Key;
use crate::snapshot::{Placement, Snapshot, Work, snapshot_verbs};

const KIND: &str = "ring";
const VIRTUAL_NODES: &str = "virtual_nodes";

/// Snapshots.
impl<N, H: KeyHasher> HashRing<N, H> {
    fn placement(&self) -> Placement<1> {
        Placement {
            kind: KIND,
            layout: layout::LAYOUT_V1,
            parameters: [(VIRTUAL_NODES, u64::from(self.virtual_nodes()))],
        }
    }

    /// Restores the ring that a snapshot was taken of. `hasher` must be the one that it was taken
    /// with.
    ///
    /// A small snapshot can ask for a large ring. The default budget of
    /// [`max_work`](HashRingBuilder::max_work) allows about 5 million points, which take half a
    /// second and 150 MB. For another budget use [`HashRingBuilder::restore`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Xxh3};
    ///
    /// let ring = HashRing::from_weighted([("a", 1), ("b", 2)])?;
    /// let copy = HashRing::restore(ring.snapshot(), Xxh3::new())?;
    /// assert!(copy.same_placement(&ring));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`RestoreError`] in these cases:
    ///
    /// - The format is newer.
    /// - The kind, the layout or the hasher (with its seed or key) differs.
    /// - The identity of a node has changed, or the fingerprint does not match.
    /// - The ring would exceed the budget.
    /// - [`extend_weighted`](HashRing::extend_weighted) would refuse a member.
    ///
    /// # Performance
    ///
    /// O(size of the snapshot) before all checks have passed, then that of building the ring.
    pub fn restore(snapshot: Snapshot<N>, hasher: H) -> Result<Self, RestoreError>
    where
        N: Key,
    {
        HashRing::builder().hasher(hasher).restore(snapshot)
    }
}

impl<N, H: KeyHasher> HashRingBuilder<N, H> {
    /// Restores the ring that a snapshot was taken of, with this builder's hasher and budgets. The
    /// virtual nodes are those of the snapshot.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::HashRing;
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let small = HashRing::<&str>::builder().max_points(1000);
    /// assert!(small.restore(ring.snapshot()).is_err()); // 2 nodes of 512 virtual nodes
    /// let brief = HashRing::<&str>::builder().max_work(10_000);
    /// assert!(brief.restore(ring.snapshot()).is_err());
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`HashRing::restore`].
    pub fn restore(self, snapshot: Snapshot<N>) -> Result<HashRing<N, H>, RestoreError>
    where
        N: Key,
    {
        snapshot.expect(KIND, layout::LAYOUT_V1)?;
        let max_work = self.max_work;
        let mut ring = self
            .virtual_nodes(snapshot.require(VIRTUAL_NODES)?)
            .build()?;
        let draft = ring.placement().plan(snapshot, &ring.hasher, &ring.nodes)?;
        Work::of_points(ring.virtual_nodes(), draft.added()).within(max_work)?;
        ring.carry_out(draft);
        Ok(ring)
    }
}

snapshot_verbs!(HashRing);
