//! Membership: which nodes there are, each with an identity, a weight, and whether it is drained. Every check of a change
//! is here, once, for all strategies.
//!
//! A change goes two steps. A *plan* looks at the wanted change, refuses what is wrong, and yields an [`Edit`] without touching
//! anything; hashing, which may run a caller's code, happens between the two; then `commit` only moves values and cannot fail.
//! So a refused or panicking change leaves everything as it was.

mod iter;
mod restore;
mod verbs;

pub use iter::{Members, Nodes};
pub(crate) use verbs::membership_verbs;

use crate::error::{NodeError, readable};
use crate::key::Key;
use alloc::{boxed::Box, vec::Vec};

/// A node of a strategy, as its membership knows it.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member<'a, N> {
    /// The node.
    pub node: &'a N,
    /// Its weight, 1 or more.
    pub weight: u32,
    /// Whether it is drained: a member still, but the owner of nothing.
    pub drained: bool,
}

impl<N> Clone for Member<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Member<'_, N> {}

/// What [`set_nodes`](crate::HashRing::set_nodes) changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "holds the nodes that were removed"]
pub struct Changes<N> {
    added: usize,
    reweighted: usize,
    removed: Vec<N>,
}

impl<N> Changes<N> {
    /// How many nodes came.
    pub fn added(&self) -> usize {
        self.added
    }

    /// How many nodes left.
    pub fn removed(&self) -> usize {
        self.removed.len()
    }

    /// How many nodes stayed with another weight.
    pub fn reweighted(&self) -> usize {
        self.reweighted
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added == 0 && self.reweighted == 0 && self.removed.is_empty()
    }

    /// The nodes that left, in order of identity.
    pub fn into_removed(self) -> Vec<N> {
        self.removed
    }

    /// The changes of several strategies, as one.
    pub(crate) fn sum(parts: impl IntoIterator<Item = Changes<N>>) -> Self
    where
        N: Key,
    {
        let mut sum = Changes {
            added: 0,
            reweighted: 0,
            removed: Vec::new(),
        };
        for part in parts {
            sum.added += part.added;
            sum.reweighted += part.reweighted;
            sum.removed.extend(part.removed);
        }
        sum.removed
            .sort_by(|a, b| a.key_bytes().as_ref().cmp(b.key_bytes().as_ref()));
        sum
    }
}

/// How many points all members may have together, drained ones too, so that `undrain` cannot fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) virtual_nodes: u32,
    pub(crate) max_points: usize,
}

impl Budget {
    /// For strategies without points: any weights will do, as even 2³² nodes of the greatest weight sum to less than 2⁶⁴.
    pub(crate) const NO_POINTS: Budget = Budget {
        virtual_nodes: 0,
        max_points: 0,
    };
}

/// What other systems allow beyond a budget of points; see `compat`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The greatest weight of one node.
    pub(crate) weight: u32,
    /// The greatest sum of all weights.
    pub(crate) total_weight: u64,
    pub(crate) nodes: usize,
}

impl Limits {
    pub(crate) const NONE: Limits = Limits {
        weight: u32::MAX,
        total_weight: u64::MAX,
        nodes: usize::MAX,
    };
}

/// A member, here and in a snapshot.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Entry<N> {
    /// Kept beside the node, so that a payload whose key changes under us cannot break the order.
    #[cfg_attr(feature = "serde", serde(with = "crate::snapshot::hex::bytes"))]
    pub(crate) identity: Box<[u8]>,
    pub(crate) node: N,
    pub(crate) weight: u32,
    pub(crate) drained: bool,
    /// Orders the members as the caller listed them, lowest first. Our own placements never look at it, those of other
    /// systems must.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) place: u64,
}

impl<N> Entry<N> {
    pub(crate) fn member(&self) -> Member<'_, N> {
        Member {
            node: &self.node,
            weight: self.weight,
            drained: self.drained,
        }
    }
}

/// The members, in order of identity. A node's *rank* is its place in that order; strategies name nodes by rank.
#[derive(Debug, Clone)]
pub(crate) struct NodeSet<N> {
    entries: Vec<Entry<N>>,
    eligible: usize,
    budget: Budget,
    limits: Limits,
}

/// A checked change, ready to be committed.
#[derive(Debug)]
pub(crate) struct Edit<N> {
    /// Newcomers, in order of identity.
    added: Vec<Entry<N>>,
    /// What happens to members, in order of rank, at most once each.
    touched: Vec<(usize, Touch)>,
    /// The places of the members that stay, in order of rank, where a new list gives them.
    places: Option<Vec<u64>>,
}

