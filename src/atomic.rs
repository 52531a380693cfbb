//! The atomics of the crate: those of `core`, or in unit tests under `cfg(loom)` those of the model
//! checker.

#[cfg(not(all(test, loom)))]
pub(crate) use core::sync::atomic::*;
#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::*;

/// A counter of picks: 64 bits wide if the target has such atomics, else as wide as a pointer.
#[cfg(target_has_atomic = "64")]
pub(crate) type Counter = AtomicU64;
#[cfg(target_has_atomic = "64")]
pub(crate) type Count = u64;
#[cfg(not(target_has_atomic = "64"))]
pub(crate) type Counter = AtomicUsize;
#[cfg(not(target_has_atomic = "64"))]
pub(crate) type Count = usize;

/// Converts a count to 64 bits on every target.
#[inline]
#[allow(
    clippy::unnecessary_cast,
    reason = "as wide as a pointer where it is not 64 bits"
)]
pub(crate) fn wide(count: Count) -> u64 {
    count as u64
}
