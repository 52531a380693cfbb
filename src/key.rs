//! [`Key`]: a value as bytes that are the same everywhere.

use alloc::{
    borrow::{Cow, ToOwned},
    boxed::Box,
    rc::Rc,
    string::String,
    vec::Vec,
};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;

/// A value that has one canonical byte string, the same on every platform, compiler and release.
///
/// Both the keys that are routed and the nodes of a strategy are `Key`s; a node's identity *is* its key bytes.
///
/// `std::hash::Hash` is not used, because what it feeds to a hasher differs between platforms (`usize` lengths, native
/// endianness) and may differ between compilers: the same key would change its owner with the machine that asks.
///
/// | type | bytes |
/// |---|---|
/// | `str`, `String`, `[u8]`, `Vec<u8>`, `[u8; N]` | the raw bytes |
/// | `u8` `u16` `u32` `u64` `u128` | fixed width, little-endian |
/// | `Ipv4Addr`, `Ipv6Addr`, `IpAddr` | the 4 or 16 octets |
/// | `SocketAddr`, `SocketAddrV4`, `SocketAddrV6` | the octets, then the port as 2 big-endian bytes; flow label and scope are left out |
/// | `(A, B)` | the length of A as a `u64`, little-endian, then A, then B |
/// | `&T`, `Box<T>`, `Rc<T>`, `Arc<T>`, `Cow<T>` | those of the value inside |
///
/// So `7u32` and `7u64` are *different* keys: `remove(&7u32)` on a `HashRing<u64>` finds nothing. A `SocketAddr` and its text are too.
///
/// Signed integers, `usize`, floats and paths are not keys: their bytes differ by platform or have two forms for equal values.
/// A bare literal therefore does not compile, instead of meaning `i32` in silence:
///
/// ```compile_fail
/// let ring: clockwise::HashRing<&str> = clockwise::HashRing::new();
/// ring.route(&42); // the trait `Key` is not implemented for `i32`
/// ```
/// ```
/// let ring: clockwise::HashRing<&str> = clockwise::HashRing::new();
/// assert_eq!(ring.route(&42u64), None);
/// ```
///
/// # Your own types
///
/// Return the bytes that *identify* the value, never what may change while it stays the same thing:
///
/// ```
/// use clockwise::{HashRing, Key};
///
/// struct Server {
///     name: String,
///     connections: u32, // not part of the identity
/// }
///
/// impl Key for Server {
///     fn key_bytes(&self) -> impl AsRef<[u8]> {
///         self.name.as_bytes()
///     }
/// }
///
/// let mut ring = HashRing::new();
/// ring.insert(Server { name: "cache-1".into(), connections: 0 })?;
/// assert!(ring.contains("cache-1")); // any key with the same bytes names the node
/// # assert_eq!(ring.route("k").map(|s| s.connections), Some(0));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Key`: it has no byte string that is the same on every platform",
    label = "not a key",
    note = "for integers write an unsigned type with a fixed width, such as `42u64`; `usize`, signed integers, floats and paths are not keys",
    note = "for your own type implement `clockwise::Key` and return the bytes that identify it"
)]
pub trait Key {
    /// Returns the canonical bytes. Equal values must return equal bytes, always.
    fn key_bytes(&self) -> impl AsRef<[u8]>;

    /// Takes over what `present` counts or remembers, before this node takes its place.
    fn take_over(&mut self, present: &Self) {
        let _ = present;
    }
}

impl Key for str {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.as_bytes()
    }
}

impl Key for String {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.as_bytes()
    }
}

impl Key for [u8] {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self
    }
}

impl Key for Vec<u8> {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.as_slice()
    }
}

impl<const N: usize> Key for [u8; N] {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self
    }
}

macro_rules! little_endian {
    ($($int:ty)*) => {$(
        impl Key for $int {
            #[inline]
            fn key_bytes(&self) -> impl AsRef<[u8]> {
                self.to_le_bytes()
            }
        }
    )*};
}
little_endian!(u8 u16 u32 u64 u128);

impl Key for Ipv4Addr {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.octets()
    }
}

impl Key for Ipv6Addr {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.octets()
    }
}

impl Key for IpAddr {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        match self {
            IpAddr::V4(ip) => Short::<16>::join(&[&ip.octets()]),
            IpAddr::V6(ip) => Short::<16>::join(&[&ip.octets()]),
        }
    }
}

impl Key for SocketAddrV4 {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        Short::<18>::join(&[&self.ip().octets(), &self.port().to_be_bytes()])
    }
}

impl Key for SocketAddrV6 {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        Short::<18>::join(&[&self.ip().octets(), &self.port().to_be_bytes()])
    }
}

impl Key for SocketAddr {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        let port = self.port().to_be_bytes();
        match self.ip() {
            IpAddr::V4(ip) => Short::<18>::join(&[&ip.octets(), &port]),
            IpAddr::V6(ip) => Short::<18>::join(&[&ip.octets(), &port]),
        }
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        let (a, b) = (self.0.key_bytes(), self.1.key_bytes());
        let (a, b) = (a.as_ref(), b.as_ref());
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        Short::<64>::join(&[&(a.len() as u64).to_le_bytes(), a, b])
    }
}

