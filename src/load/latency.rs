//! [`Latency`]: how fast a node has answered, and since when it is silent.

use super::open::{Open, Window};
use crate::atomic::{AtomicU64, Ordering};
use crate::clock::{Clock, nanos};
use core::time::Duration;

/// The bits of the cost of a node that has never answered: a NaN, which no observation makes.
const UNANSWERED: u64 = u64::MAX;

/// The latency of a node and its state, in a few words. Threads neither wait nor retry for long.
///
/// An observation first claims the time since the last one by moving `stamp`, and then changes
/// `cost`. So each span of time decays the cost once, and no peak is lost. A reader in between sees
/// a cost that has not decayed for that span.
///
/// `waiting` and `begun` are separate from that. If an answer and the begin of another request
/// cross, the request may pass for one that began before the answer. The next one counts again.
pub(super) struct Latency<C> {
    clock: C,
    /// Seconds, as the bits of an f64.
    cost: AtomicU64,
    /// When the last observation was made, in nanoseconds of the clock.
    stamp: AtomicU64,
    /// The time at which the first request after the last answer began, or 0 if there was none.
    waiting: AtomicU64,
    /// When the last request began.
    begun: AtomicU64,
    open: Open,
}

/// What is known about a node at one moment.
pub(super) struct Reading {
    /// The cost in seconds. `None` if the node has never answered.
    pub(super) cost: Option<f64>,
    pub(super) silence: Silence,
    /// The open requests that do not wait for an answer.
    pub(super) settled: u64,
}

/// What the open requests say about a node.
pub(super) enum Silence {
    /// No request has begun since the last answer.
    None,
    /// The node has not answered for so long that it should be tried once more.
    Trial,
    /// Requests have been waiting for an answer for so many seconds.
    Seconds(f64),
}

impl<C> Latency<C> {
    /// Returns the cost at the last observation. Returns `None` if the node has never answered.
    pub(super) fn last(&self) -> Option<f64> {
        seconds(self.cost.load(Ordering::Relaxed))
    }

    fn at(clock: C, now: u64, window: u64) -> Self {
        Latency {
            clock,
            cost: AtomicU64::new(UNANSWERED),
            stamp: AtomicU64::new(now),
            waiting: AtomicU64::new(0),
            begun: AtomicU64::new(now),
            open: Open::new(window),
        }
    }

    /// Counts an answer after `rtt` seconds.
    fn observe(&self, now: u64, rtt: f64, decay: f64) {
        // If another observation has claimed up to a later moment, nothing is left to claim.
        let before = self.stamp.fetch_max(now, Ordering::Relaxed);
        let keep = kept(now.saturating_sub(before), decay);
        let mut bits = self.cost.load(Ordering::Relaxed);
        loop {
            let next = match seconds(bits) {
                Some(cost) if rtt <= cost => cost * keep + rtt * (1.0 - keep),
                _ => rtt,
            };
            match self.cost.compare_exchange_weak(
                bits,
                next.to_bits(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(now) => bits = now,
            }
        }
        self.waiting.store(0, Ordering::Relaxed);
    }

    fn begin(&self, now: u64) {
        self.begun.store(now, Ordering::Relaxed);
        if self.waiting.load(Ordering::Relaxed) == 0 {
            self.waiting.store(now.max(1), Ordering::Relaxed);
        }
    }

    /// Notes that a request waits no longer, but is still open.
    pub(super) fn settle(&self, window: u64) {
        self.open.settle(window);
    }

    /// Notes that a request has ended. It must have been settled.
    pub(super) fn end(&self) {
        self.open.end();
    }

    /// Returns the cost as if a response of no time came now.
    fn cost_at(&self, now: u64, decay: f64) -> Option<f64> {
        let since = now.saturating_sub(self.stamp.load(Ordering::Relaxed));
        Some(self.last()? * kept(since, decay))
    }

    fn silence_at(&self, now: u64, decay: f64) -> Silence {
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting == 0 {
            return Silence::None;
        }
        let begun = self.begun.load(Ordering::Relaxed);
        let [since_last, tried_for, silent] = [
            now.saturating_sub(begun),
            begun.saturating_sub(waiting),
            now.saturating_sub(waiting),
        ]
        .map(|nanos| nanos as f64 * 1e-9);
        // After τ, 2τ, 4τ, …: as long again as it has been tried for.
        if since_last >= tried_for.max(decay) {
            Silence::Trial
        } else {
            Silence::Seconds(silent)
        }
    }
}

impl<C: Clock> Latency<C> {
    /// Starts without an answer. Open requests stop weighing after one or two of these windows.
    pub(super) fn new(clock: C, window: Duration) -> Self {
        let now = nanos(clock.now());
        Latency::at(clock, now, nanos(window))
    }

