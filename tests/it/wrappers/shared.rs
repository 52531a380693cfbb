//! Readers see whole snapshots, and a drain is over when the readers and the requests say so.
//!
//! `Shared` has no loom model, because the atomics of `arc-swap` are not loom's. Its laws are
//! checked by real threads that count violations, and by tests in one thread that put a reader
//! between any two steps of a drain.
#![cfg(feature = "shared")]

use crate::common::is_long;
use clockwise::{Bounded, HashRing, Key, NodeError, Route, Shared, Strategy, Tracked};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

fn assert_send_sync<T: Send + Sync>(_: &T) {}

#[test]
fn an_update_is_seen_whole_and_old_snapshots_stay() {
    let shared = Shared::new(HashRing::from_nodes(["a", "b"]).unwrap());
    assert_send_sync(&shared);
    let before = shared.load();
    assert_eq!(shared.version(), 0);
    let old = shared
        .try_update(|ring| {
            ring.insert("c")?;
            ring.insert("d")?;
            Ok::<_, NodeError>(ring.remove("a"))
        })
        .unwrap();
    assert_eq!(old, Some("a"));
    assert_eq!(
        (before.len(), shared.load().len(), shared.version()),
        (2, 3, 1)
    );
    assert_eq!(shared.replace(HashRing::new()).len(), 3);
    let (version, ring) = shared.load_versioned();
    assert_eq!((version, ring.len()), (2, 0));
}

#[test]
fn a_failed_or_panicking_update_changes_nothing() {
    let shared = Shared::new(HashRing::from_nodes(["a", "b"]).unwrap());
    let before = shared.load();
    let error = shared.try_update(|ring| {
        ring.clear();
        ring.set_weight("a", 2)
    });
    assert!(matches!(error, Err(NodeError::Unknown { .. })));
    let panics = catch_unwind(AssertUnwindSafe(|| {
        shared.try_update(|ring| -> Result<(), NodeError> {
            ring.insert("c")?;
            resume_unwind(Box::new("half way"));
        })
    }));
    assert!(panics.is_err());
    assert!(Arc::ptr_eq(&before, &shared.load()));
    assert_eq!(shared.version(), 0);
    shared.try_update(|ring| ring.insert("c")).unwrap();
    assert_eq!((shared.load().len(), shared.version()), (3, 1));
}

#[test]
fn counts_survive_the_swap() {
    let ring = HashRing::from_nodes(["a", "b", "c"].map(Tracked::new)).unwrap();
    let shared = Shared::new(Bounded::new(ring, 1.25).unwrap());
    let request = shared.load().acquire("key").unwrap().into_in_flight();
    shared
        .try_update(|bounded| bounded.strategy_mut().insert(Tracked::new("d")))
        .unwrap();
    let now = shared.load();
    assert_eq!(now.open_leases(), 1);
    assert_eq!(
        now.strategy().nodes().map(Tracked::in_flight).sum::<u32>(),
        1
    );
    drop(request);
    assert_eq!(now.open_leases(), 0);
    assert_eq!(
        now.strategy().nodes().map(Tracked::in_flight).sum::<u32>(),
        0
    );
}

#[cfg(feature = "sticky")]
#[test]
fn sessions_survive_the_swap() {
    use clockwise::Sticky;
    let ring = HashRing::from_nodes(["a", "b", "c"]).unwrap();
    let shared = Shared::new(Sticky::new(ring, 1_000, Duration::from_secs(60)));
    let homes: Vec<_> = (0..100u32)
        .map(|s| *shared.load().route(&s).unwrap())
        .collect();
    for name in ["d", "e", "f"] {
        shared
            .try_update(|sticky| sticky.strategy_mut().insert(name))
            .unwrap();
    }
    let now = shared.load();
    assert!(
        (0..100u32)
            .zip(&homes)
            .all(|(s, home)| now.route(&s) == Some(home))
    );
}

#[test]
fn a_strategy_chosen_at_run_time_is_replaced() {
    type Any = Box<dyn Strategy<Node = &'static str> + Send + Sync>;
    let shared: Shared<Any> = Shared::new(Box::new(HashRing::from_nodes(["a"]).unwrap()));
    assert_eq!(shared.load().route("k"), Some(&"a"));
    shared.replace(Box::new(HashRing::from_nodes(["b"]).unwrap()));
    assert_eq!(shared.load().route("k"), Some(&"b"));
}

/// Whether the snapshot has the members of this version.
fn is_of(ring: &HashRing<u64>, version: u64) -> bool {
    // In order of identity, which is that of little-endian bytes.
    let mut nodes: Vec<u64> = ring.nodes().copied().collect();
    nodes.sort_unstable();
    nodes
        .into_iter()
        .eq(members_of(version).map(|(node, _)| node))
}