macro_rules! the_value_inside {
    ($($(#[$attr:meta])* [$($generics:tt)*] $wrapper:ty;)*) => {$(
        $(#[$attr])*
        impl<$($generics)*> Key for $wrapper {
            #[inline]
            fn key_bytes(&self) -> impl AsRef<[u8]> {
                (**self).key_bytes()
            }
        }
    )*};
}
the_value_inside! {
    [T: Key + ?Sized] &T;
    [T: Key + ?Sized] Box<T>;
    [T: Key + ?Sized] Rc<T>;
    #[cfg(target_has_atomic = "ptr")]
    [T: Key + ?Sized] Arc<T>;
    [T: Key + ToOwned + ?Sized] Cow<'_, T>;
}

/// Joined bytes: on the stack up to `N`, on the heap beyond.
enum Short<const N: usize> {
    Stack([u8; N], usize),
    Heap(Vec<u8>),
}

impl<const N: usize> Short<N> {
    #[inline]
    fn join(parts: &[&[u8]]) -> Self {
        let len = parts.iter().map(|part| part.len()).sum();
        if len > N {
            return Short::Heap(parts.concat());
        }
        let (mut bytes, mut end) = ([0; N], 0);
        for part in parts {
            bytes[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        Short::Stack(bytes, len)
    }
}

impl<const N: usize> AsRef<[u8]> for Short<N> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        match self {
            Short::Stack(bytes, len) => &bytes[..*len],
            Short::Heap(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};

    fn bytes<K: Key + ?Sized>(key: &K) -> Vec<u8> {
        key.key_bytes().as_ref().to_vec()
    }

    #[test]
    fn canonical_encodings_are_as_documented() {
        assert_eq!(bytes("ab"), b"ab");
        assert_eq!(bytes(&"ab".to_string()), b"ab");
        assert_eq!(bytes(&vec![1u8, 2]), [1, 2]);
        assert_eq!(bytes(&[1u8, 2][..]), [1, 2]);
        assert_eq!(bytes(&[1u8, 2]), [1, 2]);
        assert_eq!(bytes(&0x0102u16), [2, 1]);
        assert_eq!(bytes(&7u8), [7]);
        assert_eq!(bytes(&7u32), [7, 0, 0, 0]);
        assert_eq!(bytes(&7u64), [7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes(&1u128).len(), 16);
        let v4: Ipv4Addr = [10, 1, 2, 3].into();
        let v6: Ipv6Addr = "2001:db8::1".parse().unwrap();
        assert_eq!(bytes(&v4), [10, 1, 2, 3]);
        assert_eq!(bytes(&IpAddr::V4(v4)), [10, 1, 2, 3]);
        assert_eq!(bytes(&v6), v6.octets());
        assert_eq!(bytes(&IpAddr::V6(v6)), v6.octets());
        assert_eq!(
            bytes(&SocketAddr::from((v4, 0x1234))),
            [10, 1, 2, 3, 0x12, 0x34]
        );
        assert_eq!(
            bytes(&SocketAddrV4::new(v4, 0x1234)),
            [10, 1, 2, 3, 0x12, 0x34]
        );
        let scoped = SocketAddrV6::new(v6, 0x1234, 5, 6);
        let expected = [&v6.octets()[..], &[0x12, 0x34]].concat();
        assert_eq!(bytes(&scoped), expected);
        assert_eq!(bytes(&SocketAddr::V6(scoped)), expected);
    }

    #[test]
    fn a_pair_is_length_prefixed_on_the_stack_and_on_the_heap() {
        assert_eq!(
            bytes(&("ab", "c")),
            [2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', b'c']
        );
        assert_ne!(bytes(&("ab", "c")), bytes(&("a", "bc")));
        for len in [54, 55, 56, 57, 1000] {
            let long = vec![b'x'; len];
            let expected = [&1u64.to_le_bytes()[..], b"a", &long].concat();
            assert_eq!(bytes(&("a", long)), expected, "{len}");
        }
        assert_eq!(
            bytes(&("a", ("b", 1u8))),
            [
                1, 0, 0, 0, 0, 0, 0, 0, b'a', 1, 0, 0, 0, 0, 0, 0, 0, b'b', 1
            ]
        );
    }

    #[test]
    fn wrappers_are_the_value_inside() {
        assert_eq!(bytes(&&&"ab"), b"ab");
        assert_eq!(bytes(&Box::<str>::from("ab")), b"ab");
        assert_eq!(bytes(&Rc::<str>::from("ab")), b"ab");
        assert_eq!(bytes(&Cow::Borrowed("ab")), b"ab");
        #[cfg(target_has_atomic = "ptr")]
        assert_eq!(bytes(&Arc::new(7u8)), [7]);
    }
}
