//! Bounded loads: no cap is exceeded, and below the caps nothing changes.

use crate::common::is_long;
use crate::common::random::Rng;
use clockwise::{
    Bounded, ConfigError, Filtered, HashRing, LeastLoaded, Member, RoundRobin, Strategy, Token,
    Tracked,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

type Ring = HashRing<Tracked<String>>;

/// Sixteen nodes of these weights, round and round.
fn ring(weights: &[u32]) -> Ring {
    let nodes = (0..16).zip(weights.iter().cycle());
    let mut ring = HashRing::new();
    ring.extend_weighted(nodes.map(|(i, &w)| (Tracked::new(format!("cache-{i}.example")), w)))
        .unwrap();
    ring
}

/// A strategy of one's own: the four methods that it must have, and none of the shortcuts.
struct Four(Ring);

impl Strategy for Four {
    type Node = Tracked<String>;

    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a Self::Node) -> bool,
    ) -> Option<&'a Self::Node> {
        self.0.pick(token, accept)
    }

    fn token_of(&self, key: &[u8]) -> Token {
        self.0.token_of(key)
    }

    fn member(&self, id: &[u8]) -> Option<Member<'_, Self::Node>> {
        self.0.member(id)
    }

    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, Self::Node>)) {
        self.0.for_each_member(f);
    }
}

#[test]
fn a_strategy_without_shortcuts_has_the_caps_of_its_members_weights() {
    let weights = [1, 2, 9];
    let plain = Bounded::new(Four(ring(&weights)), 1.25).unwrap();
    let full = Bounded::new(ring(&weights), 1.25).unwrap();
    let mut leases = Vec::new();
    for key in 0..600u64 {
        // Half of the requests are for one key, so its owner is at its cap all the time.
        let key = if key % 2 == 0 { 0 } else { key };
        let (own, other) = (plain.acquire(&key).unwrap(), full.acquire(&key).unwrap());
        assert_eq!(***own.node(), ***other.node());
        leases.push((own, other));
    }
    let total = full.strategy().members().map(|member| member.weight).sum();
    let mut at_cap = 0;
    plain.strategy().for_each_member(&mut |member| {
        let cap = cap(125, 600, member.weight, total);
        assert!(
            member.node.in_flight() <= cap,
            "{} of {cap}",
            member.node.in_flight()
        );
        at_cap += usize::from(member.node.in_flight() == cap);
    });
    assert!(at_cap > 0);
}

/// Keys whose popularity falls as 1/rank^s.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(keys: usize, s: f64) -> Self {
        let mut sum = 0.0;
        Zipf(
            (1..=keys)
                .map(|rank| {
                    sum += (rank as f64).powf(-s);
                    sum
                })
                .collect(),
        )
    }

    fn key(&self, rng: &mut Rng) -> String {
        let total = *self.0.last().unwrap();
        let place = rng.next() as f64 / 2f64.powi(64) * total;
        format!("key:{}", self.0.partition_point(|&sum| sum <= place))
    }
}

/// The load factors, as the fractions that they are.
const FACTORS: [(f64, u64); 4] = [(1.05, 105), (1.25, 125), (1.5, 150), (2.0, 200)];

/// ⌈c · requests · weight / total⌉, c in hundredths.
fn cap(hundredths: u64, requests: usize, weight: u32, total: u32) -> u32 {
    let cap = u128::from(hundredths) * requests as u128 * u128::from(weight);
    cap.div_ceil(100 * u128::from(total)) as u32
}

