//! Bounded loads go by the nodes that can be offered: a node that a filter or a condition refuses
//! counts as if it were drained.

use crate::common::caps::{Factor, Oracle, ring};
use crate::common::random::Rng;
use clockwise::{Bounded, Filtered, Tracked};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// How refused nodes are kept out.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Out {
    Drained,
    Filtered,
    Condition,
}

/// What 20 nodes do with `out` refused, `each` requests in flight a node in service: the node of
/// each request, compared with the oracle's, and the fraction of requests that leave their first
/// node. The refusals begin after a while, so some leases are on refused nodes.
fn run(how: Out, factor: Factor, refused: u32, weights: &[u32]) -> (Vec<u32>, f64) {
    const NODES: u32 = 20;
    let count = crate::common::scaled(1_000, 2_500, 40_000);
    let plain = ring(NODES, weights);
    let each = 32;
    let out: RefCell<BTreeSet<u32>> = RefCell::default();
    let filter = |node: &Tracked<u32>| how != Out::Filtered || !out.borrow().contains(node);
    let mut bounded = Bounded::new(Filtered::new(plain.clone(), filter), factor.get()).unwrap();
    let mut oracle = Oracle::new(plain, factor);
    let mut rng = Rng::new(u64::from(refused));
    let (mut chosen, mut left) = (Vec::new(), 0);
    let mut held = Vec::new();
    for step in 0..count {
        if step == count / 4 {
            // Spread over the list: 0, 3, 6, … modulo 20.
            let these: BTreeSet<u32> = (0..refused).map(|i| i * 3 % NODES).collect();
            assert_eq!(these.len(), refused as usize);
            if how == Out::Drained {
                let drained = bounded.drain_where(|node| these.contains(node));
                assert_eq!(drained, refused as usize);
            }
            out.replace(these.clone());
            oracle.out = these;
        }
        while held.len() >= (each * (NODES - oracle.out.len() as u32)) as usize {
            let (id, in_flight) = held.swap_remove(rng.below(held.len()));
            *oracle.counts.get_mut(&id).unwrap() -= 1;
            drop(in_flight);
        }
        let key = rng.next();
        let expected = oracle.choose(key);
        let cap = oracle.cap(expected);
        if how != Out::Condition {
            assert_eq!(bounded.cap(&expected), Some(cap), "{how:?}");
        }
        let lease = match how {
            Out::Condition => bounded.acquire_where(&key, |node| !out.borrow().contains(node)),
            _ => bounded.acquire(&key),
        };
        let (node, in_flight) = lease.unwrap().into_parts();
        assert_eq!(*node, expected, "{how:?}, step {step}");
        assert!(node.in_flight() <= cap, "{how:?}: a cap is passed");
        let first = oracle.order(key).next().unwrap();
        if step >= count / 2 {
            left += usize::from(first != expected);
            chosen.push(expected);
        }
        *oracle.counts.entry(expected).or_default() += 1;
        held.push((expected, in_flight));
    }
    drop(held);
    assert_eq!(bounded.open_leases(), 0);
    let fraction = left as f64 / chosen.len() as f64;
    (chosen, fraction)
}

#[test]
fn refused_nodes_count_as_drained_ones() {
    for factor in [Factor(125), Factor(150)] {
        for refused in [4, 8, 12, 16] {
            for weights in [&[1][..], &[1, 2, 5]] {
                let (drained, left) = run(Out::Drained, factor, refused, weights);
                for how in [Out::Filtered, Out::Condition] {
                    let (chosen, other) = run(how, factor, refused, weights);
                    assert_eq!(chosen, drained, "{how:?}");
                    assert!(
                        (left - other).abs() <= 0.005,
                        "{left} drained, {other} {how:?}"
                    );
                }
                println!(
                    "{factor:?}, {refused} of 20 out, weights {weights:?}: {:.2} % leave",
                    left * 100.0
                );
                // By the weight of all members 93 % left, with 4 of 20 equal nodes out.
                assert!(left < 0.2, "{left}");
            }
        }
    }
}

