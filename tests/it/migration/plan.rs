//! A plan starts the largest move that may start, finishes within the bound, and survives a crash.

use crate::common::random::Rng;
use crate::common::scaled;
use crate::common::zoned_nodes::{Node, node};
use clockwise::error::{PlanError, ResumeError};
use clockwise::{HashRing, Migration, Move, Plan, TokenRange};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// The least time in which any order could copy all: a token takes one unit of time.
fn bound(migration: &Migration<'_, Node>, limit: u32) -> u128 {
    let totals = migration.totals();
    let busiest = totals
        .iter()
        .flat_map(|total| [total.gives, total.takes])
        .max();
    let largest = migration.moves().map(|m| m.range.len()).max();
    (busiest.unwrap() / u128::from(limit)).max(largest.unwrap())
}

/// Copies everything in virtual time. Returns when the last move ends.
fn makespan(plan: &mut Plan<Node>) -> u128 {
    let mut now = 0;
    let mut under_way: Vec<Option<Move<Node>>> = Vec::new();
    let mut ends = BinaryHeap::new();
    let mut slots: BTreeMap<(bool, String), u32> = BTreeMap::new();
    let ends_of = |m: &Move<Node>| {
        let (from, to) = (m.from.clone().unwrap(), m.to.clone().unwrap());
        [(false, from.name), (true, to.name)]
    };
    loop {
        while let Some(m) = plan.start() {
            for end in ends_of(&m) {
                let used = slots.entry(end).or_default();
                *used += 1;
                assert!(*used <= plan.limit());
            }
            ends.push(Reverse((now + m.range.len(), under_way.len())));
            under_way.push(Some(m));
        }
        assert_eq!(plan.in_flight(), ends.len());
        let Some(Reverse((end, number))) = ends.pop() else {
            return now;
        };
        now = end;
        let m = under_way[number].take().unwrap();
        for end in ends_of(&m) {
            *slots.get_mut(&end).unwrap() -= 1;
        }
        assert!(plan.complete(&m));
    }
}

fn is_fast(name: &str, old: &HashRing<Node>, new: &HashRing<Node>) {
    let migration = old.diff(new).unwrap();
    for limit in [1, 2, 4, 16] {
        let mut plan = migration.plan(limit).unwrap();
        let ratio = makespan(&mut plan) as f64 / bound(&migration, limit) as f64;
        let moves = migration.moves().len();
        println!("{name}, {moves} moves, limit {limit}: {ratio:.3} of the bound");
        assert!((1.0..=if limit > 4 { 1.10 } else { 1.05 }).contains(&ratio));
        assert!(plan.is_complete() && plan.in_flight() == 0);
    }
}

fn ring(nodes: std::ops::Range<u64>) -> HashRing<Node> {
    HashRing::from_nodes(nodes.map(node)).unwrap()
}

#[test]
fn the_queue_finishes_within_the_bound() {
    let old = ring(0..100);
    is_fast("100 -> 101", &old, &ring(0..101));
    is_fast("100 -> 110", &old, &ring(0..110));
    let mut new = old.clone();
    for i in 0..20 {
        new.set_weight(&node(5 * i), 2).unwrap();
    }
    is_fast("20 of 100 doubled", &old, &new);
    let mut new = old.clone();
    new.retain(|member| member.node.zone != 1);
    is_fast("a zone lost", &old, &new);
}

#[test]
fn a_limit_of_0_is_refused_and_nothing_to_do_is_complete() {
    let ring = HashRing::from_nodes([node(1)]).unwrap();
    let migration = ring.diff(&ring).unwrap();
    assert_eq!(migration.plan(0).unwrap_err(), PlanError::ZeroLimit);
    let mut plan = migration.plan(1).unwrap();
    assert!(plan.is_complete() && plan.start().is_none());
    assert_eq!((plan.remaining(), plan.fraction()), (0, 1.0));
    assert_eq!(plan.completed_ranges().count(), 0);
    let stored = plan.progress();
    plan.resume(&stored).unwrap();
}

#[test]
fn the_plan_outlives_both_rings() {
    let mut plan = {
        let (old, new) = (ring(0..4), ring(0..5));
        let migration = old.diff(&new).unwrap();
        migration.plan(1).unwrap()
    };
    let m = plan.start().unwrap();
    assert_eq!(m.to, Some(node(4)));
    assert!(
        plan.complete(&m.as_ref()),
        "a move with references is the same move"
    );
}

