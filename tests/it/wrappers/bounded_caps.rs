//! A cap is what `acquire` applies, with its floor, and a preferred node keeps it.

use crate::common::caps::{Factor, Oracle, Ring, ring};
use crate::common::random::Rng;
use clockwise::{Bounded, Filtered, Tracked, wrappers::Lease};
use std::cell::Cell;

/// Random states of weights, drained and refused nodes, floors and requests in flight.
#[test]
fn the_cap_is_what_acquire_applies() {
    let mut rng = Rng::new(3);
    let (mut at, mut below) = (0, 0);
    for _ in 0..crate::common::scaled(20, 200, 5_000) {
        let weights: Vec<u32> = (0..8).map(|_| rng.between(1, 9) as u32).collect();
        let mut plain = ring(8, &weights);
        let factor = Factor(*rng.pick(&[105, 125, 150, 300]));
        for id in 0..8u32 {
            if rng.chance(5) {
                plain.drain(&id).unwrap();
            }
        }
        let mut oracle = Oracle::new(plain.clone(), factor);
        oracle.out = (0..8).filter(|_| rng.chance(3)).collect();
        oracle.min_cap = rng.below(4) as u32;
        let filter = |node: &Tracked<u32>| !oracle.out.contains(node);
        let bounded = Bounded::new(Filtered::new(plain.clone(), filter), factor.get())
            .unwrap()
            .min_cap(oracle.min_cap);
        let offered = oracle.weight(|id| !oracle.out.contains(&id));
        let mut held: Vec<Lease<'_, Tracked<u32>>> = Vec::new();
        for _ in 0..60 {
            for id in 0..8u32 {
                assert_eq!(bounded.cap(&id), Some(oracle.cap(id)));
            }
            if offered == 0 {
                assert!(bounded.acquire("key").is_none());
                continue;
            }
            let (key, wanted) = (rng.next(), rng.below(8) as u32);
            let is_offered = !oracle.out.contains(&wanted) && !plain.is_drained(&wanted).unwrap();
            let is_below = oracle.count(wanted) < oracle.cap(wanted);
            let expected = if is_offered && is_below {
                below += 1;
                wanted
            } else {
                at += u32::from(is_offered);
                oracle.choose(key)
            };
            assert_eq!(
                bounded.route(&key).map(|node| **node),
                Some(oracle.choose(key))
            );
            let lease = bounded.acquire_preferring(&wanted, &key).unwrap();
            assert_eq!(**lease, expected);
            *oracle.counts.entry(expected).or_default() += 1;
            held.push(lease);
            // The floor lets more in than L allows, so leases come and go.
            if rng.chance(3) {
                let ended = held.swap_remove(rng.below(held.len()));
                *oracle.counts.get_mut(&**ended).unwrap() -= 1;
            }
        }
        drop(held);
    }
    assert!(at > 100 && below > 100, "{at} {below}");
}

#[test]
fn with_no_node_to_offer_the_cap_is_0() {
    let nothing = Bounded::new(ring(0, &[1]), 1.25).unwrap().min_cap(8);
    assert_eq!(nothing.cap(&0u32), None);
    let mut drained = Bounded::new(ring(3, &[1]), 1.25).unwrap().min_cap(8);
    drained.drain_where(|_| true);
    assert_eq!((drained.cap(&0u32), drained.cap(&3u32)), (Some(0), None));
    let refused = Bounded::new(Filtered::new(ring(3, &[1]), |_| false), 1.25).unwrap();
    assert_eq!(refused.cap(&0u32), Some(0));
    assert_eq!(refused.min_cap(8).cap(&0u32), Some(0));
}

/// The fraction of requests that leave their first node of 64, with half a request in flight a
/// node.
fn leaving_at_night(min_cap: u32, weights: &[u32]) -> f64 {
    const COUNT: usize = 20_000;
    let plain = ring(64, weights);
    let bounded = Bounded::new(plain.clone(), 1.25).unwrap().min_cap(min_cap);
    let (mut rng, mut held, mut left) = (Rng::new(1), Vec::new(), 0);
    for _ in 0..COUNT {
        if held.len() == 32 {
            drop(held.swap_remove(rng.below(32)));
        }
        let key = rng.next();
        let lease = bounded.acquire(&key).unwrap();
        left += usize::from(plain.route(&key) != Some(lease.node()));
        held.push(lease);
    }
    left as f64 / COUNT as f64
}

