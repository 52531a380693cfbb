//! Who owns each slot while no node is capped: the winner of the rendezvous for the slot's number.
//!
//! A change asks each slot once: does its owner stay, and does one that gained beat it? Only the slots of those that left or
//! lost weight are put to the whole field. So a change of one node costs about two scores a slot, and moves what it must.

use super::owners::Owners;
use crate::hash::Token;
use crate::nodes::Planned;
use crate::rendezvous::field::Field;
use crate::rendezvous::roster::Roster;
use crate::rendezvous::score::Folded;
use alloc::{vec, vec::Vec};

/// The token of a slot: its number.
#[inline]
pub(super) fn token(slot: usize) -> Folded {
    Folded::token(Token::new(slot as u64))
}

/// What a change means to those who owned slots, and who may take some from them.
#[derive(Debug)]
pub(super) struct Change {
    /// By rank before: the rank now, if its claims are as strong as they were, or stronger.
    stays: Vec<Option<u32>>,
    /// Ranks now whose claims grew: newcomers, returned, raised.
    gains: Vec<u32>,
}

impl Change {
    pub(super) fn new<'a>(
        before: &Roster,
        planned: impl Iterator<Item = Planned<'a>>,
        after: &Roster,
    ) -> Self {
        let mut stays = vec![None; before.len()];
        let mut gains = Vec::new();
        for (rank, planned) in planned.enumerate() {
            let now = after.weight(rank);
            let was = planned.before.map_or(0, |rank| before.weight(rank));
            if now > was {
                gains.push(rank as u32);
            }
            if let Some(before) = planned.before.filter(|_| now >= was) {
                stays[before] = Some(rank as u32);
            }
        }
        Change { stays, gains }
    }

    /// The winner of each slot after the change.
    pub(super) fn winners(
        &self,
        before: &Owners,
        slots: usize,
        roster: &Roster,
        field: &Field,
    ) -> Owners {
        let gainers = Field::of(self.gains.iter().map(|&rank| roster.seat(rank)));
        Owners::of(slots, roster.len(), |slot| {
            let token = token(slot);
            let owner = before
                .get(slot)
                .and_then(|owner| self.stays[owner as usize]);
            match (owner, gainers.best(token)) {
                (Some(owner), Some(claim)) if claim.beats(&roster.seat(owner).claim(token)) => {
                    claim.rank
                }
                (Some(owner), _) => owner,
                (None, _) => {
                    field
                        .best(token)
                        .expect("a field without nodes has no slots")
                        .rank
                }
            }
        })
    }
}
