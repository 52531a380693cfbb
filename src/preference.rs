//! [`Preference`]: the nodes in a key's order, one type for all placements.
//!
//! # Examples
//! ```
//! let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
//! let first_up = ring.preference("user:42").find(|node| **node != "b");
//! assert_eq!(first_up, ring.route_where("user:42", |node| *node != "b"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::nodes::NodeSet;
use crate::rendezvous::ranking::Ranks;
use crate::ring::points::Walk;
use crate::ring::preference::Seen;
use core::fmt;
use core::iter::FusedIterator;

#[cfg(feature = "compat")]
use alloc::boxed::Box;
#[cfg(feature = "compat")]
use core::panic::{RefUnwindSafe, UnwindSafe};

/// The eligible nodes in a key's order of preference, each once.
///
/// It is lazy: a node is looked for when it is asked for. See
/// [`HashRing::preference`](crate::HashRing::preference).
///
/// # Examples
/// ```
/// use clockwise::{HashRing, preference::Preference};
///
/// let ring = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut order: Preference<'_, &str> = ring.preference("user:42");
/// let (owner, next) = (order.next(), order.next());
/// assert_eq!([owner.unwrap(), next.unwrap()], ring.replicas("user:42", 2)[..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a preference is lazy"]
pub struct Preference<'a, N> {
    nodes: &'a NodeSet<N>,
    order: Order<'a>,
    /// Nodes that were returned, for an order that repeats them.
    seen: Seen,
    /// Eligible nodes that were not returned yet.
    left: usize,
}

/// The source of the ranks.
#[derive(Clone)]
pub(crate) enum Order<'a> {
    /// A walk along a ring.
    Walk(Walk<'a>),
    /// Scores of rendezvous hashing.
    Ranked(Ranks<'a>),
    /// The order of another system, which may repeat a node or name a drained one.
    #[cfg(feature = "compat")]
    Foreign(Box<dyn Foreign<'a> + 'a>),
}

/// An iterator over ranks that can be cloned behind a pointer.
#[cfg(feature = "compat")]
pub(crate) trait Foreign<'a>:
    Iterator<Item = u32> + Send + Sync + UnwindSafe + RefUnwindSafe
{
    fn boxed(&self) -> Box<dyn Foreign<'a> + 'a>;
}

#[cfg(feature = "compat")]
impl<'a, I> Foreign<'a> for I
where
    I: Iterator<Item = u32> + Clone + Send + Sync + UnwindSafe + RefUnwindSafe + 'a,
{
    fn boxed(&self) -> Box<dyn Foreign<'a> + 'a> {
        Box::new(self.clone())
    }
}

#[cfg(feature = "compat")]
impl<'a> Clone for Box<dyn Foreign<'a> + 'a> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

impl<'a, N> Preference<'a, N> {
    #[inline]
    pub(crate) fn new(nodes: &'a NodeSet<N>, order: Order<'a>) -> Self {
        Preference {
            nodes,
            order,
            seen: Seen::new(),
            left: nodes.eligible(),
        }
    }

    #[cfg(feature = "compat")]
    pub(crate) fn foreign(nodes: &'a NodeSet<N>, ranks: impl Foreign<'a> + 'a) -> Self {
        Preference::new(nodes, Order::Foreign(Box::new(ranks)))
    }
}

impl<'a, N> Iterator for Preference<'a, N> {
    type Item = &'a N;

    #[inline]
    fn next(&mut self) -> Option<&'a N> {
        if self.left == 0 {
            return None;
        }
        let nodes = self.nodes;
        let seen = &mut self.seen;
        let rank = match &mut self.order {
            // Each eligible node has a point, so the walk meets one.
            Order::Walk(walk) => walk.find(|&owner| seen.is_new(owner, nodes.len()))?,
            Order::Ranked(ranks) => ranks.next()?,
            #[cfg(feature = "compat")]
            Order::Foreign(ranks) => ranks.find(|&rank| {
                !nodes.entries()[rank as usize].drained && seen.is_new(rank, nodes.len())
            })?,
        };
        self.left -= 1;
        Some(nodes.node(rank))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<N> ExactSizeIterator for Preference<'_, N> {}
impl<N> FusedIterator for Preference<'_, N> {}

impl<N> Clone for Preference<'_, N> {
    fn clone(&self) -> Self {
        Preference {
            nodes: self.nodes,
            order: self.order.clone(),
            seen: self.seen.clone(),
            left: self.left,
        }
    }
}

/// Shows how many nodes are left.
impl<N> fmt::Debug for Preference<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preference")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
