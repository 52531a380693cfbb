//! [`PeakEwma`]: latency as a load.

use super::Load;
use crate::atomic::{AtomicU64, Ordering};
use crate::clock::{Clock, SystemClock, nanos};
use crate::error::ConfigError;
use crate::key::Key;
use alloc::sync::Arc;
use core::fmt;
use core::ops::Deref;
use core::time::Duration;

/// The load of a node that has requests in flight but has never answered: 2³⁰ s a request, more than any latency.
const UNKNOWN: f64 = (1u64 << 30) as f64;

/// What a failure costs that was not told otherwise.
const FAILURE: Duration = Duration::from_secs(1);

/// A node whose load is its latency of late times its requests in flight (peak EWMA, as in Finagle's and linkerd's balancers).
///
/// The cost follows the response times: a longer one raises it at once, shorter ones lower it slowly. With Δt since the last
/// response and τ the decay time,
///
/// ```text
/// a = e^(−Δt/τ)        cost = rtt                       where rtt > cost
///                      cost = cost·a + rtt·(1 − a)      otherwise
/// load = cost·a · (inner load)
/// ```
///
/// The inner load is that of the node inside, so that it counts the requests in flight: `PeakEwma<Tracked<Server>>` is cost × (in flight + 1).
/// A node that has never answered has load 0 while its inner load is at most 1, so it is tried; with a request in flight, a very large one,
/// so it is not flooded before it has answered.
///
/// Take two choices over it ([`PowerOfTwo`](crate::PowerOfTwo)), and **τ far above the gap between two requests to one node**, else idle
/// nodes look free: simulated with 50 servers at 90 % load, τ of 10 service times is unstable, 1000 gives queues of 15.
///
/// Failures must not look fast: a node that refuses at once would draw all traffic. Report them by [`observe_failure`](PeakEwma::observe_failure).
///
/// Clones share the cost. Needs `std` (exponentials) and 64-bit atomics.
///
/// ```
/// use clockwise::{Key, Load, PeakEwma};
/// use std::time::Duration;
///
/// struct Server {
///     name: &'static str,
/// }
/// impl Key for Server {
///     fn key_bytes(&self) -> impl AsRef<[u8]> {
///         self.name
///     }
/// }
/// impl Load for Server {
///     fn load(&self) -> f64 {
///         1.0 // or in flight + 1
///     }
/// }
///
/// let server = PeakEwma::new(Server { name: "a" }, Duration::from_secs(10))?;
/// assert_eq!(server.load(), 0.0);
/// server.observe(Duration::from_millis(20));
/// assert!(server.load() > 0.019 && server.load() <= 0.020); // seconds, decaying
/// # Ok::<(), clockwise::ConfigError>(())
/// ```
pub struct PeakEwma<N, C = SystemClock> {
    node: N,
    clock: C,
    /// τ in seconds.
    decay: f64,
    failure: Duration,
    cost: Arc<Cost>,
}

impl<N> PeakEwma<N> {
    /// This node, with decay time τ = `decay`, never answered yet.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] where `decay` is 0.
    pub fn new(node: N, decay: Duration) -> Result<Self, ConfigError> {
        PeakEwma::with_clock(node, decay, SystemClock::new())
    }
}

impl<N, C: Clock> PeakEwma<N, C> {
    /// As [`new`](PeakEwma::new), by this clock.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] where `decay` is 0.
    pub fn with_clock(node: N, decay: Duration, clock: C) -> Result<Self, ConfigError> {
        if decay.is_zero() {
            return Err(ConfigError::out_of_range("decay", "0", "above 0"));
        }
        Ok(PeakEwma {
            node,
            cost: Arc::new(Cost::new(nanos(clock.now()))),
            clock,
            decay: decay.as_secs_f64(),
            failure: FAILURE,
        })
    }

    /// What a failure costs at least, such as the caller's timeout; 1 s unless set.
    #[must_use]
    pub fn failure_cost(mut self, cost: Duration) -> Self {
        self.failure = cost;
        self
    }

    /// A response came after this time.
    pub fn observe(&self, rtt: Duration) {
        // A response of no time at all would count as none.
        let rtt = rtt.max(Duration::from_nanos(1)).as_secs_f64();
        self.cost.observe(nanos(self.clock.now()), rtt, self.decay);
    }

    /// A request failed after this time: counts as a response after the [failure cost](PeakEwma::failure_cost), or after `rtt` where that is longer.
    pub fn observe_failure(&self, rtt: Duration) {
        self.observe(rtt.max(self.failure));
    }

