//! Finds the owner of each slot if no node is capped: the winner of the rendezvous for the slot's
//! number.
//!
//! A change checks each slot once: whether its owner stays, and whether a node that gained beats
//! it. Only the slots of nodes that left or lost weight are compared with all nodes. So a change of
//! one node costs about two scores for each slot, and moves only what it must.

use super::owners::Owners;
use crate::hash::Token;
use crate::nodes::Planned;
use crate::rendezvous::field::{Claim, Field, Seat};
use crate::rendezvous::roster::Roster;
use crate::rendezvous::score::Folded;
use alloc::{vec, vec::Vec};

/// Returns the token of a slot: its number.
#[inline]
pub(super) fn token(slot: usize) -> Folded {
    Folded::token(Token::new(slot as u64))
}

/// What a change means for the owners of slots, and which nodes may take some from them.
#[derive(Debug)]
pub(super) struct Change {
    /// By rank before the change: the seat after it, if its claims are at least as strong as
    /// before.
    stays: Vec<Option<Seat>>,
    /// Ranks after the change whose claims grew: nodes that were added, restored or given more
    /// weight.
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
                stays[before] = Some(after.seat(rank as u32));
            }
        }
        Change { stays, gains }
    }

    /// Returns the winner of each slot after the change.
    pub(super) fn winners(
        &self,
        before: &Owners,
        slots: usize,
        roster: &Roster,
        field: &Field,
    ) -> Owners {
        if field.len() == 0 {
            return Owners::none();
        }
        if before.len() == 0 {
            return Owners::of(slots, roster.len(), |slot| best_of(field, token(slot)).rank);
        }
        // Three loops instead of one: a change of one node, by far the most frequent, takes a third
        // of the time of the last loop.
        match *self.gains {
            [] => self.contested(before, roster.len(), field, |_| None),
            [rank] => {
                let seat = roster.seat(rank);
                self.contested(before, roster.len(), field, |token| Some(seat.claim(token)))
            }
            _ => {
                let gainers = Field::of(self.gains.iter().map(|&rank| roster.seat(rank)));
                self.contested(before, roster.len(), field, |token| gainers.best(token))
            }
        }
    }

    /// Returns each slot's owner, or its `challenger` if that claims more.
    #[inline]
    fn contested(
        &self,
        before: &Owners,
        members: usize,
        field: &Field,
        challenger: impl Fn(Folded) -> Option<Claim>,
    ) -> Owners {
        before.map(members, |slot, owner| {
            let token = token(slot);
            let Some(owner) = self.stays[owner as usize] else {
                return best_of(field, token).rank;
            };
            match challenger(token) {
                Some(claim) if claim.beats(&owner.claim(token)) => claim.rank,
                _ => owner.rank,
            }
        })
    }
}

fn best_of(field: &Field, token: Folded) -> Claim {
    field
        .best(token)
        .expect("slots have owners only where nodes compete")
}
