//! Plans: the limits hold, the rounds are as few as can be, each range goes once, and a stored state is taken up again.

mod migration_support;

use clockwise::{HashRing, Migration, PlanError, Xxh3};
use migration_support::{Node, Random, count, node, random_ring};
use std::collections::HashMap;

/// The most ranges that one node gives, or takes.
fn largest_degree(migration: &Migration<'_, Node>) -> usize {
    let mut degrees = HashMap::new();
    for m in migration.moves() {
        for (side, node) in [("gives", m.from), ("takes", m.to)] {
            if let Some(node) = node {
                *degrees.entry((side, &node.name)).or_insert(0) += 1;
            }
        }
    }
    degrees.into_values().max().unwrap_or(0)
}

#[test]
fn limits_hold_each_range_goes_once_and_no_plan_has_fewer_rounds() {
    for pair in 0..count(25, 1000) as u64 {
        let mut random = Random(pair);
        let old = random_ring(&mut random, 12, Xxh3::new());
        let new = random_ring(&mut random, 12, Xxh3::new());
        let copies = 1 + random.below(3) as usize;
        let migration = old.diff_replicas(&new, copies).unwrap();
        for limit in [1, 2, 3, 7, u32::MAX] {
            let plan = migration.plan(limit).unwrap();
            let least = largest_degree(&migration).div_ceil(limit as usize);
            // Moves from nobody to nobody do not exist, so every move has an end with a limit.
            assert_eq!(plan.rounds().len(), least);
            let mut all: Vec<_> = plan.rounds().flatten().collect();
            for round in plan.rounds() {
                let mut at_once = HashMap::new();
                for m in &round {
                    *at_once
                        .entry(("gives", m.from.map(|n| &n.name)))
                        .or_insert(0u32) += 1;
                    *at_once.entry(("takes", m.to.map(|n| &n.name))).or_insert(0) += 1;
                }
                at_once.retain(|(_, node), _| node.is_some());
                assert!(at_once.values().all(|&count| count <= limit));
            }
            all.sort_by_key(|m| (m.first, m.from.map(|n| &n.name), m.to.map(|n| &n.name)));
            let mut wanted: Vec<_> = migration.moves().collect();
            wanted.sort_by_key(|m| (m.first, m.from.map(|n| &n.name), m.to.map(|n| &n.name)));
            assert_eq!(all, wanted);
        }
    }
}

#[test]
fn running_the_rounds_on_a_table_of_owners_gives_the_new_owners() {
    let (pairs, keys) = (count(40, 1000), count(300, 10_000) as u64);
    let mut moved = 0;
    for pair in 0..pairs as u64 {
        let mut random = Random(pair);
        let old = random_ring(&mut random, 12, Xxh3::new());
        let new = random_ring(&mut random, 12, Xxh3::new());
        let mut tokens: Vec<_> = (0..keys).map(|key| old.token(&key)).collect();
        tokens.sort_unstable();
        let mut owners: Vec<_> = tokens.iter().map(|&token| old.route_token(token)).collect();
        let migration = old.diff(&new).unwrap();
        let limit = 1 + random.below(4) as u32;
        for m in migration.plan(limit).unwrap().rounds().flatten() {
            let begin = tokens.partition_point(|&token| token < m.first);
            let end = tokens.partition_point(|&token| token <= m.last);
            for owner in &mut owners[begin..end] {
                assert_eq!(*owner, m.from);
                *owner = m.to;
                moved += 1;
            }
        }
        let wanted: Vec<_> = tokens.iter().map(|&token| new.route_token(token)).collect();
        // Nodes that stay are those of either ring, by identity.
        assert_eq!(owners, wanted);
    }
    println!("{pairs} pairs × {keys} keys: {moved} moved by the rounds, all to their new owners");
    assert!(moved > 0);
}

/// 1000 nodes that all change: the bound where it is hard to reach, 318,000 ranges.
#[test]
fn a_change_of_everything_reaches_the_bound() {
    let nodes = count(100, 1000) as u64;
    let ring = |start| {
        let mut ring = HashRing::builder().virtual_nodes(160).build().unwrap();
        ring.extend_weighted((start..start + nodes).map(|i| (node(i), 1)))
            .unwrap();
        ring
    };
    let (old, new) = (ring(0), ring(nodes));
    let migration = old.diff(&new).unwrap();
    for limit in [1, 4] {
        let plan = migration.plan(limit).unwrap();
        let least = largest_degree(&migration).div_ceil(limit as usize);
        println!(
            "{} moves: {} rounds of at most {limit}",
            migration.moves().len(),
            plan.rounds().len()
        );
        assert_eq!(plan.rounds().len(), least);
    }
}

