//! [`SlowStart`]: a new node takes its share little by little.

use super::Load;
use crate::clock::{Clock, SystemClock};
use crate::error::ConfigError;
use crate::key::Key;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

#[cfg(target_has_atomic = "ptr")]
use super::{Counted, Counter};

/// The part of its share that a node starts with, unless it is set.
const FLOOR: f64 = 0.1;

/// A node that takes a smaller share while it is new, because its caches are cold (Envoy's slow
/// start).
///
/// For `window` after its creation, the node should get this part of its usual share:
///
/// ```text
/// max(floor, (age/window)^(1/aggression))
/// ```
///
/// It is 1/10 at first and 1 at the end. An aggression above 1 makes it rise sooner, one below 1
/// later. With 1 it is a straight line.
///
/// [`LeastLoaded`](crate::LeastLoaded) and [`PowerOfTwo`](crate::PowerOfTwo) follow the ramp by
/// *turns*, at light and at heavy traffic. A pick is the warming node's turn with probability
/// `part × weight / total weight`. The other picks choose among the warm nodes. On its turn the
/// node is passed over if its load is more than 4 times that of the warm node that would be picked
/// instead. So a warming node that hangs gets nothing. If no node is warm, they compare
/// `load / (weight × part)`.
///
/// For strategies that know weights only, set the weight now and then to
/// [`ramp(weight)`](SlowStart::ramp). On a ring, and with rendezvous hashing, keys then only move
/// *to* the warming node, each at most once.
///
/// Replacing a member's payload does not restart its ramp. To warm up a node that was restarted,
/// remove it and add it again. Needs `std` (powers).
///
/// # Examples
///
/// ```
/// use clockwise::{HashRing, SlowStart};
/// use std::{cell::Cell, time::Duration};
///
/// let time = Cell::new(Duration::ZERO);
/// let node = SlowStart::with_clock("cache-4", Duration::from_secs(60), || time.get());
/// let mut ring = HashRing::from_weighted(["cache-1", "cache-2"].map(|old| (old, 8)))?;
/// ring.insert_weighted("cache-4", node.ramp(8))?;
/// assert_eq!(ring.weight("cache-4"), Some(1));
///
/// time.set(Duration::from_secs(30)); // every few seconds
/// ring.set_weight("cache-4", node.ramp(8))?;
/// assert_eq!(ring.weight("cache-4"), Some(4));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Performance
///
/// The clock is read only while the node is warming.
#[derive(Debug)]
pub struct SlowStart<N, C = SystemClock> {
    node: N,
    clock: C,
    born: Duration,
    /// The age at `born`, of a member whose place this node took.
    age_at_birth: Duration,
    window: Duration,
    /// 1/aggression.
    exponent: f64,
    floor: f64,
    /// `true` if the clock was seen past the window.
    warm: AtomicBool,
}

impl<N> SlowStart<N> {
    /// Wraps a node that is new now and warm after `window`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{LeastLoaded, SlowStart, Tracked};
    /// use std::time::Duration;
    ///
    /// let minute = Duration::from_secs(60);
    /// let node = |name| SlowStart::new(Tracked::new(name), minute);
    /// let mut servers = LeastLoaded::from_nodes(["a", "b"].map(node))?;
    /// servers.insert(node("c"))?; // warms up for a minute
    /// assert!(servers.get("c").unwrap().part() < 0.2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(node: N, window: Duration) -> Self {
        SlowStart::with_clock(node, window, SystemClock::new())
    }
}

impl<N, C: Clock> SlowStart<N, C> {
    /// Wraps a node that is new now and warm after `window`, with this clock.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlowStart;
    /// use std::{cell::Cell, time::Duration};
    ///
    /// let time = Cell::new(Duration::ZERO);
    /// let node = SlowStart::with_clock("a", Duration::from_secs(60), || time.get());
    /// time.set(Duration::from_secs(30));
    /// assert_eq!(node.part(), 0.5);
    /// ```
    pub fn with_clock(node: N, window: Duration, clock: C) -> Self {
        SlowStart {
            node,
            born: clock.now(),
            age_at_birth: Duration::ZERO,
            clock,
            window,
            exponent: 1.0,
            floor: FLOOR,
            warm: AtomicBool::new(window.is_zero()),
        }
    }

