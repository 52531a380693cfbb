//! The replica set of a token, from the owners met on a walk.

use crate::nodes::NodeSet;
use alloc::{vec, vec::Vec};

/// The domain (zone, rack) of every node, and how far a set of n nodes spreads over them.
#[derive(Debug)]
pub(crate) struct Domains {
    /// By rank.
    of: Vec<u32>,
    /// The number of eligible nodes in each. Empty if every node is a domain of its own.
    sizes: Vec<usize>,
    eligible: usize,
    wanted: usize,
    spread: Spread,
    /// The only eligible node that is alone in its domain.
    lone: Option<u32>,
}

/// How far a set spreads over the domains, if these nodes are eligible.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    copies: usize,
    /// Every domain gives all its nodes below this rank within the domain …
    full: u32,
    /// … which are this many together, and the rest of the copies are on those at it.
    below: usize,
    /// A node that is in every set, and how many domains have their first node before it if it
    /// alone is missing. It need not be walked to.
    sure: Option<(u32, usize)>,
}

impl Domains {
    /// Returns how many nodes a set has.
    pub(crate) fn copies(&self) -> usize {
        self.spread.copies
    }

    /// Returns how many nodes a set would have if there were enough.
    pub(crate) fn wanted(&self) -> usize {
        self.wanted
    }

    /// Makes every node a domain of its own: the plain first `n`.
    pub(crate) fn none<N>(nodes: &NodeSet<N>, n: usize) -> Self {
        Domains::with(nodes, n, (0..nodes.len() as u32).collect(), Vec::new())
    }

    /// Asks `domain` once for each node. O(N × domains).
    pub(crate) fn new<'a, N, Z: PartialEq>(
        nodes: &'a NodeSet<N>,
        n: usize,
        mut domain: impl FnMut(&'a N) -> Z,
    ) -> Self {
        let mut seen: Vec<Z> = Vec::new();
        let mut sizes = Vec::new();
        let mut of = Vec::with_capacity(nodes.len());
        for entry in nodes.entries() {
            let zone = domain(&entry.node);
            let place = seen.iter().position(|seen| *seen == zone);
            let place = place.unwrap_or_else(|| {
                seen.push(zone);
                sizes.push(0);
                seen.len() - 1
            });
            sizes[place] += usize::from(!entry.drained);
            of.push(place as u32);
        }
        Domains::with(nodes, n, of, sizes)
    }

    fn with<N>(nodes: &NodeSet<N>, n: usize, of: Vec<u32>, sizes: Vec<usize>) -> Self {
        let is_alone = |&rank: &u32| {
            let domain = of[rank as usize] as usize;
            sizes.get(domain) == Some(&1) && !nodes.entries()[rank as usize].drained
        };
        let mut alone = (0..of.len() as u32).filter(is_alone);
        let lone = alone.next().filter(|_| alone.next().is_none());
        let eligible = nodes.eligible();
        Domains {
            spread: Spread::new(&sizes, n.min(eligible), lone),
            of,
            sizes,
            eligible,
            wanted: n,
            lone,
        }
    }

    /// Returns how a set spreads once these eligible nodes are lost. O(domains).
    pub(crate) fn without(&self, lost: &[u32]) -> Spread {
        let mut sizes = self.sizes.clone();
        if !sizes.is_empty() {
            for &rank in lost {
                sizes[self.of[rank as usize] as usize] -= 1;
            }
        }
        let is_lone = |rank: &u32| {
            sizes.iter().filter(|&&size| size == 1).count() == 1 && !lost.contains(rank)
        };
        let copies = self.wanted.min(self.eligible - lost.len());
        Spread::new(&sizes, copies, self.lone.filter(is_lone))
    }
}

impl Spread {
    fn new(sizes: &[usize], copies: usize, lone: Option<u32>) -> Self {
        let up_to = |full: usize| sizes.iter().map(|&size| size.min(full)).sum::<usize>();
        // The greatest depth that leaves copies for the next, by bisection.
        let (mut full, mut past) = (0, sizes.iter().copied().max().unwrap_or(0));
        while full < past {
            let middle = usize::midpoint(full, past + 1);
            if up_to(middle) < copies {
                full = middle;
            } else {
                past = middle - 1;
            }
        }
        let domains = up_to(1);
        let sure = lone.filter(|_| domains > 1 && copies >= domains);
        Spread {
            copies,
            full: full as u32,
            below: up_to(full),
            sure: sure.map(|rank| (rank, domains - 1)),
        }
    }
}

/// Returns the ranks of a replica set, in the order of
/// [`Route::replicas_across`](crate::Route::replicas_across): all first nodes of their domains,
/// then all second ones, and so on. `walk` passes the eligible nodes' ranks in order of preference,
/// and may repeat them.
///
/// # Performance
/// Stops when no later node can enter the set: after O(n) steps expected, if n is well below the
/// number of domains.
pub(crate) fn replica_set(domains: &Domains, walk: impl Iterator<Item = u32>) -> Vec<u32> {
    replica_set_of(domains, domains.spread, walk)
}

/// Returns what [`replica_set`] returns, if sets spread as `spread` says.
pub(crate) fn replica_set_of(
    domains: &Domains,
    spread: Spread,
    walk: impl Iterator<Item = u32>,
) -> Vec<u32> {
    if spread.copies == 0 {
        return Vec::new();
    }
    let mut set: Vec<(u32, u32)> = Vec::with_capacity(spread.copies);
    // Nodes taken at the deepest rank, and first nodes of their domains.
    let (mut at, mut firsts) = (0, 0);
    // Nodes met per domain, only if domains have several.
    let mut met = if spread.full == 0 {
        Vec::new()
    } else {
        vec![0; domains.sizes.len()]
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
        if depth == spread.full && at < spread.copies - spread.below {
            at += 1;
        } else if depth >= spread.full {
            continue;
        }
        set.push((depth, rank));
        firsts += usize::from(depth == 0);
        if let Some((sure, before)) = spread.sure {
            if depth == 0 && firsts == before && set.iter().all(|&(_, seen)| seen != sure) {
                set.push((0, sure));
                at += usize::from(spread.full == 0);
            }
        }
        if set.len() == spread.copies {
            break;
        }
    }
    // Stable: within a depth the order of preference stays.
    set.sort_by_key(|&(depth, _)| depth);
    set.into_iter().map(|(_, rank)| rank).collect()
}
