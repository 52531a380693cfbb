//! From bytes to a [`Token`]: [`KeyHasher`] and the hashers that keep the promise.

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

use alloc::boxed::Box;

#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;

/// Hashes a byte string to 64 bits, in one shot. Object-safe.
///
/// The value is taken as it is, so all 64 bits must depend on all the input: placements use the top bits first. Wrap a
/// hash that is weaker, or that you do not know, in [`Mixed`].
///
/// The crate's promise (same nodes, same key: same owner everywhere) holds as far as `hash_bytes` returns the same on
/// every platform and in every release of the hash's own crate.
///
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
    fn hash_bytes(&self, bytes: &[u8]) -> u64;
}

macro_rules! forward {
    ($($(#[$attr:meta])* $wrapper:ty;)*) => {$(
        $(#[$attr])*
        impl<H: KeyHasher + ?Sized> KeyHasher for $wrapper {
            #[inline]
            fn hash_bytes(&self, bytes: &[u8]) -> u64 {
                (**self).hash_bytes(bytes)
            }
        }
    )*};
}
forward! {
    &H;
    Box<H>;
    #[cfg(target_has_atomic = "ptr")]
    Arc<H>;
}
