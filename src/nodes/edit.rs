//! A checked change: what it will lead to, and carrying it out.

use super::{Changes, Entry, NodeSet};
use alloc::vec::Vec;

/// A checked change, ready to be committed.
#[derive(Debug)]
pub(crate) struct Edit<N> {
    /// Newcomers, in order of identity.
    pub(super) added: Vec<Entry<N>>,
    /// What happens to members, in order of rank, at most once each.
    pub(super) touched: Vec<(usize, Touch)>,
    /// The places of the members that stay, in order of rank, where a new list gives them.
    pub(super) places: Option<Vec<u64>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Touch {
    Remove,
    Weigh(u32),
    Drain(bool),
}

/// A member as it will be once an edit is committed.
#[derive(Debug)]
pub(crate) struct Planned<'a> {
    pub(crate) identity: &'a [u8],
    pub(crate) weight: u32,
    pub(crate) drained: bool,
    /// Its rank before, if it was there.
    pub(crate) before: Option<usize>,
    /// Orders the members as they were listed.
    // Read by `compat` alone.
    #[cfg_attr(not(feature = "compat"), allow(dead_code))]
    pub(crate) place: u64,
    /// Whether it is new, or has another weight, or is drained or undrained.
    pub(crate) changed: bool,
}

impl Planned<'_> {
    /// Its rank before, if all that decides what it owns is as it was.
    pub(crate) fn unchanged(&self) -> Option<usize> {
        self.before.filter(|_| !self.changed)
    }

    /// The weight it takes part with: none while it is drained.
    #[cfg(target_has_atomic = "ptr")]
    pub(crate) fn active_weight(&self) -> u32 {
        if self.drained { 0 } else { self.weight }
    }
}

impl<N> Edit<N> {
    pub(super) fn touch(rank: usize, touch: Touch) -> Self {
        Edit {
            added: Vec::new(),
            touched: Vec::from([(rank, touch)]),
            places: None,
        }
    }

    pub(super) fn nothing() -> Self {
        Edit {
            added: Vec::new(),
            touched: Vec::new(),
            places: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.touched.is_empty()
    }
}

impl<N> NodeSet<N> {
    /// The members as they will be, in order of rank.
    pub(crate) fn preview<'a>(&'a self, edit: &'a Edit<N>) -> impl Iterator<Item = Planned<'a>> {
        let mut added = edit.added.iter().peekable();
        let mut touched = edit.touched.iter().peekable();
        let mut places = edit.places.iter().flatten();
        let mut present = self
            .entries
            .iter()
            .enumerate()
            .filter_map(move |(rank, entry)| {
                let (mut weight, mut drained) = (entry.weight, entry.drained);
                let touch = touched.next_if(|(touched, _)| *touched == rank);
                match touch {
                    Some((_, Touch::Remove)) => return None,
                    Some((_, Touch::Weigh(to))) => weight = *to,
                    Some((_, Touch::Drain(to))) => drained = *to,
                    None => {}
                }
                Some(Planned {
                    identity: &entry.identity,
                    weight,
                    drained,
                    before: Some(rank),
                    place: places.next().copied().unwrap_or(entry.place),
                    changed: touch.is_some(),
                })
            });
        let mut waiting = present.next();
        core::iter::from_fn(move || {
            let newcomer = added.next_if(|new| {
                waiting
                    .as_ref()
                    .is_none_or(|old| *new.identity < *old.identity)
            });
            match newcomer {
                Some(new) => Some(Planned {
                    identity: &new.identity,
                    weight: new.weight,
                    drained: new.drained,
                    before: None,
                    place: new.place,
                    changed: true,
                }),
                None => core::mem::replace(&mut waiting, present.next()),
            }
        })
    }

    /// Carries out an edit that was planned on these members.
    pub(crate) fn commit(&mut self, edit: Edit<N>) -> Changes<N> {
        let mut changes = Changes {
            added: edit.added.len(),
            reweighted: 0,
            removed: Vec::new(),
        };
        let mut entries = Vec::with_capacity(self.entries.len() + edit.added.len());
        let mut added = edit.added.into_iter().peekable();
        let mut touched = edit.touched.into_iter().peekable();
        let mut places = edit.places.into_iter().flatten();
        for (rank, mut entry) in core::mem::take(&mut self.entries).into_iter().enumerate() {
            while let Some(new) = added.next_if(|new| new.identity < entry.identity) {
                entries.push(new);
            }
            match touched.next_if(|(touched, _)| *touched == rank) {
                Some((_, Touch::Remove)) => {
                    changes.removed.push(entry.node);
                    continue;
                }
                Some((_, Touch::Weigh(weight))) => {
                    entry.weight = weight;
                    changes.reweighted += 1;
                }
                Some((_, Touch::Drain(drained))) => entry.drained = drained,
                None => {}
            }
            entry.place = places.next().unwrap_or(entry.place);
            entries.push(entry);
        }
        entries.extend(added);
        self.eligible = entries.iter().filter(|entry| !entry.drained).count();
        self.entries = entries;
        changes
    }
}
