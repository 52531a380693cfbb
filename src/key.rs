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
/// Both the keys that are routed and the nodes of a strategy are `Key`s. The key bytes of a node
/// are its identity.
///
/// `std::hash::Hash` is not used. What it feeds to a hasher differs between platforms (`usize`
/// lengths, native endianness) and may differ between compilers, so the owner of a key would depend
/// on the machine that asks.
///
/// | type | bytes |
/// |---|---|
/// | `str`, `String`, `[u8]`, `Vec<u8>`, `[u8; N]` | the raw bytes |
/// | `u8` `u16` `u32` `u64` `u128` | fixed width, little-endian |
/// | `i8` `i16` `i64` `i128` | fixed width, two's complement, little-endian |
/// | `Ipv4Addr`, `Ipv6Addr`, `IpAddr` | the 4 or 16 octets |
/// | `SocketAddr`, `SocketAddrV4`, `SocketAddrV6` | the octets, then the port as 2 big-endian bytes; flow label and scope are left out |
/// | `(A, B)` | the length of A as a `u64`, little-endian, then A, then B |
/// | `(A, B, C)`, `(A, B, C, D)` | those of `(A, (B, C))`, `(A, (B, (C, D)))` |
/// | `&T`, `Box<T>`, `Rc<T>`, `Arc<T>`, `Cow<T>` | those of the value inside |
///
/// The bytes do not say which type they come from. `7u32` and `7u64` are *different* keys, so
/// `remove(&7u32)` on a `HashRing<u64>` finds nothing. `7u64` and `7i64` are the same key. A
/// `SocketAddr` and its text are different keys.
///
/// # Types that are not keys
///
/// **`i32` is the only fixed-width integer that is not a key.** The type of a literal without a
/// suffix falls back to `i32`, so `route(&42)` would compile and ask for another key than the `u64`
/// that the rest of the program routes. Without `i32` it is an error:
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
/// | value | write | why it is not a key itself |
/// |---|---|---|
/// | a literal | `&42u64` | its type is chosen by a fallback |
/// | `id: i32` | `&(id as u32)`: the same 4 bytes | see above |
/// | `index: usize` | `&(index as u64)` | its width depends on the platform |
/// | a `Uuid` | `uuid.as_bytes()`: the 16 bytes | a type of another crate |
/// | a `Path` | `path.to_str()`, and decide what `None` means | its bytes depend on the platform |
/// | an enum | `&(value as u8)`, or implement `Key` | only you know which numbers stay |
/// | a float | `&value.to_bits()`, never for `-0.0` or NaN | equal values have two forms |
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
    message = "`{Self}` is not a `Key`",
    label = "not a key",
    note = "`i32` is not a key only because literals without a suffix fall back to it: write `42u64`, or `&(id as u32)` for an `i32`",
    note = "other types: `&(index as u64)` for `usize`, `uuid.as_bytes()`, `path.to_str()`, `&(value as u8)` for an enum, `&value.to_bits()` for a float",
    note = "for your own type implement `clockwise::Key` and return the bytes that identify it"
)]
pub trait Key {
    /// `true` if the value measures a load or a warmth, which a wrapper around it must pass on.
    #[doc(hidden)]
    const MEASURES: bool = false;

    /// Returns the canonical bytes. Equal values must return equal bytes, always.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Key;
    ///
    /// assert_eq!("user:42".key_bytes().as_ref(), b"user:42");
    /// assert_eq!(42u32.key_bytes().as_ref(), [42, 0, 0, 0]);
    /// ```
    fn key_bytes(&self) -> impl AsRef<[u8]>;

