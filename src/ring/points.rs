//! The sorted points of a ring and the index over them. It knows neither nodes nor hashers.
//!
//! # What it computes
//! `successor(t)` is the first point whose token is at or after `t`, or else the first point of
//! all. The oracle in the tests finds it by a linear scan. Points have one order only, by token and
//! then by owner, in whichever order they were added.
//!
//! # How it avoids the search
//! Tokens are uniform, so the position of a token among P points is known to within a few places.
//! The circle is cut into equal *cells*. For every cell the index keeps the number of points before
//! it, which is where to start. From there, one or two steps without a branch usually lead to the
//! answer. If they do not (weak hashers, ties), a search does.
//!
//! A binary search costs log₂ P mispredicted branches. Here the expected cost does not depend on P.
//! Measured beside it in one run (160 points for each node, in nanoseconds, of which 1.5 are
//! hashing):
//!
//! | | 10 nodes | 100 | 1000 | 10,000 | bytes a point |
//! |---|---|---|---|---|---|
//! | sorted `(u64, u32)` + `partition_point` | 15.7 | 24.5 | 56.6 | 206 | 16 |
//! | **here**: fine cells up to 65,535 points, coarse beyond | **3.2** | **4.0** | **8.5** | **29** | 20, 14.5 |
//! | the same cells, tokens and owners apart, scanned with a branch | 3.9 | 4.7 | 10.8 | 33 | 20.5 |
//! | bitmap of occupied cells with rank | 6.9 | 7.8 | 11.3 | 25 | 15 |
//! | points spread over 1.5 slots each, no index | 4.7 | 5.2 | 9.3 | 29 | 18 |
//! | blocks of one cache line, 6 points each | 8.8 | 9.8 | 12.4 | 26 | 17 |

mod merge;
mod run;
mod starts;
#[cfg(test)]
mod tests;

pub(crate) use run::Run;

use alloc::vec::Vec;
use merge::Merge;
use run::{OWNER, PAD};
use starts::{Starts, cell_of, coarse_start};

/// The number of points that are scanned one by one, before a binary search, if the window does not
/// decide.
const SCAN: usize = 8;

/// A run of points and its index.
#[derive(Debug, Clone)]
pub(crate) struct Points {
    run: Run,
    starts: Starts,
}

impl Points {
    pub(crate) const fn new() -> Points {
        Points {
            run: Run {
                slots: Vec::new(),
                low: Vec::new(),
            },
            starts: Starts::Fine(Vec::new()),
        }
    }

    /// Returns these points after a change: owners are renumbered, the points of those renumbered
    /// to `None` are removed, and `added` is merged in.
    ///
    /// `renumber` keeps the order of the owners that stay, so the points that stay are in order
    /// already.
    ///
    /// # Performance
    /// O(P), one pass. Nothing is sorted. Holds the old and the new points at the same time.
    pub(crate) fn changed(&self, renumber: &[Option<u32>], added: Run) -> Points {
        if renumber.iter().all(Option::is_none) {
            return Points::index(added, Starts::of);
        }
        let mut merge = Merge::new(self, renumber, added.len());
        for (token, owner) in added.iter() {
            merge.keep_until(self.position(token));
            merge.keep_ties(token, owner);
            merge.push(token, owner);
        }
        merge.keep_until(self.len());
        drop(added);
        let (mut run, touched) = (merge.into, merge.touched);
        if run.low.capacity() / 8 * 7 > run.len() {
            // Gives back the room of removed points if many were removed. For few, copying would
            // cost more than it frees.
            run.slots.shrink_to(run.len() + PAD);
            run.low.shrink_to_fit();
        }
        Points::index(run, |run| self.starts.after(&touched, run))
    }

    fn index(mut run: Run, starts: impl FnOnce(&Run) -> Starts) -> Points {
        if run.len() == 0 {
            return Points::new();
        }
        let starts = starts(&run);
        let past_the_last = !OWNER | u64::from(run.owner(0));
        run.slots.extend([past_the_last; PAD]);
        Points { run, starts }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.run.len()
    }

    /// Returns the token of the point at position `p`.
    #[inline]
    pub(crate) fn token(&self, p: usize) -> u64 {
        self.run.token(p)
    }

    /// Returns the owner of the point at position `p`.
    #[inline]
    pub(crate) fn owner(&self, p: usize) -> u32 {
        self.run.owner(p)
    }