    /// The latency that the node is held to have now; 0 where it has never answered.
    pub fn latency(&self) -> Duration {
        let cost = self.cost.at(nanos(self.clock.now()), self.decay);
        Duration::try_from_secs_f64(cost).unwrap_or(Duration::MAX)
    }
}

/// The moving average, of two atomics.
///
/// An observation first claims the time since the last one by moving `stamp`, then changes `cost`. So each span of time decays the cost
/// once, whoever observes, and no peak is lost; a reader between the two sees the cost not yet decayed for that span. Nobody waits.
#[derive(Debug)]
struct Cost {
    /// Seconds, as the bits of an f64.
    bits: AtomicU64,
    /// Nanoseconds of the clock at the last observation.
    stamp: AtomicU64,
}

impl Cost {
    fn new(now: u64) -> Self {
        Cost {
            bits: AtomicU64::new(0),
            stamp: AtomicU64::new(now),
        }
    }

    fn observe(&self, now: u64, rtt: f64, decay: f64) {
        // Where another observation claimed up to a later moment, nothing is left to claim.
        let before = self.stamp.fetch_max(now, Ordering::Relaxed);
        let keep = kept(now.saturating_sub(before), decay);
        let mut bits = self.bits.load(Ordering::Relaxed);
        loop {
            let cost = f64::from_bits(bits);
            let next = if rtt > cost {
                rtt
            } else {
                cost * keep + rtt * (1.0 - keep)
            };
            match self.bits.compare_exchange_weak(
                bits,
                next.to_bits(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => bits = now,
            }
        }
    }

    /// As if a response of no time came now.
    fn at(&self, now: u64, decay: f64) -> f64 {
        let since = now.saturating_sub(self.stamp.load(Ordering::Relaxed));
        f64::from_bits(self.bits.load(Ordering::Relaxed)) * kept(since, decay)
    }
}

/// e^(−Δt/τ)
fn kept(nanos: u64, decay: f64) -> f64 {
    (-(nanos as f64) * 1e-9 / decay).exp()
}

impl<N: Load, C: Clock> Load for PeakEwma<N, C> {
    fn load(&self) -> f64 {
        let inner = self.node.load();
        let cost = self.cost.at(nanos(self.clock.now()), self.decay);
        if cost > 0.0 {
            cost * inner
        } else if inner > 1.0 {
            UNKNOWN * inner
        } else {
            0.0
        }
    }
}

impl<N: Key, C> Key for PeakEwma<N, C> {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.node.key_bytes()
    }
}

impl<N, C> Deref for PeakEwma<N, C> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N: Clone, C: Clone> Clone for PeakEwma<N, C> {
    fn clone(&self) -> Self {
        PeakEwma {
            node: self.node.clone(),
            clock: self.clock.clone(),
            decay: self.decay,
            failure: self.failure,
            cost: Arc::clone(&self.cost),
        }
    }
}

impl<N: fmt::Debug, C> fmt::Debug for PeakEwma<N, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeakEwma")
            .field("node", &self.node)
            .field(
                "cost",
                &f64::from_bits(self.cost.bits.load(Ordering::Relaxed)),
            )
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use alloc::vec::Vec;

    /// Two threads observe at different moments while a third reads: the peak is never lost, and the reader sees no cost that none of them made.
    #[test]
    fn no_peak_is_lost_and_each_span_decays_once() {
        loom::model(|| {
            let cost = loom::sync::Arc::new(Cost::new(0));
            let threads: Vec<_> = [(1_000_000_000, 4.0), (2_000_000_000, 1.0)]
                .into_iter()
                .map(|(now, rtt)| {
                    let cost = cost.clone();
                    loom::thread::spawn(move || cost.observe(now, rtt, 1.0))
                })
                .collect();
            let seen = cost.at(2_000_000_000, 1.0);
            assert!((0.0..=4.0).contains(&seen), "{seen}");
            for thread in threads {
                thread.join().unwrap();
            }
            // Either the peak of 4 came first, and the later response lowers it, or it came last and stands. The later may have claimed
            // one second or two.
            let last = f64::from_bits(cost.bits.load(Ordering::Relaxed));
            let lowered = |keep: f64| 4.0 * keep + (1.0 - keep);
            let possible = [4.0, lowered((-1f64).exp()), lowered((-2f64).exp())];
            assert!(
                possible.iter().any(|cost| (cost - last).abs() < 1e-12),
                "{last}"
            );
            assert_eq!(cost.stamp.load(Ordering::Relaxed), 2_000_000_000);
        });
    }
}
