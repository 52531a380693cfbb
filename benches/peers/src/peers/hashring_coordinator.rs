use crate::peer::{Node, Points, Refused};
use hashring_coordinator::HashRing;
use xxhash_rust::xxh3::Xxh3Builder;

/// It has a fixed number of replicas, which every look-up returns. This one returns the owner.
pub struct Peer(HashRing<u64, Xxh3Builder>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "hashring_coordinator 0.3.3";
    const POINTS: Points = Points::Given;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let mut ring = HashRing::with_hasher(0, points as usize, Xxh3Builder::new());
        ring.batch_add(nodes.iter().map(|node| node.id).collect());
        Ok(Peer(ring))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.get(&key).first().copied()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.add(node.id);
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.remove(&node.id);
        Ok(())
    }
}
