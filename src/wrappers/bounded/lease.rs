//! [`Lease`]: a reserved place on a node.

use crate::load::count::Held;
use crate::load::counted::Watched;
use crate::load::{Counted, InFlight, InFlightOf, Watch};
use core::fmt;
use core::ops::Deref;

/// A place on a node, reserved by [`Bounded::acquire`](super::Bounded::acquire). Dropping the
/// lease ends the request.
///
/// It dereferences to the node, and borrows the strategy.
/// [`into_in_flight`](Lease::into_in_flight) and [`into_parts`](Lease::into_parts) free it from the
/// strategy, to move it to a task or to another thread.
///
/// If the node measures latency, the time from `acquire` to the drop is observed, as an answer
/// unless [`failed`](Lease::failed) was called.
///
/// # Examples
/// ```
/// use clockwise::{Bounded, HashRing, Tracked};
///
/// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
/// if let Some(lease) = bounded.acquire("user:42") {
///     println!("sending the request to {}", **lease);
/// } // the request has ended
/// assert_eq!(bounded.open_leases(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the place is given back when this is dropped"]
pub struct Lease<'a, N: Counted> {
    // Fields are dropped in this order: the watch is notified before the request stops counting.
    watched: Watched<N::Watch>,
    node: &'a N,
    in_flight: Held<'a>,
    open: Held<'a>,
}

impl<'a, N: Counted> Lease<'a, N> {
    #[inline]
    pub(super) fn new(node: &'a N, in_flight: Held<'a>, open: Held<'a>) -> Self {
        Lease {
            watched: Watched::new(node.watch()),
            node,
            in_flight,
            open,
        }
    }

    /// Returns the node. The reference may outlive the lease.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// let lease = bounded.acquire("user:42").unwrap();
    /// let node = lease.node();
    /// drop(lease);
    /// assert_eq!(node.in_flight(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn node(&self) -> &'a N {
        self.node
    }

    /// Records that the node has answered, such as by the first byte of a stream. The place stays
    /// reserved until the lease is dropped.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// let bounded = Bounded::new(HashRing::from_nodes([node])?, 1.25)?;
    /// let mut lease = bounded.acquire("user:42").unwrap();
    /// lease.answered(); // the first byte of a stream
    /// assert!(lease.latency() > Duration::ZERO && lease.in_flight() == 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn answered(&mut self) {
        self.watched.get_mut().answered();
    }

    /// Records that the request has failed. The place stays reserved until the lease is dropped.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// let bounded = Bounded::new(HashRing::from_nodes([node])?, 1.25)?;
    /// bounded.acquire("user:42").unwrap().failed();
    /// assert!(bounded.get("a").unwrap().latency() > Duration::from_millis(900));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn failed(&mut self) {
        self.watched.get_mut().failed();
    }

    /// Treats the request as failed if the lease, or the guard that it becomes, is dropped before
    /// `answered` was called. See [`Counted::begin_async`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// let bounded = Bounded::new(HashRing::from_nodes([node])?, 1.25)?;
    /// let mut lease = bounded.acquire("user:42").unwrap();
    /// lease.expect_answer();
    /// drop(lease); // the future was cancelled: a failure
    /// assert!(bounded.get("a").unwrap().latency() > Duration::from_millis(900));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expect_answer(&mut self) {
        self.watched.get_mut().expect_answer();
    }

    /// Returns a guard of the same place that does not borrow the strategy.
    ///
    /// Both the node's count and the leases of this `Bounded` keep the place until the guard is
    /// dropped, even if the node or the strategy is gone by then.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// let request = bounded.acquire("user:42").unwrap().into_in_flight();
    /// std::thread::spawn(move || drop(request)).join().unwrap();
    /// assert_eq!(bounded.open_leases(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_in_flight(self) -> InFlightOf<N> {
        let (node, open) = (self.in_flight.into_owned(), self.open.into_owned());
        InFlight::new(node, Some(open), self.watched)
    }

    /// Returns a clone of the node, and a guard of the same place that does not borrow the
    /// strategy.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    /// use std::sync::Arc;
    ///
    /// let nodes = ["10.0.0.1:80", "10.0.0.2:80"].map(|address| Tracked::new(Arc::from(address)));
    /// let bounded: Bounded<HashRing<Tracked<Arc<str>>>> =
    ///     Bounded::new(HashRing::from_nodes(nodes)?, 1.25)?;
    /// let (node, in_flight) = bounded.acquire("user:42").unwrap().into_parts();
    /// let request = std::thread::spawn(move || {
    ///     let _in_flight = in_flight; // ends with the thread
    ///     node.len()
    /// });
    /// assert_eq!(request.join().unwrap(), 11);
    /// assert_eq!(bounded.open_leases(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_parts(self) -> (N, InFlightOf<N>)
    where
        N: Clone,
    {
        (self.node.clone(), self.into_in_flight())
    }
}

impl<N: Counted> Deref for Lease<'_, N> {
    type Target = N;

    fn deref(&self) -> &N {
        self.node
    }
}

impl<N: Counted + fmt::Debug> fmt::Debug for Lease<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(self.node).finish()
    }
}
