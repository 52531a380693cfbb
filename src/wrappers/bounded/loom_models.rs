//! Models of the reservation: every interleaving of a few threads.

use super::*;
use crate::load::Tracked;
use crate::ring::HashRing;
use crate::wrappers::Filtered;
use alloc::sync::Arc;
use loom::thread;

type Node = Tracked<&'static str>;
type Ring = HashRing<Node>;

fn ring(nodes: &[&'static str]) -> Ring {
    let mut ring = HashRing::builder().virtual_nodes(1).build().unwrap();
    let nodes = nodes.iter().map(|node| (Tracked::new(*node), 1));
    ring.extend_weighted(nodes).unwrap();
    ring
}

fn bounded(nodes: &[&'static str], factor: f64) -> Arc<Bounded<Ring>> {
    Arc::new(Bounded::new(ring(nodes), factor).unwrap())
}

/// Runs the same request on two threads.
fn twice<S: Send + Sync + 'static>(bounded: &Arc<S>, request: fn(&S)) {
    let other = Arc::clone(bounded);
    let other = thread::spawn(move || request(&other));
    request(bounded);
    other.join().unwrap();
}

fn all_is_given_back<S: Strategy<Node = Node>>(bounded: &Bounded<S>) {
    assert_eq!(bounded.open_leases(), 0);
    bounded.for_each_member(&mut |member| assert_eq!(member.node.in_flight(), 0));
}

/// Two threads with one key, two nodes, and a factor that is 1 in fixed point: every cap is
/// ⌈2 / 2⌉ = ⌈1 / 2⌉ = 1, so the second thread gets the other node.
#[test]
fn loom_no_cap_is_exceeded() {
    loom::model(|| {
        let bounded = bounded(&["a", "b"], 1.0 + f64::EPSILON);
        twice(&bounded, |bounded| {
            let lease = bounded.acquire("key").expect("nodes are eligible");
            assert_eq!(lease.node().in_flight(), 1);
            assert!((1..=2).contains(&bounded.open_leases()));
        });
        all_is_given_back(&bounded);
    });
}

/// The same with a third node that a filter refuses: W is 2, and each thread counts it for itself.
#[test]
fn loom_no_cap_is_exceeded_among_the_nodes_that_pass() {
    loom::model(|| {
        let up = |node: &Node| *node != "c";
        let filtered = Filtered::new(ring(&["a", "b", "c"]), up);
        let bounded = Arc::new(Bounded::new(filtered, 1.0 + f64::EPSILON).unwrap());
        let other = Arc::clone(&bounded);
        let other = thread::spawn(move || {
            let lease = other.acquire("key").expect("nodes are eligible");
            assert_eq!(lease.node().in_flight(), 1);
        });
        let lease = bounded.acquire("key").expect("nodes are eligible");
        assert_eq!(lease.node().in_flight(), 1);
        drop(lease);
        other.join().unwrap();
        all_is_given_back(&bounded);
    });
}

/// Two requests bypass the bound, so the only node is full for both threads: they then go by the
/// counts of what they were offered.
#[test]
fn loom_a_full_node_still_serves() {
    loom::model(|| {
        let bounded = bounded(&["a"], 1.01);
        let node = bounded.strategy().get("a").unwrap();
        let past = (node.begin(), node.begin());
        twice(&bounded, |bounded| {
            let lease = bounded.acquire("key").expect("`a` is eligible");
            assert!((3..=4).contains(&lease.node().in_flight()));
        });
        drop(past);
        all_is_given_back(&bounded);
    });
}

/// A snapshot without the node, and one to which it has returned, while a lease on it is handed
/// over and ends.
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
