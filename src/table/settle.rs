//! Who owns each slot where nodes are capped: deferred acceptance (Gale and Shapley 1962) between slots and nodes.
//!
//! Slots propose to nodes in their order of preference; a node that is full keeps those slots for which its score is greatest and
//! sends the others on. Both sides rank by one and the same order of all (slot, node) pairs: by claim. The best pair of all is in
//! every stable assignment, then the best of what is left, and so on: so there is only one, whatever the history, and whatever the
//! order in which slots propose.
//!
//! Proposals start from the winners without caps, since those would come first anyway. A slot that is sent on goes straight to the
//! best node that would take it: a full node's worst score only grows, so those passed over would refuse it to the end.
//!
//! Slots that are sent on go in order of the score that was refused, greatest first. The outcome is
//! the same in any order, the work is not. If all nodes have one hash, they agree on the order of
//! the slots. Each then takes those that it keeps, and each slot is sent on once, whereas in any
//! other order it is sent from node to node.

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

/// Slots that were sent on, each after the score that was refused.
type Refused = BinaryHeap<(u64, u32)>;

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
    fn fill(&mut self, roster: &Roster, refused: &mut Refused) {
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
            refused.extend(beyond.iter().map(|&Reverse(sent)| sent));
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
    fn take(&mut self, score: u64, slot: u32, roster: &Roster, refused: &mut Refused) {
        match &mut self.held {
            Held::Room(slots) => {
                slots.push(slot);
                self.fill(roster, refused);
            }
            Held::Full(heap) => {
                heap.push(Reverse((score, slot)));
                refused.extend(heap.pop().map(|Reverse(sent)| sent));
            }
        }
    }
}

/// The stable assignment. `winners` are the owners without caps.
///
/// # Performance
///
/// O(M log M) for M slots, and O(N) each time that a slot is sent on. At 100 nodes and 65,536 slots
/// about 1,600 slots are if the cap leaves no room at all, and 600 with 2 % of room. If all nodes
/// share one hash, each slot is sent on once, so the whole is O(M·N). With a few hashes and very
/// unequal weights 400 nodes send a slot on up to 4 times.
pub(super) fn settled(winners: &Owners, roster: &Roster, load_factor: u64) -> Owners {
    settled_counting(winners, roster, load_factor).0
}