/// Four nodes, c = 1.5: a key's node holds 4, the last node 1, and the two that are out 1 each. So
/// L is 7 and the cap of the first node ⌈1.5 · 8 / 2⌉ = 6.
#[test]
fn a_key_stays_where_it_would_stay_if_the_refused_nodes_were_drained() {
    let plain = ring(4, &[1]);
    for how in [Out::Drained, Out::Filtered, Out::Condition] {
        let out: RefCell<BTreeSet<u32>> = RefCell::default();
        let filter = |node: &Tracked<u32>| how != Out::Filtered || !out.borrow().contains(node);
        let mut bounded = Bounded::new(Filtered::new(plain.clone(), filter), 1.5).unwrap();
        let order: Vec<u32> = plain.preference("key").map(|node| **node).collect();
        let mut held = Vec::new();
        for (&id, count) in order.iter().zip([4, 1, 1, 1]) {
            for _ in 0..count {
                let lease = bounded.acquire_where("key", |node| **node == id).unwrap();
                held.push(lease.into_in_flight());
            }
        }
        assert_eq!(bounded.open_leases(), 7);
        let refused = BTreeSet::from([order[1], order[2]]);
        if how == Out::Drained {
            bounded.drain_where(|node| refused.contains(node));
        }
        *out.borrow_mut() = refused.clone();
        if how == Out::Condition {
            let lease = bounded.acquire_where("key", |node| !refused.contains(node));
            assert_eq!(**lease.unwrap(), order[0]);
        } else {
            assert_eq!(bounded.cap(&order[0]), Some(6), "{how:?}");
            assert_eq!(bounded.route("key").map(|node| **node), Some(order[0]));
            assert_eq!(**bounded.acquire("key").unwrap(), order[0], "{how:?}");
        }
        drop(held);
    }
}

/// 1,000 nodes, 16 requests in flight a node, and a filter that counts its calls.
#[test]
fn the_filter_is_asked_no_more_than_it_takes() {
    const NODES: u32 = 1_000;
    const COUNT: usize = 1_000;
    let plain = ring(NODES, &[1]);
    for refused in [0, 100, 250] {
        // A block at either end of the list: which one must not matter.
        let averages = [0, NODES - refused].map(|block| {
            let calls = Cell::new(0);
            let is_up = |id: u32| !(block..block + refused).contains(&id);
            let filtered = Filtered::new(plain.clone(), |node| {
                calls.set(calls.get() + 1);
                is_up(**node)
            });
            let bounded = Bounded::new(filtered, 1.25).unwrap();
            let mut rng = Rng::new(5);
            let mut held = Vec::new();
            while held.len() < 16 * NODES as usize {
                held.push(bounded.acquire(&rng.next()).unwrap());
            }
            let (mut low, mut counted, mut most) = (0, 0, 0);
            for _ in 0..COUNT {
                drop(held.swap_remove(rng.below(held.len())));
                let key = rng.next();
                // The walk asks the refused nodes that stand before the first one that is up.
                let mut order = plain.preference(&key);
                let refused_before = order.position(|node| is_up(**node)).unwrap();
                let first = plain.preference(&key).nth(refused_before).unwrap();
                // ⌈1.25 · 16,000 / 1,000⌉ = 20 by the weight of all.
                let is_low = first.in_flight() < 20;
                calls.set(0);
                held.push(bounded.acquire(&key).unwrap());
                if is_low {
                    low += 1;
                    assert_eq!(calls.get(), refused_before + 1);
                } else {
                    counted += calls.get();
                    most = most.max(calls.get());
                }
            }
            println!(
                "{refused} refused from {block} on: {low} of {COUNT} only walk, else {} calls, {most} at most",
                counted / COUNT
            );
            // Each once to count, and those of two walks.
            assert!(most < NODES as usize + 100);
            counted as f64 / COUNT as f64
        });
        assert!(averages.iter().all(|&calls| calls < f64::from(NODES) / 2.0));
        assert!(
            (averages[0] / averages[1] - 1.0).abs() < 0.1,
            "{averages:?}"
        );
    }
}

