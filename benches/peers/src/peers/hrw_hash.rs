use crate::peer::{Node, Points, Refused};
use hrw_hash::{HrwNode, HrwNodes};

#[derive(Debug, PartialEq, Eq)]
struct Weighted(Node);

impl std::hash::Hash for Weighted {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl HrwNode for Weighted {
    fn capacity(&self) -> usize {
        self.0.weight as usize
    }
}

pub struct Peer(HrwNodes<Weighted>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "hrw-hash 2.0.3";
    const POINTS: Points = Points::None;
    const WEIGHTED: bool = true;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| Weighted(*node));
        Ok(Peer(HrwNodes::new(nodes)))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.sorted(&key).next().map(|node| node.0.id)
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let nodes = self.0.sorted(&key).take(n);
        nodes.map(|node| node.0.id).collect()
    }
}
