//! Wrappers are strategies, alone and nested.

use clockwise::{
    Bounded, Changes, Failover, Filtered, HashRing, Key, LeastLoaded, Load, Manage, Membership,
    NodeError, PowerOfTwo, RoundRobin, Route, Spread, Strategy, Token, Tracked, WeightedRandom,
    Xxh3,
};
use std::collections::BTreeSet;

type Node = Tracked<&'static str>;
type Any = Box<dyn Membership<Node = Node> + Send + Sync>;

fn all() -> Vec<(&'static str, Any)> {
    fn ring() -> HashRing<Node> {
        HashRing::new()
    }
    fn yes(_: &Node) -> bool {
        true
    }
    let wide = |token: Token| (token.get() % 4) as usize;
    #[allow(unused_mut)]
    let mut all: Vec<(&str, Any)> = vec![
        ("HashRing", Box::new(ring())),
        ("RoundRobin", Box::new(RoundRobin::new())),
        ("WeightedRandom", Box::new(WeightedRandom::with_seed(1))),
        ("LeastLoaded", Box::new(LeastLoaded::with_seed(1))),
        ("PowerOfTwo", Box::new(PowerOfTwo::with_seed(1))),
        ("Box", Box::new(Box::new(ring()))),
        ("Bounded", Box::new(Bounded::new(ring(), 1.25).unwrap())),
        ("Filtered", Box::new(Filtered::new(ring(), yes))),
        ("Failover", Box::new(Failover::new(vec![ring(), ring()]))),
        ("Spread", Box::new(Spread::new(ring(), wide))),
        (
            "Bounded over Filtered over Spread",
            Box::new(Bounded::new(Filtered::new(Spread::new(ring(), wide), yes), 1.5).unwrap()),
        ),
        (
            "Filtered over Bounded over LeastLoaded",
            Box::new(Filtered::new(
                Bounded::new(LeastLoaded::with_seed(1), 1.5).unwrap(),
                yes,
            )),
        ),
        (
            "Bounded over a box",
            Box::new(Bounded::new(Box::new(RoundRobin::new()) as Any, 1.5).unwrap()),
        ),
    ];
    #[cfg(feature = "sticky")]
    {
        use clockwise::Sticky;
        let hour = std::time::Duration::from_secs(3600);
        let bounded = Bounded::new(ring(), 1.25).unwrap();
        all.push(("Sticky", Box::new(Sticky::new(ring(), 1_000, hour))));
        all.push((
            "Sticky over Bounded",
            Box::new(Sticky::new(bounded, 1_000, hour)),
        ));
        let sticky = Sticky::new(RoundRobin::new(), 1_000, hour);
        all.push((
            "Bounded over Sticky",
            Box::new(Bounded::new(sticky, 1.25).unwrap()),
        ));
    }
    all
}