/// The oracle keeps its own counts, walks the plain ring's preference, and works out the caps by
/// fractions. 256 requests are in flight. The affinity is the fraction of requests at their key's
/// owner.
fn assignments_follow_the_oracle(weights: &[u32], count: usize) {
    let plain = ring(weights);
    let total = plain.members().map(|member| member.weight).sum();
    for (factor, hundredths) in FACTORS {
        for s in [0.0, 0.8, 1.2] {
            let bounded = Bounded::new(plain.clone(), factor).unwrap();
            let (zipf, mut rng) = (Zipf::new(10_000, s), Rng::new(7));
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            let mut leases = Vec::new();
            let mut at_owner = 0;
            for _ in 0..count {
                if leases.len() == 256 {
                    let ended: clockwise::wrappers::Lease<'_, Tracked<String>> =
                        leases.swap_remove(rng.below(leases.len()));
                    *counts.get_mut(&**ended).unwrap() -= 1;
                }
                let key = zipf.key(&mut rng);
                let cap_of = |node: &Tracked<String>| {
                    cap(
                        hundredths,
                        leases.len() + 1,
                        plain.weight(node).unwrap(),
                        total,
                    )
                };
                let expected = plain
                    .preference(&key)
                    .find(|&node| counts.get(&**node).copied().unwrap_or(0) < cap_of(node))
                    .unwrap();
                assert_eq!(bounded.cap(expected), Some(cap_of(expected)));
                assert_eq!(
                    bounded.route(&key),
                    Some(expected),
                    "route looks as acquire does"
                );
                let lease = bounded.acquire(&key).unwrap();
                assert_eq!(lease.node(), expected);
                let in_flight = counts.entry((**lease).clone()).or_default();
                *in_flight += 1;
                assert_eq!(lease.node().in_flight(), *in_flight);
                assert!(*in_flight <= cap_of(expected), "above the cap");
                at_owner += usize::from(plain.route(&key) == Some(expected));
                leases.push(lease);
            }
            let affinity = at_owner as f64 / count as f64;
            println!("c = {factor}, Zipf {s}, weights {weights:?}: affinity {affinity:.3}");
            if hundredths == 125 && (0.7..0.9).contains(&s) && weights == [1] {
                assert!(affinity >= 0.70, "{affinity}");
            }
            drop(leases);
            assert!(plain.nodes().all(|node| node.in_flight() == 0));
            assert_eq!(bounded.open_leases(), 0);
        }
    }
}

#[test]
fn no_cap_is_exceeded_and_each_key_goes_to_the_first_below_its_cap() {
    assignments_follow_the_oracle(&[1], if is_long() { 1_000_000 } else { 4_000 });
}

#[test]
fn so_it_is_with_weights() {
    assignments_follow_the_oracle(&[1, 2, 5], if is_long() { 1_000_000 } else { 4_000 });
}

/// Each thread holds at most 32 leases, so none reads more than 8 · 32 requests, its own included,
/// and no count may exceed the cap that follows. A filter refuses every fourth node, and threads
/// ask for a key, with a condition, or with a preference.
#[test]
fn no_cap_is_exceeded_from_eight_threads() {
    const THREADS: usize = 8;
    const HELD: usize = 32;
    let count = if is_long() { 1_000_000 } else { 24_000 } / THREADS;
    let plain = ring(&[1, 2, 3]);
    let names: Vec<String> = plain.nodes().map(|node| (**node).clone()).collect();
    let up: BTreeSet<&String> = (0..16).filter(|i| i % 4 > 0).map(|i| &names[i]).collect();
    let offered = plain.members().filter(|member| up.contains(&**member.node));
    let total = offered.map(|member| member.weight).sum();
    for (factor, hundredths) in FACTORS {
        for s in [0.0, 0.8, 1.2] {
            let filtered = Filtered::new(plain.clone(), |node| up.contains(&**node));
            let bounded = Bounded::new(filtered, factor).unwrap();
            let zipf = Zipf::new(10_000, s);
            let (barrier, busiest) = (Barrier::new(THREADS), AtomicU32::new(0));
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (bounded, zipf, barrier, busiest) = (&bounded, &zipf, &barrier, &busiest);
                    let names = &names;
                    scope.spawn(move || {
                        let mut rng = Rng::new(thread as u64);
                        let mut leases = Vec::new();
                        barrier.wait();
                        for _ in 0..count {
                            if leases.len() == HELD {
                                drop(leases.swap_remove(rng.below(HELD)));
                            }
                            let key = zipf.key(&mut rng);
                            let lease = match rng.below(4) {
                                0 => bounded.acquire_preferring(&names[rng.below(16)], &key),
                                1 => bounded.acquire_where(&key, |_| true),
                                _ => bounded.acquire(&key),
                            };
                            let lease = lease.unwrap();
                            let weight = bounded.weight(lease.node()).unwrap();
                            let most = cap(hundredths, THREADS * HELD, weight, total);
                            let in_flight = lease.node().in_flight();
                            assert!(in_flight <= most, "{in_flight} of {most}");
                            busiest.fetch_max(in_flight * 100 / most, Ordering::Relaxed);
                            leases.push(lease);
                        }
                    });
                }
            });
            println!(
                "c = {factor}, Zipf {s}: 8 threads, the fullest at {} % of its cap",
                busiest.into_inner()
            );
            assert!(plain.nodes().all(|node| node.in_flight() == 0));
            assert_eq!(bounded.open_leases(), 0);
        }
    }
}