#[derive(Debug, Clone, Copy)]
enum Touch {
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
    fn touch(rank: usize, touch: Touch) -> Self {
        Edit {
            added: Vec::new(),
            touched: Vec::from([(rank, touch)]),
            places: None,
        }
    }

    fn nothing() -> Self {
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
    pub(crate) const fn new(budget: Budget) -> Self {
        NodeSet {
            entries: Vec::new(),
            eligible: 0,
            budget,
            limits: Limits::NONE,
        }
    }

    #[cfg(feature = "compat")]
    pub(crate) const fn limited(budget: Budget, limits: Limits) -> Self {
        NodeSet {
            entries: Vec::new(),
            eligible: 0,
            budget,
            limits,
        }
    }

    pub(crate) fn budget(&self) -> Budget {
        self.budget
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many members are not drained.
    #[inline]
    pub(crate) fn eligible(&self) -> usize {
        self.eligible
    }

    pub(crate) fn entries(&self) -> &[Entry<N>] {
        &self.entries
    }

    /// The node of this rank.
    #[inline]
    pub(crate) fn node(&self, rank: u32) -> &N {
        &self.entries[rank as usize].node
    }

    pub(crate) fn rank_of(&self, identity: &[u8]) -> Option<usize> {
        self.entries
            .binary_search_by(|entry| (*entry.identity).cmp(identity))
            .ok()
    }

    pub(crate) fn get(&self, identity: &[u8]) -> Option<&Entry<N>> {
        self.rank_of(identity).map(|rank| &self.entries[rank])
    }

    /// The entry of a node that is one of ours, by where it lies: O(1), as 100 nodes take 70 ns to search by identity. `None` for any other node, an equal one too.
    #[inline]
    pub(crate) fn entry_of(&self, node: &N) -> Option<&Entry<N>> {
        let from_start = (&raw const *node as usize).wrapping_sub(self.entries.as_ptr() as usize);
        self.entries
            .get(from_start / size_of::<Entry<N>>())
            .filter(|entry| core::ptr::eq(&raw const entry.node, node))
    }

    fn known(&self, identity: &[u8]) -> Result<(usize, &Entry<N>), NodeError> {
        let rank = self.rank_of(identity).ok_or_else(|| NodeError::Unknown {
            node: readable(identity),
        })?;
        Ok((rank, &self.entries[rank]))
    }

    // ---- plans -------------------------------------------------------------------------------------------------

    pub(crate) fn plan_insert(
        &self,
        nodes: impl IntoIterator<Item = (N, u32)>,
    ) -> Result<Edit<N>, NodeError>
    where
        N: Key,
    {
        let last = self.entries.iter().map(|entry| entry.place).max();
        let added = checked(nodes, last.map_or(0, |last| last + 1))?;
        if let Some(entry) = added
            .iter()
            .find(|entry| self.rank_of(&entry.identity).is_some())
        {
            return Err(NodeError::Duplicate {
                node: readable(&entry.identity),
            });
        }
        self.within_budget(self.total_weight(), self.len(), &added)?;
        Ok(Edit {
            added: in_order(added)?,
            touched: Vec::new(),
            places: None,
        })
    }

    pub(crate) fn plan_set(
        &self,
        nodes: impl IntoIterator<Item = (N, u32)>,
    ) -> Result<Edit<N>, NodeError>
    where
        N: Key,
    {
        let wanted = checked(nodes, 0)?;
        self.within_budget(0, 0, &wanted)?;
        let mut edit = Edit::nothing();
        let mut places = Vec::new();
        let mut wanted = in_order(wanted)?.into_iter().peekable();
        for (rank, entry) in self.entries.iter().enumerate() {
            while let Some(new) = wanted.next_if(|new| new.identity < entry.identity) {
                edit.added.push(new);
            }
            match wanted.next_if(|new| new.identity == entry.identity) {
                None => edit.touched.push((rank, Touch::Remove)),
                Some(same) => {
                    places.push(same.place);
                    if same.weight != entry.weight {
                        edit.touched.push((rank, Touch::Weigh(same.weight)));
                    }
                }
            }
        }
        edit.added.extend(wanted);
        edit.places = Some(places);
        Ok(edit)
    }

    pub(crate) fn plan_remove(&self, identity: &[u8]) -> Edit<N> {
        self.rank_of(identity)
            .map_or_else(Edit::nothing, |rank| Edit::touch(rank, Touch::Remove))
    }

    pub(crate) fn plan_clear(&self) -> Edit<N> {
        Edit {
            added: Vec::new(),
            touched: (0..self.len()).map(|rank| (rank, Touch::Remove)).collect(),
            places: None,
        }
    }

    pub(crate) fn plan_weigh(&self, identity: &[u8], weight: u32) -> Result<Edit<N>, NodeError> {
        let (rank, entry) = self.known(identity)?;
        if weight == 0 {
            return Err(NodeError::ZeroWeight {
                node: readable(identity),
            });
        }
        if weight == entry.weight {
            return Ok(Edit::nothing());
        }
        self.fits(
            self.total_weight() - u64::from(entry.weight),
            identity,
            weight,
        )?;
        Ok(Edit::touch(rank, Touch::Weigh(weight)))
    }

    pub(crate) fn plan_drain(&self, identity: &[u8], drained: bool) -> Result<Edit<N>, NodeError> {
        let (rank, entry) = self.known(identity)?;
        Ok(if entry.drained == drained {
            Edit::nothing()
        } else {
            Edit::touch(rank, Touch::Drain(drained))
        })
    }

    fn total_weight(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| u64::from(entry.weight))
            .sum()
    }

    fn within_budget(
        &self,
        mut weight: u64,
        members: usize,
        newcomers: &[Entry<N>],
    ) -> Result<(), NodeError> {
        let max_nodes = self.limits.nodes;
        if let Some(entry) = newcomers.get(max_nodes.saturating_sub(members)) {
            return Err(NodeError::TooManyNodes {
                node: readable(&entry.identity),
                max_nodes,
            });
        }
        for entry in newcomers {
            weight = self.fits(weight, &entry.identity, entry.weight)?;
        }
        Ok(())
    }

    /// Adds `weight` to `others`, if the points of both fit the budget.
    fn fits(&self, others: u64, identity: &[u8], weight: u32) -> Result<u64, NodeError> {
        let total = others + u64::from(weight);
        let (max_weight, max_total) = (self.limits.weight, self.limits.total_weight);
        if weight > max_weight {
            return Err(NodeError::WeightTooGreat {
                node: readable(identity),
                weight,
                max_weight,
            });
        }
        if total > max_total {
            return Err(NodeError::TotalWeightTooGreat {
                node: readable(identity),
                total,
                max_total,
            });
        }
        let Budget {
            virtual_nodes,
            max_points,
        } = self.budget;
        let points = u128::from(total) * u128::from(virtual_nodes);
        if points > max_points as u128 {
            return Err(NodeError::TooManyPoints {
                node: readable(identity),
                weight,
                points,
                max_points,
            });
        }
        Ok(total)
    }

    // ---- what an edit leads to ---------------------------------------------------------------------------------

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

    /// Exchanges a member's payload.
    pub(crate) fn replace(&mut self, node: N) -> Result<N, NodeError>
    where
        N: Key,
    {
        let rank = self.known(node.key_bytes().as_ref())?.0;
        Ok(core::mem::replace(&mut self.entries[rank].node, node))
    }
}

fn check(identity: &[u8], weight: u32) -> Result<(), NodeError> {
    if identity.is_empty() {
        return Err(NodeError::EmptyIdentity);
    }
    if weight == 0 {
        return Err(NodeError::ZeroWeight {
            node: readable(identity),
        });
    }
    Ok(())
}

/// Newcomers, placed from `first` on, with the checks that concern each alone.
fn checked<N: Key>(
    nodes: impl IntoIterator<Item = (N, u32)>,
    first: u64,
) -> Result<Vec<Entry<N>>, NodeError> {
    nodes
        .into_iter()
        .zip(first..)
        .map(|((node, weight), place)| {
            let identity: Box<[u8]> = node.key_bytes().as_ref().into();
            check(&identity, weight)?;
            Ok(Entry {
                identity,
                node,
                weight,
                drained: false,
                place,
            })
        })
        .collect()
}

/// Newcomers by identity, none twice.
fn in_order<N>(mut entries: Vec<Entry<N>>) -> Result<Vec<Entry<N>>, NodeError> {
    entries.sort_by(|a, b| a.identity.cmp(&b.identity));
    match entries
        .windows(2)
        .find(|pair| pair[0].identity == pair[1].identity)
    {
        Some(pair) => Err(NodeError::Duplicate {
            node: readable(&pair[0].identity),
        }),
        None => Ok(entries),
    }
}

#[cfg(test)]
mod tests;
