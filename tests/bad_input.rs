//! Bad input, and input that looks bad: a typed error that names the offender, or the stated answer. No panic, nothing changed.
//!
//! What panics by itself (hashers, predicates, clones, drops) is in `panics.rs`, what is large in `scale.rs`.

mod common;

use clockwise::{
    ConfigError, HashRing, KeyHasher, Membership, NodeError, NotEnoughDomains, Strategy, Token,
};
use common::hashers::{Chosen, Spoilt, point_bytes};
use common::node::Node;
use common::random::Rng;
use std::collections::BTreeSet;

type Ring<H = Spoilt> = HashRing<Node, H>;

fn empty() -> Ring {
    HashRing::builder()
        .virtual_nodes(10)
        .hasher(Spoilt::Not)
        .max_points(1000)
        .build()
        .expect("10 of 1000 points")
}

/// `a` of weight 1, `b` of weight 2, `c` of weight 3 and drained; each with a payload of its own.
fn some() -> Ring {
    let mut ring = empty();
    ring.extend_weighted([
        (Node::new("a", 1), 1),
        (Node::new("b", 2), 2),
        (Node::new("c", 3), 3),
    ])
    .expect("three nodes");
    ring.drain("c").expect("it is a member");
    ring
}

/// All there is to see of a ring.
fn seen<H: KeyHasher>(ring: &Ring<H>) -> impl PartialEq + std::fmt::Debug + use<H> {
    let members: Vec<_> = ring
        .members()
        .map(|m| (m.node.clone(), m.weight, m.drained))
        .collect();
    let arcs: Vec<_> = ring
        .arcs()
        .map(|arc| (arc.first, arc.last, arc.node.clone()))
        .collect();
    (members, arcs, ring.point_count(), ring.fingerprint())
}

/// Does `change`, which must be refused and leave all as it was.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    ring: &mut Ring,
    change: impl FnOnce(&mut Ring) -> Result<T, NodeError>,
) -> NodeError {
    let before = seen(ring);
    let error = change(ring).expect_err("it is refused");
    assert_eq!(seen(ring), before, "after: {error}");
    error
}

#[track_caller]
fn is_unknown(error: &NodeError, id: &str) {
    assert!(
        matches!(error, NodeError::Unknown { node, .. } if node == id),
        "{error:?}"
    );
    assert_eq!(error.to_string(), format!("node `{id}` is not a member"));
}

#[track_caller]
fn is_duplicate(error: &NodeError, id: &str) {
    assert!(
        matches!(error, NodeError::Duplicate { node, .. } if node == id),
        "{error:?}"
    );
    assert!(error.to_string().contains(&format!("`{id}`")), "{error}");
}

#[track_caller]
fn is_too_many(error: &NodeError, id: &str, of_weight: u32, needed: u128) {
    assert!(
        matches!(error, NodeError::TooManyPoints { node, weight, points, .. }
            if node == id && *weight == of_weight && *points == needed),
        "{error:?}"
    );
    let text = error.to_string();
    for part in [
        format!("`{id}`"),
        of_weight.to_string(),
        needed.to_string(),
        "max_points".into(),
    ] {
        assert!(text.contains(&part), "{text} does not say {part}");
    }
}

// ---- no node to be had ---------------------------------------------------------------------------------------------------

#[track_caller]
fn has_no_owner(ring: &Ring) {
    assert_eq!(ring.route("key"), None);
    assert_eq!(ring.route(""), None);
    assert_eq!(ring.route_token(Token::new(0)), None);
    assert_eq!(ring.route_token(Token::new(u64::MAX)), None);
    assert_eq!(
        ring.route_where("key", |_| -> bool { panic!("nobody to ask about") }),
        None
    );
    assert_eq!(ring.pick(Token::new(5), &mut |_| true), None);
    let mut preference = ring.preference("key");
    assert_eq!(
        (preference.size_hint(), preference.next(), preference.next()),
        ((0, Some(0)), None, None)
    );
    for n in [0, 1, usize::MAX] {
        assert!(ring.replicas("key", n).is_empty());
        assert!(
            ring.replicas_across("key", n, |node| node.payload)
                .is_empty()
        );
    }
    assert_eq!(
        ring.try_replicas_across("key", 0, |node| node.payload),
        Ok(vec![])
    );
    let error = ring
        .try_replicas_across("key", 2, |node| node.payload)
        .expect_err("no domain");
    assert_eq!((error.wanted, error.found), (2, 0));
    let mut out = vec![None; 7];
    ring.route_batch(&["a", "b"], &mut out);
    assert_eq!(out, [None, None]);
    ring.route_batch::<&str>(&[], &mut out);
    assert_eq!(out, []);
    assert_eq!((ring.arcs().count(), ring.point_count()), (0, 0));
    assert!(ring.balance().nodes().is_empty());
}

