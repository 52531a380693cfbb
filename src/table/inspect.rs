//! Inspects a table: which slots a node owns, how even it is, and the whole table for other
//! programs.

use super::owners::Owners;
use super::settle::{self, ONE};
use super::{SlotTable, builder::Config};
use crate::balance::{Balance, Row};
use crate::key::Key;
use crate::migration::{Domains, balance_of_copies};
use alloc::{vec, vec::Vec};
use core::iter::FusedIterator;

impl<N, H> SlotTable<N, H> {
    /// Returns the number of slots, M.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(clockwise::SlotTable::from_nodes(["a"])?.slot_count(), 65_536);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn slot_count(&self) -> usize {
        self.config.slot_count()
    }

    /// Returns the load factor c that caps every node. Returns `None` if there is no cap.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// assert_eq!(SlotTable::<&str>::new().load_factor(), None);
    /// let table = SlotTable::<&str>::builder().load_factor(1.25).build()?;
    /// assert_eq!(table.load_factor(), Some(1.25));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_factor(&self) -> Option<f64> {
        let Config { load_factor, .. } = self.config;
        load_factor.map(|load_factor| load_factor as f64 / ONE as f64)
    }

    /// Returns the node that owns `slot`. Returns `None` if no node is eligible or there is no such
    /// slot.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Route, SlotTable};
    /// let table = SlotTable::from_nodes(["a", "b", "c"])?;
    /// let slot = table.slot_of(table.token("user:42"));
    /// assert_eq!(table.owner_of(slot), table.route("user:42"));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    #[inline]
    pub fn owner_of(&self, slot: usize) -> Option<&N> {
        self.owners.get(slot).map(|rank| self.nodes.node(rank))
    }

    /// Returns the slots that a member owns, in ascending order, or none if it is drained. Returns
    /// `None` if no member has this identity.
    ///
    /// # Examples
    /// ```
    /// let table = clockwise::SlotTable::from_nodes(["a", "b"])?;
    /// let (a, b) = (table.slots_of("a").unwrap().count(), table.slots_of("b").unwrap().count());
    /// assert_eq!(a + b, table.slot_count());
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn slots_of<Q: Key + ?Sized>(&self, id: &Q) -> Option<Slots<'_>> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        Some(Slots {
            owners: &self.owners,
            rank: rank as u32,
            next: 0,
        })
    }

    /// Returns how many slots a member may own at most: its cap, all slots if there is no cap, or 0
    /// if it is drained. Returns `None` if no member has this identity.
    ///
    /// The caps of all nodes sum to ⌈c·M⌉. The cap of a node is c·M·w/W, rounded up for the nodes
    /// with the largest remainders and down for the others.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let table = SlotTable::builder().slots(1024).load_factor(1.25).from_nodes(["a", "b"])?;
    /// assert_eq!(table.capacity("a"), Some(640)); // 1.25 × 1024 ÷ 2
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(N log N).
    pub fn capacity<Q: Key + ?Sized>(&self, id: &Q) -> Option<usize> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        Some(match self.config.load_factor {
            _ if self.roster.weight(rank) == 0 => 0,
            None => self.slot_count(),
            Some(load_factor) => {
                settle::capacities(&self.roster, self.slot_count(), load_factor)[rank]
            }
        })
    }

    /// Returns how evenly the slots are spread over the eligible nodes, relative to their weights.
    ///
    /// # Examples
    /// ```
    /// let table = clockwise::SlotTable::from_nodes(["a", "b", "c"])?;
    /// assert!(table.balance().busiest() < 1.05);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(M).
    pub fn balance(&self) -> Balance {
        let mut counts = vec![0u64; self.len()];
        for rank in self.owners.iter() {
            counts[rank as usize] += 1;
        }
        let tokens_a_slot = (1u128 << 64) >> self.config.bits;
        let entries = self.nodes.entries().iter();
        let rows = entries.zip(counts).filter(|(entry, _)| !entry.drained);
        let row = |(entry, count)| Row::new(entry, u128::from(count) * tokens_a_slot);
        Balance::of(rows.map(row), 1)
    }

    /// Returns how evenly the copies are spread over the eligible nodes, relative to their weights,
    /// if each key has `n` copies, on the nodes that [`replicas`](SlotTable::replicas) returns.
    ///
    /// `n` of 1 is [`balance`](SlotTable::balance). For copies over zones use
    /// [`Zoned::balance_of`](crate::Zoned::balance_of).
    ///
    /// # Examples
    /// ```
    /// let table = clockwise::SlotTable::from_nodes(["a", "b", "c"])?;
    /// println!("{}", table.balance_of(2)); // two copies of each key
    /// assert!(table.balance_of(2).busiest() < 1.05);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(N·M·n) for N nodes, M slots and small n.
    pub fn balance_of(&self, n: usize) -> Balance {
        balance_of_copies(&self.nodes, self, &Domains::none(&self.nodes, n))
    }

    /// Returns how evenly copies are spread if they are placed across zones.
    pub(crate) fn balance_across<'a, Z: PartialEq>(
        &'a self,
        n: usize,
        zone: impl FnMut(&'a N) -> Z,
    ) -> Balance {
        balance_of_copies(&self.nodes, self, &Domains::new(&self.nodes, n, zone))
    }

    /// Returns the whole table as a plain array, for another process or language: for every slot
    /// the index of its owner in [`nodes`](SlotTable::nodes), which is the order of identity. Empty
    /// if no node is eligible.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Route, SlotTable};
    /// let table = SlotTable::from_nodes(["a", "b", "c"])?;
    /// let array: Vec<u32> = table.to_array();
    /// let names: Vec<&str> = table.nodes().copied().collect();
    /// // Elsewhere, with the same hash:
    /// let slot = table.token("user:42").get() >> (64 - 16);
    /// assert_eq!(Some(&names[array[slot as usize] as usize]), table.route("user:42"));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn to_array(&self) -> Vec<u32> {
        self.owners.iter().collect()
    }
}

/// An iterator over the slots that a node owns, ascending; see [`SlotTable::slots_of`].
///
/// # Examples
/// ```
/// use clockwise::{SlotTable, table::Slots};
///
/// let table = SlotTable::from_nodes(["a", "b"])?;
/// let mut slots: Slots<'_> = table.slots_of("a").unwrap();
/// assert_eq!(table.owner_of(slots.next().unwrap()), Some(&"a"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "iterators are lazy"]
pub struct Slots<'a> {
    owners: &'a Owners,
    rank: u32,
    next: usize,
}

impl Iterator for Slots<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while let Some(owner) = self.owners.get(self.next) {
            self.next += 1;
            if owner == self.rank {
                return Some(self.next - 1);
            }
        }
        None
    }
}

impl FusedIterator for Slots<'_> {}
