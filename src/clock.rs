//! Time comes in from outside.

use core::time::Duration;

/// A clock that only ever goes forward: the time since some moment that stays the same.
///
/// What depends on time takes a clock, so that a test or a simulation can run it by hand. A closure is a clock;
/// [`SystemClock`] is the default where there is one.
///
/// ```
/// use clockwise::load::Clock;
/// use std::{cell::Cell, time::Duration};
///
/// let time = Cell::new(Duration::ZERO);
/// let clock = || time.get();
/// time.set(Duration::from_secs(3));
/// assert_eq!(Clock::now(&clock), Duration::from_secs(3));
/// ```
pub trait Clock {
    /// Returns the time since the clock's fixed moment, never less than before.
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration> Clock for F {
    fn now(&self) -> Duration {
        self()
    }
}

/// Nanoseconds, up to 584 years.
#[cfg(target_has_atomic = "64")]
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The system's monotonic clock, since this value was made; copies agree. Without `std` there is none, and no value of this type.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    #[cfg(feature = "std")]
    start: std::time::Instant,
    #[cfg(not(feature = "std"))]
    _none: core::convert::Infallible,
}

#[cfg(feature = "std")]
impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        SystemClock {
            start: std::time::Instant::now(),
        }
    }
}

#[cfg(feature = "std")]
impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

#[cfg(feature = "std")]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}
