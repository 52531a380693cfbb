//! Who owns each slot where nodes are capped: deferred acceptance (Gale and Shapley 1962) between slots and nodes.
//!
//! Slots propose to nodes in their order of preference; a node that is full keeps those slots for which its score is greatest and
//! sends the others on. Both sides rank by one and the same order of all (slot, node) pairs: by claim. The best pair of all is in
//! every stable assignment, then the best of what is left, and so on: so there is only one, whatever the history, and whatever the
//! order in which slots propose.
//!
//! Proposals start from the winners without caps, since those would come first anyway. A slot that is sent on goes straight to the
//! best node that would take it: a full node's worst score only grows, so those passed over would refuse it to the end.

use super::first::token;
use super::owners::Owners;
use crate::rendezvous::field::Field;
use crate::rendezvous::roster::Roster;
use alloc::{collections::BinaryHeap, vec, vec::Vec};
use core::cmp::Reverse;
use core::mem;

/// A load factor in units of 2⁻³².
pub(super) const ONE: u64 = 1 << 32;

/// How many slots each member may hold, by rank: its part of ⌈c·M⌉ slots by weight, c·M·w/W, rounded down or up, so that they sum
/// to ⌈c·M⌉. Up where most is cut off (largest remainder), among equals in order of rank.
pub(super) fn capacities(roster: &Roster, slots: usize, load_factor: u64) -> Vec<usize> {
    let ranks = 0..roster.len();
    let total: u128 = ranks.clone().map(|r| u128::from(roster.weight(r))).sum();
    if total == 0 {
        return vec![0; roster.len()];
    }
    // At most 2⁶⁴ · 2²⁸ for all, 2³² times that for one weight, over 2³² · 2⁶⁴.
    let room = u128::from(load_factor) * slots as u128;
    let whole = total * u128::from(ONE);
    let part = |rank: usize| room * u128::from(roster.weight(rank));
    let mut capacities: Vec<u128> = ranks.clone().map(|rank| part(rank) / whole).collect();
    let up = room.div_ceil(u128::from(ONE)) - capacities.iter().sum::<u128>();
    let mut cut: Vec<(Reverse<u128>, usize)> =
        ranks.map(|r| (Reverse(part(r) % whole), r)).collect();
    cut.sort_unstable();
    for &(_, rank) in cut.iter().take(up as usize) {
        capacities[rank] += 1;
    }
    let all = slots as u128;
    capacities
        .into_iter()
        .map(|capacity| capacity.min(all) as usize)
        .collect()
}

/// A node and the slots it holds for now.
struct Holder {
    rank: u32,
    capacity: usize,
    held: Held,
}

enum Held {
    /// Fewer than the capacity: nobody is refused.
    Room(Vec<u32>),
    /// As many as the capacity, the least score on top.
    Full(BinaryHeap<Reverse<(u64, u32)>>),
}

impl Holder {
    /// Once there are as many slots as the capacity or more: orders them, passes those beyond it to `refused`.
    fn fill(&mut self, roster: &Roster, refused: &mut Vec<u32>) {
        let Held::Room(slots) = &self.held else {
            return;
        };
        if slots.len() < self.capacity {
            return;
        }
        let seat = roster.seat(self.rank);
        let scored = slots.iter().map(|&slot| {
            let claim = seat.claim(token(slot as usize));
            Reverse((claim.score, slot))
        });
        let mut scored: Vec<_> = scored.collect();
        if scored.len() > self.capacity {
            let (_, _, beyond) = scored.select_nth_unstable(self.capacity - 1);
            refused.extend(beyond.iter().map(|&Reverse((_, slot))| slot));
            scored.truncate(self.capacity);
        }
        self.held = Held::Full(scored.into());
    }

    /// The score from which another slot is taken. No two slots have one score with a node.
    fn floor(&self) -> u64 {
        match &self.held {
            Held::Room(_) => 0,
            Held::Full(heap) => heap.peek().map_or(u64::MAX, |&Reverse((score, _))| score),
        }
    }

    /// Takes `slot`, and passes the one that has to go, if it is full, to `refused`.
    fn take(&mut self, score: u64, slot: u32, roster: &Roster, refused: &mut Vec<u32>) {
        match &mut self.held {
            Held::Room(slots) => {
                slots.push(slot);
                self.fill(roster, refused);
            }
            Held::Full(heap) => {
                heap.push(Reverse((score, slot)));
                refused.extend(heap.pop().map(|Reverse((_, slot))| slot));
            }
        }
    }
}

/// The stable assignment. `winners` are the owners without caps.
///
/// # Complexity
/// O(M) for M slots, and O(N) for each slot that is sent on: at 100 nodes and 65,536 slots about 1,600 of them where the cap leaves no room
/// at all, 600 with 2 % of room.
pub(super) fn settled(winners: &Owners, roster: &Roster, load_factor: u64) -> Owners {
    let capacities = capacities(roster, winners.len(), load_factor);
    let mut held = vec![Vec::new(); roster.len()];
    for (slot, rank) in winners.iter().enumerate() {
        held[rank as usize].push(slot as u32);
    }
    let capable = |rank: u32| capacities[rank as usize] > 0;
    let field = Field::of(roster.eligible().filter(|seat| capable(seat.rank)));
    let holders = field.ranks().iter().map(|&rank| Holder {
        rank,
        capacity: capacities[rank as usize],
        held: Held::Room(mem::take(&mut held[rank as usize])),
    });
    let mut holders: Vec<Holder> = holders.collect();
    // What is left was won by nodes without capacity.
    let mut refused: Vec<u32> = held.into_iter().flatten().collect();
    for holder in &mut holders {
        holder.fill(roster, &mut refused);
    }
    let mut floors: Vec<u64> = holders.iter().map(Holder::floor).collect();
    let mut settled = winners.clone();
    while let Some(slot) = refused.pop() {
        let (claim, place) = field
            .best_above(token(slot as usize), &floors)
            .expect("the capacities sum to the number of slots or more");
        settled.set(slot as usize, claim.rank);
        let holder = &mut holders[place];
        holder.take(claim.score, slot, roster, &mut refused);
        floors[place] = holder.floor();
    }
    settled
}
