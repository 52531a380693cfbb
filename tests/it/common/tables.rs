//! Slot tables of random sets of nodes, and what differs between two.

use super::random::Rng;
use clockwise::{Migration, SlotTable, Token};
use std::collections::BTreeMap;

/// Names and weights.
pub type Weighted = BTreeMap<String, u32>;

pub fn names(set: usize, n: usize) -> impl Iterator<Item = String> {
    (0..n).map(move |i| format!("cache-{i}.set-{set}.example.org"))
}

pub fn random_set(random: &mut Rng, nodes: usize, weights: usize) -> Weighted {
    let set = random.below(1 << 20);
    names(set, 1 + random.below(nodes))
        .map(|name| (name, 1 + random.below(weights) as u32))
        .collect()
}

pub fn empty(slots: usize, max_load: Option<f64>) -> SlotTable<String> {
    let builder = SlotTable::builder().slots(slots);
    let builder = match max_load {
        Some(c) => builder.load_factor(c),
        None => builder,
    };
    builder.build().unwrap()
}

pub fn of(set: &Weighted, slots: usize, max_load: Option<f64>) -> SlotTable<String> {
    let mut table = empty(slots, max_load);
    table
        .extend_weighted(set.iter().map(|(name, &weight)| (name.clone(), weight)))
        .unwrap();
    table
}

pub fn equal(set: usize, n: usize, slots: usize, max_load: Option<f64>) -> SlotTable<String> {
    of(
        &names(set, n).map(|name| (name, 1)).collect(),
        slots,
        max_load,
    )
}

/// How many slots move: exactly, so it is a whole number of them.
pub fn moved(migration: &Migration<'_, String>, slots: usize) -> usize {
    let slot = (1u128 << 64) / slots as u128;
    assert_eq!(migration.measure() % slot, 0);
    (migration.measure() / slot) as usize
}

/// Slots of each member, in order of identity.
pub fn counts(table: &SlotTable<String>) -> Vec<usize> {
    let mut counts = vec![0; table.len()];
    for rank in table.to_array() {
        counts[rank as usize] += 1;
    }
    counts
}

/// A random membership change by name; the set follows.
pub fn change(random: &mut Rng, table: &mut SlotTable<String>, set: &mut Weighted, i: usize) {
    let any = set.keys().nth(random.below(set.len())).unwrap().clone();
    let weight = 1 + random.below(9) as u32;
    match random.below(6) {
        0 | 1 => {
            set.insert(format!("new-{i}"), weight);
            table.insert_weighted(format!("new-{i}"), weight).unwrap();
        }
        2 if set.len() > 1 => {
            set.remove(&any);
            table.remove(&any).unwrap();
        }
        3 => {
            set.insert(any.clone(), weight);
            table.set_weight(&any, weight).unwrap();
        }
        4 => {
            table.drain(&any).unwrap();
            table.insert(format!("gone-{i}")).unwrap();
            table.undrain(&any).unwrap();
            table.remove(&format!("gone-{i}")).unwrap();
        }
        _ => {
            // Several at once: one leaves, one comes, one changes.
            let mut wanted = set.clone();
            wanted.remove(&any);
            wanted.insert(format!("batch-{i}"), weight);
            wanted.insert(any.clone() + "-heir", 10 - weight);
            let all: Vec<_> = wanted.iter().map(|(n, &w)| (n.clone(), w)).collect();
            assert_eq!(table.set_nodes(all).unwrap().added(), 2);
            *set = wanted;
        }
    }
}

/// What a diff must be: for every slot, from its first token to its last, the old and the new owner
/// where they differ.
pub fn is_the_difference(
    diff: &Migration<'_, String>,
    old: &SlotTable<String>,
    new: &SlotTable<String>,
) {
    let slots = old.slot_count();
    let (width, mut count) = ((1u128 << 64) / slots as u128, 0);
    for slot in 0..slots {
        let (from, to) = (old.owner_of(slot), new.owner_of(slot));
        let first = Token::new((slot as u128 * width) as u64);
        let last = Token::new((slot as u128 * width + (width - 1)) as u64);
        for token in [first, last] {
            let found = diff.of(token).map(|m| (m.from, m.to));
            assert_eq!(found, (from != to).then_some((from, to)), "{slot}");
        }
        count += usize::from(from != to);
    }
    assert_eq!(moved(diff, slots), count);
    // Ascending, and merged where neighbours agree.
    let moves: Vec<_> = diff.moves().collect();
    for pair in moves.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let touch = a.range.last().get() + 1 == b.range.first().get();
        assert!(a.range.last() < b.range.first() && !(touch && (a.from, a.to) == (b.from, b.to)));
    }
}