#[test]
fn a_least_cap_keeps_keys_at_their_nodes_at_night() {
    for weights in [&[1][..], &[1, 2, 5]] {
        let (without, with) = (leaving_at_night(0, weights), leaving_at_night(8, weights));
        println!("weights {weights:?}: {without:.3} leave, with a least cap {with:.5}");
        assert!(without > 0.25, "{without}");
        assert!(with < 0.01, "{with}");
    }
}

#[test]
fn the_least_cap_is_for_a_node_of_average_weight() {
    let mut bounded = Bounded::new(ring(4, &[1, 2, 3, 6]), 1.25)
        .unwrap()
        .min_cap(8);
    let caps = |bounded: &Bounded<Ring>| [0u32, 1, 2, 3].map(|id| bounded.cap(&id).unwrap());
    // ⌈8 · w · 4 / 12⌉
    assert_eq!(caps(&bounded), [3, 6, 8, 16]);
    bounded.drain(&3u32).unwrap();
    // ⌈8 · w · 3 / 6⌉
    assert_eq!(caps(&bounded), [4, 8, 12, 24]);
    let copy = bounded.clone();
    assert_eq!(caps(&copy), [4, 8, 12, 24]);
    // Far more than can be in flight: nothing overflows.
    assert_eq!(bounded.min_cap(u32::MAX).cap(&2u32), Some(u32::MAX));
}

#[test]
fn a_preferred_node_keeps_its_cap() {
    let plain = ring(4, &[1]);
    let bounded = Bounded::new(plain.clone(), 1.25).unwrap();
    let mut oracle = Oracle::new(plain.clone(), Factor(125));
    let mut held = Vec::new();
    for key in 0..40u64 {
        let expected = if oracle.count(2) < oracle.cap(2) {
            2
        } else {
            oracle.choose(key)
        };
        let lease = bounded.acquire_preferring(&2u32, &key).unwrap();
        assert_eq!(**lease, expected);
        assert!(lease.node().in_flight() <= oracle.cap(expected));
        *oracle.counts.entry(expected).or_default() += 1;
        held.push(lease);
    }
    assert_eq!(oracle.count(2), 13); // ⌈1.25 · 40 / 4⌉
    // A condition that accepts one node only has that node's weight for W: no limit.
    drop(held);
    let held: Vec<_> = (0..40u64)
        .filter_map(|key| bounded.acquire_where(&key, |node| **node == 2))
        .collect();
    assert_eq!(held.len(), 40);
    assert_eq!(bounded.get(&2u32).unwrap().in_flight(), 40);
}

#[test]
fn a_preferred_node_that_is_not_offered_is_passed_over() {
    let plain = ring(4, &[1]);
    let filtered = Filtered::new(plain.clone(), |node| **node != 1);
    let mut bounded = Bounded::new(filtered, 1.25).unwrap();
    bounded.drain(&2u32).unwrap();
    for key in 0..50u32 {
        let by_key = **bounded.route(&key).unwrap();
        for id in [1u32, 2, 9] {
            assert_eq!(**bounded.acquire_preferring(&id, &key).unwrap(), by_key);
        }
        assert_eq!(**bounded.acquire_preferring(&3u32, &key).unwrap(), 3);
        let token = bounded.token(&key);
        assert_eq!(**bounded.acquire_token(token).unwrap(), by_key);
    }
    bounded.drain_where(|_| true);
    assert!(bounded.acquire_preferring(&3u32, "key").is_none());
    assert_eq!(bounded.open_leases(), 0);
}

/// L includes requests on refused nodes, as the docs say: with a quarter of the requests on one of
/// two nodes, the other may get 1.25 · L.
#[test]
fn requests_on_refused_nodes_raise_the_caps_of_the_others() {
    let refuses = Cell::new(false);
    let filtered = Filtered::new(ring(4, &[1]), |node| !refuses.get() || **node > 1);
    let bounded = Bounded::new(filtered, 1.25).unwrap();
    let held: Vec<_> = (0..4u32)
        .flat_map(|id| [id; 10])
        .filter_map(|id| bounded.acquire_preferring(&id, "key"))
        .collect();
    assert_eq!(bounded.cap(&3u32), Some(13)); // 1.25 · 41 / 4
    refuses.set(true);
    assert_eq!(bounded.cap(&3u32), Some(26)); // 1.25 · 41 / 2
    drop(held);
    assert_eq!(bounded.cap(&3u32), Some(1)); // 1.25 / 2
}
