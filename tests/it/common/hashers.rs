//! A good hash of our own, and ways to spoil it.

use super::random::mix;
use clockwise::KeyHasher;

/// FNV-1a, finalised.
pub fn good(bytes: &[u8]) -> u64 {
    mix(fnv1a(bytes))
}

/// FNV-1a (Fowler, Noll, Vo), whose top bits hardly depend on short keys.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What is left of a good hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoilt {
    /// All 64 bits.
    Not,
    /// The 16 top bits: ties among hundreds of points.
    Top16,
    /// The 8 top bits: ties everywhere.
    Top8,
    /// The 8 low bits: all tokens have one high half.
    Low8,
    /// One arc of 2⁻²⁰ of the circle.
    OneArc,
    /// The two tokens at either end.
    Ends,
    /// One token.
    Constant(u64),
}

impl KeyHasher for Spoilt {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let hash = good(bytes);
        match *self {
            Spoilt::Not => hash,
            Spoilt::Top16 => hash & (0xffff << 48),
            Spoilt::Top8 => hash & (0xff << 56),
            Spoilt::Low8 => hash & 0xff,
            Spoilt::OneArc => 0xabcd_e000_0000_0000 | (hash >> 20),
            Spoilt::Ends => (hash & 3).wrapping_sub(2),
            Spoilt::Constant(token) => token,
        }
    }
}

/// A hash with chosen values for chosen byte strings.
#[derive(Clone, Debug)]
pub struct Chosen(pub Vec<(Vec<u8>, u64)>);

impl KeyHasher for Chosen {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let chosen = self.0.iter().find(|(known, _)| known == bytes);
        chosen.map_or_else(|| good(bytes), |&(_, hash)| hash)
    }
}

/// The bytes that are hashed for point `index` of a node.
pub fn point_bytes(index: u32, identity: &[u8]) -> Vec<u8> {
    [&index.to_le_bytes()[..], identity].concat()
}
