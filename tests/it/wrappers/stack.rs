//! A whole stack under load: no request begins on a removed node, no lease is lost, no count is
//! left.
//!
//! Nodes are drained and removed, come back, change weight and address, fail their health checks,
//! and requests end by an answer, a failure, a panic, a drop on another thread, or a cancelled
//! future.
#![cfg(all(feature = "shared", feature = "sticky"))]

use crate::common::random::Rng;
use clockwise::{Bounded, Filtered, HashRing, Key, PeakEwma, Shared, Sticky, Tracked};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const NODES: usize = 12;
const WORKERS: u64 = 6;

/// A server. The flags are shared by all payloads of one stay.
#[derive(Clone)]
struct Server {
    name: String,
    address: u32,
    up: Arc<AtomicBool>,
    removed: Arc<AtomicBool>,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

type Node = PeakEwma<Tracked<Arc<Server>>>;
type Stack = Shared<Sticky<Bounded<Filtered<HashRing<Node>, fn(&Node) -> bool>>>>;

fn node(server: Server) -> Node {
    PeakEwma::new(Tracked::new(Arc::new(server)), Duration::from_secs(1)).unwrap()
}

fn newcomer(i: usize) -> Node {
    node(Server {
        name: format!("n{i}"),
        address: 0,
        up: Arc::new(AtomicBool::new(true)),
        removed: Arc::new(AtomicBool::new(false)),
    })
}

fn is_up(node: &Node) -> bool {
    node.up.load(SeqCst)
}

fn stack() -> Stack {
    let ring = HashRing::builder().virtual_nodes(64);
    let ring = ring.from_nodes((0..NODES).map(newcomer)).unwrap();
    let filtered = Filtered::new(ring, is_up as fn(&Node) -> bool);
    let bounded = Bounded::new(filtered, 1.5).unwrap().min_cap(2);
    Shared::new(Sticky::new(bounded, 10_000, Duration::from_secs(60)))
}

/// Requests until told to stop. Returns how many there were.
fn work(stack: &Stack, seed: u64, stop: &AtomicBool, late: &AtomicUsize) -> usize {
    let mut rng = Rng::new(seed);
    // Ends requests elsewhere, as another task of a proxy would.
    let (other, ends) = mpsc::channel();
    let ender = thread::spawn(move || ends.into_iter().for_each(drop));
    let mut requests = 0;
    while !stop.load(SeqCst) {
        let view = stack.load();
        let session = rng.below(2000) as u64;
        let request = catch_unwind(AssertUnwindSafe(|| {
            let Some(mut lease) = view.acquire(&session) else {
                return;
            };
            if lease.node().removed.load(SeqCst) {
                late.fetch_add(1, SeqCst);
            }
            match rng.below(6) {
                0 => lease.answered(),
                1 => lease.failed(),
                2 => resume_unwind(Box::new("the handler breaks")),
                3 => other.send(lease.into_in_flight()).unwrap(),
                4 => {
                    let mut pending = lease.into_in_flight();
                    pending.expect_answer(); // and the future is cancelled
                }
                _ => thread::yield_now(),
            }
        }));
        let _ = request;
        requests += 1;
    }
    drop(other);
    ender.join().unwrap();
    requests
}

/// Takes a node out as the docs of `Shared` and `Sticky` say, and returns it.
fn take_out(stack: &Stack, id: &str) -> Node {
    let minute = Duration::from_secs(60);
    stack.try_update(|s| s.drain(id)).unwrap();
    assert!(stack.wait_for_readers(stack.version(), minute));
    stack.read(|s| s.release(id));
    // A reader may hold a binding that it looked up before the release.
    stack.update(|_| ());
    assert!(stack.wait_for_readers(stack.version(), minute));
    let node = stack.read(|s| s.get(id).unwrap().clone());
    let start = Instant::now();
    while node.in_flight() > 0 {
        assert!(start.elapsed() < minute, "{id}: {} left", node.in_flight());
        thread::yield_now();
    }
    node.removed.store(true, SeqCst);
    assert!(stack.update(|s| s.remove(id)).is_some());
    node
}

/// Changes members until told to stop. Returns the nodes that were taken out.
fn manage(stack: &Stack, stop: &AtomicBool) -> Vec<Node> {
    let mut rng = Rng::new(77);
    let mut gone = Vec::new();
    let mut out: Vec<usize> = Vec::new();
    while !stop.load(SeqCst) {
        let i = rng.below(NODES);
        let id = format!("n{i}");
        let is_out = out.contains(&i);
        match rng.below(5) {
            0 if !is_out && out.len() < NODES / 2 => {
                gone.push(take_out(stack, &id));
                out.push(i);
            }
            1 if is_out => {
                stack.try_update(|s| s.insert(newcomer(i))).unwrap();
                out.retain(|&other| other != i);
            }
            2 if !is_out => {
                let weight = 1 + rng.below(3) as u32;
                stack.try_update(|s| s.set_weight(&id, weight)).unwrap();
            }
            3 if !is_out => {
                let present = stack.read(|s| s.get(&id).unwrap().clone());
                let address = present.address + 1;
                let server = Server {
                    address,
                    ..Server::clone(&present)
                };
                stack
                    .try_update(|s| s.replace(node(server)).map(drop))
                    .unwrap();
            }
            4 if !is_out => {
                // A discovery list that has everything, with new addresses.
                let changes = stack.try_update(|s| {
                    let list: Vec<_> = s
                        .strategy()
                        .strategy()
                        .strategy()
                        .members()
                        .map(|member| {
                            let address = member.node.address + 1;
                            let server = Server {
                                address,
                                ..Server::clone(member.node)
                            };
                            (node(server), member.weight)
                        })
                        .collect();
                    s.set_nodes_with(list, |present, listed| *present = listed)
                });
                let changes = changes.unwrap();
                assert_eq!((changes.added(), changes.removed()), (0, 0));
            }
            _ => {
                stack.read(|s| {
                    if let Some(node) = s.get(&id) {
                        node.up.fetch_not(SeqCst);
                    }
                });
            }
        }
    }
    gone
}

#[test]
fn no_request_begins_on_a_removed_node_and_no_count_is_left() {
    let stack = stack();
    let (stop, late) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (requests, gone) = thread::scope(|scope| {
        let (stack, stop, late) = (&stack, &stop, &late);
        let workers: Vec<_> = (0..WORKERS)
            .map(|seed| scope.spawn(move || work(stack, seed, stop, late)))
            .collect();
        let manager = scope.spawn(move || manage(stack, stop));
        thread::sleep(Duration::from_secs(crate::common::scaled(1, 3, 60) as u64));
        stop.store(true, SeqCst);
        let requests: usize = workers.into_iter().map(|w| w.join().unwrap()).sum();
        (requests, manager.join().unwrap())
    });
    println!(
        "{requests} requests, {} removals, {} updates",
        gone.len(),
        stack.version()
    );
    assert!(
        requests > 1000 && gone.len() > 3,
        "{requests} requests, {} removals",
        gone.len()
    );
    assert_eq!(late.into_inner(), 0, "requests began on removed nodes");
    stack.read(|s| {
        assert_eq!(s.strategy().open_leases(), 0);
        for node in s.strategy().strategy().strategy().nodes() {
            assert_eq!(node.in_flight(), 0, "{}", node.name);
        }
    });
    for node in gone {
        assert_eq!(
            node.in_flight(),
            0,
            "{} left, and a count with it",
            node.name
        );
    }
}