/// In snapshot v node number v is there, and with it those of v − 1 down to v − 8: so a snapshot
/// tells its version.
fn members_of(version: u64) -> impl Iterator<Item = (u64, u32)> {
    (version.saturating_sub(8)..=version).map(|node| (node, 1))
}

/// 8 readers and 2 writers: each answer is that of the snapshot it came from, versions never go
/// back, a panicking writer disturbs nobody, and memory is flat, as all snapshots but the last are
/// freed.
#[test]
fn readers_and_writers() {
    let seconds = if is_long() { 60 } else { 1 };
    let empty = || HashRing::builder().virtual_nodes(8).build().unwrap();
    let mut first = empty();
    first.extend_weighted(members_of(0)).unwrap();
    let shared = Shared::new(first);
    let end = Instant::now() + Duration::from_secs(seconds);
    let reads = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = statm
            .split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<u64>().ok());
        pages.unwrap_or(0) * 4096
    };
    let mut memory = Vec::new();
    std::thread::scope(|scope| {
        for reader in 0..8u64 {
            let (shared, reads, done) = (&shared, &reads, &done);
            scope.spawn(move || {
                let (mut last, mut count) = (0, 0u64);
                while !done.load(Ordering::Relaxed) {
                    let (version, ring) = shared.load_versioned();
                    assert!(version >= last, "a version went back");
                    assert!(shared.version() >= version);
                    last = version;
                    assert!(is_of(&ring, version));
                    let key = count * 8 + reader;
                    let owner = ring.route(&key).unwrap();
                    let all = ring.replicas(&key, 3);
                    assert_eq!(all[0], owner);
                    count += 1;
                }
                reads.fetch_add(count, Ordering::Relaxed);
            });
        }
        for writer in 0..2u64 {
            let (shared, done) = (&shared, &done);
            scope.spawn(move || {
                let mut round = 0;
                while !done.load(Ordering::Relaxed) {
                    round += 1;
                    let change = |ring: &mut HashRing<u64>| {
                        let next = ring.nodes().max().unwrap() + 1;
                        if round % 16 == writer {
                            ring.clear();
                            resume_unwind(Box::new("half way"));
                        }
                        ring.set_nodes(members_of(next))
                            .map(|changes| changes.added())
                    };
                    let updated = catch_unwind(AssertUnwindSafe(|| shared.try_update(change)));
                    assert_eq!(updated.is_err(), round % 16 == writer);
                }
            });
        }
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(100));
            memory.push(resident());
        }
        done.store(true, Ordering::Relaxed);
    });
    let (version, ring) = shared.load_versioned();
    assert!(is_of(&ring, version));
    assert_eq!(
        Arc::strong_count(&ring),
        2,
        "no reader or writer holds on to a snapshot"
    );
    let reads = reads.into_inner();
    println!(
        "{seconds} s: {reads} reads, {version} swaps, resident {:?} to {:?} KiB",
        memory.iter().min().map(|bytes| bytes / 1024),
        memory.iter().max().map(|bytes| bytes / 1024),
    );
    assert!(reads > 0 && version > 0);
    // Flat: what the second half needs, the first did too, within 8 MiB for the allocator's arenas.
    // A second's snapshots, if they were kept, would take more.
    let (one, two) = memory.split_at(memory.len() / 2);
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    assert!(most(two) <= most(one) + (8 << 20), "{one:?} {two:?}");
}

/// A drain in steps, with a reader between each two of them, in one thread.
#[test]
fn a_reader_holds_up_the_drain_until_its_request_is_counted() {
    let ring = HashRing::from_nodes(["a", "b"].map(Tracked::new)).unwrap();
    let shared = Shared::new(ring);
    let key = (0..100u32).find(|key| shared.read(|ring| **ring.route(key).unwrap() == "a"));
    let key = key.unwrap();
    let in_flight = || shared.read(|ring| ring.get("a").unwrap().in_flight());

    let reader = shared.load();
    shared.try_update(|ring| ring.drain("a")).unwrap();
    let drained = shared.version();
    // Nothing is in flight, but it is too early: the reader may still choose `a`.
    assert_eq!(in_flight(), 0);
    assert_eq!(shared.oldest_version_in_use(), drained - 1);
    assert!(!shared.wait_for_readers(drained, Duration::from_millis(2)));
    let request = reader.route(&key).unwrap().begin();
    assert_eq!((&**reader.route(&key).unwrap(), in_flight()), (&"a", 1));
    assert!(!shared.wait_for_readers(drained, Duration::ZERO));
    drop(reader);
    // No reader is left, and the request is counted.
    assert!(shared.wait_for_readers(drained, Duration::ZERO));
    assert_eq!((shared.oldest_version_in_use(), in_flight()), (drained, 1));
    drop(request);
    assert_eq!(in_flight(), 0);
    // A version that there is not yet.
    assert!(!shared.wait_for_readers(drained + 1, Duration::from_millis(2)));
}

