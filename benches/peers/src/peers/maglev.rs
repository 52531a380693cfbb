use crate::peer::{Node, Points, Refused};
use maglev::{ConsistentHasher, Maglev};
use xxhash_rust::xxh3::Xxh3Builder;

/// A table of its default size, at least 100 slots a node.
pub struct Peer(Maglev<u64, Xxh3Builder>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "maglev 0.2.1";
    const POINTS: Points = Points::None;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| node.id);
        Ok(Peer(Maglev::with_hasher(nodes, Xxh3Builder::new())))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.get(&key).copied()
    }
}
