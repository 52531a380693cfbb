//! Rounds for moves: an edge colouring of the bipartite multigraph of givers and takers. Knows numbers only.
//!
//! An edge is a move, its colour the round it goes in. With at most `limit` edges of one colour leaving a giver, and at most
//! `limit` entering a taker, ⌈Δ/limit⌉ colours are needed, where Δ is the most edges that leave one giver or enter one taker. They
//! are always enough (Kőnig 1916 for limit 1): each giver and taker is cut into parts of at most ⌈Δ/limit⌉ edges, at most `limit` of
//! them, and a graph of that degree has a proper colouring with that many colours. It is found by the proof itself: where an edge's two ends have no free colour in common, the path
//! on which two colours alternate is swapped.
//!
//! Parts of several nodes are packed together while they stay within the degree, so that the table of colours has O(edges) places,
//! whatever the largest degree is.

use alloc::{vec, vec::Vec};

/// A colour for each edge, and how many colours there are. `edges` are pairs of a giver and a taker, each below `nodes`, or else
/// without limit. `limit` is 1 or more.
///
/// # Complexity
/// O(edges × (colours / 64 + length of the swapped paths)); O(edges) memory.
pub(super) fn colour(edges: &[(u32, u32)], nodes: usize, limit: u32) -> (Vec<u32>, u32) {
    let sides = [
        edges.iter().map(|&(from, _)| from).collect::<Vec<_>>(),
        edges.iter().map(|&(_, to)| to).collect(),
    ];
    let largest = sides
        .iter()
        .flat_map(|ends| degrees(ends, nodes).into_iter().take(nodes))
        .max()
        .unwrap_or(0);
    // Where no edge has an end with a limit, one round does.
    let colours = largest.div_ceil(limit).max(1);
    let parts = sides.map(|ends| parts(&ends, nodes, colours));
    let mut colouring = Colouring {
        tables: parts.map(|parts| Table::new(parts, colours)),
        colour: vec![0; edges.len()],
    };
    for edge in 0..edges.len() {
        colouring.add(edge as u32);
    }
    (colouring.colour, colours)
}

/// How many edges end at each node; at `nodes`, those without limit.
fn degrees(ends: &[u32], nodes: usize) -> Vec<u32> {
    let mut degrees = vec![0; nodes + 1];
    for &end in ends {
        degrees[(end as usize).min(nodes)] += 1;
    }
    degrees
}

/// The part that each edge ends at: of at most `degree` edges, and a node is cut only where it has more than that.
fn parts(ends: &[u32], nodes: usize, degree: u32) -> Vec<u32> {
    let degree = u64::from(degree);
    let mut next = 0u64;
    // Where the edges of each node go: `degree` to a part.
    let mut places: Vec<u64> = degrees(ends, nodes)
        .into_iter()
        .map(|count| {
            let count = u64::from(count);
            if next % degree + count > degree {
                next = next.next_multiple_of(degree);
            }
            next += count;
            next - count
        })
        .collect();
    ends.iter()
        .map(|&end| {
            let place = &mut places[(end as usize).min(nodes)];
            *place += 1;
            ((*place - 1) / degree) as u32
        })
        .collect()
}

/// Which edge has which colour at each part of one side.
struct Table {
    /// By edge.
    parts: Vec<u32>,
    colours: usize,
    /// By part and colour: the edge, or `FREE`.
    edges: Vec<u32>,
    /// By part: a bit for every free colour.
    free: Vec<u64>,
}

const FREE: u32 = u32::MAX;

impl Table {
    fn new(parts: Vec<u32>, colours: u32) -> Self {
        let count = parts.iter().max().map_or(0, |&last| last as usize + 1);
        let colours = colours as usize;
        let words = colours.div_ceil(64);
        let mut free = vec![u64::MAX; count * words];
        if colours % 64 > 0 {
            for row in free.chunks_mut(words) {
                row[words - 1] = (1 << (colours % 64)) - 1;
            }
        }
        Table {
            parts,
            colours,
            edges: vec![FREE; count * colours],
            free,
        }
    }

