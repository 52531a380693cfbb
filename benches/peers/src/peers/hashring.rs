//! It has no virtual nodes. As its docs advise, the caller adds a node several times.

use crate::peer::{Node, Points, Refused};
use hashring::HashRing;
use xxhash_rust::xxh3::Xxh3Builder;

pub struct Peer {
    ring: HashRing<(u64, u32), Xxh3Builder>,
    points: u32,
}

fn points_of(node: &Node, points: u32) -> impl Iterator<Item = (u64, u32)> {
    let id = node.id;
    (0..points).map(move |point| (id, point))
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "hashring 0.3.6";
    const POINTS: Points = Points::Given;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let mut ring = HashRing::with_hasher(Xxh3Builder::new());
        ring.batch_add(
            nodes
                .iter()
                .flat_map(|node| points_of(node, points))
                .collect(),
        );
        Ok(Peer { ring, points })
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.ring.get(&key).map(|(node, _)| *node)
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        // It counts the replicas besides the owner.
        let nodes = self.ring.get_with_replicas(&key, n.saturating_sub(1));
        let nodes = nodes.unwrap_or_default();
        nodes.into_iter().map(|(node, _)| node).collect()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        self.ring.batch_add(points_of(node, self.points).collect());
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        let mut found = false;
        for point in points_of(node, self.points) {
            found |= self.ring.remove(&point).is_some();
        }
        if found { Ok(()) } else { Err(Refused::Error) }
    }
}
