use crate::peer::{Node, Points, Refused};
use mpchash::HashRing;

/// Multi-probe: a node is one point, and a key looks 23 times.
pub struct Peer(HashRing<u64>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "mpchash 2.0.10";
    const POINTS: Points = Points::None;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let ring = HashRing::new();
        for node in nodes {
            ring.add(node.id);
        }
        Ok(Peer(ring))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.node(&key).map(|token| *token.node())
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let tokens = self.0.replicas(&key, n);
        tokens.iter().map(|token| *token.node()).collect()
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
