//! Round-robin: nginx's sequences, exact cycles from many threads, and what becomes of a refused
//! node's turn.

use crate::common::is_long;
use clockwise::{RoundRobin, Strategy};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Mutex;

fn weighted(weights: &[u32]) -> RoundRobin<u64> {
    named(RoundRobin::new(), weights)
}

/// Node i has identity i, so that ranks and names agree for fewer than 256 nodes.
fn named(mut turns: RoundRobin<u64>, weights: &[u32]) -> RoundRobin<u64> {
    turns
        .extend_weighted((0..).zip(weights.iter().copied()))
        .unwrap();
    turns
}

fn picks(turns: &RoundRobin<u64>, n: usize) -> Vec<u64> {
    (0..n).map(|_| *turns.route("").unwrap()).collect()
}

fn counts<'a>(picks: impl IntoIterator<Item = &'a u64>) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    for &node in picks {
        *counts.entry(node).or_insert(0) += 1;
    }
    counts
}

/// The definition, step by step in wide integers.
fn smooth(weights: &[u32], n: usize) -> Vec<u64> {
    let total: i128 = weights.iter().map(|&w| i128::from(w)).sum();
    let mut current = vec![0i128; weights.len()];
    (0..n)
        .map(|_| {
            for (current, &weight) in current.iter_mut().zip(weights) {
                *current += i128::from(weight);
            }
            let greatest = *current.iter().max().unwrap();
            let best = current.iter().position(|&c| c == greatest).unwrap();
            current[best] -= total;
            best as u64
        })
        .collect()
}

#[test]
fn nginx_sequences_come_out_exactly() {
    let mut rows = 0;
    for line in include_str!("../../golden/nginx_wrr.tsv").lines().skip(2) {
        let (weights, sequence) = line.split_once('\t').unwrap();
        let weights: Vec<u32> = weights.split(',').map(|w| w.parse().unwrap()).collect();
        let sequence: Vec<u64> = sequence.split(',').map(|i| i.parse().unwrap()).collect();
        assert_eq!(
            picks(&weighted(&weights), sequence.len()),
            sequence,
            "{weights:?}"
        );
        rows += 1;
    }
    assert_eq!(rows, 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_is_the_definition(weights in prop::collection::vec(1u32..40, 1..12), start in 0u64..5000) {
        let total: u32 = weights.iter().sum();
        let cycle = smooth(&weights, total as usize);
        let expected: Vec<u64> = (0..3 * cycle.len())
            .map(|i| cycle[(start as usize + i) % cycle.len()])
            .collect();
        let turns = named(RoundRobin::starting_at(start), &weights);
        prop_assert_eq!(picks(&turns, expected.len()), expected);
    }

    #[test]
    fn every_window_of_the_weights_sum_has_each_node_as_often_as_its_weight(
        weights in prop::collection::vec(1u32..30, 1..10), skip in 0usize..3000,
    ) {
        let turns = weighted(&weights);
        picks(&turns, skip);
        let total: u32 = weights.iter().sum();
        let counted = counts(&picks(&turns, total as usize));
        let expected: BTreeMap<u64, u64> = (0..).zip(weights.iter().map(|&w| u64::from(w))).collect();
        prop_assert_eq!(counted, expected);
    }
}

#[test]
fn the_sequence_goes_round_the_counter_many_times() {
    let weights = [5, 1, 1];
    let cycle = smooth(&weights, 7);
    let turns = weighted(&weights);
    for i in 0..100_000 {
        assert_eq!(*turns.route("").unwrap(), cycle[i % 7], "pick {i}");
    }
}

#[test]
fn eight_threads_together_see_exact_cycles() {
    for weights in [vec![5, 1, 1], vec![3; 64], vec![1, 2, 3, 4, 5]] {
        let turns = weighted(&weights);
        let all = Mutex::new(BTreeMap::new());
        let total: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        // Each thread as many whole cycles; none would be exact alone.
        let long = is_long();
        let rounds = if long { 10_000_000 } else { 20_000 } / total;
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mine = counts(&picks(&turns, (rounds * total) as usize));
                    let mut all = all.lock().unwrap();
                    for (node, count) in mine {
                        *all.entry(node).or_insert(0) += count;
                    }
                });
            }
        });
        for (node, &weight) in (0..).zip(&weights) {
            assert_eq!(all.lock().unwrap()[&node], 8 * rounds * u64::from(weight));
        }
    }
}

