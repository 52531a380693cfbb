//! Models of the reservation: every interleaving of a few threads.

use super::*;
use crate::ring::HashRing;
use loom::thread;

fn bounded(nodes: &[&'static str], factor: f64) -> Arc<Bounded<HashRing<Tracked<&'static str>>>> {
    let mut ring = HashRing::builder().virtual_nodes(1).build().unwrap();
    let nodes = nodes.iter().map(|node| (Tracked::new(*node), 1));
    ring.extend_weighted(nodes).unwrap();
    Arc::new(Bounded::new(ring, factor).unwrap())
}

fn all_is_given_back(bounded: &Bounded<HashRing<Tracked<&'static str>>>) {
    assert_eq!(bounded.open_leases(), 0);
    assert!(bounded.strategy().nodes().all(|node| node.in_flight() == 0));
}

/// Two threads with one key: with 2 requests the cap of each of 2 nodes is ⌈1.25 · 2 / 2⌉ = 2, with one it is 1. Whoever is second
/// finds a place, and who saw that it is alone does not find one at a cap of 2.
#[test]
fn loom_reserving_and_giving_back() {
    loom::model(|| {
        let bounded = bounded(&["a", "b"], 1.25);
        let request = |bounded: Arc<Bounded<_>>| {
            move || {
                let lease = bounded.acquire("key").expect("nodes are eligible");
                assert!((1..=2).contains(&lease.node().in_flight()));
                assert!((1..=2).contains(&bounded.open_leases()));
            }
        };
        let other = thread::spawn(request(Arc::clone(&bounded)));
        request(Arc::clone(&bounded))();
        other.join().unwrap();
        all_is_given_back(&bounded);
    });
}

/// One of two nodes is refused, so the other is full for one of the threads, which then goes by the counts of what it was offered.
#[test]
fn loom_a_full_node_still_serves() {
    loom::model(|| {
        let bounded = bounded(&["a", "b"], 1.01);
        let request = |bounded: Arc<Bounded<_>>| {
            move || {
                let lease = bounded.acquire_where("key", |node: &Tracked<_>| **node == "a");
                assert_eq!(*lease.expect("`a` is eligible"), "a");
            }
        };
        let other = thread::spawn(request(Arc::clone(&bounded)));
        request(Arc::clone(&bounded))();
        other.join().unwrap();
        all_is_given_back(&bounded);
    });
}

/// A snapshot without the node, and one where it is back, while a lease on it is handed over and ends.
#[test]
fn loom_a_node_leaves_and_comes_back() {
    loom::model(|| {
        let before = bounded(&["a"], 2.0);
        let mut after = Bounded::clone(&before);
        let node = after.strategy_mut().remove("a").unwrap();
        let lease = before.acquire("key").unwrap().into_in_flight();
        let ends = thread::spawn(move || drop(lease));
        assert!(after.acquire("key").is_none());
        after.strategy_mut().insert(node).unwrap();
        let second = after.acquire("key").unwrap();
        assert!((1..=2).contains(&second.node().in_flight()));
        drop(second);
        ends.join().unwrap();
        all_is_given_back(&before);
        all_is_given_back(&after);
    });
}
