//! Maglev's table (Eisenbud et al., NSDI 2016) as a router would write it: one load for a route.

use super::nodes;
use clockwise::{KeyHasher, Xxh3};

/// A populated table and its nodes.
pub struct Maglev {
    slots: Vec<u32>,
    nodes: Vec<u64>,
}

impl Maglev {
    /// Creates a table of the least prime from `at_least` on.
    pub fn new(nodes: usize, at_least: usize) -> Self {
        let nodes: Vec<u64> = self::nodes(nodes).collect();
        let names: Vec<_> = nodes.iter().map(|node| node.to_le_bytes()).collect();
        Maglev {
            slots: populate(&names, prime_from(at_least)),
            nodes,
        }
    }

    #[inline]
    pub fn route(&self, key: &(impl AsRef<[u8]> + ?Sized)) -> &u64 {
        let slot = Xxh3::new().hash_bytes(key.as_ref()) % self.slots.len() as u64;
        &self.nodes[self.slots[slot as usize] as usize]
    }
}

/// Returns the owner of each slot: each node in turn takes the next free slot of its own
/// permutation. The number of slots must be a prime above the number of nodes.
pub fn populate(nodes: &[impl AsRef<[u8]>], slots: usize) -> Vec<u32> {
    let m = slots as u64;
    let permutation = |node: &[u8]| {
        let offset = Xxh3::new().hash_bytes(node) % m;
        let skip = Xxh3::with_seed(1).hash_bytes(node) % (m - 1) + 1;
        (offset, skip)
    };
    let mut turns: Vec<_> = nodes
        .iter()
        .map(|node| permutation(node.as_ref()))
        .collect();
    let mut owners = vec![u32::MAX; slots];
    let mut filled = 0;
    loop {
        for (node, (next, skip)) in turns.iter_mut().enumerate() {
            while owners[*next as usize] != u32::MAX {
                *next += *skip;
                if *next >= m {
                    *next -= m;
                }
            }
            owners[*next as usize] = node as u32;
            filled += 1;
            if filled == slots {
                return owners;
            }
        }
    }
}

/// Returns the least prime from `n` on, for an `n` of at least 2.
pub fn prime_from(n: usize) -> usize {
    // There is one below 2n (Bertrand).
    (n..2 * n)
        .find(|&n| (2..=n.isqrt()).all(|d| n % d != 0))
        .expect("a prime below 2n")
}
