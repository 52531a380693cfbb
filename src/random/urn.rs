//! Draws nodes in proportion to their weights, with and without putting them back. It knows neither
//! nodes nor loads, only ranks.

use crate::random::below;
use alloc::{vec, vec::Vec};

/// The number of nodes that are passed one by one before the rest of a cell is searched by halves.
const STEPS: usize = 4;

/// The weights of all nodes end to end on a line. The node of rank r has as many places as its
/// weight, from the sum of the weights before it on. A drained node has none.
///
/// A table of equal cells (Chen and Asau 1974) gives the node to start from, and the node of a
/// place is a step or two from there. There are about N cells, so a cell contains less than one end
/// on average. That is O(1) expected for a random place and any weights. The worst case is O(log
/// N), for example if one node outweighs thousands that crowd in one cell, and is out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    ends: Vec<u64>,
    /// The node of the first place of each cell of 2^shift places.
    starts: Vec<u32>,
    shift: u32,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Line {
            ends: Vec::new(),
            starts: Vec::new(),
            shift: 0,
        }
    }

    /// Creates the line of these weights, in order of rank. Their sum must be below 2⁶⁴, as it is
    /// for the weights of any members.
    pub(crate) fn of(weights: impl Iterator<Item = u32>) -> Self {
        let mut total = 0;
        let ends: Vec<u64> = weights
            .map(|weight| {
                total += u64::from(weight);
                total
            })
            .collect();
        let shift = (total / (ends.len() as u64).max(1))
            .checked_ilog2()
            .unwrap_or(0);
        let mut rank = 0;
        let starts = (0..total)
            .step_by(1 << shift)
            .map(|place| {
                while ends[rank] <= place {
                    rank += 1;
                }
                rank as u32
            })
            .collect();
        Line {
            ends,
            starts,
            shift,
        }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.ends.len()
    }

    /// Returns the sum of all weights.
    #[inline]
    pub(crate) fn total(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Returns the first place of a node.
    #[inline]
    fn start(&self, rank: u32) -> u64 {
        match rank.checked_sub(1) {
            Some(before) => self.ends[before as usize],
            None => 0,
        }
    }

    #[inline]
    fn weight(&self, rank: u32) -> u64 {
        self.ends[rank as usize] - self.start(rank)
    }

    /// Returns the node at this place, which must be below the total.
    #[inline]
    pub(crate) fn at(&self, place: u64) -> u32 {
        let cell = (place >> self.shift) as usize;
        let mut rank = self.starts[cell];
        for _ in 0..STEPS {
            if self.ends[rank as usize] > place {
                return rank;
            }
            rank += 1;
        }
        self.search(cell, rank, place)
    }

    /// Returns the node at a place of a crowded cell, from this node on.
    #[cold]
    fn search(&self, cell: usize, from: u32, place: u64) -> u32 {
        let from = from as usize;
        // The first node of the next cell ends after this place.
        let to = self
            .starts
            .get(cell + 1)
            .map_or(self.ends.len(), |&next| next as usize);
        (from + self.ends[from..to.max(from)].partition_point(|&end| end <= place)) as u32
    }

    /// Returns the node for a number spread over all 64 bits, or `None` if no node has weight.
    #[inline]
    pub(crate) fn draw(&self, number: u64) -> Option<u32> {
        match self.total() {
            0 => None,
            total => Some(self.at(below(number, total))),
        }
    }

    /// Returns the node for such a number on the line without the node of rank `out`. That is what
    /// an [`Urn`] draws if that node is out. Returns `None` if no other node has weight.
    #[inline]
    pub(crate) fn draw_another(&self, out: u32, number: u64) -> Option<u32> {
        let (start, weight) = (self.start(out), self.weight(out));
        match self.total() - weight {
            0 => None,
            left => {
                let place = below(number, left);
                Some(self.at(if place < start { place } else { place + weight }))
            }
        }
    }
}