#[test]
fn with_no_node_at_its_cap_it_is_the_plain_route() {
    let plain = ring(&[1, 3]);
    // One lease at a time: every cap is 1 at least, and every node idle.
    let bounded = Bounded::new(plain.clone(), 1.05).unwrap();
    for i in 0..2_000u32 {
        assert_eq!(
            bounded
                .acquire(&i)
                .as_ref()
                .map(clockwise::wrappers::Lease::node),
            plain.route(&i)
        );
        assert_eq!(bounded.route(&i), plain.route(&i));
        assert_eq!(bounded.replicas(&i, 5), plain.replicas(&i, 5));
    }
}

#[test]
fn bad_factors_are_named() {
    for factor in [
        1.0,
        0.5,
        0.0,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ] {
        let error = Bounded::new(ring(&[1]), factor).unwrap_err();
        assert!(matches!(error, ConfigError::OutOfRange { .. }));
        assert!(error.to_string().contains(&factor.to_string()), "{error}");
    }
    assert!(Bounded::new(ring(&[1]), 1.0 + f64::EPSILON).is_ok());
    assert!(Bounded::new(ring(&[1]), f64::MAX).is_ok());
}

#[test]
fn none_means_that_no_node_is_eligible_never_that_all_are_full() {
    let empty = Bounded::new(Ring::new(), 1.25).unwrap();
    assert!(empty.acquire("k").is_none());
    assert_eq!(empty.open_leases(), 0);

    let mut bounded = Bounded::new(ring(&[1]), 1.01).unwrap();
    assert!(bounded.acquire_where("k", |_| false).is_none());
    assert_eq!(bounded.open_leases(), 0);
    // Past the bound: the leases know nothing of 320 requests.
    let mut past = Vec::new();
    for node in bounded.strategy().nodes() {
        past.extend((0..20).map(|_| node.begin()));
    }
    for i in 0..320u32 {
        past.push(bounded.acquire(&i).unwrap().into_in_flight());
    }
    // Shared out evenly all the same: ⌈1.01 · 640 / 16⌉.
    assert!(
        bounded
            .strategy()
            .nodes()
            .all(|node| node.in_flight() <= 41)
    );
    drop(past);

    let names: Vec<String> = bounded
        .strategy()
        .nodes()
        .map(|node| (**node).clone())
        .collect();
    for name in &names {
        bounded.drain(name.as_bytes()).unwrap();
    }
    assert!(bounded.acquire("k").is_none());
    assert_eq!(bounded.route("k"), None);
    bounded.undrain(names[3].as_bytes()).unwrap();
    assert_eq!(**bounded.acquire("k").unwrap(), names[3]);
}

/// Two of sixteen nodes pass the filter, so their caps by all sixteen are far too low. They share
/// the load evenly.
#[test]
fn a_filter_shares_the_load_among_those_that_pass() {
    let plain = ring(&[1]);
    let up: Vec<String> = plain.nodes().take(2).map(|node| (**node).clone()).collect();
    let inside = Filtered::new(plain.clone(), |node| up.contains(node));
    let inside = Bounded::new(inside, 1.1).unwrap();
    let outside = Bounded::new(plain.clone(), 1.1).unwrap();
    let mut leases = Vec::new();
    for i in 0..200u32 {
        let routed = inside.route(&i);
        leases.push(inside.acquire(&i).unwrap());
        assert_eq!(routed, leases.last().map(clockwise::wrappers::Lease::node));
        assert!(up.contains(leases.last().unwrap()));
    }
    let most = cap(110, 200, 1, 2);
    assert!(plain.nodes().all(|node| node.in_flight() <= most));
    drop(leases);
    let mut asked = 0;
    let leases: Vec<_> = (0..200u32)
        .map(|i| {
            asked = 0;
            let lease = outside.acquire_where(&i, |node| {
                asked += 1;
                up.contains(node)
            });
            assert!(asked <= 32, "each node twice at most");
            lease.unwrap()
        })
        .collect();
    assert!(plain.nodes().all(|node| node.in_flight() <= most));
    drop(leases);
}

