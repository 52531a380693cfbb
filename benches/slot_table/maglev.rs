//! Maglev's table (Eisenbud et al., NSDI 2016), as a router would write it: the peer to beat.

use clockwise::{KeyHasher, Xxh3};

pub(crate) struct Maglev {
    pub(crate) owners: Vec<u32>,
}

impl Maglev {
    /// `slots` must be a prime above the number of nodes.
    pub(crate) fn new(nodes: &[String], slots: usize) -> Self {
        let m = slots as u64;
        let mut turns: Vec<(u64, u64)> = nodes
            .iter()
            .map(|node| {
                let offset = Xxh3::new().hash_bytes(node.as_bytes()) % m;
                let skip = Xxh3::with_seed(1).hash_bytes(node.as_bytes()) % (m - 1) + 1;
                (offset, skip)
            })
            .collect();
        let mut owners = vec![u32::MAX; slots];
        let mut filled = 0;
        'fill: loop {
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
                    break 'fill;
                }
            }
        }
        Maglev { owners }
    }

    #[inline]
    pub(crate) fn route(&self, key: &[u8]) -> u32 {
        self.owners[(Xxh3::new().hash_bytes(key) % self.owners.len() as u64) as usize]
    }
}

/// The least prime at or above `n`, from 2 on.
pub(crate) fn prime_from(n: usize) -> usize {
    // There is one below 2n (Bertrand).
    (n..2 * n)
        .find(|&n| (2..=n.isqrt()).all(|d| n % d != 0))
        .expect("a prime below 2n")
}
