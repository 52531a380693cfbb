//! Ours: the ring, the slot table and rendezvous hashing.

use crate::peer::{Node, Peer, Points, Refused};
use clockwise::{Bounded, HashRing, Rendezvous, SlotTable, Tracked};

fn refused<E>(_: E) -> Refused {
    Refused::Error
}

fn identity(node: &Node) -> String {
    node.name()
}

/// What the three have in common. A node is a number, unless it shows what an empty name does.
macro_rules! strategy {
    ($peer:ident, $strategy:ty, $name:literal, $points:expr, $new:expr) => {
        pub struct $peer($strategy);

        impl Peer for $peer {
            const NAME: &'static str = $name;
            const POINTS: Points = $points;
            const WEIGHTED: bool = true;
            const NAMED: bool = true;
            const REPLICAS: bool = true;

            fn build(nodes: &[Node], points: u32) -> Result<Self, Refused> {
                // An empty name is an empty identity, which no number has.
                if nodes.iter().any(|node| node.id == Node::NAMELESS) {
                    let names = nodes.iter().map(identity);
                    return Err(match HashRing::from_nodes(names) {
                        Ok(_) => Refused::NotOffered,
                        Err(_) => Refused::Error,
                    });
                }
                let mut strategy: $strategy = $new(points)?;
                let nodes = nodes.iter().map(|node| (node.id, node.weight));
                strategy.extend_weighted(nodes).map_err(refused)?;
                Ok($peer(strategy))
            }

            fn route(&self, key: &'static str) -> Option<u64> {
                self.0.route(key).copied()
            }

            fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
                self.0.replicas(key, n).into_iter().copied().collect()
            }

            fn three(&self, key: &'static str) -> u64 {
                let nodes = self.0.preference(key).take(3);
                nodes.fold(0, |sum, node| sum.wrapping_add(*node))
            }

            fn add(&mut self, node: &Node) -> Result<(), Refused> {
                let added = self.0.insert_weighted(node.id, node.weight);
                added.map(|_| ()).map_err(refused)
            }

            fn remove(&mut self, node: &Node) -> Result<(), Refused> {
                self.0.remove(&node.id).map(|_| ()).ok_or(Refused::Error)
            }

            fn set_weight(&mut self, node: &Node) -> Result<(), Refused> {
                let set = self.0.set_weight(&node.id, node.weight);
                set.map(|_| ()).map_err(refused)
            }

            fn take_nan() -> Option<Result<(), Refused>> {
                let strategy: Result<HashRing<Tracked<u64>>, _> =
                    HashRing::from_nodes([Tracked::new(1)]);
                let bounded = Bounded::new(strategy.ok()?, f64::NAN);
                Some(bounded.map(|_| ()).map_err(refused))
            }
        }
    };
}

strategy!(
    Ring,
    HashRing<u64>,
    "clockwise `HashRing`",
    Points::Given,
    |points| HashRing::builder()
        .virtual_nodes(points)
        .build()
        .map_err(refused)
);
strategy!(
    Table,
    SlotTable<u64>,
    "clockwise `SlotTable`",
    Points::None,
    |_| Ok(SlotTable::new())
);
strategy!(
    Hrw,
    Rendezvous<u64>,
    "clockwise `Rendezvous`",
    Points::None,
    |_| Ok(Rendezvous::new())
);
