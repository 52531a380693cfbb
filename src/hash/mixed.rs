//! [`Mixed`]: another hash, finalised.

use super::KeyHasher;
use core::fmt;
use core::hash::{BuildHasher, Hasher};

/// A hasher that makes any hash of yours fit for placement by a fixed finaliser.
///
/// Many fast hashes leave bits that hardly depend on the input, such as the top bits of FNV-1a on
/// short keys or the upper half of a CRC. `Mixed` passes the result through `MurmurHash3`'s
/// `fmix64` (Austin Appleby), whose constants are frozen here.
///
/// The inner hash gets one [`Hasher::write`] of the key's bytes, and nothing else. The placement is
/// as stable as the inner hash. `std::hash::RandomState` differs in every process, and `std`'s
/// `DefaultHasher` may differ between releases of Rust, so either breaks the promise of equal
/// owners everywhere.
///
/// Its [`hash_points`](KeyHasher::hash_points) is the default: layout V1 over the finalised hash.
/// To keep points of your own, implement [`KeyHasher`] instead.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, Mixed};
///
/// fn fnv1a(bytes: &[u8]) -> u64 {
///     let step = |h: u64, &b: &u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
///     bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
/// }
///
/// let mut ring = HashRing::with_hasher(Mixed::from_fn(fnv1a));
/// ring.insert("cache-1")?;
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct Mixed<T> {
    inner: T,
}

/// The inner hash of [`Mixed::from_fn`].
///
/// # Examples
/// ```
/// use clockwise::{KeyHasher, Mixed, hash::FromFn};
///
/// fn length(bytes: &[u8]) -> u64 {
///     bytes.len() as u64
/// }
///
/// let mixed: Mixed<FromFn<fn(&[u8]) -> u64>> = Mixed::from_fn(length);
/// assert_eq!(mixed.hash_bytes(b"ab"), mixed.hash_bytes(b"cd")); // as weak as the hash inside
/// ```
#[derive(Clone, Copy)]
pub struct FromFn<F>(F);

/// The inner hash of [`Mixed::new`].
///
/// # Examples
/// ```
/// use clockwise::{KeyHasher, Mixed, hash::FromBuildHasher};
/// use std::hash::{BuildHasherDefault, DefaultHasher};
///
/// type Build = BuildHasherDefault<DefaultHasher>; // it may differ between releases of Rust
/// let mixed: Mixed<FromBuildHasher<Build>> = Mixed::new(Build::default());
/// assert_eq!(mixed.hash_bytes(b"a"), mixed.hash_bytes(b"a"));
/// ```
#[derive(Clone, Copy, Default)]
pub struct FromBuildHasher<B>(B);

impl<B: BuildHasher> Mixed<FromBuildHasher<B>> {
    /// Creates a hasher that finalises the hashers that `build_hasher` builds.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Mixed};
    /// use std::hash::{BuildHasherDefault, DefaultHasher};
    ///
    /// let build = BuildHasherDefault::<DefaultHasher>::default();
    /// let mut ring = HashRing::with_hasher(Mixed::new(build));
    /// ring.insert("a")?;
    /// assert_eq!(ring.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new(build_hasher: B) -> Self {
        Mixed {
            inner: FromBuildHasher(build_hasher),
        }
    }
}

impl<F: Fn(&[u8]) -> u64> Mixed<FromFn<F>> {
    /// Creates a hasher that finalises the function `hash`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Mixed};
    ///
    /// let crc = |bytes: &[u8]| bytes.iter().fold(7u64, |h, &b| h.rotate_left(5) ^ u64::from(b));
    /// let mut ring = HashRing::with_hasher(Mixed::from_fn(crc));
    /// ring.insert("a")?;
    /// assert_eq!(ring.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn from_fn(hash: F) -> Self {
        Mixed {
            inner: FromFn(hash),
        }
    }
}

impl<B: BuildHasher> KeyHasher for Mixed<FromBuildHasher<B>> {
    #[inline]
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.inner.0.build_hasher();
        hasher.write(bytes);
        fmix64(hasher.finish())
    }
}

impl<F: Fn(&[u8]) -> u64> KeyHasher for Mixed<FromFn<F>> {
    #[inline]
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        fmix64((self.inner.0)(bytes))
    }
}

/// Shows nothing of the inner hash, which may hold a key.
impl<T> fmt::Debug for Mixed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mixed").finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}

impl<B> fmt::Debug for FromBuildHasher<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromBuildHasher").finish_non_exhaustive()
    }
}

/// The 64-bit finaliser of `MurmurHash3`: a bijection in which every bit of the input affects every
/// bit of the output.
pub(crate) const fn fmix64(mut h: u64) -> u64 {
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}