    /// Takes over from `present` what this node counts or remembers.
    ///
    /// A strategy calls it on a new node before the node takes the place of `present`, a member
    /// with the same identity. The default does nothing. Implement it for a node that counts, so
    /// that the count survives when the node's address or another part of it is exchanged. Do not
    /// change the identity, and share with `present` instead of emptying it: the change may still
    /// be refused, and `set_nodes` keeps `present` and drops the new node.
    ///
    /// `Box` and tuples pass the call on to what they hold. `Rc` and `Arc` do so only if the new
    /// one is not shared yet, because nothing behind a shared pointer can be changed: put
    /// [`Tracked`](crate::Tracked) outside, as in `Tracked<Arc<Server>>`. References and `Cow` do
    /// nothing.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Key;
    ///
    /// struct Server {
    ///     name: &'static str,
    ///     address: &'static str,
    ///     requests: u64,
    /// }
    ///
    /// impl Key for Server {
    ///     fn key_bytes(&self) -> impl AsRef<[u8]> {
    ///         self.name
    ///     }
    ///     fn take_over(&mut self, present: &Self) {
    ///         self.requests = present.requests;
    ///     }
    /// }
    ///
    /// let present = Server { name: "cache-1", address: "10.0.0.1:80", requests: 7 };
    /// let mut moved = Box::new(Server { name: "cache-1", address: "10.0.9.1:80", requests: 0 });
    /// moved.take_over(&Box::new(present));
    /// assert_eq!((moved.address, moved.requests), ("10.0.9.1:80", 7));
    /// ```
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
// Not `i32`: see the docs of `Key`.
little_endian!(u8 u16 u32 u64 u128 i8 i16 i64 i128);

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

/// Writes the length before each part but the last, which keeps ("ab", "c") and ("a", "bc") apart.
macro_rules! tuple {
    ($($part:ident $at:tt),+; $last:ident $end:tt) => {
        impl<$($part: Key,)+ $last: Key> Key for ($($part,)+ $last) {
            #[inline]
            fn key_bytes(&self) -> impl AsRef<[u8]> {
                let bytes = ($(self.$at.key_bytes(),)+ self.$end.key_bytes());
                Short::<64>::join(&[
                    $(&(bytes.$at.as_ref().len() as u64).to_le_bytes(), bytes.$at.as_ref(),)+
                    bytes.$end.as_ref(),
                ])
            }

            fn take_over(&mut self, present: &Self) {
                $(self.$at.take_over(&present.$at);)+
                self.$end.take_over(&present.$end);
            }
        }
    };
}
tuple!(A 0; B 1);
tuple!(A 0, B 1; C 2);
tuple!(A 0, B 1, C 2; D 3);

macro_rules! the_value_inside {
    ($($(#[$attr:meta])* [$($generics:tt)*] $wrapper:ty $(, $inside:expr)?;)*) => {$(
        $(#[$attr])*
        impl<$($generics)*> Key for $wrapper {
            const MEASURES: bool = T::MEASURES;

            #[inline]
            fn key_bytes(&self) -> impl AsRef<[u8]> {
                (**self).key_bytes()
            }

            $(fn take_over(&mut self, present: &Self) {
                let inside: fn(&mut Self) -> Option<&mut T> = $inside;
                if let Some(node) = inside(self) {
                    node.take_over(present);
                }
            })?
        }
    )*};
}
the_value_inside! {
    [T: Key + ?Sized] &T;
    [T: Key + ?Sized] Box<T>, |node| Some(&mut **node);
    [T: Key + ?Sized] Rc<T>, Rc::get_mut;
    #[cfg(target_has_atomic = "ptr")]
    [T: Key + ?Sized] Arc<T>, Arc::get_mut;
    [T: Key + ToOwned + ?Sized] Cow<'_, T>;
}

/// Joined bytes, which are on the stack up to `N` bytes and on the heap beyond.
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
    fn signed_integers_are_twos_complement() {
        assert_eq!(bytes(&-1i8), [0xff]);
        assert_eq!(bytes(&i8::MIN), [0x80]);
        assert_eq!(bytes(&-2i16), [0xfe, 0xff]);
        assert_eq!(
            bytes(&-2i64),
            [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
        );
        assert_eq!(bytes(&7i64), bytes(&7u64));
        assert_eq!(bytes(&i128::MIN), bytes(&(1u128 << 127)));
    }

    #[test]
    fn every_part_of_a_tuple_but_the_last_is_length_prefixed() {
        let length = |len: u64| len.to_le_bytes();
        let three = [&length(2)[..], b"ab", &length(0), b"", b"c"].concat();
        assert_eq!(bytes(&("ab", "", "c")), three);
        let four = [
            &length(8)[..],
            &7u64.to_le_bytes(),
            &length(1),
            b"a",
            &length(1),
            b"b",
            &[1],
        ];
        assert_eq!(bytes(&(7u64, "a", "b", 1u8)), four.concat());
        assert_ne!(bytes(&("a", "b", "c")), bytes(&("a", "bc", "")));
        assert_eq!(bytes(&("a", "b", "c")), bytes(&("a", ("b", "c"))));
        for len in [30, 39, 40, 1000] {
            let long = vec![b'x'; len];
            let expected = [
                &length(1)[..],
                b"a",
                &length(len as u64),
                &long,
                &length(1),
                b"b",
                b"c",
            ];
            assert_eq!(
                bytes(&("a", long.clone(), "b", "c")),
                expected.concat(),
                "{len}"
            );
        }
    }

    /// A node that counts.
    #[derive(Clone, Debug, PartialEq)]
    struct Counts(u32);

    impl Key for Counts {
        fn key_bytes(&self) -> impl AsRef<[u8]> {
            b"counts"
        }

        fn take_over(&mut self, present: &Self) {
            self.0 += present.0;
        }
    }

    #[test]
    fn a_count_is_taken_over_through_what_owns_it() {
        fn after<K: Key>(mut new: K, present: &K) -> K {
            new.take_over(present);
            new
        }
        assert_eq!(
            after(Box::new(Counts(1)), &Box::new(Counts(5))),
            Box::new(Counts(6))
        );
        assert_eq!(
            after(Rc::new(Counts(1)), &Rc::new(Counts(5))),
            Rc::new(Counts(6))
        );
        let shared = Rc::new(Counts(1));
        assert_eq!(*after(Rc::clone(&shared), &Rc::new(Counts(5))), Counts(1));
        #[cfg(target_has_atomic = "ptr")]
        {
            let boxed = || Box::new(Counts(5));
            assert_eq!(
                after(Arc::new(boxed()), &Arc::new(boxed())),
                Arc::new(Box::new(Counts(10)))
            );
            let shared = Arc::new(Counts(1));
            assert_eq!(*after(Arc::clone(&shared), &Arc::new(Counts(5))), Counts(1));
        }
        assert_eq!(after(("a", Counts(1)), &("a", Counts(2))), ("a", Counts(3)));
        assert_eq!(
            after(
                (Counts(1), Counts(2), Counts(3)),
                &(Counts(10), Counts(20), Counts(30))
            ),
            (Counts(11), Counts(22), Counts(33))
        );
        assert_eq!(
            after((1u8, 2u8, 3u8, Counts(4)), &(1, 2, 3, Counts(5))).3,
            Counts(9)
        );
        // A value that cannot be changed stays as it is.
        assert_eq!(after(&Counts(1), &&Counts(5)), &Counts(1));
        let text: Box<str> = "new".into();
        assert_eq!(after(text, &"old".into()), "new".into());
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
