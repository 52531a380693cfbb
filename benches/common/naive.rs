//! The naive ring, which every ratio refers to: sorted points and a binary search. It has the same
//! points as ours.

use super::RandomKey;
use xxhash_rust::xxh3::xxh3_64;

/// Sorted pairs of a token and an owner.
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
            nodes: super::nodes(nodes).collect(),
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
    pub fn route(&self, key: &(impl AsRef<[u8]> + ?Sized)) -> &u64 {
        self.route_token(xxh3_64(key.as_ref()))
    }

    /// The first three distinct nodes on the walk.
    #[inline]
    pub fn three_from(&self, token: u64) -> [&u64; 3] {
        let mut found = [u32::MAX; 3];
        let (mut count, mut p) = (0, self.successor(token));
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

    #[inline]
    pub fn three(&self, key: &RandomKey) -> [&u64; 3] {
        self.three_from(xxh3_64(key))
    }

    /// Adds the next node: its points at the end, and sorted in.
    pub fn add(&mut self, virtual_nodes: u32) {
        self.add_many(1, virtual_nodes);
    }

    /// Adds the next nodes with one sort, which finds two runs and merges them.
    pub fn add_many(&mut self, count: usize, virtual_nodes: u32) {
        let first = self.nodes.len() as u64;
        let added = first..first + count as u64;
        let points = added
            .clone()
            .flat_map(|node| Naive::points_of(node, virtual_nodes));
        self.points.extend(points);
        #[allow(clippy::stable_sort_primitive)] // it merges runs, and is four times as fast here
        self.points.sort();
        self.nodes.extend(added);
    }

    /// Removes all nodes but the first `left`.
    pub fn truncate(&mut self, left: usize) {
        self.nodes.truncate(left);
        self.points.retain(|&(_, owner)| (owner as usize) < left);
    }
}
