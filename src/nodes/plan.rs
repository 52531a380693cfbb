//! Every check of a change, once, for all strategies: from what is wanted to a [`Draft`], or the
//! error that names the offender.

use super::draft::{Draft, Kept, Touch};
use super::{Budget, Edit, Entry, NodeSet};
use crate::error::{NodeError, readable};
use crate::key::Key;
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

/// The members after some edits, as far as these touched them. `P` is a node, or a reference to one
/// if the edits are only checked.
struct Overlay<'a, N, P> {
    nodes: &'a NodeSet<N>,
    /// [`Key::take_over`] from a present node.
    take_over: fn(&mut P, &N),
    seats: BTreeMap<Box<[u8]>, Seat<P>>,
    draft: Draft<P>,
    /// `true` if these are the nodes of one list, rather than edits one after another.
    is_list: bool,
    members: usize,
    total_weight: u64,
    next_place: u64,
}

/// An identity that an edit named.
struct Seat<P> {
    /// Its rank before all edits, if it was a member.
    rank: Option<usize>,
    /// How it is a member now, if it is.
    now: Option<Kept<P>>,
}

impl<'a, N, P: Key> Overlay<'a, N, P> {
    fn new(nodes: &'a NodeSet<N>, take_over: fn(&mut P, &N)) -> Self {
        let last = nodes.entries.iter().map(|entry| entry.place).max();
        Overlay {
            nodes,
            take_over,
            seats: BTreeMap::new(),
            draft: Draft::nothing(),
            is_list: false,
            members: nodes.len(),
            total_weight: nodes.total_weight(),
            next_place: last.map_or(0, |last| last + 1),
        }
    }

    /// Returns the seat of this identity, looked up at its first use.
    fn seat(&mut self, id: Box<[u8]>) -> &mut Seat<P> {
        let nodes = self.nodes;
        self.seats.entry(id).or_insert_with_key(|id| {
            let rank = nodes.rank_of(id);
            Seat {
                rank,
                now: rank.map(|rank| nodes.entries[rank].kept()),
            }
        })
    }

    fn member(&mut self, id: &[u8]) -> Result<&mut Kept<P>, NodeError> {
        let seat = self.seat(id.into());
        seat.now.as_mut().ok_or_else(|| NodeError::unknown(id))
    }

    fn insert(&mut self, node: P, weight: u32) -> Result<(), NodeError> {
        let id: Box<[u8]> = node.key_bytes().as_ref().into();
        check(&id, weight)?;
        if self.seat(id.clone()).now.is_some() {
            let is_new = self.nodes.rank_of(&id).is_none();
            return Err(NodeError::duplicate(&id, self.is_list && is_new));
        }
        self.nodes.fits_count(self.members, &id)?;
        self.total_weight = self.nodes.fits(self.total_weight, &id, weight)?;
        self.members += 1;
        let place = self.next_place;
        self.next_place += 1;
        let seat = self.seat(id);
        seat.now = Some(Kept {
            weight,
            drained: false,
            place,
            node: Some(node),
            left: true,
        });
        Ok(())
    }

    fn apply(&mut self, edit: Edit<P>) -> Result<(), NodeError> {
        match edit {
            Edit::Insert { node, weight } => self.insert(node, weight)?,
            Edit::Remove { id } => {
                let weight = self.member(&id)?.weight;
                self.total_weight -= u64::from(weight);
                self.members -= 1;
                if let Some(gone) = self.seat(id).now.take() {
                    self.draft.passed.extend(gone.node);
                }
            }
            Edit::SetWeight { id, weight } => {
                let before = self.member(&id)?.weight;
                check(&id, weight)?;
                let others = self.total_weight - u64::from(before);
                self.total_weight = self.nodes.fits(others, &id, weight)?;
                self.member(&id)?.weight = weight;
            }
            Edit::Drain { id } => self.member(&id)?.drained = true,
            Edit::Undrain { id } => self.member(&id)?.drained = false,
            Edit::Replace { mut node } => {
                let id: Box<[u8]> = node.key_bytes().as_ref().into();
                let (nodes, take_over) = (self.nodes, self.take_over);
                let kept = self.member(&id)?;
                match kept.node.take() {
                    Some(present) => {
                        node.take_over(&present);
                        kept.node = Some(node);
                        self.draft.exchanged.push(present);
                    }
                    None => {
                        if let Some(entry) = nodes.get(&id) {
                            take_over(&mut node, &entry.node);
                        }
                        kept.node = Some(node);
                    }
                }
            }
        }
        Ok(())
    }

