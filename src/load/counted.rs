//! [`Counted`]: a node that counts its requests in flight, and the guard of one request.

use super::count::{Held, OwnedHeld};
use crate::pointers::through_pointers;
use core::fmt;

use alloc::{boxed::Box, rc::Rc, sync::Arc};

pub use super::count::Counter;

/// A node that counts its requests in flight.
///
/// [`Bounded`](crate::Bounded) caps such nodes. Wrap nodes in [`Tracked`](crate::Tracked), which
/// implements this trait, or give a node type of your own a field of type [`Counter`]. Pointers to
/// a counted node are counted too.
///
/// A node of your own should also implement [`Key::take_over`](crate::Key::take_over), so that
/// replacing its payload keeps the count. References cannot take over a count, and an `Rc` or `Arc`
/// can only while it is not shared: prefer `Tracked<Arc<Server>>` to `Arc<Tracked<Server>>`.
///
/// # Examples
///
/// ```
/// use clockwise::load::{Counted, Counter};
/// use clockwise::{Bounded, HashRing, Key};
///
/// struct Server {
///     name: &'static str,
///     requests: Counter,
/// }
///
/// impl Key for Server {
///     fn key_bytes(&self) -> impl AsRef<[u8]> {
///         self.name
///     }
///     fn take_over(&mut self, present: &Self) {
///         self.requests = present.requests.clone();
///     }
/// }
///
/// impl Counted for Server {
///     type Watch = ();
///     fn counter(&self) -> &Counter {
///         &self.requests
///     }
///     fn watch(&self) {}
/// }
///
/// let servers = ["a", "b"].map(|name| Server { name, requests: Counter::new() });
/// let bounded = Bounded::new(HashRing::from_nodes(servers)?, 1.25)?;
/// let lease = bounded.acquire("user:42").unwrap();
/// assert_eq!(lease.node().in_flight(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not count its requests in flight",
    label = "not a counted node",
    note = "wrap the nodes in `Tracked::new`",
    note = "or implement `clockwise::load::Counted` for a node type with a `load::Counter`"
)]
pub trait Counted {
    /// The type that is notified of how each request ended. `()` if the node only counts.
    type Watch: Watch;

    /// Returns the counter of this node's requests in flight.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Tracked, load::Counted};
    ///
    /// let node = Tracked::new("a");
    /// let _request = node.begin();
    /// assert_eq!(node.counter().get(), 1);
    /// ```
    fn counter(&self) -> &Counter;

    /// Starts to watch one request. It has been counted already.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked, load::{Counted, Watch}};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// let mut timer = node.watch(); // `begin` does this, and counts
    /// timer.ended();
    /// assert!(node.latency() < Duration::from_secs(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn watch(&self) -> Self::Watch;

    /// Starts counting a request. The count is decremented when the returned guard is dropped.
    /// Wait-free.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Tracked, load::Counted};
    ///
    /// fn send<N: Counted>(node: &N) -> u32 {
    ///     let _request = node.begin();
    ///     node.in_flight()
    /// }
    ///
    /// let node = Tracked::new("a");
    /// assert_eq!((send(&node), node.in_flight()), (1, 0));
    /// ```
    #[inline]
    fn begin(&self) -> InFlight<Self::Watch> {
        let (held, _) = Held::new(self.counter());
        InFlight::new(held.into_owned(), None, Watched::new(self.watch()))
    }

    /// Starts counting a request whose guard counts as a failure if it is dropped before
    /// [`answered`](InFlight::answered) was called.
    ///
    /// Use it for futures. Cancelling a future can run nothing but the drop of its guard, and a
    /// node that never answers must not look fast.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked, load::Counted};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// drop(Counted::begin_async(&node)); // the future was cancelled
    /// assert!(node.latency() > Duration::from_millis(900)); // the failure cost is 1 s
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn begin_async(&self) -> InFlight<Self::Watch> {
        let mut in_flight = self.begin();
        in_flight.expect_answer();
        in_flight
    }

    /// Starts counting a request if fewer than `cap` are in flight.
    ///
    /// No number of threads gets past `cap` this way.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Tracked, load::Counted};
    ///
    /// let node = Tracked::new("a");
    /// let first = Counted::try_begin(&node, 1);
    /// assert!(first.is_some());
    /// assert!(Counted::try_begin(&node, 1).is_none()); // full
    /// ```
    #[inline]
    #[must_use = "the request ends when this is dropped"]
    fn try_begin(&self, cap: u32) -> Option<InFlight<Self::Watch>> {
        let held = Held::new_if(self.counter(), |open| open < cap)?;
        let held = held.into_owned();
        Some(InFlight::new(held, None, Watched::new(self.watch())))
    }

    /// Returns the number of requests in flight, at most `u32::MAX`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Tracked, load::Counted};
    ///
    /// fn idle<N: Counted>(nodes: &[N]) -> usize {
    ///     nodes.iter().filter(|node| node.in_flight() == 0).count()
    /// }
    ///
    /// let nodes = ["a", "b"].map(Tracked::new);
    /// let _request = nodes[0].begin();
    /// assert_eq!(idle(&nodes), 1);
    /// ```
    fn in_flight(&self) -> u32 {
        self.counter().get()
    }
}

through_pointers! {
    impl[T: Counted + ?Sized] Counted {
        type Watch = T::Watch;

        #[inline]
        fn counter(&self) -> &Counter {
            (**self).counter()
        }

        #[inline]
        fn watch(&self) -> T::Watch {
            (**self).watch()
        }
    } for
        &T;
        Box<T>;
        Rc<T>;
        Arc<T>;
}

