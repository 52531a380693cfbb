//! Active health checks of one upstream, and its slow start when it returns.

use super::config::Health;
use super::pool::{Pool, WEIGHT};
use super::upstream::Upstream;
use clockwise::SlowStart;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Checks an upstream until it is no longer a member.
pub async fn watch(pool: Arc<Pool>, name: Arc<str>, health: Health) {
    // Each check opens a connection of its own, so that it also checks that.
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build_http();
    let mut ticks = interval(health.interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = 0;
    let mut warming: Option<SlowStart<()>> = None;
    loop {
        ticks.tick().await;
        let Some(node) = pool.get(&name) else { return };
        if check(&client, &node, &health).await {
            failed = 0;
            let passed = node.state.passed.fetch_add(1, Relaxed) + 1;
            if passed >= health.rise && !node.state.is_up() {
                // The small weight comes first, or the upstream would be flooded in between.
                let start = SlowStart::new((), health.slow_start());
                set_weight(&pool, &node, &start);
                warming = Some(start);
                node.state.set_up(true);
                println!("{name} is up");
            }
        } else {
            failed += 1;
            if failed >= health.fall {
                pool.take_down(&node, "its health check fails");
            }
        }
        if let Some(start) = &warming {
            set_weight(&pool, &node, start);
            if start.part() >= 1.0 {
                warming = None;
            }
        }
    }
}

/// Sets the weight that a starting upstream has now.
fn set_weight(pool: &Pool, node: &Upstream, start: &SlowStart<()>) {
    let now = start.ramp(node.weight.saturating_mul(WEIGHT));
    if pool.stack.read(|stack| stack.weight(&*node.name)) != Some(now) {
        // It may have left since. Then there is nothing to set.
        let _ = pool
            .stack
            .try_update(|stack| stack.set_weight(&*node.name, now));
    }
}

async fn check(
    client: &Client<HttpConnector, Empty<Bytes>>,
    upstream: &Upstream,
    health: &Health,
) -> bool {
    let uri = format!("http://{}{}", upstream.address, health.path);
    let Ok(uri) = uri.parse() else { return false };
    let answer = timeout(health.timeout(), client.get(uri)).await;
    matches!(answer, Ok(Ok(response)) if response.status().is_success())
}
