//! What the benchmarks share: keys, and the two references that stand beside us in every table.

#![allow(dead_code, unreachable_pub)] // each benchmark uses a part

use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

pub type RandomKey = [u8; 16];

/// Random keys in the order in which they are visited, so that the memory of the keys is not what is measured.
pub fn keys(count: usize) -> Vec<RandomKey> {
    let mut state = 0u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..count)
        .map(|_| {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&next().to_le_bytes());
            key[8..].copy_from_slice(&next().to_le_bytes());
            key
        })
        .collect()
}

/// The nodes of every benchmark: 0 to N − 1.
pub fn nodes(count: usize) -> impl Iterator<Item = u64> {
    0..count as u64
}

/// Reference 1: sorted `(token, owner)` pairs and a binary search. The same points as ours.
#[derive(Clone)]
pub struct Naive {
    pub points: Vec<(u64, u32)>,
    pub nodes: Vec<u64>,
}

impl Naive {
    pub fn new(nodes: usize, virtual_nodes: u32) -> Self {
        let mut points = Vec::with_capacity(nodes * virtual_nodes as usize);
        for node in 0..nodes {
            points.extend(Naive::points_of(node as u64, virtual_nodes));
        }
        points.sort_unstable();
        Naive {
            points,
            nodes: self::nodes(nodes).collect(),
        }
    }

    fn points_of(node: u64, virtual_nodes: u32) -> impl Iterator<Item = (u64, u32)> {
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&node.to_le_bytes());
        (0..virtual_nodes).map(move |i| {
            bytes[..4].copy_from_slice(&i.to_le_bytes());
            (xxh3_64(&bytes), node as u32)
        })
    }

    #[inline]
    pub fn successor(&self, token: u64) -> usize {
        let p = self.points.partition_point(|&(point, _)| point < token);
        if p == self.points.len() { 0 } else { p }
    }

    #[inline]
    pub fn route_token(&self, token: u64) -> &u64 {
        &self.nodes[self.points[self.successor(token)].1 as usize]
    }

    #[inline]
    pub fn route(&self, key: &RandomKey) -> &u64 {
        self.route_token(xxh3_64(key))
    }

    /// The first three distinct nodes on the walk.
    #[inline]
    pub fn three(&self, key: &RandomKey) -> [&u64; 3] {
        let mut found = [u32::MAX; 3];
        let (mut count, mut p) = (0, self.successor(xxh3_64(key)));
        while count < 3 {
            let owner = self.points[p].1;
            if !found[..count].contains(&owner) {
                found[count] = owner;
                count += 1;
            }
            p = if p + 1 == self.points.len() { 0 } else { p + 1 };
        }
        found.map(|owner| &self.nodes[owner as usize])
    }

    /// Adds the next node: its points at the end, and sorted in (the standard sort sees two runs and merges them).
    pub fn add(&mut self, virtual_nodes: u32) {
        let node = self.nodes.len() as u64;
        self.points.extend(Naive::points_of(node, virtual_nodes));
        #[allow(clippy::stable_sort_primitive)] // it merges runs, and is four times as fast here
        self.points.sort();
        self.nodes.push(node);
    }
}

/// Reference 2: a Maglev table (Eisenbud et al. 2016) of at least 100 slots a node, and one load.
pub struct Maglev {
    pub slots: Vec<u32>,
    nodes: Vec<u64>,
}

impl Maglev {
    pub fn new(nodes: usize, at_least: usize) -> Self {
        let slots = (at_least..2 * at_least)
            .find(|&n| is_prime(n))
            .expect("there is a prime");
        Maglev {
            slots: maglev(nodes, slots),
            nodes: self::nodes(nodes).collect(),
        }
    }

    #[inline]
    pub fn route(&self, key: &RandomKey) -> &u64 {
        let slot = xxh3_64(key) % self.slots.len() as u64;
        &self.nodes[self.slots[slot as usize] as usize]
    }
}

/// The populated table: each node in turn takes the next free slot of its own permutation.
pub fn maglev(nodes: usize, slots: usize) -> Vec<u32> {
    let mut table = vec![u32::MAX; slots];
    let mut walks: Vec<(usize, usize)> = (0..nodes as u64)
        .map(|node| {
            let hash = |seed| xxhash_rust::xxh3::xxh3_64_with_seed(&node.to_le_bytes(), seed);
            let (offset, skip) = (hash(1) % slots as u64, hash(2) % (slots as u64 - 1) + 1);
            (offset as usize, skip as usize)
        })
        .collect();
    let mut filled = 0;
    loop {
        for (node, (at, skip)) in walks.iter_mut().enumerate() {
            while table[*at] != u32::MAX {
                *at = (*at + *skip) % slots;
            }
            table[*at] = node as u32;
            filled += 1;
            if filled == slots {
                return table;
            }
        }
    }
}

fn is_prime(n: usize) -> bool {
    (2..=n.isqrt()).all(|d| n % d != 0)
}

/// Where a reference points, as a number: consumes an answer without reading what it points to.
#[inline]
pub fn address<T>(answer: &T) -> u64 {
    std::ptr::from_ref(answer) as u64
}

/// Times contenders alone: each works through all chunks for a whole pass, after a quarter of a pass
/// that is not counted, so that no contender finds what another has brought into the caches. They
/// take turns pass by pass. The least pass of each counts, because what a shared machine adds is
/// never negative.
pub fn race_alone<const N: usize>(
    passes: usize,
    chunks: usize,
    run: &mut [&mut dyn FnMut(usize); N],
) -> [Duration; N] {
    let mut least = [Duration::MAX; N];
    for pass in 0..passes {
        for turn in 0..N {
            let who = (pass + turn) % N;
            (0..chunks / 4).for_each(&mut *run[who]);
            let start = Instant::now();
            (0..chunks).for_each(&mut *run[who]);
            least[who] = least[who].min(start.elapsed());
        }
    }
    least
}

/// Times contenders against each other: all do chunk 0, then all do chunk 1, …; round after round, each round in another order. Of each chunk's times
/// the least counts, because what a shared machine adds is never negative. Returns the sum for each contender.
pub fn race<const N: usize>(
    rounds: usize,
    chunks: usize,
    run: &mut [&mut dyn FnMut(usize); N],
) -> [Duration; N] {
    let mut least = vec![[Duration::MAX; N]; chunks];
    for round in 0..rounds {
        for (chunk, least) in least.iter_mut().enumerate() {
            for turn in 0..N {
                let who = (round + chunk + turn) % N;
                let start = Instant::now();
                run[who](chunk);
                least[who] = least[who].min(start.elapsed());
            }
        }
    }
    let mut sums = [Duration::ZERO; N];
    for least in least {
        for (sum, time) in sums.iter_mut().zip(least) {
            *sum += time;
        }
    }
    sums
}