#[test]
fn a_move_ends_once_and_only_in_its_own_plan() {
    let (old, new) = (ring(0..8), ring(0..9));
    let migration = old.diff(&new).unwrap();
    let mut plan = migration.plan(3).unwrap();
    let pending = migration.moves().next().unwrap();
    assert!(
        !plan.complete(&pending) && !plan.retry(&pending),
        "not under way"
    );

    let m = plan.start().unwrap();
    let largest = migration.moves().map(|m| m.range.len()).max();
    assert_eq!(Some(m.range.len()), largest);
    for other in [
        Move::new(m.range, m.to.clone(), m.from.clone()),
        Move::new(m.range, None, m.to.clone()),
        Move::new(m.range, m.from.clone(), None),
        Move::new(m.range, m.from.clone(), Some(node(77))),
        Move::new(TokenRange::ALL, m.from.clone(), m.to.clone()),
        Move::new(
            TokenRange::new(m.range.first(), m.range.first()).unwrap(),
            m.from.clone(),
            m.to.clone(),
        ),
    ] {
        assert!(!plan.complete(&other) && !plan.retry(&other), "{other:?}");
    }
    assert_eq!(
        (plan.in_flight(), plan.remaining()),
        (1, migration.moves().len())
    );

    assert!(plan.retry(&m));
    assert!(!plan.retry(&m), "once");
    assert_eq!(plan.start(), Some(m.clone()), "it is the largest still");
    assert!(plan.complete(&m));
    assert!(!plan.complete(&m) && !plan.retry(&m), "once");
    assert_eq!(
        (plan.in_flight(), plan.remaining()),
        (0, migration.moves().len() - 1)
    );
    let fraction = m.range.len() as f64 / migration.measure() as f64;
    assert_eq!(plan.fraction(), fraction);
}

#[test]
fn a_move_without_a_taker_never_starts_and_one_without_a_giver_counts_on_its_taker() {
    let old = ring(0..6);
    // Fewer copies: nothing to copy, and every range is complete.
    let fewer = old.diff_replicas_between(&old, 3, 2).unwrap();
    let mut plan = fewer.plan(1).unwrap();
    assert!(plan.start().is_none() && plan.is_complete());
    assert!(plan.completed_ranges().eq(fewer.moves().map(|m| m.range)));
    // More copies: one for each of the six takers at a time.
    let more = old.diff_replicas_between(&old, 2, 3).unwrap();
    let mut plan = more.plan(1).unwrap();
    let mut takers: Vec<_> = std::iter::from_fn(|| plan.start()).collect();
    assert!(takers.iter().all(|m| m.from.is_none()));
    takers.sort_by(|a, b| {
        a.to.as_ref()
            .unwrap()
            .name
            .cmp(&b.to.as_ref().unwrap().name)
    });
    assert!(
        takers
            .iter()
            .map(|m| m.to.clone().unwrap())
            .eq((0..6).map(node))
    );
    // Both in one range: it is complete when the move that has a taker is.
    let mut new = old.clone();
    new.insert(node(6)).unwrap();
    let mixed = old.diff_replicas_between(&new, 3, 2).unwrap();
    assert!(mixed.moves().any(|m| m.to.is_none()) && mixed.moves().any(|m| m.to.is_some()));
    let mut plan = mixed.plan(1).unwrap();
    let before = plan.completed_ranges().count();
    assert!(before > 0, "where nothing joins");
    while let Some(m) = plan.start() {
        assert!(!plan.completed_ranges().any(|range| range == m.range));
        plan.complete(&m);
    }
    let mut ranges: Vec<_> = mixed.moves().map(|m| m.range).collect();
    ranges.dedup();
    assert!(before < ranges.len());
    assert!(plan.completed_ranges().eq(ranges));
}

#[test]
fn a_range_is_complete_after_all_its_moves() {
    let (old, new) = (ring(0..8), ring(4..12));
    let migration = old.diff_replicas(&new, 3).unwrap();
    let mut plan = migration.plan(2).unwrap();
    let mut left: BTreeMap<TokenRange, usize> = BTreeMap::new();
    for m in migration.moves() {
        *left.entry(m.range).or_default() += 1;
    }
    assert!(left.values().any(|&moves| moves == 3));
    let mut round = 0;
    while let Some(m) = plan.start() {
        plan.complete(&m);
        *left.get_mut(&m.range).unwrap() -= 1;
        round += 1;
        if round % 50 == 0 || plan.is_complete() {
            let complete = left.iter().filter(|&(_, &moves)| moves == 0);
            assert!(
                plan.completed_ranges()
                    .eq(complete.map(|(&range, _)| range))
            );
        }
    }
    assert_eq!(plan.fraction(), 1.0);
}

