//! XXH3, the default.

use super::KeyHasher;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// XXH3 with 64 bits of result (Yann Collet, xxHash 0.8), the default hasher.
///
/// Named by its algorithm, whose values are fixed since xxHash 0.8.0: it never changes. Anyone can aim keys at one node
/// under an unkeyed hash, seeded or not; where keys come from an attacker, take [`SipHash13`](crate::SipHash13).
///
/// ```
/// use clockwise::{KeyHasher, Xxh3};
/// assert_eq!(Xxh3::new().hash_bytes(b""), 0x2d06_8005_38d3_94c2); // the published test vector
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Xxh3 {
    seed: u64,
}

impl Xxh3 {
    /// XXH3 with seed 0.
    pub const fn new() -> Self {
        Xxh3 { seed: 0 }
    }

    /// XXH3 with a seed: another, unrelated placement of the same nodes. Not a secret: for that take
    /// [`SipHash13`](crate::SipHash13).
    pub const fn with_seed(seed: u64) -> Self {
        Xxh3 { seed }
    }
}

impl KeyHasher for Xxh3 {
    #[inline]
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        // Two calls, because the unseeded form is the shorter code and the branch is always predicted.
        if self.seed == 0 {
            xxh3_64(bytes)
        } else {
            xxh3_64_with_seed(bytes, self.seed)
        }
    }
}
