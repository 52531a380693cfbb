//! [`Clock`], so that time is an input.

use core::time::Duration;

/// A monotonic clock, which returns the time since a fixed moment.
///
/// Types that depend on time take a clock, so that a test or a simulation can set the time by hand.
/// A closure is a clock. [`SystemClock`] is the default if `std` is available.
///
/// # Examples
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
    /// Returns the time since the clock's fixed moment. It never decreases.
    ///
    /// # Examples
    /// ```
    /// use clockwise::load::Clock;
    /// use std::time::Duration;
    ///
    /// let stopped = || Duration::from_secs(5); // a closure is a clock, for tests
    /// assert_eq!(stopped.now(), Duration::from_secs(5));
    /// ```
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration> Clock for F {
    fn now(&self) -> Duration {
        self()
    }
}

/// Returns nanoseconds, which last for 584 years.
#[cfg(target_has_atomic = "64")]
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The system's monotonic clock, counted from the creation of the value.
///
/// Copies return the same time. Without `std` there is no such clock, and no value of this type.
///
/// # Examples
/// ```
/// use clockwise::load::{Clock, SystemClock};
///
/// let clock = SystemClock::new();
/// let first = clock.now();
/// assert!(clock.now() >= first); // it never runs backwards
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    #[cfg(feature = "std")]
    start: std::time::Instant,
    #[cfg(not(feature = "std"))]
    _none: core::convert::Infallible,
}

#[cfg(feature = "std")]
impl SystemClock {
    /// Creates a clock that starts at 0 now.
    ///
    /// # Examples
    /// ```
    /// use clockwise::load::{Clock, SystemClock};
    ///
    /// assert!(SystemClock::new().now().as_secs() < 60); // since this call
    /// ```
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
