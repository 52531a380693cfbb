use crate::peer::{Node, Points, Refused, read_name};
use lfchring::HashRing;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// It has a fixed number of replicas, which every point keeps. Here it is three.
pub struct Peer(HashRing<str, Xxh3>);

#[derive(Default)]
struct Xxh3;

impl lfchring::Hasher for Xxh3 {
    fn digest(&mut self, bytes: &[u8]) -> Vec<u8> {
        xxh3_64(bytes).to_be_bytes().into()
    }
}

/// It compares keys with the digests of its points, so the caller hashes them.
fn position(key: &str) -> [u8; 8] {
    xxh3_64(key.as_bytes()).to_be_bytes()
}

fn shared(node: &Node) -> Arc<str> {
    Arc::from(node.name())
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "lfchring 0.1.3";
    const POINTS: Points = Points::Given;
    const NAMED: bool = true;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let points = u16::try_from(points).map_err(|_| Refused::Error)?;
        let nodes: Vec<Arc<str>> = nodes.iter().map(shared).collect();
        let ring = HashRing::with_hasher_and_nodes(Xxh3, points, 3, &nodes);
        ring.map(Peer).map_err(|_| Refused::Error)
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        let point = self.0.virtual_node_for_key(&position(key)).ok()?;
        point.replica_owners().first().map(|name| read_name(name))
    }

    fn identity(node: &Node) -> u64 {
        read_name(&node.name())
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let names = self.0.nodes_for_key(&position(key)).unwrap_or_default();
        names.iter().take(n).map(|name| read_name(name)).collect()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.insert(&[shared(node)]).map_err(|_| Refused::Error)
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        self.0.remove(&[shared(node)]).map_err(|_| Refused::Error)
    }
}
