//! [`Open`]: how many open requests still wait for their answer.

use crate::atomic::{AtomicU64, Ordering};

/// The bits of a window's counter that hold the count. The bits above hold the window's number,
/// which lasts for 34 years with windows of 1 ms.
const COUNT_BITS: u32 = 24;
const COUNT: u64 = (1 << COUNT_BITS) - 1;

/// The open requests of a node, and those of them that wait for their answer.
///
/// A request waits until it is answered or fails, and for two windows of time at most. A guard that
/// is leaked is never answered, so it must stop waiting although nothing touches it. Therefore the
/// waiting requests are counted by the window in which they began. Two counters are used in turn,
/// and each carries the number of its window. The first request of a window replaces the counter of
/// the window before the last one. An answer lowers the counter of the request's window only if it
/// is still there.
///
/// Answers must end the wait, because age alone is not enough. Suppose that one node of four serves
/// a tenth of its requests as streams of 30 s, and that requests weigh for 4 to 8 times the
/// latency. It then keeps 79 % of its share at 100 requests a second, and with windows of τ = 10 s
/// 3 %.
pub(super) struct Open {
    all: AtomicU64,
    windows: [AtomicU64; 2],
    /// The length of a window, in nanoseconds.
    length: u64,
}

/// The window that counts a request. `None` if no window does.
pub(super) type Window = Option<u64>;

impl Open {
    /// Starts with nothing open, with windows of `length` nanoseconds.
    pub(super) fn new(length: u64) -> Self {
        Open {
            all: AtomicU64::new(0),
            windows: [AtomicU64::new(0), AtomicU64::new(0)],
            length: length.max(1),
        }
    }

    /// Counts a request that begins now. It waits for its answer.
    pub(super) fn begin(&self, now: u64) -> Window {
        let window = self.window(now);
        let counted =
            self.counter(window)
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |counter| {
                    match counter >> COUNT_BITS {
                        older if older < window => Some(window << COUNT_BITS | 1),
                        // A thread that was delayed for two windows finds a later one.
                        later if later > window => None,
                        _ => (counter & COUNT < COUNT).then_some(counter + 1),
                    }
                });
        self.all.fetch_add(1, Ordering::Relaxed);
        counted.is_ok().then_some(window)
    }

    /// Notes that the request of this window waits no longer. It is still open.
    pub(super) fn settle(&self, window: u64) {
        // An error means that it was too old to be counted.
        let _ =
            self.counter(window)
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |counter| {
                    (counter >> COUNT_BITS == window).then(|| counter - 1)
                });
    }

    /// Notes that a request has ended. It must have been settled.
    pub(super) fn end(&self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns how many open requests do not wait for an answer: they have had one, or they are
    /// too old.
    pub(super) fn settled(&self, now: u64) -> u64 {
        let all = self.all.load(Ordering::Relaxed);
        if all == 0 {
            return 0;
        }
        let window = self.window(now);
        let waiting = self.windows.each_ref().map(|counter| {
            let counter = counter.load(Ordering::Relaxed);
            if (counter >> COUNT_BITS) + 1 < window {
                0
            } else {
                counter & COUNT
            }
        });
        all.saturating_sub(waiting[0] + waiting[1])
    }

    fn window(&self, now: u64) -> u64 {
        (now / self.length).min(u64::MAX >> COUNT_BITS)
    }

    fn counter(&self, window: u64) -> &AtomicU64 {
        &self.windows[(window % 2) as usize]
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_request_waits_until_it_is_settled_and_for_two_windows_at_most() {
        let open = Open::new(10);
        let [first, second] = [open.begin(9), open.begin(10)];
        assert_eq!([first, second], [Some(0), Some(1)]);
        assert_eq!(
            [9, 19, 20, 29, 30].map(|now| open.settled(now)),
            [0, 0, 1, 1, 2]
        );
        let third = open.begin(25); // takes the counter of the first
        open.settle(0);
        open.settle(0);
        assert_eq!([25, 30, 40].map(|now| open.settled(now)), [1, 2, 3]);
        open.settle(2);
        assert_eq!((third, open.settled(25)), (Some(2), 2));
        assert_eq!(open.begin(5), None); // late: the counter belongs to a later window
        assert_eq!(open.settled(25), 3);
        for left in [3, 2, 1, 0] {
            open.end();
            assert_eq!(open.settled(u64::MAX), left);
        }
    }

    #[test]
    fn a_full_counter_counts_no_more() {
        let open = Open::new(u64::MAX);
        open.windows[0].store(COUNT - 1, Ordering::Relaxed);
        assert_eq!([open.begin(7), open.begin(7)], [Some(0), None]);
        open.settle(0);
        assert_eq!(open.windows[0].load(Ordering::Relaxed), COUNT - 1);
    }

    #[test]
    fn any_moment_has_a_window() {
        let open = Open::new(0);
        let window = open.begin(u64::MAX).unwrap();
        assert_eq!(open.settled(u64::MAX), 0);
        open.settle(window);
        assert_eq!(open.settled(u64::MAX), 1);
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::thread::spawn;

    /// One request is carried to its end.
    fn serve(open: &Open, now: u64) {
        let window = open.begin(now);
        if let Some(window) = window {
            open.settle(window);
        }
        open.end();
    }

    /// Two threads begin and end requests while the windows roll over below an older request, in
    /// the same counter. No count is lost, and none falls below 0.
    #[test]
    fn no_count_is_lost_when_windows_roll_over() {
        loom::model(|| {
            let open = Arc::new(Open::new(10));
            let old = open.begin(5);
            let kept = open.begin(15);
            assert_eq!([old, kept], [Some(0), Some(1)]);
            let ends = spawn({
                let open = Arc::clone(&open);
                move || {
                    // It settles the request of window 0, which may be gone, and begins another.
                    open.settle(0);
                    open.end();
                    serve(&open, 22);
                }
            });
            let held = open.begin(21);
            let seen = open.settled(21);
            assert!(seen <= 3, "{seen}");
            ends.join().unwrap();
            // Open and waiting: that of window 1 and that of window 2.
            assert_eq!(held, Some(2));
            assert_eq!([21, 30, 40].map(|now| open.settled(now)), [0, 1, 2]);
            assert_eq!(open.windows[0].load(Ordering::Relaxed), 2 << COUNT_BITS | 1);
            assert_eq!(open.windows[1].load(Ordering::Relaxed), 1 << COUNT_BITS | 1);
        });
    }

    /// A thread that is late by two windows meets one that has rolled over. The later window keeps
    /// its count in either order.
    #[test]
    fn a_late_begin_takes_nothing_from_a_later_window() {
        loom::model(|| {
            let open = Arc::new(Open::new(10));
            let late = spawn({
                let open = Arc::clone(&open);
                move || serve(&open, 5)
            });
            assert_eq!(open.begin(25), Some(2));
            late.join().unwrap();
            assert_eq!([25, 40].map(|now| open.settled(now)), [0, 1]);
            assert_eq!(open.windows[0].load(Ordering::Relaxed), 2 << COUNT_BITS | 1);
        });
    }
}