#[test]
fn an_empty_ring_has_no_owner() {
    let ring = empty();
    has_no_owner(&ring);
    assert_eq!(
        (
            ring.len(),
            ring.is_empty(),
            ring.nodes().count(),
            ring.members().count()
        ),
        (0, true, 0, 0)
    );
    assert_eq!(
        (ring.get("a"), ring.weight("a"), ring.is_drained("a")),
        (None, None, None)
    );
    assert_eq!(
        (ring.contains("a"), ring.measure("a"), ring.share("a")),
        (false, None, None)
    );
    assert!(ring.member(b"a").is_none());
}

#[test]
fn a_ring_of_drained_nodes_has_members_and_no_owner() {
    let mut ring = some();
    for id in ["a", "b", "c"] {
        ring.drain(id).expect("it is a member");
    }
    has_no_owner(&ring);
    assert_eq!(
        (ring.len(), ring.is_empty(), ring.nodes().count()),
        (3, false, 3)
    );
    assert_eq!(
        (ring.measure("a"), ring.share("a"), ring.weight("c")),
        (Some(0), Some(0.0), Some(3))
    );
    ring.undrain("b").expect("it is a member");
    assert_eq!(ring.route("key"), Some(&Node::new("b", 2)));
}

#[test]
fn removing_the_last_node_empties_the_ring_and_it_starts_again() {
    let mut ring = empty();
    ring.insert(Node::new("only", 1)).expect("a new node");
    assert_eq!(ring.remove("only"), Some(Node::new("only", 1)));
    has_no_owner(&ring);
    assert_eq!(seen(&ring), seen(&empty()));
    ring.insert(Node::new("next", 2)).expect("a new node");
    assert_eq!(ring.route("key"), Some(&Node::new("next", 2)));
}

#[test]
fn an_empty_list_empties_the_ring() {
    let mut ring = some();
    let changes = ring.set_nodes([]).expect("an empty list is a list");
    assert_eq!(
        (changes.added(), changes.reweighted(), changes.removed()),
        (0, 0, 3)
    );
    has_no_owner(&ring);
}

// ---- how many replicas -----------------------------------------------------------------------------------------------------

#[test]
fn replicas_are_as_many_as_asked_for_and_never_more_than_eligible_nodes() {
    let ring = some();
    for (n, expected) in [(0, 0), (1, 1), (2, 2), (3, 2), (usize::MAX, 2)] {
        assert_eq!(ring.replicas("key", n).len(), expected);
        assert_eq!(
            ring.replicas_across("key", n, |node| node.payload).len(),
            expected
        );
        assert_eq!(
            ring.replicas_across("key", n, |_| "one zone").len(),
            expected
        );
    }
}

#[test]
fn more_replicas_than_zones_is_an_error_only_where_zones_must_differ() {
    let mut ring = empty();
    ring.extend_weighted((0..6).map(|i| (Node::new(format!("n{i}"), i % 2), 1)))
        .expect("six nodes");
    let zone = |node: &Node| node.payload;
    let three = ring.replicas_across("key", 3, zone);
    assert_eq!(
        three
            .iter()
            .map(|node| zone(node))
            .collect::<BTreeSet<_>>()
            .len(),
        2
    );
    assert_eq!(ring.replicas_across("key", 99, zone).len(), 6);
    assert_eq!(
        ring.try_replicas_across("key", 2, zone)
            .map(|two| two.len()),
        Ok(2)
    );
    for n in [3, 6, 7, usize::MAX] {
        let error: NotEnoughDomains = ring
            .try_replicas_across("key", n, zone)
            .expect_err("two zones");
        assert_eq!((error.wanted, error.found), (n, 2));
        assert!(
            error.to_string().contains(&format!("{n} replicas")),
            "{error}"
        );
        assert!(error.to_string().contains("only 2"), "{error}");
    }
}