    fn into_draft(self) -> Draft<P> {
        let Overlay {
            nodes,
            take_over,
            seats,
            mut draft,
            ..
        } = self;
        for (identity, Seat { rank, now }) in seats {
            match (rank, now) {
                (Some(rank), None) => draft.touched.push((rank, Touch::Remove)),
                (Some(rank), Some(mut kept)) => {
                    let entry = &nodes.entries[rank];
                    if let (true, Some(node)) = (kept.left, &mut kept.node) {
                        // It was removed and inserted again, so it never left.
                        take_over(node, &entry.node);
                    }
                    draft.touched.push((rank, Touch::Keep(kept)));
                }
                (None, Some(kept)) => draft.added.extend(kept.node.map(|node| Entry {
                    identity,
                    node,
                    weight: kept.weight,
                    drained: kept.drained,
                    place: kept.place,
                })),
                (None, None) => {}
            }
        }
        draft
    }
}

impl<N> NodeSet<N> {
    /// Plans edits, in order. Each is checked against the members as the ones before leave them.
    pub(crate) fn plan(
        &self,
        edits: impl IntoIterator<Item = Edit<N>>,
    ) -> Result<Draft<N>, NodeError>
    where
        N: Key,
    {
        let mut overlay = Overlay::new(self, N::take_over);
        for edit in edits {
            overlay.apply(edit)?;
        }
        Ok(overlay.into_draft())
    }

    /// Plans to add all nodes of a list.
    pub(crate) fn plan_list(
        &self,
        nodes: impl IntoIterator<Item = (N, u32)>,
    ) -> Result<Draft<N>, NodeError>
    where
        N: Key,
    {
        let mut overlay = Overlay::new(self, N::take_over);
        overlay.is_list = true;
        for (node, weight) in nodes {
            overlay.insert(node, weight)?;
        }
        Ok(overlay.into_draft())
    }

    /// Checks edits as [`plan`](NodeSet::plan) does.
    pub(crate) fn check(&self, edits: &[&Edit<N>]) -> Result<(), NodeError>
    where
        N: Key,
    {
        let mut overlay = Overlay::new(self, |_: &mut &N, _| {});
        let mut edits = edits.iter();
        edits.try_for_each(|edit| overlay.apply(edit.as_ref()))
    }

    /// Plans that `nodes` become the members. Also returns the listed nodes that are members
    /// already, each with its identity and after it has taken over from the present node.
    #[allow(clippy::type_complexity, reason = "a draft, and what is left to merge")]
    pub(crate) fn plan_set(
        &self,
        nodes: impl IntoIterator<Item = (N, u32)>,
    ) -> Result<(Draft<N>, Vec<(Box<[u8]>, N)>), NodeError>
    where
        N: Key,
    {
        let (mut wanted, mut total_weight) = (Vec::new(), 0);
        for (place, (node, weight)) in (0..).zip(nodes) {
            let identity: Box<[u8]> = node.key_bytes().as_ref().into();
            check(&identity, weight)?;
            self.fits_count(wanted.len(), &identity)?;
            total_weight = self.fits(total_weight, &identity, weight)?;
            wanted.push(Entry {
                identity,
                node,
                weight,
                drained: false,
                place,
            });
        }
        let (mut draft, mut present) = (Draft::nothing(), Vec::new());
        let mut places = Vec::new();
        let mut wanted = in_order(wanted)?.into_iter().peekable();
        for (rank, entry) in self.entries.iter().enumerate() {
            while let Some(new) = wanted.next_if(|new| new.identity < entry.identity) {
                draft.added.push(new);
            }
            match wanted.next_if(|new| new.identity == entry.identity) {
                None => draft.touched.push((rank, Touch::Remove)),
                Some(mut same) => {
                    places.push(same.place);
                    if same.weight != entry.weight {
                        let kept = Kept {
                            weight: same.weight,
                            ..entry.kept()
                        };
                        draft.touched.push((rank, Touch::Keep(kept)));
                    }
                    same.node.take_over(&entry.node);
                    present.push((same.identity, same.node));
                }
            }
        }
        draft.added.extend(wanted);
        draft.places = Some(places);
        Ok((draft, present))
    }

