//! What all strategies have in common, through the one trait.

use crate::common::gauge::{Gauge, gauges};
use clockwise::{
    Bounded, Failover, Filtered, HashRing, LeastLoaded, Load, Manage, Membership, NodeError,
    PowerOfTwo, Rendezvous, RoundRobin, Route, SlotTable, Spread, Strategy, Token, Tracked,
    WeightedRandom,
};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

type Node = Tracked<Gauge>;
type Any = Box<dyn Membership<Node = Node> + Send + Sync>;
type Fixed = Box<dyn Strategy<Node = Node> + Send + Sync>;

/// Whatever follows a list of members, empty.
fn all() -> Vec<(&'static str, Any)> {
    fn ring() -> HashRing<Node> {
        HashRing::builder().virtual_nodes(40).build().unwrap()
    }
    fn least() -> LeastLoaded<Node> {
        LeastLoaded::with_seed(1)
    }
    fn up(_: &Node) -> bool {
        true
    }
    let wide = |token: Token| (token.get() % 4) as usize;
    let table = || SlotTable::builder().slots(1 << 10).build().unwrap();
    let capped = SlotTable::builder().slots(1 << 10).load_factor(1.05);
    #[allow(unused_mut, reason = "without the features nothing is added")]
    let mut all: Vec<(&'static str, Any)> = vec![
        ("hash ring", Box::new(HashRing::new())),
        ("rendezvous", Box::new(Rendezvous::new())),
        ("slot table", Box::new(table())),
        ("capped slot table", Box::new(capped.build().unwrap())),
        ("round-robin", Box::new(RoundRobin::new())),
        ("weighted random", Box::new(WeightedRandom::with_seed(7))),
        ("least loaded", Box::new(LeastLoaded::with_seed(7))),
        ("two choices", Box::new(PowerOfTwo::with_seed(7))),
        (
            "three choices",
            Box::new(PowerOfTwo::with_seed(7).with_choices(3).unwrap()),
        ),
        ("bounded", Box::new(Bounded::new(ring(), 1.25).unwrap())),
        (
            "bounded slot table",
            Box::new(Bounded::new(table(), 1.25).unwrap()),
        ),
        (
            "bounded least loaded",
            Box::new(Bounded::new(least(), 1.25).unwrap()),
        ),
        ("filtered", Box::new(Filtered::new(Rendezvous::new(), up))),
        ("failover", Box::new(Failover::new(vec![ring(), ring()]))),
        (
            "failover of one group",
            Box::new(Failover::new(vec![least()])),
        ),
        ("spread", Box::new(Spread::new(ring(), wide))),
        ("boxed", Box::new(Box::new(ring()))),
        (
            "bounded, filtered, spread, boxed",
            Box::new(
                Bounded::new(
                    Filtered::new(Spread::new(Box::new(Rendezvous::new()) as Any, wide), up),
                    1.5,
                )
                .unwrap(),
            ),
        ),
    ];
    #[cfg(feature = "sticky")]
    {
        use clockwise::Sticky;
        let hour = std::time::Duration::from_secs(3600);
        all.push(("sticky", Box::new(Sticky::new(least(), 1000, hour))));
        let bounded = Bounded::new(ring(), 1.25).unwrap();
        all.push(("sticky bounded", Box::new(Sticky::new(bounded, 1000, hour))));
    }
    #[cfg(feature = "compat")]
    {
        use clockwise::compat::{EnvoyMaglev, EnvoyRing, HaproxyConsistent, Jump, Ketama, Nginx};
        all.push(("nginx", Box::new(Nginx::new())));
        all.push(("ketama", Box::new(Ketama::new())));
        all.push(("envoy ring", Box::new(EnvoyRing::new())));
        all.push(("envoy maglev", Box::new(EnvoyMaglev::new())));
        all.push(("haproxy", Box::new(HaproxyConsistent::new())));
        all.push(("jump", Box::new(Jump::new())));
    }
    all
}

fn tracked(members: Vec<(Gauge, u32)>) -> Vec<(Node, u32)> {
    members
        .into_iter()
        .map(|(node, weight)| (Tracked::new(node), weight))
        .collect()
}

fn of(n: usize) -> Vec<(&'static str, Any)> {
    let mut all = all();
    for (name, strategy) in &mut all {
        let changes = strategy.set_nodes(tracked(gauges(&vec![(1.0, 1); n])));
        assert_eq!(changes.unwrap().added(), n, "{name}");
    }
    all
}

