//! [`KeyHasher`], which turns bytes into a [`Token`], and the hashers that keep the promise of
//! equal owners.
//!
//! # Examples
//! ```
//! use clockwise::{HashRing, KeyHasher, SipHash13, Xxh3};
//!
//! let public = HashRing::<&str>::with_hasher(Xxh3::new()); // the default
//! let secret = HashRing::<&str, _>::with_hasher(SipHash13::new(*b"16 secret bytes!"));
//! assert_ne!(public.token("user:42"), secret.token("user:42"));
//! assert_eq!(public.token("user:42").get(), Xxh3::new().hash_bytes(b"user:42"));
//! ```

mod mixed;
mod sip13;
mod token;
mod xxh3;

#[cfg(test)]
pub(crate) use mixed::fmix64;
pub use mixed::{FromBuildHasher, FromFn, Mixed};
pub use sip13::SipHash13;
pub use token::{Token, TokenRange};
pub use xxh3::Xxh3;

use crate::pointers::through_pointers;
use crate::ring::layout;
use alloc::{boxed::Box, vec::Vec};

#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;

/// A hash function from byte strings to 64 bits, and the rule that puts a node's points on a ring.
/// Object-safe.
///
/// Its value is used unchanged, and placements use the top bits first, so every bit must depend on
/// all of the input. Wrap a weaker or unknown hash in [`Mixed`].
///
/// The crate promises that the same nodes and the same key give the same owner everywhere. The
/// promise holds if `hash_bytes` returns the same on every platform and in every release of the
/// hash's own crate.
///
/// Only `hash_bytes` is required. Override [`hash_points`](KeyHasher::hash_points) as well to keep
/// the points of a ring that you have in production. The guide
/// [leaving your own ring](crate::guide::leaving_your_own_ring) shows two complete hashers.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, KeyHasher};
///
/// struct FirstByte;
/// impl KeyHasher for FirstByte {
///     fn hash_bytes(&self, bytes: &[u8]) -> u64 {
///         u64::from(bytes.first().copied().unwrap_or(0)) << 56
///     }
/// }
///
/// let ring: HashRing<&str, FirstByte> = HashRing::with_hasher(FirstByte);
/// assert_eq!(ring.token("a").get(), 0x61 << 56);
/// ```
pub trait KeyHasher {
    /// Returns the hash of `bytes`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{KeyHasher, Xxh3};
    ///
    /// let hash = Xxh3::new().hash_bytes(b"user:42");
    /// assert_eq!(hash, Xxh3::new().hash_bytes(b"user:42")); // on every machine
    /// ```
    fn hash_bytes(&self, bytes: &[u8]) -> u64;

    /// Calls `point` with the places of a node's points on a ring, `count` times.
    ///
    /// `identity` is the node's key bytes, `count` is the ring's virtual nodes times the node's
    /// weight. The default is layout V1: point i is the hash of i (4 bytes, little-endian) followed
    /// by the identity. Only [`HashRing`](crate::HashRing) has points.
    /// [`Rendezvous`](crate::Rendezvous) and [`SlotTable`](crate::SlotTable) never take points from
    /// this method.
    ///
    /// An implementation must pass the same points whenever it is called with the same arguments.
    /// To move few keys when a weight changes, the points for a smaller `count` must be the first
    /// ones of those for a greater. The ring accepts all the same:
    ///
    /// - points that repeat, within a node or between nodes. Of nodes with a common point, the one
    ///   whose identity is the smallest owns it.
    /// - more than `count` points. It takes the first `count`.
    /// - fewer than `count` points. The node then has only these, and owns less. A node without any
    ///   point could never be found, so it gets one: the hash of its identity under
    ///   [`Xxh3::new`](crate::Xxh3::new).
    ///
    /// Fingerprints and snapshots tell a hasher with points of its own from one with those of
    /// layout V1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{KeyHasher, Xxh3};
    ///
    /// let mut points = Vec::new();
    /// Xxh3::new().hash_points(b"cache-1", 512, &mut |point| points.push(point));
    /// assert_eq!(points.len(), 512); // the points of one node of weight 1
    /// ```
    #[inline]
    fn hash_points(&self, identity: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
        layout::for_each_point(|bytes| self.hash_bytes(bytes), identity, count, point);
    }
}

/// Appends the points that a ring takes from `hasher` for a node: at least one, at most `count`,
/// which must not be 0. Returns how many.
pub(crate) fn take_points(
    hasher: &(impl KeyHasher + ?Sized),
    identity: &[u8],
    count: u32,
    points: &mut Vec<u64>,
) -> u32 {
    let begin = points.len();
    points.resize(begin + count as usize, 0);
    // Writing to room that is reserved already makes the closure small enough to be inlined: with
    // `push`, building a ring took 4 to 10 % more instructions.
    let mut free = points[begin..].iter_mut();
    hasher.hash_points(identity, count, &mut |point| {
        if let Some(place) = free.next() {
            *place = point;
        }
    });
    let mut taken = count - free.len() as u32;
    if taken == 0 {
        // This does not use `hasher`: one more call in this function keeps its hash from being
        // inlined above.
        points[begin] = Xxh3::new().hash_bytes(identity);
        taken = 1;
    }
    points.truncate(begin + taken as usize);
    taken
}

through_pointers! {
    impl[H: KeyHasher + ?Sized] KeyHasher {
        #[inline]
        fn hash_bytes(&self, bytes: &[u8]) -> u64 {
            (**self).hash_bytes(bytes)
        }

        #[inline]
        fn hash_points(&self, identity: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
            (**self).hash_points(identity, count, point);
        }
    } for
        &H;
        Box<H>;
        #[cfg(target_has_atomic = "ptr")]
        Arc<H>;
}
