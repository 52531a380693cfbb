//! Models of the reservation: every interleaving of a few threads.

use super::*;
use crate::ring::HashRing;
use alloc::sync::Arc;
use loom::thread;

type Under = Bounded<HashRing<Tracked<&'static str>>>;

fn bounded(nodes: &[&'static str], factor: f64) -> Arc<Under> {
    let mut ring = HashRing::builder().virtual_nodes(1).build().unwrap();
    let nodes = nodes.iter().map(|node| (Tracked::new(*node), 1));
    ring.extend_weighted(nodes).unwrap();
    Arc::new(Bounded::new(ring, factor).unwrap())
}

fn all_is_given_back(bounded: &Under) {
    assert_eq!(bounded.open_leases(), 0);
    assert!(bounded.strategy().nodes().all(|node| node.in_flight() == 0));
}

/// Two threads with one key, two nodes, and a factor that is 1 in fixed point: every cap is ⌈2 / 2⌉ = ⌈1 / 2⌉ = 1, so whoever is
/// second gets the other node.
#[test]
fn loom_no_cap_is_exceeded() {
    loom::model(|| {
        let bounded = bounded(&["a", "b"], 1.0 + f64::EPSILON);
        let request = |bounded: Arc<Under>| {
            move || {
                let lease = bounded.acquire("key").expect("nodes are eligible");
                assert_eq!(lease.node().in_flight(), 1);
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
        let request = |bounded: Arc<Under>| {
            move || {
                let lease = bounded.acquire_where("key", |node| **node == "a");
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
