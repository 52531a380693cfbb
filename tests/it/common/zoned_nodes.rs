//! Nodes with zones, and random memberships of them from a fixed seed.

use super::random::Rng;
use clockwise::{HashRing, KeyHasher, Xxh3};

/// A node with a zone that is not part of its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) zone: u64,
}

impl clockwise::Key for Node {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

pub(crate) fn node(i: u64) -> Node {
    Node {
        name: format!("node{i}"),
        zone: i % 3,
    }
}

/// Xxh3 cut to its highest bits: many tokens are equal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weak(pub(crate) u32);

impl KeyHasher for Weak {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let all = Xxh3::new().hash_bytes(bytes);
        let cut = u64::BITS - self.0;
        if cut == 64 { 7 } else { all >> cut << cut }
    }
}

/// Up to `most` nodes out of twice as many, weights 1 to 4, some drained.
pub(crate) fn random_ring<H: KeyHasher>(
    random: &mut Rng,
    most: u64,
    hasher: H,
) -> HashRing<Node, H> {
    let virtual_nodes = 1 + random.below_u64(40) as u32;
    let mut ring = HashRing::builder()
        .virtual_nodes(virtual_nodes)
        .hasher(hasher)
        .build()
        .unwrap();
    for i in 0..2 * most {
        if random.below_u64(2) == 0 && (ring.len() as u64) < most {
            let weight = 1 + random.below_u64(4) as u32;
            ring.insert_weighted(node(i), weight).unwrap();
            if random.below_u64(6) == 0 {
                ring.drain(&node(i)).unwrap();
            }
        }
    }
    ring
}

/// One change of one node: it comes, goes, is drained or undrained, or changes its weight.
pub(crate) fn event<H: KeyHasher>(random: &mut Rng, ring: &mut HashRing<Node, H>, most: u64) {
    let chosen = node(random.below_u64(2 * most));
    match (ring.is_drained(&chosen), random.below_u64(3)) {
        (None, _) => ring
            .insert_weighted(chosen, 1 + random.below_u64(4) as u32)
            .unwrap(),
        (_, 0) => drop(ring.remove(&chosen).unwrap()),
        (_, 1) => ring
            .set_weight(&chosen, 1 + random.below_u64(4) as u32)
            .unwrap(),
        (Some(true), _) => ring.undrain(&chosen).unwrap(),
        (Some(false), _) => ring.drain(&chosen).unwrap(),
    }
}

pub(crate) fn names<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Vec<&'a str> {
    nodes.into_iter().map(|node| node.name.as_str()).collect()
}
