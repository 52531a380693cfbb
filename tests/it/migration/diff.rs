//! The difference of two rings against what keys observe, and against a naive ring of its own.

use crate::common::random::Rng;
use crate::common::scaled;
use crate::common::zoned_nodes::{Node, Weak, event, names, node, random_ring};
use clockwise::{
    ConfigError, HashRing, KeyHasher, Migration, NodeError, SipHash13, Token, Xxh3,
    error::DiffError,
};
use std::collections::BTreeSet;

const ALL: u128 = 1 << 64;

/// Points of a ring by the text of Layout V1: (token, name), sorted.
fn naive_points<H: KeyHasher>(ring: &HashRing<Node, H>, hasher: &H) -> Vec<(u64, String)> {
    let mut points = Vec::new();
    for member in ring.members().filter(|member| !member.drained) {
        for i in 0..member.weight * ring.virtual_nodes() {
            let bytes = [&i.to_le_bytes(), member.node.name.as_bytes()].concat();
            points.push((hasher.hash_bytes(&bytes), member.node.name.clone()));
        }
    }
    points.sort();
    points
}

fn naive_owner(points: &[(u64, String)], token: u64) -> Option<&str> {
    let at = points.iter().find(|(point, _)| *point >= token);
    at.or(points.first()).map(|(_, name)| name.as_str())
}

/// Tokens whose owners differ: between two neighbouring points of either ring the owner is one.
fn naive_measure(old: &[(u64, String)], new: &[(u64, String)]) -> u128 {
    let both = old.iter().chain(new).map(|(token, _)| *token);
    let ends: BTreeSet<u64> = both.chain([u64::MAX]).collect();
    let (mut first, mut measure) = (0, 0);
    for end in ends {
        if naive_owner(old, end) != naive_owner(new, end) {
            measure += u128::from(end) - first + 1;
        }
        first = u128::from(end) + 1;
    }
    measure
}

fn name(node: Option<&Node>) -> Option<&str> {
    node.map(|node| node.name.as_str())
}

fn is_well_formed(migration: &Migration<'_, Node>) {
    let mut sum = 0;
    for m in migration.moves() {
        assert!(m.range.first() <= m.range.last());
        assert_ne!(name(m.from), name(m.to));
        sum += m.range.len();
    }
    for (a, b) in migration.moves().zip(migration.moves().skip(1)) {
        assert!(a.range.last() < b.range.first(), "ascending and disjoint");
        let adjacent = a.range.last().get() + 1 == b.range.first().get();
        assert!(
            !adjacent || (name(a.from), name(a.to)) != (name(b.from), name(b.to)),
            "merged"
        );
    }
    assert_eq!(migration.measure(), sum);
    assert_eq!(migration.is_empty(), sum == 0);
    assert!((migration.share() - sum as f64 / ALL as f64).abs() < 1e-15);
    let flows: u128 = migration.flows().iter().map(|flow| flow.measure).sum();
    assert_eq!(flows, sum);
    for total in migration.totals() {
        let gives: u128 = migration
            .moves_from(total.node)
            .map(|m| m.range.len())
            .sum();
        let takes: u128 = migration.moves_to(total.node).map(|m| m.range.len()).sum();
        assert_eq!((total.gives, total.takes), (gives, takes));
    }
}

#[test]
fn the_diff_equals_what_moves_and_its_measure_is_exact() {
    let (pairs, keys) = (scaled(60, 60, 1000), scaled(400, 400, 10_000));
    let mut moved = 0;
    for pair in 0..pairs as u64 {
        let mut random = Rng::new(pair);
        let old = random_ring(&mut random, 12, Xxh3::new());
        let new = random_ring(&mut random, 12, Xxh3::new());
        let migration = old.diff(&new).unwrap();
        is_well_formed(&migration);
        let points = [&old, &new].map(|ring| naive_points(ring, &Xxh3::new()));
        assert_eq!(migration.measure(), naive_measure(&points[0], &points[1]));

        for key in 0..keys as u64 {
            let token = old.token(&key);
            let (from, to) = (old.route_token(token), new.route_token(token));
            // A table of owners to which the move is applied.
            let mut owner = name(from);
            if let Some(m) = migration.of(token) {
                assert_eq!(name(m.from), owner);
                assert!(m.range.first() <= token && token <= m.range.last());
                owner = name(m.to);
                moved += 1;
            }
            assert_eq!(owner, name(to));
        }
        for m in migration.moves() {
            for token in [m.range.first(), m.range.last()] {
                assert_eq!(
                    (old.route_token(token), new.route_token(token)),
                    (m.from, m.to)
                );
            }
        }
    }
    println!("{pairs} pairs × {keys} keys, {moved} moved, 0 differences");
    assert!(moved > 0);
}

