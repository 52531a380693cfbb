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

    /// The table keeps its size, as the crate's docs advise.
    fn rebuild(&self, nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| node.id);
        let (slots, hasher) = (self.0.capacity(), Xxh3Builder::new());
        let table = Maglev::with_capacity_and_hasher(nodes, slots, hasher);
        Ok(Peer(table))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.get(&key).copied()
    }
}
