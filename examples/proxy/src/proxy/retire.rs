//! Takes a drained upstream out of service without breaking a request.

use super::pool::Pool;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LOOK: Duration = Duration::from_millis(20);

/// Waits until nothing can reach the drained upstream, and removes it. Stops if it is undrained.
pub async fn retire(pool: Arc<Pool>, name: Arc<str>, patience: Duration) {
    // Readers of an older snapshot may still bind new sessions to it.
    wait_for_readers(&pool).await;
    let sessions = || pool.stack.read(|stack| stack.sessions_on(&*name));
    println!("{name} drains, {} sessions are bound to it", sessions());
    let drained = Instant::now();
    while sessions() > 0 && drained.elapsed() < patience {
        if !is_drained(&pool, &name) {
            return;
        }
        sleep(LOOK).await;
    }
    let released = pool.stack.read(|stack| stack.release(&*name));
    // A reader may have looked up a session before that, and not yet begun its request. An update
    // that changes nothing tells the readers before it from those after it.
    pool.stack.update(|_| ());
    wait_for_readers(&pool).await;
    while is_drained(&pool, &name) && pool.get(&name).is_some_and(|node| node.in_flight() > 0) {
        sleep(LOOK).await;
    }
    let removed = pool.stack.update(|stack| match stack.is_drained(&*name) {
        Some(true) => stack.remove(&*name),
        _ => None,
    });
    if let Some(node) = removed {
        let left = node.in_flight();
        println!("{name} is removed, {released} sessions moved, {left} requests in flight");
    }
}

fn is_drained(pool: &Pool, name: &str) -> bool {
    pool.stack.read(|stack| stack.is_drained(name)) == Some(true)
}

/// Waits until no reader holds a snapshot from before now.
async fn wait_for_readers(pool: &Pool) {
    let version = pool.stack.version();
    while pool.stack.oldest_version_in_use() < version {
        sleep(LOOK).await;
    }
}
