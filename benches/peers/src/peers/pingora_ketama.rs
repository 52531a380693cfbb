use crate::peer::{Node, Points, Refused};
use pingora_ketama::{Bucket, Continuum};
use std::net::SocketAddr;

/// The points of a node of weight 1.
const POINTS: u32 = 160;

pub struct Peer {
    ring: Continuum,
    points: usize,
}

fn number(address: &SocketAddr) -> u64 {
    match address {
        SocketAddr::V4(address) => u64::from(address.ip().to_bits() & 0xff_ffff),
        SocketAddr::V6(_) => Node::NAMELESS,
    }
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "pingora-ketama 0.9.1";
    const POINTS: Points = Points::Fixed(POINTS);
    const WEIGHTED: bool = true;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let buckets: Vec<Bucket> = nodes
            .iter()
            .map(|node| Bucket::new(node.address(), node.weight))
            .collect();
        let points = nodes
            .iter()
            .map(|node| u64::from(node.weight) * u64::from(POINTS));
        Ok(Peer {
            points: points.sum::<u64>() as usize,
            ring: Continuum::new(&buckets),
        })
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.ring
            .node(key.as_bytes())
            .map(|address| number(&address))
    }

    /// Its iterator has no end and repeats nodes, so the caller counts and drops those that it has.
    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let mut nodes = Vec::new();
        for address in self.ring.node_iter(key.as_bytes()).take(self.points) {
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