    fn free(&self, edge: u32) -> &[u64] {
        let words = self.colours.div_ceil(64);
        let part = self.parts[edge as usize] as usize;
        &self.free[part * words..][..words]
    }

    /// The edge that has `colour` where `edge` ends.
    fn at(&self, edge: u32, colour: u32) -> Option<u32> {
        let part = self.parts[edge as usize] as usize;
        Some(self.edges[part * self.colours + colour as usize]).filter(|&edge| edge != FREE)
    }

    fn set(&mut self, edge: u32, colour: u32, to: u32) {
        let part = self.parts[edge as usize] as usize;
        self.edges[part * self.colours + colour as usize] = to;
        let word = &mut self.free[part * self.colours.div_ceil(64) + colour as usize / 64];
        let bit = 1 << (colour % 64);
        *word = if to == FREE {
            *word | bit
        } else {
            *word & !bit
        };
    }
}

struct Colouring {
    tables: [Table; 2],
    colour: Vec<u32>,
}

impl Colouring {
    fn add(&mut self, edge: u32) {
        let [giver, taker] = self.tables.each_ref().map(|table| table.free(edge));
        let colour = match lowest(giver.iter().zip(taker).map(|(a, b)| a & b)) {
            Some(colour) => colour,
            None => {
                const INVARIANT: &str = "a part has at most as many edges as there are colours";
                let at_giver = lowest(giver.iter().copied()).expect(INVARIANT);
                let at_taker = lowest(taker.iter().copied()).expect(INVARIANT);
                self.swap(edge, at_giver, at_taker);
                at_giver
            }
        };
        self.paint(edge, colour);
    }

    /// Frees `wanted` where `edge` ends on the taker's side, by swapping it with `free` along the path that begins there. The path comes to a
    /// giver always by `wanted`, so it never ends at `edge`'s giver, where `wanted` is free.
    fn swap(&mut self, edge: u32, wanted: u32, free: u32) {
        let mut path = Vec::new();
        let (mut side, mut colour, mut at) = (1, wanted, edge);
        while let Some(next) = self.tables[side].at(at, colour) {
            path.push(next);
            (side, at) = (1 - side, next);
            colour = if colour == wanted { free } else { wanted };
        }
        for &edge in &path {
            for table in &mut self.tables {
                table.set(edge, self.colour[edge as usize], FREE);
            }
        }
        for edge in path {
            let now = self.colour[edge as usize];
            self.paint(edge, if now == wanted { free } else { wanted });
        }
    }

    fn paint(&mut self, edge: u32, colour: u32) {
        self.colour[edge as usize] = colour;
        for table in &mut self.tables {
            table.set(edge, colour, edge);
        }
    }
}

/// The lowest bit that is set.
fn lowest(words: impl Iterator<Item = u64>) -> Option<u32> {
    (0..)
        .zip(words)
        .find(|&(_, word)| word != 0)
        .map(|(i, word): (u32, u64)| i * 64 + word.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 300,
            rng_seed: RngSeed::Fixed(1916),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// The bound is Δ/limit rounded up, which no colouring can beat; ends at or past `nodes` are without limit.
        #[test]
        fn rounds_are_as_few_as_the_largest_degree_allows(
            edges in prop::collection::vec((0u32..9, 0u32..9), 0..400),
            nodes in 1usize..9,
            limit in 1u32..6,
        ) {
            let (colour, colours) = colour(&edges, nodes, limit);
            let mut largest = 0;
            for side in [|edge: &(u32, u32)| edge.0, |edge: &(u32, u32)| edge.1] {
                for node in 0..nodes as u32 {
                    let own = || edges.iter().zip(&colour).filter(|(edge, _)| side(edge) == node);
                    largest = largest.max(own().count() as u32);
                    for round in 0..colours {
                        prop_assert!(own().filter(|&(_, &colour)| colour == round).count() <= limit as usize);
                    }
                }
            }
            prop_assert_eq!(colours, largest.div_ceil(limit).max(1));
            prop_assert!(colour.iter().all(|&colour| colour < colours));
        }
    }
}
