//! A warming node gets the share warmth × weight / total weight, at any traffic and among any
//! number of nodes. In virtual time, with fixed seeds.

use crate::common::random::Rng;
use clockwise::{Key, LeastLoaded, Load, PowerOfTwo, Route, Strategy};
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

struct Node {
    id: u32,
    in_flight: Cell<u32>,
    warmth: Cell<f64>,
    /// What the load is per request, such as a latency.
    cost: f64,
}

impl Key for Node {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.id.to_be_bytes()
    }
}

impl Load for Node {
    fn load(&self) -> f64 {
        self.cost * (f64::from(self.in_flight.get()) + 1.0)
    }
    fn warmth(&self) -> f64 {
        self.warmth.get()
    }
}

fn node(id: u32, warmth: f64) -> Node {
    Node {
        id,
        in_flight: Cell::new(0),
        warmth: Cell::new(warmth),
        cost: 0.02,
    }
}

/// `warming` nodes of this warmth and weight, and others of weight 1.
fn nodes(n: u32, warming: u32, warmth: f64, weight: u32) -> Vec<(Node, u32)> {
    (0..n)
        .map(|id| {
            if id < warming {
                (node(id, warmth), weight)
            } else {
                (node(id, 1.0), 1)
            }
        })
        .collect()
}

