//! Jump hashing numbers its buckets, so the caller keeps a list of nodes. A node that leaves is
//! taken out of the list, as a user of a list of servers would do.

use crate::peer::{Node, Points, Refused};
use jumphash::CustomJumpHasher;
use xxhash_rust::xxh3::Xxh3;

pub struct Peer {
    hasher: CustomJumpHasher<Xxh3>,
    nodes: Vec<u64>,
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "jumphash 0.1.9";
    const POINTS: Points = Points::None;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        Ok(Peer {
            hasher: CustomJumpHasher::new(Xxh3::new()),
            nodes: nodes.iter().map(|node| node.id).collect(),
        })
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        let slot = self.hasher.slot(&key, self.nodes.len() as u32);
        self.nodes.get(slot as usize).copied()
    }
}
