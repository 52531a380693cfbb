//! FROZEN. Layout V1: how a node becomes points.
//!
//! A node with `count` points (`virtual_nodes × weight`) has them at
//!
//! ```text
//! token(i) = hash(i as u32, little-endian ‖ identity)      for i = 0, 1, …, count − 1
//! ```
//!
//! The index is hashed first, so that `node1` with index 1 and `node` with index 11 differ. Points
//! depend only on the node's own identity and weight, so a change of one node moves no other node's
//! points. Changing a line here moves keys: that would be layout V2, beside this one.

use alloc::vec::Vec;

/// The number of the layout, which is part of a ring's fingerprint.
pub(crate) const LAYOUT_V1: u8 = 1;

/// Passes the tokens of a node's points 0 to `count` − 1 to `point`.
#[inline]
pub(crate) fn for_each_point(
    hash: impl Fn(&[u8]) -> u64,
    identity: &[u8],
    count: u32,
    mut point: impl FnMut(u64),
) {
    let mut bytes = Vec::with_capacity(4 + identity.len());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(identity);
    for i in 0..count {
        bytes[..4].copy_from_slice(&i.to_le_bytes());
        point(hash(&bytes));
    }
}
