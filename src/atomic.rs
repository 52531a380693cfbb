//! The atomics of the crate: core's, or under `cfg(loom)` in unit tests those of the model checker.

#[cfg(not(all(test, loom)))]
pub(crate) use core::sync::atomic::*;
#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::*;

/// A counter of picks: 64 bits wide where the target has such atomics, else as wide as a pointer.
#[cfg(target_has_atomic = "64")]
pub(crate) type Counter = AtomicU64;
#[cfg(target_has_atomic = "64")]
pub(crate) type Count = u64;
#[cfg(not(target_has_atomic = "64"))]
pub(crate) type Counter = AtomicUsize;
#[cfg(not(target_has_atomic = "64"))]
pub(crate) type Count = usize;

/// A count as 64 bits, whatever the target.
#[inline]
#[allow(
    clippy::unnecessary_cast,
    reason = "as wide as a pointer where it is not 64 bits"
)]
pub(crate) fn wide(count: Count) -> u64 {
    count as u64
}