#[test]
fn equal_weights_take_turns_in_order_whatever_the_weight() {
    for weight in [1, 7, u32::MAX] {
        let turns = weighted(&[weight; 3]);
        assert_eq!(picks(&turns, 7), [0, 1, 2, 0, 1, 2, 0]);
    }
    // More nodes than the longest cycle that is kept for unequal weights.
    let mut many = RoundRobin::new();
    many.extend_weighted((0..70_000u32).map(|i| (i.to_be_bytes(), 1)))
        .unwrap();
    for round in 0..2 {
        for i in 0..70_000u32 {
            assert_eq!(many.route(""), Some(&i.to_be_bytes()), "round {round}");
        }
    }
}

#[test]
fn a_refused_nodes_turns_go_round_and_not_to_its_neighbour() {
    for down in 0..5 {
        let turns = weighted(&[1; 5]);
        let picked: Vec<u64> = (0..4000)
            .map(|_| *turns.route_where("", |&node| node != down).unwrap())
            .collect();
        // Its neighbour would have 1600 of 4000; each has its 1000 exactly, because the tick is
        // used up.
        for (node, count) in counts(&picked) {
            assert_eq!(count, 1000, "node {node} while {down} is down");
        }
    }
}

#[test]
fn a_refused_heavy_nodes_turns_are_shared_by_weight() {
    // Node 0 has 1000 of 1003 turns: nearly all picks run out of ticks. The rest share by chance:
    // 3000 picks, standard deviation at most √(3000/4) = 27.4; 5 of them are 137.
    let turns = weighted(&[1000, 1, 2]);
    let picked: Vec<u64> = (0..3000)
        .map(|_| *turns.route_where("", |&node| node != 0).unwrap())
        .collect();
    let counts = counts(&picked);
    assert!(counts[&1].abs_diff(1000) < 137, "{counts:?}");
    assert_eq!(counts[&1] + counts[&2], 3000);
}

