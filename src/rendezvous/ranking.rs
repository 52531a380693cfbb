//! A key's order of preference by rendezvous.

use super::field::{Claim, Field};
use super::score::Folded;
use alloc::vec::Vec;

/// The ranks of the eligible nodes in a key's order, each once.
#[derive(Clone)]
pub(crate) struct Ranks<'a> {
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

impl<'a> Ranks<'a> {
    #[inline]
    pub(crate) fn new(field: &'a Field, token: Folded, first: Next) -> Self {
        Ranks {
            field,
            token,
            owner: None,
            next: first,
            left: field.len(),
        }
    }
}

impl Iterator for Ranks<'_> {
    type Item = u32;

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
}

impl Ranks<'_> {
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
