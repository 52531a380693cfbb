//! What a change of a ring does. Passes points and members to `migration`.

use super::HashRing;
use super::compare::differing;
use super::points::Points;
use crate::error::{ConfigError, DiffError};
use crate::hash::{KeyHasher, Token, take_points};
use crate::key::Key;
use crate::migration::{
    Circle, Domains, Explanation, Groups, Loss, Pieces, Places, Union, diff_verbs, losses,
    replica_set,
};
use crate::snapshot::same_hasher;
use alloc::vec::Vec;

diff_verbs!(
    HashRing,
    performance: "One pass over the points of both rings, O(P).",
        "O(P × n²) for the points of both rings.",
    errors: "[`DiffError::HasherMismatch`] if the two hash a \
        fixed probe differently."
);

impl<N, H: KeyHasher> HashRing<N, H> {
    /// Returns both memberships if the hashers agree.
    fn beside<'a, H2: KeyHasher>(
        &'a self,
        new: &'a HashRing<N, H2>,
    ) -> Result<Union<'a, N>, DiffError> {
        same_hasher(&self.hasher, &new.hasher)?;
        Ok(Union::of(&self.nodes, &new.nodes))
    }

    /// Returns the ranges whose owners differ.
    fn owners_beside<'a, H2>(
        &'a self,
        new: &'a HashRing<N, H2>,
        places: &'a Places,
    ) -> impl Iterator<Item = (u64, u64, Option<u32>, Option<u32>)> + use<'a, N, H, H2> {
        differing(&self.points, &new.points, places)
    }

    /// Returns this ring with another number of virtual nodes, for example to see what that would
    /// move and how even it would be.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let planned = ring.resized(1024)?;
    /// println!("{:.3} moves", ring.diff(&planned)?.share());
    /// println!("{:.3} -> {:.3}", ring.balance().busiest(), planned.balance().busiest());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] if `virtual_nodes` is 0 or does not fit the ring's budget of points for one
    /// node. [`ConfigError::Node`] if it does not fit for all nodes.
    ///
    /// # Performance
    /// That of building the ring.
    pub fn resized(&self, virtual_nodes: u32) -> Result<Self, ConfigError>
    where
        N: Clone,
        H: Clone,
    {
        let mut ring = HashRing::builder()
            .virtual_nodes(virtual_nodes)
            .max_points(self.nodes.budget().max_points)
            .hasher(self.hasher.clone())
            .build()?;
        let draft = ring.nodes.plan_restore(self.nodes.entries().to_vec())?;
        ring.carry_out(draft);
        Ok(ring)
    }

    /// Returns the reason why `key` belongs to its owner: its token, the point that decides, the
    /// next preferences, and the drained nodes that were passed over.
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let usual = *ring.route("user:42").unwrap();
    /// ring.drain(usual)?;
    /// let why = ring.explain("user:42");
    /// assert_eq!(*why.passed_over().next().unwrap().node, usual);
    /// println!("{why}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// Hashes the points of the nodes that it shows and of all drained nodes, so it is not for
    /// every request.
    pub fn explain<K: Key + ?Sized>(&self, key: &K) -> Explanation<'_, N> {
        self.explain_where(key, |_| true)
    }

    /// Returns the reason why [`route_where`](HashRing::route_where) with this `accept` returns its
    /// node, with the nodes that were refused. `accept` is also called for preferences after the
    /// owner.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let why = ring.explain_where("user:42", |node| *node == "c");
    /// assert_eq!(why.owner(), Some(&"c"));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn explain_where<'a, K, F>(&'a self, key: &K, accept: F) -> Explanation<'a, N>
    where
        K: Key + ?Sized,
        F: FnMut(&'a N) -> bool,
    {
        let token = Token::new(self.hasher.hash_bytes(key.key_bytes().as_ref()));
        let circle = Circle {
            nodes: &self.nodes,
            walk: self.points.around(token.get()),
            points_of: |rank: u32| {
                let entry = &self.nodes.entries()[rank as usize];
                let count = self.virtual_nodes() * entry.weight;
                let mut points = Vec::with_capacity(count as usize);
                take_points(&self.hasher, &entry.identity, count, &mut points);
                points
            },
        };
        circle.explain(key.key_bytes().as_ref(), token, accept)
    }
}