fn set(strategy: &mut Any, members: &[(&'static str, u32)]) -> Result<Changes<Node>, NodeError> {
    let members = members
        .iter()
        .map(|&(node, weight)| (Tracked::new(node), weight));
    strategy.set_nodes(members.collect())
}

fn members(strategy: &dyn Strategy<Node = Node>) -> Vec<(&'static str, u32, bool)> {
    let mut members = Vec::new();
    strategy.for_each_member(&mut |member| {
        members.push((**member.node, member.weight, member.drained));
        let found = strategy.member(member.node.as_bytes());
        assert_eq!(found, Some(member));
        let weight = strategy.weight_of(member.node);
        assert!(weight.is_none_or(|weight| weight == member.weight));
        let elsewhere = Tracked::new(**member.node);
        assert_eq!(strategy.weight_of(&elsewhere), None);
        assert!(strategy.admits(member.node));
    });
    members
}

#[test]
fn empty_one_node_and_all_refused_are_alike() {
    for (name, mut strategy) in all() {
        for key in 0..50u32 {
            assert_eq!(strategy.route(&key), None, "{name}");
            assert_eq!(
                strategy.route_where(&key, |_| panic!("{name} offers nothing")),
                None
            );
            assert!(strategy.replicas(&key, 3).is_empty(), "{name}");
        }
        assert_eq!(
            set(&mut strategy, &[("a", 3)]).unwrap().added(),
            1,
            "{name}"
        );
        for key in 0..50u32 {
            assert_eq!(strategy.route(&key).map(|node| **node), Some("a"), "{name}");
            assert_eq!(strategy.replicas(&key, 3).len(), 1, "{name}");
            assert_eq!(strategy.replicas(&key, 0).len(), 0, "{name}");
        }
        let nodes = [("a", 3), ("b", 1), ("c", 2), ("d", 1)];
        assert_eq!(set(&mut strategy, &nodes).unwrap().added(), 3, "{name}");
        for key in 0..50u32 {
            let mut offered = BTreeSet::new();
            let none = strategy.route_where(&key, |node| {
                assert!(offered.insert(**node), "{name} offers {node:?} twice");
                false
            });
            assert_eq!(none, None, "{name}");
            assert_eq!(offered.len(), 4, "{name} offers every node");
            let some = strategy.route_where(&key, |node| **node == "c");
            assert_eq!(some.map(|node| **node), Some("c"), "{name}");
            assert_eq!(strategy.replicas(&key, usize::MAX).len(), 4, "{name}");
        }
    }
}

#[test]
fn refused_changes_are_alike_and_change_nothing() {
    for (name, mut strategy) in all() {
        let nodes = [("b", 1), ("a", 3), ("c", 2)];
        let _ = set(&mut strategy, &nodes).unwrap();
        strategy.drain("c").unwrap();
        strategy.drain("c").unwrap();
        let before = members(&strategy);
        assert_eq!(
            before,
            [("a", 3, false), ("b", 1, false), ("c", 2, true)],
            "{name}"
        );

        let error = set(&mut strategy, &[("d", 1), ("x", 1), ("d", 1)]).unwrap_err();
        assert!(
            matches!(&error, NodeError::Duplicate { node, .. } if node == "d"),
            "{name}"
        );
        let error = set(&mut strategy, &[("a", 3), ("d", 0)]).unwrap_err();
        assert!(
            matches!(&error, NodeError::ZeroWeight { node, .. } if node == "d"),
            "{name}"
        );
        let error = set(&mut strategy, &[("", 1)]).unwrap_err();
        assert!(matches!(error, NodeError::EmptyIdentity), "{name}");
        let error = strategy.drain("x").unwrap_err();
        assert!(
            matches!(&error, NodeError::Unknown { node, .. } if node == "x"),
            "{name}"
        );
        assert_eq!(members(&strategy), before, "{name}");

        assert!((0..200u32).all(|key| strategy.route(&key).is_some_and(|node| *node != "c")));
        let changes = set(&mut strategy, &[("d", 1), ("a", 4), ("c", 2)]).unwrap();
        assert_eq!((changes.added(), changes.reweighted()), (1, 1), "{name}");
        assert_eq!(changes.into_removed(), [Tracked::new("b")], "{name}");
        assert_eq!(
            members(&strategy),
            [("a", 4, false), ("c", 2, true), ("d", 1, false)]
        );
        strategy.undrain("c").unwrap();
        assert!(
            (0..200u32).any(|key| { strategy.route_where(&key, |node| **node == "c").is_some() })
        );
        assert_eq!(set(&mut strategy, &[]).unwrap().removed(), 3, "{name}");
        assert_eq!(strategy.route("key"), None, "{name}");
    }
}

#[test]
fn a_present_node_keeps_its_count() {
    for (name, mut strategy) in all() {
        let _ = set(&mut strategy, &[("a", 1), ("b", 1)]).unwrap();
        let request = strategy.member(b"a").unwrap().node.begin();
        let _ = set(&mut strategy, &[("a", 2), ("c", 1)]).unwrap();
        assert_eq!(strategy.member(b"a").unwrap().node.in_flight(), 1, "{name}");
        drop(request);
        assert_eq!(strategy.member(b"a").unwrap().node.in_flight(), 0, "{name}");
    }
}

#[test]
fn a_wrapper_hashes_as_the_strategy_inside() {
    for (name, mut strategy) in all() {
        let plain = HashRing::<&str>::new().token("some key");
        assert_eq!(strategy.token_of(b"some key"), plain, "{name}");
        let _ = set(&mut strategy, &[("a", 1)]).unwrap();
        assert_eq!(strategy.token_of(b"some key"), plain, "{name}");
    }
    let seeded = || {
        let mut ring = HashRing::with_hasher(Xxh3::with_seed(9));
        ring.extend_weighted(["a", "b", "c"].map(|node| (Tracked::new(node), 1)))
            .unwrap();
        ring
    };
    let plain = seeded();
    let wrapped: Vec<Any> = vec![
        Box::new(Bounded::new(seeded(), 1.5).unwrap()),
        Box::new(Filtered::new(seeded(), |_| true)),
        Box::new(Failover::new(vec![
            seeded(),
            HashRing::with_hasher(Xxh3::with_seed(1)),
        ])),
        Box::new(Spread::new(seeded(), |_| 1)),
    ];
    for strategy in wrapped {
        assert!((0..100u32).all(|key| strategy.route(&key) == plain.route(&key)));
        assert!((0..100u32).all(|key| strategy.replicas(&key, 3) == plain.replicas(&key, 3)));
    }
}

fn ring(nodes: impl IntoIterator<Item = &'static str>) -> HashRing<Node> {
    HashRing::from_nodes(nodes.into_iter().map(Tracked::new)).unwrap()
}

#[test]
fn filtered_is_the_order_without_the_refused() {
    let mut filtered = Filtered::new(ring(["a", "b", "c", "d"]), |node| **node != "b");
    assert!(!filtered.admits(&Tracked::new("b")));
    for key in 0..200u32 {
        let expected: Vec<_> = filtered
            .strategy()
            .preference(&key)
            .filter(|node| ***node != "b")
            .collect();
        assert_eq!(filtered.replicas(&key, 9), expected);
        assert_eq!(filtered.route(&key), expected.first().copied());
    }
    assert!(filtered.member(b"b").is_some(), "a member still");
    filtered.strategy_mut().remove("b");
    assert!(filtered.member(b"b").is_none());
}

#[test]
fn failover_goes_on_where_a_group_has_no_node_left() {
    let mut groups = Failover::new(vec![ring(["a", "b"]), ring([]), ring(["c", "a", "d"])]);
    for key in 0..200u32 {
        let first = groups.groups()[0].replicas(&key, 9);
        let last = groups.groups()[2]
            .preference(&key)
            .filter(|node| **node != "a");
        let expected: Vec<_> = first.into_iter().chain(last).collect();
        assert_eq!(groups.replicas(&key, 9), expected);
        assert_eq!(groups.route(&key), Some(expected[0]));
        let down = |node: &&Node| ["a", "b"].contains(node);
        let rest = expected.iter().copied().find(|node| !down(node));
        assert_eq!(groups.route_where(&key, |node| !down(&node)), rest);
    }
    // `a` belongs to the first group, so while it is drained there the last one does not bring it
    // back.
    groups.drain("a").unwrap();
    groups.drain("b").unwrap();
    assert!((0..200u32).all(|key| ["c", "d"].contains(&**groups.route(&key).unwrap())));
    assert_eq!(
        members(&groups),
        [
            ("a", 1, true),
            ("b", 1, true),
            ("c", 1, false),
            ("d", 1, false)
        ]
    );
    // A listed node stays in its group, a newcomer joins the first.
    let list = ["b", "d", "e"].map(|node| (Tracked::new(node), 2)).to_vec();
    let changes = groups.set_nodes(list).unwrap();
    assert_eq!((changes.added(), changes.reweighted()), (1, 2));
    let mut removed: Vec<_> = changes.into_removed().into_iter().map(|n| *n).collect();
    removed.sort_unstable();
    assert_eq!(removed, ["a", "a", "c"]);
    assert!(
        groups.groups()[0]
            .nodes()
            .eq(["b", "e"].map(Tracked::new).iter())
    );
    assert!(
        groups.groups()[2]
            .nodes()
            .eq(["d"].map(Tracked::new).iter())
    );
    assert_eq!(groups.groups_mut().pop().unwrap().len(), 1);
    // All members in order of identity, whatever their groups.
    let crosswise = Failover::new(vec![ring(["m", "z"]), ring(["a", "n"])]);
    let names: Vec<_> = members(&crosswise).iter().map(|member| member.0).collect();
    assert_eq!(names, ["a", "m", "n", "z"]);
}

#[test]
fn failover_refuses_a_list_whole() {
    let small = || {
        HashRing::builder()
            .virtual_nodes(1)
            .max_points(3)
            .build()
            .unwrap()
    };
    let mut groups = Failover::new(vec![small(), small()]);
    groups.groups_mut()[1].insert(Tracked::new("z")).unwrap();
    groups.groups_mut()[0].insert(Tracked::new("a")).unwrap();
    let error = groups
        .set_nodes(vec![(Tracked::new("b"), 2), (Tracked::new("z"), 4)])
        .unwrap_err();
    assert!(matches!(error, NodeError::TooManyPoints { .. }));
    assert_eq!(members(&groups), [("a", 1, false), ("z", 1, false)]);

    let mut none: Failover<HashRing<Node>> = Failover::new(Vec::new());
    assert_eq!(none.route("key"), None);
    let error = none.set_nodes(vec![(Tracked::new("a"), 1)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "node `a` cannot join a group because there are no groups (add a group first)"
    );
    assert!(none.set_nodes(Vec::new()).unwrap().is_empty());
}

#[test]
fn spread_takes_the_least_loaded_of_the_first() {
    let names: Vec<&'static str> = (0..64).map(|i| &*format!("n{i}").leak()).collect();
    let plain = ring(names.iter().copied());
    for (i, node) in plain.nodes().enumerate() {
        (0..i * 7 % 5).for_each(|_| std::mem::forget(node.begin()));
    }
    for width in [0, 1, 2, 3, 16, 17, 63, 64, 65, usize::MAX] {
        let spread = Spread::new(plain.clone(), move |_| width);
        for key in 0..40u32 {
            let order = plain.replicas(&key, 64);
            let (head, tail) = order.split_at(width.clamp(1, 64));
            let mut expected = head.to_vec();
            expected.sort_by_key(|node| node.in_flight()); // stable
            expected.extend(tail);
            assert_eq!(spread.replicas(&key, 99), expected, "width {width}");
            assert_eq!(spread.route(&key), Some(expected[0]));
            let third = expected[2];
            assert_eq!(spread.route_where(&key, |node| node == third), Some(third));
        }
    }
}

#[test]
fn growing_the_width_adds_only_the_tail() {
    let plain = ring(["a", "b", "c", "d", "e", "f"]);
    let places = |key: u32, width| -> BTreeSet<&'static str> {
        let spread = Spread::new(plain.clone(), move |_| width);
        let mut places = BTreeSet::new();
        // Each request stays in flight, so all of the width come to be used.
        let mut held = Vec::new();
        for _ in 0..3 * width {
            let node = spread.route(&key).unwrap();
            places.insert(**node);
            held.push(node.begin());
        }
        places
    };
    for key in 0..50u32 {
        for width in 1..=6 {
            let expected: BTreeSet<_> = plain.preference(&key).take(width).map(|n| **n).collect();
            assert_eq!(places(key, width), expected);
        }
    }
}

#[test]
fn spread_compares_loads_by_weight_and_takes_any_load() {
    struct Node(&'static str, f64);
    impl Key for Node {
        fn key_bytes(&self) -> impl AsRef<[u8]> {
            self.0
        }
    }
    impl Load for Node {
        fn load(&self) -> f64 {
            self.1
        }
    }
    let mut ring = HashRing::new();
    ring.extend_weighted([
        (Node("nan", f64::NAN), 9),
        (Node("infinite", f64::INFINITY), 1),
        (Node("light", 3.0), 1),
        (Node("heavy", 8.0), 4),
        (Node("negative", -7.0), 1),
    ])
    .unwrap();
    let spread = Spread::new(ring, |_| 5);
    for key in 0..50u32 {
        let names: Vec<_> = spread.replicas(&key, 9).iter().map(|node| node.0).collect();
        assert_eq!(names[..3], ["negative", "heavy", "light"]);
    }
}

#[test]
fn the_width_follows_the_share() {
    assert_eq!(Spread::width_for(0.5, 10, 1.0), 5);
    assert_eq!(Spread::width_for(0.51, 10, 1.0), 6);
    assert_eq!(Spread::width_for(0.0, 10, 1.0), 1);
    assert_eq!(Spread::width_for(1.0, 10, 0.1), 10);
    for odd in [f64::NAN, f64::INFINITY, -1.0, f64::MAX] {
        for nodes in [0, 1, 7] {
            assert!((1..=nodes.max(1)).contains(&Spread::width_for(odd, nodes, 0.5)));
            assert!((1..=nodes.max(1)).contains(&Spread::width_for(0.5, nodes, odd)));
        }
    }
    assert_eq!(Spread::width_for(0.5, 7, 0.0), 7);
}

#[test]
fn wrappers_are_send_and_sync_and_shown() {
    fn check<T: Send + Sync + std::fmt::Debug + Clone>(value: &T) {
        assert!(format!("{value:?}").contains("HashRing"));
        let _ = value.clone();
    }
    check(&Bounded::new(ring(["a"]), 1.25).unwrap());
    check(&Filtered::new(ring(["a"]), |_| true));
    check(&Failover::new(vec![ring(["a"])]));
    check(&Spread::new(ring(["a"]), |_| 2));
}