#[test]
fn what_was_complete_stays_complete_and_the_rest_goes_once() {
    let (old, new) = (ring(0..8), ring(3..11));
    let migration = old.diff(&new).unwrap();
    let mut plan = migration.plan(2).unwrap();
    let total = migration.moves().len();
    let mut done = Vec::new();
    let mut random = Rng::new(9);
    // The process dies after a few moves, again and again.
    let mut restarts = 0;
    while !plan.is_complete() {
        for _ in 0..=random.below_u64(scaled(20, 20, 4) as u64) {
            let started: Vec<_> = std::iter::from_fn(|| plan.start()).collect();
            for m in &started {
                if random.below_u64(3) == 0 {
                    assert!(plan.retry(m));
                } else {
                    assert!(plan.complete(m));
                    done.push(m.range);
                }
            }
        }
        let _lost = plan.start();
        assert_eq!(plan.remaining(), total - done.len());
        let stored = plan.progress();
        plan = migration.plan(1 + random.below_u64(3) as u32).unwrap();
        plan.resume(&stored).unwrap();
        assert_eq!(plan.progress(), stored);
        assert_eq!(
            (plan.in_flight(), plan.remaining()),
            (0, total - done.len())
        );
        restarts += 1;
    }
    assert!(restarts > 5);
    done.sort_unstable();
    assert!(done.into_iter().eq(migration.moves().map(|m| m.range)));
}

#[test]
fn a_plan_reads_well() {
    let (old, new) = (ring(0..8), ring(0..9));
    let migration = old.diff(&new).unwrap();
    let mut plan = migration.plan(20).unwrap();
    let first = plan.start().unwrap();
    plan.start().unwrap();
    plan.complete(&first);
    let percent = 100.0 * first.range.len() as f64 / migration.measure() as f64;
    let moves = migration.moves().len();
    assert_eq!(
        plan.to_string(),
        format!(
            "1 of {moves} moves complete, 1 under way (at most 20 from and 20 to a node), \
             {percent:.2} % copied"
        )
    );
}

#[test]
fn the_state_of_another_migration_is_refused() {
    let (old, new, other) = (ring(0..8), ring(0..9), ring(0..10));
    let (migration, another) = (old.diff(&new).unwrap(), old.diff(&other).unwrap());
    let mut plan = migration.plan(1).unwrap();
    let m = plan.start().unwrap();
    let stored = another.plan(1).unwrap().progress();
    let error = plan.resume(&stored).unwrap_err();
    assert!(
        matches!(error, ResumeError::MigrationMismatch { .. }),
        "{error}"
    );
    assert!(plan.complete(&m), "nothing has changed");
}

#[cfg(feature = "serde")]
#[test]
fn moves_and_states_survive_json_and_damage_is_noticed() {
    let old = HashRing::from_nodes(["a", "b", "c", "d"].map(String::from)).unwrap();
    let mut new = old.clone();
    new.insert("e".into()).unwrap();
    let migration = old.diff(&new).unwrap();
    let mut plan = migration.plan(3).unwrap();
    // A move goes to another process and comes back.
    while let Some(m) = plan
        .start()
        .filter(|_| plan.remaining() > migration.moves().len() / 2)
    {
        let json = serde_json::to_string(&m).unwrap();
        let back: Move<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, m);
        assert!(plan.complete(&back));
    }
    let json = serde_json::to_string(&plan.progress()).unwrap();
    assert!(
        json.len() < 100 + migration.moves().len(),
        "less than a byte a move: {json}"
    );
    let mut again = migration.plan(3).unwrap();
    again.resume(&serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(again.remaining(), plan.remaining());

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
        assert!(matches!(error, ResumeError::BitCount { .. }), "{error}");
    }
    assert_eq!(again.remaining(), plan.remaining());
}

/// A debug build takes ten times as long.
#[cfg(not(debug_assertions))]
#[test]
fn the_first_move_of_10_000_nodes_starts_soon() {
    let old = ring(0..10_000);
    let mut new = old.clone();
    new.insert(node(10_000)).unwrap();
    let least = (0..3).map(|_| {
        let start = std::time::Instant::now();
        let mut plan = old.diff(&new).unwrap().plan(4).unwrap();
        assert!(plan.start().is_some());
        start.elapsed().as_secs_f64()
    });
    let least = least.fold(f64::MAX, f64::min);
    println!("diff, plan and first start: {least:.3} s");
    assert!(least < 0.3);
}
