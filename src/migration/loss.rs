//! What the loss of nodes would lead to.

use super::{CIRCLE, measure};
use crate::balance::Fair;
use crate::error::readable;
use crate::nodes::NodeSet;
use alloc::{vec, vec::Vec};
use core::cmp::Reverse;
use core::fmt;

/// The effect of losing some nodes together: which nodes inherit how much, and how busy the busiest
/// would be.
///
/// It is returned by [`HashRing::losses`](crate::HashRing::losses) (each node alone),
/// [`losses_by`](crate::HashRing::losses_by) (each zone) and
/// [`loss_where`](crate::HashRing::loss_where) (any choice, such as a pair), and for copies from
/// [`HashRing::losses_of`](crate::HashRing::losses_of) and
/// [`Zoned::losses_of`](crate::Zoned::losses_of). With copies, a token counts once for each copy
/// of it.
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_nodes(["a", "b", "c", "d"])?;
/// for loss in ring.losses() {
///     println!("without {:?} the busiest has {:.2} of its due", loss.lost, loss.busiest);
///     assert_eq!(loss.heirs.len(), 3); // all others inherit
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Loss<'a, N> {
    /// The nodes that are lost, in order of identity.
    pub lost: Vec<&'a N>,
    /// The nodes that inherit, the one that inherits most first.
    pub heirs: Vec<Heir<'a, N>>,
    /// How many tokens the lost nodes owned, or held a copy of.
    pub measure: u128,
    /// The node that would be busiest relative to weight. `None` if no node is left.
    pub busiest_node: Option<&'a N>,
    /// Its load relative to its fair part among those that are left, 1.0 or more, as
    /// [`Balance::busiest`](crate::Balance::busiest). 1.0 if no node is left.
    pub busiest: f64,
    identities: Vec<&'a [u8]>,
}

/// One heir's part in a [`Loss`].
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
/// let loss = &ring.losses()[0];
/// let inherited: u128 = loss.heirs.iter().map(|heir| heir.inherits).sum();
/// assert_eq!(inherited, loss.measure);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heir<'a, N> {
    /// The heir.
    pub node: &'a N,
    /// How many tokens, or copies of tokens, it inherits.
    pub inherits: u128,
}

impl<N> Clone for Heir<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Heir<'_, N> {}

/// Which nodes are lost together: by rank the group that a node belongs to, or `None` for nodes
/// that are never lost.
#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) of: Vec<Option<u32>>,
    pub(crate) count: usize,
}

impl Groups {
    /// Each of so many nodes alone.
    pub(crate) fn single(nodes: usize) -> Self {
        Groups {
            of: (0..nodes as u32).map(Some).collect(),
            count: nodes,
        }
    }

