//! SipHash-1-3, for keys that an attacker chooses.

use super::KeyHasher;
use core::fmt;
use siphasher::sip::SipHasher13;

/// `SipHash-1-3` (Aumasson and Bernstein 2012, with 1 and 3 rounds) under a 128-bit secret key.
///
/// Use it for keys that an attacker chooses: without the secret key it is infeasible to find many
/// keys that fall on one node. It takes about 10 times as long as [`Xxh3`](crate::Xxh3) on short
/// keys. Two processes agree on owners only if they hold the same secret key.
///
/// The secret key is never shown: not in `Debug`, not in errors, not in fingerprints.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, SipHash13};
///
/// let key = *b"16 secret bytes!"; // from your secret store; the same in every process
/// let mut ring = HashRing::with_hasher(SipHash13::new(key));
/// ring.insert("cache-1")?;
/// assert_eq!(format!("{:?}", SipHash13::new(key)), "SipHash13 { .. }");
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct SipHash13 {
    keyed: SipHasher13,
}

impl SipHash13 {
    /// Creates the hasher under `key`. Its first 8 bytes are k0, little-endian, and the others k1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{KeyHasher, SipHash13};
    ///
    /// let one = SipHash13::new(*b"16 secret bytes!");
    /// let other = SipHash13::new(*b"another secret!!");
    /// assert_ne!(one.hash_bytes(b"user:42"), other.hash_bytes(b"user:42"));
    /// ```
    pub fn new(key: [u8; 16]) -> Self {
        SipHash13 {
            keyed: SipHasher13::new_with_key(&key),
        }
    }
}

impl KeyHasher for SipHash13 {
    #[inline]
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        self.keyed.hash(bytes)
    }
}

impl fmt::Debug for SipHash13 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipHash13").finish_non_exhaustive()
    }
}
