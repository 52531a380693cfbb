//! Applies a change to the points: some stay under another owner, some are removed, some are added.

use super::Points;
use super::run::{OWNER, Run};
use super::starts::Starts;
use alloc::vec::Vec;

/// The points of a run that stay, with their new owners, and new points merged in.
pub(super) struct Merge<'a> {
    from: &'a Run,
    /// Points of `from` before this position are done.
    at: usize,
    owners: Vec<u32>,
    some_go: bool,
    pub(super) into: Run,
    starts: &'a Starts,
    /// Groups of `starts` in which points were added or removed, ascending.
    pub(super) touched: Vec<u32>,
}

impl<'a> Merge<'a> {
    /// Marks an owner whose points are removed. No owner has this number, because there are fewer
    /// than 2³² points.
    const GONE: u32 = u32::MAX;

    pub(super) fn new(from: &'a Points, renumber: &[Option<u32>], added: usize) -> Self {
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

    /// Keeps the points up to `position` that stay. It copies them in stretches without a branch,
    /// because few points are removed in one change. That takes a third of the time of pushing each
    /// point.
    pub(super) fn keep_until(&mut self, position: usize) {
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
    pub(super) fn keep_ties(&mut self, token: u64, owner: u32) {
        while self.at < self.from.len() && self.from.token(self.at) == token {
            let tied = self.owners[self.from.owner(self.at) as usize];
            if tied != Merge::GONE && tied > owner {
                break;
            }
            self.keep_until(self.at + 1);
        }
    }

    pub(super) fn push(&mut self, token: u64, owner: u32) {
        self.touch(token);
        self.into.push(token, owner);
    }
}