    /// All nodes of one domain together. O(N × domains).
    pub(crate) fn by<'a, N: 'a, Z: PartialEq>(
        nodes: impl Iterator<Item = &'a N>,
        mut domain: impl FnMut(&'a N) -> Z,
    ) -> Self {
        let mut domains: Vec<Z> = Vec::new();
        let group_of = |node| {
            let domain = domain(node);
            let known = domains.iter().position(|known| *known == domain);
            Some(known.unwrap_or_else(|| {
                domains.push(domain);
                domains.len() - 1
            }) as u32)
        };
        Groups {
            of: nodes.map(group_of).collect(),
            count: domains.len(),
        }
    }

    /// Returns `true` if this node is lost with that group.
    #[inline]
    pub(crate) fn has(&self, group: u32, rank: u32) -> bool {
        self.of[rank as usize] == Some(group)
    }

    /// Returns the eligible nodes of each group, by rank.
    pub(crate) fn eligible<N>(&self, nodes: &NodeSet<N>) -> Vec<Vec<u32>> {
        let mut eligible = vec![Vec::new(); self.count];
        for (rank, entry) in (0..).zip(nodes.entries()) {
            if let Some(group) = self.of[rank as usize].filter(|_| !entry.drained) {
                eligible[group as usize].push(rank);
            }
        }
        eligible
    }
}

/// Works out the loss of each group, all in one sweep over the pieces of the circle. A piece has
/// one order of preference and is passed with its set: the nodes that hold its `copies`.
/// `heirs(last, group, set)` returns the nodes that join the set of the piece that ends at `last`
/// once a group is lost that has a member in it.
///
/// So a loss costs what the lost nodes hold, not a new ring, because the heirs of a key are its
/// next preferences. The test takes the slow path: clone, drain, compare.
///
/// # Performance
/// O(pieces + N log N + groups), as long as a walk past a lost group is O(1).
pub(crate) fn losses<'a, N, S: AsRef<[u32]>, I: IntoIterator<Item = u32>>(
    nodes: &'a NodeSet<N>,
    groups: &Groups,
    copies: usize,
    pieces: impl Iterator<Item = (u64, u64, S)>,
    heirs: impl Fn(u64, u32, &[u32]) -> I,
) -> Vec<Loss<'a, N>> {
    let entries = nodes.entries();
    let mut lost = vec![Vec::new(); groups.count];
    let (mut total, mut weights) = (0u64, vec![0u64; groups.count]);
    for (rank, entry) in entries.iter().enumerate() {
        let weight = if entry.drained {
            0
        } else {
            u64::from(entry.weight)
        };
        total += weight;
        if let Some(group) = groups.of[rank] {
            lost[group as usize].push(rank);
            weights[group as usize] += weight;
        }
    }

    let mut held = vec![0u128; entries.len()];
    // Group, heir, tokens: one entry a piece and heir, summed up below.
    let mut inherited: Vec<(u32, u32, u128)> = Vec::new();
    for (first, last, set) in pieces {
        let (measure, set) = (measure(first, last), set.as_ref());
        for (i, &holder) in set.iter().enumerate() {
            held[holder as usize] += measure;
            let Some(own) = groups.of[holder as usize] else {
                continue;
            };
            let again = set[..i].iter().any(|&other| groups.has(own, other));
            if !again && weights[own as usize] < total {
                let heirs = heirs(last, own, set).into_iter();
                inherited.extend(heirs.map(|heir| (own, heir, measure)));
            }
        }
    }
    inherited.sort_unstable_by_key(|&(group, heir, _)| (group, heir));

    // Load by weight, the busiest first, ties in order of identity: nodes that inherit nothing stay
    // in this order.
    let load = |rank: usize, more: u128| {
        (held[rank] + more) as f64 / f64::from(entries[rank].weight) / CIRCLE
    };
    let eligible = (0..entries.len()).filter(|&rank| !entries[rank].drained);
    let mut busiest: Vec<usize> = eligible.collect();
    let mut heaviest = busiest.clone();
    busiest.sort_by(|&a, &b| load(b, 0).total_cmp(&load(a, 0)));
    heaviest.sort_by_key(|&rank| Reverse(entries[rank].weight));

    let mut rest = &inherited[..];
    (0u32..)
        .zip(lost)
        .map(|(number, lost)| {
            let (own, others) = rest.split_at(rest.partition_point(|&(group, ..)| group == number));
            rest = others;
            let mut heirs: Vec<(usize, u128)> = own
                .chunk_by(|a, b| a.1 == b.1)
                .map(|chunk| {
                    (
                        chunk[0].1 as usize,
                        chunk.iter().map(|&(.., sum)| sum).sum(),
                    )
                })
                .collect();
            heirs.sort_by_key(|&(_, sum)| Reverse(sum));
            let untouched = busiest
                .iter()
                .find(|&&rank| groups.of[rank] != Some(number))
                .map(|&rank| (rank, load(rank, 0)));
            let busiest = heirs
                .iter()
                .map(|&(rank, sum)| (rank, load(rank, sum)))
                .chain(untouched)
                .reduce(|a, b| if b.1 > a.1 { b } else { a });
            let left = heaviest
                .iter()
                .filter(|&&rank| groups.of[rank] != Some(number));
            let fair = Fair::new(
                left.map(|&rank| entries[rank].weight),
                total - weights[number as usize],
                copies,
            );
            Loss {
                measure: lost.iter().map(|&rank| held[rank]).sum(),
                heirs: heirs
                    .into_iter()
                    .map(|(rank, inherits)| Heir {
                        node: &entries[rank].node,
                        inherits,
                    })
                    .collect(),
                busiest_node: busiest.map(|(rank, _)| &entries[rank].node),
                busiest: busiest.map_or(1.0, |(_, load)| fair.relative(load)),
                identities: lost.iter().map(|&rank| &*entries[rank].identity).collect(),
                lost: lost.into_iter().map(|rank| &entries[rank].node).collect(),
            }
        })
        .collect()
}

/// Prints one line: the nodes that are lost, how much, and how busy the busiest would be.
impl<N> fmt::Display for Loss<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: usize = 4;
        write!(f, "loss of")?;
        for (i, identity) in self.identities.iter().take(NAMES).enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma} `{}`", readable(identity))?;
        }
        match self.identities.len() {
            0 => write!(f, " no node")?,
            count if count > NAMES => write!(f, " and {} more", count - NAMES)?,
            _ => {}
        }
        let percent = 100.0 * self.measure as f64 / CIRCLE;
        let (heirs, busiest) = (self.heirs.len(), self.busiest);
        if heirs == 0 {
            return write!(
                f,
                ": {percent:.2} % of the tokens, and no node inherits them"
            );
        }
        write!(
            f,
            ": {percent:.2} % go to {heirs} heirs, the busiest then has {busiest:.3} of its due"
        )
    }
}