#[test]
fn weak_hashers_change_nothing_of_that() {
    for pair in 0..scaled(60, 60, 1000) as u64 {
        let mut random = Rng::new(pair);
        let hasher = Weak([0, 1, 4, 8][pair as usize % 4]);
        let old = random_ring(&mut random, 6, hasher);
        let new = random_ring(&mut random, 6, hasher);
        let migration = old.diff(&new).unwrap();
        is_well_formed(&migration);
        let points = [&old, &new].map(|ring| naive_points(ring, &hasher));
        assert_eq!(migration.measure(), naive_measure(&points[0], &points[1]));
        for _ in 0..200 {
            let token =
                Token::new(random.next() & [u64::MAX, 7, 1 << 63][random.below_u64(3) as usize]);
            let seen = migration.of(token).map(|m| (name(m.from), name(m.to)));
            let (from, to) = (name(old.route_token(token)), name(new.route_token(token)));
            assert_eq!(seen, (from != to).then_some((from, to)));
        }
    }
}

#[test]
fn only_the_new_node_takes_and_only_the_lost_node_gives() {
    let old = HashRing::from_nodes((0..20).map(node)).unwrap();
    let mut new = old.clone();
    new.insert(node(20)).unwrap();
    let added = old.diff(&new).unwrap();
    assert!(added.moves().all(|m| m.to == Some(&node(20))));
    assert_eq!(added.measure(), new.measure(&node(20)).unwrap());
    // The other way round everything goes back where it came from.
    let removed = new.diff(&old).unwrap();
    assert!(removed.moves().eq(added.moves().map(|mut m| {
        core::mem::swap(&mut m.from, &mut m.to);
        m
    })));
    assert!(old.diff(&old.clone()).unwrap().is_empty());
    assert_eq!(old.diff(&old).unwrap().to_string(), "nothing moves");
}

#[test]
fn empty_and_drained_rings_give_nobody() {
    let empty = HashRing::<Node>::new();
    let mut one = HashRing::from_nodes([node(1)]).unwrap();
    for (old, new) in [(&empty, &one), (&one, &empty)] {
        let migration = old.diff(new).unwrap();
        let m = migration.moves().next().unwrap();
        assert_eq!(
            (m.range.first().get(), m.range.last().get(), m.range.len()),
            (0, u64::MAX, ALL)
        );
        assert_eq!((m.from, m.to), (old.nodes().next(), new.nodes().next()));
        assert_eq!((migration.moves().len(), migration.measure()), (1, ALL));
        assert!((migration.share() - 1.0).abs() < f64::EPSILON);
    }
    assert!(empty.diff(&empty).unwrap().is_empty());
    let full = one.clone();
    one.drain("node1").unwrap();
    let drained = full.diff(&one).unwrap();
    assert_eq!(drained.moves().next().unwrap().to, None);
    assert_eq!(drained.measure(), ALL);
    assert!(
        one.diff(&empty).unwrap().is_empty(),
        "nobody owned anything"
    );
    assert_eq!(
        drained.to_string(),
        "100.00 % moves, in 1 ranges\n\
         from        to         ranges     share\n\
         node1    -> (none)          1  100.00 %"
    );
}

/// The first twenty pairs by what moves, and the rest as a sum.
#[test]
fn a_migration_shows_twenty_pairs_and_counts_the_others() {
    for (givers, hidden) in [(20, 0), (21, 1), (30, 10)] {
        let old = HashRing::from_nodes((0..givers).map(node)).unwrap();
        let mut new = old.clone();
        new.insert(node(99)).unwrap();
        let migration = old.diff(&new).unwrap();
        let text = migration.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2 + 20 + usize::from(hidden > 0), "{text}");
        assert!(
            lines[2..22].iter().all(|line| line.contains(" -> node99 ")),
            "{text}"
        );
        // What is shown, and what is not, is all that moves.
        let figure = |line: &str, end: usize| -> f64 {
            let words: Vec<&str> = line.split_whitespace().collect();
            words[words.len() - end].parse().unwrap()
        };
        let column = |end| {
            lines[2..22]
                .iter()
                .map(|line| figure(line, end))
                .sum::<f64>()
        };
        let (mut ranges, mut percent) = (column(3), column(2));
        if hidden > 0 {
            let last = lines[22];
            assert!(
                last.starts_with(&format!("… {hidden} more pairs with ")),
                "{last}"
            );
            ranges += last
                .split_whitespace()
                .nth(5)
                .unwrap()
                .parse::<f64>()
                .unwrap();
            percent += figure(last, 2);
        }
        assert_eq!(ranges, migration.moves().len() as f64, "{text}");
        assert!((percent - 100.0 * migration.share()).abs() < 0.12, "{text}");
    }
}

