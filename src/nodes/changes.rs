//! [`Changes`]: what a change of the members has done.

use alloc::vec::Vec;

/// The difference that a change of the members made.
///
/// Counts compare the members before and after: a node that was inserted and removed by one list
/// of edits is counted nowhere. Nodes that left or were replaced on the way are returned always.
///
/// # Examples
/// ```
/// use clockwise::HashRing;
///
/// let mut ring = HashRing::from_nodes(["a", "b"])?;
/// let changes = ring.set_nodes([("b", 2), ("c", 1)])?;
/// assert_eq!((changes.added(), changes.removed(), changes.reweighted()), (1, 1, 1));
/// assert_eq!(changes.into_removed(), ["a"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    ///
    /// # Examples
    /// ```
    /// use clockwise::Changes;
    ///
    /// let changes = Changes::new(vec!["a"], vec![]); // from a strategy of your own
    /// assert_eq!((changes.removed(), changes.replaced()), (1, 0));
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use clockwise::Changes;
    ///
    /// assert_eq!(Changes::<&str>::new(vec![], vec![]).with_added(2).added(), 2);
    /// ```
    #[must_use]
    pub fn with_added(mut self, added: usize) -> Self {
        self.counts.added = added;
        self
    }

    /// Sets the number of members whose weight changed.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Changes;
    ///
    /// assert_eq!(Changes::<&str>::new(vec![], vec![]).with_reweighted(2).reweighted(), 2);
    /// ```
    #[must_use]
    pub fn with_reweighted(mut self, reweighted: usize) -> Self {
        self.counts.reweighted = reweighted;
        self
    }

    /// Sets the numbers of members that were drained and restored.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Changes;
    ///
    /// let changes = Changes::<&str>::new(vec![], vec![]).with_drained(2, 1);
    /// assert_eq!((changes.drained(), changes.undrained()), (2, 1));
    /// ```
    #[must_use]
    pub fn with_drained(mut self, drained: usize, undrained: usize) -> Self {
        self.counts.drained = drained;
        self.counts.undrained = undrained;
        self
    }

    /// Returns the number of nodes that became members.
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_nodes(["a"])?;
    /// assert_eq!(ring.set_nodes([("a", 1), ("b", 1)])?.added(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn added(&self) -> usize {
        self.counts.added
    }

    /// Returns the number of nodes that are no longer members.
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.set_nodes([("a", 1)])?.removed(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn removed(&self) -> usize {
        self.counts.removed
    }

    /// Returns the number of members whose weight changed.
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.set_nodes([("a", 1), ("b", 5)])?.reweighted(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reweighted(&self) -> usize {
        self.counts.reweighted
    }

    /// Returns the number of members that are drained and were not drained before.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing};
    ///
    /// let mut ring = HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.apply([Edit::drain("a"), Edit::drain("a")])?.drained(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drained(&self) -> usize {
        self.counts.drained
    }

    /// Returns the number of members that were drained before and are no longer.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing};
    ///
    /// let mut ring = HashRing::from_nodes(["a", "b"])?;
    /// ring.drain("a")?;
    /// assert_eq!(ring.apply([Edit::undrain("a")])?.undrained(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn undrained(&self) -> usize {
        self.counts.undrained
    }

    /// Returns the number of members whose payload was replaced. A merge by `set_nodes_with` is
    /// not counted.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing, Named};
    ///
    /// let mut ring = HashRing::from_nodes([Named::new("a", 8081)])?;
    /// assert_eq!(ring.apply([Edit::replace(Named::new("a", 9081))])?.replaced(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replaced(&self) -> usize {
        self.counts.replaced
    }

    /// Returns `true` if no member was added, removed, reweighted, drained, restored or replaced.
    ///
    /// A payload that `set_nodes_with` merged is not counted: let the closure note what it changed.
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_nodes(["a"])?;
    /// assert!(ring.set_nodes([("a", 1)])?.is_empty()); // nothing to log
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.counts == Counts::default()
    }

    /// Returns the nodes that left, in order of identity, group by group for a
    /// [`Failover`](crate::Failover). Nodes that were added and removed by one list come last.
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let removed = ring.set_nodes([("b", 1)])?.into_removed();
    /// assert_eq!(removed, ["a"]); // such as to close its connections
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_removed(self) -> Vec<N> {
        self.removed
    }

    /// Returns the old payloads of the nodes that were replaced, in order of identity.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing, Named};
    ///
    /// let mut ring = HashRing::from_nodes([Named::new("a", 8081)])?;
    /// let old = ring.apply([Edit::replace(Named::new("a", 9081))])?.into_replaced();
    /// assert_eq!(*old[0], 8081);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_replaced(self) -> Vec<N> {
        self.replaced
    }

    /// Returns the nodes that left and the old payloads of those that were replaced.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing, Named};
    ///
    /// let mut ring = HashRing::from_nodes([Named::new("a", 8081), Named::new("b", 8082)])?;
    /// let edits = [Edit::remove("b"), Edit::replace(Named::new("a", 9081))];
    /// let (removed, replaced) = ring.apply(edits)?.into_parts();
    /// assert_eq!((*removed[0], *replaced[0]), (8082, 8081));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