/// The same, and what only answers, as one type.
fn fixed(n: usize) -> Vec<(&'static str, Fixed)> {
    let members = || tracked(gauges(&vec![(1.0, 1); n]));
    let mut ring = HashRing::new();
    ring.extend_weighted(members()).unwrap();
    let mut turns = RoundRobin::new();
    turns.extend_weighted(members()).unwrap();
    let turns: &'static RoundRobin<Node> = Box::leak(Box::new(turns));
    let mut fixed: Vec<(&'static str, Fixed)> = vec![
        ("behind an Arc", Box::new(Arc::new(ring))),
        ("behind a reference", Box::new(turns)),
    ];
    for (name, strategy) in of(n) {
        fixed.push((name, Box::new(strategy)));
    }
    fixed
}

fn ids(strategy: &dyn Strategy<Node = Node>) -> Vec<u32> {
    let mut ids = Vec::new();
    strategy.for_each_member(&mut |member| ids.push(member.node.id));
    ids
}

#[test]
fn empty_ones_choose_nobody() {
    for (name, mut strategy) in all() {
        assert!(strategy.route("k").is_none(), "{name}");
        assert!(strategy.route_where("k", |_| panic!("{name}")).is_none());
        assert!(strategy.replicas("k", usize::MAX).is_empty());
        assert!(strategy.replicas_across("k", 3, |node| node.id).is_empty());
        assert!(strategy.member(b"x").is_none());
        let missing = strategy.drain("x");
        assert!(matches!(missing, Err(NodeError::Unknown { .. })), "{name}");
        assert!(strategy.set_nodes(Vec::new()).unwrap().is_empty());
    }
}

#[test]
fn one_node_is_everyones_choice_until_it_drains() {
    for (name, mut strategy) in of(1) {
        for i in 0..50u32 {
            assert_eq!(strategy.route(&i).map(|node| node.id), Some(0), "{name}");
        }
        strategy.drain(&0u32.to_be_bytes()).unwrap();
        strategy.drain(&0u32.to_be_bytes()).unwrap();
        assert!(strategy.route("k").is_none(), "{name}");
        assert!(strategy.member(&0u32.to_be_bytes()).unwrap().drained);
        strategy.undrain(&0u32.to_be_bytes()).unwrap();
        assert!(strategy.route("k").is_some(), "{name}");
        assert_eq!(strategy.set_nodes(Vec::new()).unwrap().removed(), 1);
        assert!(strategy.route("k").is_none(), "{name}");
    }
}

#[test]
fn all_refused_means_each_was_asked_once() {
    for n in [1, 2, 16, 17, 33, 200] {
        for (name, strategy) in fixed(n) {
            for key in 0..20u32 {
                let mut asked = Vec::new();
                assert!(
                    strategy
                        .route_where(&key, |node| {
                            asked.push(node.id);
                            false
                        })
                        .is_none()
                );
                asked.sort_unstable();
                assert_eq!(asked, ids(&strategy), "{name}");
            }
        }
    }
}

#[test]
fn refused_lists_change_nothing() {
    for (name, mut strategy) in of(5) {
        strategy.drain(&3u32.to_be_bytes()).unwrap();
        let twice = vec![(Gauge::new(7, 1.0), 1), (Gauge::new(7, 2.0), 1)];
        let error = strategy.set_nodes(tracked(twice)).unwrap_err();
        assert!(matches!(error, NodeError::Duplicate { .. }), "{name}");
        let zero = vec![(Gauge::new(0, 1.0), 1), (Gauge::new(9, 1.0), 0)];
        let error = strategy.set_nodes(tracked(zero)).unwrap_err();
        assert!(matches!(error, NodeError::ZeroWeight { .. }), "{name}");
        assert!(error.to_string().contains("drain"), "{error}");
        let unknown = strategy.drain(&7u32.to_be_bytes());
        assert!(matches!(unknown, Err(NodeError::Unknown { .. })), "{name}");
        assert!(strategy.member(&7u32.to_be_bytes()).is_none(), "{name}");
        assert_eq!(ids(&strategy), [0, 1, 2, 3, 4], "{name}");
        assert_eq!(strategy.replicas("k", 9).len(), 4, "{name}");
    }
}