    /// Plans to remove the members for which `leaves` returns `true`.
    pub(crate) fn plan_removal(&self, mut leaves: impl FnMut(&Entry<N>) -> bool) -> Draft<N> {
        let entries = self.entries.iter().enumerate();
        let leaving = entries.filter(|(_, entry)| leaves(entry));
        Draft {
            touched: leaving.map(|(rank, _)| (rank, Touch::Remove)).collect(),
            ..Draft::nothing()
        }
    }

    /// Plans to drain or restore the members for which `which` returns `true`. It is asked about
    /// those alone that this changes.
    pub(crate) fn plan_drain(&self, drained: bool, mut which: impl FnMut(&N) -> bool) -> Draft<N> {
        let entries = self.entries.iter().enumerate();
        let changing = entries.filter(|(_, entry)| entry.drained != drained && which(&entry.node));
        let kept = |entry: &Entry<N>| Kept {
            drained,
            ..entry.kept()
        };
        Draft {
            touched: changing
                .map(|(rank, entry)| (rank, Touch::Keep(kept(entry))))
                .collect(),
            ..Draft::nothing()
        }
    }

    /// Plans the members of another set into this one, which is empty. Drained ones stay drained.
    pub(crate) fn plan_restore(&self, entries: Vec<Entry<N>>) -> Result<Draft<N>, NodeError> {
        let mut total_weight = 0;
        for (members, entry) in entries.iter().enumerate() {
            check(&entry.identity, entry.weight)?;
            self.fits_count(members, &entry.identity)?;
            total_weight = self.fits(total_weight, &entry.identity, entry.weight)?;
        }
        Ok(Draft {
            added: in_order(entries)?,
            ..Draft::nothing()
        })
    }

    fn total_weight(&self) -> u64 {
        let weights = self.entries.iter().map(|entry| u64::from(entry.weight));
        weights.sum()
    }

    /// Checks that one more than `members` may be members.
    fn fits_count(&self, members: usize, identity: &[u8]) -> Result<(), NodeError> {
        let max = self.limits.nodes;
        if members < max {
            return Ok(());
        }
        let value = members as u64 + 1;
        Err(over("number of nodes", identity, value, max as u64))
    }

    /// Adds `weight` to `others`, if the points of both fit the budget.
    fn fits(&self, others: u64, identity: &[u8], weight: u32) -> Result<u64, NodeError> {
        let total = others + u64::from(weight);
        let (max_weight, max_total) = (self.limits.weight, self.limits.total_weight);
        if weight > max_weight {
            return Err(over("weight", identity, weight.into(), max_weight.into()));
        }
        if total > max_total {
            return Err(over("total weight", identity, total, max_total));
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
}

impl<N> Entry<N> {
    fn kept<P>(&self) -> Kept<P> {
        Kept {
            weight: self.weight,
            drained: self.drained,
            place: self.place,
            node: None,
            left: false,
        }
    }
}

fn over(limit: &'static str, identity: &[u8], value: u64, max: u64) -> NodeError {
    NodeError::OverLimit {
        node: readable(identity),
        limit,
        value,
        max,
    }
}

fn check(identity: &[u8], weight: u32) -> Result<(), NodeError> {
    if identity.is_empty() {
        return Err(NodeError::EmptyIdentity);
    }
    if weight == 0 {
        return Err(NodeError::zero_weight(identity));
    }
    Ok(())
}

/// Sorts newcomers by identity and checks that none is listed twice.
fn in_order<N>(mut entries: Vec<Entry<N>>) -> Result<Vec<Entry<N>>, NodeError> {
    entries.sort_by(|a, b| a.identity.cmp(&b.identity));
    match entries
        .windows(2)
        .find(|pair| pair[0].identity == pair[1].identity)
    {
        Some(pair) => Err(NodeError::duplicate(&pair[0].identity, true)),
        None => Ok(entries),
    }
}
