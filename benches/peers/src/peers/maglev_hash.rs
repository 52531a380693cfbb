use crate::peer::{Node, Points, Refused};
use maglev_hash::MaglevTable;

/// A table of its default size.
pub struct Peer(MaglevTable<u64>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "maglev-hash 0.1.0";
    const POINTS: Points = Points::None;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| node.id).collect();
        Ok(Peer(MaglevTable::new(nodes)))
    }

    /// The table keeps its size.
    fn rebuild(&self, nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let nodes = nodes.iter().map(|node| node.id).collect();
        let slots = self.0.capacity();
        Ok(Peer(MaglevTable::with_capacity(nodes, slots)))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.get(&key).copied()
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        self.0.get_top_k(&key, n).into_iter().copied().collect()
    }
}
