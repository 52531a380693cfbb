use crate::peer::{Node, Points, Refused};
use consistent_choose_k::{ConsistentChooseKHasher, ConsistentNodeMap};
use std::hash::{DefaultHasher, Hash};

/// It numbers its nodes, so the caller keeps a list of them.
pub struct Peer {
    map: ConsistentNodeMap,
    nodes: Vec<u64>,
}

fn hasher(key: &str) -> DefaultHasher {
    let mut hasher = DefaultHasher::default();
    key.hash(&mut hasher);
    hasher
}

impl crate::peer::Peer for Peer {
    const NAME: &'static str = "consistent-choose-k 0.1.2 (SipHash)";
    const POINTS: Points = Points::None;
    const REPLICAS: bool = true;

    fn build(nodes: &[Node], _: u32) -> Result<Self, Refused> {
        let mut peer = Peer {
            map: ConsistentNodeMap::new(),
            nodes: Vec::new(),
        };
        for node in nodes {
            peer.add(node)?;
        }
        Ok(peer)
    }

    fn route(&self, key: &'static str) -> Option<u64> {
        let slot = self.map.get(hasher(key))?;
        self.nodes.get(slot).copied()
    }

    fn replicas(&self, key: &'static str, n: usize) -> Vec<u64> {
        let slots = ConsistentChooseKHasher::new(hasher(key), self.map.slot_count());
        let active = slots.filter(|slot| self.map.is_active(*slot)).take(n);
        active.map(|slot| self.nodes[slot]).collect()
    }

    fn three(&self, key: &'static str) -> u64 {
        let slots = ConsistentChooseKHasher::new(hasher(key), self.map.slot_count());
        let active = slots.filter(|slot| self.map.is_active(*slot)).take(3);
        active.map(|slot| self.nodes[slot]).sum()
    }

    fn add(&mut self, node: &Node) -> Result<(), Refused> {
        let slot = self.map.add();
        if slot == self.nodes.len() {
            self.nodes.push(node.id);
        } else {
            self.nodes[slot] = node.id;
        }
        Ok(())
    }

    fn remove(&mut self, node: &Node) -> Result<(), Refused> {
        let mut slots = (0..self.nodes.len()).filter(|slot| self.map.is_active(*slot));
        let slot = slots.find(|slot| self.nodes[*slot] == node.id);
        let removed = slot.is_some_and(|slot| self.map.remove(slot));
        self.nodes.truncate(self.map.slot_count());
        if removed { Ok(()) } else { Err(Refused::Error) }
    }
}
