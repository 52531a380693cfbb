//! The sorted points of a ring and the index over them. Knows neither nodes nor hashers.
//!
//! # What it computes
//! `successor(t)` = the first point whose token is at or after `t`, else the first of all: a linear scan, as the oracle in
//! the tests does it. Points stand in one order only, by token and then by owner, whatever came in first.
//!
//! # How it avoids the search
//! Tokens are uniform, so where a token falls among P points is known to within a few places. The circle is cut into equal
//! *cells*, and for every cell the index keeps how many points lie before it: the place to start at. From there at most one
//! or two steps without a branch lead to the answer; where they do not (weak hashers, ties), a search does.
//!
//! A binary search costs log₂ P mispredicted branches; here the expected cost does not depend on P. Measured beside it
//! (160 points a node, nanoseconds with the 1.5 ns of hashing, one run):
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

/// Points that are scanned one by one, before a binary search, where the window did not decide.
const SCAN: usize = 8;

/// A run and its index.
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

    /// These points after a change: point owners are renumbered (`None`: its points go), and `added` is merged in.
    ///
    /// `renumber` keeps the order of the owners that stay, so the points that stay are in order already.
    ///
    /// # Complexity
    /// O(P), one pass; nothing is sorted. Holds the old and the new points at once.
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
            // Many points went, and their room is to go too; where few did, copying would cost more than it frees.
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

    /// The token of the point at position `p`.
    #[inline]
    pub(crate) fn token(&self, p: usize) -> u64 {
        self.run.token(p)
    }

    /// The owner of the point at position `p`.
    #[inline]
    pub(crate) fn owner(&self, p: usize) -> u32 {
        self.run.owner(p)
    }

    /// The owner of the first point at or after `token`, going round; `None` without points.
    // Always, as its caller's reason says.
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

    /// The owners of many tokens: first all places to start at, then all answers, so that the processor waits for many
    /// lines of memory at once. Leaves `owners` as it is without points.
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

    /// Whether `owners_of` is faster than asking one by one: not while the index fits the nearest caches.
    #[inline]
    pub(crate) fn is_coarse(&self) -> bool {
        matches!(self.starts, Starts::Coarse { .. })
    }

    /// The owners of the points from `token` on, clockwise, round and round; each point every time it is passed.
    #[inline]
    pub(crate) fn walk(&self, token: u64) -> Walk<'_> {
        Walk {
            slots: &self.run.slots[..self.len()],
            at: self.position(token),
        }
    }

    /// The position of the first point at or after `token`; the number of points where there is none.
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

    /// Tokens and owners of all points, each once, clockwise from `token`.
    pub(crate) fn around(&self, token: u64) -> impl Iterator<Item = (u64, u32)> {
        let at = self.walk(token).at;
        let places = (at..self.len()).chain(0..at);
        places.map(|p| (self.token(p), self.owner(p)))
    }

    /// The position and the owner of the first point at or after `token`, from `start` on, a position that is not past it.
    /// The position may be the number of points, where the pad stands for the first. There must be points.
    #[inline]
    fn settle<const WINDOW: usize>(&self, token: u64, start: usize) -> (usize, u32) {
        const { assert!(WINDOW <= PAD) };
        // Not `get(start..)` and then `first_chunk`: that compiles to three tests in place of one.
        if let Some(window) = self.run.slots.get(start..start + WINDOW) {
            // A binary search over the window without branches: compares and adds.
            let floor = token & !OWNER;
            let mut k = 0;
            if WINDOW == 4 {
                k += usize::from(window[k + 1] < floor) * 2;
            }
            k += usize::from(window[k] < floor);
            let slot = window[k];
            // Decided unless the high halves are equal or the window lies wholly before the token.
            if slot > token | OWNER {
                return (start + k, slot as u32);
            }
        }
        let p = self.search(token, start);
        (p, self.owner(p))
    }

    /// As `settle`, for what a window does not decide: full tokens, a few one by one, then a binary search, so that points
    /// that all lie in one place cost O(log P).
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

/// See [`Points::walk`].
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
