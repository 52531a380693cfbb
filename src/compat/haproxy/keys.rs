//! How HAProxy hashes keys and points.

/// The hash of keys in HAProxy: the function of `hash-type`.
///
/// # Examples
/// ```
/// use clockwise::compat::{HaproxyConsistent, HaproxyHash};
///
/// // hash-type consistent crc32
/// let servers = HaproxyConsistent::builder().hash(HaproxyHash::Crc32).from_nodes(["a", "b"])?;
/// assert_eq!(servers.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HaproxyHash {
    /// `sdbm`, the default.
    Sdbm,
    /// `djb2`.
    Djb2,
    /// `wt6`.
    Wt6,
    /// `crc32`.
    Crc32,
}

/// How the bytes of a key become its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) hash: HaproxyHash,
    pub(super) avalanche: bool,
}

impl Keys {
    #[inline]
    pub(super) fn place(self, key: &[u8]) -> u32 {
        let hash = match self.hash {
            HaproxyHash::Sdbm => key.iter().fold(0u32, |hash, &byte| {
                hash.wrapping_mul(65_599).wrapping_add(u32::from(byte))
            }),
            HaproxyHash::Djb2 => key.iter().fold(5381u32, |hash, &byte| {
                hash.wrapping_mul(33).wrapping_add(u32::from(byte))
            }),
            HaproxyHash::Wt6 => wt6(key),
            HaproxyHash::Crc32 => crc32fast::hash(key),
        };
        if self.avalanche {
            full_hash(hash)
        } else {
            hash
        }
    }
}

/// Returns Willy Tarreau's hash of two rotating halves.
fn wt6(key: &[u8]) -> u32 {
    let (mut a, mut b) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut turn_a, mut turn_b) = (6, 18);
    for &byte in key {
        a = !(a ^ u32::from(byte));
        b = !b.wrapping_add(u32::from(byte));
        (a, b) = (b.rotate_left(turn_a), a.rotate_left(turn_b));
        let mixed = ((a >> 16) ^ b) & 0xffff;
        turn_a = mixed & 31;
        turn_b = mixed >> 11;
    }
    a ^ b
}

/// Returns Bob Jenkins' integer hash, multiplied to spread the upper bits.
#[inline]
pub(super) fn full_hash(x: u32) -> u32 {
    let x = x.wrapping_add(0x7ed5_5d16).wrapping_add(x << 12);
    let x = (x ^ 0xc761_c23c) ^ (x >> 19);
    let x = x.wrapping_add(0x1656_67b1).wrapping_add(x << 5);
    let x = x.wrapping_add(0xd3a2_646c) ^ (x << 9);
    let x = x.wrapping_add(0xfd70_46c5).wrapping_add(x << 3);
    let x = (x ^ 0xb55a_4f09) ^ (x >> 16);
    x.wrapping_mul(3_221_225_473)
}
