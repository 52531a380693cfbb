//! The members as rendezvous sees them: by rank, a hash and a weight each. Hashed once, when they come.

use super::field::Seat;
use super::score::Folded;
use crate::hash::KeyHasher;
use crate::nodes::Planned;
use alloc::vec::Vec;

/// All members, drained ones too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster(Vec<Standing>);

/// A member's seat, and whether it competes.
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

    /// The roster of the planned members. Only newcomers are hashed.
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

    /// The seat of this rank, drained or not.
    #[inline]
    pub(crate) fn seat(&self, rank: u32) -> Seat {
        let Standing { node, weight, .. } = self.0[rank as usize];
        Seat { node, weight, rank }
    }

    /// The seats of those that are not drained.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = Seat> {
        let drained = |seat: &Seat| self.0[seat.rank as usize].drained;
        (0..self.len() as u32)
            .map(|rank| self.seat(rank))
            .filter(move |seat| !drained(seat))
    }

    /// The weight with which this rank competes: 0 where it is drained.
    pub(crate) fn weight(&self, rank: usize) -> u32 {
        let Standing {
            weight, drained, ..
        } = self.0[rank];
        if drained { 0 } else { weight }
    }
}