/// What if nodes are lost.
impl<N, H> HashRing<N, H> {
    /// Returns what the loss of each single member would do, in order of identity. The loss of a
    /// drained member does nothing.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c", "d"])?;
    /// let losses = ring.losses();
    /// let worst = losses.iter().max_by(|a, b| a.busiest.total_cmp(&b.busiest)).unwrap();
    /// println!("{worst}");
    /// // loss of `c`: 24.40 % go to 3 heirs, the busiest then has 1.054 of its due
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn losses(&self) -> Vec<Loss<'_, N>> {
        self.losses_in(&Groups::single(self.len()))
    }

    /// Returns what the loss of each whole domain (zone, rack) would do, in order of the first
    /// identity in each.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["eu-1", "eu-2", "us-1", "us-2"])?;
    /// for loss in ring.losses_by(|node| &node[..2]) {
    ///     assert_eq!(loss.lost.len(), 2); // a whole zone
    ///     println!("{loss}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(P + N × domains) if no domain holds nearly all nodes.
    pub fn losses_by<'a, Z: PartialEq, F: FnMut(&'a N) -> Z>(
        &'a self,
        domain: F,
    ) -> Vec<Loss<'a, N>> {
        self.losses_in(&Groups::by(self.nodes(), domain))
    }

    /// Returns what the loss of all nodes for which `lost` returns `true`, at the same time, would
    /// do.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c", "d"])?;
    /// let pair = ring.loss_where(|node| ["a", "b"].contains(node));
    /// assert_eq!(pair.measure, ring.measure("a").unwrap() + ring.measure("b").unwrap());
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn loss_where<'a, F: FnMut(&'a N) -> bool>(&'a self, mut lost: F) -> Loss<'a, N> {
        let of = self.nodes().map(|node| lost(node).then_some(0)).collect();
        // One group, one loss.
        self.losses_in(&Groups { of, count: 1 }).swap_remove(0)
    }

    fn losses_in(&self, groups: &Groups) -> Vec<Loss<'_, N>> {
        // The heir changes within an owner's arc if other points are hidden behind its own.
        let owned = pieces(&self.points).filter_map(|(first, last)| {
            let owner = self.points.owner_of(last)?;
            Some((first, last, [owner]))
        });
        losses(&self.nodes, groups, 1, owned, |last, lost, _| {
            let mut walk = self.points.walk(last);
            walk.find(|&owner| !groups.has(lost, owner))
        })
    }
}

/// Cuts the circle at every token that a point has, so that all tokens of a piece have one order of
/// preference. A point that is hidden behind another of the same token cuts too, because it owns
/// the piece if the other is removed.
fn pieces(points: &Points) -> impl Iterator<Item = (u64, u64)> {
    let count = points.len();
    let mut first = (count > 0).then_some(0);
    let mut at = 0;
    core::iter::from_fn(move || {
        let start: u64 = first?;
        // All tokens past the last point belong to the first point.
        let last = if at < count {
            points.token(at)
        } else {
            u64::MAX
        };
        while at < count && points.token(at) == last {
            at += 1;
        }
        first = last.checked_add(1);
        Some((start, last))
    })
}

impl<N, H> Pieces for HashRing<N, H> {
    fn sets(&self, domains: &Domains) -> impl Iterator<Item = (u64, u64, Vec<u32>)> {
        pieces(&self.points).map(|(first, last)| {
            let set = replica_set(domains, self.points.walk(last));
            (first, last, set)
        })
    }
}
