//! Upgrades every server under load, one after the other, without losing a session that was not
//! ended on purpose: drain, wait for the readers, watch the sessions fall, release the rest, wait
//! for the requests, remove.
//!
//! Run with `cargo run --release --example rolling_upgrade --features shared,sticky`.

use clockwise::{Bounded, HashRing, Key, NodeError, Shared, Sticky, Tracked};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const WORKERS: u64 = 4;
const SESSIONS_A_WORKER: u64 = 100;
const NAMES: [&str; 4] = ["app-1", "app-2", "app-3", "app-4"];
/// How long sessions may end by themselves before the rest is released.
const PATIENCE: Duration = Duration::from_millis(150);

struct Server {
    name: &'static str,
    version: u32,
    stopped: AtomicBool,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name
    }
}

fn server(name: &'static str, version: u32) -> Tracked<Arc<Server>> {
    Tracked::new(Arc::new(Server {
        name,
        version,
        stopped: AtomicBool::new(false),
    }))
}

type Strategy = Sticky<Bounded<HashRing<Tracked<Arc<Server>>>>>;

/// What the workers have seen.
#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    /// Sessions that came to another server than before.
    moved: AtomicU64,
    /// Requests that met a stopped server.
    late: AtomicU64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ring = HashRing::from_nodes(NAMES.map(|name| server(name, 1)))?;
    // No node is full with fewer than 8 requests, so no request takes a detour here.
    let bounded = Bounded::new(ring, 1.5)?.min_cap(8);
    let sticky: Strategy = Sticky::new(bounded, 100_000, Duration::from_secs(1800));
    let shared = Shared::new(sticky);
    let (done, seen) = (AtomicBool::new(false), Seen::default());

    let released = thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (shared, done, seen) = (&shared, &done, &seen);
            scope.spawn(move || work(worker, shared, done, seen));
        }
        thread::sleep(Duration::from_millis(100));
        let upgrade = |name| {
            let released = retire(&shared, name)?;
            shared.try_update(|sticky| sticky.insert(server(name, 2)))?;
            Ok::<_, NodeError>(released)
        };
        let released = NAMES.into_iter().map(upgrade).sum::<Result<usize, _>>();
        thread::sleep(Duration::from_millis(50));
        done.store(true, Ordering::Relaxed);
        released
    })?;

    let Seen {
        requests,
        moved,
        late,
    } = seen;
    let (requests, moved, late) = (requests.into_inner(), moved.into_inner(), late.into_inner());
    println!("{requests} requests, {released} sessions released");
    println!("{moved} sessions moved, {late} requests on a stopped server");
    assert!(requests > 0 && released > 0);
    assert_eq!(late, 0);
    // Only a released session loses its server.
    assert!(moved <= released as u64);
    let sticky = shared.load();
    let all_new = NAMES.map(|name| sticky.get(name).map(|server| server.version));
    assert_eq!(all_new, [Some(2); 4]);
    assert_eq!(sticky.strategy().open_leases(), 0);
    Ok(())
}

/// Sends requests of many sessions, which begin and end all the time.
fn work(worker: u64, shared: &Shared<Strategy>, done: &AtomicBool, seen: &Seen) {
    // Sessions by number, each with the server that has its data.
    let mut open: BTreeMap<u64, Arc<Server>> = BTreeMap::new();
    for i in 0.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        // In turn a request of each place. Every fourth has one session without an end, the others
        // have one after the other, each of 20 requests.
        let (place, round) = (i % SESSIONS_A_WORKER, i / SESSIONS_A_WORKER + i % 20);
        let endless = place % 4 == 0;
        let number = if endless { 0 } else { round / 20 } * SESSIONS_A_WORKER + place;
        let session = (worker, number);

        // The snapshot is held until the request is counted.
        let sticky = shared.load();
        let Some(lease) = sticky.acquire(&session) else {
            continue;
        };
        let server = Arc::clone(lease.node());
        if let Some(before) = open.insert(number, Arc::clone(&server)) {
            let moved = !Arc::ptr_eq(&before, &server);
            seen.moved.fetch_add(u64::from(moved), Ordering::Relaxed);
        }
        if i % 4 == 0 {
            thread::sleep(Duration::from_micros(100));
        }
        let late = server.stopped.load(Ordering::SeqCst);
        seen.late.fetch_add(u64::from(late), Ordering::Relaxed);
        seen.requests.fetch_add(1, Ordering::Relaxed);
        drop(lease);
        if !endless && round % 20 == 19 {
            sticky.forget(&session);
            open.remove(&number);
        }
    }
}

/// Takes a server out of service, and stops it once nothing can reach it. Returns how many sessions
/// had to be ended.
fn retire(shared: &Shared<Strategy>, name: &'static str) -> Result<usize, NodeError> {
    // 1. Drain: it gets no new sessions, and keeps those that it has.
    shared.try_update(|sticky| sticky.drain(name))?;
    // 2. Readers of an older snapshot may still bind new sessions to it.
    wait_for_readers(shared);
    // 3. Watch its sessions end.
    let sessions = || shared.read(|sticky| sticky.sessions_on(name));
    let (begin, drained) = (sessions(), Instant::now());
    while sessions() > 0 && drained.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(5));
    }
    // 4. Release the rest: their next requests are first ones.
    let released = shared.read(|sticky| sticky.release(name));
    println!("{name}: {begin} sessions when drained, {released} released");
    // 5. A reader may have looked up a session before that, and not yet begun its request. An
    //    update that changes nothing tells the readers before it from those after it.
    shared.update(|_| ());
    wait_for_readers(shared);
    // 6. Wait for the requests. From here on there can be no new one.
    while shared.read(|sticky| sticky.get(name).map_or(0, Tracked::in_flight)) > 0 {
        thread::sleep(Duration::from_micros(100));
    }
    // 7. Remove and stop it.
    assert_eq!(sessions(), 0);
    if let Some(server) = shared.update(|sticky| sticky.remove(name)) {
        server.stopped.store(true, Ordering::SeqCst);
    }
    Ok(released)
}

/// Waits until no reader holds a snapshot that is older than the current one.
fn wait_for_readers(shared: &Shared<Strategy>) {
    let version = shared.version();
    while !shared.wait_for_readers(version, Duration::from_secs(10)) {
        println!("a reader has held its snapshot for 10 s");
    }
}
