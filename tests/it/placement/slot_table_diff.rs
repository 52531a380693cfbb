//! What moves between two slot tables: every slot against its owners before and after.

use crate::common::random::Rng;
use crate::common::scaled;
use crate::common::tables::{
    change, empty, equal, is_the_difference, moved, names, of, random_set,
};
use clockwise::{KeyHasher, SlotTable, Strategy, Token, Xxh3, error::DiffError};

#[test]
fn the_diff_of_any_two_tables_is_what_differs() {
    let mut random = Rng::new(8);
    for case in 0..scaled(10, 60, 1000) {
        let slots = 1 << random.below(12);
        let caps = [None, Some(1.0), Some(1.1)];
        let mut table = |case: usize| {
            let set = random_set(&mut Rng::new(case as u64 / 7), 1 + random.below(20), 5);
            let mut table = of(&set, slots, caps[random.below(3)]);
            for name in set.keys() {
                if random.below(5) == 0 {
                    table.drain(name).unwrap();
                }
            }
            table
        };
        let (old, new) = (table(case), table(case));
        is_the_difference(&old.diff(&new).unwrap(), &old, &new);
    }
}

/// Applied to a table of owners, in the order of a plan, the moves give the new owners.
#[test]
fn a_plan_of_slots_gives_the_new_owners() {
    let old = equal(9, 20, 1 << 10, Some(1.02));
    let mut new = old.clone();
    new.remove(&names(9, 1).next().unwrap()).unwrap();
    new.insert("newcomer".into()).unwrap();
    let diff = old.diff(&new).unwrap();
    let mut plan = diff.plan(2).unwrap();
    let owner = |slot| old.owner_of(slot).cloned();
    let mut owners: Vec<Option<String>> = (0..1 << 10).map(owner).collect();
    let mut done = 0;
    while let Some(m) = plan.start() {
        for owner in &mut owners[old.slot_of(m.range.first())..=old.slot_of(m.range.last())] {
            assert_eq!(*owner, m.from);
            owner.clone_from(&m.to);
            done += 1;
        }
        assert!(plan.complete(&m));
    }
    assert_eq!(done, moved(&diff, 1 << 10));
    assert!((0..1 << 10).all(|slot| owners[slot].as_ref() == new.owner_of(slot)));
}

fn zone(name: &str) -> u32 {
    name.bytes().map(u32::from).sum::<u32>() % 3
}

/// The first `n` of a token's order of preference, and the first `n` over zones: by their depth
/// within their zone.
fn sets(table: &SlotTable<String>, token: Token, n: usize) -> [Vec<String>; 2] {
    let mut order = Vec::new();
    table.pick(token, &mut |node| {
        order.push(node.clone());
        false
    });
    let mut met = [0; 3];
    let depth = |name: &String| {
        met[zone(name) as usize] += 1;
        met[zone(name) as usize]
    };
    let depths: Vec<usize> = order.iter().map(depth).collect();
    let mut places: Vec<usize> = (0..order.len()).collect();
    places.sort_by_key(|&place| depths[place]);
    let zoned = places.iter().take(n).map(|&place| order[place].clone());
    [order.iter().take(n).cloned().collect(), zoned.collect()]
}

/// The most members of any slot's set that are replaced, plain or over zones, after every move was
/// checked against both sets.
fn most_replaced(old: &SlotTable<String>, new: &SlotTable<String>, n: usize) -> usize {
    let migrations = [
        old.diff_replicas(new, n).unwrap(),
        old.diff_replicas_across(new, n, |name| zone(name)).unwrap(),
    ];
    let width = (1u128 << 64) / old.slot_count() as u128;
    let mut most = 0;
    for slot in 0..old.slot_count() as u128 {
        let token = Token::new((slot * width) as u64);
        let both = sets(old, token, n).into_iter().zip(sets(new, token, n));
        for (migration, (mut set, mut wanted)) in migrations.iter().zip(both) {
            let moves = migration.all_of(token);
            most = most.max(moves.len());
            for m in moves {
                set.retain(|name| Some(name) != m.from);
                set.extend(m.to.cloned());
            }
            set.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(set, wanted, "slot {slot}");
        }
    }
    most
}