// ---- identities -------------------------------------------------------------------------------------------------------------

#[test]
fn a_duplicate_is_refused_with_the_same_and_with_another_payload() {
    let mut ring = some();
    for payload in [1, 9] {
        is_duplicate(
            &refused(&mut ring, |ring| ring.insert(Node::new("a", payload))),
            "a",
        );
        is_duplicate(
            &refused(&mut ring, |ring| {
                ring.insert_weighted(Node::new("c", payload), 2)
            }),
            "c",
        );
    }
    assert_eq!(ring.get("a"), Some(&Node::new("a", 1)));
}

#[test]
fn a_list_that_names_a_node_twice_is_refused_whole() {
    let twice = || [("x", 1), ("y", 1), ("x", 2)].map(|(id, weight)| (Node::new(id, 0), weight));
    let mut ring = some();
    is_duplicate(
        &refused(&mut ring, |ring| ring.extend_weighted(twice())),
        "x",
    );
    is_duplicate(&refused(&mut ring, |ring| ring.set_nodes(twice())), "x");
    is_duplicate(
        &refused(&mut ring, |ring| ring.set_members(twice().into())),
        "x",
    );
    let error = HashRing::from_nodes(["x", "y", "x"]).expect_err("x stands there twice");
    is_duplicate(&error, "x");
}

#[test]
fn a_bad_member_in_the_middle_refuses_the_whole_batch() {
    let batch = |bad: (&'static str, u32)| {
        [("x", 1), ("y", 2), bad, ("z", 3)].map(|(id, weight)| (Node::new(id, 0), weight))
    };
    let mut ring = some();
    is_duplicate(
        &refused(&mut ring, |ring| ring.extend_weighted(batch(("b", 1)))),
        "b",
    );
    for ring_does in [
        |ring: &mut Ring, rows| ring.extend_weighted::<[(Node, u32); 4]>(rows),
        |ring: &mut Ring, rows| ring.set_nodes::<[(Node, u32); 4]>(rows).map(drop),
        |ring: &mut Ring, rows: [(Node, u32); 4]| ring.set_members(rows.into()).map(drop),
    ] {
        let error = refused(&mut ring, |ring| ring_does(ring, batch(("bad", 0))));
        assert!(
            matches!(&error, NodeError::ZeroWeight { node, .. } if node == "bad"),
            "{error:?}"
        );
        let error = refused(&mut ring, |ring| ring_does(ring, batch(("", 1))));
        assert_eq!(error, NodeError::EmptyIdentity);
        let error = refused(&mut ring, |ring| {
            ring_does(ring, batch(("bad", 4_000_000_000)))
        });
        assert!(
            matches!(&error, NodeError::TooManyPoints { node, .. } if node == "bad"),
            "{error:?}"
        );
    }
    assert!(!ring.contains("x") && !ring.contains("z"));
}

#[test]
fn the_present_set_as_a_list_changes_nothing() {
    let mut ring = some();
    let before = seen(&ring);
    // Other payloads, another order: the members keep theirs.
    let list = [("c", 3), ("a", 1), ("b", 2)].map(|(id, weight)| (Node::new(id, 99), weight));
    let changes = ring.set_nodes(list).expect("a fine list");
    assert!(changes.is_empty() && changes.into_removed().is_empty());
    assert_eq!(seen(&ring), before);
    ring.extend_weighted([]).expect("nothing to add");
    assert_eq!(seen(&ring), before);
}