/// A value that is notified of how one request ended.
///
/// `()` ignores it. A node that measures latency has a watch that holds the start time.
///
/// # Examples
/// ```
/// use clockwise::load::Watch;
///
/// /// Counts failures.
/// #[derive(Default)]
/// struct Failures(u32);
///
/// impl Watch for Failures {
///     fn answered(&mut self) {}
///     fn failed(&mut self) {
///         self.0 += 1;
///     }
///     fn ended(&mut self) {}
///     fn expect_answer(&mut self) {}
/// }
///
/// let mut watch = Failures::default();
/// watch.failed();
/// watch.ended();
/// assert_eq!(watch.0, 1);
/// ```
pub trait Watch {
    /// Notes that the request was answered, such as by the first byte of a stream. It is still in
    /// flight.
    ///
    /// # Examples
    /// ```
    /// use clockwise::load::Watch;
    ///
    /// ().answered(); // `()` ignores what happens to a request
    /// ```
    fn answered(&mut self);

    /// Notes that the request failed. It is still in flight.
    ///
    /// # Examples
    /// ```
    /// use clockwise::load::Watch;
    ///
    /// ().failed();
    /// ```
    fn failed(&mut self);

    /// Notes that the request has ended. Called once, just before the request stops counting.
    ///
    /// # Examples
    /// ```
    /// use clockwise::load::Watch;
    ///
    /// ().ended();
    /// ```
    fn ended(&mut self);

    /// Treats the request as failed if it ends without an answer after this call.
    ///
    /// # Examples
    /// ```
    /// use clockwise::load::Watch;
    ///
    /// ().expect_answer();
    /// ```
    fn expect_answer(&mut self);
}

impl Watch for () {
    #[inline]
    fn answered(&mut self) {}

    #[inline]
    fn failed(&mut self) {}

    #[inline]
    fn ended(&mut self) {}

    #[inline]
    fn expect_answer(&mut self) {}
}

/// A watch that is notified of the end when it is dropped.
pub(crate) struct Watched<W: Watch>(W);

impl<W: Watch> Watched<W> {
    #[inline]
    pub(crate) fn new(watch: W) -> Self {
        Watched(watch)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut W {
        &mut self.0
    }
}

impl<W: Watch> Drop for Watched<W> {
    #[inline]
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// The guard of a node's requests, for a node of type `N`.
///
/// # Examples
/// ```
/// use clockwise::{PeakEwma, Tracked, load::{Counted, InFlightOf}};
/// use std::time::Duration;
///
/// type Node = PeakEwma<Tracked<&'static str>>;
///
/// struct Request {
///     in_flight: InFlightOf<Node>, // ends with the request
/// }
///
/// let node: Node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
/// let request = Request { in_flight: node.begin() };
/// assert_eq!(node.in_flight(), 1);
/// drop(request);
/// assert_eq!(node.in_flight(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type InFlightOf<N> = InFlight<<N as Counted>::Watch>;

/// The guard of one request in flight. The request ends when the guard is dropped, on any thread.
///
/// It keeps the count alive, not the node. If the node measures latency, dropping the guard counts
/// as an answer, unless [`answered`](InFlight::answered) or [`failed`](InFlight::failed) was called
/// before.
///
/// # Examples
/// ```
/// use clockwise::Tracked;
/// use std::thread;
///
/// let node = Tracked::new("a");
/// let request = node.begin();
/// assert_eq!(node.in_flight(), 1);
/// thread::spawn(move || drop(request)).join().unwrap();
/// assert_eq!(node.in_flight(), 0);
/// ```
#[must_use = "the request ends when this is dropped"]
pub struct InFlight<W: Watch = ()> {
    // Fields are dropped in this order: the watch is notified before the request stops counting.
    watched: Watched<W>,
    _node: OwnedHeld,
    /// The place among the leases of a `Bounded`, if the request was acquired through one.
    _open: Option<OwnedHeld>,
}

impl<W: Watch> InFlight<W> {
    pub(crate) fn new(node: OwnedHeld, open: Option<OwnedHeld>, watched: Watched<W>) -> Self {
        InFlight {
            watched,
            _node: node,
            _open: open,
        }
    }

    /// Records that the node has answered, such as by the first byte of a stream. The request
    /// counts until the guard is dropped.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// let mut stream = node.begin();
    /// stream.answered(); // the first byte
    /// assert!(node.latency() > Duration::ZERO);
    /// assert_eq!(node.in_flight(), 1); // the stream goes on
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn answered(&mut self) {
        self.watched.get_mut().answered();
    }

    /// Records that the request has failed. The request counts until the guard is dropped.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// node.begin().failed(); // refused
    /// assert!(node.latency() > Duration::from_millis(900)); // the failure cost is 1 s
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn failed(&mut self) {
        self.watched.get_mut().failed();
    }

    /// Treats the request as failed if the guard is dropped before
    /// [`answered`](InFlight::answered) was called, as [`Counted::begin_async`] does.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// let mut request = node.begin();
    /// request.expect_answer();
    /// drop(request); // without an answer: a failure
    /// assert!(node.latency() > Duration::from_millis(900));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expect_answer(&mut self) {
        self.watched.get_mut().expect_answer();
    }
}

impl<W: Watch> fmt::Debug for InFlight<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight").finish_non_exhaustive()
    }
}
