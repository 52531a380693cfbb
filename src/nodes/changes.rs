//! [`Changes`]: what a change of the members has done.

use alloc::vec::Vec;

/// The difference that a change of the members made.
///
/// Counts compare the members before and after: a node that was inserted and removed by one list
/// of edits is counted nowhere. Nodes that left or were replaced on the way are returned always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes<N> {
    pub(super) counts: Counts,
    pub(super) removed: Vec<N>,
    pub(super) replaced: Vec<N>,
}

/// How many members each kind of change met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) added: usize,
    pub(super) removed: usize,
    pub(super) reweighted: usize,
    pub(super) drained: usize,
    pub(super) undrained: usize,
    pub(super) replaced: usize,
}

impl<N> Changes<N> {
    pub(crate) const fn none() -> Self {
        Changes {
            counts: Counts {
                added: 0,
                removed: 0,
                reweighted: 0,
                drained: 0,
                undrained: 0,
                replaced: 0,
            },
            removed: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// Creates changes for a [`Membership`](crate::Membership) of your own: these nodes left, and
    /// these payloads were replaced. Nothing else is counted yet.
    pub fn new(removed: Vec<N>, replaced: Vec<N>) -> Self {
        Changes {
            counts: Counts {
                removed: removed.len(),
                replaced: replaced.len(),
                ..Counts::default()
            },
            removed,
            replaced,
        }
    }

    /// Sets the number of nodes that became members.
    #[must_use]
    pub fn with_added(mut self, added: usize) -> Self {
        self.counts.added = added;
        self
    }

    /// Sets the number of members whose weight changed.
    #[must_use]
    pub fn with_reweighted(mut self, reweighted: usize) -> Self {
        self.counts.reweighted = reweighted;
        self
    }

    /// Sets the numbers of members that were drained and restored.
    #[must_use]
    pub fn with_drained(mut self, drained: usize, undrained: usize) -> Self {
        self.counts.drained = drained;
        self.counts.undrained = undrained;
        self
    }

    /// Returns the number of nodes that became members.
    pub fn added(&self) -> usize {
        self.counts.added
    }

    /// Returns the number of nodes that are no longer members.
    pub fn removed(&self) -> usize {
        self.counts.removed
    }

    /// Returns the number of members whose weight changed.
    pub fn reweighted(&self) -> usize {
        self.counts.reweighted
    }

    /// Returns the number of members that are drained and were not drained before.
    pub fn drained(&self) -> usize {
        self.counts.drained
    }

    /// Returns the number of members that were drained before and are no longer.
    pub fn undrained(&self) -> usize {
        self.counts.undrained
    }

    /// Returns the number of members whose payload was replaced. A merge by `set_nodes_with` is
    /// not counted.
    pub fn replaced(&self) -> usize {
        self.counts.replaced
    }

    /// Returns `true` if no member was added, removed, reweighted, drained, restored or replaced.
    ///
    /// A payload that `set_nodes_with` merged is not counted: let the closure note what it changed.
    pub fn is_empty(&self) -> bool {
        self.counts == Counts::default()
    }

    /// Returns the nodes that left, in order of identity, group by group for a
    /// [`Failover`](crate::Failover). Nodes that were added and removed by one list come last.
    pub fn into_removed(self) -> Vec<N> {
        self.removed
    }

    /// Returns the old payloads of the nodes that were replaced, in order of identity.
    pub fn into_replaced(self) -> Vec<N> {
        self.replaced
    }

    /// Returns the nodes that left and the old payloads of those that were replaced.
    pub fn into_parts(self) -> (Vec<N>, Vec<N>) {
        (self.removed, self.replaced)
    }

    /// Adds the changes of another strategy.
    pub(crate) fn add(&mut self, other: Self) {
        let (sum, counts) = (&mut self.counts, other.counts);
        sum.added += counts.added;
        sum.removed += counts.removed;
        sum.reweighted += counts.reweighted;
        sum.drained += counts.drained;
        sum.undrained += counts.undrained;
        sum.replaced += counts.replaced;
        self.removed.extend(other.removed);
        self.replaced.extend(other.replaced);
    }
}
