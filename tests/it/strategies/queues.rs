//! What the strategies are for: queues. Fifty first-come-first-served servers of equal speed at 90
//! % load, exponential gaps and service times, in virtual time with fixed seeds, so that nothing
//! here can flake.

use crate::common::gauge::{Gauge, gauges};
use crate::common::random::Rng;
use clockwise::{LeastLoaded, PowerOfTwo, RoundRobin, Route, Strategy, WeightedRandom};
use std::collections::VecDeque;

const SERVERS: usize = 50;
const REQUESTS: u32 = 60_000;

/// The mean, over time, of the longest queue; loads are seen as they were up to `staleness` service
/// times ago.
fn longest_queue(strategy: &dyn Strategy<Node = Gauge>, staleness: f64) -> f64 {
    let mut random = Rng::new(42);
    let mut queues: Vec<VecDeque<f64>> = vec![VecDeque::new(); SERVERS];
    let mut gauges: Vec<&Gauge> = Vec::new();
    strategy.for_each_member(&mut |member| gauges.push(member.node));
    let (mut now, mut looked, mut sum) = (0.0, f64::NEG_INFINITY, 0.0);
    for _ in 0..REQUESTS {
        now += random.exponential() / (0.9 * SERVERS as f64);
        for queue in &mut queues {
            while queue.front().is_some_and(|&end| end <= now) {
                queue.pop_front();
            }
        }
        if now - looked >= staleness {
            looked = now;
            for (gauge, queue) in gauges.iter().zip(&queues) {
                gauge.set(queue.len() as f64 + 1.0);
            }
        }
        let chosen = strategy.route("").unwrap();
        let queue = &mut queues[chosen.id as usize];
        let start = queue.back().copied().unwrap_or(now).max(now);
        queue.push_back(start + random.exponential());
        sum += queues.iter().map(VecDeque::len).max().unwrap() as f64;
    }
    sum / f64::from(REQUESTS)
}

#[test]
fn strategies_stand_in_their_order() {
    let nodes = || gauges(&[(1.0, 1); SERVERS]);
    let mut least = LeastLoaded::with_seed(1);
    least.extend_weighted(nodes()).unwrap();
    let mut two = PowerOfTwo::with_seed(1);
    two.extend_weighted(nodes()).unwrap();
    let mut three = PowerOfTwo::with_seed(1).with_choices(3).unwrap();
    three.extend_weighted(nodes()).unwrap();
    let mut turns = RoundRobin::new();
    turns.extend_weighted(nodes()).unwrap();
    let mut random = WeightedRandom::with_seed(1);
    random.extend_weighted(nodes()).unwrap();

    let exact = [
        longest_queue(&least, 0.0),
        longest_queue(&three, 0.0),
        longest_queue(&two, 0.0),
        longest_queue(&turns, 0.0),
        longest_queue(&random, 0.0),
    ];
    println!(
        "exact loads: least {:.1}, three {:.1}, two {:.1}, turns {:.1}, random {:.1}",
        exact[0], exact[1], exact[2], exact[3], exact[4]
    );
    assert!(exact.is_sorted(), "{exact:?}");
    // Known figures: 1.8, 4.8, 19; 9.9 and 34.
    assert!((1.5..2.2).contains(&exact[0]), "{exact:?}");
    assert!((4.0..6.0).contains(&exact[2]), "{exact:?}");
    assert!(exact[3] > 12.0, "{exact:?}");

    let stale = [longest_queue(&two, 5.0), longest_queue(&least, 5.0)];
    println!(
        "loads up to 5 service times old: two {:.1}, least {:.1}",
        stale[0], stale[1]
    );
    assert!((7.0..14.0).contains(&stale[0]), "{stale:?}");
    assert!(stale[1] > 25.0, "{stale:?}");
}
