//! [`Counter`]: how many requests are in flight, the one atomic protocol of counting.

use crate::atomic::{AtomicUsize, Ordering};
use alloc::sync::Arc;
use core::fmt;

/// A counter of requests in flight. Clones share the count.
///
/// A node type of your own has a field of this type and implements
/// [`Counted`](super::Counted).
///
/// # Examples
/// ```
/// use clockwise::load::Counter;
///
/// struct Server {
///     address: &'static str,
///     requests: Counter,
/// }
///
/// let server = Server { address: "10.0.0.1:80", requests: Counter::new() };
/// assert_eq!(server.requests.get(), 0);
/// ```
pub struct Counter(Arc<Count>);

/// The number itself, on cache lines of its own: two threads that count on neighbours would wait
/// for each other (up and down takes 12 ns apart, and never less than 24 ns on one line).
///
/// A `usize`, although it is read as `u32`: a guard that is leaked stays counted, and 2³² leaks
/// take only seconds.
#[repr(align(64))]
struct Count(AtomicUsize);

impl Counter {
    /// Creates a counter at 0.
    ///
    /// # Examples
    /// ```
    /// use clockwise::load::Counter;
    ///
    /// assert_eq!(Counter::new().get(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Counter(Arc::new(Count(AtomicUsize::new(0))))
    }

    /// Returns the number of requests in flight, at most `u32::MAX`.
    ///
    /// Effects of requests whose end is seen here are visible to the caller.
    ///
    /// # Examples
    /// ```
    /// use clockwise::load::{Counted, Counter};
    /// use clockwise::Tracked;
    ///
    /// let node = Tracked::new("a");
    /// let requests: Counter = node.counter().clone(); // shares the count
    /// let _request = node.begin();
    /// assert_eq!(requests.get(), 1);
    /// ```
    #[inline]
    #[must_use]
    pub fn get(&self) -> u32 {
        clamp(self.0.0.load(Ordering::Acquire))
    }

    /// Adds one and returns how many there were.
    #[inline]
    fn up(&self) -> u32 {
        clamp(self.0.0.fetch_add(1, Ordering::AcqRel))
    }

    /// Adds one if `may` allows it, given how many there are. Exactly that many are there when
    /// the one is added, so another thread cannot make the answer untrue in between.
    #[inline]
    fn up_if(&self, may: impl Fn(u32) -> bool) -> bool {
        self.0
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
                may(clamp(open)).then_some(open + 1)
            })
            .is_ok()
    }

    #[inline]
    fn down(&self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn clamp(open: usize) -> u32 {
    u32::try_from(open).unwrap_or(u32::MAX)
}

impl Default for Counter {
    fn default() -> Self {
        Counter::new()
    }
}

/// Shares the count.
impl Clone for Counter {
    fn clone(&self) -> Self {
        Counter(Arc::clone(&self.0))
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counter").field(&self.get()).finish()
    }
}

/// One that is counted while this lives.
pub(crate) struct Held<'a>(&'a Counter);

impl<'a> Held<'a> {
    /// Counts one, and returns how many there were before.
    #[inline]
    pub(crate) fn new(counter: &'a Counter) -> (Self, u32) {
        let before = counter.up();
        (Held(counter), before)
    }

    /// Counts one if `may` allows it, given how many there are.
    #[inline]
    pub(crate) fn new_if(counter: &'a Counter, may: impl Fn(u32) -> bool) -> Option<Self> {
        // Not `then_some`, which would count down for a refusal too.
        counter.up_if(may).then(|| Held(counter))
    }

    /// Frees it from the place where it is counted, without a gap in the count.
    #[inline]
    pub(crate) fn into_owned(self) -> OwnedHeld {
        let owned = OwnedHeld(self.0.clone());
        core::mem::forget(self);
        owned
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.down();
    }
}

/// Like [`Held`], but it may outlive what it was counted through.
pub(crate) struct OwnedHeld(Counter);

impl Drop for OwnedHeld {
    #[inline]
    fn drop(&mut self) {
        self.0.down();
    }
}

/// Models of the protocol: every interleaving of a few threads.
#[cfg(all(test, loom))]
mod loom_models {
    use super::*;

    /// Under a cap of 1 two threads never both hold one, and a refusal means that the other did.
    #[test]
    fn loom_a_cap_holds() {
        loom::model(|| {
            let count = Arc::new(Counter::new());
            let try_one = |count: Arc<Counter>| {
                move || match Held::new_if(&count, |open| open < 1) {
                    Some(held) => {
                        assert_eq!(count.get(), 1);
                        drop(held);
                        1
                    }
                    None => 0,
                }
            };
            let other = loom::thread::spawn(try_one(Arc::clone(&count)));
            let mine = try_one(Arc::clone(&count))();
            assert!(mine + other.join().unwrap() >= 1);
            assert_eq!(count.get(), 0);
        });
    }

    /// Requests that begin, are handed over and end on different threads come to 0.
    #[test]
    fn loom_begin_hand_over_and_end_come_to_zero() {
        loom::model(|| {
            let count = Arc::new(Counter::new());
            let (held, before) = Held::new(&count);
            assert_eq!(before, 0);
            let owned = held.into_owned();
            let ends = loom::thread::spawn(move || drop(owned));
            let (second, _) = Held::new(&count);
            assert!((1..=2).contains(&count.get()));
            drop(second);
            ends.join().unwrap();
            assert_eq!(count.get(), 0);
        });
    }

    /// A thread that sees 0 sees what was done under the last one: a drained node may be shut down
    /// then.
    #[test]
    fn loom_zero_comes_after_the_work() {
        use loom::sync::atomic::AtomicUsize as Plain;
        loom::model(|| {
            let count = Arc::new(Counter::new());
            let work = Arc::new(Plain::new(0));
            let owned = Held::new(&count).0.into_owned();
            let worker = loom::thread::spawn({
                let work = Arc::clone(&work);
                move || {
                    work.store(1, Ordering::Relaxed);
                    drop(owned);
                }
            });
            if count.get() == 0 {
                assert_eq!(work.load(Ordering::Relaxed), 1);
            }
            worker.join().unwrap();
        });
    }
}
