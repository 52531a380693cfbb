//! Identities that are there already, unknown, empty, long, look alike or change; and lists of
//! them.

use crate::common::hashers::Spoilt;
use crate::common::node::Node;
use crate::common::small::{Ring, is_duplicate, is_unknown, refused, seen, some};
use clockwise::{HashRing, Membership, NodeError};

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
        &refused(&mut ring, |ring| {
            Membership::set_nodes(ring, twice().into())
        }),
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
        |ring: &mut Ring, rows: [(Node, u32); 4]| {
            Membership::set_nodes(ring, rows.into()).map(drop)
        },
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
    is_unknown(&refused(&mut ring, |ring| ring.drain("x")), "x");
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
        "a node has an empty identity (its key bytes must hold at least 1 byte)"
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
