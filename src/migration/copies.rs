//! How copies are spread, and what a loss does to them.

use super::loss::{Groups, Loss, losses};
use super::measure;
use super::replicas::{Domains, replica_set_of};
use super::verbs::Pieces;
use crate::balance::{Balance, Row};
use crate::nodes::NodeSet;
use alloc::vec::Vec;

/// Returns how evenly the copies of a placement are spread.
pub(crate) fn balance_of_copies<N>(
    nodes: &NodeSet<N>,
    placement: &impl Pieces,
    domains: &Domains,
) -> Balance {
    let mut held = alloc::vec![0; nodes.len()];
    for (first, last, set) in placement.sets(domains) {
        for rank in set {
            held[rank as usize] += measure(first, last);
        }
    }
    let rows = nodes.entries().iter().zip(held);
    let rows = rows.filter(|(entry, _)| !entry.drained);
    Balance::of(
        rows.map(|(entry, held)| Row::new(entry, held)),
        domains.copies(),
    )
}

/// Returns what the loss of each group would do to the copies of a placement. `walk(last)` passes
/// the ranks in the order of preference of the piece that ends at `last`, and may repeat them.
pub(crate) fn losses_of_copies<'a, N, W: Iterator<Item = u32>>(
    nodes: &'a NodeSet<N>,
    placement: &impl Pieces,
    domains: &Domains,
    groups: &Groups,
    walk: impl Fn(u64) -> W,
) -> Vec<Loss<'a, N>> {
    let lost = groups.eligible(nodes);
    let spreads: Vec<_> = lost.iter().map(|lost| domains.without(lost)).collect();
    let sets = placement.sets(domains);
    losses(nodes, groups, domains.wanted(), sets, |last, lost, set| {
        let left = walk(last).filter(|&rank| !groups.has(lost, rank));
        let mut after = replica_set_of(domains, spreads[lost as usize], left);
        after.retain(|rank| !set.contains(rank));
        after
    })
}
