//! [`Waiting`]: nodes that were met before their turn.

use alloc::vec::Vec;

/// Nodes that need no heap. A heap for them would cost as much as a copy does.
const FIRST: usize = 8;

/// Nodes with their ranks, given out in order of rank and, within a rank, in the order in which
/// they came.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    /// The first nodes, in the order in which they were added.
    first: [Option<(usize, T)>; FIRST],
    came: usize,
    /// The nodes that were added later, in order of rank.
    later: Vec<(usize, T)>,
    /// How many of `later` have been given out.
    given: usize,
}

impl<T: Copy> Waiting<T> {
    pub(super) fn new() -> Self {
        Waiting {
            first: [None; FIRST],
            came: 0,
            later: Vec::new(),
            given: 0,
        }
    }

    /// Returns `true` if more than about so many nodes wait.
    #[inline]
    pub(super) fn exceeds(&self, count: usize) -> bool {
        self.later.len() - self.given > count
    }

    #[inline]
    pub(super) fn push(&mut self, rank: usize, node: T) {
        if let Some(place) = self.first.get_mut(self.came) {
            *place = Some((rank, node));
            self.came += 1;
        } else {
            self.push_later(rank, node);
        }
    }

    fn push_later(&mut self, rank: usize, node: T) {
        // Most often at the end: zones of one size show their nodes at one pace.
        let waiting = &self.later[self.given..];
        let place = waiting.partition_point(|&(other, _)| other <= rank);
        self.later.insert(self.given + place, (rank, node));
    }

    /// Takes out the first node of this rank. None of a lower rank may be left.
    #[inline]
    pub(super) fn take(&mut self, rank: usize) -> Option<T> {
        for place in &mut self.first[..self.came] {
            if place.is_some_and(|(its_rank, _)| its_rank <= rank) {
                return place.take().map(|(_, node)| node);
            }
        }
        let &(its_rank, node) = self.later.get(self.given)?;
        (its_rank <= rank).then(|| {
            self.given += 1;
            node
        })
    }

    /// All that are left, in order.
    pub(super) fn rest(&self) -> Vec<T> {
        let first = self.first.iter().flatten();
        let mut rest: Vec<_> = first.chain(&self.later[self.given..]).collect();
        rest.sort_by_key(|&&(rank, _)| rank);
        rest.into_iter().map(|&(_, node)| node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_out_by_rank_then_by_arrival() {
        let mut waiting = Waiting::new();
        for node in 0..40 {
            waiting.push(node * 7 % 5 + 1, node);
        }
        let of = |rank| (0..40).filter(move |node| node * 7 % 5 + 1 == rank);
        for rank in 1..4 {
            let given = core::iter::from_fn(|| waiting.take(rank));
            assert!(given.eq(of(rank)));
        }
        assert_eq!(waiting.rest(), of(4).chain(of(5)).collect::<Vec<_>>());
    }
}
