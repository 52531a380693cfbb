//! [`Tracked`]: a node with a counter of its requests in flight.

use super::Load;
use super::counted::{Counted, Counter, InFlight};
use crate::key::Key;
use core::fmt;
use core::ops::{Deref, DerefMut};

/// A node that counts its requests in flight.
///
/// It dereferences to the node and has the same identity. Its [`Load`] is the number of requests
/// in flight + 1, so load-driven strategies work on it, and [`Bounded`](crate::Bounded) caps it.
///
/// Clones share the count, so the count survives when a strategy is cloned and swapped. Replacing
/// a member by a new `Tracked` of the same identity (`replace`, `set_nodes_with`) carries the count
/// over, too. A node that is removed and then added as a new `Tracked` starts at 0: the requests
/// of the removed node end on its own count. To keep the count of a node that leaves and returns,
/// add the node that `remove` returned.
///
/// With the feature `serde` it is written as the node alone, and read as a node with nothing in
/// flight.
///
/// Put it inside of other load wrappers, as in `PeakEwma<Tracked<Server>>`. Around them it would
/// lose what they measure, and does not build:
///
/// ```compile_fail
/// use clockwise::{HashRing, PeakEwma, Tracked};
/// use std::time::Duration;
///
/// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
/// let ring = HashRing::from_nodes([Tracked::new(node)])?; // `PeakEwma` inside of `Tracked`
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// ```
/// use clockwise::{HashRing, PeakEwma, Tracked};
/// use std::time::Duration;
///
/// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
/// let ring = HashRing::from_nodes([node])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Examples
///
/// ```
/// use clockwise::{HashRing, Tracked};
///
/// let ring = HashRing::from_nodes(["a", "b"].map(Tracked::new))?;
/// let node = ring.route("user:42").unwrap();
/// let request = node.begin();
/// assert_eq!(node.in_flight(), 1);
/// drop(request); // also by a return, a `?`, a panic or a cancelled future
/// assert_eq!(node.in_flight(), 0);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
pub struct Tracked<N> {
    node: N,
    counter: Counter,
}

impl<N> Tracked<N> {
    /// Wraps a node, with nothing in flight.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Tracked;
    ///
    /// let node = Tracked::new("a");
    /// assert_eq!((*node, node.in_flight()), ("a", 0));
    /// ```
    #[must_use]
    pub fn new(node: N) -> Self {
        Tracked {
            node,
            counter: Counter::new(),
        }
    }

    /// Starts counting a request. The count is decremented when the returned guard is dropped.
    /// Wait-free.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{LeastLoaded, Tracked};
    ///
    /// let servers = LeastLoaded::from_nodes(["a", "b"].map(Tracked::new))?;
    /// let first = servers.route("").unwrap();
    /// let request = first.begin();
    /// assert_ne!(**servers.route("").unwrap(), **first); // the idle one
    /// drop(request);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "the request ends when this is dropped"]
    pub fn begin(&self) -> InFlight {
        Counted::begin(self)
    }

    /// Starts counting a request, as [`begin`](Tracked::begin) does. It is here so that code reads
    /// the same over a [`PeakEwma`](crate::load::PeakEwma), for which it matters.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Tracked;
    ///
    /// let node = Tracked::new("a");
    /// let request = node.begin_async();
    /// assert_eq!(node.in_flight(), 1);
    /// drop(request);
    /// ```
    #[must_use = "the request ends when this is dropped"]
    pub fn begin_async(&self) -> InFlight {
        Counted::begin_async(self)
    }

    /// Starts counting a request if fewer than `cap` are in flight. No number of threads gets
    /// past `cap` this way.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Tracked};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"].map(Tracked::new))?;
    /// let node = ring.route("user:42").unwrap();
    /// let first = node.try_begin(1);
    /// assert!(first.is_some());
    /// assert!(node.try_begin(1).is_none()); // reply "busy"
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "the request ends when this is dropped"]
    pub fn try_begin(&self, cap: u32) -> Option<InFlight> {
        Counted::try_begin(self, cap)
    }

    /// Returns the number of requests in flight, at most `u32::MAX`.
    ///
    /// After a 0 the effects of all requests that have ended are visible. A drained node may be
    /// shut down then, if no thread still routes by a snapshot from before the drain.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Tracked};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"].map(Tracked::new))?;
    /// let request = ring.get("a").unwrap().begin();
    /// let busy: Vec<_> = ring.nodes().filter(|node| node.in_flight() > 0).collect();
    /// assert_eq!(**busy[0], "a");
    /// drop(request);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn in_flight(&self) -> u32 {
        self.counter.get()
    }

    /// Returns the node without its count.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Tracked;
    ///
    /// assert_eq!(Tracked::new("a").into_inner(), "a");
    /// ```
    pub fn into_inner(self) -> N {
        self.node
    }
}

impl<N> Counted for Tracked<N> {
    type Watch = ();

    #[inline]
    fn counter(&self) -> &Counter {
        &self.counter
    }

    #[inline]
    fn watch(&self) {}
}

impl<N> Deref for Tracked<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N> DerefMut for Tracked<N> {
    fn deref_mut(&mut self) -> &mut N {
        &mut self.node
    }
}

impl<N: Key> Key for Tracked<N> {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        const {
            assert!(
                !N::MEASURES,
                "`Tracked` loses what the node inside measures: put it inside, as in `PeakEwma<Tracked<_>>`"
            );
        }
        self.node.key_bytes()
    }

    /// Shares the count of the present node, and lets the node inside take over too.
    fn take_over(&mut self, present: &Self) {
        self.counter = present.counter.clone();
        self.node.take_over(&present.node);
    }
}

/// The number of requests in flight + 1: what it would be if this node took the next request too.
impl<N> Load for Tracked<N> {
    fn load(&self) -> f64 {
        f64::from(self.in_flight()) + 1.0
    }
}

/// Shares the count.
impl<N: Clone> Clone for Tracked<N> {
    fn clone(&self) -> Self {
        Tracked {
            node: self.node.clone(),
            counter: self.counter.clone(),
        }
    }
}

impl<N> From<N> for Tracked<N> {
    fn from(node: N) -> Self {
        Tracked::new(node)
    }
}

/// Compares the nodes, not their counts.
impl<N: PartialEq> PartialEq for Tracked<N> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl<N: Eq> Eq for Tracked<N> {}

/// Compares the node.
impl<N: PartialEq> PartialEq<N> for Tracked<N> {
    fn eq(&self, other: &N) -> bool {
        self.node == *other
    }
}

impl<N: fmt::Debug> fmt::Debug for Tracked<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracked")
            .field("node", &self.node)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

/// Writes the node alone, because requests in flight here are not in flight in the process that
/// reads it.
#[cfg(feature = "serde")]
impl<N: serde::Serialize> serde::Serialize for Tracked<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.node.serialize(serializer)
    }
}

/// Reads the node alone, with nothing in flight.
#[cfg(feature = "serde")]
impl<'de, N: serde::Deserialize<'de>> serde::Deserialize<'de> for Tracked<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        N::deserialize(deserializer).map(Tracked::new)
    }
}