#[test]
fn an_unknown_identity_is_an_error_or_none() {
    let mut ring = some();
    let before = seen(&ring);
    assert_eq!(ring.remove("x"), None);
    assert_eq!(seen(&ring), before);
    is_unknown(&refused(&mut ring, |ring| ring.set_weight("x", 2)), "x");
    is_unknown(&refused(&mut ring, |ring| ring.drain("x")), "x");
    is_unknown(&refused(&mut ring, |ring| ring.undrain("x")), "x");
    is_unknown(
        &refused(&mut ring, |ring| ring.replace(Node::new("x", 1))),
        "x",
    );
    is_unknown(
        &refused(&mut ring, |ring| ring.set_drained(b"x", true)),
        "x",
    );
    assert_eq!(ring.remove(""), None);
    is_unknown(&refused(&mut ring, |ring| ring.drain("")), "");
}

/// Under a constant hasher every identity has the hash of a present one.
#[test]
fn an_unknown_identity_whose_hash_collides_is_unknown_all_the_same() {
    let mut ring = HashRing::with_hasher(Spoilt::Constant(7));
    ring.insert("present").expect("a new node");
    let before = ring.fingerprint();
    assert_eq!(ring.remove("absent"), None);
    assert!(!ring.contains("absent"));
    is_unknown(&ring.drain("absent").expect_err("it is absent"), "absent");
    is_unknown(
        &ring.set_weight("absent", 3).expect_err("it is absent"),
        "absent",
    );
    assert_eq!((ring.len(), ring.fingerprint()), (1, before));
}

/// What a number's width is belongs to the key.
#[test]
fn a_number_of_another_width_names_no_node() {
    let mut ring: HashRing<u64> = HashRing::from_nodes([7u64]).expect("one node");
    assert_eq!(ring.remove(&7u32), None);
    assert!(!ring.contains(&7u128) && ring.contains(&7u64));
    assert_eq!(ring.remove(&7u64), Some(7));
}

#[test]
fn an_empty_identity_is_refused() {
    let mut ring = some();
    assert_eq!(
        refused(&mut ring, |ring| ring.insert(Node::new("", 1))),
        NodeError::EmptyIdentity
    );
    assert_eq!(
        NodeError::EmptyIdentity.to_string(),
        "a node's identity is empty"
    );
    assert!(HashRing::from_nodes([""]).is_err());
}

#[test]
fn identities_that_look_alike_are_different_nodes() {
    let alike = [
        "node", "Node", "NODE", "node ", " node", "node\0", "node\0\0", "node\n",
        "nodе", /* a Cyrillic е */
    ];
    let digits = ["node1", "node11", "node111", "1", "11", "node 1"];
    let all: Vec<&str> = alike.into_iter().chain(digits).collect();
    let mut ring = HashRing::from_nodes(all.iter().copied()).expect("all are distinct");
    assert_eq!(ring.len(), all.len());
    assert!(
        all.iter()
            .all(|id| ring.share(*id).is_some_and(|share| share > 0.02))
    );
    for (i, id) in all.iter().enumerate() {
        assert_eq!(ring.remove(*id), Some(*id));
        assert_eq!(ring.len(), all.len() - i - 1);
    }
    let error = ring.drain("node\0").expect_err("it has left");
    assert_eq!(error.to_string(), "node `0x6e6f646500` is not a member");
}

#[test]
fn an_identity_of_64_kib_is_an_identity_and_is_cut_in_errors() {
    let long = "x".repeat(65_536);
    let other = long.clone() + "y";
    let mut ring = some();
    ring.insert(Node::new(long.clone(), 1)).expect("a new node");
    ring.insert(Node::new(other.clone(), 2))
        .expect("another node");
    assert_eq!(ring.get(&long).map(|node| node.payload), Some(1));
    let error = refused(&mut ring, |ring| ring.insert(Node::new(long.clone(), 3))).to_string();
    assert!(
        error.len() < 300 && error.contains("(65536 bytes)"),
        "{error}"
    );
    assert_eq!(ring.remove(&other).map(|node| node.payload), Some(2));
}

