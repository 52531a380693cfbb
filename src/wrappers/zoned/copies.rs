//! Copies over zones: how even they are, and what a loss does to them.

use super::Zoned;
use crate::balance::Balance;
use crate::migration::{Groups, Loss};
use crate::ring::HashRing;
use crate::table::SlotTable;
use alloc::vec::Vec;

/// Copies over zones on a ring.
impl<N, H, D, V> Zoned<HashRing<N, H>, D>
where
    D: Fn(&N) -> V,
    V: PartialEq,
{
    /// Returns how evenly the copies are spread over the eligible nodes, relative to their weights,
    /// if each key has `n` copies, on the nodes that `replicas` returns.
    ///
    /// A small zone shows as what it is: with as many copies as zones, each zone holds a copy of
    /// every key, however few nodes it has.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Zoned};
    ///
    /// let zones = [('a', 10u32), ('b', 10), ('c', 1)];
    /// let nodes = zones.into_iter().flat_map(|(zone, nodes)| {
    ///     (0..nodes).map(move |node| format!("{zone}-{node}"))
    /// });
    /// let ring = HashRing::from_nodes(nodes)?;
    /// assert!(ring.balance().busiest() < 1.2);
    ///
    /// let zoned = Zoned::new(ring, |node: &String| node.as_bytes()[0]);
    /// let balance = zoned.balance_of(3);
    /// let busiest = &balance.nodes()[0];
    /// assert_eq!((&*busiest.node, busiest.share), ("c-0", 1.0)); // a copy of every key
    /// assert!((busiest.relative - 7.0).abs() < 1e-9); // 3 of 21 nodes is its fair part
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Performance
    /// O(P × n²) for P points in zones of equal size. The walk to a small zone is long.
    pub fn balance_of(&self, n: usize) -> Balance {
        self.strategy.balance_across(n, &self.zone)
    }

    /// Returns what the loss of each single member would do to the copies, in order of identity, if
    /// each key has `n` copies.
    ///
    /// See [`HashRing::losses_of`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Zoned};
    ///
    /// let ring = HashRing::from_nodes(["eu-1", "eu-2", "us-1", "us-2"])?;
    /// let zoned = Zoned::new(ring, |node: &&'static str| &node[..2]);
    /// for loss in zoned.losses_of(2) {
    ///     println!("{loss}"); // who takes over its copies
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn losses_of(&self, n: usize) -> Vec<Loss<'_, N>> {
        let groups = Groups::single(self.strategy.len());
        self.strategy.losses_across(n, &self.zone, &groups)
    }

    /// Returns what the loss of each whole zone would do to the copies, in order of the first
    /// identity in each, if each key has `n` copies.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Zoned};
    ///
    /// let ring = HashRing::from_nodes(["a-1", "a-2", "b-1", "b-2", "c-1", "c-2"])?;
    /// let zoned = Zoned::new(ring, |node| node.as_bytes()[0]);
    /// for loss in zoned.losses_of_zones(3) {
    ///     assert_eq!(loss.measure, 1 << 64); // each zone holds one copy of every key
    /// }
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn losses_of_zones(&self, n: usize) -> Vec<Loss<'_, N>> {
        let groups = Groups::by(self.strategy.nodes(), &self.zone);
        self.strategy.losses_across(n, &self.zone, &groups)
    }
}

/// Copies over zones on a slot table.
impl<N, H, D, V> Zoned<SlotTable<N, H>, D>
where
    D: Fn(&N) -> V,
    V: PartialEq,
{
    /// Returns how evenly the copies are spread over the eligible nodes, relative to their weights,
    /// if each key has `n` copies, on the nodes that `replicas` returns.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{SlotTable, Zoned};
    ///
    /// let table = SlotTable::from_nodes(["eu-1", "eu-2", "us-1", "us-2"])?;
    /// let zoned = Zoned::new(table, |node: &&'static str| &node[..2]);
    /// assert!(zoned.balance_of(2).busiest() < 1.2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(N·M·n) for N nodes, M slots and small n.
    pub fn balance_of(&self, n: usize) -> Balance {
        self.strategy.balance_across(n, &self.zone)
    }
}
