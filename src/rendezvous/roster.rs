//! The hash and the weight of each member, by rank. A member is hashed once, when it is added.

use super::field::Seat;
use super::score::Folded;
use crate::hash::KeyHasher;
use crate::nodes::Planned;
use alloc::vec::Vec;

/// All members, including drained ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster(Vec<Standing>);

/// What rendezvous hashing knows of a member.
#[derive(Debug, Clone, Copy)]
struct Standing {
    node: Folded,
    weight: u32,
    drained: bool,
}

impl Roster {
    pub(crate) const fn new() -> Self {
        Roster(Vec::new())
    }

    /// Returns the roster of the planned members. Only new members are hashed.
    pub(crate) fn changed<'a>(
        &self,
        planned: impl Iterator<Item = Planned<'a>>,
        hasher: &impl KeyHasher,
    ) -> Roster {
        let standings = planned.map(|planned| Standing {
            node: match planned.before {
                Some(rank) => self.0[rank].node,
                None => Folded::node(hasher, planned.identity),
            },
            weight: planned.weight,
            drained: planned.drained,
        });
        Roster(standings.collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the seat of this rank, drained or not.
    #[inline]
    pub(crate) fn seat(&self, rank: u32) -> Seat {
        let Standing { node, weight, .. } = self.0[rank as usize];
        Seat { node, weight, rank }
    }

    /// Returns the seats of the members that are not drained.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = Seat> {
        let drained = |seat: &Seat| self.0[seat.rank as usize].drained;
        (0..self.len() as u32)
            .map(|rank| self.seat(rank))
            .filter(move |seat| !drained(seat))
    }

    /// Returns the weight of this rank, or 0 if it is drained.
    pub(crate) fn weight(&self, rank: usize) -> u32 {
        let Standing {
            weight, drained, ..
        } = self.0[rank];
        if drained { 0 } else { weight }
    }
}