#[test]
fn other_hashers_are_a_typed_error() {
    let ring = |seed| HashRing::<Node, _>::with_hasher(Xxh3::with_seed(seed));
    let error = ring(0).diff(&ring(1)).unwrap_err();
    assert!(matches!(error, DiffError::HasherMismatch { .. }), "{error}");
    let keyed = |key| HashRing::<Node, _>::with_hasher(SipHash13::new([key; 16]));
    assert!(keyed(1).diff(&keyed(2)).is_err());
    assert!(keyed(1).diff(&keyed(1)).is_ok());
    assert!(keyed(1).diff(&ring(0)).is_err());
    // Hashers of other types agree where they hash alike.
    let boxed: Box<dyn KeyHasher> = Box::new(Xxh3::new());
    assert!(ring(0).diff(&HashRing::with_hasher(boxed)).is_ok());
}

#[test]
fn the_new_payload_is_shown_as_to_and_the_old_as_from() {
    let ring = |zone| {
        HashRing::from_nodes(["a", "b"].map(|name| Node {
            name: name.into(),
            zone,
        }))
        .unwrap()
    };
    let (old, mut new) = (ring(1), ring(2));
    assert!(
        old.diff(&new).unwrap().is_empty(),
        "a payload is no identity"
    );
    new.set_weight("a", 3).unwrap();
    let migration = old.diff(&new).unwrap();
    assert!(
        migration
            .moves()
            .all(|m| m.from.unwrap().zone == 1 && m.to.unwrap().zone == 2)
    );
}

// ---- replica sets -------------------------------------------------------------------------------

/// The set after the moves of this token, in no order. The i-th that leaves is replaced by the i-th
/// that joins, each in order of preference.
fn applied<'a>(
    migration: &'a Migration<'_, Node>,
    token: Token,
    old: &[&'a Node],
    new: &[&'a Node],
) -> Vec<&'a str> {
    let moves: Vec<_> = migration.all_of(token).collect();
    assert!(
        moves
            .iter()
            .all(|m| m.range.first() <= token && token <= m.range.last())
    );
    let leaving = old.iter().copied().filter(|node| !new.contains(node));
    let joining = new.iter().copied().filter(|node| !old.contains(node));
    assert!(moves.iter().filter_map(|m| m.from).eq(leaving));
    assert!(moves.iter().filter_map(|m| m.to).eq(joining));
    let pairs = moves.iter().filter(|m| m.from.is_some() && m.to.is_some());
    let gone = moves.iter().filter(|m| m.from.is_some()).count();
    let come = moves.iter().filter(|m| m.to.is_some()).count();
    assert_eq!(
        pairs.count(),
        gone.min(come),
        "none is left alone that could have a partner"
    );

    let mut set: BTreeSet<_> = names(old.iter().copied()).into_iter().collect();
    for from in moves.iter().filter_map(|m| m.from) {
        assert!(set.remove(from.name.as_str()));
    }
    for to in moves.iter().filter_map(|m| m.to) {
        assert!(set.insert(to.name.as_str()));
    }
    set.into_iter().collect()
}

fn sorted<'a>(nodes: &[&'a Node]) -> Vec<&'a str> {
    let mut names = names(nodes.iter().copied());
    names.sort_unstable();
    names
}

#[test]
fn moves_of_replicas_make_the_new_sets_of_the_old_ones() {
    for pair in 0..scaled(60, 60, 1000) as u64 {
        let mut random = Rng::new(pair);
        let old = random_ring(&mut random, 10, Xxh3::new());
        let new = random_ring(&mut random, 10, Xxh3::new());
        let n = [0, 1, 2, 3, 5, usize::MAX][random.below_u64(6) as usize];
        let plain = old.diff_replicas(&new, n).unwrap();
        let zoned = old.diff_replicas_across(&new, n, |node| node.zone).unwrap();
        assert!(plain.share() <= 1.0 && zoned.share() <= 1.0);
        for key in 0..scaled(200, 200, 10_000) as u64 {
            let token = old.token(&key);
            let (before, after) = (old.replicas(&key, n), new.replicas(&key, n));
            assert_eq!(applied(&plain, token, &before, &after), sorted(&after));
            let before = old.replicas_across(&key, n, |node| node.zone);
            let after = new.replicas_across(&key, n, |node| node.zone);
            assert_eq!(applied(&zoned, token, &before, &after), sorted(&after));
        }
    }
}

