//! Bounded loads go by the nodes that can be offered: a node that a filter or a condition refuses
//! counts as if it were drained.

mod common;

use clockwise::{Bounded, Filtered, HashRing, Lease, Tracked};
use common::random::Rng;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

type Ring = HashRing<Tracked<u32>>;

/// `count` nodes, with these weights one after the other.
fn ring(count: u32, weights: &[u32]) -> Ring {
    let nodes = (0..count).zip(weights.iter().copied().cycle());
    let mut ring = HashRing::builder().virtual_nodes(64).build().unwrap();
    ring.extend_weighted(nodes.map(|(id, weight)| (Tracked::new(id), weight)))
        .unwrap();
    ring
}

/// A load factor in hundredths, so that caps can be worked out by fractions.
#[derive(Clone, Copy, Debug)]
struct Factor(u64);

impl Factor {
    fn get(self) -> f64 {
        self.0 as f64 / 100.0
    }

    /// ⌈c · requests · weight / total⌉
    fn cap(self, requests: usize, weight: u32, total: u32) -> u32 {
        let cap = u128::from(self.0) * requests as u128 * u128::from(weight);
        cap.div_ceil(100 * u128::from(total)) as u32
    }
}

/// Counts and caps from scratch: knows the members, who is refused and what is held, and nothing of
/// what is tested.
struct Oracle {
    plain: Ring,
    factor: Factor,
    min_cap: u32,
    out: BTreeSet<u32>,
    counts: BTreeMap<u32, u32>,
}

impl Oracle {
    fn new(plain: Ring, factor: Factor) -> Oracle {
        Oracle {
            plain,
            factor,
            min_cap: 0,
            out: BTreeSet::new(),
            counts: BTreeMap::new(),
        }
    }

    fn count(&self, id: u32) -> u32 {
        self.counts.get(&id).copied().unwrap_or(0)
    }

    fn held(&self) -> usize {
        self.counts.values().sum::<u32>() as usize
    }

    /// The weight of the members that are not drained, and for which `is_in` returns `true`.
    fn weight(&self, is_in: impl Fn(u32) -> bool) -> u32 {
        let members = self.plain.members();
        let these = members.filter(|member| !member.drained && is_in(**member.node));
        these.map(|member| member.weight).sum()
    }

    /// The cap that the next request goes by.
    fn cap(&self, id: u32) -> u32 {
        self.caps()(id)
    }

    fn caps(&self) -> impl Fn(u32) -> u32 {
        let offered = self.weight(|id| !self.out.contains(&id));
        let all = self.weight(|_| true);
        let eligible = self.plain.members().filter(|m| !m.drained).count() as u64;
        let requests = self.held() + 1;
        move |id| {
            if offered == 0 {
                return 0;
            }
            let weight = self.plain.weight(&id).unwrap();
            let floor = u64::from(self.min_cap) * u64::from(weight) * eligible;
            let floor = floor.div_ceil(all.into()) as u32;
            self.factor.cap(requests, weight, offered).max(floor)
        }
    }

    /// The nodes that can be offered, in the key's order.
    fn order(&self, key: u64) -> impl Iterator<Item = u32> {
        let order = self.plain.preference(&key).map(|node| **node);
        order.filter(|id| !self.out.contains(id))
    }

    fn choose(&self, key: u64) -> u32 {
        let mut order = self.order(key);
        let cap = self.caps();
        let chosen = order.find(|&id| self.count(id) < cap(id));
        chosen.expect("what is held came through the bound")
    }
}

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
    let count = common::scaled(2_000, 4_000, 40_000);
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
            *out.borrow_mut() = these.clone();
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

