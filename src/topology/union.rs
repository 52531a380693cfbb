//! Two memberships side by side.

use crate::nodes::NodeSet;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// The identities of two memberships in one order, each with its node of either side. A node's *place* is its index here.
#[derive(Debug)]
pub(crate) struct Union<'a, N> {
    pub(super) nodes: Vec<Both<'a, N>>,
    /// From ranks to places.
    pub(super) old_places: Vec<u32>,
    pub(super) new_places: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct Both<'a, N> {
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
    /// The node as it will be, if it stays, else as it was.
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
        let mut union = Union {
            nodes: Vec::with_capacity(old.len().max(new.len())),
            old_places: Vec::with_capacity(old.len()),
            new_places: Vec::with_capacity(new.len()),
        };
        loop {
            let (a, b) = (
                old.get(union.old_places.len()),
                new.get(union.new_places.len()),
            );
            let order = match (a, b) {
                (None, None) => return union,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.identity.cmp(&b.identity),
            };
            let (a, b) = (a.filter(|_| order.is_le()), b.filter(|_| order.is_ge()));
            let place = union.nodes.len() as u32;
            union.old_places.extend(a.map(|_| place));
            union.new_places.extend(b.map(|_| place));
            let Some(either) = a.or(b) else { return union };
            union.nodes.push(Both {
                identity: &either.identity,
                old: a.map(|entry| &entry.node),
                new: b.map(|entry| &entry.node),
            });
        }
    }
}
