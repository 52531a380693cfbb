//! Law: copies go on counting. No storm of updates makes a strategy repeat the picks of its copies.
#![cfg(feature = "shared")]

use clockwise::{PowerOfTwo, RoundRobin, Route, Shared, Strategy, Tracked, WeightedRandom};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// How many updates there are at least while the readers pick.
const UPDATES: u64 = 100;

/// Picks by `readers` threads, at least `each` of them, while `update` runs back to back. Returns
/// how often each node was picked.
fn storm<S>(
    shared: &Shared<S>,
    nodes: usize,
    (readers, each): (usize, u64),
    mut update: impl FnMut(&Shared<S>) + Send,
) -> Vec<u64>
where
    S: Strategy + Send + Sync,
    S::Node: Into<u64> + Copy,
{
    let (counts, stop) = (Mutex::new(vec![0; nodes]), AtomicBool::new(false));
    let updates = AtomicU64::new(0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..readers)
            .map(|_| {
                scope.spawn(|| {
                    let (mut mine, mut picks) = (vec![0; nodes], 0);
                    while picks < each || updates.load(Ordering::Relaxed) < UPDATES {
                        let node: u64 = shared.read(|turns| *turns.route("").unwrap()).into();
                        mine[node as usize] += 1;
                        picks += 1;
                    }
                    let mut counts = counts.lock().unwrap();
                    for (all, mine) in counts.iter_mut().zip(mine) {
                        *all += mine;
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                update(shared);
                updates.fetch_add(1, Ordering::Relaxed);
            }
        });
        for thread in threads {
            thread.join().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    counts.into_inner().unwrap()
}

fn spread(counts: &[u64]) -> u64 {
    counts.iter().max().unwrap() - counts.iter().min().unwrap()
}

#[test]
fn updates_that_change_nothing_leave_the_cycles_exact() {
    for (nodes, readers, each) in [
        (100, 4, 20_000),
        (3, 2, 30_001),
        (7, 8, 5_003),
        (1000, 4, 9_999),
    ] {
        let turns = RoundRobin::from_nodes(0..nodes as u64).unwrap();
        let shared = Shared::new(turns);
        let counts = storm(&shared, nodes, (readers, each), |shared| {
            shared.update(|_| ());
        });
        let whole = counts.iter().sum::<u64>() % nodes as u64 == 0;
        assert_eq!(spread(&counts), u64::from(!whole), "{nodes} nodes");
    }
}

#[test]
fn weighted_cycles_stay_exact_too() {
    for weights in [vec![5u64, 1, 1, 3], vec![7, 2], vec![1, 2, 3, 4, 5, 6]] {
        let listed = (0u64..).zip(weights.iter().map(|&weight| weight as u32));
        let shared = Shared::new(RoundRobin::from_weighted(listed).unwrap());
        let counts = storm(&shared, weights.len(), (4, 10_000), |shared| {
            shared.update(|_| ());
        });
        let cycles = counts.iter().sum::<u64>() / weights.iter().sum::<u64>();
        for (&count, weight) in counts.iter().zip(weights) {
            // The last cycle may have begun.
            assert!((weight * cycles..=weight * (cycles + 1)).contains(&count));
        }
    }
}

/// The turns alternate between two cycles, each of them fair. Which of them a tick falls to is
/// chance, so a node's count strays as coins do.
#[test]
fn updates_that_change_the_turns_keep_them_fair() {
    for nodes in [100u64, 20, 500] {
        let turns = RoundRobin::from_nodes(0..=nodes).unwrap();
        let shared = Shared::new(turns);
        // The last node comes and goes, which shifts every turn.
        let mut drained = false;
        let counts = storm(&shared, nodes as usize + 1, (4, 20_000), |shared| {
            drained = !drained;
            shared
                .try_update(|turns| {
                    if drained {
                        turns.drain(&nodes)
                    } else {
                        turns.undrain(&nodes)
                    }
                })
                .unwrap();
        });
        let others = &counts[..nodes as usize];
        let due = others.iter().sum::<u64>() as f64 / nodes as f64;
        for (node, &count) in others.iter().enumerate() {
            let off = (count as f64 - due).abs();
            assert!(off < 8.0 * due.sqrt(), "{node}: {count} of {due}");
        }
    }
}

/// χ² of equal shares.
fn chi_square(counts: &[u64]) -> f64 {
    let due = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    counts
        .iter()
        .map(|&count| (count as f64 - due).powi(2) / due)
        .sum()
}

/// χ² of d degrees of freedom strays from d by 6 times √(2d) in less than 1 of 10⁶ runs. A copy
/// that draws again what the original has drawn makes it many times as large: 0 and 1,708 picks
/// were the least and the most of 100 nodes.
#[test]
fn random_draws_are_independent_across_copies() {
    for (nodes, readers, each) in [(100, 4, 20_000), (10, 2, 20_000), (1000, 4, 20_000)] {
        let limit = nodes as f64 + 6.0 * (2.0 * nodes as f64).sqrt() + 10.0;
        let random = WeightedRandom::from_nodes(0..nodes as u64).unwrap();
        let shared = Shared::new(random);
        let counts = storm(&shared, nodes, (readers, each), |shared| {
            shared.update(|_| ());
        });
        assert!(
            chi_square(&counts) < limit,
            "{nodes} nodes: {}",
            chi_square(&counts)
        );
    }
}

/// One thread, which copies and updates as it goes, replays its run from the seed.
#[test]
fn a_seed_replays_a_run_with_updates() {
    let run = |updates: bool| {
        let mut random = WeightedRandom::with_seed(5);
        random.extend_weighted((0..50u64).map(|i| (i, 1))).unwrap();
        let shared = Shared::new(random);
        let pick = |i: u64| {
            if updates && i % 3 == 0 {
                shared.update(|_| ());
            }
            shared.read(|random| *random.route("").unwrap())
        };
        (0..1000).map(pick).collect::<Vec<_>>()
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn two_choices_draw_on_across_copies() {
    let mut two = PowerOfTwo::with_seed(1);
    two.extend_weighted((0..50u64).map(|i| (Tracked::new(i), 1)))
        .unwrap();
    let copy = two.clone();
    let (mut alone, mut both) = (Vec::new(), Vec::new());
    for i in 0..600 {
        let from = if i % 2 == 0 { &two } else { &copy };
        both.push(**from.route("").unwrap());
    }
    let mut again = PowerOfTwo::with_seed(1);
    again
        .extend_weighted((0..50u64).map(|i| (Tracked::new(i), 1)))
        .unwrap();
    for _ in 0..600 {
        alone.push(**again.route("").unwrap());
    }
    assert_eq!(both, alone);
}