/// A payload whose key changes under us (a cell, a clock) keeps the identity it came with.
#[test]
fn a_node_that_changes_its_key_stays_where_it_was() {
    use std::cell::Cell;
    struct Fickle(Cell<u8>);
    impl clockwise::Key for Fickle {
        fn key_bytes(&self) -> impl AsRef<[u8]> {
            [self.0.get()]
        }
    }
    let mut ring = HashRing::from_nodes((1..=9).map(|i| Fickle(Cell::new(i)))).expect("nine nodes");
    let before = ring.fingerprint();
    for node in ring.nodes() {
        node.0.set(1);
    }
    assert_eq!(ring.fingerprint(), before);
    assert!(ring.contains(&[9u8]));
    assert!(ring.remove(&[9u8]).is_some());
    assert_eq!(ring.len(), 8);
    assert!(ring.insert(Fickle(Cell::new(9))).is_ok());
    assert_eq!(ring.fingerprint(), before);
}

// ---- weights and numbers ------------------------------------------------------------------------------------------------------

#[test]
fn weight_0_is_refused_and_points_to_drain() {
    let mut ring = some();
    for error in [
        refused(&mut ring, |ring| ring.insert_weighted(Node::new("x", 0), 0)),
        refused(&mut ring, |ring| {
            ring.extend_weighted([(Node::new("x", 0), 0)])
        }),
        refused(&mut ring, |ring| ring.set_nodes([(Node::new("x", 0), 0)])),
    ] {
        assert!(
            matches!(&error, NodeError::ZeroWeight { node, .. } if node == "x"),
            "{error:?}"
        );
        assert!(
            error.to_string().contains("`x`") && error.to_string().contains("drain"),
            "{error}"
        );
    }
    let error = refused(&mut ring, |ring| ring.set_weight("a", 0));
    assert!(
        matches!(&error, NodeError::ZeroWeight { node, .. } if node == "a"),
        "{error:?}"
    );
}

#[test]
fn a_weight_beyond_the_budget_is_refused_with_the_numbers() {
    // 6 units of weight are there, 10 virtual nodes each: 60 points of 1000. Drained nodes count.
    let mut ring = some();
    for weight in [96, 4_000_000_000, u32::MAX] {
        let error = refused(&mut ring, |ring| {
            ring.insert_weighted(Node::new("x", 0), weight)
        });
        is_too_many(&error, "x", weight, 10 * (6 + u128::from(weight)));
        let error = refused(&mut ring, |ring| ring.set_weight("a", weight));
        is_too_many(&error, "a", weight, 10 * (5 + u128::from(weight)));
    }
    is_too_many(
        &refused(&mut ring, |ring| {
            ring.insert_weighted(Node::new("x", 0), 95)
        }),
        "x",
        95,
        1010,
    );
    ring.insert_weighted(Node::new("x", 0), 94)
        .expect("exactly 1000 points");
    is_too_many(
        &refused(&mut ring, |ring| ring.insert(Node::new("y", 0))),
        "y",
        1,
        1010,
    );
    ring.undrain("c").expect("there is room for drained nodes");
    assert_eq!(ring.point_count(), 1000);
}

#[test]
fn weight_4_000_000_000_is_refused_by_default() {
    let mut ring = HashRing::new();
    let error = ring
        .insert_weighted("a", 4_000_000_000)
        .expect_err("2 · 10¹² points");
    is_too_many(&error, "a", 4_000_000_000, 512 * 4_000_000_000);
    assert!(matches!(
        error,
        NodeError::TooManyPoints {
            max_points: 16_777_216,
            ..
        }
    ));
    assert!(ring.is_empty());
}

