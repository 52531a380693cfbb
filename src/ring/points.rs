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
//! | **here**: fine cells up to 65,535 points, coarse beyond | **3.2** | **4.0** | **8.5** | **29** | 20, 14.2 |
//! | the same cells, tokens and owners apart, scanned with a branch | 3.9 | 4.7 | 10.8 | 33 | 20.5 |
//! | bitmap of occupied cells with rank | 6.9 | 7.8 | 11.3 | 25 | 15 |
//! | points spread over 1.5 slots each, no index | 4.7 | 5.2 | 9.3 | 29 | 18 |
//! | blocks of one cache line, 6 points each | 8.8 | 9.8 | 12.4 | 26 | 17 |
//!
//! # Layout
//! `slots[p]` holds the high half of point p's token and, in its low half, its owner; `low[p]` the rest of the token. So
//! the line of memory that decides also names the owner, and `low` is read only where high halves are equal.

use alloc::vec::Vec;

/// The low half of a slot: the owner.
const OWNER: u64 = 0xffff_ffff;

/// Slots past the last point, so that a window never ends early. They belong to the first point's owner and come after
/// every token but those with the highest high half, which are looked at in full.
const PAD: usize = 4;

/// Points that are scanned one by one, before a binary search, where the window did not decide.
const SCAN: usize = 8;

/// Up to this many points, a position fits the 16 bits of a fine cell.
const FINE_MAX: usize = u16::MAX as usize;

/// Cells a point. Fine: 8 bytes a point, and 1 token in 100 is not decided by two slots. Coarse: 2.1 bytes a point, and
/// 1 in 10,000 is not decided by four.
const FINE_CELLS: usize = 4;
const COARSE_CELLS: usize = 2;

/// Coarse cells that share a base.
const GROUP: usize = 64;

/// Points in order: by token, then by owner.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    slots: Vec<u64>,
    low: Vec<u32>,
}

/// A run and its index.
#[derive(Debug, Clone)]
pub(crate) struct Points {
    run: Run,
    starts: Starts,
}

/// For every cell a position at or before the first point that lies in or after it.
#[derive(Debug, Clone)]
enum Starts {
    /// The position itself, exact.
    Fine(Vec<u16>),
    /// Per group the exact position, per cell what to add, at most 255 (then the rest is searched).
    Coarse { base: Vec<u32>, offset: Vec<u8> },
}

/// The cell of `token` among `cells`: monotone, equal in size to within one token, no power of two needed.
#[inline]
fn cell_of(token: u64, cells: usize) -> usize {
    ((u128::from(token) * cells as u128) >> 64) as usize
}

impl Run {
    /// Sorts `tokens`, which hold the points of each owner one after the other as `counts` says.
    ///
    /// Tokens are dealt into buckets by their high bits first, so that each bucket is sorted within the first-level cache:
    /// half the time of one sort over all at 1.6 million points. A bucket of equal tokens (weak hashers) is only a sort.
    ///
    /// # Complexity
    /// O(P) expected for uniform tokens, O(P log P) always.
    pub(crate) fn sorted(tokens: &[u64], counts: &[(u32, u32)]) -> Run {
        let buckets = (tokens.len() / 512).clamp(1, 4096);
        let mut ends = alloc::vec![0u32; buckets];
        for &token in tokens {
            ends[cell_of(token, buckets)] += 1;
        }
        let mut end = 0;
        for bucket in &mut ends {
            // For now where the bucket begins; each point dealt into it moves it on, to where it ends.
            end += core::mem::replace(bucket, end);
        }
        // Room for the pad, so that a ring built at once does not move its points for it.
        let mut slots = Vec::with_capacity(tokens.len() + PAD);
        slots.resize(tokens.len(), 0);
        let mut low = alloc::vec![0; tokens.len()];
        let mut tokens = tokens.iter();
        for &(owner, count) in counts {
            for &token in tokens.by_ref().take(count as usize) {
                let place = &mut ends[cell_of(token, buckets)];
                slots[*place as usize] = token & !OWNER | u64::from(owner);
                low[*place as usize] = token as u32;
                *place += 1;
            }
        }
        let mut run = Run { slots, low };
        let (mut begin, mut bucket) = (0, Vec::new());
        for end in ends {
            let range = begin..end as usize;
            bucket.clear();
            bucket.extend(range.clone().map(|p| (run.token(p), run.owner(p))));
            bucket.sort_unstable();
            for (p, &(token, owner)) in range.zip(&bucket) {
                run.slots[p] = token & !OWNER | u64::from(owner);
                run.low[p] = token as u32;
            }
            begin = end as usize;
        }
        run
    }

