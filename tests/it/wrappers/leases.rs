//! In-flight counts come to 0, whatever happens to requests, nodes and strategies in between.

use crate::common::is_long;
use clockwise::{Bounded, Filtered, HashRing, Load, Tracked, load::InFlight};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

type Ring = HashRing<Tracked<&'static str>>;
const NODES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn ring() -> Ring {
    HashRing::from_nodes(NODES.map(Tracked::new)).unwrap()
}

fn send_static<T: Send + Sync + 'static>(value: T) -> T {
    value
}

#[test]
fn a_request_is_counted_until_it_is_dropped() {
    let node = Tracked::new("a");
    assert_eq!((node.in_flight(), node.load()), (0, 1.0));
    let one = node.begin();
    let two = send_static(node.clone().begin());
    assert_eq!((node.in_flight(), node.load()), (2, 3.0));
    drop(one);
    std::thread::spawn(move || drop(two)).join().unwrap();
    assert_eq!(node.in_flight(), 0);
}

#[test]
fn it_may_outlive_its_node() {
    let node = Tracked::new(String::from("a"));
    let request = node.begin();
    assert_eq!(node.into_inner(), "a");
    drop(request);
}

#[test]
fn try_begin_refuses_at_the_cap() {
    let node = Tracked::new("a");
    assert!(node.try_begin(0).is_none());
    let held: Vec<InFlight> = (0..3).map_while(|_| node.try_begin(3)).collect();
    assert_eq!(held.len(), 3);
    assert!(node.try_begin(3).is_none());
    assert!(node.try_begin(2).is_none());
    assert_eq!(node.in_flight(), 3, "a refusal changes nothing");
    drop(node.try_begin(u32::MAX));
    drop(held);
    assert_eq!(node.in_flight(), 0);
}

#[test]
fn a_tracked_node_is_the_node() {
    use clockwise::Key;
    let node = Tracked::new("a");
    assert_eq!(node.key_bytes().as_ref(), b"a");
    assert_eq!(node.len(), 1);
    assert_eq!(node, "a");
    assert_eq!(node, Tracked::from("a"));
    let _request = node.begin();
    assert_eq!(node, Tracked::new("a"), "the count takes no part");
    assert!(format!("{node:?}").contains("in_flight: 1"));
}

#[test]
fn a_lease_hands_over_both_counts() {
    let bounded = Bounded::new(ring(), 1.25).unwrap();
    let lease = bounded.acquire("key").unwrap();
    let node = lease.node().clone();
    assert_eq!(*lease, *node);
    let request = send_static(lease.into_in_flight());
    assert_eq!((node.in_flight(), bounded.open_leases()), (1, 1));
    let copy = bounded.clone();
    drop(bounded);
    assert_eq!((node.in_flight(), copy.open_leases()), (1, 1));
    drop(request);
    assert_eq!((node.in_flight(), copy.open_leases()), (0, 0));
}

#[test]
fn unwinding_gives_back() {
    let bounded = Bounded::new(ring(), 1.25).unwrap();
    let panics = catch_unwind(AssertUnwindSafe(|| {
        let _lease = bounded.acquire("key").unwrap();
        resume_unwind(Box::new("while it is held"));
    }));
    assert!(panics.is_err());
    for nth in 0..5 {
        let panics = catch_unwind(AssertUnwindSafe(|| {
            let mut asked = 0;
            bounded.acquire_where("key", |_| {
                asked += 1;
                if asked > nth {
                    resume_unwind(Box::new("in the predicate"));
                }
                false
            })
        }));
        assert!(panics.is_err());
    }
    assert_eq!(bounded.open_leases(), 0);
    assert!(bounded.strategy().nodes().all(|node| node.in_flight() == 0));
    assert!(bounded.acquire("key").is_some());
}

#[test]
fn a_predicate_may_acquire_too() {
    let bounded = Bounded::new(ring(), 1.25).unwrap();
    let lease = bounded.acquire_where("key", |_| bounded.acquire("other").is_some());
    assert!(lease.is_some());
    drop(lease);
    assert_eq!(bounded.open_leases(), 0);
}

#[test]
fn a_leaked_lease_stays_counted() {
    let bounded = Bounded::new(ring(), 1.25).unwrap();
    std::mem::forget(bounded.acquire("key").unwrap());
    assert_eq!(bounded.open_leases(), 1);
    assert_eq!(
        bounded
            .strategy()
            .nodes()
            .map(Tracked::in_flight)
            .sum::<u32>(),
        1
    );
}