#[test]
fn weights_whose_product_or_sum_passes_2_32_are_refused_not_wrapped() {
    // Whatever the budget is set to, points stay below 2³².
    let with = |virtual_nodes| {
        HashRing::builder()
            .virtual_nodes(virtual_nodes)
            .max_points(usize::MAX)
            .build()
            .expect("it fits")
    };
    let mut ring = with(65_536);
    is_too_many(
        &ring.insert_weighted("a", 65_536).expect_err("2³² points"),
        "a",
        65_536,
        1 << 32,
    );
    is_too_many(
        &ring.insert_weighted("a", 65_537).expect_err("2³² + 2¹⁶"),
        "a",
        65_537,
        (1 << 32) + 65_536,
    );
    is_too_many(
        &ring.insert_weighted("a", u32::MAX).expect_err("2⁴⁸"),
        "a",
        u32::MAX,
        65_536 * u128::from(u32::MAX),
    );

    let mut ring = with(1);
    let halves = [("a", 1 << 31), ("b", 1 << 31)];
    is_too_many(
        &ring.extend_weighted(halves).expect_err("2³²"),
        "b",
        1 << 31,
        1 << 32,
    );
    is_too_many(
        &ring.set_nodes(halves).expect_err("2³²"),
        "b",
        1 << 31,
        1 << 32,
    );
    let many = (0..1000u64).map(|i| (if i == 0 { "a" } else { "b" }, u32::MAX));
    is_too_many(
        &ring.extend_weighted(many).expect_err("2³² and more"),
        "b",
        u32::MAX,
        2 * u128::from(u32::MAX),
    );
    assert!(ring.is_empty());

    let mut ring = with(u32::MAX);
    is_too_many(
        &ring.insert_weighted("a", u32::MAX).expect_err("2⁶⁴"),
        "a",
        u32::MAX,
        u128::from(u32::MAX).pow(2),
    );
    is_too_many(
        &ring.insert_weighted("a", 2).expect_err("2³³"),
        "a",
        2,
        2 * u128::from(u32::MAX),
    );
}

#[test]
fn virtual_nodes_of_0_or_beyond_the_budget_make_no_ring() {
    let build = |virtual_nodes, max_points: Option<usize>| {
        let builder = HashRing::<&str>::builder().virtual_nodes(virtual_nodes);
        match max_points {
            Some(max_points) => builder.max_points(max_points).build(),
            None => builder.build(),
        }
    };
    for max_points in [None, Some(0), Some(usize::MAX)] {
        assert_eq!(
            build(0, max_points).expect_err("no points"),
            ConfigError::ZeroVirtualNodes
        );
    }
    for (virtual_nodes, max_points, limit) in [
        (u32::MAX, None, 1 << 24),
        (1, Some(0), 0),
        (101, Some(100), 100),
        ((1 << 24) + 1, None, 1 << 24),
    ] {
        let error = build(virtual_nodes, max_points).expect_err("over the budget");
        assert!(
            matches!(error, ConfigError::TooManyVirtualNodes { virtual_nodes: v, max_points: m, .. }
                if v == virtual_nodes && m == limit),
            "{error:?}"
        );
        assert!(
            error.to_string().contains(&virtual_nodes.to_string()),
            "{error}"
        );
        assert!(error.to_string().contains(&limit.to_string()), "{error}");
    }
    assert!(
        ConfigError::ZeroVirtualNodes
            .to_string()
            .contains("at least 1")
    );
    assert_eq!(
        build(100, Some(100))
            .expect("exactly the budget")
            .virtual_nodes(),
        100
    );
    assert_eq!(
        build(1 << 24, None)
            .expect("exactly the budget")
            .virtual_nodes(),
        1 << 24
    );
}

// ---- keys and tokens ----------------------------------------------------------------------------------------------------------

#[test]
fn every_key_has_an_owner() {
    let ring = some();
    let (all_bytes, long): (Vec<u8>, _) = ((0..=255).collect(), vec![b'k'; 65_536]);
    let keys: [&[u8]; 7] = [
        b"",
        b"\0",
        b"\0\0",
        &[0xff],
        &[0xff, 0xfe],
        &all_bytes,
        &long,
    ];
    let mut tokens = BTreeSet::new();
    for key in keys {
        assert!(ring.route(key).is_some());
        assert_eq!(ring.route(key), ring.route_token(ring.token(key)));
        assert_eq!(ring.token_of(key), ring.token(key));
        assert!(tokens.insert(ring.token(key)), "all bytes of a key count");
    }
    for byte in 0..=255u8 {
        assert!(ring.route(&[byte]).is_some());
    }
}