#[test]
fn every_way_to_read_counts_as_a_reader() {
    let shared = Shared::new(HashRing::from_nodes(["a", "b"]).unwrap());
    let update = || shared.update(|ring| ring.set_weight("a", 1)).unwrap();
    shared.read(|_| {
        update();
        assert_eq!(shared.oldest_version_in_use(), 0);
        // A reader of a version in between leaves first.
        let between = shared.load();
        update();
        assert_eq!(shared.oldest_version_in_use(), 0);
        drop(between);
        assert_eq!(shared.oldest_version_in_use(), 0);
    });
    assert_eq!(shared.oldest_version_in_use(), 2);
    let (version, ring) = shared.load_versioned();
    update();
    assert_eq!((version, shared.oldest_version_in_use()), (2, 2));
    drop(ring);
    assert_eq!(shared.oldest_version_in_use(), 3);
    let replaced = shared.replace(HashRing::new());
    assert_eq!(shared.oldest_version_in_use(), 3, "the caller holds it");
    drop(replaced);
    assert_eq!(shared.oldest_version_in_use(), 4);
    // A weak reference is a reader once it is upgraded.
    let weak = Arc::downgrade(&shared.load());
    let held = weak.upgrade();
    update_empty(&shared);
    assert_eq!(shared.oldest_version_in_use(), 4);
    drop(held);
    assert_eq!(shared.oldest_version_in_use(), 5);
    assert!(weak.upgrade().is_none());
}

fn update_empty(shared: &Shared<HashRing<&'static str>>) {
    shared.update(|ring| drop(ring.clear()));
}

/// After drain, wait for the readers and wait for the requests, no request begins on the node.
#[test]
fn no_request_begins_on_a_node_after_its_drain() {
    const NODES: usize = 4;
    const DRAINS: usize = 1_000;
    let nodes = (0..NODES as u64).map(Tracked::new);
    let ring = HashRing::builder()
        .virtual_nodes(8)
        .from_nodes(nodes)
        .unwrap();
    let shared = Shared::new(ring);
    let over: Vec<_> = (0..NODES).map(|_| AtomicBool::new(false)).collect();
    let (done, late, served) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for reader in 0..4u64 {
            let (shared, over, done, late, served) = (&shared, &over, &done, &late, &served);
            scope.spawn(move || {
                for key in (reader..).step_by(4) {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    // Held until the request is counted.
                    let ring = shared.load();
                    let node = ring.route(&key).unwrap();
                    if key % 16 == reader {
                        std::thread::yield_now();
                    }
                    let request = node.begin();
                    // While the request is counted no drain can be declared over.
                    let began_late = over[usize::try_from(**node).unwrap()].load(Ordering::SeqCst);
                    late.fetch_add(u64::from(began_late), Ordering::Relaxed);
                    drop(ring);
                    served.fetch_add(1, Ordering::Relaxed);
                    drop(request);
                }
            });
        }
        for drain in 0..DRAINS {
            let (place, node) = (drain % NODES, (drain % NODES) as u64);
            shared.try_update(|ring| ring.drain(&node)).unwrap();
            assert!(shared.wait_for_readers(shared.version(), Duration::from_secs(60)));
            let counted = shared.load();
            while counted.get(&node).unwrap().in_flight() > 0 {
                std::thread::yield_now();
            }
            over[place].store(true, Ordering::SeqCst);
            std::thread::yield_now();
            over[place].store(false, Ordering::SeqCst);
            shared.try_update(|ring| ring.undrain(&node)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(
        late.into_inner(),
        0,
        "requests that began on a drained node"
    );
    assert!(served.into_inner() > DRAINS as u64 / 10);
}

/// Neither the version nor the oldest one in use, whoever asks.
#[test]
fn versions_never_go_back() {
    let shared = Shared::new(HashRing::from_nodes(["a"]).unwrap());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let (mut oldest, mut newest) = (0, 0);
                while !done.load(Ordering::Relaxed) {
                    let (version, snapshot) = shared.load_versioned();
                    assert!(version >= newest, "{version} after {newest}");
                    newest = version;
                    let in_use = shared.oldest_version_in_use();
                    assert!(in_use >= oldest, "{in_use} after {oldest}");
                    assert!(in_use <= version, "{in_use}, though {version} is held");
                    oldest = in_use;
                    drop(snapshot);
                }
            });
        }
        for _ in 0..2_000 {
            shared.update(|ring| ring.set_weight("a", 1)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(
        (shared.version(), shared.oldest_version_in_use()),
        (2_000, 2_000)
    );
}

#[test]
fn memory_is_flat_without_a_look_at_the_versions() {
    let ring = HashRing::builder()
        .virtual_nodes(4)
        .from_nodes(["a", "b"])
        .unwrap();
    let shared = Shared::new(ring);
    let update = |times: u32| {
        allocation_counter::measure(|| {
            for i in 0..times {
                shared
                    .update(|ring| ring.set_weight("a", 1 + i % 2))
                    .unwrap();
            }
        })
    };
    update(100);
    let few = update(100);
    let reader = shared.load(); // one old snapshot is kept, and no other
    let many = update(20_000);
    assert!(many.count_total > 20_000, "snapshots are allocated");
    let one = 4 * few.bytes_max; // a snapshot, its copy, and the entry of the one that is held
    assert!(many.bytes_max < one, "{many:?} {few:?}");
    assert!(many.bytes_current.unsigned_abs() < one, "{many:?} {few:?}");
    drop(reader);
    assert_eq!(shared.oldest_version_in_use(), shared.version());
}

/// A node that acts once, when it is dropped while armed.
#[derive(Clone)]
struct Acts {
    name: &'static str,
    armed: Arc<AtomicBool>,
    act: Arc<dyn Fn() + Send + Sync>,
}

impl Key for Acts {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name
    }
}

