//! What the loss of nodes would lead to.

use super::{CIRCLE, measure};
use crate::error::readable;
use crate::nodes::NodeSet;
use alloc::{vec, vec::Vec};
use core::fmt;

/// What the loss of some nodes at once would lead to: who inherits how much, and how busy the busiest would be.
///
/// Comes from [`HashRing::losses`](crate::HashRing::losses) (each node alone), [`losses_by`](crate::HashRing::losses_by) (each
/// zone) and [`loss_where`](crate::HashRing::loss_where) (any choice, such as a pair).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Loss<'a, N> {
    /// The nodes that are lost, in order of identity.
    pub lost: Vec<&'a N>,
    /// Who inherits, the most first.
    pub heirs: Vec<Heir<'a, N>>,
    /// How many tokens change their owner: what the lost nodes owned.
    pub measure: u128,
    /// Who would be busiest relative to weight; `None` where nobody is left.
    pub busiest_node: Option<&'a N>,
    /// Its load relative to its due among those that are left, 1.0 or more, as [`Balance::busiest`](crate::Balance::busiest); 1.0 where nobody is left.
    pub busiest: f64,
    identities: Vec<&'a [u8]>,
}

/// One heir's part in a [`Loss`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heir<'a, N> {
    /// The heir.
    pub node: &'a N,
    /// How many tokens it inherits.
    pub inherits: u128,
}

impl<N> Clone for Heir<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Heir<'_, N> {}

/// All losses in one sweep over the spans: the loss of each group of nodes. `group` says by rank which of the `groups` a node belongs
/// to, `None` for nodes that are never lost. `heir(last, lost)` is the owner of a span, by its last token, among those that are
/// not lost; a span's tokens must all have one heir.
///
/// So a loss costs what the lost nodes own, not a new ring: an owner's heirs are its keys' next preferences. The test beside it takes
/// the slow path: clone, drain, diff.
///
/// # Complexity
/// O(spans + N log N + groups), as long as a walk past a lost group is O(1).
pub(crate) fn losses<'a, N>(
    nodes: &'a NodeSet<N>,
    (group, groups): (&[Option<u32>], usize),
    spans: impl Iterator<Item = (u64, u64, u32)>,
    heir: impl Fn(u64, &dyn Fn(u32) -> bool) -> Option<u32>,
) -> Vec<Loss<'a, N>> {
    let entries = nodes.entries();
    let mut lost = vec![Vec::new(); groups];
    let (mut total, mut weights) = (0u64, vec![0u64; groups]);
    for (rank, entry) in entries.iter().enumerate() {
        let weight = if entry.drained {
            0
        } else {
            u64::from(entry.weight)
        };
        total += weight;
        if let Some(group) = group[rank] {
            lost[group as usize].push(rank);
            weights[group as usize] += weight;
        }
    }

    let mut owned = vec![0u128; entries.len()];
    // Group, heir, tokens: one entry a span, summed up below.
    let mut inherited: Vec<(u32, u32, u128)> = Vec::new();
    for (first, last, owner) in spans {
        let measure = measure(first, last);
        owned[owner as usize] += measure;
        let Some(own) = group[owner as usize] else {
            continue;
        };
        if weights[own as usize] < total {
            let heir = heir(last, &|rank| group[rank as usize] == Some(own));
            inherited.extend(heir.map(|heir| (own, heir, measure)));
        }
    }
    inherited.sort_unstable_by_key(|&(group, heir, _)| (group, heir));

    // Load by weight, the busiest first, ties in order of identity: whoever inherits nothing stays in this order.
    let load = |rank: usize, more: u128| {
        (owned[rank] + more) as f64 / f64::from(entries[rank].weight) / CIRCLE
    };
    let mut busiest: Vec<usize> = (0..entries.len())
        .filter(|&rank| !entries[rank].drained)
        .collect();
    busiest.sort_by(|&a, &b| load(b, 0).total_cmp(&load(a, 0)));

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
            heirs.sort_by_key(|&(_, sum)| core::cmp::Reverse(sum));
            let untouched = busiest
                .iter()
                .find(|&&rank| group[rank] != Some(number))
                .map(|&rank| (rank, load(rank, 0)));
            let busiest = heirs
                .iter()
                .map(|&(rank, sum)| (rank, load(rank, sum)))
                .chain(untouched)
                .reduce(|a, b| if b.1 > a.1 { b } else { a });
            let left = total - weights[number as usize];
            Loss {
                measure: lost.iter().map(|&rank| owned[rank]).sum(),
                heirs: heirs
                    .into_iter()
                    .map(|(rank, inherits)| Heir {
                        node: &entries[rank].node,
                        inherits,
                    })
                    .collect(),
                busiest_node: busiest.map(|(rank, _)| &entries[rank].node),
                busiest: busiest.map_or(1.0, |(_, load)| load * left as f64),
                identities: lost.iter().map(|&rank| &*entries[rank].identity).collect(),
                lost: lost.into_iter().map(|rank| &entries[rank].node).collect(),
            }
        })
        .collect()
}

/// One line: who is lost, how much, how busy the busiest would be.
impl<N> fmt::Display for Loss<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: usize = 4;
        write!(f, "loss of")?;
        for (i, identity) in self.identities.iter().take(NAMES).enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma} `{}`", readable(identity))?;
        }
        match self.identities.len() {
            0 => write!(f, " nobody")?,
            count if count > NAMES => write!(f, " and {} more", count - NAMES)?,
            _ => {}
        }
        let percent = 100.0 * self.measure as f64 / CIRCLE;
        let (heirs, busiest) = (self.heirs.len(), self.busiest);
        if heirs == 0 {
            return write!(
                f,
                ": {percent:.2} % of the tokens, and nobody inherits them"
            );
        }
        write!(
            f,
            ": {percent:.2} % go to {heirs} heirs, the busiest then has {busiest:.3} of its due"
        )
    }
}
