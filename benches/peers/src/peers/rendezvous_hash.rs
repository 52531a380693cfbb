use crate::peer::{Node, Points, Refused};
use rendezvous_hash::{Capacity, DefaultNodeHasher, KeyValueNode, RendezvousNodes, WeightedNode};

type Weighted = WeightedNode<KeyValueNode<u64, ()>>;

pub struct Peer(RendezvousNodes<Weighted, DefaultNodeHasher>);

fn weighted(node: &Node) -> Result<Weighted, Refused> {
    let capacity = Capacity::new(f64::from(node.weight)).ok_or(Refused::Error)?;
    Ok(WeightedNode::new(KeyValueNode::new(node.id, ()), capacity))
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "rendezvous_hash 0.3.0 (SipHash)";
    const POINTS: Points = Points::None;
    const WEIGHTED: bool = true;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let mut peer = Peer(RendezvousNodes::default());
        for node in nodes {
            peer.add(node)?;
        }
        Ok(peer)
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0
            .calc_candidates(&key)
            .next()
            .map(|node| node.node.key)
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let nodes = self.0.calc_candidates(&key).take(n);
        nodes.map(|node| node.node.key).collect()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.insert(weighted(node)?);
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        let removed = self.0.remove(&node.id);
        removed.map(|_| ()).ok_or(Refused::Error)
    }

    fn set_weight(&mut self, node: &Node) -> Result<(), Refused> {
        self.add(node)
    }

    fn take_nan() -> Option<Result<(), Refused>> {
        let capacity = Capacity::new(f64::NAN);
        Some(capacity.map(|_| ()).ok_or(Refused::Error))
    }
}
