//! [`Reported`]: a load that the application writes.

use super::Load;
use super::report::Report;
use crate::clock::{Clock, SystemClock, nanos};
use crate::key::Key;
use alloc::sync::Arc;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::time::Duration;

#[cfg(target_has_atomic = "ptr")]
use super::{Counted, Counter};

/// A node whose load is a number that the application reports, such as the length of a queue, the
/// memory in use on a GPU, or what the server says about itself.
///
/// Report what the load would be with one more request, so add 1 to the length of a queue. An idle
/// node then has load 1, and not 0, which no other load is less than a multiple of.
///
/// A report expires. A node whose last report has expired, or that has never reported, has the
/// [stale load](Reported::stale_load), which is infinity by default. So it is chosen after all
/// nodes with a report. A node that stops reporting is treated as overloaded, not idle.
///
/// Between two reports the number does not change, so the least loaded node would get every
/// request. Use two choices ([`PowerOfTwo`](crate::PowerOfTwo)).
///
/// The report replaces the load of the node inside. `Reported<Tracked<Server>>` still counts the
/// requests in flight, for [`Bounded`](crate::Bounded). A `Reported` around a
/// [`PeakEwma`](crate::PeakEwma) or a [`SlowStart`](crate::SlowStart) would lose what they measure,
/// and does not build. Put it inside of them.
///
/// Several threads may report. The number with the latest time counts. Clones share the report, and
/// replacing a member's payload keeps it. Needs 64-bit atomics.
///
/// # Sentinels
///
/// Do not report a sentinel such as −1 for "unknown". A negative load counts as 0, which makes the
/// node the *most* attractive one. Report nothing, so that the last report expires, or report
/// `f64::INFINITY` or `f64::NAN`, which put the node last.
///
/// # Examples
///
/// ```
/// use clockwise::{Load, Reported};
/// use std::{cell::Cell, time::Duration};
///
/// let time = Cell::new(Duration::ZERO);
/// let server = Reported::with_clock("gpu-0", Duration::from_secs(5), || time.get());
/// assert_eq!(server.load(), f64::INFINITY);
/// server.report(12.0);
/// assert_eq!(server.load(), 12.0);
/// time.set(Duration::from_secs(6));
/// assert_eq!(server.load(), f64::INFINITY);
/// ```
pub struct Reported<N, C = SystemClock> {
    node: N,
    /// Nanoseconds.
    expiry: u64,
    stale: f64,
    shared: Arc<Shared<C>>,
}

/// What clones share. The clock is beside the report because the report's time is the clock's.
struct Shared<C> {
    report: Report,
    clock: C,
}

#[cfg(feature = "std")]
impl<N> Reported<N> {
    /// Wraps a node without a report. Reports expire after `expiry`. Needs `std`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Reported;
    /// use std::time::Duration;
    ///
    /// let node = Reported::new("gpu-0", Duration::from_secs(5));
    /// assert_eq!(node.fresh(), None);
    /// ```
    pub fn new(node: N, expiry: Duration) -> Self {
        Reported::with_clock(node, expiry, SystemClock::new())
    }
}

impl<N, C: Clock> Reported<N, C> {
    /// Wraps a node without a report, with this clock. Reports expire after `expiry`. With
    /// `Duration::MAX` they do not expire.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Reported;
    /// use std::{cell::Cell, time::Duration};
    ///
    /// let time = Cell::new(Duration::ZERO);
    /// let node = Reported::with_clock("gpu-0", Duration::from_secs(5), || time.get());
    /// node.report(3.0);
    /// time.set(Duration::from_secs(6));
    /// assert_eq!(node.fresh(), None); // expired
    /// ```
    pub fn with_clock(node: N, expiry: Duration, clock: C) -> Self {
        let report = Report::none();
        Reported {
            node,
            expiry: nanos(expiry),
            stale: f64::INFINITY,
            shared: Arc::new(Shared { report, clock }),
        }
    }

    /// Sets the load of a node without a fresh report. The default is infinity.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Load, Reported};
    /// use std::time::Duration;
    ///
    /// // A node that is silent gets as much as one with 10 jobs in its queue.
    /// let node = Reported::new("gpu-0", Duration::from_secs(5)).stale_load(10.0);
    /// assert_eq!(node.load(), 10.0);
    /// ```
    #[must_use]
    pub fn stale_load(mut self, load: f64) -> Self {
        self.stale = load;
        self
    }

    /// Reports the load, as of now.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Load, Reported};
    /// use std::time::Duration;
    ///
    /// let node = Reported::new("gpu-0", Duration::from_secs(5));
    /// let queue_length = 7;
    /// node.report(f64::from(queue_length + 1)); // with one more request
    /// assert_eq!(node.load(), 8.0);
    /// ```
    pub fn report(&self, load: f64) {
        let now = nanos(self.shared.clock.now());
        self.shared.report.write(load, now);
    }

    /// Returns the last report. Returns `None` if it has expired or there has been none.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Reported;
    /// use std::time::Duration;
    ///
    /// let node = Reported::new("gpu-0", Duration::from_secs(5));
    /// assert_eq!(node.fresh(), None);
    /// node.report(8.0);
    /// assert_eq!(node.fresh(), Some(8.0));
    /// ```
    pub fn fresh(&self) -> Option<f64> {
        let (load, time) = self.shared.report.read()?;
        let age = nanos(self.shared.clock.now()).saturating_sub(time);
        (age <= self.expiry).then_some(load)
    }
}

impl<N, C: Clock> Load for Reported<N, C> {
    fn load(&self) -> f64 {
        self.fresh().unwrap_or(self.stale)
    }
}

/// Counts as the node inside does.
#[cfg(target_has_atomic = "ptr")]
impl<N: Counted, C> Counted for Reported<N, C> {
    type Watch = N::Watch;

    #[inline]
    fn counter(&self) -> &Counter {
        self.node.counter()
    }

    #[inline]
    fn watch(&self) -> N::Watch {
        self.node.watch()
    }
}

impl<N: Key, C> Key for Reported<N, C> {
    const MEASURES: bool = true;

    fn key_bytes(&self) -> impl AsRef<[u8]> {
        const {
            assert!(
                !N::MEASURES,
                "`Reported` loses what the node inside measures: put it inside, as in `PeakEwma<Reported<_>>`"
            );
        }
        self.node.key_bytes()
    }

    /// Shares the report of the present node, and lets the node inside take over too.
    fn take_over(&mut self, present: &Self) {
        self.shared = Arc::clone(&present.shared);
        self.node.take_over(&present.node);
    }
}

impl<N, C> Deref for Reported<N, C> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N, C> DerefMut for Reported<N, C> {
    fn deref_mut(&mut self) -> &mut N {
        &mut self.node
    }
}

/// Shares the report.
impl<N: Clone, C> Clone for Reported<N, C> {
    fn clone(&self) -> Self {
        Reported {
            node: self.node.clone(),
            expiry: self.expiry,
            stale: self.stale,
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<N: fmt::Debug, C> fmt::Debug for Reported<N, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reported")
            .field("node", &self.node)
            .field("report", &self.shared.report.read())
            .finish_non_exhaustive()
    }
}
