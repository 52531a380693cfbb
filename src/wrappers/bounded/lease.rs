//! [`Lease`]: a reserved place on a node.

use crate::load::count::Held;
use crate::load::counted::Watched;
use crate::load::{InFlight, Tracked};
use core::fmt;
use core::ops::Deref;

/// A place on a node, reserved by [`Bounded::acquire`](super::Bounded::acquire) and given back when this is dropped.
///
/// Derefs to the node. It borrows the strategy; [`into_in_flight`](Lease::into_in_flight) frees it of that, to move it to a task or another thread.
#[must_use = "the place is given back when this is dropped"]
pub struct Lease<'a, N> {
    node: &'a Tracked<N>,
    in_flight: Held<'a>,
    open: Held<'a>,
}

impl<'a, N> Lease<'a, N> {
    #[inline]
    pub(super) fn new(node: &'a Tracked<N>, in_flight: Held<'a>, open: Held<'a>) -> Self {
        Lease {
            node,
            in_flight,
            open,
        }
    }

    /// The node. The reference may outlive the lease.
    #[must_use]
    pub fn node(&self) -> &'a Tracked<N> {
        self.node
    }

    /// The same place, no longer tied to the strategy: both the node's count and the leases of this `Bounded` keep it until it is dropped, even
    /// if the node, or the strategy, is gone by then.
    pub fn into_in_flight(self) -> InFlight {
        let (node, open) = (self.in_flight.into_owned(), self.open.into_owned());
        InFlight::new(node, Some(open), Watched::new(()))
    }
}

impl<N> Deref for Lease<'_, N> {
    type Target = N;

    fn deref(&self) -> &N {
        self.node
    }
}

impl<N: fmt::Debug> fmt::Debug for Lease<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(self.node).finish()
    }
}
