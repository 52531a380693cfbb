//! The replica set of a token, from the owners met on a walk.

use crate::nodes::NodeSet;
use alloc::{vec, vec::Vec};

/// The domain (zone, rack) of every node, and how far a set of n nodes spreads over them.
#[derive(Debug)]
pub(crate) struct Domains {
    /// By rank.
    of: Vec<u32>,
    count: usize,
    copies: usize,
    /// Every domain gives all its nodes below this rank within the domain …
    full: u32,
    /// … which are this many together, and the rest of the copies comes from those at it.
    below: usize,
}

impl Domains {
    /// How many nodes a set has.
    pub(crate) fn copies(&self) -> usize {
        self.copies
    }

    /// Every node a domain of its own: the plain first `n`.
    pub(crate) fn none<N>(nodes: &NodeSet<N>, n: usize) -> Self {
        Domains {
            of: (0..nodes.len() as u32).collect(),
            count: nodes.len(),
            copies: n.min(nodes.eligible()),
            full: 0,
            below: 0,
        }
    }

    /// `domain` is asked once for each node. O(N × domains).
    pub(crate) fn new<'a, N, Z: PartialEq>(
        nodes: &'a NodeSet<N>,
        n: usize,
        mut domain: impl FnMut(&'a N) -> Z,
    ) -> Self {
        let mut seen: Vec<(Z, usize)> = Vec::new();
        let mut of = Vec::with_capacity(nodes.len());
        for entry in nodes.entries() {
            let zone = domain(&entry.node);
            let place = seen.iter().position(|(seen, _)| *seen == zone);
            let place = place.unwrap_or_else(|| {
                seen.push((zone, 0));
                seen.len() - 1
            });
            seen[place].1 += usize::from(!entry.drained);
            of.push(place as u32);
        }
        let copies = n.min(nodes.eligible());
        let up_to = |full: usize| seen.iter().map(|&(_, size)| size.min(full)).sum::<usize>();
        // The first depth that is enough; at most the size of the greatest domain.
        let deepest = seen.iter().map(|&(_, size)| size).max().unwrap_or(0);
        let depths: Vec<usize> = (1..=deepest).collect();
        let full = depths.partition_point(|&depth| up_to(depth) < copies);
        Domains {
            of,
            count: seen.len(),
            copies,
            full: full as u32,
            below: up_to(full),
        }
    }
}

/// The ranks of a replica set, as [`Route::replicas_across`](crate::Route::replicas_across) orders it: all first ones of their domains, then all second ones …
/// `walk` passes the eligible nodes' ranks in order of preference, again and again if it likes.
///
/// # Complexity
/// Stops when no later node can enter the set: after O(n) steps expected, where n is well below the number of domains.
pub(crate) fn replica_set(domains: &Domains, walk: impl Iterator<Item = u32>) -> Vec<u32> {
    if domains.copies == 0 {
        return Vec::new();
    }
    let mut set: Vec<(u32, u32)> = Vec::with_capacity(domains.copies);
    // Nodes taken at the deepest rank.
    let mut at = 0;
    // Nodes met per domain, only where domains have several.
    let mut met = if domains.full == 0 {
        Vec::new()
    } else {
        vec![0; domains.count]
    };
    for rank in walk {
        let domain = domains.of[rank as usize];
        if set.iter().any(|&(_, seen)| seen == rank) {
            continue;
        }
        let depth = match met.get_mut(domain as usize) {
            Some(met) => {
                *met += 1;
                *met - 1
            }
            None => {
                let of = |&(_, other): &(u32, u32)| domains.of[other as usize] == domain;
                u32::from(set.iter().any(of))
            }
        };
        if depth == domains.full && at < domains.copies - domains.below {
            at += 1;
        } else if depth >= domains.full {
            continue;
        }
        set.push((depth, rank));
        if set.len() == domains.copies {
            break;
        }
    }
    // Stable: within a depth the order of preference stays.
    set.sort_by_key(|&(depth, _)| depth);
    set.into_iter().map(|(_, rank)| rank).collect()
}