/// Replicas come in the order of the caps that `acquire` goes by, and all members are asked once to
/// count them, however many nodes are passed over.
#[test]
fn replicas_are_ordered_by_the_caps_of_the_nodes_that_pass() {
    let plain = ring(40, &[1, 2]);
    let calls = Cell::new(0);
    let filtered = Filtered::new(plain.clone(), |node| {
        calls.set(calls.get() + 1);
        **node % 3 > 0
    });
    let bounded = Bounded::new(filtered, 1.25).unwrap();
    let held: Vec<_> = (0..400u64)
        .filter_map(|key| bounded.acquire(&(key % 5)))
        .collect();
    for key in 0..100u64 {
        let is_full = |id: &u32| plain.get(id).unwrap().in_flight() >= bounded.cap(id).unwrap();
        let mut expected: Vec<u32> = plain.preference(&key).map(|node| **node).collect();
        expected.retain(|id| id % 3 > 0);
        let (full, below): (Vec<u32>, Vec<u32>) = expected.iter().partition(|id| is_full(id));
        assert!(!full.is_empty() && !below.is_empty());
        calls.set(0);
        let replicas = bounded.replicas(&key, usize::MAX);
        assert_eq!(calls.get(), 40 + 40, "in the walk, and to count");
        let ids: Vec<u32> = replicas.iter().map(|node| ***node).collect();
        assert_eq!(ids[..below.len()], below);
        let mut rest = ids[below.len()..].to_vec();
        rest.sort_unstable();
        let mut full = full;
        full.sort_unstable();
        assert_eq!(rest, full);
        assert_eq!(bounded.route(&key).map(|node| **node), Some(below[0]));
    }
    drop(held);
}

#[test]
fn a_condition_is_asked_twice_at_most_for_a_node() {
    let plain = ring(16, &[1]);
    let bounded = Bounded::new(plain.clone(), 1.05).unwrap();
    let mut held = Vec::new();
    for key in 0..300u64 {
        let mut asked: BTreeMap<u32, u32> = BTreeMap::new();
        let lease = bounded.acquire_where(&(key % 3), |node| {
            *asked.entry(**node).or_default() += 1;
            **node % 4 != 0
        });
        held.push(lease.unwrap());
        assert!(asked.values().all(|&times| times <= 2), "{asked:?}");
    }
}

/// A filter may panic, change its mind while it is asked, or use the strategy itself.
#[test]
fn any_filter_leaves_the_counts_right() {
    let plain = ring(8, &[1, 3]);
    let calls = Cell::new(0);
    let panics_at = Cell::new(usize::MAX);
    let rng = RefCell::new(Rng::new(9));
    let inside = plain.clone();
    let filtered = Filtered::new(plain.clone(), |node: &Tracked<u32>| {
        calls.set(calls.get() + 1);
        if calls.get() == panics_at.get() {
            resume_unwind(Box::new("in the filter"));
        }
        let _passing = node.begin();
        drop(inside.route("another key").map(Tracked::begin));
        **node == 5 || !rng.borrow_mut().chance(3)
    });
    let bounded = Bounded::new(filtered, 1.05).unwrap();
    for at in 1..200 {
        calls.set(0);
        panics_at.set(at);
        let done = catch_unwind(AssertUnwindSafe(|| {
            let held: Vec<_> = (0..40u64).filter_map(|_| bounded.acquire("key")).collect();
            assert_eq!(held.len(), 40, "one node is always up");
        }));
        assert_eq!(done.is_err(), calls.get() >= at);
        assert_eq!(bounded.open_leases(), 0);
        assert!(plain.nodes().all(|node| node.in_flight() == 0));
    }
}
