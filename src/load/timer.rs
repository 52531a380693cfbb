//! [`Timer`]: measures how long one request takes.

use super::Watch;
use super::latency::Latency;
use super::open::Window;
use crate::clock::{Clock, SystemClock};
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

/// How a [`PeakEwma`](crate::PeakEwma) counts what it measures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// τ in seconds.
    pub(super) decay: f64,
    /// The least cost of a failure.
    pub(super) failure: Duration,
}

/// The [`Watch`] of a [`PeakEwma`](crate::PeakEwma): measures how long one request takes.
///
/// # Examples
/// ```
/// use clockwise::{PeakEwma, Tracked, load::{InFlight, Timer}};
/// use std::time::Duration;
///
/// let node = PeakEwma::new(Tracked::new("a"), Duration::from_secs(10))?;
/// let request: InFlight<Timer<()>> = node.begin(); // counts, and measures the time
/// drop(request);
/// assert!(node.latency() > Duration::ZERO);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Timer<W, C = SystemClock> {
    latency: Arc<Latency<C>>,
    settings: Settings,
    /// Nanoseconds of the clock.
    began: u64,
    /// The window that counts the request as waiting for its answer.
    waits: Window,
    so_far: SoFar,
    expects_answer: bool,
    inner: W,
}

/// How a request has gone until now.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SoFar {
    Open,
    Answered,
    Failed,
}

impl<W, C: Clock> Timer<W, C> {
    /// Starts now. `inner` is the watch of the node inside.
    pub(super) fn start(latency: &Arc<Latency<C>>, settings: Settings, inner: W) -> Self {
        let (began, waits) = latency.request();
        Timer {
            began,
            waits,
            latency: Arc::clone(latency),
            settings,
            so_far: SoFar::Open,
            expects_answer: false,
            inner,
        }
    }

    fn answer(&mut self) {
        if self.so_far == SoFar::Open {
            self.so_far = SoFar::Answered;
            self.observe(self.latency.since(self.began));
        }
    }

    fn fail(&mut self) {
        let took = match self.so_far {
            SoFar::Open => self.latency.since(self.began),
            // How long a stream lasted before it broke says nothing about latency.
            SoFar::Answered => Duration::ZERO,
            SoFar::Failed => return,
        };
        self.so_far = SoFar::Failed;
        self.observe(took.max(self.settings.failure));
    }

    fn observe(&mut self, rtt: Duration) {
        if let Some(window) = self.waits.take() {
            self.latency.settle(window);
        }
        self.latency.answer(rtt, self.settings.decay);
    }
}

impl<W: Watch, C: Clock> Watch for Timer<W, C> {
    fn answered(&mut self) {
        self.answer();
        self.inner.answered();
    }

    fn failed(&mut self) {
        self.fail();
        self.inner.failed();
    }

    fn ended(&mut self) {
        if self.so_far == SoFar::Open {
            if self.expects_answer {
                self.fail();
            } else {
                self.answer();
            }
        }
        self.latency.end();
        self.inner.ended();
    }

    fn expect_answer(&mut self) {
        self.expects_answer = true;
        self.inner.expect_answer();
    }
}

impl<W, C> fmt::Debug for Timer<W, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("so_far", &self.so_far)
            .field("expects_answer", &self.expects_answer)
            .finish_non_exhaustive()
    }
}