impl Drop for Acts {
    fn drop(&mut self) {
        if self.armed.swap(false, Ordering::Relaxed) {
            (self.act)();
        }
    }
}

type Acting = Shared<HashRing<Acts>>;

/// A shared ring of `a` and `b`, whose nodes do this when they are dropped while armed.
fn acting(act: fn(&Acting)) -> (Arc<Acting>, Arc<AtomicBool>) {
    let armed = Arc::new(AtomicBool::new(false));
    let shared = Arc::new_cyclic(|weak: &Weak<Acting>| {
        let weak = weak.clone();
        let act: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
            if let Some(shared) = weak.upgrade() {
                act(&shared);
            }
        });
        let node = |name| {
            let (armed, act) = (armed.clone(), act.clone());
            Acts { name, armed, act }
        };
        Shared::new(HashRing::from_nodes(["a", "b"].map(node)).unwrap())
    });
    (shared, armed)
}

/// Fails, rather than waits for ever, if `f` deadlocks.
fn in_time(f: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        f();
        sender.send(()).unwrap();
    });
    let ended = receiver.recv_timeout(Duration::from_secs(30));
    assert!(!matches!(ended, Err(RecvTimeoutError::Timeout)), "deadlock");
    thread.join().unwrap();
}

#[test]
fn a_node_may_update_when_it_is_dropped() {
    fn drain(shared: &Acting) {
        shared.try_update(|ring| ring.drain("b")).unwrap();
    }
    // By the writer that drops the old snapshot.
    in_time(|| {
        let (shared, armed) = acting(drain);
        let removed = shared.update(|ring| {
            armed.store(true, Ordering::Relaxed);
            ring.remove("a")
        });
        assert_eq!((shared.version(), removed.is_some()), (2, true));
        assert_eq!(shared.load().is_drained("b"), Some(true));
    });
    // By the caller that drops the replaced payload.
    in_time(|| {
        let (shared, armed) = acting(drain);
        let node = shared.load().get("a").unwrap().clone();
        let replaced = shared.try_update(|ring| ring.replace(node));
        armed.store(true, Ordering::Relaxed);
        drop(replaced);
        assert_eq!(shared.load().is_drained("b"), Some(true));
    });
    // By the last reader, and by `replace`.
    in_time(|| {
        let (shared, armed) = acting(drain);
        let reader = shared.load();
        shared.update(|_| ());
        armed.store(true, Ordering::Relaxed);
        drop(reader);
        assert_eq!(shared.load().is_drained("b"), Some(true));
        armed.store(true, Ordering::Relaxed);
        let ring = shared.load().as_ref().clone();
        drop(shared.replace(ring));
        assert_eq!(shared.version(), 4);
    });
}

#[test]
fn a_panic_in_the_drop_of_an_old_node_leaves_the_new_snapshot() {
    fn panics(_: &Acting) {
        resume_unwind(Box::new("in a drop"));
    }
    in_time(|| {
        let (shared, armed) = acting(panics);
        let updated = catch_unwind(AssertUnwindSafe(|| {
            shared.update(|ring| {
                armed.store(true, Ordering::Relaxed);
                ring.drain("a").unwrap();
            });
        }));
        // The update panics, although it is done. The next one works.
        assert!(updated.is_err());
        assert_eq!(shared.version(), 1);
        assert_eq!(shared.load().is_drained("a"), Some(true));
        shared.try_update(|ring| ring.undrain("a")).unwrap();
        assert_eq!((shared.version(), shared.oldest_version_in_use()), (2, 2));
        assert_eq!(shared.load().is_drained("a"), Some(false));
    });
}
