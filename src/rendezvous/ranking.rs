//! A key's order of preference by rendezvous.

use super::field::{Claim, Field};
use super::score::Folded;
use crate::nodes::NodeSet;
use alloc::vec::Vec;
use core::fmt;
use core::iter::FusedIterator;

/// The eligible nodes in a key's order of preference, each once; see [`Rendezvous::preference`](crate::Rendezvous::preference) and
/// [`SlotTable::preference`](crate::SlotTable::preference).
#[must_use = "a preference is lazy"]
pub struct Ranking<'a, N> {
    nodes: &'a NodeSet<N>,
    ranks: Ranks<'a>,
}

/// The ranks alone.
#[derive(Clone)]
struct Ranks<'a> {
    field: &'a Field,
    token: Folded,
    /// Came first, whatever its claim; left out later.
    owner: Option<u32>,
    next: Next,
    /// Not offered yet.
    left: usize,
}

/// What comes next.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    /// The best claim.
    Best,
    /// The best claim, which is known: this.
    Winner(Claim),
    /// The node of this rank, whatever its claim; then the others by theirs.
    Owner(u32),
    /// The best after this claim, found by another pass over the field: nothing is allocated.
    After(Claim),
    /// All that are left, best last.
    Sorted(Vec<Claim>),
}

/// Passes over the field before the rest of it is sorted.
const PASSES: usize = 16;

impl<'a, N> Ranking<'a, N> {
    #[inline]
    pub(crate) fn new(nodes: &'a NodeSet<N>, field: &'a Field, token: Folded, first: Next) -> Self {
        let ranks = Ranks {
            field,
            token,
            owner: None,
            next: first,
            left: field.len(),
        };
        Ranking { nodes, ranks }
    }

    /// The ranks of the nodes instead.
    pub(crate) fn into_ranks(mut self) -> impl Iterator<Item = u32> {
        core::iter::from_fn(move || self.ranks.next())
    }
}

impl Ranks<'_> {
    fn next(&mut self) -> Option<u32> {
        if self.left == 0 {
            return None;
        }
        let rank = match self.next {
            Next::Owner(owner) => {
                self.owner = Some(owner);
                self.next = Next::Best;
                owner
            }
            _ => {
                let rank = self.by_claim()?;
                if self.owner == Some(rank) {
                    self.by_claim()?
                } else {
                    rank
                }
            }
        };
        self.left -= 1;
        Some(rank)
    }

    fn by_claim(&mut self) -> Option<u32> {
        let offered = self.field.len() - self.left;
        let claim = match &mut self.next {
            Next::Winner(claim) => *claim,
            Next::After(last) if offered <= PASSES => self.field.best_after(self.token, last)?,
            Next::After(last) => {
                let mut sorted = self.field.all_after(self.token, last);
                let claim = sorted.pop()?;
                self.next = Next::Sorted(sorted);
                return Some(claim.rank);
            }
            Next::Sorted(sorted) => return sorted.pop().map(|claim| claim.rank),
            Next::Best | Next::Owner(_) => self.field.best(self.token)?,
        };
        self.next = Next::After(claim);
        Some(claim.rank)
    }
}

impl<'a, N> Iterator for Ranking<'a, N> {
    type Item = &'a N;

    #[inline]
    fn next(&mut self) -> Option<&'a N> {
        let nodes = self.nodes;
        self.ranks.next().map(|rank| nodes.node(rank))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ranks.left, Some(self.ranks.left))
    }
}

impl<N> ExactSizeIterator for Ranking<'_, N> {}
impl<N> FusedIterator for Ranking<'_, N> {}

impl<N> Clone for Ranking<'_, N> {
    fn clone(&self) -> Self {
        Ranking {
            nodes: self.nodes,
            ranks: self.ranks.clone(),
        }
    }
}

/// Shows how many nodes are left.
impl<N> fmt::Debug for Ranking<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ranking")
            .field("left", &self.ranks.left)
            .finish_non_exhaustive()
    }
}
