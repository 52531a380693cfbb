//! The queue of a plan: the largest move that may start, under a limit for each node. Knows ends
//! and sizes only, no nodes.
//!
//! # How it avoids scanning
//! Moves between the same two nodes are blocked together, so they form a *pair* with one heap. A
//! pair is known to both of its ends, in order of its largest pending move. Each node that has a
//! free slot *offers* its largest move that may start, and all offers are in one heap. An offer is
//! checked when it comes up: if the other end is full by then, the node is searched again.
//!
//! That is enough, because a blocked pair can only become startable when one of its ends gets a
//! free slot, and that end is searched at that moment. A search goes through the node's pairs until
//! one has a free other end, or through the few free nodes of the other side, if that is shorter.
//! So of f free nodes and d pairs it looks at about min(f, d / f), never more than √d + 1 if the
//! free nodes are spread evenly.

use alloc::collections::{BTreeSet, BinaryHeap};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// The size of a move and its number. The largest is the greatest. Of equal ones the first is.
type Rank = (u64, Reverse<u32>);

const GIVER: usize = 0;
const TAKER: usize = 1;

/// A move as the queue sees it. The giver `None` has no limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) number: u32,
    pub(super) size: u64,
    pub(super) from: Option<u32>,
    pub(super) to: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Queue {
    limit: u32,
    /// In order of their ends.
    pairs: Vec<Pair>,
    sides: [Side; 2],
    offers: BinaryHeap<Offer>,
}

/// All moves from one giver to one taker.
#[derive(Debug, Clone)]
struct Pair {
    ends: [u32; 2],
    pending: BinaryHeap<Rank>,
}

/// The givers, or the takers.
#[derive(Debug, Clone)]
struct Side {
    nodes: Vec<Node>,
    /// The nodes that have a free slot and a pending move.
    free: BTreeSet<u32>,
    /// The node that has no limit.
    unlimited: u32,
}

#[derive(Debug, Clone, Default)]
struct Node {
    under_way: u32,
    /// The largest pending move of each pair, the pair's other end, and the pair. A search looks at
    /// many of them, so it should not have to fetch each pair.
    heads: BTreeSet<(Rank, u32, u32)>,
    /// Of the offer that counts. Older ones are void.
    stamp: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Offer {
    rank: Rank,
    pair: u32,
    side: usize,
    stamp: u32,
}

impl Queue {
    /// Creates the queue of these moves between so many places. O(moves × log moves).
    pub(super) fn new(limit: u32, places: usize, mut edges: Vec<Edge>) -> Self {
        let unlimited = places as u32;
        let ends = |edge: &Edge| [edge.from.unwrap_or(unlimited), edge.to];
        edges.sort_unstable_by_key(ends);
        let pairs: Vec<Pair> = edges
            .chunk_by(|a, b| ends(a) == ends(b))
            .map(|pair| Pair {
                ends: ends(&pair[0]),
                pending: pair.iter().map(|e| (e.size, Reverse(e.number))).collect(),
            })
            .collect();
        let side = |unlimited| Side {
            nodes: alloc::vec![Node::default(); places + 1],
            free: BTreeSet::new(),
            unlimited,
        };
        let mut queue = Queue {
            limit,
            pairs,
            sides: [side(unlimited), side(u32::MAX)],
            offers: BinaryHeap::new(),
        };
        for pair in 0..queue.pairs.len() as u32 {
            queue.show_head(pair);
        }
        for giver in 0..=unlimited {
            queue.offer(GIVER, giver);
        }
        queue
    }

    /// Takes out the largest move whose ends both have a free slot, and counts it as under way.
    pub(super) fn start(&mut self) -> Option<u32> {
        while let Some(Offer {
            rank,
            pair,
            side,
            stamp,
        }) = self.offers.pop()
        {
            let Pair { ends, pending } = &self.pairs[pair as usize];
            let (ends, owner) = (*ends, ends[side]);
            if self.sides[side].nodes[owner as usize].stamp != stamp {
                continue;
            }
            let startable = pending.peek() == Some(&rank)
                && !self.is_full(GIVER, ends[GIVER])
                && !self.is_full(TAKER, ends[TAKER]);
            if startable {
                self.hide_head(pair);
                self.pairs[pair as usize].pending.pop();
                for (side, end) in [GIVER, TAKER].into_iter().zip(ends) {
                    self.sides[side].nodes[end as usize].under_way += 1;
                }
                self.show_head(pair);
            }
            self.offer(side, owner);
            if startable {
                return Some(rank.1.0);
            }
        }
        None
    }

    /// Frees the slots of a move that is under way, and puts it back if it is to be tried `again`.
    pub(super) fn end(&mut self, edge: Edge, again: bool) {
        let ends = [edge.from.unwrap_or(self.sides[GIVER].unlimited), edge.to];
        let Some(pair) = self.pair_of(ends) else {
            return;
        };
        let were_full = [GIVER, TAKER].map(|side| self.is_full(side, ends[side]));
        self.hide_head(pair);
        if again {
            let rank = (edge.size, Reverse(edge.number));
            self.pairs[pair as usize].pending.push(rank);
        }
        for (side, end) in [GIVER, TAKER].into_iter().zip(ends) {
            self.sides[side].nodes[end as usize].under_way -= 1;
        }
        self.show_head(pair);
        for side in [GIVER, TAKER] {
            if were_full[side] || again {
                self.offer(side, ends[side]);
            }
        }
    }

