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
/// 4 in 10,000 are not decided by four.
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

/// The cell of `token` among `cells`, at most 2³²: monotone, equal in size to within one high half, no power of two needed.
#[inline]
fn cell_of(token: u64, cells: usize) -> usize {
    (((token >> 32) * cells as u64) >> 32) as usize
}

/// Turns the count of each place into where it starts.
fn count_to_start(counts: &mut [u32]) {
    let mut start = 0;
    for count in counts {
        start += core::mem::replace(count, start);
    }
}

/// Sorts what is nearly sorted by insertion; what turns out not to be, as usual.
fn sort_neighbours(points: &mut [(u64, u32)]) {
    let mut moves_left = 8 * points.len();
    for end in 1..points.len() {
        let point = points[end];
        let mut at = end;
        while at > 0 && points[at - 1] > point {
            points[at] = points[at - 1];
            at -= 1;
        }
        points[at] = point;
        match moves_left.checked_sub(end - at) {
            Some(left) => moves_left = left,
            None => return points.sort_unstable(),
        }
    }
}

impl Run {
    /// Sorts `tokens`, which hold the points of each owner one after the other as `counts` says.
    ///
    /// Tokens are dealt into buckets by their high bits, then each bucket, which fits the first-level cache, into as many cells as it
    /// has points; what is left to sort are neighbours. 0.55 of the time of one sort over all at 1.6 million points, where
    /// sorting each bucket took 0.84.
    ///
    /// # Complexity
    /// O(P) expected for uniform tokens, O(P log P) always.
    pub(crate) fn sorted(tokens: &[u64], counts: &[(u32, u32)]) -> Run {
        let buckets = (tokens.len() / 512).clamp(1, 4096);
        let mut ends = alloc::vec![0; buckets];
        for &token in tokens {
            ends[cell_of(token, buckets)] += 1;
        }
        count_to_start(&mut ends);
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
        let (mut begin, mut places, mut dealt) = (0, Vec::new(), Vec::new());
        for (bucket, &end) in ends.iter().enumerate() {
            let range = begin..end as usize;
            begin = range.end;
            let cells = range.len().min(4096);
            let cell = |token| cell_of(token, buckets * cells) - bucket * cells;
            places.clear();
            places.resize(cells, 0);
            for p in range.clone() {
                places[cell(run.token(p))] += 1;
            }
            count_to_start(&mut places);
            dealt.clear();
            dealt.resize(range.len(), (0, 0));
            for p in range.clone() {
                let place = &mut places[cell(run.token(p))];
                dealt[*place as usize] = (run.token(p), run.owner(p));
                *place += 1;
            }
            sort_neighbours(&mut dealt);
            for (p, &(token, owner)) in range.zip(&dealt) {
                run.slots[p] = token & !OWNER | u64::from(owner);
                run.low[p] = token as u32;
            }
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

impl Starts {
    fn of(run: &Run) -> Starts {
        if run.len() > FINE_MAX {
            let cells = coarse_cells(run.len());
            let mut offset = alloc::vec![0; cells];
            let mut base = Vec::with_capacity(cells.div_ceil(GROUP));
            let mut before = 0;
            for (g, group) in offset.chunks_mut(GROUP).enumerate() {
                base.push(before as u32);
                before = fill(group, g * GROUP, cells, run, before);
            }
            return Starts::Coarse { base, offset };
        }
        let cells = run.len() * FINE_CELLS;
        let mut starts = alloc::vec![0u16; cells];
        // The low half of a slot is an owner, but a cell does not depend on the low half.
        for &slot in &run.slots {
            starts[cell_of(slot, cells)] += 1;
        }
        let mut before = 0;
        for start in &mut starts {
            before += core::mem::replace(start, before);
        }
        Starts::Fine(starts)
    }

    /// The index of `run`, where this is the index of a run that differs from it only in the groups `touched`, ascending: the
    /// other groups stay, moved on as a whole. For one node of 1000 it saves five sixths of the time.
    fn after(&self, touched: &[u32], run: &Run) -> Starts {
        match self {
            Starts::Coarse { base, offset } if offset.len() == coarse_cells(run.len()) => {
                let (mut base, mut offset) = (base.clone(), offset.clone());
                let cells = offset.len();
                // By how much the groups from here on move; wrapping, as it may be negative.
                let (mut done, mut shift) = (0, 0u32);
                for &g in touched {
                    let group = g as usize;
                    let first = group * GROUP;
                    for base in &mut base[done..=group] {
                        *base = base.wrapping_add(shift);
                    }
                    done = group + 1;
                    let last = offset.len().min(first + GROUP);
                    let before = base[group] as usize;
                    let end = fill(&mut offset[first..last], first, cells, run, before);
                    if let Some(&next) = base.get(done) {
                        shift = (end as u32).wrapping_sub(next);
                    }
                }
                for base in &mut base[done..] {
                    *base = base.wrapping_add(shift);
                }
                Starts::Coarse { base, offset }
            }
            _ => Starts::of(run),
        }
    }

    /// The group in which a token lies; 0 where there are none.
    fn group_of(&self, token: u64) -> u32 {
        match self {
            Starts::Coarse { offset, .. } => (cell_of(token, offset.len()) / GROUP) as u32,
            Starts::Fine(_) => 0,
        }
    }
}

/// Coarse cells for so many points: at least [`COARSE_CELLS`] a point, and the same number for a range of some percent, so that a small
/// change leaves most of an index as it is.
fn coarse_cells(points: usize) -> usize {
    let least = points.saturating_mul(COARSE_CELLS);
    let step = (least.checked_next_power_of_two().unwrap_or(least) / 32).max(1);
    least
        .div_ceil(step)
        .saturating_mul(step)
        .min(u32::MAX as usize)
}

/// Fills a group of coarse cells, of which `first` is the first and before which `before` points lie. Returns how many lie
/// before its end.
fn fill(group: &mut [u8], first: usize, cells: usize, run: &Run, before: usize) -> usize {
    group.fill(0);
    let mut p = before;
    while let Some(&slot) = run.slots.get(p) {
        let Some(count) = group.get_mut(cell_of(slot, cells) - first) else {
            break;
        };
        *count = count.saturating_add(1);
        p += 1;
    }
    let mut sum = 0u8;
    for count in group {
        sum = sum.saturating_add(core::mem::replace(count, sum));
    }
    p
}

/// The points of a run that stay, with new owners, and new points among them.
struct Merge<'a> {
    from: &'a Run,
    /// Points of `from` before this position are done.
    at: usize,
    owners: Vec<u32>,
    some_go: bool,
    into: Run,
    starts: &'a Starts,
    /// Groups of `starts` in which points came or went, ascending.
    touched: Vec<u32>,
}

impl<'a> Merge<'a> {
    /// Marks an owner whose points go. No owner has this number: there are fewer than 2³² points.
    const GONE: u32 = u32::MAX;

    fn new(from: &'a Points, renumber: &[Option<u32>], added: usize) -> Self {
        let most = from.len() + added;
        Merge {
            from: &from.run,
            at: 0,
            owners: renumber
                .iter()
                .map(|owner| owner.unwrap_or(Merge::GONE))
                .collect(),
            some_go: renumber.contains(&None),
            into: Run::with_capacity(most),
            starts: &from.starts,
            touched: Vec::new(),
        }
    }

    fn touch(&mut self, token: u64) {
        let group = self.starts.group_of(token);
        if self.touched.last() != Some(&group) {
            self.touched.push(group);
        }
    }

    /// Keeps what stays of the points up to `position`, in stretches: few points go at a time, and a stretch is copied without a
    /// branch. A third of the time of pushing point by point.
    fn keep_until(&mut self, position: usize) {
        while self.at < position {
            let slots = &self.from.slots[self.at..position];
            let goes = |slot: &u64| self.owners[(slot & OWNER) as usize] == Merge::GONE;
            let stay = if self.some_go {
                slots.iter().position(goes).unwrap_or(slots.len())
            } else {
                slots.len()
            };
            self.into.slots.extend(
                slots[..stay]
                    .iter()
                    .map(|slot| slot & !OWNER | u64::from(self.owners[(slot & OWNER) as usize])),
            );
            self.into
                .low
                .extend_from_slice(&self.from.low[self.at..self.at + stay]);
            self.at += stay;
            if self.at < position {
                self.touch(self.from.slots[self.at]);
                self.at += 1;
            }
        }
    }

    /// Keeps the points with this token whose owners come before `owner`.
    fn keep_ties(&mut self, token: u64, owner: u32) {
        while self.at < self.from.len() && self.from.token(self.at) == token {
            let tied = self.owners[self.from.owner(self.at) as usize];
            if tied != Merge::GONE && tied > owner {
                break;
            }
            self.keep_until(self.at + 1);
        }
    }

    fn push(&mut self, token: u64, owner: u32) {
        self.touch(token);
        self.into.push(token, owner);
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

#[cfg(test)]
mod tests;