#[test]
fn moves_of_replicas_make_the_new_sets_of_the_old_ones() {
    let mut random = Rng::new(10);
    for case in 0..scaled(5, 25, 300) {
        let cap = [None, Some(1.0)][case % 2];
        let n = 1 + random.below(4);
        let mut set = random_set(&mut random, 12, 3);
        let old = of(&set, 64, cap);
        let mut new = old.clone();
        for i in 0..3 {
            change(&mut random, &mut new, &mut set, i);
            most_replaced(&old, &new, n);
        }
    }
}

#[test]
fn another_number_of_replicas_moves_what_the_sets_say() {
    let mut random = Rng::new(12);
    for case in 0..scaled(5, 25, 300) {
        let cap = [None, Some(1.0)][case % 2];
        let mut set = random_set(&mut random, 12, 3);
        let old = of(&set, 64, cap);
        let mut new = old.clone();
        change(&mut random, &mut new, &mut set, case);
        let (old_n, new_n) = (random.below(5), random.below(5));
        let migration = old.diff_replicas_between(&new, old_n, new_n).unwrap();
        for slot in 0..64u64 {
            let token = Token::new(slot << 58);
            let [mut set, _] = sets(&old, token, old_n);
            let [mut wanted, _] = sets(&new, token, new_n);
            for m in migration.all_of(token) {
                set.retain(|name| Some(name) != m.from);
                set.extend(m.to.cloned());
            }
            set.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(set, wanted, "slot {slot}");
        }
    }
}

/// Without a cap, which may also move an owner.
#[test]
fn one_event_replaces_at_most_one_member_of_any_set() {
    let mut random = Rng::new(11);
    for _ in 0..scaled(5, 25, 300) {
        let n = 1 + random.below(4);
        let old = of(&random_set(&mut random, 12, 3), 64, None);
        let any = old.nodes().nth(random.below(old.len())).unwrap().clone();
        let (mut without, mut heavier, mut drained) = (old.clone(), old.clone(), old.clone());
        without.remove(&any).unwrap();
        heavier.set_weight(&any, 9).unwrap();
        drained.drain(&any).unwrap();
        for new in [&without, &heavier, &drained] {
            assert!(most_replaced(&old, new, n) <= 1);
            assert!(most_replaced(new, &old, n) <= 1);
        }
    }
}

#[test]
fn tables_that_differ_in_kind_have_no_diff() {
    let a = equal(0, 3, 64, None);
    assert!(a.diff(&a).unwrap().is_empty());
    assert!(a.diff(&equal(0, 3, 64, Some(1.0))).is_ok());
    let other = a.diff(&equal(0, 3, 128, None)).unwrap_err();
    assert!(
        matches!(
            other,
            DiffError::SlotCountMismatch {
                old: 64,
                new: 128,
                ..
            }
        ),
        "{other}"
    );
    let seeded = |seed| SlotTable::<u8, _>::with_hasher(Xxh3::with_seed(seed));
    let other = seeded(1).diff(&seeded(2)).unwrap_err();
    assert!(matches!(other, DiffError::HasherMismatch { .. }), "{other}");
    let boxed: Box<dyn KeyHasher> = Box::new(Xxh3::with_seed(1));
    assert!(seeded(1).diff(&SlotTable::with_hasher(boxed)).is_ok());
    // To and from nothing: every slot.
    let nothing = empty(64, None);
    let (gone, come) = (a.diff(&nothing).unwrap(), nothing.diff(&a).unwrap());
    assert_eq!((moved(&gone, 64), moved(&come, 64)), (64, 64));
    assert_eq!((gone.measure(), come.share()), (1 << 64, 1.0));
    assert!(gone.moves().all(|m| m.to.is_none()) && come.moves().all(|m| m.from.is_none()));
    assert!(nothing.diff(&nothing).unwrap().is_empty());
}
