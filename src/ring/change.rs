//! What a change of a ring does: thin methods over `topology`, which is given points and members.

use super::HashRing;
use super::compare::differing;
use super::points::Points;
use crate::error::{DiffError, RestoreError};
use crate::hash::{KeyHasher, Token, take_points};
use crate::key::Key;
use crate::snapshot::same_hasher;
use crate::topology::{Circle, Domains, Explanation, Loss, Migration, Union, losses, replica_set};
use alloc::vec::Vec;

/// What a change does.
impl<N, H: KeyHasher> HashRing<N, H> {
    /// What moves when this ring becomes `new`: ranges of tokens, from where, to where, exactly. Virtual nodes, weights and members may
    /// differ in any way; nodes are told apart by identity.
    ///
    /// # Complexity
    /// One pass over the points of both rings, O(P). With 1000 nodes of 160 virtual nodes it takes 0.06 of the time in which one such ring can be hashed
    /// and sorted where one node differs, as long as that where all do (320,000 ranges). With 10,000 nodes of 1024: 0.1 s and 2 s.
    ///
    /// # Errors
    /// [`DiffError::OtherHasher`] where the two hash a fixed probe differently.
    ///
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let mut planned = ring.clone();
    /// planned.set_weight("b", 2)?; // what would that move?
    /// println!("{}", ring.diff(&planned)?);
    /// // 15.44 % moves, in 247 ranges
    /// // from        to         ranges     share
    /// // a        -> b             118    7.74 %
    /// // c        -> b             129    7.71 %
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff<'a, H2: KeyHasher>(
        &'a self,
        new: &'a HashRing<N, H2>,
    ) -> Result<Migration<'a, N>, DiffError> {
        let Union { nodes, places } = self.beside(new)?;
        let ranges = differing(&self.points, &new.points, &places);
        Ok(Migration::of_owners(nodes, &places, ranges))
    }

    /// What moves when each key has the first `n` nodes as its replicas: which member of its set is replaced by which.
    ///
    /// Members are compared as sets: who is first may change without a move. Where several members are replaced, the i-th that
    /// leaves, in order of preference, is replaced by the i-th that joins. A change of one node replaces at most one member of any set.
    ///
    /// # Complexity
    /// O(P × n²) for the points of both rings: 0.03 s for n = 3 on 1000 nodes of 160 virtual nodes.
    ///
    /// # Errors
    /// As [`diff`](HashRing::diff).
    ///
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b", "c", "d"])?;
    /// let mut new = old.clone();
    /// new.remove("a");
    /// let migration = old.diff_replicas(&new, 2)?;
    /// assert!(migration.moves().all(|m| m.from == Some(&"a")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff_replicas<'a, H2: KeyHasher>(
        &'a self,
        new: &'a HashRing<N, H2>,
        n: usize,
    ) -> Result<Migration<'a, N>, DiffError> {
        self.diff_sets(
            new,
            (Domains::none(&self.nodes, n), Domains::none(&new.nodes, n)),
        )
    }

    /// As [`diff_replicas`](HashRing::diff_replicas), for replicas spread over domains as
    /// [`replicas_across`](HashRing::replicas_across) does.
    ///
    /// # Complexity
    /// O(P × n²) for few domains of equal size; a domain of few nodes is far to walk to, up to O(P) a point.
    ///
    /// # Errors
    /// As [`diff`](HashRing::diff).
    pub fn diff_replicas_across<'a, H2, Z, F>(
        &'a self,
        new: &'a HashRing<N, H2>,
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
        new: &'a HashRing<N, H2>,
        (old_domains, new_domains): (Domains, Domains),
    ) -> Result<Migration<'a, N>, DiffError> {
        Ok(Migration::of_sets(
            self.beside(new)?,
            old_domains.copies().max(new_domains.copies()),
            sets(&self.points, &old_domains),
            sets(&new.points, &new_domains),
        ))
    }

    /// Both memberships, if the hashers agree.
    fn beside<'a, H2: KeyHasher>(
        &'a self,
        new: &'a HashRing<N, H2>,
    ) -> Result<Union<'a, N>, DiffError> {
        same_hasher(&self.hasher, &new.hasher)?;
        Ok(Union::of(&self.nodes, &new.nodes))
    }

    /// This ring with another number of virtual nodes, to see what that would move and how even it would be.
    ///
    /// # Errors
    /// [`RestoreError::Config`] where `virtual_nodes` is 0 or does not fit the ring's budget of points for one node,
    /// [`RestoreError::Member`] where it does not for all.
    ///
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let planned = ring.with_virtual_nodes(1024)?;
    /// println!("{:.3} moves", ring.diff(&planned)?.share());
    /// println!("{:.3} -> {:.3}", ring.balance().busiest(), planned.balance().busiest());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_virtual_nodes(&self, virtual_nodes: u32) -> Result<Self, RestoreError>
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

    /// Why `key` belongs to its owner: its token, the point that decides, the next preferences, and which drained nodes were passed over.
    ///
    /// # Complexity
    /// Hashes the points of the nodes that it shows and of all drained nodes: not for every request.
    pub fn explain<K: Key + ?Sized>(&self, key: &K) -> Explanation<'_, N> {
        self.explain_where(key, |_| true)
    }

    /// Why [`route_where`](HashRing::route_where) with this `accept` returns what it does: also who was refused. `accept` is also asked about
    /// preferences after the owner.
    ///
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
    /// What the loss of each single member would lead to, in order of identity; the loss of a drained one leads to nothing.
    ///
    /// # Complexity
    /// One pass for all losses together, O(P): 1000 nodes with 160 virtual nodes take 0.04 s, 10,000 with 1024 take 6 s.
    ///
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c", "d"])?;
    /// let losses = ring.losses();
    /// let worst = losses.iter().max_by(|a, b| a.busiest.total_cmp(&b.busiest)).unwrap();
    /// println!("{worst}");
    /// // loss of `c`: 24.40 % go to 3 heirs, the busiest then has 1.054 of its due
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn losses(&self) -> Vec<Loss<'_, N>> {
        let group: Vec<_> = (0..self.len() as u32).map(Some).collect();
        self.losses_of(&group, self.len())
    }

    /// What the loss of each whole domain (zone, rack) would lead to, in order of the first identity in each.
    ///
    /// # Complexity
    /// O(P + N × domains) while no domain holds nearly all nodes.
    pub fn losses_by<'a, Z: PartialEq, F: FnMut(&'a N) -> Z>(
        &'a self,
        mut domain: F,
    ) -> Vec<Loss<'a, N>> {
        let mut domains: Vec<Z> = Vec::new();
        let group: Vec<_> = self
            .nodes()
            .map(|node| {
                let domain = domain(node);
                let known = domains.iter().position(|known| *known == domain);
                Some(known.unwrap_or_else(|| {
                    domains.push(domain);
                    domains.len() - 1
                }) as u32)
            })
            .collect();
        self.losses_of(&group, domains.len())
    }

    /// What the loss of all nodes for which `lost` says true, at once, would lead to.
    ///
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c", "d"])?;
    /// let pair = ring.loss_where(|node| ["a", "b"].contains(node));
    /// assert_eq!(pair.measure, ring.measure("a").unwrap() + ring.measure("b").unwrap());
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn loss_where<'a, F: FnMut(&'a N) -> bool>(&'a self, mut lost: F) -> Loss<'a, N> {
        let group: Vec<_> = self.nodes().map(|node| lost(node).then_some(0)).collect();
        // One group, one loss.
        self.losses_of(&group, 1).swap_remove(0)
    }

    fn losses_of(&self, group: &[Option<u32>], groups: usize) -> Vec<Loss<'_, N>> {
        let heir =
            |last, lost: &dyn Fn(u32) -> bool| self.points.walk(last).find(|&owner| !lost(owner));
        // An owner's heir differs along its arc where other points are hidden behind its own.
        let owned = pieces(&self.points).filter_map(|(first, last)| {
            let owner = self.points.owner_of(last)?;
            Some((first, last, owner))
        });
        losses(&self.nodes, (group, groups), owned, heir)
    }
}

/// The circle cut at every token that a point has: within a piece all orders of preference are one. A point hidden behind another of the same token
/// cuts too, as it owns the piece once the other is gone.
fn pieces(points: &Points) -> impl Iterator<Item = (u64, u64)> {
    let count = points.len();
    let mut first = (count > 0).then_some(0);
    let mut at = 0;
    core::iter::from_fn(move || {
        let start: u64 = first?;
        // Past the last point all tokens up to MAX are the first point's.
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

/// The replica set of every token.
fn sets<'a>(
    points: &'a Points,
    domains: &'a Domains,
) -> impl Iterator<Item = (u64, u64, Vec<u32>)> + 'a {
    pieces(points).map(|(first, last)| {
        let set = replica_set(domains, points.walk(last));
        (first, last, set)
    })
}