/// Other requests come while one looks for its place, here in its predicate. By what it has read,
/// L = 0 and caps of 1, all its nodes are then full, so it looks again, by the leases of now.
#[test]
fn caps_grow_with_those_who_come_meanwhile() {
    let plain = HashRing::from_nodes((0..4u32).map(Tracked::new)).unwrap();
    let bounded = Bounded::new(plain.clone(), 1.01).unwrap();
    let order: Vec<u32> = plain.preference("key").map(|node| **node).collect();
    let mut others = Vec::new();
    let lease = bounded.acquire_where("key", |node| {
        if others.is_empty() {
            for (&id, count) in order.iter().zip([3, 1, 4, 3]) {
                let to = || bounded.acquire_where("other", |node| **node == id);
                others.extend((0..count).filter_map(|_| to()));
            }
        }
        order[..2].contains(node)
    });
    assert_eq!(others.len(), 11);
    // ⌈1.01 · 12 / 2⌉ = 7. By the counts of the two alone it would be ⌈1.01 · 5 / 2⌉ = 3, and the
    // place on the second.
    assert_eq!(*lease.unwrap(), order[0]);
}

#[test]
fn routing_reserves_nothing_and_offers_each_node_once() {
    let bounded = Bounded::new(ring(&[1, 2]), 1.25).unwrap();
    let _leases: Vec<_> = (0..500u32).map(|i| bounded.acquire(&(i % 3))).collect();
    for i in 0..300u32 {
        let all = bounded.replicas(&i, usize::MAX);
        let mut names: Vec<&String> = all.iter().map(|node| &***node).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 16);
        let full = |node: &&Tracked<String>| Some(node.in_flight()) >= bounded.cap(&**node);
        assert!(
            all.iter().is_sorted_by_key(full),
            "those below their caps come first"
        );
        assert_eq!(bounded.route(&i), all.first().copied());
    }
    assert_eq!(bounded.open_leases(), 500);
}

#[test]
fn caps_follow_the_membership() {
    let mut bounded = Bounded::new(ring(&[1]), 2.0).unwrap();
    assert_eq!(bounded.cap("cache-0.example"), Some(1));
    assert_eq!(bounded.cap("absent"), None);
    let _held: Vec<_> = (0..79u32)
        .map(|i| bounded.acquire(&i).unwrap().into_in_flight())
        .collect();
    assert_eq!(bounded.cap("cache-0.example"), Some(10)); // 2 · 80 · 1/16
    bounded
        .strategy_mut()
        .set_weight("cache-0.example", 5)
        .unwrap();
    assert_eq!(bounded.cap("cache-0.example"), Some(40)); // 2 · 80 · 5/20
    for i in 1..16 {
        bounded
            .strategy_mut()
            .drain(&format!("cache-{i}.example"))
            .unwrap();
    }
    assert_eq!(bounded.cap("cache-0.example"), Some(160));
    assert_eq!(bounded.cap("cache-1.example"), Some(32));
    let changes = bounded
        .set_nodes(vec![(Tracked::new("cache-1.example".into()), 1)])
        .unwrap();
    assert_eq!(changes.removed(), 15);
    assert_eq!(bounded.cap("cache-0.example"), None);
}

#[test]
fn it_bounds_any_strategy() {
    let nodes = || (0..4).map(|i| (Tracked::new(format!("n{i}")), i + 1));
    let mut turns = RoundRobin::new();
    turns.extend_weighted(nodes()).unwrap();
    let mut loads = LeastLoaded::with_seed(1);
    loads.extend_weighted(nodes()).unwrap();
    let boxed: [Box<dyn Strategy<Node = Tracked<String>> + Send + Sync>; 2] =
        [Box::new(turns), Box::new(loads)];
    for strategy in boxed {
        let bounded = Bounded::new(strategy, 1.5).unwrap();
        let leases: Vec<_> = (0..100u32).map(|i| bounded.acquire(&i).unwrap()).collect();
        for (i, weight) in (0..4).zip(1..) {
            let node = bounded.member(format!("n{i}").as_bytes()).unwrap().node;
            assert!(node.in_flight() <= cap(150, 100, weight, 10));
        }
        drop(leases);
    }
}
