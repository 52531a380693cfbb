//! Weights and configurations that cannot be: 0, beyond the budget, beyond 32 and 64 bits.

use crate::common::node::Node;
use crate::common::small::{is_too_many, refused, some};
use clockwise::{ConfigError, HashRing, NodeError};

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
