//! Copies of each key on several nodes of a ring.

use super::HashRing;
use crate::balance::Balance;
use crate::migration::{Domains, Groups, Loss, balance_of_copies, losses_of_copies};
use alloc::vec::Vec;

/// Copies.
impl<N, H> HashRing<N, H> {
    /// Returns how evenly the copies are spread over the eligible nodes, relative to their weights,
    /// if each key has `n` copies, on the nodes that [`replicas`](HashRing::replicas) returns.
    ///
    /// `n` of 1 is [`balance`](HashRing::balance). For copies over zones use
    /// [`Zoned::balance_of`](crate::Zoned::balance_of).
    ///
    /// # Examples
    ///
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let balance = ring.balance_of(2);
    /// let shares: f64 = balance.nodes().iter().map(|node| node.share).sum();
    /// assert!((shares - 2.0).abs() < 1e-9);
    /// // With as many copies as nodes, each node holds every key.
    /// assert_eq!(ring.balance_of(3).busiest(), 1.0);
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Performance
    /// O(P × n²) for P points.
    pub fn balance_of(&self, n: usize) -> Balance {
        balance_of_copies(&self.nodes, self, &Domains::none(&self.nodes, n))
    }

    /// Returns what the loss of each single member would do to the copies, in order of identity, if
    /// each key has `n` copies.
    ///
    /// [`Loss::measure`] counts the copies that are lost. Each heir has to get a copy of what it
    /// [inherits](crate::migration::Heir::inherits) from one of the other holders. `n` of 1 is
    /// [`losses`](HashRing::losses). For copies over zones use
    /// [`Zoned::losses_of`](crate::Zoned::losses_of).
    ///
    /// # Examples
    ///
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c", "d"])?;
    /// let losses = ring.losses_of(2);
    /// let lost: u128 = losses.iter().map(|loss| loss.measure).sum();
    /// assert_eq!(lost, 2 << 64); // each token has two copies
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Performance
    /// O(P × n³) for P points, in one pass for all losses together. Takes up to 32 × n bytes for
    /// each point.
    pub fn losses_of(&self, n: usize) -> Vec<Loss<'_, N>> {
        self.copies_lost(&Domains::none(&self.nodes, n), &Groups::single(self.len()))
    }

    /// Returns how evenly copies are spread if they are placed across zones.
    pub(crate) fn balance_across<'a, Z: PartialEq>(
        &'a self,
        n: usize,
        zone: impl FnMut(&'a N) -> Z,
    ) -> Balance {
        balance_of_copies(&self.nodes, self, &Domains::new(&self.nodes, n, zone))
    }

    /// Returns what the loss of each group would do if copies are placed across zones.
    pub(crate) fn losses_across<'a, Z: PartialEq>(
        &'a self,
        n: usize,
        zone: impl FnMut(&'a N) -> Z,
        groups: &Groups,
    ) -> Vec<Loss<'a, N>> {
        self.copies_lost(&Domains::new(&self.nodes, n, zone), groups)
    }

    fn copies_lost(&self, domains: &Domains, groups: &Groups) -> Vec<Loss<'_, N>> {
        losses_of_copies(&self.nodes, self, domains, groups, |last| {
            self.points.walk(last)
        })
    }
}