/// The stable assignment, and how often slots were sent on.
fn settled_counting(winners: &Owners, roster: &Roster, load_factor: u64) -> (Owners, usize) {
    let capacities = capacities(roster, winners.len(), load_factor);
    let mut held: Vec<Vec<u32>> = vec![Vec::new(); roster.len()];
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
    let mut refused = Refused::new();
    for (rank, slots) in (0..).zip(&held) {
        let seat = roster.seat(rank);
        let score = |slot: u32| seat.claim(token(slot as usize)).score;
        refused.extend(slots.iter().map(|&slot| (score(slot), slot)));
    }
    for holder in &mut holders {
        holder.fill(roster, &mut refused);
    }
    let mut floors: Vec<u64> = holders.iter().map(Holder::floor).collect();
    let mut settled = winners.clone();
    let mut sent = 0;
    while let Some((_, slot)) = refused.pop() {
        sent += 1;
        let (claim, place) = field
            .best_above(token(slot as usize), &floors)
            .expect("the capacities sum to the number of slots or more");
        settled.set(slot as usize, claim.rank);
        let holder = &mut holders[place];
        holder.take(claim.score, slot, roster, &mut refused);
        floors[place] = holder.floor();
    }
    (settled, sent)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::SlotTable;
    use crate::hash::{KeyHasher, fmix64};
    use crate::rendezvous::field::Claim;

    /// Gives node i, as eight bytes, one of so many hashes.
    #[derive(Debug, Clone, Copy)]
    struct Few(u64);

    impl KeyHasher for Few {
        fn hash_bytes(&self, bytes: &[u8]) -> u64 {
            match bytes.get(4..).and_then(|id| <[u8; 8]>::try_from(id).ok()) {
                Some(id) => fmix64(1 + u64::from_le_bytes(id) % self.0),
                None => bytes.len() as u64,
            }
        }
    }

    fn table(hashes: u64, slots: usize, cap: f64, weights: &[u32]) -> SlotTable<u64, Few> {
        let builder = SlotTable::builder().slots(slots).load_factor(cap);
        let nodes = (0..).zip(weights.iter().copied());
        builder.hasher(Few(hashes)).from_weighted(nodes).unwrap()
    }

    /// How often slots were sent on to fill the table.
    fn sent(table: &SlotTable<u64, Few>) -> usize {
        let winners = table.winners.as_ref().unwrap();
        settled_counting(winners, &table.roster, table.config.load_factor.unwrap()).1
    }

    /// Weights of one kind for each number.
    fn weights(kind: u64, count: u64) -> Vec<u32> {
        let weight = |i: u64| match kind % 6 {
            0 => 1,
            1 => 1000 + i as u32,
            2 => 1 << (i / 7 % 8),
            3 => 1 + (fmix64(i) % 100) as u32,
            4 => 1 << (fmix64(i) % 31),
            _ => (4e9 / (1.0 + i as f64)) as u32,
        };
        (0..count).map(weight).collect()
    }

    /// The best pair of all that are left, again and again.
    fn greedy(table: &SlotTable<u64, Few>) -> Vec<u32> {
        let (roster, slots) = (&table.roster, table.config.slot_count());
        let mut room = capacities(roster, slots, table.config.load_factor.unwrap());
        let mut pairs: Vec<(Claim, usize)> = (0..slots)
            .flat_map(|slot| {
                let seats = roster.eligible();
                seats.map(move |seat| (seat.claim(token(slot)), slot))
            })
            .collect();
        pairs.sort_unstable();
        let mut owners = vec![u32::MAX; slots];
        for (claim, slot) in pairs {
            if owners[slot] == u32::MAX && room[claim.rank as usize] > 0 {
                room[claim.rank as usize] -= 1;
                owners[slot] = claim.rank;
            }
        }
        owners
    }

    #[test]
    fn whatever_collides_the_outcome_is_that_of_the_greedy_definition() {
        for (case, hashes) in [1, 2, 3, 5, 10, 29, u64::MAX].into_iter().enumerate() {
            for kind in 0..6 {
                for (slots, nodes, cap) in [(256, 30, 1.0), (64, 100, 1.0), (128, 7, 1.3)] {
                    let mut table = table(hashes, slots, cap, &weights(kind, nodes));
                    let expected = greedy(&table);
                    let owners: Vec<u32> = table.owners.iter().collect();
                    assert_eq!(owners, expected, "{hashes} hashes, weights {kind}");
                    table.drain(&(case as u64)).unwrap();
                    let owners: Vec<u32> = table.owners.iter().collect();
                    assert_eq!(owners, greedy(&table), "{hashes} hashes, weights {kind}");
                }
            }
        }
    }

    #[test]
    fn identities_that_share_a_hash_send_each_slot_on_once() {
        for (slots, nodes) in [(1 << 12, 100), (1 << 10, 30), (1 << 11, 400), (1 << 8, 400)] {
            for kind in [0, 1, 3] {
                let table = table(1, slots, 1.0, &weights(kind, nodes));
                let sent = sent(&table);
                assert!(sent <= slots, "{sent} times for {slots} slots of {nodes}");
                assert!(sent > slots / 2);
            }
        }
    }

    #[test]
    fn identities_of_few_hashes_send_slots_on_a_few_times() {
        for (hashes, slots, nodes) in [
            (2, 1 << 11, 100),
            (2, 1 << 11, 400),
            (3, 1 << 12, 150),
            (7, 1 << 10, 200),
            (40, 1 << 11, 200),
            (u64::MAX, 1 << 11, 100),
        ] {
            for kind in 0..6 {
                let table = table(hashes, slots, 1.0, &weights(kind, nodes));
                let sent = sent(&table);
                assert!(
                    sent <= 4 * slots,
                    "{sent} times for {slots} slots of {nodes}"
                );
            }
        }
    }
}
