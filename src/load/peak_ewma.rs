//! [`PeakEwma`]: latency as a load.

use super::latency::{Latency, Reading, Silence};
use super::timer::{Settings, Timer};
use super::{Counted, Counter, InFlight, Load};
use crate::clock::{Clock, SystemClock};
use crate::error::ConfigError;
use crate::key::Key;
use alloc::sync::Arc;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::time::Duration;

/// The cost of a node that has requests in flight but has never answered: 2³⁰ s, more than any
/// latency.
const UNKNOWN: f64 = (1u64 << 30) as f64;

/// The least cost of a failure, unless it is set.
const FAILURE: Duration = Duration::from_secs(1);

/// A node whose load is its recent latency times the requests that wait for its answer (peak EWMA,
/// as in the balancers of Finagle and linkerd).
///
/// Wrap it around a [`Tracked`](crate::Tracked) node. [`begin`](PeakEwma::begin) then returns one
/// guard that counts the request and, when it is dropped, observes how long it took.
///
/// # The cost
///
/// A response that takes longer than the cost raises it immediately. Shorter ones lower it slowly.
/// With Δt since the last response and the decay time τ,
///
/// ```text
/// a = e^(−Δt/τ)        cost = rtt                       if rtt > cost
///                      cost = cost·a + rtt·(1 − a)      otherwise
/// load = cost·a × (load of the node inside − open requests that do not wait)
/// ```
///
/// The load inside of `PeakEwma<Tracked<Server>>` is the number of requests in flight + 1. So the
/// load is the cost times the number of requests that wait for their answer + 1.
///
/// Choose **τ far above the gap between two requests to one node**, or else idle nodes look free,
/// and above the usual latency. Use it with two choices ([`PowerOfTwo`](crate::PowerOfTwo)).
///
/// # Open requests
///
/// A request waits until the guard is dropped, or until [`answered`](InFlight::answered) or
/// [`failed`](InFlight::failed) was called. In any case it stops weighing between τ and 2τ after
/// its begin. So a node keeps its share while it sends long streams, from their first byte on. A
/// guard that is leaked takes nothing from the share for longer than 2τ. Both still count as
/// requests in flight.
///
/// If the streams themselves are the work, balance by their number with
/// [`Tracked`](crate::Tracked) alone.
///
/// The load inside must count requests, and is not lowered below that of an idle node, 1. Requests
/// that were not begun through this type always weigh.
///
/// # Silence
///
/// A node that does not answer must not look fast because its cost decays. While requests wait that
/// began after the last answer, the cost is at least the time since the first of them began. Once
/// the node has been silent for τ, and then for 2τ, 4τ and so on, its cost is the decayed one until
/// the next request begins: that request tries the node.
///
/// A request that began before the last answer is not silence. So a long stream, or a guard that is
/// leaked, does not keep requests from a node that answers others.
///
/// A node that has never answered has load 0 until it gets a request, so it is tried. Until it has
/// answered, it then has a very large load, so it is not flooded.
///
/// # Failures
///
/// Failures must not look fast: a node that refuses every request immediately would draw all
/// traffic. Call [`failed`](InFlight::failed) on the guard. A failure costs at least the
/// [failure cost](PeakEwma::failure_cost). Set that to your timeout.
///
/// A node that recovers gets its share back within τ·ln(timeout/latency) after the last request
/// that was pending has ended. With τ = 10 s, a timeout of 10 s and a latency of 20 ms these are
/// 62 s.
///
/// **In async code use [`begin_async`](PeakEwma::begin_async).** A future that is cancelled runs
/// nothing but the drop of its guard. With `begin` a node that hangs, and whose requests are given
/// up after 50 ms, has a latency of 50 ms.
///
/// # Examples
///
/// ```
/// use clockwise::{Load, PeakEwma, Tracked};
/// use std::{cell::Cell, time::Duration};
///
/// let time = Cell::new(Duration::ZERO);
/// let clock = || time.get();
/// let node = PeakEwma::with_clock(Tracked::new("a"), Duration::from_secs(10), clock)?;
/// assert_eq!(node.load(), 0.0);
///
/// let mut request = node.begin();
/// time.set(Duration::from_millis(20));
/// request.answered(); // the first byte; a request that is dropped has been answered, too
/// assert_eq!(node.load(), 0.020); // seconds; it decays
/// assert_eq!(node.in_flight(), 1); // still, but it does not wait
/// drop(request);
///
/// let waits = node.begin();
/// assert_eq!(node.load(), 0.020 * 2.0);
/// drop(waits);
///
/// node.begin().failed();
/// assert_eq!(node.load(), 1.0); // the failure cost
/// # Ok::<(), clockwise::ConfigError>(())
/// ```
///
/// Without a guard, for a node that does not count its requests:
///
/// ```
/// use clockwise::PeakEwma;
/// use std::time::Duration;
///
/// let node = PeakEwma::new("a", Duration::from_secs(10))?;
/// node.observe(Duration::from_millis(20));
/// assert!(node.latency() <= Duration::from_millis(20));
/// # Ok::<(), clockwise::ConfigError>(())
/// ```
///
/// Clones share what is known about the latency and the open requests, and replacing a member's
/// payload keeps it. Needs `std` (exponentials) and 64-bit atomics.
pub struct PeakEwma<N, C = SystemClock> {
    node: N,
    settings: Settings,
    latency: Arc<Latency<C>>,
}

