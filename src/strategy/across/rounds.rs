//! [`Rounds`]: the order over zones, found step by step.

use super::waiting::Waiting;
use super::zones::Zones;
use alloc::vec::Vec;

/// Takes nodes in order of preference and gives them out by rank: all first nodes of their zones,
/// then all second ones, and so on, each rank in order of preference.
///
/// A node is given out as soon as its place is certain. The first nodes are certain when they are
/// met. The nodes of the next rank are certain when every zone that has a node of this rank has
/// shown it, which only [`Zones`] can tell before the end.
#[derive(Debug)]
pub(super) struct Rounds<T, Z> {
    zones: Met<Z>,
    /// Nodes whose round has not begun.
    waiting: Waiting<T>,
    /// The rank that is given out.
    round: usize,
    /// Zones that have shown their node of this rank.
    shown: usize,
}

impl<T: Copy, Z: PartialEq> Rounds<T, Z> {
    pub(super) fn new() -> Self {
        Rounds {
            zones: Met::new(),
            waiting: Waiting::new(),
            round: 0,
            shown: 0,
        }
    }

    /// Returns the number of zones met.
    pub(super) fn zones(&self) -> usize {
        self.zones.iter().count()
    }

    /// Returns `true` if the round of more than about `count` nodes has not begun.
    #[inline]
    pub(super) fn keep_waiting(&self, count: usize) -> bool {
        self.waiting.exceeds(count)
    }

    pub(super) fn has_met(&self, zone: &Z) -> bool {
        self.zones.iter().any(|(met, _)| met == zone)
    }

    /// Takes the next node in order of preference. Returns the node that `accept` took.
    #[inline]
    pub(super) fn meet(
        &mut self,
        node: T,
        zone: Z,
        zones: Option<&Zones>,
        accept: &mut dyn FnMut(T) -> bool,
    ) -> Option<T> {
        let rank = self.zones.rank_of_next(zone);
        if rank > self.round {
            self.waiting.push(rank, node);
            return None;
        }
        self.shown += 1;
        if accept(node) {
            return Some(node);
        }
        self.go_on(zones, accept)
    }

    /// Returns `true` if the first nodes are given out and all zones but one have shown theirs.
    #[inline]
    pub(super) fn misses_one_zone(&self, zones: &Zones) -> bool {
        self.round == 0 && zones.with_rank(0) == Some(self.shown + 1)
    }

    /// Notes that one zone has no node of this rank, although [`Zones`] counted one.
    pub(super) fn give_up_one(&mut self) {
        self.shown += 1;
    }

    /// Gives out all whose place is certain. Returns the node that `accept` took.
    #[inline]
    pub(super) fn go_on(
        &mut self,
        zones: Option<&Zones>,
        accept: &mut dyn FnMut(T) -> bool,
    ) -> Option<T> {
        let zones = zones?;
        while zones
            .with_rank(self.round)
            .is_some_and(|all| self.shown >= all)
        {
            self.round += 1;
            self.shown = 0;
            while let Some(node) = self.waiting.take(self.round) {
                self.shown += 1;
                if accept(node) {
                    return Some(node);
                }
            }
        }
        None
    }

    /// Gives out the rest, once every node has been met.
    pub(super) fn finish(&self, accept: &mut dyn FnMut(T) -> bool) -> Option<T> {
        self.waiting.rest().into_iter().find(|&node| accept(node))
    }
}

/// The zones met, each with the number of its nodes met. The first few are in place: a heap for
/// them would cost as much as a copy does.
#[derive(Debug)]
struct Met<Z> {
    few: [Option<(Z, usize)>; FEW],
    more: Vec<(Z, usize)>,
}

const FEW: usize = 4;

impl<Z: PartialEq> Met<Z> {
    fn new() -> Self {
        Met {
            few: [const { None }; FEW],
            more: Vec::new(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &(Z, usize)> {
        self.few.iter().flatten().chain(&self.more)
    }

    /// Counts a node of this zone. Returns how many were met before.
    #[inline]
    fn rank_of_next(&mut self, zone: Z) -> usize {
        for place in &mut self.few {
            match place {
                Some((met, _)) if *met != zone => {}
                Some((_, count)) => {
                    *count += 1;
                    return *count - 1;
                }
                None => {
                    *place = Some((zone, 1));
                    return 0;
                }
            }
        }
        match self.more.iter_mut().find(|(met, _)| *met == zone) {
            Some((_, count)) => {
                *count += 1;
                *count - 1
            }
            None => {
                self.more.push((zone, 1));
                0
            }
        }
    }
}