#[test]
fn a_limit_of_0_is_refused_and_nothing_to_do_is_complete() {
    let ring = HashRing::from_nodes([node(1)]).unwrap();
    let migration = ring.diff(&ring).unwrap();
    assert_eq!(migration.plan(0).unwrap_err(), PlanError::ZeroLimit);
    let mut plan = migration.plan(1).unwrap();
    assert!(plan.is_complete() && plan.next_round().is_none());
    assert_eq!(plan.rounds().len(), 0);
    let stored = plan.progress();
    plan.resume(&stored).unwrap();
}

#[test]
fn what_was_complete_stays_complete_and_the_rest_goes_once() {
    let old = HashRing::from_nodes((0..8).map(node)).unwrap();
    let new = HashRing::from_nodes((3..11).map(node)).unwrap();
    let migration = old.diff(&new).unwrap();
    let mut plan = migration.plan(2).unwrap();
    let total = migration.moves().len();
    let mut done = Vec::new();
    let mut random = Random(9);
    // The process dies after a few moves, again and again.
    let mut restarts = 0;
    while !plan.is_complete() {
        for _ in 0..=random.below(40) {
            let Some(round) = plan.next_round() else {
                break;
            };
            let m = round[random.below(round.len() as u64) as usize];
            assert!(plan.complete(&m));
            assert!(!plan.complete(&m), "once");
            done.push((m.first, m.last));
        }
        assert_eq!(plan.remaining(), total - done.len());
        let stored = plan.progress();
        plan = migration.plan(1 + random.below(3) as u32).unwrap();
        plan.resume(&stored).unwrap();
        assert_eq!(plan.progress(), stored);
        restarts += 1;
    }
    assert!(restarts > 5);
    done.sort_unstable();
    assert!(
        done.into_iter()
            .eq(migration.moves().map(|m| (m.first, m.last)))
    );
}

#[test]
fn a_plan_reads_well() {
    let old = HashRing::from_nodes((0..8).map(node)).unwrap();
    let mut new = old.clone();
    new.insert(node(8)).unwrap();
    let migration = old.diff(&new).unwrap();
    let mut plan = migration.plan(20).unwrap();
    let m = plan.next_round().unwrap()[0];
    plan.complete(&m);
    let text = plan.to_string();
    let (moves, rounds) = (migration.moves().len(), plan.rounds().len());
    let lines: Vec<&str> = text.lines().collect();
    let title = format!("{moves} moves in {rounds} rounds, at most 20 from and to a node at once");
    assert_eq!(lines[0], title);
    assert!(
        lines[1].starts_with("round    1:     20 moves,") && lines[1].ends_with("1 complete"),
        "{text}"
    );
    assert!(
        rounds > 20,
        "so that the last line says how many are left out"
    );
    assert_eq!(lines[21], format!("… {} more rounds", rounds - 20));
}

#[test]
fn a_move_or_a_state_of_another_migration_is_refused() {
    let old = HashRing::from_nodes((0..8).map(node)).unwrap();
    let mut new = old.clone();
    new.insert(node(8)).unwrap();
    let mut other = old.clone();
    other.insert(node(9)).unwrap();
    let (migration, another) = (old.diff(&new).unwrap(), old.diff(&other).unwrap());
    let mut plan = migration.plan(1).unwrap();
    assert!(!plan.complete(&another.moves().next().unwrap()));
    let stored = another.plan(1).unwrap().progress();
    let error = plan.resume(&stored).unwrap_err();
    assert!(matches!(error, PlanError::OtherMigration { .. }), "{error}");
    assert_eq!(plan.remaining(), migration.moves().len());
}

#[cfg(feature = "serde")]
#[test]
fn the_stored_state_survives_json_and_damage_is_noticed() {
    let old = HashRing::from_nodes((0..4).map(node)).unwrap();
    let mut new = old.clone();
    new.insert(node(4)).unwrap();
    let migration = old.diff(&new).unwrap();
    let mut plan = migration.plan(3).unwrap();
    for m in plan.next_round().unwrap() {
        plan.complete(&m);
    }
    let json = serde_json::to_string(&plan.progress()).unwrap();
    let mut again = migration.plan(3).unwrap();
    again.resume(&serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(again.remaining(), plan.remaining());
    assert_eq!(again.next_round(), plan.next_round());

    // One byte less, one more, a bit past the last move: nothing is taken up.
    let digits = json.rfind('"').unwrap();
    let moves = migration.moves().len();
    let mut damaged = vec![
        json[..digits - 2].to_string() + &json[digits..],
        json[..digits].to_string() + "00" + &json[digits..],
    ];
    if moves % 8 > 0 {
        damaged.push(json[..digits - 2].to_string() + "ff" + &json[digits..]);
    }
    for damaged in damaged {
        let error = again
            .resume(&serde_json::from_str(&damaged).unwrap())
            .unwrap_err();
        assert!(matches!(error, PlanError::Malformed { .. }), "{error}");
    }
    assert_eq!(again.remaining(), plan.remaining());
}
