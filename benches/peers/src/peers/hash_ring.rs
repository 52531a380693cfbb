use crate::peer::{Node, Points, Refused};
use hash_ring::HashRing;
use xxhash_rust::xxh3::Xxh3Builder;

pub struct Peer(HashRing<u64, Xxh3Builder>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "hash_ring 0.2.0";
    const POINTS: Points = Points::Given;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| node.id).collect();
        let points = isize::try_from(points).map_err(|_| Refused::Error)?;
        let ring = HashRing::with_hasher(nodes, points, Xxh3Builder::new());
        Ok(Peer(ring))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        // It takes the key by value.
        self.0.get_node(key.to_owned()).copied()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.add_node(&node.id);
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.remove_node(&node.id);
        Ok(())
    }
}
