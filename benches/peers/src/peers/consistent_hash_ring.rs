use crate::peer::{Node, Points, Refused};
use consistent_hash_ring::{Ring, RingBuilder};
use xxhash_rust::xxh3::Xxh3Builder;

pub struct Peer {
    ring: Ring<u64, Xxh3Builder>,
    points: u32,
}

fn weight(node: &Node, points: u32) -> usize {
    points as usize * node.weight as usize
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "consistent_hash_ring 0.8.0";
    const POINTS: Points = Points::Given;
    const WEIGHTED: bool = true;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| (node.id, weight(node, points)));
        let ring = RingBuilder::new(Xxh3Builder::new()).vnodes(points as usize);
        let ring = ring.weighted_nodes_iter(nodes).build();
        Ok(Peer { ring, points })
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.ring.try_get(key).copied()
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        self.ring.replicas(key).take(n).copied().collect()
    }

    fn three(&self, key: &'static str) -> u64 {
        self.ring.replicas(key).take(3).sum()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        self.ring.insert_weight(node.id, weight(node, self.points));
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        self.ring.remove(&node.id);
        Ok(())
    }

    fn set_weight(&mut self, node: &Node) -> Result<(), Refused> {
        self.add(node)
    }
}
