//! [`Load`], the measure of how busy a node is, and the nodes that implement it.
//!
//! # Examples
//! ```
//! use clockwise::{LeastLoaded, Tracked};
//!
//! let servers = LeastLoaded::from_nodes(["a", "b"].map(Tracked::new))?;
//! let busy = servers.route("").unwrap();
//! let _request = busy.begin();
//! assert_ne!(**servers.route("").unwrap(), **busy);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(target_has_atomic = "ptr")]
pub(crate) mod count;
#[cfg(target_has_atomic = "ptr")]
pub(crate) mod counted;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod latency;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod open;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod peak_ewma;
#[cfg(target_has_atomic = "64")]
mod report;
#[cfg(target_has_atomic = "64")]
mod reported;
#[cfg(feature = "std")]
mod slow_start;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod timer;
#[cfg(target_has_atomic = "ptr")]
mod tracked;
#[cfg(target_has_atomic = "ptr")]
pub(crate) mod turns;

pub use crate::clock::{Clock, SystemClock};
#[cfg(target_has_atomic = "ptr")]
pub use counted::{Counted, Counter, InFlight, InFlightOf, Watch};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use peak_ewma::PeakEwma;
#[cfg(target_has_atomic = "64")]
pub use reported::Reported;
#[cfg(feature = "std")]
pub use slow_start::SlowStart;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use timer::Timer;
#[cfg(target_has_atomic = "ptr")]
pub use tracked::Tracked;

use crate::pointers::through_pointers;
use alloc::{boxed::Box, rc::Rc};

#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;

/// A node that knows how busy it is.
///
/// The load-driven strategies ([`LeastLoaded`](crate::LeastLoaded),
/// [`PowerOfTwo`](crate::PowerOfTwo)) compare `load() / weight` and prefer the smaller value. You
/// choose the unit. It must be the same for all nodes of a strategy.
///
/// `load` returns what the load would be *if this node took the request too*. For requests in
/// flight that is their number + 1. Idle nodes of unequal weight then compare correctly: of an idle
/// node of weight 2 (load 1, relative load 1/2) and one of weight 1 (relative load 1), the heavier
/// one takes the next request.
///
/// NaN counts as infinity and a negative load as 0. A node of infinite load is chosen last, but it
/// is chosen.
///
/// # Sources of loads
///
/// | type | load | wraps |
/// |---|---|---|
/// | [`Tracked`] | requests in flight + 1 | any node |
/// | [`PeakEwma`] | latency × (requests that wait for their answer + 1) | a node with a load |
/// | [`Reported`] | a number that the application writes | any node |
/// | [`SlowStart`] | that of the node inside, with a `warmth` | a node with a load |
///
/// They wrap a node and each other, such as `SlowStart<PeakEwma<Tracked<Server>>>`. The outer ones
/// pass on what the inner ones measure and count. A stack that would lose a measurement, such as a
/// `Tracked` around a `PeakEwma`, does not build. A type of your own may implement `Load` itself.
///
/// # Examples
///
/// ```
/// use clockwise::{Key, LeastLoaded, Load};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// struct Gpu {
///     name: &'static str,
///     queued: AtomicU32,
/// }
/// impl Key for Gpu {
///     fn key_bytes(&self) -> impl AsRef<[u8]> {
///         self.name
///     }
/// }
/// impl Load for Gpu {
///     fn load(&self) -> f64 {
///         f64::from(self.queued.load(Ordering::Relaxed)) + 1.0
///     }
/// }
///
/// let gpus = LeastLoaded::from_nodes([
///     Gpu { name: "gpu-0", queued: AtomicU32::new(7) },
///     Gpu { name: "gpu-1", queued: AtomicU32::new(3) },
/// ])?;
/// assert_eq!(gpus.route("any job").map(|gpu| gpu.name), Some("gpu-1"));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Performance
///
/// A pick calls `load` once or twice for each node that it compares, possibly on many threads. Read
/// an atomic rather than take a lock.
pub trait Load {
    /// Returns the node's load if it took this request too.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Load, Tracked};
    ///
    /// let node = Tracked::new("a");
    /// assert_eq!(node.load(), 1.0); // this request alone
    /// let _request = node.begin();
    /// assert_eq!(node.load(), 2.0);
    /// ```
    fn load(&self) -> f64;

    /// Returns the fraction of its usual share that the node should get now. 1 or more means that
    /// the node is warm.
    ///
    /// A warming node takes *turns*: `LeastLoaded` and `PowerOfTwo` offer it the fraction
    /// `warmth × weight / total weight` of all picks, unless it is far busier than the warm nodes.
    /// See [`SlowStart`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Load, SlowStart, Tracked};
    /// use std::time::Duration;
    ///
    /// assert_eq!(Tracked::new("a").warmth(), 1.0);
    /// let fresh = SlowStart::new(Tracked::new("a"), Duration::from_secs(3600));
    /// assert!(fresh.warmth() < 0.2);
    /// ```
    fn warmth(&self) -> f64 {
        1.0
    }
}

through_pointers! {
    impl[T: Load + ?Sized] Load {
        #[inline]
        fn load(&self) -> f64 {
            (**self).load()
        }

        #[inline]
        fn warmth(&self) -> f64 {
            (**self).warmth()
        }
    } for
        &T;
        Box<T>;
        Rc<T>;
        #[cfg(target_has_atomic = "ptr")]
        Arc<T>;
}

/// Returns what strategies compare: `load / weight`, never NaN and never negative.
///
/// It is a quotient because equal ratios round to equal quotients, so that ties are exact. With a
/// product by 1/weight, 49 × (1/49) would be less than 1.
#[inline]
pub(crate) fn relative(load: f64, weight: f64) -> f64 {
    // A comparison with NaN is false, so each line is one machine instruction. With `max(0.0)`
    // first, NaN would become the most attractive load.
    let load = if load < f64::INFINITY {
        load
    } else {
        f64::INFINITY
    };
    let load = if load > 0.0 { load } else { 0.0 };
    load / weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_infinite_and_negative_is_zero() {
        assert_eq!(relative(f64::NAN, 2.0), f64::INFINITY);
        assert_eq!(relative(f64::INFINITY, 2.0), f64::INFINITY);
        assert_eq!(relative(-3.0, 2.0), 0.0);
        assert_eq!(relative(f64::NEG_INFINITY, 2.0), 0.0);
        assert_eq!(relative(u64::MAX as f64, 2.0), 2f64.powi(63));
    }

    #[test]
    fn equal_ratios_tie_exactly() {
        for weight in 1..2000 {
            for times in 1..50 {
                let weight = f64::from(weight);
                assert_eq!(
                    relative(f64::from(times) * weight, weight),
                    f64::from(times)
                );
            }
        }
    }
}