    /// Sets how fast the part grows. The default is 1, a straight line.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlowStart;
    /// use std::time::Duration;
    ///
    /// let sooner = SlowStart::with_clock("a", Duration::from_secs(60), || Duration::ZERO);
    /// assert!(sooner.aggression(2.0).is_ok());
    /// assert!(SlowStart::new("a", Duration::from_secs(60)).aggression(0.0).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if it is not above 0 and finite.
    pub fn aggression(mut self, aggression: f64) -> Result<Self, ConfigError> {
        if !(aggression > 0.0 && aggression.is_finite()) {
            let must = "finite and above 0";
            return Err(ConfigError::out_of_range("aggression", aggression, must));
        }
        self.exponent = aggression.recip();
        Ok(self)
    }

    /// Sets the part that the node starts with. The default is 0.1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlowStart;
    /// use std::time::Duration;
    ///
    /// let node = SlowStart::new("a", Duration::from_secs(3600)).floor(0.25)?;
    /// assert_eq!(node.part(), 0.25);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if it is not above 0, or above 1.
    pub fn floor(mut self, floor: f64) -> Result<Self, ConfigError> {
        if !(floor > 0.0 && floor <= 1.0) {
            let must = "above 0 and at most 1";
            return Err(ConfigError::out_of_range("floor", floor, must));
        }
        self.floor = floor;
        Ok(self)
    }

    /// Returns the part of its share that the node should get now, from the floor to 1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlowStart;
    /// use std::{cell::Cell, time::Duration};
    ///
    /// let time = Cell::new(Duration::ZERO);
    /// let node = SlowStart::with_clock("a", Duration::from_secs(60), || time.get());
    /// assert_eq!(node.part(), 0.1);
    /// time.set(Duration::from_secs(60));
    /// assert_eq!(node.part(), 1.0);
    /// ```
    #[inline]
    pub fn part(&self) -> f64 {
        if self.warm.load(Ordering::Relaxed) {
            1.0
        } else {
            self.part_by_clock()
        }
    }

    fn part_by_clock(&self) -> f64 {
        let age = self.age();
        if age >= self.window {
            self.warm.store(true, Ordering::Relaxed);
            return 1.0;
        }
        let time = age.as_secs_f64() / self.window.as_secs_f64();
        time.powf(self.exponent).clamp(self.floor, 1.0)
    }

    /// Returns that part of a weight, rounded, and at least 1: the weight to set now. Returns 0
    /// only for weight 0.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlowStart;
    /// use std::{cell::Cell, time::Duration};
    ///
    /// let time = Cell::new(Duration::ZERO);
    /// let node = SlowStart::with_clock("a", Duration::from_secs(60), || time.get());
    /// assert_eq!(node.ramp(10), 1);
    /// time.set(Duration::from_secs(30));
    /// assert_eq!(node.ramp(10), 5);
    /// ```
    pub fn ramp(&self, weight: u32) -> u32 {
        let now = (f64::from(weight) * self.part()).round() as u32;
        now.max(1).min(weight)
    }

    fn age(&self) -> Duration {
        let since = self.clock.now().saturating_sub(self.born);
        since.saturating_add(self.age_at_birth)
    }
}

impl<N: Load, C: Clock> Load for SlowStart<N, C> {
    #[inline]
    fn load(&self) -> f64 {
        self.node.load()
    }

    #[inline]
    fn warmth(&self) -> f64 {
        self.part() * self.node.warmth()
    }
}

/// Counts as the node inside does.
#[cfg(target_has_atomic = "ptr")]
impl<N: Counted, C> Counted for SlowStart<N, C> {
    type Watch = N::Watch;

    #[inline]
    fn counter(&self) -> &Counter {
        self.node.counter()
    }

    #[inline]
    fn watch(&self) -> N::Watch {
        self.node.watch()
    }
}

impl<N: Key, C: Clock> Key for SlowStart<N, C> {
    const MEASURES: bool = true;

    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.node.key_bytes()
    }

    /// Continues the ramp of the present node, and lets the node inside take over too.
    fn take_over(&mut self, present: &Self) {
        // The two clocks may count from different moments, so ages are compared and not times.
        self.born = self.clock.now();
        self.age_at_birth = present.age();
        *self.warm.get_mut() = self.window.is_zero();
        self.node.take_over(&present.node);
    }
}

impl<N, C> Deref for SlowStart<N, C> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N, C> DerefMut for SlowStart<N, C> {
    fn deref_mut(&mut self) -> &mut N {
        &mut self.node
    }
}

impl<N: Clone, C: Clone> Clone for SlowStart<N, C> {
    fn clone(&self) -> Self {
        SlowStart {
            node: self.node.clone(),
            clock: self.clock.clone(),
            born: self.born,
            age_at_birth: self.age_at_birth,
            window: self.window,
            exponent: self.exponent,
            floor: self.floor,
            warm: AtomicBool::new(self.warm.load(Ordering::Relaxed)),
        }
    }
}
