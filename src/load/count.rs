//! How many of something are open: the one atomic protocol of in-flight counting.

use crate::atomic::{AtomicUsize, Ordering};
use alloc::sync::Arc;

/// A number that many threads raise and lower.
///
/// Each has cache lines of its own: two threads that count on neighbours would wait for each other (up and down: 12 ns apart, on one
/// line never below 24, the same as one after the other).
///
/// A `usize`, although it is read as `u32`: what is leaked stays counted, and 2³² leaks are a matter of seconds.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> Self {
        Count(AtomicUsize::new(0))
    }

    /// How many are open. What was done before a `down` that this sees is done for the caller too.
    #[inline]
    pub(crate) fn get(&self) -> u32 {
        clamp(self.0.load(Ordering::Acquire))
    }

    /// One more. Returns how many there were.
    #[inline]
    fn up(&self) -> u32 {
        clamp(self.0.fetch_add(1, Ordering::AcqRel))
    }

    /// One more where `may` allows it, given how many there are: that many and no other when it is counted. So of any number of
    /// threads none counts on an answer that another has made untrue.
    #[inline]
    fn up_if(&self, may: impl Fn(u32) -> bool) -> bool {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
                may(clamp(open)).then_some(open + 1)
            })
            .is_ok()
    }

    #[inline]
    fn down(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn clamp(open: usize) -> u32 {
    u32::try_from(open).unwrap_or(u32::MAX)
}

/// One that is counted while this lives.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a Arc<Count>);

impl<'a> Held<'a> {
    /// Counts one, and says how many there were before.
    #[inline]
    pub(crate) fn new(count: &'a Arc<Count>) -> (Self, u32) {
        let before = count.up();
        (Held(count), before)
    }

    /// Counts one where `may` allows it, given how many there are.
    #[inline]
    pub(crate) fn new_if(count: &'a Arc<Count>, may: impl Fn(u32) -> bool) -> Option<Self> {
        // Not `then_some`, which would make one, and end it, for a refusal too.
        count.up_if(may).then(|| Held(count))
    }

    /// The same one, no longer tied to where it is counted; counted without a gap.
    pub(crate) fn into_owned(self) -> OwnedHeld {
        let owned = OwnedHeld(Arc::clone(self.0));
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

/// As [`Held`], but may outlive what it was counted through.
#[derive(Debug)]
pub(crate) struct OwnedHeld(Arc<Count>);

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
            let count = Arc::new(Count::new());
            let try_one = |count: Arc<Count>| {
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

    /// Begun, handed over and ended on different threads, all come to 0.
    #[test]
    fn loom_begin_hand_over_and_end_come_to_zero() {
        loom::model(|| {
            let count = Arc::new(Count::new());
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

    /// Who sees 0 sees what was done under the last one: a drained node may be shut down then.
    #[test]
    fn loom_zero_comes_after_the_work() {
        use loom::sync::atomic::AtomicUsize as Plain;
        loom::model(|| {
            let count = Arc::new(Count::new());
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
