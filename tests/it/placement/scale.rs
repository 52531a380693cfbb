//! Many nodes: past the 16 bits in which others kept their index, and past a hundred million
//! points.

use crate::common::scaled;
use clockwise::{HashRing, Token};
use std::time::Instant;

fn ring(virtual_nodes: u32, nodes: u64) -> HashRing<u64> {
    let builder = HashRing::builder()
        .virtual_nodes(virtual_nodes)
        .max_points(u32::MAX as usize);
    let mut ring = builder.build().expect("it fits");
    ring.extend_weighted((0..nodes).map(|node| (node, 1)))
        .expect("distinct");
    ring
}

/// Every node has an arc, and the answer to the arc's ends is that node: by `route_token`, by the
/// batch's way and by preference.
#[test]
fn all_of_65_535_to_70_000_nodes_are_reached() {
    for nodes in [65_535, 65_536, 65_537, 70_000] {
        let ring = ring(1, nodes);
        assert_eq!(
            (ring.len() as u64, ring.point_count() as u64),
            (nodes, nodes)
        );
        let mut reached = vec![false; nodes as usize];
        for arc in ring.arcs() {
            assert_eq!(ring.route_token(arc.range.first()), Some(arc.node));
            assert_eq!(ring.route_token(arc.range.last()), Some(arc.node));
            reached[*arc.node as usize] = true;
        }
        assert!(reached.iter().all(|reached| *reached), "{nodes} nodes");
        assert_eq!(ring.preference("key").count() as u64, nodes);
        let keys: Vec<u64> = (0..1000).collect();
        let mut owners = Vec::new();
        ring.route_batch(&keys, &mut owners);
        assert!(keys.iter().map(|key| ring.route(key)).eq(owners));
    }
}

/// A change of a large ring: the last place of a fine index, the first of a coarse one, and back.
#[test]
fn the_65_536th_point_comes_and_goes() {
    let mut ring = ring(1, 65_535);
    let before = ring.fingerprint();
    let tokens: Vec<Token> = (0..2000u64).map(|i| ring.token(&i)).collect();
    let owners = |ring: &HashRing<u64>| -> Vec<u64> {
        tokens
            .iter()
            .filter_map(|&token| ring.route_token(token).copied())
            .collect()
    };
    let was = owners(&ring);
    for _ in 0..3 {
        ring.insert(u64::MAX).expect("a new node");
        assert!(
            was.iter()
                .zip(owners(&ring))
                .all(|(was, is)| is == *was || is == u64::MAX)
        );
        assert_eq!(ring.remove(&u64::MAX), Some(u64::MAX));
        assert_eq!((owners(&ring), ring.fingerprint()), (was.clone(), before));
    }
}

/// A point of the naive ring: sorted, searched.
fn naive(virtual_nodes: u32, nodes: u64) -> Vec<(u64, u64)> {
    let hash = clockwise::Xxh3::new();
    let of = |node: u64| {
        (0..virtual_nodes).map(move |i| {
            let bytes = crate::common::hashers::point_bytes(i, &node.to_le_bytes());
            (clockwise::KeyHasher::hash_bytes(&hash, &bytes), node)
        })
    };
    let mut points: Vec<(u64, u64)> = (0..nodes).flat_map(of).collect();
    points.sort_unstable_by_key(|&(token, node)| (token, node.to_le_bytes()));
    points
}

/// 2 (100) million points against a binary search over all of them. The long run takes about 6 GB.
#[test]
fn a_very_large_ring_answers_as_a_binary_search_does() {
    let nodes = scaled(500, 2000, 625_000) as u64;
    let started = Instant::now();
    let mut ring = ring(160, nodes);
    let built = started.elapsed();
    let check = |ring: &HashRing<u64>, points: &[(u64, u64)]| {
        let mut wrong = 0;
        for key in 0..scaled(2_000, 20_000, 1_000_000) as u64 {
            let token = ring.token(&key).get();
            let p = points.partition_point(|&(point, _)| point < token);
            let (_, owner) = points[if p == points.len() { 0 } else { p }];
            wrong += usize::from(ring.route(&key) != Some(&owner));
        }
        assert_eq!(wrong, 0);
    };
    assert_eq!(ring.point_count() as u64, 160 * nodes);
    check(&ring, &naive(160, nodes));
    let started = Instant::now();
    ring.insert(nodes).expect("a new node");
    let added = started.elapsed();
    check(&ring, &naive(160, nodes + 1));
    println!(
        "{} points: built in {built:.1?}, one node added in {added:.1?}",
        ring.point_count()
    );
}
