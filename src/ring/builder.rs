//! [`HashRingBuilder`]: configures a ring.

use super::HashRing;
use super::hash_ring::{MAX_POINTS, VIRTUAL_NODES};
use crate::error::ConfigError;
use crate::hash::{KeyHasher, Xxh3};
use crate::key::Key;
use crate::nodes::Budget;
use crate::snapshot::MAX_WORK;
use crate::strategy::builder_verbs;
use core::fmt;
use core::marker::PhantomData;

/// The greatest budget of points: what a `u32` can count, and what memory can hold while a change
/// is worked out.
const MOST_POINTS: usize = if usize::BITS > 32 {
    u32::MAX as usize
} else {
    1 << 25
};

/// A builder that configures a [`HashRing`]; see [`HashRing::builder`].
///
/// # Examples
/// ```
/// use clockwise::{HashRing, SipHash13};
///
/// let secret = SipHash13::new([7; 16]);
/// let mut ring = HashRing::builder().virtual_nodes(160).hasher(secret).build()?;
/// ring.insert("cache-1")?;
/// assert_eq!(ring.point_count(), 160);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `build`"]
pub struct HashRingBuilder<N, H = Xxh3> {
    budget: Budget,
    pub(super) max_work: u64,
    hasher: H,
    nodes: PhantomData<fn() -> N>,
}

impl<N> HashRingBuilder<N> {
    pub(super) const fn new() -> Self {
        let budget = Budget {
            virtual_nodes: VIRTUAL_NODES,
            max_points: MAX_POINTS,
        };
        HashRingBuilder {
            budget,
            max_work: MAX_WORK,
            hasher: Xxh3::new(),
            nodes: PhantomData,
        }
    }
}

impl<N, H> HashRingBuilder<N, H> {
    /// Sets the number of points for each unit of weight, 1 or more. The default is 512.
    ///
    /// More virtual nodes make shares more even, and take more memory and update time.
    /// [`Balance::virtual_nodes_for`](crate::Balance::virtual_nodes_for) returns how many you need.
    /// The number is part of the placement: another number moves keys.
    ///
    /// # Examples
    /// ```
    /// use clockwise::HashRing;
    ///
    /// let ring = HashRing::builder().virtual_nodes(100).from_nodes(["a", "b"])?;
    /// assert_eq!(ring.point_count(), 200);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn virtual_nodes(mut self, virtual_nodes: u32) -> Self {
        self.budget.virtual_nodes = virtual_nodes;
        self
    }

    /// Sets the hasher of keys and points. The default is [`Xxh3`]. It is part of the placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, SipHash13};
    ///
    /// let secret = SipHash13::new(*b"16 secret bytes!");
    /// let ring = HashRing::builder().hasher(secret).from_nodes(["a", "b"])?;
    /// assert!(ring.route("user:42").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hasher<H2>(self, hasher: H2) -> HashRingBuilder<N, H2> {
        HashRingBuilder {
            budget: self.budget,
            max_work: self.max_work,
            hasher,
            nodes: PhantomData,
        }
    }

    /// Sets the greatest number of points that all members may need together, drained ones
    /// included. The default is 2²⁴. A value above 2³² − 1 counts as 2³² − 1. On 32-bit targets a
    /// value above 2²⁵ counts as 2²⁵.
    ///
    /// A weight that is wrong by orders of magnitude is then refused before anything is allocated.
    /// The budget is not part of the placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::HashRing;
    ///
    /// let mut ring = HashRing::builder().max_points(1024).from_nodes(["a", "b"])?;
    /// assert!(ring.insert("c").is_err()); // 3 × 512 are too many
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_points(mut self, max_points: usize) -> Self {
        self.budget.max_points = max_points.min(MOST_POINTS);
        self
    }

    /// Sets how much work a snapshot may ask for in [`restore`](HashRingBuilder::restore), in units
    /// of about a nanosecond. The default is 2²⁹, about half a second. A point takes 68 units, and
    /// one more for each byte of its node's identity.
    ///
    /// It bounds the time and the memory that a snapshot from an untrusted source can cost. Set it
    /// to `u64::MAX` for a snapshot of your own. It is not part of the placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::HashRing;
    ///
    /// let snapshot = HashRing::from_nodes(["a", "b"])?.snapshot();
    /// assert!(HashRing::builder().max_work(10).restore(snapshot.clone()).is_err());
    /// assert!(HashRing::builder().restore(snapshot).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_work(mut self, max_work: u64) -> Self {
        self.max_work = max_work;
        self
    }

    /// Creates the ring, without nodes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::HashRing;
    ///
    /// let mut ring = HashRing::builder().virtual_nodes(100).build()?;
    /// ring.insert("a")?;
    /// assert!(HashRing::<&str>::builder().virtual_nodes(0).build().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`ConfigError::ZeroVirtualNodes`] for 0 virtual nodes, and
    /// [`ConfigError::TooManyVirtualNodes`] if not even one node would fit `max_points`.
    pub fn build(self) -> Result<HashRing<N, H>, ConfigError> {
        let Budget {
            virtual_nodes,
            max_points,
        } = self.budget;
        if virtual_nodes == 0 {
            return Err(ConfigError::ZeroVirtualNodes);
        }
        if virtual_nodes as usize > max_points {
            return Err(ConfigError::TooManyVirtualNodes {
                virtual_nodes,
                max_points,
            });
        }
        Ok(HashRing::configured(self.budget, self.hasher))
    }
}

builder_verbs!(
    impl[N: Key, H: KeyHasher] HashRingBuilder<N, H>, HashRing<N, H>, N, example HashRing,
    "builder()"
);

impl<N, H> fmt::Debug for HashRingBuilder<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashRingBuilder")
            .field("virtual_nodes", &self.budget.virtual_nodes)
            .field("max_points", &self.budget.max_points)
            .finish_non_exhaustive()
    }
}
