//! In-flight counting: how many requests each node has been given and not yet answered.

use super::Load;
use super::count::{Count, Held, OwnedHeld};
use crate::key::Key;
use alloc::sync::Arc;
use core::fmt;
use core::ops::Deref;

/// A node that counts its requests in flight.
///
/// It is the node still: it derefs to it and has the same identity. Its [`Load`] is the number in flight + 1, so load-driven strategies
/// work on it as it is, and [`Bounded`](crate::Bounded) caps it.
///
/// Clones share the count, so it survives that a strategy is cloned and swapped, and `set_nodes` keeps the members it has. A node
/// that left and came back as a new `Tracked` starts at 0; what the old one had in flight ends on the old count.
///
/// With the feature `serde` it is written as the node alone, and read as a node with nothing in flight.
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
    count: Arc<Count>,
}

impl<N> Tracked<N> {
    /// `node`, with nothing in flight.
    #[must_use]
    pub fn new(node: N) -> Self {
        Tracked {
            node,
            count: Arc::new(Count::new()),
        }
    }

    /// Counts one request until the answer is dropped. Wait-free.
    #[must_use = "the request ends when this is dropped"]
    pub fn begin(&self) -> InFlight {
        InFlight::new(Held::new(&self.count).0.into_owned(), None)
    }

    /// As [`begin`](Tracked::begin), but only while fewer than `cap` are in flight: from however many threads, never more than `cap`
    /// begin this way.
    pub fn try_begin(&self, cap: u32) -> Option<InFlight> {
        let held = Held::new_if(&self.count, |open| open < cap)?;
        Some(InFlight::new(held.into_owned(), None))
    }

    /// How many requests are in flight, at most `u32::MAX`. After a 0 the effects of all that ended are visible, so a drained
    /// node may be shut down.
    pub fn in_flight(&self) -> u32 {
        self.count.get()
    }

    /// The node, without its count.
    pub fn into_inner(self) -> N {
        self.node
    }

    pub(crate) fn count(&self) -> &Arc<Count> {
        &self.count
    }
}

impl<N> Deref for Tracked<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N: Key> Key for Tracked<N> {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.node.key_bytes()
    }
}

/// Requests in flight + 1: what it would be if this node took the next request too.
impl<N> Load for Tracked<N> {
    fn load(&self) -> f64 {
        f64::from(self.in_flight()) + 1.0
    }
}

/// The clone shares the count.
impl<N: Clone> Clone for Tracked<N> {
    fn clone(&self) -> Self {
        Tracked {
            node: self.node.clone(),
            count: Arc::clone(&self.count),
        }
    }
}

impl<N> From<N> for Tracked<N> {
    fn from(node: N) -> Self {
        Tracked::new(node)
    }
}

/// Compares the nodes; the counts take no part.
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

/// As the node alone: what is in flight here is not in flight where it is read.
#[cfg(feature = "serde")]
impl<N: serde::Serialize> serde::Serialize for Tracked<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.node.serialize(serializer)
    }
}

/// From the node alone, with nothing in flight.
#[cfg(feature = "serde")]
impl<'de, N: serde::Deserialize<'de>> serde::Deserialize<'de> for Tracked<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        N::deserialize(deserializer).map(Tracked::new)
    }
}

/// One request in flight; it ends when this is dropped, on any thread. Keeps no node alive, only its count.
#[must_use = "the request ends when this is dropped"]
pub struct InFlight {
    _node: OwnedHeld,
    /// The leases of the `Bounded` it was acquired through, if it was.
    _open: Option<OwnedHeld>,
}

impl InFlight {
    pub(crate) fn new(node: OwnedHeld, open: Option<OwnedHeld>) -> Self {
        InFlight {
            _node: node,
            _open: open,
        }
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight").finish_non_exhaustive()
    }
}
