//! [`Reported`]: a load that somebody says.

use super::Load;
use crate::atomic::{AtomicU64, Ordering};
use crate::clock::{Clock, SystemClock, nanos};
use crate::key::Key;
use alloc::sync::Arc;
use core::fmt;
use core::ops::Deref;
use core::time::Duration;

/// A node whose load is a number that the application writes: a queue's depth, the memory of a GPU, what the server says of itself.
///
/// A report expires. A node whose last report is older than that, or that never reported, has the [stale load](Reported::stale_load), infinity
/// unless set: it is chosen after all that report, and while none reports all are alike. Whoever falls silent must not look idle. The report counts
/// as what the load would be with the request that is about to come, so add 1 to a queue's depth.
///
/// Between two reports the number stands still, and the least loaded of all would take every request: take two choices
/// ([`PowerOfTwo`](crate::PowerOfTwo)).
///
/// Clones share the report. Needs 64-bit atomics.
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
#[derive(Clone)]
pub struct Reported<N, C = SystemClock> {
    node: N,
    clock: C,
    /// Nanoseconds.
    expiry: u64,
    stale: f64,
    report: Arc<Report>,
}

#[cfg(feature = "std")]
impl<N> Reported<N> {
    /// This node, without a report; reports expire after this time. Needs `std`.
    pub fn new(node: N, expiry: Duration) -> Self {
        Reported::with_clock(node, expiry, SystemClock::new())
    }
}

impl<N, C: Clock> Reported<N, C> {
    /// This node, without a report, by this clock; reports expire after this time. With `Duration::MAX` nothing expires.
    pub fn with_clock(node: N, expiry: Duration, clock: C) -> Self {
        Reported {
            node,
            clock,
            expiry: nanos(expiry),
            stale: f64::INFINITY,
            report: Arc::new(Report::none()),
        }
    }

    /// The load of a node without a fresh report; infinity unless set.
    #[must_use]
    pub fn stale_load(mut self, load: f64) -> Self {
        self.stale = load;
        self
    }

    /// Reports the load, as of now.
    pub fn report(&self, load: f64) {
        self.report.write(load, nanos(self.clock.now()));
    }

    /// The last report, if it has not expired.
    pub fn fresh(&self) -> Option<f64> {
        let (load, time) = self.report.read()?;
        let age = nanos(self.clock.now()).saturating_sub(time);
        (age <= self.expiry).then_some(load)
    }
}

/// A number and when it came.
///
/// The number is written first and read last. So who sees a time sees that time's number or a newer one: an old number never passes for fresh.
#[derive(Debug)]
struct Report {
    /// The bits of an f64.
    load: AtomicU64,
    /// Nanoseconds of the clock, plus 1; 0 for never.
    stamp: AtomicU64,
}

impl Report {
    fn none() -> Self {
        Report {
            load: AtomicU64::new(0),
            stamp: AtomicU64::new(0),
        }
    }

    fn write(&self, load: f64, now: u64) {
        self.load.store(load.to_bits(), Ordering::Relaxed);
        self.stamp.store(now.saturating_add(1), Ordering::Release);
    }

    fn read(&self) -> Option<(f64, u64)> {
        let time = self.stamp.load(Ordering::Acquire).checked_sub(1)?;
        Some((f64::from_bits(self.load.load(Ordering::Relaxed)), time))
    }
}

impl<N, C: Clock> Load for Reported<N, C> {
    fn load(&self) -> f64 {
        self.fresh().unwrap_or(self.stale)
    }
}

impl<N: Key, C> Key for Reported<N, C> {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.node.key_bytes()
    }
}

impl<N, C> Deref for Reported<N, C> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N: fmt::Debug, C> fmt::Debug for Reported<N, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reported")
            .field("node", &self.node)
            .field("report", &self.report.read())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;

    /// Who sees the second report's time does not see the first one's number.
    #[test]
    fn an_old_number_never_passes_for_fresh() {
        loom::model(|| {
            let report = loom::sync::Arc::new(Report::none());
            let writer = {
                let report = report.clone();
                loom::thread::spawn(move || {
                    report.write(1.0, 10);
                    report.write(2.0, 20);
                })
            };
            match report.read() {
                None => {}
                Some((load, 10)) => assert!(load == 1.0 || load == 2.0),
                Some((load, time)) => assert_eq!((load, time), (2.0, 20)),
            }
            writer.join().unwrap();
            assert_eq!(report.read(), Some((2.0, 20)));
        });
    }
}
