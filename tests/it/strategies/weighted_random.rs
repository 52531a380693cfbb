//! Weighted random: shares, the order without putting back, seeds and threads.

use clockwise::{Strategy, WeightedRandom};
use std::collections::HashSet;

/// Node i, as its identity, in the order of the numbers.
type Node = [u8; 4];

fn weighted(seed: u64, weights: &[u32]) -> WeightedRandom<Node> {
    let mut random = WeightedRandom::with_seed(seed);
    let nodes = (0u32..).map(u32::to_be_bytes);
    random
        .extend_weighted(nodes.zip(weights.iter().copied()))
        .unwrap();
    random
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "what routes return")]
fn id(&node: &Node) -> usize {
    u32::from_be_bytes(node) as usize
}

fn counts(random: &WeightedRandom<[u8; 4]>, picks: u32) -> Vec<u32> {
    let mut counts = vec![0; random.len()];
    for _ in 0..picks {
        counts[id(random.route("").unwrap())] += 1;
    }
    counts
}

/// Whether each count is within 5 standard deviations of its due.
fn assert_due(counts: &[u32], weights: &[u32], picks: u32) {
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    for (&count, &weight) in counts.iter().zip(weights) {
        let share = f64::from(weight) / total;
        let (due, deviation) = (
            f64::from(picks) * share,
            (f64::from(picks) * share * (1.0 - share)).sqrt(),
        );
        assert!(
            (f64::from(count) - due).abs() <= 5.0 * deviation,
            "{weight}: {counts:?}"
        );
    }
}

#[test]
fn shares_follow_the_weights() {
    for weights in [
        vec![1; 10],
        vec![1, 2, 3, 4, 5],
        vec![1000, 1, 1],
        vec![u32::MAX, 1 << 31, 1, u32::MAX],
        (1..500).collect(),
        // All of the small ones in one cell of the table.
        [vec![u32::MAX], vec![1; 2000]].concat(),
    ] {
        assert_due(&counts(&weighted(3, &weights), 100_000), &weights, 100_000);
    }
}

#[test]
fn consecutive_picks_are_independent() {
    let random = weighted(5, &[1, 2, 1]);
    let mut pairs = vec![0; 9];
    let mut last = id(random.route("").unwrap());
    for _ in 0..160_000 {
        let next = id(random.route("").unwrap());
        pairs[3 * last + next] += 1;
        last = next;
    }
    assert_due(&pairs, &[1, 2, 1, 2, 4, 2, 1, 2, 1], 160_000);
}

#[test]
fn the_order_is_a_draw_without_putting_back() {
    // P(first i, second j) = w_i/W · w_j/(W − w_i), in 1/60 for weights 1, 2, 3: W = 6.
    let random = weighted(7, &[1, 2, 3]);
    let mut seen = vec![0; 6];
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for _ in 0..60_000 {
        let order: Vec<usize> = random.replicas("", 3).into_iter().map(id).collect();
        seen[orders.iter().position(|known| *known == *order).unwrap()] += 1;
    }
    assert_due(&seen, &[4, 6, 5, 15, 10, 20], 60_000);
}

#[test]
fn each_node_is_offered_once_a_pick_and_all_before_none() {
    for n in [1u32, 2, 31, 32, 33, 34, 64, 65, 1000] {
        let random = weighted(9, &(1..=n).collect::<Vec<_>>());
        for _ in 0..5 {
            let mut offered = Vec::new();
            assert!(
                random
                    .route_where("", |node| {
                        offered.push(id(node));
                        false
                    })
                    .is_none()
            );
            assert_eq!(offered.len(), n as usize);
            assert_eq!(
                offered.into_iter().collect::<HashSet<_>>().len(),
                n as usize
            );
        }
    }
}

#[test]
fn the_draw_stays_in_proportion_when_many_have_left() {
    // 40 nodes refused: beyond what is kept in place.
    let weights: Vec<u32> = (1..=45).collect();
    let random = weighted(13, &weights);
    let mut seen = vec![0; 5];
    for _ in 0..20_000 {
        let node = random.route_where("", |node| id(node) >= 40).unwrap();
        seen[id(node) - 40] += 1;
    }
    assert_due(&seen, &[41, 42, 43, 44, 45], 20_000);
}

#[test]
fn drained_nodes_are_not_drawn() {
    let mut random = weighted(1, &[5, 1, 5]);
    random.drain(&0u32.to_be_bytes()).unwrap();
    random.drain(&2u32.to_be_bytes()).unwrap();
    assert_eq!(counts(&random, 1000), [0, 1000, 0]);
    random.drain(&1u32.to_be_bytes()).unwrap();
    assert_eq!(random.route(""), None);
    assert!(weighted(1, &[]).route("").is_none());
}

#[test]
fn equal_seeds_replay_and_others_do_not() {
    let run = |seed| {
        let random = weighted(seed, &[1; 100]);
        (0..300)
            .map(|_| id(random.route("").unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    for other in [0, 2, 3, u64::MAX] {
        let same = run(1)
            .iter()
            .zip(run(other))
            .filter(|(a, b)| **a == *b)
            .count();
        assert!(same < 20, "{same} of 300 picks are equal"); // 3 expected
    }
}

#[test]
#[cfg(feature = "std")]
fn new_strategies_do_not_move_in_step() {
    let run = || {
        let mut random = WeightedRandom::new();
        random
            .extend_weighted((0u32..1000).map(|i| (i.to_be_bytes(), 1)))
            .unwrap();
        (0..20)
            .map(|_| id(random.route("").unwrap()))
            .collect::<Vec<_>>()
    };
    assert_ne!(run(), run()); // equal with probability 1000⁻²⁰
}

#[test]
fn clones_draw_from_one_stream() {
    let random = weighted(21, &[1; 1000]);
    let all = {
        let again = weighted(21, &[1; 1000]);
        (0..200)
            .map(|_| id(again.route("").unwrap()))
            .collect::<Vec<_>>()
    };
    for expected in &all[..90] {
        assert_eq!(id(random.route("").unwrap()), *expected);
    }
    let copy = random.clone();
    // They take turns, and a clone of a clone goes on too: none repeats what another has drawn.
    for (i, expected) in all[90..].iter().enumerate() {
        let again = random.clone();
        let from = [&random, &copy, &again][i % 3];
        assert_eq!(id(from.route("").unwrap()), *expected);
    }
}

#[test]
fn threads_draw_from_different_parts_of_the_stream() {
    let random = weighted(33, &vec![1; 1 << 16]);
    let draws: Vec<Vec<usize>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..1000).map(|_| id(random.route("").unwrap())).collect()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for a in 0..4 {
        for b in 0..a {
            let same = draws[a]
                .iter()
                .zip(&draws[b])
                .filter(|(x, y)| x == y)
                .count();
            assert!(
                same < 10,
                "threads {a} and {b} made {same} equal draws of 1000"
            ); // 1000/2¹⁶ expected
        }
    }
}

#[test]
fn tokens_tell_keys_apart_though_draws_do_not() {
    let random = weighted(1, &[1]);
    assert_ne!(random.token_of(b"a"), random.token_of(b"b"));
}
