use crate::peer::{Node, Points, Refused};
use pingora_ketama::{Bucket, Continuum};
use std::net::SocketAddr;

pub struct Peer(Continuum);

fn number(address: &SocketAddr) -> u64 {
    match address {
        SocketAddr::V4(address) => u64::from(address.ip().to_bits() & 0xff_ffff),
        SocketAddr::V6(_) => Node::NAMELESS,
    }
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "pingora-ketama 0.9.1";
    const POINTS: Points = Points::Fixed(160);
    const WEIGHTED: bool = true;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let buckets: Vec<Bucket> = nodes
            .iter()
            .map(|node| Bucket::new(node.address(), node.weight))
            .collect();
        Ok(Peer(Continuum::new(&buckets)))
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.0.node(key.as_bytes()).map(|address| number(&address))
    }

    /// Its iterator yields a node for each point, so the caller drops those that it has.
    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let mut nodes = Vec::new();
        for address in self.0.node_iter(key.as_bytes()) {
            let node = number(address);
            if !nodes.contains(&node) {
                nodes.push(node);
            }
            if nodes.len() == n {
                break;
            }
        }
        nodes
    }
}