#[test]
fn each_node_is_offered_once_a_pick_and_all_before_none() {
    for weights in [
        vec![1; 3],
        vec![1; 17],
        vec![1; 300],
        vec![1000, 1, 1],
        (1..200).collect(),
        vec![u32::MAX, 1, 1, u32::MAX],
    ] {
        let turns = weighted(&weights);
        for _ in 0..20 {
            let mut offered = Vec::new();
            assert_eq!(
                turns.route_where("", |&node| {
                    offered.push(node);
                    false
                }),
                None
            );
            offered.sort_unstable();
            assert_eq!(offered, (0..weights.len() as u64).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_accepted_node_is_returned_and_accept_not_asked_again() {
    let turns = weighted(&[1; 40]);
    for refusals in 0..40 {
        let mut calls = 0;
        let mut last = None;
        let picked = turns.route_where("", |&node| {
            calls += 1;
            last = Some(node);
            calls > refusals
        });
        assert_eq!((picked.copied(), calls), (last, refusals + 1));
    }
}

#[test]
fn a_long_cycle_steps_along_the_golden_ratio() {
    // Weights that sum to more than 2³², without a short cycle: every prefix has each node's due to
    // within a few turns.
    let weights = [u32::MAX, u32::MAX - 1, 1 << 31, 12_345_678, 1];
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    let turns = weighted(&weights);
    let mut counts = [0u32; 5];
    for n in 1..=200_000u32 {
        counts[*turns.route("").unwrap() as usize] += 1;
        if n % 97 == 0 {
            for (&count, &weight) in counts.iter().zip(&weights) {
                let due = f64::from(n) * f64::from(weight) / total;
                assert!((f64::from(count) - due).abs() < 8.0, "{counts:?} after {n}");
            }
        }
    }
}

#[test]
fn weights_may_sum_to_any_size() {
    // grpc-go loops without end from 2³² on.
    let turns = weighted(&[u32::MAX; 4]);
    assert_eq!(picks(&turns, 4), [0, 1, 2, 3]);
    let mut weights = vec![u32::MAX; 300];
    weights[0] -= 1;
    let counts = counts(&picks(&weighted(&weights), 30_000));
    assert!(counts.values().all(|&count| count.abs_diff(100) <= 8));
    assert_eq!(counts.len(), 300);
}

#[test]
fn the_counter_may_start_anywhere_and_wrap() {
    for weights in [vec![1; 3], vec![5, 1, 1], vec![u32::MAX, 3, 1 << 30]] {
        for start in [u64::MAX, u64::MAX - 2, u64::from(u32::MAX), 1 << 63] {
            let turns = named(RoundRobin::starting_at(start), &weights);
            let total: u64 = weights.iter().map(|&w| u64::from(w)).sum();
            let n = if total < 100 { 10 * total } else { 10_000 };
            let counts = counts(&picks(&turns, n as usize));
            for (node, &weight) in (0..).zip(&weights) {
                let due = n as f64 * f64::from(weight) / total as f64;
                let count = *counts.get(&node).unwrap_or(&0) as f64;
                assert!((count - due).abs() < 8.0, "{start} {counts:?}");
            }
        }
    }
    let turns = named(RoundRobin::starting_at(u64::MAX), &[5, 1, 1]);
    let cycle = smooth(&[5, 1, 1], 7);
    // 2⁶⁴ − 1 = 1 mod 7, and the sequence goes on past 2⁶⁴.
    let expected: Vec<u64> = (1..50).map(|i| cycle[i % 7]).collect();
    assert_eq!(picks(&turns, 49), expected);
}

#[test]
fn drained_nodes_have_no_turns() {
    let mut turns = weighted(&[5, 1, 1]);
    turns.drain(&0u64).unwrap();
    assert_eq!(picks(&turns, 6).iter().filter(|&&n| n == 0).count(), 0);
    turns.undrain(&0u64).unwrap();
    assert_eq!(counts(&picks(&turns, 70))[&0], 50);
    for id in 0..3u64 {
        turns.drain(&id).unwrap();
    }
    assert_eq!(turns.route(""), None);
    assert_eq!(turns.route_where("", |_| panic!("nobody to offer")), None);
}

#[test]
fn members_follow_a_list_and_turns_go_on() {
    let mut turns = weighted(&[1; 3]);
    picks(&turns, 5);
    let changes = turns.set_nodes(vec![(1, 2), (2, 1), (9, 1)]).unwrap();
    assert_eq!(
        (changes.added(), changes.removed(), changes.reweighted()),
        (1, 1, 1)
    );
    assert_eq!(
        counts(&picks(&turns, 4)),
        BTreeMap::from([(1, 2), (2, 1), (9, 1)])
    );
}

#[test]
fn clones_share_their_turns_and_another_strategy_does_not() {
    let turns = weighted(&[1; 5]);
    picks(&turns, 3);
    let copy = turns.clone();
    assert_eq!(picks(&copy, 4), [3, 4, 0, 1]);
    assert_eq!(picks(&turns, 2), [2, 3]);
    let mut own = RoundRobin::new();
    own.extend_weighted(turns.members().map(|member| (*member.node, member.weight)))
        .unwrap();
    assert_eq!(picks(&own, 3), [0, 1, 2]);
    assert_eq!(picks(&copy, 2), [4, 0]);
}

#[test]
fn a_changed_clone_has_other_turns_on_the_same_count() {
    for start in [0, 1, 6, u64::MAX - 3] {
        let turns = named(RoundRobin::starting_at(start), &[5, 1, 1]);
        let mut copy = turns.clone();
        copy.insert(3).unwrap();
        let (old, new) = (smooth(&[5, 1, 1], 7), smooth(&[5, 1, 1, 1], 8));
        // Also over the ends of many laps of both.
        for tick in 0..20_000u128 {
            let turn = u128::from(start) + tick;
            if tick % 3 == 1 {
                assert_eq!(*turns.route("").unwrap(), old[(turn % 7) as usize]);
            } else {
                assert_eq!(*copy.route("").unwrap(), new[(turn % 8) as usize]);
            }
        }
    }
}

#[test]
fn a_reset_restarts_the_turns_of_all_clones() {
    for (start, skip) in [(0, 5), (3, 1), (1 << 40, 5000)] {
        let turns = named(RoundRobin::starting_at(start), &[1; 5]);
        let copy = turns.clone();
        let first = picks(&turns, 5);
        picks(&copy, skip);
        turns.reset();
        assert_eq!(picks(&copy, 3), first[..3]);
        assert_eq!(picks(&turns, 2), first[3..]);
    }
}

#[test]
fn replicas_are_distinct_consecutive_turns() {
    let turns = weighted(&[1; 5]);
    assert_eq!(turns.replicas("", 3), [&0, &1, &2]);
    assert_eq!(turns.replicas("", 3), [&3, &4, &0]);
    assert_eq!(turns.replicas("", usize::MAX).len(), 5);
    assert_eq!(turns.replicas("", 0).len(), 0);
    let zones = turns.replicas_across("", 2, |&node| node % 2);
    assert_ne!(zones[0] % 2, zones[1] % 2);
}

#[test]
fn tokens_tell_keys_apart_though_turns_do_not() {
    let turns = weighted(&[1, 1]);
    assert_ne!(turns.token_of(b"a"), turns.token_of(b"b"));
    assert_eq!(turns.token_of(b"a"), weighted(&[3]).token_of(b"a"));
}
