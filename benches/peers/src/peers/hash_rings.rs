use crate::peer::{Node, Points, Refused};
use hash_rings::consistent::Ring;
use xxhash_rust::xxh3::Xxh3Builder;

/// It borrows its nodes, so they are leaked.
pub struct Peer {
    ring: Ring<'static, u64, Xxh3Builder>,
    points: u32,
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "hash-rings 1.1.0, `consistent`";
    const POINTS: Points = Points::Given;
    const WEIGHTED: bool = true;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let ring = Ring::with_hasher(Xxh3Builder::new());
        let mut peer = Peer { ring, points };
        for node in nodes {
            peer.add(node)?;
        }
        Ok(peer)
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        Some(*self.ring.get_node(&key))
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        let points = self.points as usize * node.weight as usize;
        self.ring.insert_node(Box::leak(Box::new(node.id)), points);
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        self.ring.remove_node(&node.id);
        Ok(())
    }

    fn set_weight(&mut self, node: &Node) -> Result<(), Refused> {
        self.add(node)
    }
}
