//! Two choices: distinct draws in proportion to weight, the lower load wins, a coin between equals.

use crate::common::gauge::{Gauge, gauges};
use clockwise::{ConfigError, PowerOfTwo};

/// How often each of `n` nodes stands among `picked`.
fn counts(n: usize, picked: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut counts = vec![0; n];
    for id in picked {
        counts[id as usize] += 1;
    }
    counts
}

fn servers(choices: u32, loads: &[(f64, u32)]) -> PowerOfTwo<Gauge> {
    let mut servers = PowerOfTwo::with_seed(17).with_choices(choices).unwrap();
    servers.extend_weighted(gauges(loads)).unwrap();
    servers
}

fn shares(servers: &PowerOfTwo<Gauge>, picks: usize) -> Vec<f64> {
    let counted = counts(
        servers.len(),
        (0..picks).map(|_| servers.route("").unwrap().id),
    );
    counted
        .iter()
        .map(|&count| f64::from(count) / picks as f64)
        .collect()
}

/// 5 standard deviations of a share that was counted over so many picks.
fn tolerance(share: f64, picks: usize) -> f64 {
    5.0 * (share * (1.0 - share) / picks as f64).sqrt()
}

#[test]
fn the_most_loaded_is_never_chosen_and_the_least_for_two_draws_in_n() {
    let servers = servers(2, &[(1.0, 1), (2.0, 1), (3.0, 1), (4.0, 1), (5.0, 1)]);
    let shares = shares(&servers, 100_000);
    // Of the 10 pairs the node of rank r (0 the least loaded) wins 4 − r.
    for (rank, share) in shares.iter().enumerate() {
        let due = (4 - rank) as f64 / 10.0;
        assert!((share - due).abs() <= tolerance(due, 100_000), "{shares:?}");
    }
    assert_eq!(shares[4], 0.0);
}

#[test]
fn equal_loads_are_drawn_in_proportion_to_weight_and_tossed() {
    // load/weight all 1. P(i) = Σ_j p(i, j)/2 over ordered pairs, where p(i, j) = w_i/W · w_j/(W −
    // w_i).
    let weights = [1u32, 2, 5];
    let loads: Vec<(f64, u32)> = weights.iter().map(|&w| (f64::from(w), w)).collect();
    let shares = shares(&servers(2, &loads), 200_000);
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    for i in 0..3 {
        let pair = |i: usize, j: usize| {
            let (a, b) = (f64::from(weights[i]), f64::from(weights[j]));
            a / total * b / (total - a)
        };
        let due: f64 = (0..3)
            .filter(|&j| j != i)
            .map(|j| 0.5 * (pair(i, j) + pair(j, i)))
            .sum();
        assert!(
            (shares[i] - due).abs() <= tolerance(due, 200_000),
            "{i}: {shares:?} {due}"
        );
    }
}

#[test]
fn d_choices_toss_evenly_and_find_the_least_more_often() {
    for choices in [1, 2, 3, 4, 16] {
        let equal = shares(&servers(choices, &[(1.0, 1); 8]), 80_000);
        assert!(
            equal
                .iter()
                .all(|share| (share - 0.125).abs() <= tolerance(0.125, 80_000)),
            "{choices}: {equal:?}"
        );
        let loads: Vec<(f64, u32)> = (0..8).map(|load| (f64::from(load), 1)).collect();
        let least = shares(&servers(choices, &loads), 80_000)[0];
        let due = f64::from(choices.min(8)) / 8.0;
        assert!(
            (least - due).abs() <= tolerance(due, 80_000) + f64::EPSILON,
            "{choices}: {least}"
        );
    }
}

#[test]
fn the_toss_does_not_favour_the_order_of_the_draws() {
    // All four are drawn, the heavy ones mostly first: two that tie with each other, then two that
    // tie at less.
    let servers = servers(4, &[(50.0, 50), (50.0, 50), (0.0, 10), (0.0, 1)]);
    let shares = shares(&servers, 100_000);
    assert_eq!(shares[..2], [0.0, 0.0]);
    assert!(
        (shares[3] - 0.5).abs() <= tolerance(0.5, 100_000),
        "{shares:?}"
    );
}

#[test]
fn a_refused_node_leaves_the_draw_and_two_are_drawn_anew() {
    let servers = servers(2, &[(1.0, 1), (2.0, 1), (3.0, 1), (4.0, 1)]);
    let picks = 60_000;
    let picked = (0..picks).map(|_| servers.route_where("", |gauge| gauge.id != 0).unwrap().id);
    let counts = counts(4, picked);
    // A pick that does not meet 0 (3 pairs of 6) keeps its winner; one that does draws a pair of
    // {1, 2, 3}. Either way the winner is that of a random pair of the three.
    for (id, due) in [(1, 2.0 / 3.0), (2, 1.0 / 3.0), (3, 0.0), (0, 0.0)] {
        let share = f64::from(counts[id]) / f64::from(picks);
        assert!(
            (share - due).abs() <= tolerance(due, picks as usize),
            "{id}: {counts:?}"
        );
    }
}

