use crate::peer::{Node, Points, Refused};
use consistent_hash::{DefaultHash, StaticHashRing};

pub struct Peer(StaticHashRing<'static, u64, (), DefaultHash>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "consistent_hash 0.1.4 (SipHash 1-3)";
    const POINTS: Points = Points::Given;
    const WEIGHTED: bool = true;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| {
            let points = points as usize * node.weight as usize;
            consistent_hash::Node::new(node.id).quantity(points)
        });
        let nodes: Vec<_> = nodes.collect();
        Ok(Peer(StaticHashRing::new(DefaultHash, nodes.into_iter())))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.calc_candidates(&key).next().map(|node| node.key)
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let nodes = self.0.calc_candidates(&key).take(n);
        nodes.map(|node| node.key).collect()
    }

    fn three(&self, key: &'static str) -> u64 {
        let nodes = self.0.calc_candidates(&key).take(3);
        nodes.map(|node| node.key).sum()
    }
}
