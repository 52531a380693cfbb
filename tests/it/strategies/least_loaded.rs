//! Least loaded: the choices of nginx and `HAProxy` where the definitions agree, even ties, and
//! every odd load.

use crate::common::gauge::{Gauge, gauges};
use clockwise::{Key, LeastLoaded, Load, Strategy};
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::HashMap;

/// How often each of `n` nodes stands among `picked`.
fn counts(n: usize, picked: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut counts = vec![0; n];
    for id in picked {
        counts[id as usize] += 1;
    }
    counts
}

fn servers(loads: &[(f64, u32)]) -> LeastLoaded<Gauge> {
    let mut servers = LeastLoaded::with_seed(11);
    servers.extend_weighted(gauges(loads)).unwrap();
    servers
}

fn order(servers: &LeastLoaded<Gauge>) -> Vec<u32> {
    let replicas = servers.replicas("", usize::MAX);
    replicas.iter().map(|gauge| gauge.id).collect()
}

/// A server that counts its connections, as nginx does: without the request to come.
struct Connections(u16, Cell<u32>);

impl Key for Connections {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}

impl Load for Connections {
    fn load(&self) -> f64 {
        f64::from(self.1.get())
    }
}

/// Replays what a program chose. Each time its server must be among those that we hold equally good
/// and offer first: all before them in our order have the same load by weight, and where only one
/// is least it is our first.
fn replay(column: usize, weights: [u32; 5]) -> usize {
    let mut servers = LeastLoaded::with_seed(5);
    servers
        .extend_weighted(
            (9001..)
                .map(|port| Connections(port, Cell::new(0)))
                .zip(weights),
        )
        .unwrap();
    let relative = |port: u16| {
        let server = servers.get(&port.to_be_bytes()).unwrap();
        f64::from(server.1.get()) / f64::from(servers.weight(&port.to_be_bytes()).unwrap())
    };
    let mut open = HashMap::new();
    let mut single = 0;
    for line in include_str!("../../golden/leastconn.tsv").lines().skip(2) {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells[0] == "-" {
            let server = servers.get(&open.remove(cells[1]).unwrap()).unwrap();
            server.1.set(server.1.get() - 1);
            continue;
        }
        let port: u16 = cells[column].parse().unwrap();
        let order: Vec<u16> = servers
            .replicas("", 5)
            .iter()
            .map(|server| server.0)
            .collect();
        let place = order.iter().position(|&ours| ours == port).unwrap();
        for &ours in &order[..=place] {
            assert_eq!(relative(ours), relative(port), "request {}", cells[1]);
        }
        let tied = order
            .iter()
            .filter(|&&ours| relative(ours) == relative(port))
            .count();
        if tied == 1 {
            single += 1;
            assert_eq!(servers.route("").map(|server| server.0), Some(port));
        }
        let server = servers.get(&port.to_be_bytes()).unwrap();
        server.1.set(server.1.get() + 1);
        open.insert(cells[1].to_owned(), port.to_be_bytes());
    }
    single
}

#[test]
fn nginx_and_haproxy_choose_among_our_first() {
    // How often only one server was least: those are compared to the letter.
    assert_eq!(replay(2, [1; 5]), 27);
    assert_eq!(replay(3, [1, 2, 3, 4, 5]), 54);
    assert_eq!(replay(4, [1; 5]), 28);
    // HAProxy with weights counts the coming request for busy servers only: another definition, not
    // compared.
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, rng_seed: proptest::test_runner::RngSeed::Fixed(4), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_is_that_of_load_by_weight(loads in prop::collection::vec((0u32..9, 1u32..5), 1..150), refused in 0usize..40) {
        let loads: Vec<(f64, u32)> = loads.into_iter().map(|(load, weight)| (f64::from(load), weight)).collect();
        let servers = servers(&loads);
        let relative = |id: u32| loads[id as usize].0 / f64::from(loads[id as usize].1);
        let order = order(&servers);
        prop_assert_eq!(order.len(), loads.len());
        prop_assert!(order.windows(2).all(|pair| relative(pair[0]) <= relative(pair[1])));
        let mut once = order.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), loads.len());
        // The node that is accepted is the one returned.
        let mut calls = 0;
        let picked = servers.route_where("", |_| { calls += 1; calls > refused });
        prop_assert_eq!(picked.is_some(), refused < loads.len());
        prop_assert_eq!(calls, loads.len().min(refused + 1));
    }
}

