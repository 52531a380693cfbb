use crate::peer::{Node, Points, Refused};
use anchorhash::{AnchorHash, Builder};
use xxhash_rust::xxh3::Xxh3Builder;

pub struct Peer(AnchorHash<&'static str, u64, Xxh3Builder>);

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "anchorhash 0.2.2";
    const POINTS: Points = Points::None;

    /// The capacity is twice the number of nodes, at least 16, and at most what its type holds.
    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let capacity = u16::try_from(16.max(2 * nodes.len())).unwrap_or(u16::MAX);
        let nodes = nodes.iter().map(|node| node.id);
        let anchor = Builder::with_hasher(Xxh3Builder::new()).with_resources(nodes);
        Ok(Peer(anchor.build(capacity)))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.get_resource(key).copied()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        let added = self.0.add_resource(node.id);
        added.map_err(|_| Refused::Error)
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        let removed = self.0.remove_resource(&node.id);
        removed.map_err(|_| Refused::Error)
    }
}
