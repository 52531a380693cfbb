//! A key's order of preference by rendezvous hashing.
//!
//! The first nodes of an order are found one at a time, each by a pass over the field that costs
//! about as much as a route. The others are found together, by a sort. So a caller that wants two
//! or three nodes does not pay for a sort, and one that wants them all pays for one sort and
//! [`Field::passes`] passes.
//!
//! A sort of up to [`FEW`] nodes is kept in place, in one byte a node. A larger one is allocated,
//! but only after [`MOST_PASSES`] nodes.

use super::bid::Bid;
use super::field::{Claim, Field};
use super::score::Folded;
use alloc::vec;

/// The most nodes whose order is sorted without allocating.
pub(super) const FEW: usize = 100;

/// The most nodes that are found by passes: 16 can be refused and one taken without allocating.
pub(super) const MOST_PASSES: usize = 17;

/// The ranks of the eligible nodes in a key's order, each once.
#[derive(Clone)]
pub(crate) struct Ranks<'a> {
    field: &'a Field,
    token: Folded,
    /// The rank that was returned first regardless of its claim, and is skipped later.
    owner: Option<u32>,
    next: Next,
    /// The number of ranks that were not returned yet.
    left: usize,
}

/// Where the next rank comes from.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    /// The best claim, which is not known yet.
    Best,
    /// The best claim, which is known.
    Winner(Claim),
    /// This rank regardless of its claim, and then the others in the order of their claims.
    Owner(u32),
    /// The best claim after those at the first `count` of these places.
    After {
        places: [u32; MOST_PASSES],
        count: usize,
    },
    /// The whole order of up to [`FEW`] nodes, by place, from the index `at` on.
    Few { places: [u8; FEW], at: u8 },
    /// The rest of the order of more nodes.
    Many(vec::IntoIter<Bid>),
}

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
        let rank = if let Next::Owner(owner) = self.next {
            self.owner = Some(owner);
            self.next = Next::Best;
            owner
        } else {
            let rank = self.by_claim()?;
            if self.owner == Some(rank) {
                self.by_claim()?
            } else {
                rank
            }
        };
        self.left -= 1;
        Some(rank)
    }
}

impl Ranks<'_> {
    #[inline]
    fn by_claim(&mut self) -> Option<u32> {
        let place = match &mut self.next {
            Next::Few { places, at } => {
                let place = places[usize::from(*at)];
                *at += 1;
                usize::from(place)
            }
            Next::Many(bids) => bids.next()?.place(),
            _ => self.search()?,
        };
        Some(self.field.ranks()[place])
    }

    /// Returns the place of the next claim, which is not sorted yet.
    #[inline(never)]
    fn search(&mut self) -> Option<usize> {
        let first = match &mut self.next {
            Next::After { places, count } if *count < self.field.passes() => {
                let place = self.field.best_after(self.token, &places[..*count])?;
                places[*count] = place as u32;
                *count += 1;
                return Some(place);
            }
            Next::After { count, .. } => {
                let count = *count;
                return self.sort(count);
            }
            Next::Winner(claim) => self.field.place(claim),
            _ => self.field.best_placed(self.token)?.1,
        };
        let mut places = [0; MOST_PASSES];
        places[0] = first as u32;
        self.next = Next::After { places, count: 1 };
        Some(first)
    }

    /// Sorts all nodes. Returns the place of the one after the first `count`.
    fn sort(&mut self, count: usize) -> Option<usize> {
        let nodes = self.field.len();
        if nodes > FEW {
            let mut bids = vec![Bid::default(); nodes];
            self.field.sort(self.token, &mut bids);
            let mut bids = bids.into_iter();
            let bid = bids.nth(count)?;
            self.next = Next::Many(bids);
            return Some(bid.place());
        }
        let mut places = [0; FEW];
        let mut bids = [Bid::default(); FEW];
        let bids = &mut bids[..nodes];
        self.field.sort(self.token, bids);
        for (place, bid) in places.iter_mut().zip(&*bids) {
            *place = bid.place() as u8;
        }
        let place = bids.get(count)?.place();
        let at = count as u8 + 1;
        self.next = Next::Few { places, at };
        Some(place)
    }
}