#[test]
fn a_lease_ends_after_its_node_left_and_after_it_came_back() {
    let mut bounded = Bounded::new(ring(), 1.25).unwrap();
    let owner = **bounded.strategy().route("key").unwrap();

    // Removed, then added with its count.
    let request = bounded.acquire("key").unwrap().into_in_flight();
    let node = bounded.strategy_mut().remove(owner).unwrap();
    assert_eq!(node.in_flight(), 1);
    bounded.strategy_mut().insert(node).unwrap();
    assert_eq!(bounded.strategy().get(owner).unwrap().in_flight(), 1);
    drop(request);
    assert_eq!(bounded.strategy().get(owner).unwrap().in_flight(), 0);

    // Removed, then added as another node: the old request ends on the old count.
    let request = bounded.acquire("key").unwrap().into_in_flight();
    let old = bounded.strategy_mut().remove(owner).unwrap();
    bounded.strategy_mut().insert(Tracked::new(owner)).unwrap();
    drop(request);
    assert_eq!(old.in_flight(), 0);
    assert_eq!(bounded.strategy().get(owner).unwrap().in_flight(), 0);
    assert_eq!(bounded.open_leases(), 0);

    // A list that names it again keeps its count.
    let request = bounded.acquire("key").unwrap().into_in_flight();
    let changes = bounded
        .strategy_mut()
        .set_nodes(NODES.map(|name| (Tracked::new(name), 1)))
        .unwrap();
    assert!(changes.is_empty());
    assert_eq!(bounded.strategy().get(owner).unwrap().in_flight(), 1);
    drop(request);
    assert_eq!(bounded.strategy().get(owner).unwrap().in_flight(), 0);
}

type Stack = Bounded<Filtered<Ring, fn(&Tracked<&'static str>) -> bool>>;

/// How often the filter was asked: every so often it refuses `a`, `b` or `c`.
static ASKED: AtomicU32 = AtomicU32::new(0);

fn up(node: &Tracked<&'static str>) -> bool {
    let turn = ASKED.fetch_add(1, Ordering::Relaxed) / 1_000 % 4;
    NODES
        .get(turn as usize)
        .is_none_or(|down| turn == 3 || node != down)
}

/// One strategy as snapshots, and the nodes that left it and came back as others.
struct Flapping {
    current: Mutex<Arc<Stack>>,
    gone: Mutex<Vec<Tracked<&'static str>>>,
    busy: AtomicU32,
}

impl Flapping {
    fn snapshot(&self) -> Arc<Stack> {
        Arc::clone(&self.current.lock().unwrap())
    }

    /// A node is replaced, then leaves and comes back, with its count or as another.
    fn flap(&self, number: u64) {
        let mut gone = self.gone.lock().unwrap();
        let name = NODES[number as usize % 5];
        let mut next = Bounded::clone(&self.snapshot());
        let old = next.replace(Tracked::new(name)).unwrap();
        assert_eq!(next.get(name), Some(&old));
        let node = next.remove(name).unwrap();
        *self.current.lock().unwrap() = Arc::new(next.clone());
        std::thread::yield_now();
        if node.in_flight() > 0 {
            self.busy.fetch_add(1, Ordering::Relaxed);
        }
        if number % 3 == 0 {
            next.insert(Tracked::new(name)).unwrap();
            gone.push(node);
        } else {
            next.insert(node).unwrap();
        }
        *self.current.lock().unwrap() = Arc::new(next);
    }
}

/// 8 threads acquire, hold, hand over, panic and drop, each on the snapshot of the moment, while a
/// filter changes its mind. After every 100 leases they take a node away and bring it back.
#[test]
fn every_count_is_zero_at_the_end() {
    let long = is_long();
    let each: u64 = if long { 1_000_000 } else { 10_000 };
    let mut ring = HashRing::builder().virtual_nodes(16).build().unwrap();
    ring.extend_weighted(NODES.map(|name| (Tracked::new(name), 1)))
        .unwrap();
    let flapping = Flapping {
        current: Mutex::new(Arc::new(
            Bounded::new(Filtered::new(ring, up as _), 1.25).unwrap(),
        )),
        gone: Mutex::default(),
        busy: AtomicU32::new(0),
    };
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let flapping = &flapping;
            scope.spawn(move || {
                let mut held: Vec<InFlight> = Vec::new();
                for i in 0..each {
                    let key = (thread << 32 | i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                    if i % 100 == 99 {
                        flapping.flap(key >> 32);
                    }
                    let strategy = flapping.snapshot();
                    let lease = match i % 3 {
                        0 => strategy.acquire(&key),
                        1 => strategy.acquire_where(&key, |node| *node != NODES[i as usize % 5]),
                        _ => strategy.acquire_preferring(NODES[i as usize % 5], &key),
                    };
                    let lease = lease.expect("a node is left");
                    match key >> 61 {
                        0 => {
                            let panics = catch_unwind(AssertUnwindSafe(|| {
                                let _lease = lease;
                                // As a panic, without the message.
                                resume_unwind(Box::new(()));
                            }));
                            assert!(panics.is_err());
                        }
                        1 if held.len() < 64 => held.push(lease.into_in_flight()),
                        2 if held.len() < 64 => held.push(lease.into_parts().1),
                        3 => drop(held.pop()),
                        4 => held.clear(),
                        _ => drop(lease),
                    }
                }
            });
        }
    });
    let (last, gone) = (flapping.snapshot(), flapping.gone.lock().unwrap());
    println!(
        "8 threads × {each} leases, {} removals, {} with requests in flight, {} as another node",
        8 * each / 100,
        flapping.busy.load(Ordering::Relaxed),
        gone.len()
    );
    assert_eq!(last.open_leases(), 0);
    let mut nodes = last.strategy().strategy().nodes().chain(gone.iter());
    assert!(nodes.all(|node| node.in_flight() == 0));
}
