//! A ring's snapshot, its way back, and its fingerprint.

use super::{HashRing, HashRingBuilder, layout};
use crate::error::RestoreError;
use crate::hash::KeyHasher;
use crate::key::Key;
use crate::snapshot::{Placement, Snapshot};

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

    /// A checksum of all that decides owners: layout, virtual nodes, hasher (by its hash of a fixed probe), and each member's
    /// identity, weight and drained state. Equal fingerprints mean equal answers, in every process, language and release; the insertion order
    /// and the history do not matter. O(bytes of all identities).
    ///
    /// It is 64 bits of XXH3: proof against accidents, not against someone who wants two memberships to look the same.
    pub fn fingerprint(&self) -> u64 {
        self.placement().fingerprint(&self.hasher, &self.nodes)
    }

    /// Configuration and membership, to be stored or sent: no points, no key. O(N).
    ///
    /// The budget of points is not part of it: whoever restores sets their own.
    pub fn snapshot(&self) -> Snapshot<N>
    where
        N: Clone,
    {
        self.placement()
            .snapshot(&self.hasher, &self.nodes, N::clone)
    }

    /// The ring that a snapshot was taken of, under the hasher that it was taken with. A snapshot may
    /// ask for up to 2²⁴ points, 240 MB; for another budget, such as a small one for snapshots that you do not trust, see
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
        let edit = ring.placement().plan(snapshot, &ring.hasher, &ring.nodes)?;
        let _ = ring.apply(edit);
        Ok(ring)
    }
}

/// As its [`Snapshot`].
#[cfg(feature = "serde")]
impl<N: serde::Serialize, H: KeyHasher> serde::Serialize for HashRing<N, H> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.placement()
            .snapshot(&self.hasher, &self.nodes, |node| node)
            .serialize(serializer)
    }
}

/// From a [`Snapshot`], with the default hasher, which must be the one that it was taken with. Rings with a seed or a key come back through
/// [`restore`](HashRing::restore).
#[cfg(feature = "serde")]
impl<'de, N, H> serde::Deserialize<'de> for HashRing<N, H>
where
    N: serde::Deserialize<'de> + Key,
    H: KeyHasher + Default,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let snapshot = Snapshot::deserialize(deserializer)?;
        HashRing::restore(snapshot, H::default()).map_err(serde::de::Error::custom)
    }
}