/// Both strategies over such nodes, two choices with three too.
fn strategies(
    make: impl Fn() -> Vec<(Node, u32)>,
) -> [(&'static str, Box<dyn Strategy<Node = Node>>); 3] {
    let mut least = LeastLoaded::with_seed(3);
    least.extend_weighted(make()).unwrap();
    let mut two = PowerOfTwo::with_seed(4);
    two.extend_weighted(make()).unwrap();
    let mut three = PowerOfTwo::with_seed(5).with_choices(3).unwrap();
    three.extend_weighted(make()).unwrap();
    [
        ("least loaded", Box::new(least)),
        ("two choices", Box::new(two)),
        ("three choices", Box::new(three)),
    ]
}

/// Requests that come at random and take a random time of mean 1, `in_flight` a node on average.
/// Returns how many each node gets, after a warm-up of a fifth.
fn simulate(
    strategy: &dyn Strategy<Node = Node>,
    in_flight: f64,
    requests: u32,
    hangs: impl Fn(u32) -> bool,
    accept: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let mut all = Vec::new();
    strategy.for_each_member(&mut |member| all.push(member.node));
    let rate = in_flight * all.len() as f64;
    let mut random = Rng::new(1);
    let mut ends = BinaryHeap::new();
    let mut counts = vec![0; all.len()];
    let mut now = 0.0f64;
    for request in 0..requests {
        now += random.exponential() / rate;
        while let Some(&Reverse((end, id))) = ends.peek() {
            // The bits of positive numbers are in the order of the numbers.
            if f64::from_bits(end) > now {
                break;
            }
            let node: &Node = all[id as usize];
            node.in_flight.set(node.in_flight.get() - 1);
            ends.pop();
        }
        let chosen = strategy.route_where("", |node| accept(node.id)).unwrap();
        chosen.in_flight.set(chosen.in_flight.get() + 1);
        if !hangs(chosen.id) {
            let end = now + random.exponential();
            ends.push(Reverse((end.to_bits(), chosen.id)));
        }
        if request >= requests / 5 {
            counts[chosen.id as usize] += 1;
        }
    }
    counts
}

/// Whether a count is what is due, within 5 standard deviations of chance and 3 %.
fn within_noise(count: u32, due: f64) -> bool {
    (f64::from(count) - due).abs() <= 5.0 * due.sqrt() + 0.03 * due
}

#[test]
fn the_share_follows_the_ramp_at_any_traffic_and_number_of_nodes() {
    for n in [2, 5, 50, 500] {
        for warmth in [0.1, 0.6].into_iter().skip(usize::from(n == 500)) {
            for in_flight in [0.04, 0.5, 4.0, 64.0] {
                // Enough for the nodes to fill up.
                let requests = 20_000u32.max((in_flight * f64::from(n) * 1.5) as u32);
                for (name, strategy) in strategies(|| nodes(n, 1, warmth, 1)).into_iter().take(2) {
                    let counts = simulate(&*strategy, in_flight, requests, |_| false, |_| true);
                    let all: u32 = counts.iter().sum();
                    let due = f64::from(all) * warmth / f64::from(n);
                    assert!(
                        within_noise(counts[0], due),
                        "{name}: {} of {all} instead of {due}, {n} nodes, warmth {warmth}, {in_flight} in flight",
                        counts[0]
                    );
                }
            }
        }
    }
}

#[test]
fn a_floor_of_a_hundredth_among_130_nodes_is_not_nothing() {
    for (name, strategy) in strategies(|| nodes(130, 1, 0.01, 1)) {
        let counts = simulate(&*strategy, 0.5, 250_000, |_| false, |_| true);
        let due = 200_000.0 * 0.01 / 130.0;
        assert!(
            counts[0] >= 5 && within_noise(counts[0], due),
            "{name}: {}",
            counts[0]
        );
    }
}

#[test]
fn several_warming_nodes_get_their_shares_by_weight() {
    for (name, strategy) in strategies(|| nodes(20, 5, 0.3, 2)) {
        for in_flight in [0.04, 4.0] {
            let counts = simulate(&*strategy, in_flight, 50_000, |_| false, |_| true);
            for &count in &counts[..5] {
                let due = 40_000.0 * 0.3 * 2.0 / 25.0;
                assert!(within_noise(count, due), "{name}, {in_flight}: {counts:?}");
            }
        }
    }
}

#[test]
fn most_nodes_may_be_warming() {
    // More than are drawn before all nodes are looked at for a warm one.
    for (name, strategy) in strategies(|| nodes(200, 198, 0.2, 1)) {
        let counts = simulate(&*strategy, 0.5, 20_000, |_| false, |_| true);
        let warm: u32 = counts[198..].iter().sum();
        let due = 16_000.0 * (1.0 - 0.2 * 198.0 / 200.0);
        assert!(within_noise(warm, due), "{name}: {warm} instead of {due}");
    }
}

#[test]
fn if_all_are_warming_the_warmer_get_more() {
    let make = || {
        let mut nodes = nodes(40, 40, 0.1, 1);
        for (node, _) in &mut nodes[20..] {
            node.warmth.set(0.2);
        }
        nodes
    };
    for (name, strategy) in strategies(make) {
        let counts = simulate(&*strategy, 20.0, 60_000, |_| false, |_| true);
        let [cold, warmer] = [&counts[..20], &counts[20..]].map(|part| part.iter().sum::<u32>());
        // The least of few draws only leans towards the warmer, so anything above 1 is right there.
        let ratio = f64::from(warmer) / f64::from(cold);
        assert!((1.5..2.3).contains(&ratio), "{name}: {ratio}");
    }
}

#[test]
fn a_warming_node_that_hangs_gets_nothing() {
    for n in [2, 50] {
        for in_flight in [0.04, 4.0] {
            for (name, strategy) in strategies(|| nodes(n, 1, 0.5, 1)) {
                let counts = simulate(&*strategy, in_flight, 40_000, |id| id == 0, |_| true);
                // What it holds is at most 4 times what the others hold at their busiest.
                assert!(
                    counts[0] <= 4 * (4 * in_flight as u32 + 4),
                    "{name}: {}",
                    counts[0]
                );
            }
        }
    }
}

#[test]
fn refused_nodes_leave_the_draw() {
    for refused in [1u32, 10, 30] {
        // Node 0 warms up. Of the last ones some are refused, so all of more than 16 here.
        // They are idle, so they are offered first.
        for in_flight in [0.04, 8.0] {
            for (name, strategy) in strategies(|| nodes(40, 1, 0.5, 1)) {
                let accept = |id: u32| id < 40 - refused;
                let counts = simulate(&*strategy, in_flight, 20_000, |_| false, accept);
                let due = 16_000.0 * 0.5 / f64::from(40 - refused);
                println!(
                    "{name}, {refused} refused, {in_flight}: {} for {due}",
                    counts[0]
                );
                assert!(
                    within_noise(counts[0], due),
                    "{name}, {refused}: {} for {due}",
                    counts[0]
                );
                assert!(
                    (0..)
                        .zip(&counts)
                        .all(|(id, &count)| accept(id) == (count > 0))
                );
            }
        }
    }
}

#[test]
fn every_node_is_offered_once_and_the_warming_ones_that_were_passed_over_last() {
    for n in [2u32, 10, 17, 40, 100] {
        let warming = n / 3;
        for (name, strategy) in strategies(|| nodes(n, warming, 1e-9, 1)) {
            for _ in 0..20 {
                let mut offered = Vec::new();
                let none = strategy.route_where("", |node| {
                    offered.push(node.id);
                    false
                });
                assert!(none.is_none());
                // With this little warmth there are no turns.
                let warm_first = offered[..(n - warming) as usize]
                    .iter()
                    .all(|&id| id >= warming);
                assert!(warm_first, "{name}: {offered:?}");
                offered.sort_unstable();
                assert_eq!(offered, (0..n).collect::<Vec<_>>(), "{name}");
            }
        }
    }
}

#[test]
fn a_drained_node_gets_no_turn_and_odd_warmths_do_no_harm() {
    let mut least = LeastLoaded::with_seed(1);
    let mut two = PowerOfTwo::with_seed(1);
    least.extend_weighted(nodes(3, 1, 0.9, 1)).unwrap();
    two.extend_weighted(nodes(3, 1, 0.9, 1)).unwrap();
    least.drain(&0u32.to_be_bytes()).unwrap();
    two.drain(&0u32.to_be_bytes()).unwrap();
    for strategy in [&least as &dyn Strategy<Node = Node>, &two] {
        let counts = simulate(strategy, 0.5, 5000, |_| false, |_| true);
        assert!(
            counts[0] == 0 && counts[1] > 1500 && counts[2] > 1500,
            "{counts:?}"
        );
    }
    for (warmth, expected) in [
        (f64::NAN, 1000..3000),
        (f64::INFINITY, 1000..3000),
        (2.0, 1000..3000),
        (0.0, 0..1),
        (-1.0, 0..1),
        (f64::NEG_INFINITY, 0..1),
    ] {
        for (name, strategy) in strategies(|| nodes(2, 1, warmth, 1)) {
            let counts = simulate(&*strategy, 0.1, 5000, |_| false, |_| true);
            assert!(
                expected.contains(&counts[0]),
                "{name}, {warmth}: {counts:?}"
            );
        }
        // Alone it is offered all the same.
        for (name, strategy) in strategies(|| nodes(1, 1, warmth, 1)) {
            assert!(strategy.route("").is_some(), "{name}, {warmth}");
        }
    }
}
