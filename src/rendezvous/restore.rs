//! Snapshots of [`Rendezvous`], and restoring them.

use super::{Rendezvous, score};
use crate::error::RestoreError;
use crate::hash::KeyHasher;
use crate::key::Key;
use crate::snapshot::{Placement, Snapshot, snapshot_verbs};

const KIND: &str = "rendezvous";

impl<N, H: KeyHasher> Rendezvous<N, H> {
    #[allow(
        clippy::unused_self,
        reason = "every strategy has a placement; this one has no parameters"
    )]
    fn placement(&self) -> Placement<0> {
        Placement {
            kind: KIND,
            layout: score::LAYOUT_V1,
            parameters: [],
        }
    }

    /// Restores the strategy that a snapshot was taken of, under the hasher that it had.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{Rendezvous, Xxh3};
    ///
    /// let nodes = Rendezvous::from_nodes(["a", "b", "c"])?;
    /// let again = Rendezvous::restore(nodes.snapshot(), Xxh3::new())?;
    /// assert!(again.preference("user:42").eq(nodes.preference("user:42")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`RestoreError`] if the format is newer, the kind, the layout, the hasher, its
    /// seed or its key differs, the identity of a node has changed, the fingerprint does not match,
    /// or [`extend_weighted`](Rendezvous::extend_weighted) would reject the nodes.
    ///
    /// # Performance
    ///
    /// O(N log N).
    pub fn restore(snapshot: Snapshot<N>, hasher: H) -> Result<Self, RestoreError>
    where
        N: Key,
    {
        snapshot.expect(KIND, score::LAYOUT_V1)?;
        let mut rendezvous = Rendezvous::with_hasher(hasher);
        let (hasher, nodes) = (&rendezvous.hasher, &rendezvous.nodes);
        let draft = rendezvous.placement().plan(snapshot, hasher, nodes)?;
        rendezvous.carry_out(draft);
        Ok(rendezvous)
    }
}

snapshot_verbs!(Rendezvous);
