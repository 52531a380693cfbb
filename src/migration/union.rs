//! Two memberships side by side.

use crate::nodes::NodeSet;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// The identities of two memberships in one order, each with its node of either side. A node's
/// *place* is its index here.
#[derive(Debug)]
pub(crate) struct Union<'a, N> {
    pub(crate) nodes: Vec<Both<'a, N>>,
    pub(crate) places: Places,
}

/// From the ranks of either side to places.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(super) old: Vec<u32>,
    pub(super) new: Vec<u32>,
}

impl Places {
    /// Whether a rank of the old side and a rank of the new are one node.
    #[inline]
    pub(crate) fn same(&self, old: u32, new: u32) -> bool {
        self.old[old as usize] == self.new[new as usize]
    }
}

#[derive(Debug)]
pub(crate) struct Both<'a, N> {
    pub(super) identity: &'a [u8],
    pub(super) old: Option<&'a N>,
    pub(super) new: Option<&'a N>,
}

impl<N> Clone for Both<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Both<'_, N> {}

impl<'a, N> Both<'a, N> {
    /// The node as the new side knows it, or as the old side does if it leaves.
    pub(super) fn node(&self) -> &'a N {
        self.new
            .or(self.old)
            .expect("a place is made for a node of at least one side")
    }
}

impl<'a, N> Union<'a, N> {
    /// O(N): both are in order of identity.
    pub(crate) fn of(old: &'a NodeSet<N>, new: &'a NodeSet<N>) -> Self {
        let (old, new) = (old.entries(), new.entries());
        let mut nodes = Vec::with_capacity(old.len().max(new.len()));
        let mut places = Places::default();
        loop {
            let (a, b) = (old.get(places.old.len()), new.get(places.new.len()));
            let order = match (a, b) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.identity.cmp(&b.identity),
            };
            let (a, b) = (a.filter(|_| order.is_le()), b.filter(|_| order.is_ge()));
            let place = nodes.len() as u32;
            places.old.extend(a.map(|_| place));
            places.new.extend(b.map(|_| place));
            let Some(either) = a.or(b) else { break };
            nodes.push(Both {
                identity: &either.identity,
                old: a.map(|entry| &entry.node),
                new: b.map(|entry| &entry.node),
            });
        }
        Union { nodes, places }
    }
}
