use crate::peer::{Node, Points, Refused, read_name};
use consistent_rs::Consistant;

pub struct Peer(Consistant);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "consistent-rs 0.1.1 (CRC-32)";
    const POINTS: Points = Points::Given;
    const NAMED: bool = true;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let mut peer = Peer(Consistant::new(points as usize));
        for node in nodes {
            peer.add(node)?;
        }
        Ok(peer)
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.get(key).map(|name| read_name(&name))
    }

    fn identity(node: &Node) -> u64 {
        read_name(&node.name())
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let names = self.0.get_n(key, n).unwrap_or_default();
        names.iter().map(|name| read_name(name)).collect()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.add(node.name());
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.remove(node.name());
        Ok(())
    }
}