#[test]
fn lists_are_followed_and_payloads_kept() {
    // Jump hashing knows no weights, and says so.
    let mut weighted = of(5);
    weighted.retain(|(name, _)| *name != "jump");
    for (name, mut strategy) in weighted {
        strategy.drain(&4u32.to_be_bytes()).unwrap();
        let list = gauges(&[(99.0, 1), (99.0, 2)])
            .into_iter()
            .chain([(Gauge::new(4, 99.0), 1), (Gauge::new(8, 1.0), 3)]);
        let changes = strategy.set_nodes(tracked(list.collect())).unwrap();
        assert_eq!(
            (changes.added(), changes.removed(), changes.reweighted()),
            (1, 2, 1),
            "{name}"
        );
        assert_eq!(ids(&strategy), [0, 1, 4, 8], "{name}");
        let member = strategy.member(&1u32.to_be_bytes()).unwrap();
        assert_eq!((member.weight, member.drained), (2, false), "{name}");
        assert_eq!(Load::load(&**member.node), 1.0, "{name}: payload");
        assert!(strategy.member(&4u32.to_be_bytes()).unwrap().drained);
        assert_eq!(strategy.replicas("k", 9).len(), 3, "{name}");
    }
}

#[test]
fn a_panicking_predicate_leaves_the_strategy_usable() {
    for (name, strategy) in fixed(40) {
        for after in 0..40 {
            let calls = Cell::new(0);
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                strategy.route_where("k", |_| {
                    calls.set(calls.get() + 1);
                    assert!(calls.get() <= after, "expected by the test");
                    false
                });
            }));
            assert!(panicked.is_err(), "{name}");
        }
        assert_eq!(strategy.replicas("k", 99).len(), 40, "{name}");
    }
}

#[test]
fn a_predicate_may_ask_the_strategy_itself() {
    for (name, strategy) in fixed(5) {
        let picked = strategy.route_where("k", |node| {
            strategy
                .route_where("k", |inner| inner.id != node.id)
                .is_some()
                && node.id == 2
        });
        assert_eq!(picked.map(|node| node.id), Some(2), "{name}");
    }
}

#[test]
fn replicas_are_distinct_and_spread_over_domains() {
    for (name, strategy) in fixed(12) {
        for key in 0..50u32 {
            let replicas = strategy.replicas(&key, 5);
            let mut once: Vec<u32> = replicas.iter().map(|node| node.id).collect();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), 5, "{name}");
            assert!(strategy.replicas(&key, 0).is_empty(), "{name}");
            assert_eq!(strategy.replicas(&key, 13).len(), 12, "{name}");
            assert_eq!(strategy.replicas(&key, usize::MAX).len(), 12, "{name}");
            let across = |n| strategy.replicas_across(&key, n, |node| node.id % 4).len();
            assert_eq!(
                [0, 1, 5, 12, 13, usize::MAX].map(across),
                [0, 1, 5, 12, 12, 12]
            );
            let spread = strategy.replicas_across(&key, 4, |node| node.id % 4);
            let mut zones: Vec<u32> = spread.iter().map(|node| node.id % 4).collect();
            zones.sort_unstable();
            assert_eq!(zones, [0, 1, 2, 3], "{name}");
        }
        let few = strategy.try_replicas_across("k", 5, |node| node.id % 4);
        assert_eq!(few.unwrap_err().found, 4, "{name}");
        let none = strategy.try_replicas_across("k", 0, |node| node.id % 4);
        assert!(none.unwrap().is_empty(), "{name}");
    }
}

#[test]
fn many_nodes_are_all_reachable() {
    for n in [65_535u32, 65_537, 70_000] {
        let mut turns = RoundRobin::new();
        turns
            .extend_weighted((0..n).map(|id| (id.to_be_bytes(), 1)))
            .unwrap();
        let mut random = WeightedRandom::with_seed(1);
        random
            .extend_weighted((0..n).map(|id| (id.to_be_bytes(), 1)))
            .unwrap();
        assert_eq!(turns.replicas("", usize::MAX).len(), n as usize);
        assert_eq!(random.replicas("", usize::MAX).len(), n as usize);
    }
    let mut least = LeastLoaded::with_seed(1);
    least
        .extend_weighted(gauges(&vec![(1.0, 1); 70_000]))
        .unwrap();
    least.get(&69_999u32.to_be_bytes()).unwrap().set(0.5);
    assert_eq!(least.route("").unwrap().id, 69_999);
    assert_eq!(least.replicas("", usize::MAX).len(), 70_000);
}