impl<N> PeakEwma<N> {
    /// Wraps a node that has never answered, with decay time τ = `decay`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// assert_eq!(node.latency(), Duration::ZERO);
    /// assert!(PeakEwma::new("a", Duration::ZERO).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if `decay` is 0.
    pub fn new(node: N, decay: Duration) -> Result<Self, ConfigError> {
        PeakEwma::with_clock(node, decay, SystemClock::new())
    }
}

impl<N, C: Clock> PeakEwma<N, C> {
    /// Wraps a node that has never answered, with decay time τ = `decay` and this clock.
    ///
    /// # Examples
    /// ```
    /// use clockwise::PeakEwma;
    /// use std::{cell::Cell, time::Duration};
    ///
    /// let time = Cell::new(Duration::ZERO);
    /// let node = PeakEwma::with_clock("a", Duration::from_secs(10), || time.get())?;
    /// node.observe(Duration::from_millis(20));
    /// time.set(Duration::from_secs(10)); // one decay time later
    /// assert!(node.latency() < Duration::from_millis(8)); // 20 ms ÷ e
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if `decay` is 0.
    pub fn with_clock(node: N, decay: Duration, clock: C) -> Result<Self, ConfigError> {
        if decay.is_zero() {
            return Err(ConfigError::out_of_range("decay", "0", "above 0"));
        }
        Ok(PeakEwma {
            node,
            settings: Settings {
                decay: decay.as_secs_f64(),
                failure: FAILURE,
            },
            latency: Arc::new(Latency::new(clock, decay)),
        })
    }

    /// Sets what a failure costs at least, such as your timeout. The default is 1 s.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let timeout = Duration::from_secs(5);
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?.failure_cost(timeout);
    /// node.begin().failed();
    /// assert!(node.latency() > Duration::from_secs(4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn failure_cost(mut self, cost: Duration) -> Self {
        self.settings.failure = cost;
        self
    }

    /// Counts a response that came after this time. The guards of [`begin`](PeakEwma::begin) do
    /// this by themselves.
    ///
    /// # Examples
    /// ```
    /// use clockwise::PeakEwma;
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new("a", Duration::from_secs(10))?;
    /// node.observe(Duration::from_millis(20));
    /// assert!(node.latency() > Duration::from_millis(15));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe(&self, rtt: Duration) {
        self.latency.answer(rtt, self.settings.decay);
    }

    /// Counts a request that failed after this time. It counts as a response after `rtt` or after
    /// the [failure cost](PeakEwma::failure_cost), whichever is longer.
    ///
    /// # Examples
    /// ```
    /// use clockwise::PeakEwma;
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new("a", Duration::from_secs(10))?;
    /// node.observe_failure(Duration::from_millis(1)); // refused fast, which must not look fast
    /// assert!(node.latency() > Duration::from_millis(900));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe_failure(&self, rtt: Duration) {
        self.observe(rtt.max(self.settings.failure));
    }

    /// Returns the node's latency as it is estimated now. Returns 0 if the node has never answered.
    ///
    /// # Examples
    /// ```
    /// use clockwise::PeakEwma;
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new("a", Duration::from_secs(10))?;
    /// assert_eq!(node.latency(), Duration::ZERO); // never answered
    /// node.observe(Duration::from_millis(20));
    /// println!("{:?}", node.latency()); // about 20 ms
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn latency(&self) -> Duration {
        let cost = self.latency.cost(self.settings.decay).unwrap_or(0.0);
        Duration::try_from_secs_f64(cost).unwrap_or(Duration::MAX)
    }
}