#[test]
fn tokens_at_the_ends_and_on_points_have_the_stated_owner() {
    let places = [("low", 0), ("mid", 1 << 63), ("high", u64::MAX)];
    let hasher = Chosen(
        places
            .map(|(id, place)| (point_bytes(0, id.as_bytes()), place))
            .into(),
    );
    let mut ring = HashRing::builder()
        .virtual_nodes(1)
        .hasher(hasher)
        .build()
        .expect("one point each");
    ring.extend_weighted(places.map(|(id, _)| (id, 1)))
        .expect("three nodes");
    let half = 1 << 63;
    for (token, owner) in [
        (0, "low"),
        (1, "mid"),
        (half - 1, "mid"),
        (half, "mid"),
        (half + 1, "high"),
        (u64::MAX - 1, "high"),
        (u64::MAX, "high"),
    ] {
        assert_eq!(
            ring.route_token(Token::new(token)),
            Some(&owner),
            "{token:#x}"
        );
    }
    // Without a point at MAX the circle closes.
    ring.remove("high").expect("it is a member");
    assert_eq!(ring.route_token(Token::new(u64::MAX)), Some(&"low"));
    assert_eq!(ring.route_token(Token::new(half + 1)), Some(&"low"));
}

#[test]
fn a_constant_hasher_terminates_in_order_of_identity() {
    for token in [0, 42, u64::MAX] {
        let mut ring = HashRing::with_hasher(Spoilt::Constant(token));
        ring.extend_weighted(["d", "b", "a", "c"].map(|id| (id, 2)))
            .expect("four nodes");
        assert_eq!(ring.point_count(), 4 * 2 * 512);
        assert!(ring.preference("key").eq(&["a", "b", "c", "d"]));
        for probe in [0, 1, 41, 42, 43, u64::MAX] {
            assert_eq!(ring.route_token(Token::new(probe)), Some(&"a"));
        }
        assert_eq!(
            (ring.share("a"), ring.share("b"), ring.arcs().count()),
            (Some(1.0), Some(0.0), 1)
        );
        ring.remove("a").expect("it is a member");
        assert!(ring.preference("key").eq(&["b", "c", "d"]));
        ring.drain("b").expect("it is a member");
        assert_eq!(ring.replicas("key", 9), [&"c", &"d"]);
    }
}

// ---- predicates ---------------------------------------------------------------------------------------------------------------

#[test]
fn a_predicate_is_asked_once_for_each_eligible_node() {
    let mut random = Rng::new(3);
    for hasher in [Spoilt::Not, Spoilt::Top8, Spoilt::Constant(3)] {
        for count in [1, 2, 15, 16, 17, 18, 63, 64, 65, 130] {
            let mut ring = HashRing::builder()
                .virtual_nodes(8)
                .hasher(hasher)
                .build()
                .expect("it fits");
            ring.extend_weighted((0..count).map(|node: u64| (node, 1 + random.below(3) as u32)))
                .expect("distinct");
            ring.drain(&0u64).expect("it is a member");
            let mut asked = Vec::new();
            let found = ring.route_where("key", |node| {
                asked.push(*node);
                false
            });
            assert_eq!(found, None);
            assert_eq!(asked.len(), count as usize - 1);
            assert!(ring.preference("key").eq(&asked));
            asked.sort_unstable();
            assert!(asked.into_iter().eq(1..count));
        }
    }
}

#[test]
fn a_predicate_is_not_asked_again_once_it_accepts() {
    let ring = some();
    let mut calls = 0;
    let found = ring.pick(ring.token("key"), &mut |_| {
        calls += 1;
        true
    });
    assert_eq!((found, calls), (ring.route("key"), 1));
}

#[test]
fn a_predicate_may_ask_the_ring_itself() {
    let ring = some();
    let found = ring.route_where("key", |node| {
        let inner = ring.route_where("key", |other| other != node);
        ring.preference("key").count() == 2 && inner.is_some() && ring.route(&node.id).is_some()
    });
    assert_eq!(found, ring.route("key"));
}

#[test]
fn draining_twice_and_undraining_twice_is_fine() {
    let mut ring = some();
    let before = seen(&ring);
    ring.drain("c").expect("it is drained already");
    ring.undrain("a").expect("it is not drained");
    ring.set_weight("a", 1).expect("it has that weight");
    assert_eq!(seen(&ring), before);
    ring.set_weight("c", 5).expect("drained nodes have weights");
    assert_eq!(
        (ring.weight("c"), ring.is_drained("c"), ring.point_count()),
        (Some(5), Some(true), 30)
    );
    ring.undrain("c").expect("it is a member");
    assert_eq!(ring.point_count(), 80);
}
