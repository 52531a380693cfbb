//! A checked change: what it leads to, and carrying it out.

use super::changes::{Changes, Counts};
use super::{Entry, NodeSet};
use alloc::vec::Vec;

/// A checked change of the members, ready to be committed.
#[derive(Debug)]
pub(crate) struct Draft<N> {
    /// Newcomers, in order of identity.
    pub(super) added: Vec<Entry<N>>,
    /// What happens to members, in order of rank, at most once each.
    pub(super) touched: Vec<(usize, Touch<N>)>,
    /// The places of the members that stay, in order of rank, if a new list gives them.
    pub(super) places: Option<Vec<u64>>,
    /// Nodes that were inserted and left again on the way.
    pub(super) passed: Vec<N>,
    /// Payloads that were replaced more than once on the way.
    pub(super) exchanged: Vec<N>,
}

/// What becomes of a member.
#[derive(Debug)]
pub(super) enum Touch<N> {
    Remove,
    Keep(Kept<N>),
}

/// A member that stays.
#[derive(Debug)]
pub(super) struct Kept<N> {
    pub(super) weight: u32,
    pub(super) drained: bool,
    pub(super) place: u64,
    /// The new payload. `left` tells whether the old one was removed before or replaced.
    pub(super) node: Option<N>,
    pub(super) left: bool,
}

/// A member as it will be once a draft is committed.
#[derive(Debug)]
pub(crate) struct Planned<'a> {
    pub(crate) identity: &'a [u8],
    pub(crate) weight: u32,
    pub(crate) drained: bool,
    /// Its rank before, if it is a member already.
    pub(crate) before: Option<usize>,
    /// Orders the members as the caller listed them.
    // Only `compat` reads it.
    #[cfg_attr(not(feature = "compat"), allow(dead_code))]
    pub(crate) place: u64,
    /// `true` if it is new, has another weight, or is drained or undrained.
    pub(crate) changed: bool,
}

impl Planned<'_> {
    /// Returns its rank before, if all that decides what it owns stays the same.
    pub(crate) fn unchanged(&self) -> Option<usize> {
        self.before.filter(|_| !self.changed)
    }

    /// Returns the weight that it takes part with: none while it is drained.
    #[cfg(target_has_atomic = "ptr")]
    pub(crate) fn active_weight(&self) -> u32 {
        if self.drained { 0 } else { self.weight }
    }
}

impl<N> Draft<N> {
    pub(super) const fn nothing() -> Self {
        Draft {
            added: Vec::new(),
            touched: Vec::new(),
            places: None,
            passed: Vec::new(),
            exchanged: Vec::new(),
        }
    }

    /// Returns `true` if no owner of a key can change.
    pub(crate) fn moves_nothing(&self, nodes: &NodeSet<N>) -> bool {
        self.added.is_empty()
            && self.touched.iter().all(|(rank, touch)| match touch {
                Touch::Remove => false,
                Touch::Keep(kept) => {
                    let entry = &nodes.entries[*rank];
                    kept.weight == entry.weight && kept.drained == entry.drained
                }
            })
    }

    /// Returns the newcomers, in order of identity.
    pub(crate) fn added(&self) -> &[Entry<N>] {
        &self.added
    }
}

impl<N> NodeSet<N> {
    /// Returns the members as they will be, in order of rank.
    pub(crate) fn preview<'a>(&'a self, draft: &'a Draft<N>) -> impl Iterator<Item = Planned<'a>> {
        let mut added = draft.added.iter().peekable();
        let mut touched = draft.touched.iter().peekable();
        let mut places = draft.places.iter().flatten();
        let mut present = self
            .entries
            .iter()
            .enumerate()
            .filter_map(move |(rank, entry)| {
                let (mut weight, mut drained, mut place) =
                    (entry.weight, entry.drained, entry.place);
                match touched.next_if(|(touched, _)| *touched == rank) {
                    Some((_, Touch::Remove)) => return None,
                    Some((_, Touch::Keep(kept))) => {
                        (weight, drained, place) = (kept.weight, kept.drained, kept.place);
                    }
                    None => {}
                }
                Some(Planned {
                    identity: &entry.identity,
                    weight,
                    drained,
                    before: Some(rank),
                    place: places.next().copied().unwrap_or(place),
                    changed: weight != entry.weight || drained != entry.drained,
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

    /// Carries out a draft that was planned on these members.
    pub(crate) fn commit(&mut self, draft: Draft<N>) -> Changes<N> {
        let mut counts = Counts {
            added: draft.added.len(),
            ..Counts::default()
        };
        let (mut removed, mut replaced) = (draft.passed, draft.exchanged);
        let (passed, exchanged) = (removed.len(), replaced.len());
        let mut entries = Vec::with_capacity(self.entries.len() + draft.added.len());
        let mut added = draft.added.into_iter().peekable();
        let mut touched = draft.touched.into_iter().peekable();
        let mut places = draft.places.into_iter().flatten();
        for (rank, mut entry) in core::mem::take(&mut self.entries).into_iter().enumerate() {
            while let Some(new) = added.next_if(|new| new.identity < entry.identity) {
                entries.push(new);
            }
            match touched.next_if(|(touched, _)| *touched == rank) {
                Some((_, Touch::Remove)) => {
                    counts.removed += 1;
                    removed.push(entry.node);
                    continue;
                }
                Some((_, Touch::Keep(kept))) => {
                    counts.reweighted += usize::from(kept.weight != entry.weight);
                    counts.drained += usize::from(kept.drained && !entry.drained);
                    counts.undrained += usize::from(!kept.drained && entry.drained);
                    (entry.weight, entry.drained, entry.place) =
                        (kept.weight, kept.drained, kept.place);
                    if let Some(node) = kept.node {
                        counts.replaced += 1;
                        let old = core::mem::replace(&mut entry.node, node);
                        if kept.left {
                            &mut removed
                        } else {
                            &mut replaced
                        }
                        .push(old);
                    }
                }
                None => {}
            }
            entry.place = places.next().unwrap_or(entry.place);
            entries.push(entry);
        }
        entries.extend(added);
        // Those that left on the way are last.
        removed.rotate_left(passed);
        replaced.rotate_left(exchanged);
        self.eligible = entries.iter().filter(|entry| !entry.drained).count();
        self.entries = entries;
        Changes {
            counts,
            removed,
            replaced,
        }
    }
}