/// Random states of weights, drained and refused nodes, floors and requests in flight.
#[test]
fn the_cap_is_what_acquire_applies() {
    let mut rng = Rng::new(3);
    let (mut at, mut below) = (0, 0);
    for _ in 0..common::scaled(20, 200, 5_000) {
        let weights: Vec<u32> = (0..8).map(|_| rng.between(1, 9) as u32).collect();
        let mut plain = ring(8, &weights);
        let factor = Factor(*rng.pick(&[105, 125, 150, 300]));
        for id in 0..8u32 {
            if rng.chance(5) {
                plain.drain(&id).unwrap();
            }
        }
        let mut oracle = Oracle::new(plain.clone(), factor);
        oracle.out = (0..8).filter(|_| rng.chance(3)).collect();
        oracle.min_cap = rng.below(4) as u32;
        let filter = |node: &Tracked<u32>| !oracle.out.contains(node);
        let bounded = Bounded::new(Filtered::new(plain.clone(), filter), factor.get())
            .unwrap()
            .min_cap(oracle.min_cap);
        let offered = oracle.weight(|id| !oracle.out.contains(&id));
        let mut held: Vec<Lease<'_, Tracked<u32>>> = Vec::new();
        for _ in 0..60 {
            for id in 0..8u32 {
                assert_eq!(bounded.cap(&id), Some(oracle.cap(id)));
            }
            if offered == 0 {
                assert!(bounded.acquire("key").is_none());
                continue;
            }
            let (key, wanted) = (rng.next(), rng.below(8) as u32);
            let is_offered = !oracle.out.contains(&wanted) && !plain.is_drained(&wanted).unwrap();
            let is_below = oracle.count(wanted) < oracle.cap(wanted);
            let expected = if is_offered && is_below {
                below += 1;
                wanted
            } else {
                at += u32::from(is_offered);
                oracle.choose(key)
            };
            assert_eq!(
                bounded.route(&key).map(|node| **node),
                Some(oracle.choose(key))
            );
            let lease = bounded.acquire_preferring(&wanted, &key).unwrap();
            assert_eq!(**lease, expected);
            *oracle.counts.entry(expected).or_default() += 1;
            held.push(lease);
            // The floor lets more in than L allows, so leases come and go.
            if rng.chance(3) {
                let ended = held.swap_remove(rng.below(held.len()));
                *oracle.counts.get_mut(&**ended).unwrap() -= 1;
            }
        }
        drop(held);
    }
    assert!(at > 100 && below > 100, "{at} {below}");
}

#[test]
fn with_no_node_to_offer_the_cap_is_0() {
    let nothing = Bounded::new(ring(0, &[1]), 1.25).unwrap().min_cap(8);
    assert_eq!(nothing.cap(&0u32), None);
    let mut drained = Bounded::new(ring(3, &[1]), 1.25).unwrap().min_cap(8);
    drained.drain_where(|_| true);
    assert_eq!((drained.cap(&0u32), drained.cap(&3u32)), (Some(0), None));
    let refused = Bounded::new(Filtered::new(ring(3, &[1]), |_| false), 1.25).unwrap();
    assert_eq!(refused.cap(&0u32), Some(0));
    assert_eq!(refused.min_cap(8).cap(&0u32), Some(0));
}

/// The fraction of requests that leave their first node of 64, with half a request in flight a
/// node.
fn leaving_at_night(min_cap: u32, weights: &[u32]) -> f64 {
    const COUNT: usize = 20_000;
    let plain = ring(64, weights);
    let bounded = Bounded::new(plain.clone(), 1.25).unwrap().min_cap(min_cap);
    let (mut rng, mut held, mut left) = (Rng::new(1), Vec::new(), 0);
    for _ in 0..COUNT {
        if held.len() == 32 {
            drop(held.swap_remove(rng.below(32)));
        }
        let key = rng.next();
        let lease = bounded.acquire(&key).unwrap();
        left += usize::from(plain.route(&key) != Some(lease.node()));
        held.push(lease);
    }
    left as f64 / COUNT as f64
}

#[test]
fn a_least_cap_keeps_keys_at_their_nodes_at_night() {
    for weights in [&[1][..], &[1, 2, 5]] {
        let (without, with) = (leaving_at_night(0, weights), leaving_at_night(8, weights));
        println!("weights {weights:?}: {without:.3} leave, with a least cap {with:.5}");
        assert!(without > 0.25, "{without}");
        assert!(with < 0.01, "{with}");
    }
}

