//! [`Xxh3`]: the default hasher.

use super::KeyHasher;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// XXH3 with 64 bits of result (Yann Collet, xxHash 0.8), the default hasher.
///
/// It is named by its algorithm, whose values are fixed since xxHash 0.8.0, so it never changes.
/// Anyone can aim keys at one node under an unkeyed hash, with or without a seed. If keys come from
/// an attacker, use [`SipHash13`](crate::SipHash13).
///
/// # Examples
/// ```
/// use clockwise::{KeyHasher, Xxh3};
/// assert_eq!(Xxh3::new().hash_bytes(b""), 0x2d06_8005_38d3_94c2); // the published test vector
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Xxh3 {
    seed: u64,
}

impl Xxh3 {
    /// Creates XXH3 with seed 0.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Xxh3};
    ///
    /// let ring = HashRing::<&str>::with_hasher(Xxh3::new());
    /// assert_eq!(ring.token("user:42"), HashRing::<&str>::new().token("user:42")); // the default
    /// ```
    pub const fn new() -> Self {
        Xxh3 { seed: 0 }
    }

    /// Creates XXH3 with a seed, which gives another, unrelated placement of the same nodes. A seed
    /// is not a secret: use [`SipHash13`](crate::SipHash13) for that.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{KeyHasher, Xxh3};
    ///
    /// // Two tiers whose owners are independent of each other.
    /// let (first, second) = (Xxh3::with_seed(1), Xxh3::with_seed(2));
    /// assert_ne!(first.hash_bytes(b"user:42"), second.hash_bytes(b"user:42"));
    /// ```
    pub const fn with_seed(seed: u64) -> Self {
        Xxh3 { seed }
    }
}

impl KeyHasher for Xxh3 {
    #[inline]
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        // Two calls, because the unseeded form has less code and the branch is always predicted.
        if self.seed == 0 {
            xxh3_64(bytes)
        } else {
            xxh3_64_with_seed(bytes, self.seed)
        }
    }
}
