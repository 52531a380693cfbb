//! The names of processes and nodes, which do not matter.
//!
//! States that differ only in names are explored once. This makes a search 2 to 12 times smaller.

use crate::config::{Config, Consistency, MAX_NODES, MAX_PROCESSES, Nodes};
use crate::state::State;

/// New names for the processes and the nodes.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    pub processes: [u8; MAX_PROCESSES],
    pub nodes: [u8; MAX_NODES],
    sets: [Nodes; 1 << MAX_NODES],
}

impl Names {
    fn new(processes: [u8; MAX_PROCESSES], nodes: [u8; MAX_NODES]) -> Self {
        let mut sets = [Nodes::default(); 1 << MAX_NODES];
        for (old, set) in (0..).map(Nodes).zip(&mut sets) {
            let new = old.iter().map(|node| Nodes::one(nodes[usize::from(node)]));
            *set = new.fold(Nodes::default(), Nodes::union);
        }
        Self {
            processes,
            nodes,
            sets,
        }
    }

    /// Returns the nodes in `nodes` under their new names.
    #[must_use]
    pub fn set(&self, nodes: Nodes) -> Nodes {
        self.sets[nodes.0 as usize]
    }

    /// Returns all new names that leave `config` the same, with the present names first.
    ///
    /// Each side keeps its members, and under quorums each member replaces the same one. Names that
    /// are not in use stay.
    #[must_use]
    pub fn all(config: &Config) -> Vec<Self> {
        let Config { old, new, .. } = *config;
        let kept = |names: &Self| {
            names.set(old) == old
                && names.set(new) == new
                && (0..).zip(names.nodes).all(|(node, name)| {
                    let replaced = |node| config.replaced_by(node, false);
                    if old.union(new).includes(Nodes::one(node)) {
                        config.consistency == Consistency::All
                            || replaced(name) == replaced(node).map(|n| names.nodes[n as usize])
                    } else {
                        node == name
                    }
                })
                && (0..)
                    .zip(names.processes)
                    .skip(config.processes)
                    .all(|(n, name)| n == name)
        };
        let nodes = permutations();
        let pairs = permutations().into_iter();
        let pairs = pairs.flat_map(|p| nodes.iter().map(move |&n| Self::new(p, n)));
        pairs.filter(kept).collect()
    }

    /// Returns the state that stands for all states that differ from `state` in names.
    #[must_use]
    pub fn canonical(all: &[Self], state: &State) -> State {
        let mut least = *state;
        for names in &all[1..] {
            if state.renamed_nodes(names) <= least.nodes {
                least = least.min(state.renamed(names));
            }
        }
        least
    }
}

/// Returns all permutations of `0..N`.
fn permutations<const N: usize>() -> Vec<[u8; N]> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    for _ in 0..N {
        let longer = |part: Vec<u8>| {
            let rest = (0..).take(N).filter(|n| !part.contains(n));
            rest.map(|n| [&part[..], &[n]].concat()).collect()
        };
        all = all.into_iter().flat_map::<Vec<_>, _>(longer).collect();
    }
    all.into_iter()
        .filter_map(|names| names.try_into().ok())
        .collect()
}