#[test]
fn each_node_is_offered_once_a_pick_and_all_before_none() {
    for n in [1, 2, 3, 16, 17, 31, 32, 33, 34, 100, 1000] {
        for choices in [1, 2, 3, 16] {
            let loads: Vec<(f64, u32)> = (1..=n).map(|i| (f64::from(i % 7), i)).collect();
            let servers = servers(choices, &loads);
            let mut offered = Vec::new();
            assert!(
                servers
                    .route_where("", |gauge| {
                        offered.push(gauge.id);
                        false
                    })
                    .is_none()
            );
            offered.sort_unstable();
            assert_eq!(
                offered,
                (0..n).collect::<Vec<_>>(),
                "{n} nodes, {choices} choices"
            );
        }
    }
}

#[test]
fn the_accepted_node_is_returned_and_accept_not_asked_again() {
    let servers = servers(2, &[(1.0, 1); 50]);
    for refusals in 0..50 {
        let (mut calls, mut last) = (0, None);
        let picked = servers.route_where("", |gauge| {
            calls += 1;
            last = Some(gauge.id);
            calls > refusals
        });
        assert_eq!((picked.map(|gauge| gauge.id), calls), (last, refusals + 1));
    }
}

#[test]
fn one_eligible_node_is_the_choice() {
    let mut servers = servers(3, &[(f64::INFINITY, 1), (0.0, u32::MAX)]);
    servers.drain(&1u32.to_be_bytes()).unwrap();
    for _ in 0..100 {
        assert_eq!(servers.route("").unwrap().id, 0);
    }
    servers.drain(&0u32.to_be_bytes()).unwrap();
    assert!(servers.route("").is_none());
    assert!(servers.replicas("", 9).is_empty());
}

#[test]
fn odd_loads_have_their_place() {
    // Two nodes: both are drawn always.
    for (lower, higher) in [
        (0.0, f64::NAN),
        (u64::MAX as f64, f64::NAN),
        (-1.0, 0.5),
        (1.0, f64::INFINITY),
        (f64::NEG_INFINITY, 1.0),
    ] {
        assert_eq!(
            shares(&servers(2, &[(higher, 1), (lower, 1)]), 100),
            [0.0, 1.0]
        );
    }
    for (a, b) in [
        (f64::NAN, f64::INFINITY),
        (-1.0, 0.0),
        (-0.0, 0.0),
        (u64::MAX as f64, u64::MAX as f64),
    ] {
        let shares = shares(&servers(2, &[(a, 1), (b, 1)]), 10_000);
        assert!(
            (shares[0] - 0.5).abs() < tolerance(0.5, 10_000),
            "{a} {b} {shares:?}"
        );
    }
}

#[test]
fn weights_may_sum_to_any_size() {
    let mut loads = vec![(1.0, u32::MAX); 100];
    loads.push((1.0, 1));
    let shares = shares(&servers(1, &loads), 100_000);
    assert!(
        shares[..100]
            .iter()
            .all(|share| (share - 0.01).abs() < tolerance(0.01, 100_000))
    );
}

#[test]
fn choices_out_of_range_are_refused_by_name() {
    for choices in [0, 17, u32::MAX] {
        let error = PowerOfTwo::<Gauge>::with_seed(1)
            .with_choices(choices)
            .unwrap_err();
        assert!(matches!(error, ConfigError::OutOfRange { .. }));
        assert_eq!(
            error.to_string(),
            format!("choices is {choices}, but must be from 1 to 16")
        );
    }
    assert_eq!(PowerOfTwo::<Gauge>::with_seed(1).choices(), 2);
}

#[test]
fn equal_seeds_replay() {
    let run = |seed| {
        let mut servers = PowerOfTwo::with_seed(seed);
        servers.extend_weighted(gauges(&[(1.0, 1); 100])).unwrap();
        (0..200)
            .map(|_| servers.route("").unwrap().id)
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn loads_are_read_at_each_pick() {
    let servers = servers(2, &[(1.0, 1), (2.0, 1)]);
    assert_eq!(shares(&servers, 100), [1.0, 0.0]);
    servers.get(&0u32.to_be_bytes()).unwrap().set(3.0);
    assert_eq!(shares(&servers, 100), [0.0, 1.0]);
}

#[test]
fn a_comparison_of_ones_own_needs_no_load() {
    let queued = [5u32, 2, 2, 9];
    for choices in [1, 2, 3, 4, 16] {
        let mut servers = PowerOfTwo::with_seed(8).with_choices(choices).unwrap();
        servers
            .extend_weighted((0..4u32).map(|id| (id, 1)))
            .unwrap();
        let picks = 40_000;
        let less = |a: &u32, b: &u32| queued[*a as usize] < queued[*b as usize];
        let counts = counts(4, (0..picks).map(|_| *servers.route_by(less).unwrap()));
        // Drawn, and nothing less among the other draws: C(those not less, d − 1) / C(4, d); ties
        // are halved.
        let due = match choices {
            1 => [0.25, 0.25, 0.25, 0.25],
            2 => [1.0 / 6.0, 5.0 / 12.0, 5.0 / 12.0, 0.0],
            _ => [0.0, 0.5, 0.5, 0.0],
        };
        for (count, due) in counts.iter().zip(due) {
            let share = f64::from(*count) / f64::from(picks);
            assert!(
                (share - due).abs() <= tolerance(due, picks as usize),
                "{choices}: {counts:?}"
            );
        }
        servers.drain(&1u32).unwrap();
        servers.drain(&2u32).unwrap();
        assert!((0..100).all(|_| [0, 3].contains(servers.route_by(less).unwrap())));
        servers.clear();
        assert_eq!(servers.route_by(less), None);
    }
}