#[test]
fn moves_between_replication_factors_make_the_new_sets_of_the_old_ones() {
    for pair in 0..scaled(60, 60, 1000) as u64 {
        let mut random = Rng::new(pair);
        let old = random_ring(&mut random, 10, Xxh3::new());
        let mut new = old.clone();
        // The members change at the same time in two of three cases.
        for _ in 0..random.below_u64(3) {
            event(&mut random, &mut new, 10);
        }
        let (old_n, new_n) = (random.below_u64(5) as usize, random.below_u64(5) as usize);
        let migration = old.diff_replicas_between(&new, old_n, new_n).unwrap();
        assert!(migration.share() <= 1.0);
        for key in 0..scaled(200, 200, 10_000) as u64 {
            let token = old.token(&key);
            let (before, after) = (old.replicas(&key, old_n), new.replicas(&key, new_n));
            assert_eq!(applied(&migration, token, &before, &after), sorted(&after));
        }
    }
}

#[test]
fn one_copy_more_on_the_same_nodes_is_one_copy_of_everything() {
    let ring = HashRing::from_nodes((0..7).map(node)).unwrap();
    let more = ring.diff_replicas_between(&ring, 2, 3).unwrap();
    assert_eq!(more.measure(), ALL);
    assert!(more.moves().all(|m| m.from.is_none() && m.to.is_some()));
    let fewer = ring.diff_replicas_between(&ring, 3, 2).unwrap();
    assert_eq!(fewer.measure(), ALL);
    assert!(fewer.moves().all(|m| m.from.is_some() && m.to.is_none()));
    // There are no more copies than nodes.
    let all = ring.diff_replicas_between(&ring, 7, usize::MAX).unwrap();
    assert!(all.is_empty());
}

#[test]
fn a_ring_is_resized_or_says_why_not() {
    let ring = HashRing::builder().max_points(100).virtual_nodes(10);
    let ring = ring.from_nodes((0..8).map(node)).unwrap();
    let smaller = ring.resized(5).unwrap();
    let fresh = HashRing::builder().virtual_nodes(5);
    let fresh = fresh.from_nodes((0..8).map(node)).unwrap();
    assert!(smaller.diff(&fresh).unwrap().is_empty());
    assert_eq!(smaller.max_points(), 100);
    assert_eq!(ring.resized(0).unwrap_err(), ConfigError::ZeroVirtualNodes);
    let error = ring.resized(13).unwrap_err();
    assert!(
        matches!(error, ConfigError::Node(NodeError::TooManyPoints { .. })),
        "{error}"
    );
    let error = ring.resized(101).unwrap_err();
    assert!(
        matches!(error, ConfigError::TooManyVirtualNodes { .. }),
        "{error}"
    );
}

#[test]
fn one_replica_is_the_owner() {
    let mut random = Rng::new(1);
    let (old, new) = (
        random_ring(&mut random, 9, Xxh3::new()),
        random_ring(&mut random, 9, Xxh3::new()),
    );
    let (owners, sets) = (old.diff(&new).unwrap(), old.diff_replicas(&new, 1).unwrap());
    assert!(owners.moves().eq(sets.moves()));
    // With every node a domain of its own, or all in one, domains change nothing.
    let three = old.diff_replicas(&new, 3).unwrap();
    let apart = old
        .diff_replicas_across(&new, 3, |node| node.name.clone())
        .unwrap();
    let together = old.diff_replicas_across(&new, 3, |_| ()).unwrap();
    assert!(three.moves().eq(apart.moves()) && three.moves().eq(together.moves()));
}

#[test]
fn one_event_replaces_at_most_one_member_of_any_set() {
    let mut ranges = 0;
    for run in 0..scaled(150, 150, 5000) as u64 {
        let mut random = Rng::new(run);
        let old = random_ring(&mut random, 9, Xxh3::new());
        let mut new = old.clone();
        event(&mut random, &mut new, 9);
        let n = 1 + random.below_u64(5) as usize;
        for migration in [
            old.diff_replicas(&new, n).unwrap(),
            old.diff_replicas_across(&new, n, |node| node.zone).unwrap(),
        ] {
            // Ranges of two moves are equal or disjoint: none is equal.
            for (a, b) in migration.moves().zip(migration.moves().skip(1)) {
                assert!(a.range.last() < b.range.first());
            }
            ranges += migration.moves().len();
        }
    }
    println!("{ranges} ranges, each with one member replaced");
    assert!(ranges > 0);
}