/// The nodes of a [`Line`], drawn in proportion to weight and taken out one by one.
///
/// A draw is exact and takes one number, in any state of the urn: it is a place on the line without
/// the gaps. Nothing is allocated while at most [`Urn::FEW`] nodes are out. Beyond that a Fenwick
/// tree over the weights makes a draw O(log N).
#[derive(Debug)]
pub(crate) struct Urn<'a> {
    line: &'a Line,
    /// The weight of the nodes inside.
    left: u64,
    /// The nodes that are out, in order of rank, if they are few.
    out: [u32; Urn::FEW],
    count: usize,
    /// Otherwise the weights inside as a Fenwick tree: place i (from 1) holds the sum of the last
    /// `i & −i` weights up to i.
    tree: Vec<u64>,
}

impl<'a> Urn<'a> {
    /// Enough for 16 refused nodes, 15 drawn to be compared, and one more.
    pub(crate) const FEW: usize = 32;

    pub(crate) fn full(line: &'a Line) -> Self {
        Urn {
            line,
            left: line.total(),
            out: [0; Urn::FEW],
            count: 0,
            tree: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Draws a node of those inside by a random number, in proportion to weight. Returns `None` if
    /// none is left.
    #[inline]
    pub(crate) fn draw(&self, number: u64) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let mut place = below(number, self.left);
        if !self.tree.is_empty() {
            return Some(self.descend(place));
        }
        for &rank in &self.out[..self.count] {
            if place < self.line.start(rank) {
                break;
            }
            place += self.line.weight(rank);
        }
        Some(self.line.at(place))
    }

    /// Returns `true` if the node is inside.
    pub(crate) fn holds(&self, rank: u32) -> bool {
        if self.tree.is_empty() {
            self.line.weight(rank) > 0 && self.out[..self.count].binary_search(&rank).is_err()
        } else {
            self.before(rank as usize + 1) > self.before(rank as usize)
        }
    }

    /// Takes out a node that is inside.
    pub(crate) fn take(&mut self, rank: u32) {
        debug_assert!(self.holds(rank));
        let weight = self.line.weight(rank);
        self.left -= weight;
        if self.tree.is_empty() && self.count == Urn::FEW {
            self.plant();
        }
        if self.tree.is_empty() {
            let mut place = self.count;
            while place > 0 && self.out[place - 1] > rank {
                self.out[place] = self.out[place - 1];
                place -= 1;
            }
            self.out[place] = rank;
            self.count += 1;
        } else {
            self.add(rank, weight.wrapping_neg());
        }
    }

    /// Puts back a node that was taken out.
    pub(crate) fn put_back(&mut self, rank: u32) {
        debug_assert!(!self.holds(rank));
        let weight = self.line.weight(rank);
        self.left += weight;
        if self.tree.is_empty() {
            self.count -= 1;
            let mut place = self.count;
            let mut next = self.out[place];
            while next != rank {
                place -= 1;
                core::mem::swap(&mut next, &mut self.out[place]);
            }
        } else {
            self.add(rank, weight);
        }
    }

    /// Builds the tree of the nodes inside.
    #[cold]
    fn plant(&mut self) {
        let mut tree = vec![0; self.line.nodes() + 1];
        for rank in 0..self.line.nodes() as u32 {
            tree[rank as usize + 1] = self.line.weight(rank);
        }
        for &rank in &self.out[..self.count] {
            tree[rank as usize + 1] = 0;
        }
        for i in 1..tree.len() {
            let parent = i + (i & i.wrapping_neg());
            if parent < tree.len() {
                tree[parent] += tree[i];
            }
        }
        self.tree = tree;
    }

    /// Adds to a node's weight in the tree, mod 2⁶⁴.
    fn add(&mut self, rank: u32, weight: u64) {
        let mut i = rank as usize + 1;
        while let Some(sum) = self.tree.get_mut(i) {
            *sum = sum.wrapping_add(weight);
            i += i & i.wrapping_neg();
        }
    }

    /// Returns the weight inside of the first `nodes` nodes.
    fn before(&self, nodes: usize) -> u64 {
        let (mut sum, mut i) = (0, nodes);
        while i > 0 {
            sum += self.tree[i];
            i &= i - 1;
        }
        sum
    }

    /// Returns the node at this place among the nodes inside.
    fn descend(&self, mut place: u64) -> u32 {
        let mut rank = 0;
        let mut step = 1 << self.line.nodes().ilog2();
        while step > 0 {
            if let Some(&sum) = self.tree.get(rank + step) {
                if sum <= place {
                    place -= sum;
                    rank += step;
                }
            }
            step /= 2;
        }
        rank as u32
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::random::Draws;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    /// Returns the node at a place by walking the weights.
    fn walk(weights: &[u32], mut place: u64) -> u32 {
        for (rank, &weight) in (0..).zip(weights) {
            match place.checked_sub(u64::from(weight)) {
                Some(rest) => place = rest,
                None => return rank,
            }
        }
        unreachable!("the place is below the total")
    }

    fn weight() -> impl Strategy<Value = u32> {
        prop_oneof![Just(0), 1u32..5, 1u32..1000, Just(u32::MAX)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(6), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_line_finds_what_a_walk_finds(weights in prop::collection::vec(weight(), 1..80), seed: u64) {
            let line = Line::of(weights.iter().copied());
            let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
            prop_assert_eq!(line.total(), total);
            prop_assert_eq!(line.draw(seed), (total > 0).then(|| walk(&weights, below(seed, total))));
            let mut random = Draws::with_seed(seed).next();
            if total > 0 {
                let ends = (0..weights.len() as u32).flat_map(|rank| [line.start(rank), line.ends[rank as usize].saturating_sub(1)]);
                let drawn = (0..50).map(|_| below(random.draw(), total));
                for place in ends.chain(drawn).filter(|&place| place < total).chain([0, total - 1]) {
                    prop_assert_eq!(line.at(place), walk(&weights, place));
                }
            }
        }

        #[test]
        fn a_crowded_cell_is_searched_as_it_is_walked(before in 0usize..300, after in 0usize..300, heavy: u32, drained in 0usize..7) {
            let light = |count: usize| (0..count).map(|i| u32::from(drained == 0 || i % 7 >= drained));
            let weights: Vec<u32> = light(before).chain([heavy.max(1)]).chain(light(after)).collect();
            let line = Line::of(weights.iter().copied());
            let total = line.total();
            for place in (0..600).chain(total.saturating_sub(600)..total).filter(|&place| place < total) {
                prop_assert_eq!(line.at(place), walk(&weights, place));
            }
        }

        #[test]
        fn the_urn_draws_what_is_left(weights in prop::collection::vec(weight(), 1..80), seed: u64) {
            let line = Line::of(weights.iter().copied());
            let mut left = weights;
            let mut urn = Urn::full(&line);
            let mut random = Draws::with_seed(seed).next();
            loop {
                let total: u64 = left.iter().map(|&weight| u64::from(weight)).sum();
                prop_assert_eq!(urn.is_empty(), total == 0);
                for (rank, &weight) in (0..).zip(&left) {
                    prop_assert_eq!(urn.holds(rank), weight > 0);
                }
                let number = random.draw();
                let Some(rank) = urn.draw(number) else {
                    prop_assert_eq!(total, 0);
                    break;
                };
                prop_assert_eq!(rank, walk(&left, below(number, total)));
                if urn.count == 0 && urn.tree.is_empty() {
                    let mut without = Urn::full(&line);
                    without.take(rank);
                    prop_assert_eq!(line.draw_another(rank, number), without.draw(number));
                }
                urn.take(rank);
                // Takes it out, puts it back with the next one out, and takes it out again, as
                // several choices do.
                if let Some(other) = urn.draw(random.draw()) {
                    urn.take(other);
                    urn.put_back(rank);
                    urn.put_back(other);
                    urn.take(rank);
                }
                left[rank as usize] = 0;
            }
        }
    }
}
