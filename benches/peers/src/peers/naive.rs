//! The naive ring of the other benchmarks: sorted points and a binary search.

use crate::common::Naive;
use crate::peer::{Node, Points, Refused};
use xxhash_rust::xxh3::xxh3_64;

pub struct Peer {
    ring: Naive,
    points: u32,
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "naive ring";
    const POINTS: Points = Points::Given;
    const REPLICAS: bool = true;

    /// The nodes are always those from 0 on.
    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
        let ring = Naive::new(nodes.len(), points);
        Ok(Peer { ring, points })
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        Some(*self.ring.route_token(xxh3_64(key.as_bytes())))
    }

    fn three(&self, key: &'static str) -> u64 {
        let key = key.as_bytes().try_into().expect("keys have 16 bytes");
        self.ring.three(key).into_iter().sum()
    }

    fn add(&mut self, _next: &Node) -> Result<(), Refused> {
        self.ring.add(self.points);
        Ok(())
    }
}
