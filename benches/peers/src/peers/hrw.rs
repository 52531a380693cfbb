use crate::peer::{Node, Points, Refused};
use hrw::Rendezvous;
use xxhash_rust::xxh3::Xxh3Builder;

pub struct Peer(Rendezvous<u64, Xxh3Builder>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "hrw 0.1.2";
    const POINTS: Points = Points::None;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| node.id);
        let hasher = Xxh3Builder::new();
        Ok(Peer(Rendezvous::from_nodes_and_hasher(nodes, hasher)))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.pick_top(&key).copied()
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        self.0.pick_top_k(&key, n).into_iter().copied().collect()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        let added = self.0.add_node(node.id);
        if added { Ok(()) } else { Err(Refused::Error) }
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        let removed = self.0.remove_node(&node.id);
        if removed { Ok(()) } else { Err(Refused::Error) }
    }
}
