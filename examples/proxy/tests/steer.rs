//! `Steer` sends a key to one service, waits for that service alone, and holds the cap.

use clockwise::{Bounded, HashRing, Named, Shared, Tracked};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll};
use steer::{Services, Steer};
use tower::{Service, ServiceExt};

/// Answers with its name once `open` is set. A clone is not ready until it was polled itself.
struct Echo {
    name: &'static str,
    open: Arc<AtomicBool>,
    is_ready: bool,
}

impl Clone for Echo {
    fn clone(&self) -> Self {
        Echo {
            name: self.name,
            open: Arc::clone(&self.open),
            is_ready: false,
        }
    }
}

impl Service<String> for Echo {
    type Response = &'static str;
    type Error = Infallible;
    type Future = Ready<Result<&'static str, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = self.open.load(SeqCst);
        if self.is_ready {
            return Poll::Ready(Ok(()));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: String) -> Self::Future {
        assert!(
            self.is_ready,
            "{} was called before it was ready",
            self.name
        );
        ready(Ok(self.name))
    }
}

fn services(open: &Arc<AtomicBool>) -> Arc<Shared<Services<Echo>>> {
    let node = |name: &'static str| {
        let open = Arc::clone(open);
        let echo = Echo {
            name,
            open,
            is_ready: false,
        };
        Tracked::new(Named::new(name.into(), echo))
    };
    let ring = HashRing::from_nodes(["a", "b", "c"].map(node)).unwrap();
    Arc::new(Shared::new(Bounded::new(ring, 1.25).unwrap()))
}

#[tokio::test]
async fn a_key_is_served_by_its_owner() {
    let services = services(&Arc::new(AtomicBool::new(true)));
    let mut steer = Steer::new(Arc::clone(&services), String::clone);
    for i in 0..100 {
        let request = format!("user:{i}");
        let owner = services.read(|services| services.route(&request).unwrap().name().clone());
        let served = steer.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(served, &*owner);
    }
    assert_eq!(services.load().open_leases(), 0);
}

#[tokio::test]
async fn calls_in_flight_count_until_they_end_or_are_cancelled() {
    let open = Arc::new(AtomicBool::new(false));
    let services = services(&open);
    let mut steer = Steer::new(Arc::clone(&services), String::clone);
    let mut calls: Vec<_> = (0..12).map(|_| steer.call("hot".to_owned())).collect();
    // 1.25 · 12 / 3 = 5 at most on each.
    let counts: Vec<u32> = services.read(|all| all.nodes().map(Tracked::in_flight).collect());
    assert_eq!(counts.iter().sum::<u32>(), 12);
    assert!(counts.iter().all(|&count| count <= 5), "{counts:?}");

    drop(calls.split_off(6));
    assert_eq!(services.load().open_leases(), 6);
    open.store(true, SeqCst);
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(services.load().open_leases(), 0);
}