impl<N: Counted, C: Clock> PeakEwma<N, C> {
    /// Starts counting and timing a request. If the returned guard is dropped before
    /// [`answered`](InFlight::answered) or [`failed`](InFlight::failed) was called, the request
    /// counts as answered.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// let request = node.begin();
    /// assert_eq!(node.in_flight(), 1);
    /// drop(request); // answered
    /// assert!(node.latency() > Duration::ZERO);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn begin(&self) -> InFlight<Timer<N::Watch, C>> {
        Counted::begin(self)
    }

    /// Starts counting and timing a request. If the returned guard is dropped before
    /// [`answered`](InFlight::answered) was called, such as by a future that is cancelled, the
    /// request counts as failed.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{PeakEwma, Tracked};
    /// # use std::{future::Future, time::Duration};
    ///
    /// # struct Server;
    /// # impl Server {
    /// #     async fn get(&self, path: &str) -> Result<String, ()> { Ok(path.to_owned()) }
    /// # }
    /// async fn request(node: &PeakEwma<Tracked<Server>>) -> Result<String, ()> {
    ///     let mut request = node.begin_async();
    ///     let answer = node.get("/").await?; // an error and a timeout count as failures
    ///     request.answered();
    ///     Ok(answer)
    /// }
    ///
    /// let node = PeakEwma::new(Tracked::new(Server), Duration::from_secs(10))?;
    /// let mut future = Box::pin(request(&node));
    /// # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// # assert!(future.as_mut().poll(&mut context).is_ready());
    /// # Ok::<(), clockwise::ConfigError>(())
    /// ```
    pub fn begin_async(&self) -> InFlight<Timer<N::Watch, C>> {
        Counted::begin_async(self)
    }

    /// Starts counting and timing a request if fewer than `cap` are in flight.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PeakEwma, Tracked};
    /// use std::time::Duration;
    ///
    /// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
    /// let first = node.try_begin(1);
    /// assert!(first.is_some() && node.try_begin(1).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_begin(&self, cap: u32) -> Option<InFlight<Timer<N::Watch, C>>> {
        Counted::try_begin(self, cap)
    }
}

/// Counts as the node inside does, and measures how long each request takes.
impl<N: Counted, C: Clock> Counted for PeakEwma<N, C> {
    type Watch = Timer<N::Watch, C>;

    #[inline]
    fn counter(&self) -> &Counter {
        self.node.counter()
    }

    fn watch(&self) -> Timer<N::Watch, C> {
        Timer::start(&self.latency, self.settings, self.node.watch())
    }
}

/// Returns a load without the requests that are settled, but not less than that of an idle node.
fn waiting(load: f64, settled: u64) -> f64 {
    let rest = load - settled as f64;
    // A comparison with NaN is false, so NaN stays NaN.
    if rest < 1.0 { load.min(1.0) } else { rest }
}

impl<N: Load, C: Clock> Load for PeakEwma<N, C> {
    fn load(&self) -> f64 {
        let Reading {
            cost,
            silence,
            settled,
        } = self.latency.read(self.settings.decay);
        let inner = waiting(self.node.load(), settled);
        match (cost, silence) {
            (Some(cost), Silence::Seconds(silent)) => cost.max(silent) * inner,
            (Some(cost), Silence::None | Silence::Trial) => cost * inner,
            (None, Silence::Seconds(_)) => UNKNOWN * inner,
            // Requests that were not begun by a guard of ours are seen by the load alone.
            (None, Silence::None) if inner > 1.0 => UNKNOWN * inner,
            (None, Silence::None | Silence::Trial) => 0.0,
        }
    }

    #[inline]
    fn warmth(&self) -> f64 {
        self.node.warmth()
    }
}

impl<N: Key, C> Key for PeakEwma<N, C> {
    const MEASURES: bool = true;

    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.node.key_bytes()
    }

    /// Shares what is known about the latency of the present node, and lets the node inside take
    /// over too.
    fn take_over(&mut self, present: &Self) {
        self.latency = Arc::clone(&present.latency);
        self.node.take_over(&present.node);
    }
}

impl<N, C> Deref for PeakEwma<N, C> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N, C> DerefMut for PeakEwma<N, C> {
    fn deref_mut(&mut self) -> &mut N {
        &mut self.node
    }
}

/// Shares what is known about the latency.
impl<N: Clone, C> Clone for PeakEwma<N, C> {
    fn clone(&self) -> Self {
        PeakEwma {
            node: self.node.clone(),
            settings: self.settings,
            latency: Arc::clone(&self.latency),
        }
    }
}

impl<N: fmt::Debug, C> fmt::Debug for PeakEwma<N, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeakEwma")
            .field("node", &self.node)
            .field("seconds", &self.latency.last())
            .finish_non_exhaustive()
    }
}