    fn is_full(&self, side: usize, node: u32) -> bool {
        let side = &self.sides[side];
        node != side.unlimited && side.nodes[node as usize].under_way >= self.limit
    }

    fn pair_of(&self, ends: [u32; 2]) -> Option<u32> {
        let found = self.pairs.binary_search_by_key(&ends, |pair| pair.ends);
        found.ok().map(|pair| pair as u32)
    }

    /// Removes the pair's largest pending move from both ends' lists, before it changes.
    fn hide_head(&mut self, pair: u32) {
        let Pair { ends, pending } = &self.pairs[pair as usize];
        if let Some(&head) = pending.peek() {
            for side in [GIVER, TAKER] {
                let heads = &mut self.sides[side].nodes[ends[side] as usize].heads;
                heads.remove(&(head, ends[1 - side], pair));
            }
        }
    }

    /// Adds the pair's largest pending move to both ends' lists, after it changed, and keeps the
    /// sets of free nodes.
    fn show_head(&mut self, pair: u32) {
        let Pair { ends, pending } = &self.pairs[pair as usize];
        let (ends, head) = (*ends, pending.peek().copied());
        for side in [GIVER, TAKER] {
            let (end, other) = (ends[side], ends[1 - side]);
            let full = self.is_full(side, end);
            let Side { nodes, free, .. } = &mut self.sides[side];
            let heads = &mut nodes[end as usize].heads;
            heads.extend(head.map(|head| (head, other, pair)));
            if full || heads.is_empty() {
                free.remove(&end);
            } else {
                free.insert(end);
            }
        }
    }

    /// Offers the node's largest move that may start, in place of what it offered before.
    fn offer(&mut self, side: usize, node: u32) {
        let best = if self.is_full(side, node) {
            None
        } else {
            self.best(side, node)
        };
        let stamp = &mut self.sides[side].nodes[node as usize].stamp;
        *stamp = stamp.wrapping_add(1);
        let stamp = *stamp;
        self.offers.extend(best.map(|(rank, pair)| Offer {
            rank,
            pair,
            side,
            stamp,
        }));
    }

    /// The largest pending move of this node whose other end has a free slot.
    fn best(&self, side: usize, node: u32) -> Option<(Rank, u32)> {
        let heads = &self.sides[side].nodes[node as usize].heads;
        let other = 1 - side;
        let free = &self.sides[other].free;
        if free.len().saturating_mul(free.len()) < heads.len() {
            let head = |&end: &u32| {
                let mut ends = [node; 2];
                ends[other] = end;
                let pair = self.pair_of(ends)?;
                let head = *self.pairs[pair as usize].pending.peek()?;
                Some((head, pair))
            };
            return free.iter().filter_map(head).max();
        }
        let has_slot = |&&(_, end, _): &&(Rank, u32, u32)| !self.is_full(other, end);
        let found = heads.iter().rev().find(has_slot);
        found.map(|&(rank, _, pair)| (rank, pair))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// All moves, scanned at each start.
    struct Naive {
        limit: usize,
        edges: Vec<Edge>,
        pending: Vec<bool>,
        under_way: Vec<u32>,
    }

    impl Naive {
        fn start(&mut self) -> Option<u32> {
            let busy = |end: &dyn Fn(&Edge) -> bool| {
                let count = self.under_way.iter();
                count.filter(|&&i| end(&self.edges[i as usize])).count()
            };
            let startable = self.edges.iter().filter(|edge| {
                self.pending[edge.number as usize]
                    && busy(&|other| other.to == edge.to) < self.limit
                    && (edge.from.is_none() || busy(&|other| other.from == edge.from) < self.limit)
            });
            let best = startable.max_by_key(|edge| (edge.size, Reverse(edge.number)))?;
            self.pending[best.number as usize] = false;
            self.under_way.push(best.number);
            Some(best.number)
        }
    }

    fn below(state: &mut u64, bound: u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) % bound
    }

    #[test]
    fn the_largest_startable_move_starts_first_in_any_order_of_ends() {
        for seed in 0..300 {
            let mut state = seed;
            let state = &mut state;
            let places = 1 + below(state, 7) as u32;
            let limit = 1 + below(state, 3) as u32;
            let count = below(state, 60) as u32;
            let edges: Vec<Edge> = (0..count)
                .map(|number| Edge {
                    number,
                    size: below(state, 20),
                    from: Some(below(state, u64::from(places) + 1) as u32)
                        .filter(|&from| from < places),
                    to: below(state, u64::from(places)) as u32,
                })
                .collect();
            let mut queue = Queue::new(limit, places as usize, edges.clone());
            let mut naive = Naive {
                limit: limit as usize,
                pending: vec![true; edges.len()],
                edges,
                under_way: Vec::new(),
            };
            for _ in 0..400 {
                if below(state, 2) == 0 {
                    assert_eq!(queue.start(), naive.start(), "seed {seed}");
                } else if !naive.under_way.is_empty() {
                    let at = below(state, naive.under_way.len() as u64) as usize;
                    let number = naive.under_way.swap_remove(at);
                    let again = below(state, 3) == 0;
                    naive.pending[number as usize] = again;
                    queue.end(naive.edges[number as usize], again);
                }
            }
        }
    }
}
