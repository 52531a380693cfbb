//! One strategy under many threads: workers read snapshots and count their requests, while service
//! discovery swaps in new memberships.
//!
//! Run with `cargo run --release --example threads --features shared`.

use clockwise::{Bounded, HashRing, Shared, Tracked};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

const WORKERS: u64 = 4;
const UPDATES: usize = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ring = HashRing::from_nodes(names(0).map(Tracked::new))?;
    let shared = Shared::new(Bounded::new(ring, 1.5)?);
    let (done, served) = (AtomicBool::new(false), AtomicU64::new(0));

    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (shared, done, served) = (&shared, &done, &served);
            scope.spawn(move || {
                for key in (worker..).step_by(WORKERS as usize) {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    // One snapshot for all decisions of this request.
                    let strategy = shared.load();
                    let Some(lease) = strategy.acquire(&key) else {
                        continue;
                    };
                    assert!(strategy.contains(lease.node()));
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Discovery hands over the whole list; nodes that stay keep their counts.
        let result = (0..UPDATES).try_for_each(|step| {
            let list = names(step).map(|name| (Tracked::new(name), 1));
            shared.try_update(|bounded| bounded.set_nodes(list).map(drop))
        });
        done.store(true, Ordering::Relaxed);
        result
    })?;

    let strategy = shared.load();
    println!(
        "{} requests on {} snapshots",
        served.into_inner(),
        shared.version() + 1
    );
    println!(
        "{} leases open, {:?}",
        strategy.open_leases(),
        strategy.strategy()
    );
    assert_eq!(strategy.open_leases(), 0);
    Ok(())
}

/// Five of six nodes: another one is away at each step.
fn names(step: usize) -> impl Iterator<Item = String> {
    (0..6)
        .filter(move |i| *i != step % 6)
        .map(|i| format!("node-{i}"))
}
