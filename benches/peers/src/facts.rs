//! What needs no clock: memory, balance, and the keys that move.

use crate::child::{POINTS, change, nodes};
use crate::peer::{Node, Peer};
use std::collections::HashMap;

/// Bytes a node in use after `count` nodes were placed, and at most while one more joined.
pub fn memory<P: Peer>(count: usize) -> [f64; 2] {
    let present = nodes(count);
    let mut held = 0;
    let mut peak = 0;
    // The peer lives until the counts are read, and ends within the outer count.
    allocation_counter::measure(|| {
        let mut built = None;
        let placing = allocation_counter::measure(|| built = P::build(&present, POINTS).ok());
        held = placing.bytes_current;
        let mut after = present.clone();
        let joins = Node::new(count as u64);
        after.push(joins);
        let mut peer = built.expect("built before");
        let joining = allocation_counter::measure(|| {
            change(&mut peer, &after, |peer| peer.add(&joins)).expect("a new node");
        });
        peak = held + joining.bytes_max as i64;
    });
    [held, peak].map(|bytes| bytes as f64 / count as f64)
}

/// The most and the least loaded node's share, and the standard deviation, of the fair share.
pub fn balance<P: Peer>(peer: &P, count: usize, keys: &[&'static str]) -> [f64; 3] {
    let mut counts: HashMap<u64, u64> = HashMap::new();
    for key in keys {
        *counts.entry(peer.route(key).unwrap_or(0)).or_default() += 1;
    }
    let fair = keys.len() as f64 / count as f64;
    let shares = nodes(count)
        .iter()
        .map(|node| counts.get(&P::identity(node)).copied().unwrap_or(0) as f64 / fair)
        .collect::<Vec<_>>();
    let variance = shares
        .iter()
        .map(|share| (share - 1.0).powi(2))
        .sum::<f64>()
        / count as f64;
    let most = shares.iter().copied().fold(0.0, f64::max);
    let least = shares.iter().copied().fold(f64::MAX, f64::min);
    [most, least, variance.sqrt()]
}

/// For a join, a leave, and a weight that is doubled if there are weights: the fraction of the keys
/// that moved, and the fraction that moved although neither their old nor their new node changed.
pub fn moves<P: Peer>(count: usize, keys: &[&'static str]) -> Vec<f64> {
    let mut figures = Vec::new();
    let changed = Node::new(count as u64 / 2);
    let joins = Node::new(count as u64);
    let heavier = Node {
        weight: 2,
        ..changed
    };
    let present = nodes(count);
    let mut grown = present.clone();
    grown.push(joins);
    let others = present.iter().copied().filter(|node| *node != changed);
    let shrunk: Vec<Node> = others.collect();
    let weighted: Vec<Node> = present
        .iter()
        .map(|node| if *node == changed { heavier } else { *node })
        .collect();
    let mut measure = |node: &Node, after: &[Node], edit: &dyn Fn(&mut P) -> _| {
        let mut peer = P::build(&present, POINTS).expect("built before");
        let before: Vec<Option<u64>> = keys.iter().map(|key| peer.route(key)).collect();
        change(&mut peer, after, edit).expect("a valid change");
        let identity = Some(P::identity(node));
        let (mut moved, mut needless) = (0, 0);
        for (key, old) in keys.iter().zip(before) {
            let new = peer.route(key);
            if new != old {
                moved += 1;
                needless += u64::from(new != identity && old != identity);
            }
        }
        figures.extend([moved, needless].map(|moves| moves as f64 / keys.len() as f64));
    };
    measure(&joins, &grown, &|peer| peer.add(&joins));
    measure(&changed, &shrunk, &|peer| peer.remove(&changed));
    if P::WEIGHTED {
        measure(&changed, &weighted, &|peer| peer.set_weight(&heavier));
    }
    figures
}