    /// Returns the owner of the first point at or after `token`, or else of the first point.
    /// Returns `None` if there are no points.
    // Always inlined, for the reason that its caller gives.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(crate) fn owner_of(&self, token: u64) -> Option<u32> {
        match &self.starts {
            Starts::Fine(starts) => {
                let &start = starts.get(cell_of(token, starts.len()))?;
                Some(self.settle::<2>(token, usize::from(start)).1)
            }
            Starts::Coarse { base, offset } => {
                let start = coarse_start(base, offset, token);
                Some(self.settle::<4>(token, start).1)
            }
        }
    }

    /// Finds the owners of many tokens. It looks up all starting positions first and then all
    /// answers, so that the processor waits for many lines of memory at the same time. Leaves
    /// `owners` unchanged if there are no points.
    #[inline]
    pub(crate) fn owners_of<const N: usize>(&self, tokens: &[u64; N], owners: &mut [u32; N]) {
        if let Starts::Coarse { base, offset } = &self.starts {
            let starts = tokens.map(|token| coarse_start(base, offset, token));
            for ((owner, &token), start) in owners.iter_mut().zip(tokens).zip(starts) {
                *owner = self.settle::<4>(token, start).1;
            }
        } else {
            for (owner, &token) in owners.iter_mut().zip(tokens) {
                *owner = self.owner_of(token).unwrap_or(*owner);
            }
        }
    }

    /// Returns `true` if `owners_of` is faster than a loop of `owner_of`. It is not if the index
    /// fits the nearest caches.
    #[inline]
    pub(crate) fn is_coarse(&self) -> bool {
        matches!(self.starts, Starts::Coarse { .. })
    }

    /// Returns the owners of the points from `token` on, clockwise and without end. Each point is
    /// returned every time that it is passed.
    #[inline]
    pub(crate) fn walk(&self, token: u64) -> Walk<'_> {
        Walk {
            slots: &self.run.slots[..self.len()],
            at: self.position(token),
        }
    }

    /// Returns the position of the first point at or after `token`, or the number of points if
    /// there is none.
    #[inline]
    fn position(&self, token: u64) -> usize {
        match &self.starts {
            Starts::Fine(starts) => match starts.get(cell_of(token, starts.len())) {
                Some(&start) => self.settle::<2>(token, usize::from(start)).0,
                None => 0,
            },
            Starts::Coarse { base, offset } => {
                self.settle::<4>(token, coarse_start(base, offset, token)).0
            }
        }
    }

    /// Returns the tokens and owners of all points, each once, clockwise from `token`.
    pub(crate) fn around(&self, token: u64) -> impl Iterator<Item = (u64, u32)> {
        let at = self.walk(token).at;
        let places = (at..self.len()).chain(0..at);
        places.map(|p| (self.token(p), self.owner(p)))
    }

    /// Returns the position and the owner of the first point at or after `token`. Looks from
    /// `start` on, a position that is not past it. The position may be the number of points, where
    /// the pad represents the first point. There must be points.
    #[inline]
    fn settle<const WINDOW: usize>(&self, token: u64, start: usize) -> (usize, u32) {
        const { assert!(WINDOW <= PAD) };
        // This is not `get(start..)` and then `first_chunk`, which compiles to three tests instead
        // of one.
        if let Some(window) = self.run.slots.get(start..start + WINDOW) {
            // A binary search over the window without branches: compares and adds.
            let floor = token & !OWNER;
            let mut k = 0;
            if WINDOW == 4 {
                k += usize::from(window[k + 1] < floor) * 2;
            }
            k += usize::from(window[k] < floor);
            let slot = window[k];
            // This is decided unless the high halves are equal or the whole window is before the
            // token.
            if slot > token | OWNER {
                return (start + k, slot as u32);
            }
        }
        let p = self.search(token, start);
        (p, self.owner(p))
    }

    /// Does what `settle` does if a window does not decide. It compares full tokens, a few one by
    /// one and then in a binary search, so that points that all have nearly one token cost O(log
    /// P).
    #[cold]
    #[inline(never)]
    fn search(&self, token: u64, start: usize) -> usize {
        let len = self.len();
        let near = len.min(start + SCAN);
        if let Some(p) = (start..near).find(|&p| self.token(p) >= token) {
            return p;
        }
        let slots = &self.run.slots[..len];
        let tie = near + slots[near..].partition_point(|&slot| slot < token & !OWNER);
        let past = tie + slots[tie..].partition_point(|&slot| slot <= token | OWNER);
        tie + self.run.low[tie..past].partition_point(|&low| low < token as u32)
    }
}

/// An iterator over owners; see [`Points::walk`].
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a> {
    slots: &'a [u64],
    at: usize,
}

impl Iterator for Walk<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let slot = match self.slots.get(self.at) {
            Some(&slot) => slot,
            None => {
                self.at = 0;
                *self.slots.first()?
            }
        };
        self.at += 1;
        Some(slot as u32)
    }
}
