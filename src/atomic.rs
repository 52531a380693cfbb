//! The atomics of the crate: core's, or under `cfg(loom)` in unit tests those of the model checker.

#[cfg(not(all(test, loom)))]
pub(crate) use core::sync::atomic::*;
#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::*;
