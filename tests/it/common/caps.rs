//! The caps of bounded loads, worked out from scratch.

use clockwise::{HashRing, Tracked};
use std::collections::{BTreeMap, BTreeSet};

pub type Ring = HashRing<Tracked<u32>>;

/// `count` nodes, with these weights one after the other.
pub fn ring(count: u32, weights: &[u32]) -> Ring {
    let nodes = (0..count).zip(weights.iter().copied().cycle());
    let mut ring = HashRing::builder().virtual_nodes(64).build().unwrap();
    ring.extend_weighted(nodes.map(|(id, weight)| (Tracked::new(id), weight)))
        .unwrap();
    ring
}

/// A load factor in hundredths, so that caps can be worked out by fractions.
#[derive(Clone, Copy, Debug)]
pub struct Factor(pub u64);

impl Factor {
    pub fn get(self) -> f64 {
        self.0 as f64 / 100.0
    }

    /// ⌈c · requests · weight / total⌉
    pub fn cap(self, requests: usize, weight: u32, total: u32) -> u32 {
        let cap = u128::from(self.0) * requests as u128 * u128::from(weight);
        cap.div_ceil(100 * u128::from(total)) as u32
    }
}

/// Counts and caps from scratch: knows the members, who is refused and what is held, and nothing of
/// what is tested.
pub struct Oracle {
    pub plain: Ring,
    pub factor: Factor,
    pub min_cap: u32,
    pub out: BTreeSet<u32>,
    pub counts: BTreeMap<u32, u32>,
}

impl Oracle {
    pub fn new(plain: Ring, factor: Factor) -> Oracle {
        Oracle {
            plain,
            factor,
            min_cap: 0,
            out: BTreeSet::new(),
            counts: BTreeMap::new(),
        }
    }

    pub fn count(&self, id: u32) -> u32 {
        self.counts.get(&id).copied().unwrap_or(0)
    }

    fn held(&self) -> usize {
        self.counts.values().sum::<u32>() as usize
    }

    /// The weight of the members that are not drained, and for which `is_in` returns `true`.
    pub fn weight(&self, is_in: impl Fn(u32) -> bool) -> u32 {
        let members = self.plain.members();
        let these = members.filter(|member| !member.drained && is_in(**member.node));
        these.map(|member| member.weight).sum()
    }

    /// The cap that the next request goes by.
    pub fn cap(&self, id: u32) -> u32 {
        self.caps()(id)
    }

    fn caps(&self) -> impl Fn(u32) -> u32 {
        let offered = self.weight(|id| !self.out.contains(&id));
        let all = self.weight(|_| true);
        let eligible = self.plain.members().filter(|m| !m.drained).count() as u64;
        let requests = self.held() + 1;
        move |id| {
            if offered == 0 {
                return 0;
            }
            let weight = self.plain.weight(&id).unwrap();
            let floor = u64::from(self.min_cap) * u64::from(weight) * eligible;
            let floor = floor.div_ceil(all.into()) as u32;
            self.factor.cap(requests, weight, offered).max(floor)
        }
    }

    /// The nodes that can be offered, in the key's order.
    pub fn order(&self, key: u64) -> impl Iterator<Item = u32> {
        let order = self.plain.preference(&key).map(|node| **node);
        order.filter(|id| !self.out.contains(id))
    }

    pub fn choose(&self, key: u64) -> u32 {
        let mut order = self.order(key);
        let cap = self.caps();
        let chosen = order.find(|&id| self.count(id) < cap(id));
        chosen.expect("what is held came through the bound")
    }
}
