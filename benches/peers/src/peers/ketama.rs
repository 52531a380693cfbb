use crate::peer::{Node, Points, Refused};
use ketama::{Ring, RingBuilder};

pub struct Peer {
    ring: Ring,
    nodes: Vec<u64>,
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "ketama 0.0.2";
    const POINTS: Points = Points::Fixed(160);
    const WEIGHTED: bool = true;
    const NAMED: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let ring = nodes.iter().fold(RingBuilder::new(), |ring, node| {
            ring.node(&node.name(), node.weight)
        });
        Ok(Peer {
            ring: ring.build(),
            nodes: nodes.iter().map(|node| node.id).collect(),
        })
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        self.nodes.get(self.ring.route(key.as_bytes())).copied()
    }
}
