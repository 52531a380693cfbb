//! A small ring, all there is to see of it, and what a refusal must look like.

use super::hashers::Spoilt;
use super::node::Node;
use clockwise::{HashRing, KeyHasher, NodeError};

pub type Ring<H = Spoilt> = HashRing<Node, H>;

pub fn empty() -> Ring {
    HashRing::builder()
        .virtual_nodes(10)
        .hasher(Spoilt::Not)
        .max_points(1000)
        .build()
        .expect("10 of 1000 points")
}

/// `a` of weight 1, `b` of weight 2, `c` of weight 3 and drained; each with a payload of its own.
pub fn some() -> Ring {
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
pub fn seen<H: KeyHasher>(ring: &Ring<H>) -> impl PartialEq + std::fmt::Debug + use<H> {
    let members: Vec<_> = ring
        .members()
        .map(|m| (m.node.clone(), m.weight, m.drained))
        .collect();
    let arcs: Vec<_> = ring
        .arcs()
        .map(|arc| (arc.range.first(), arc.range.last(), arc.node.clone()))
        .collect();
    (members, arcs, ring.point_count(), ring.fingerprint())
}

/// Does `change`, which must be refused and leave all as it was.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(
    ring: &mut Ring,
    change: impl FnOnce(&mut Ring) -> Result<T, NodeError>,
) -> NodeError {
    let before = seen(ring);
    let error = change(ring).expect_err("it is refused");
    assert_eq!(seen(ring), before, "after: {error}");
    error
}

#[track_caller]
pub fn is_unknown(error: &NodeError, id: &str) {
    assert!(
        matches!(error, NodeError::Unknown { node, .. } if node == id),
        "{error:?}"
    );
    assert_eq!(error.to_string(), format!("node `{id}` is not a member"));
}

#[track_caller]
pub fn is_duplicate(error: &NodeError, id: &str) {
    assert!(
        matches!(error, NodeError::Duplicate { node, .. } if node == id),
        "{error:?}"
    );
    assert!(error.to_string().contains(&format!("`{id}`")), "{error}");
}

#[track_caller]
pub fn is_too_many(error: &NodeError, id: &str, of_weight: u32, needed: u128) {
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
