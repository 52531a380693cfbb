//! Snapshots for many threads.
#![cfg(feature = "shared")]

use clockwise::{Bounded, HashRing, NodeError, Route, Shared, Strategy, Tracked};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// In snapshot v node number v is there, and with it those of v − 1 down to v − 8: so a snapshot tells its version.
fn members_of(version: u64) -> impl Iterator<Item = (u64, u32)> {
    (version.saturating_sub(8)..=version).map(|node| (node, 1))
}

/// 8 readers and 2 writers: each answer is that of the snapshot it came from, versions never go back, a panicking writer disturbs nobody, and memory
/// is flat, as all snapshots but the last are freed.
#[test]
fn readers_and_writers() {
    let seconds = match std::env::var("CLOCKWISE_LONG") {
        Ok(value) => value.parse().unwrap_or(60).max(60),
        Err(_) => 1,
    };
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
    // Flat: what the second half needs, the first did too, within 8 MiB for the allocator's arenas. A second's snapshots, if they were
    // kept, would take more.
    let (one, two) = memory.split_at(memory.len() / 2);
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    assert!(most(two) <= most(one) + (8 << 20), "{one:?} {two:?}");
}