#[test]
fn the_least_cap_is_for_a_node_of_average_weight() {
    let mut bounded = Bounded::new(ring(4, &[1, 2, 3, 6]), 1.25)
        .unwrap()
        .min_cap(8);
    let caps = |bounded: &Bounded<Ring>| [0u32, 1, 2, 3].map(|id| bounded.cap(&id).unwrap());
    // ⌈8 · w · 4 / 12⌉
    assert_eq!(caps(&bounded), [3, 6, 8, 16]);
    bounded.drain(&3u32).unwrap();
    // ⌈8 · w · 3 / 6⌉
    assert_eq!(caps(&bounded), [4, 8, 12, 24]);
    let copy = bounded.clone();
    assert_eq!(caps(&copy), [4, 8, 12, 24]);
    // Far more than can be in flight: nothing overflows.
    assert_eq!(bounded.min_cap(u32::MAX).cap(&2u32), Some(u32::MAX));
}

#[test]
fn a_preferred_node_keeps_its_cap() {
    let plain = ring(4, &[1]);
    let bounded = Bounded::new(plain.clone(), 1.25).unwrap();
    let mut oracle = Oracle::new(plain.clone(), Factor(125));
    let mut held = Vec::new();
    for key in 0..40u64 {
        let expected = if oracle.count(2) < oracle.cap(2) {
            2
        } else {
            oracle.choose(key)
        };
        let lease = bounded.acquire_preferring(&2u32, &key).unwrap();
        assert_eq!(**lease, expected);
        assert!(lease.node().in_flight() <= oracle.cap(expected));
        *oracle.counts.entry(expected).or_default() += 1;
        held.push(lease);
    }
    assert_eq!(oracle.count(2), 13); // ⌈1.25 · 40 / 4⌉
    // A condition that accepts one node only has that node's weight for W: no limit.
    drop(held);
    let held: Vec<_> = (0..40u64)
        .filter_map(|key| bounded.acquire_where(&key, |node| **node == 2))
        .collect();
    assert_eq!(held.len(), 40);
    assert_eq!(bounded.get(&2u32).unwrap().in_flight(), 40);
}

#[test]
fn a_preferred_node_that_is_not_offered_is_passed_over() {
    let plain = ring(4, &[1]);
    let filtered = Filtered::new(plain.clone(), |node| **node != 1);
    let mut bounded = Bounded::new(filtered, 1.25).unwrap();
    bounded.drain(&2u32).unwrap();
    for key in 0..50u32 {
        let by_key = **bounded.route(&key).unwrap();
        for id in [1u32, 2, 9] {
            assert_eq!(**bounded.acquire_preferring(&id, &key).unwrap(), by_key);
        }
        assert_eq!(**bounded.acquire_preferring(&3u32, &key).unwrap(), 3);
        let token = bounded.token(&key);
        assert_eq!(**bounded.acquire_token(token).unwrap(), by_key);
    }
    bounded.drain_where(|_| true);
    assert!(bounded.acquire_preferring(&3u32, "key").is_none());
    assert_eq!(bounded.open_leases(), 0);
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
                "{refused} of {NODES} refused from {block} on: {low} of {COUNT} asked the walk alone, {} calls on average, {most} at most",
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

#[test]
fn without_filter_and_condition_no_node_is_asked_and_a_condition_is_asked_twice_at_most() {
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

/// L includes requests on refused nodes, as the docs say: with a quarter of the requests on one of
/// two nodes, the other may get 1.25 · L.
#[test]
fn requests_on_refused_nodes_raise_the_caps_of_the_others() {
    let refuses = Cell::new(false);
    let filtered = Filtered::new(ring(4, &[1]), |node| !refuses.get() || **node > 1);
    let bounded = Bounded::new(filtered, 1.25).unwrap();
    let held: Vec<_> = (0..4u32)
        .flat_map(|id| [id; 10])
        .filter_map(|id| bounded.acquire_preferring(&id, "key"))
        .collect();
    assert_eq!(bounded.cap(&3u32), Some(13)); // 1.25 · 41 / 4
    refuses.set(true);
    assert_eq!(bounded.cap(&3u32), Some(26)); // 1.25 · 41 / 2
    drop(held);
    assert_eq!(bounded.cap(&3u32), Some(1)); // 1.25 / 2
}