    /// Notes that a request begins, and returns the time and the window that counts it.
    pub(super) fn request(&self) -> (u64, Window) {
        let now = self.now();
        self.begin(now);
        (now, self.open.begin(now))
    }

    /// Returns the time since `began`.
    pub(super) fn since(&self, began: u64) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(began))
    }

    /// Notes that an answer came after `rtt`.
    pub(super) fn answer(&self, rtt: Duration, decay: f64) {
        // An answer in no time would make any number of requests in flight look free.
        let rtt = rtt.max(Duration::from_nanos(1));
        self.observe(self.now(), rtt.as_secs_f64(), decay);
    }

    /// Returns the cost now, in seconds. Returns `None` if the node has never answered.
    pub(super) fn cost(&self, decay: f64) -> Option<f64> {
        self.cost_at(self.now(), decay)
    }

    /// Returns the cost now, and what the open requests say.
    #[inline]
    pub(super) fn read(&self, decay: f64) -> Reading {
        let now = self.now();
        Reading {
            cost: self.cost_at(now, decay),
            silence: self.silence_at(now, decay),
            settled: self.open.settled(now),
        }
    }

    fn now(&self) -> u64 {
        nanos(self.clock.now())
    }
}

fn seconds(bits: u64) -> Option<f64> {
    (bits != UNANSWERED).then(|| f64::from_bits(bits))
}

/// Returns e^(−Δt/τ).
fn kept(nanos: u64, decay: f64) -> f64 {
    (-(nanos as f64) * 1e-9 / decay).exp()
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use alloc::vec::Vec;

    const SECOND: u64 = 1_000_000_000;

    /// Two threads observe at different moments while a third reads: the peak is never lost, and
    /// the reader sees no cost that none of them made.
    #[test]
    fn no_peak_is_lost_and_each_span_decays_once() {
        loom::model(|| {
            let latency = loom::sync::Arc::new(Latency::at((), 0, SECOND));
            let threads: Vec<_> = [(SECOND, 4.0), (2 * SECOND, 1.0)]
                .into_iter()
                .map(|(now, rtt)| {
                    let latency = latency.clone();
                    loom::thread::spawn(move || latency.observe(now, rtt, 1.0))
                })
                .collect();
            if let Some(seen) = latency.cost_at(2 * SECOND, 1.0) {
                assert!((0.0..=4.0).contains(&seen), "{seen}");
            }
            for thread in threads {
                thread.join().unwrap();
            }
            // Either the peak of 4 was first, and the later response lowers it, or it was last
            // and is kept. The later one may have claimed one second or two.
            let last = latency.last().unwrap();
            let lowered = |keep: f64| 4.0 * keep + (1.0 - keep);
            let possible = [4.0, lowered((-1f64).exp()), lowered((-2f64).exp())];
            assert!(
                possible.iter().any(|cost| (cost - last).abs() < 1e-12),
                "{last}"
            );
            assert_eq!(latency.stamp.load(Ordering::Relaxed), 2 * SECOND);
        });
    }

    /// A request begins while an older one is answered. It may pass for one that began before the
    /// answer, but the next one that begins is waited for in any case.
    #[test]
    fn a_begin_that_crosses_an_answer_hides_no_later_one() {
        loom::model(|| {
            let latency = loom::sync::Arc::new(Latency::at((), 0, SECOND));
            latency.begin(SECOND);
            let answer = {
                let latency = latency.clone();
                loom::thread::spawn(move || latency.observe(2 * SECOND, 1.0, 1.0))
            };
            latency.begin(2 * SECOND);
            answer.join().unwrap();
            latency.begin(3 * SECOND);
            let waiting = latency.waiting.load(Ordering::Relaxed);
            assert!([2 * SECOND, 3 * SECOND].contains(&waiting), "{waiting}");
        });
    }
}
