use crate::peer::{Node, Points, Refused, read_name};
use conhash::ConsistentHash;

#[derive(Clone)]
struct Name(String);

impl conhash::Node for Name {
    fn name(&self) -> String {
        self.0.clone()
    }
}

pub struct Peer {
    ring: ConsistentHash<Name>,
    points: u32,
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "conhash 0.5.1 (MD5)";
    const POINTS: Points = Points::Given;
    const WEIGHTED: bool = true;
    const NAMED: bool = true;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let ring = ConsistentHash::new();
        let mut peer = Peer { ring, points };
        for node in nodes {
            peer.add(node)?;
        }
        Ok(peer)
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.ring.get_str(key).map(|node| read_name(&node.0))
    }

    fn identity(node: &Node) -> u64 {
        read_name(&node.name())
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        let points = self.points as usize * node.weight as usize;
        self.ring.add(&Name(node.name()), points);
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        self.ring.remove(&Name(node.name()));
        Ok(())
    }

    fn set_weight(&mut self, node: &Node) -> Result<(), Refused> {
        self.add(node)
    }
}
