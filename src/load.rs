//! Load: how busy a node is, and where the number comes from.

#[cfg(target_has_atomic = "ptr")]
pub(crate) mod count;
#[cfg(target_has_atomic = "ptr")]
pub(crate) mod counted;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod peak_ewma;
#[cfg(target_has_atomic = "64")]
mod reported;
#[cfg(feature = "std")]
mod slow_start;
#[cfg(target_has_atomic = "ptr")]
mod tracked;

pub use crate::clock::{Clock, SystemClock};
#[cfg(target_has_atomic = "ptr")]
pub use counted::{Counted, Counter, InFlight, InFlightOf, Watch};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use peak_ewma::PeakEwma;
#[cfg(target_has_atomic = "64")]
pub use reported::Reported;
#[cfg(feature = "std")]
pub use slow_start::SlowStart;
#[cfg(target_has_atomic = "ptr")]
pub use tracked::Tracked;

use alloc::{boxed::Box, rc::Rc};

#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;

/// A node that knows how busy it is.
///
/// Load-driven strategies ([`LeastLoaded`](crate::LeastLoaded), [`PowerOfTwo`](crate::PowerOfTwo)) compare `load() / weight` and
/// prefer the smaller. The unit is yours, as long as it is the same for all nodes of a strategy.
///
/// `load` says what the load would be *if this node took the request too*: for requests in flight, their number + 1. So nodes of
/// unequal weight compare rightly while they are idle: of an idle node of weight 2 (load 1, relative 1/2) and one of weight 1
/// (relative 1) the heavier takes the next request.
///
/// Sources of loads: `Tracked` counts requests in flight, [`PeakEwma`](crate::PeakEwma) multiplies by the latency of late, [`Reported`](crate::Reported)
/// is a number that the application writes, [`SlowStart`](crate::SlowStart) makes a new node look busier for a while. They wrap a node and
/// each other, `SlowStart<PeakEwma<Tracked<Server>>>`; a type of your own may implement `Load` itself.
///
/// NaN counts as infinity and a negative load as 0; a node of infinite load is chosen last, but chosen. `load` is called once or
/// twice a pick, at times from many threads, so read an atomic rather than take a lock.
///
/// ```
/// use clockwise::{Key, LeastLoaded, Load, Route};
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
pub trait Load {
    /// Returns the node's load if it took this request too.
    fn load(&self) -> f64;
}

macro_rules! forward {
    ($($(#[$attr:meta])* $wrapper:ty;)*) => {$(
        $(#[$attr])*
        impl<T: Load + ?Sized> Load for $wrapper {
            #[inline]
            fn load(&self) -> f64 {
                (**self).load()
            }
        }
    )*};
}
forward! {
    &T;
    Box<T>;
    Rc<T>;
    #[cfg(target_has_atomic = "ptr")]
    Arc<T>;
}

/// What strategies compare: `load / weight`, never NaN, never negative.
///
/// A quotient, because equal ratios round to equal quotients, so that ties are exact: a product with 1/weight has 49 × (1/49) < 1.
#[inline]
pub(crate) fn relative(load: f64, weight: f64) -> f64 {
    // A comparison with NaN is false, so each line is one machine instruction. `max(0.0)` first would make NaN the most attractive load.
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
