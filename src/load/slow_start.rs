//! [`SlowStart`]: a new node takes its share little by little.

use super::Load;
use crate::clock::{Clock, SystemClock};
use crate::error::ConfigError;
use crate::key::Key;
use core::ops::Deref;
use core::time::Duration;

/// The least part of its weight that a node starts with, unless set.
const FLOOR: f64 = 0.1;

/// A node that counts for less while it is new, because its caches are cold (Envoy's slow start).
///
/// For `window` after it was made it has the part
///
/// ```text
/// max(floor, (age/window)^(1/aggression))
/// ```
///
/// of its weight: 1/10 at first, all of it at the end. An aggression above 1 gets there sooner, below 1 later; 1 is a straight line.
///
/// As a [`Load`] it divides the load of the node inside by that part, which for [`LeastLoaded`](crate::LeastLoaded) and
/// [`PowerOfTwo`](crate::PowerOfTwo) is the same as the smaller weight. For strategies that know weights only, set the weight now and then to
/// [`ramp(weight)`](SlowStart::ramp). On a ring, and with rendezvous hashing, keys then move only *to* the warming node, each at most once.
///
/// A node starts anew when [`replace`](crate::LeastLoaded::replace)d by a new one. Needs `std` (powers).
///
/// ```
/// use clockwise::{HashRing, SlowStart};
/// use std::{cell::Cell, time::Duration};
///
/// let time = Cell::new(Duration::ZERO);
/// let node = SlowStart::with_clock("cache-4", Duration::from_secs(60), || time.get());
/// let mut ring = HashRing::from_nodes(["cache-1", "cache-2", "cache-3"])?;
/// ring.set_nodes(["cache-1", "cache-2", "cache-3"].map(|old| (old, 8)))?;
/// ring.insert_weighted("cache-4", node.ramp(8))?;
/// assert_eq!(ring.weight("cache-4"), Some(1));
///
/// time.set(Duration::from_secs(30)); // every few seconds
/// ring.set_weight("cache-4", node.ramp(8))?;
/// assert_eq!(ring.weight("cache-4"), Some(4));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SlowStart<N, C = SystemClock> {
    node: N,
    clock: C,
    born: Duration,
    window: Duration,
    /// 1/aggression.
    exponent: f64,
    floor: f64,
}

impl<N> SlowStart<N> {
    /// This node, new as of now, warm after `window`.
    pub fn new(node: N, window: Duration) -> Self {
        SlowStart::with_clock(node, window, SystemClock::new())
    }
}

impl<N, C: Clock> SlowStart<N, C> {
    /// As [`new`](SlowStart::new), by this clock.
    pub fn with_clock(node: N, window: Duration, clock: C) -> Self {
        SlowStart {
            node,
            born: clock.now(),
            clock,
            window,
            exponent: 1.0,
            floor: FLOOR,
        }
    }

    /// How fast the part grows; 1, a straight line, unless set.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] where it is not above 0, or not finite.
    pub fn aggression(mut self, aggression: f64) -> Result<Self, ConfigError> {
        if !(aggression > 0.0 && aggression.is_finite()) {
            let must = "above 0 and finite";
            return Err(ConfigError::out_of_range("aggression", aggression, must));
        }
        self.exponent = aggression.recip();
        Ok(self)
    }

    /// The part that the node starts with; 0.1 unless set.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] where it is not above 0, or above 1.
    pub fn floor(mut self, floor: f64) -> Result<Self, ConfigError> {
        if !(floor > 0.0 && floor <= 1.0) {
            return Err(ConfigError::out_of_range(
                "floor",
                floor,
                "above 0, up to 1",
            ));
        }
        self.floor = floor;
        Ok(self)
    }

    /// The part of its weight that the node has now, from the floor to 1.
    pub fn part(&self) -> f64 {
        let age = self.clock.now().saturating_sub(self.born);
        if age >= self.window {
            return 1.0;
        }
        let time = age.as_secs_f64() / self.window.as_secs_f64();
        time.powf(self.exponent).clamp(self.floor, 1.0)
    }

    /// That part of a weight, rounded, 1 or more: what to set the weight to now. 0 only for weight 0.
    pub fn ramp(&self, weight: u32) -> u32 {
        let now = (f64::from(weight) * self.part()).round() as u32;
        now.max(1).min(weight)
    }
}

impl<N: Load, C: Clock> Load for SlowStart<N, C> {
    fn load(&self) -> f64 {
        self.node.load() / self.part()
    }
}

impl<N: Key, C> Key for SlowStart<N, C> {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.node.key_bytes()
    }
}

impl<N, C> Deref for SlowStart<N, C> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}
