//! Takes nodes out of service under load: drain, wait for the readers, wait for the requests,
//! remove. No request reaches a server that was stopped.
//!
//! Run with `cargo run --release --example drain --features shared`.

use clockwise::{HashRing, Key, NodeError, Shared, Tracked};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const WORKERS: u64 = 4;
const NODES: usize = 5;
const DRAINS: usize = 200;

struct Server {
    name: String,
    stopped: AtomicBool,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        &self.name
    }
}

fn server(number: usize) -> Tracked<Arc<Server>> {
    Tracked::new(Arc::new(Server {
        name: format!("server-{number}"),
        stopped: AtomicBool::new(false),
    }))
}

type Ring = HashRing<Tracked<Arc<Server>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shared = Shared::new(Ring::from_nodes((0..NODES).map(server))?);
    let (done, requests, late) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));

    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (shared, done, requests, late) = (&shared, &done, &requests, &late);
            scope.spawn(move || {
                for key in (worker..).step_by(WORKERS as usize) {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    // The snapshot is held until the request is counted.
                    let ring = shared.load();
                    let Some(node) = ring.route(&key) else {
                        continue;
                    };
                    let request = node.begin();
                    let server = Arc::clone(node);
                    drop(ring);
                    if key % 8 == worker {
                        thread::sleep(Duration::from_micros(50));
                    }
                    if server.stopped.load(Ordering::SeqCst) {
                        late.fetch_add(1, Ordering::Relaxed);
                    }
                    requests.fetch_add(1, Ordering::Relaxed);
                    drop(request);
                }
            });
        }
        let retired = (0..DRAINS).try_for_each(|number| {
            retire(&shared, &format!("server-{number}"))?;
            shared.try_update(|ring| ring.insert(server(NODES + number)))
        });
        done.store(true, Ordering::Relaxed);
        retired
    })?;

    let (requests, late) = (requests.into_inner(), late.into_inner());
    println!("{requests} requests, {DRAINS} servers stopped and replaced, {late} late requests");
    assert!(requests > 0);
    assert_eq!(late, 0);
    assert_eq!(shared.read(Ring::len), NODES);
    Ok(())
}

/// Takes a server out of service, and stops it once nothing can reach it.
fn retire(shared: &Shared<Ring>, name: &str) -> Result<(), NodeError> {
    // 1. No new snapshot chooses it. The version is that of the drain or a later one.
    shared.try_update(|ring| ring.drain(name))?;
    let drained = shared.version();
    // 2. No reader holds an older snapshot, which could still choose it.
    while !shared.wait_for_readers(drained, Duration::from_secs(10)) {
        println!("{name}: a reader has held its snapshot for 10 s");
    }
    // 3. Its requests have ended. From here on there can be no new one.
    while shared.read(|ring| ring.get(name).map_or(0, Tracked::in_flight)) > 0 {
        thread::sleep(Duration::from_micros(100));
    }
    // 4. It leaves.
    if let Some(server) = shared.update(|ring| ring.remove(name)) {
        server.stopped.store(true, Ordering::SeqCst);
    }
    Ok(())
}