#[test]
fn ties_are_spread_evenly_over_the_tied() {
    // Few and many, adjacent and apart, beyond one block of 64, beside busy ones.
    for tied in [
        vec![0, 1, 2],
        vec![3, 4, 9],
        (0..63).collect(),
        vec![1, 70, 71, 150],
        (0..200).collect::<Vec<u32>>(),
    ] {
        let loads: Vec<(f64, u32)> = (0..200)
            .map(|id| (if tied.contains(&id) { 1.0 } else { 7.0 }, 1))
            .collect();
        let servers = servers(&loads);
        let each = 300;
        let picked = (0..each * tied.len()).map(|_| servers.route("").unwrap().id);
        let counts = counts(200, picked);
        // Within one block the golden ratio spreads them; across blocks chance: standard deviation
        // below √300 = 17.3, of which 5.
        for id in 0..200 {
            let due = if tied.contains(&id) { each as u32 } else { 0 };
            assert!(counts[id as usize].abs_diff(due) < 87, "{id}: {counts:?}");
        }
    }
}

#[test]
fn few_tied_are_spread_better_than_by_chance() {
    let servers = servers(&[(1.0, 1); 10]);
    let mut seen = [0u32; 10];
    for n in 1..=5000u32 {
        seen[servers.route("").unwrap().id as usize] += 1;
        assert!(
            seen.iter().all(|&count| count.abs_diff(n / 10) <= 4),
            "{seen:?}"
        );
    }
}

#[test]
fn a_refused_nodes_ties_do_not_go_to_its_neighbour() {
    let servers = servers(&[(1.0, 1); 8]);
    let picked = (0..14_000).map(|_| servers.route_where("", |gauge| gauge.id != 3).unwrap().id);
    // 2000 each of the 7 others; the neighbour would have 3750 of 14,000.
    for (id, count) in (0..).zip(counts(8, picked)) {
        let due = if id == 3 { 0 } else { 2000u32 };
        assert!(count.abs_diff(due) < 224, "{id}: {count}");
    }
}

#[test]
fn odd_loads_have_their_place() {
    // Negative is 0, NaN is infinity; the infinite come last, but come.
    let servers = servers(&[
        (f64::NAN, 1),
        (u64::MAX as f64, 1),
        (-5.0, 1),
        (f64::INFINITY, 4),
        (1.0, 1),
        (f64::NEG_INFINITY, 2),
        (f64::MAX, u32::MAX),
    ]);
    let mut first = [0u32; 7];
    for _ in 0..1000 {
        let order = order(&servers);
        first[order[0] as usize] += 1;
        let mut zero = order[..2].to_vec();
        zero.sort_unstable();
        assert_eq!(zero, [2, 5]);
        assert_eq!(order[2..5], [4, 1, 6]);
    }
    assert_eq!(first[2] + first[5], 1000);
    assert!(first[2].abs_diff(500) < 80, "{first:?}");
}

#[test]
fn where_all_loads_are_nan_or_infinite_all_are_tied() {
    for load in [f64::NAN, f64::INFINITY, u64::MAX as f64, 0.0, -0.0, -1.0] {
        for n in [1, 5, 100] {
            let servers = servers(&vec![(load, 1); n]);
            let seen = counts(n, (0..n * 200).map(|_| servers.route("").unwrap().id));
            assert!(
                seen.iter().all(|count| count.abs_diff(200) < 71),
                "{load}: {seen:?}"
            );
            assert_eq!(order(&servers).len(), n);
        }
    }
    let mixed = servers(&[(f64::NAN, 1), (f64::INFINITY, 7)]);
    let seen = counts(2, (0..1000).map(|_| mixed.route("").unwrap().id));
    assert!(seen[0].abs_diff(500) < 80, "{seen:?}");
}

#[test]
fn a_heavier_idle_node_goes_first() {
    let servers = servers(&[(1.0, 1), (1.0, 3), (1.0, 2)]);
    assert_eq!(order(&servers), [1, 2, 0]);
    servers.get(&1u32.to_be_bytes()).unwrap().set(4.0); // 4/3 is more than 1
    assert_eq!(order(&servers), [2, 0, 1]);
}

#[test]
fn drained_nodes_are_not_offered_and_their_loads_not_compared() {
    let mut servers = servers(&[(0.0, 1), (5.0, 1), (9.0, 1)]);
    servers.drain(&0u32.to_be_bytes()).unwrap();
    assert_eq!(order(&servers), [1, 2]);
    servers.undrain(&0u32.to_be_bytes()).unwrap();
    assert_eq!(order(&servers), [0, 1, 2]);
    servers.clear();
    assert_eq!(servers.route("").map(|gauge| gauge.id), None);
    assert!(order(&servers).is_empty());
}

#[test]
fn equal_seeds_replay() {
    let run = |seed| {
        let mut servers = LeastLoaded::with_seed(seed);
        servers.extend_weighted(gauges(&[(1.0, 1); 100])).unwrap();
        (0..200)
            .map(|_| servers.route("").unwrap().id)
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn tokens_tell_keys_apart_though_loads_decide() {
    let servers = servers(&[(1.0, 1)]);
    assert_ne!(servers.token_of(b"a"), servers.token_of(b"b"));
}
