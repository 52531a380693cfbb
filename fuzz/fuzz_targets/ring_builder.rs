//! Any configuration and any weights: an error that is right, or a ring that has the points that
//! were asked for.
#![no_main]

use clockwise::{ConfigError, HashRing, NodeError};
use libfuzzer_sys::fuzz_target;

/// What the fuzzer may make a ring allocate; what the budget refuses is not bounded by it.
const MOST: u128 = 1 << 9;

fuzz_target!(|bytes: &[u8]| {
    let mut words = bytes.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(word)
    });
    let mut next = || words.next();
    let (Some(virtual_nodes), Some(max_points)) = (next(), next()) else { return };
    // Often a budget that the virtual nodes fit.
    let max_points = if max_points % 2 == 0 { max_points as usize } else { (max_points % 20_000) as usize };
    let virtual_nodes = if virtual_nodes % 2 == 0 { virtual_nodes } else { virtual_nodes % 64 };
    let ring = HashRing::builder().virtual_nodes(virtual_nodes).max_points(max_points).build();
    let mut ring: HashRing<u32> = match ring {
        Ok(ring) => ring,
        Err(ConfigError::ZeroVirtualNodes) => return assert_eq!(virtual_nodes, 0),
        Err(ConfigError::TooManyVirtualNodes { .. }) => return assert!(virtual_nodes as usize > max_points),
        Err(other) => panic!("{other}"),
    };
    assert!(virtual_nodes > 0 && virtual_nodes as usize <= max_points);
    let rest: Vec<u32> = std::iter::from_fn(next).collect();
    for (node, &weight) in (0u32..20).zip(&rest) {
        let weight = if weight % 3 == 0 { weight } else { weight % 9 };
        let total: u128 = ring.members().map(|member| u128::from(member.weight)).sum();
        let (before, points) = (ring.fingerprint(), (total + u128::from(weight)) * u128::from(virtual_nodes));
        if points > MOST && points <= max_points as u128 {
            continue;
        }
        match ring.insert_weighted(node, weight) {
            Ok(()) => {
                assert!(weight > 0 && points <= max_points as u128);
                assert_eq!(ring.point_count() as u128, points);
                assert_eq!(ring.weight(&node), Some(weight));
                assert!(ring.measure(&node).is_some());
            }
            Err(error) => {
                match error {
                    NodeError::ZeroWeight { .. } => assert_eq!(weight, 0),
                    NodeError::TooManyPoints { points: said, .. } => {
                        assert!(said == points && points > max_points as u128);
                    }
                    other => panic!("{other}"),
                }
                assert_eq!(ring.fingerprint(), before);
            }
        }
    }
    let covered: u128 = ring.arcs().map(|arc| arc.range.len()).sum();
    assert_eq!(covered, if ring.is_empty() { 0 } else { 1 << 64 });
    let balance = ring.balance();
    assert!(balance.busiest() >= balance.least() && balance.std_dev().is_finite());
    assert!(!balance.to_string().is_empty());
});