    pub(crate) fn with_capacity(points: usize) -> Run {
        Run {
            slots: Vec::with_capacity(points + PAD),
            low: Vec::with_capacity(points),
        }
    }

    /// Adds a point that comes after all there are.
    #[inline]
    pub(crate) fn push(&mut self, token: u64, owner: u32) {
        self.slots.push(token & !OWNER | u64::from(owner));
        self.low.push(token as u32);
    }

    #[inline]
    fn len(&self) -> usize {
        self.low.len()
    }

    #[inline]
    fn token(&self, p: usize) -> u64 {
        self.slots[p] & !OWNER | u64::from(self.low[p])
    }

    #[inline]
    fn owner(&self, p: usize) -> u32 {
        self.slots[p] as u32
    }

    fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.slots
            .iter()
            .zip(&self.low)
            .map(|(&slot, &low)| (slot & !OWNER | u64::from(low), slot as u32))
    }
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
        if self.len() == 0 {
            return Points::index(added);
        }
        let renumbered = |owner: u32| renumber[owner as usize];
        let kept = self
            .run
            .iter()
            .filter(|&(_, owner)| renumbered(owner).is_some())
            .count();
        let mut run = Run::with_capacity(kept + added.len());
        let mut added = added.iter();
        let mut next = added.next();
        for (token, owner) in self.run.iter() {
            let Some(owner) = renumbered(owner) else {
                continue;
            };
            while let Some(point) = next.filter(|&point| point < (token, owner)) {
                run.push(point.0, point.1);
                next = added.next();
            }
            run.push(token, owner);
        }
        for (token, owner) in next.into_iter().chain(added) {
            run.push(token, owner);
        }
        Points::index(run)
    }

    fn index(mut run: Run) -> Points {
        if run.len() == 0 {
            return Points::new();
        }
        let starts = Starts::of(&run);
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
    #[inline]
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
        let at = match &self.starts {
            Starts::Fine(starts) => match starts.get(cell_of(token, starts.len())) {
                Some(&start) => self.settle::<2>(token, usize::from(start)).0,
                None => 0,
            },
            Starts::Coarse { base, offset } => {
                self.settle::<4>(token, coarse_start(base, offset, token)).0
            }
        };
        Walk {
            slots: &self.run.slots[..self.len()],
            at,
        }
    }

    /// The position and the owner of the first point at or after `token`, from `start` on, a position that is not past it.
    /// The position may be the number of points, which stands for 0. There must be points.
    #[inline]
    fn settle<const WINDOW: usize>(&self, token: u64, start: usize) -> (usize, u32) {
        const { assert!(WINDOW <= PAD) };
        if let Some(window) = self
            .run
            .slots
            .get(start..)
            .and_then(|slots| slots.first_chunk::<WINDOW>())
        {
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
        let p = tie + self.run.low[tie..past].partition_point(|&low| low < token as u32);
        if p == len { 0 } else { p }
    }
}

impl Starts {
    /// Counts the points of each cell, then sums up: no branch depends on where the points lie.
    fn of(run: &Run) -> Starts {
        let tokens = run.iter().map(|(token, _)| token);
        if run.len() <= FINE_MAX {
            let mut starts = alloc::vec![0u16; run.len() * FINE_CELLS];
            let cells = starts.len();
            tokens.for_each(|token| starts[cell_of(token, cells)] += 1);
            let mut before = 0;
            for start in &mut starts {
                before += core::mem::replace(start, before);
            }
            return Starts::Fine(starts);
        }
        let cells = run.len() * COARSE_CELLS;
        let mut offset = alloc::vec![0u8; cells];
        let mut base = alloc::vec![0u32; cells.div_ceil(GROUP)];
        for token in tokens {
            let cell = cell_of(token, cells);
            offset[cell] = offset[cell].saturating_add(1);
            base[cell / GROUP] += 1;
        }
        let mut before = 0;
        for (base, group) in base.iter_mut().zip(offset.chunks_mut(GROUP)) {
            before += core::mem::replace(base, before);
            let mut within = 0u8;
            for offset in group {
                within = within.saturating_add(core::mem::replace(offset, within));
            }
        }
        Starts::Coarse { base, offset }
    }
}

#[inline]
fn coarse_start(base: &[u32], offset: &[u8], token: u64) -> usize {
    let cell = cell_of(token, offset.len());
    base[cell / GROUP] as usize + usize::from(offset[cell])
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
