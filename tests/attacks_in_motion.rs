//! What holds for a single strategy at rest holds in every nesting, for clones, behind pointers, and
//! after refused changes.
#![cfg(all(feature = "std", feature = "sticky", feature = "shared"))]

use clockwise::load::{Counted, Counter};
use clockwise::{Bounded, Edit, Failover, HashRing, Key, Membership, Shared};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::time::Duration;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The groups of a failover check their parts group by group. The error is still that of the first
/// edit that is invalid, as on a ring.
#[test]
fn failover_names_the_first_edit_that_is_invalid() -> Outcome {
    let here = HashRing::from_nodes(["eu-1", "eu-2"])?;
    let there = HashRing::from_nodes(["us-1", "us-2"])?;
    let all = HashRing::from_nodes(["eu-1", "eu-2", "us-1", "us-2"])?;
    let groups = Failover::new(vec![here, there]);
    let bad: [&dyn Fn() -> Vec<Edit<&'static str>>; 4] = [
        &|| vec![Edit::set_weight("us-1", 0), Edit::set_weight("eu-1", 0)],
        &|| {
            vec![
                Edit::drain("eu-1"),
                Edit::set_weight("us-2", 0),
                Edit::remove("x"),
            ]
        },
        &|| vec![Edit::insert("y", 0), Edit::remove("x")],
        &|| {
            vec![
                Edit::remove("eu-1"),
                Edit::drain("eu-1"),
                Edit::set_weight("us-1", 0),
            ]
        },
    ];
    for edits in bad {
        let due = all.clone().apply(edits()).unwrap_err();
        let error = groups.clone().apply(edits()).unwrap_err();
        assert_eq!(error, due);
        let boxed: Vec<Box<dyn Membership<Node = &str>>> = vec![
            Box::new(groups.groups()[0].clone()),
            Box::new(groups.groups()[1].clone()),
        ];
        assert_eq!(Failover::new(boxed).apply(edits()).unwrap_err(), due);
    }
    Ok(())
}

/// A node whose drop changes the membership that it was a copy in.
#[derive(Debug)]
struct Chain {
    name: &'static str,
    shared: Weak<Mutex<Option<Arc<Shared<HashRing<Chain>>>>>>,
    drops: Arc<AtomicU64>,
}

impl Clone for Chain {
    fn clone(&self) -> Self {
        Chain {
            name: self.name,
            shared: self.shared.clone(),
            drops: Arc::clone(&self.drops),
        }
    }
}

impl Key for Chain {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        if self.drops.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let shared = shared.lock().unwrap().clone();
        if let Some(shared) = shared {
            shared.update(|ring| ring.drain_where(|_| true));
        }
    }
}

/// The copy that a failed or panicking change has left is dropped after the lock of the writers.
#[test]
fn the_drop_of_a_refused_copy_may_update() {
    for panics in [false, true] {
        let place = Arc::new(Mutex::new(None));
        let drops = Arc::new(AtomicU64::new(1));
        let node = Chain {
            name: "a",
            shared: Arc::downgrade(&place),
            drops: Arc::clone(&drops),
        };
        let ring = HashRing::from_nodes([node]).unwrap();
        let shared = Arc::new(Shared::new(ring));
        *place.lock().unwrap() = Some(Arc::clone(&shared));
        let (done, is_done) = mpsc::channel();
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    shared.try_update(|_| {
                        drops.store(0, Ordering::Relaxed);
                        assert!(!panics, "on purpose");
                        Err::<(), _>("refused")
                    })
                }));
                drops.store(1, Ordering::Relaxed);
                done.send(refused.is_err()).unwrap();
            }
        });
        let panicked = is_done.recv_timeout(Duration::from_secs(10));
        assert_eq!(panicked, Ok(panics), "a deadlock");
        thread.join().unwrap();
        assert_eq!(shared.version(), 1);
        assert_eq!(shared.read(HashRing::eligible), 0);
        *place.lock().unwrap() = None;
    }
}

/// Counts in a counter, but says something else when it is asked.
struct Silent(&'static str, Counter);

impl Key for Silent {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.0
    }
}

impl Counted for Silent {
    type Watch = ();
    fn counter(&self) -> &Counter {
        &self.1
    }
    fn watch(&self) {}
    fn in_flight(&self) -> u32 {
        0
    }
}

/// The caps go by the counters. What a node says of them cannot make a request wait for ever.
#[test]
fn a_node_that_denies_its_requests_blocks_nobody() -> Outcome {
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        let ring =
            HashRing::from_nodes(["a", "b"].map(|name| Silent(name, Counter::new()))).unwrap();
        let bounded = Bounded::new(ring, 1.25).unwrap();
        let guards: Vec<_> = (0..40)
            .map(|i| bounded.get(["a", "b"][i % 2]).unwrap().begin())
            .collect();
        let leases: Vec<_> = (0..10).filter_map(|_| bounded.acquire("key")).collect();
        done.send((guards.len(), leases.len())).unwrap();
    });
    assert_eq!(is_done.recv_timeout(Duration::from_secs(10))?, (40, 10));
    Ok(())
}
