//! Bad input, and input that looks bad: a typed error that names the offender, or the stated
//! answer. No panic, nothing changed.
//!
//! Here what concerns routing; identities and batches are in `bad_identities.rs`, weights and
//! numbers in `bad_weights.rs`, what panics by itself (hashers, predicates, clones, drops) in
//! `panics.rs`, what is large in `scale.rs` and `allocation.rs`.

use crate::common::hashers::{Chosen, Spoilt, point_bytes};
use crate::common::node::Node;
use crate::common::random::Rng;
use crate::common::small::{Ring, empty, seen, some};
use clockwise::{HashRing, Strategy, Token, error::NotEnoughDomains};
use std::collections::BTreeSet;

// ---- no node to be had --------------------------------------------------------------------------

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

// ---- how many replicas --------------------------------------------------------------------------

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

// ---- keys and tokens ----------------------------------------------------------------------------

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

// ---- predicates ---------------------------------------------------------------------------------

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
