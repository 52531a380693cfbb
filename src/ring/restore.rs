//! A ring as a snapshot, and back.

use super::{HashRing, HashRingBuilder, layout};
use crate::error::RestoreError;
use crate::hash::KeyHasher;
use crate::key::Key;
use crate::snapshot::{Placement, Snapshot, snapshot_verbs};

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

    /// The ring that a snapshot was taken of, under the hasher that it was taken with. The budget of points is no part of a snapshot: here it
    /// may ask for up to 2²⁴, 240 MB; for another budget, such as a small one for snapshots that you do not trust, see
    /// [`HashRingBuilder::restore`].
    ///
    /// # Complexity
    /// That of building the ring, once all checks have passed; before that O(N).
    ///
    /// # Errors
    /// [`RestoreError`]: a newer format, another kind or layout, another hasher, seed or key, a node whose identity changed, a fingerprint
    /// that does not fit, and whatever [`extend_weighted`](HashRing::extend_weighted) refuses.
    pub fn restore(snapshot: Snapshot<N>, hasher: H) -> Result<Self, RestoreError>
    where
        N: Key,
    {
        HashRing::builder().hasher(hasher).restore(snapshot)
    }
}

impl<N, H: KeyHasher> HashRingBuilder<N, H> {
    /// The ring that a snapshot was taken of, with this builder's hasher and budget of points; the virtual nodes are the snapshot's.
    ///
    /// # Errors
    /// As [`HashRing::restore`].
    ///
    /// ```
    /// use clockwise::HashRing;
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let small = HashRing::<&str>::builder().max_points(1000);
    /// assert!(small.restore(ring.snapshot()).is_err()); // 2 nodes of 512 virtual nodes
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn restore(self, snapshot: Snapshot<N>) -> Result<HashRing<N, H>, RestoreError>
    where
        N: Key,
    {
        snapshot.expect(KIND, layout::LAYOUT_V1)?;
        let mut ring = self
            .virtual_nodes(snapshot.require(VIRTUAL_NODES)?)
            .build()?;
        let draft = ring.placement().plan(snapshot, &ring.hasher, &ring.nodes)?;
        ring.carry_out(draft);
        Ok(ring)
    }
}

snapshot_verbs!(HashRing);
