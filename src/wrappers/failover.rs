//! [`Failover`]: priority groups.

use super::with_identity;
use crate::error::{NodeError, readable};
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Changes, Edit, Member};
use crate::strategy::{
    Membership, Strategy, inspecting_verbs, managing_verbs, picking_verbs, routing_verbs,
};
use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};

/// Priority groups: the nodes of the first group in its order, then those of the second, and so on.
///
/// The next group serves only if the one before has no node that is eligible and accepted: all of
/// them are drained, removed, [filtered](crate::Filtered) out or refused by the caller.
///
/// - **A node belongs to the first group that has it.** Later groups pass it over, even while it is
///   drained in the first.
/// - A key has one token, that of the first group's hasher ([`Xxh3`] if there is no group), and
///   each group orders its nodes by it. So a group with another hasher answers as its `route_token`
///   does, not as it would hash the key alone.
/// - When members change, a listed node stays in its group and **a new node joins the first**. To
///   add it to another group, change that group through [`groups_mut`](Failover::groups_mut).
///
/// # Examples
///
/// ```
/// use clockwise::{Failover, HashRing};
///
/// let here = HashRing::from_nodes(["eu-1", "eu-2"])?;
/// let there = HashRing::from_nodes(["us-1", "us-2"])?;
/// let mut groups = Failover::new(vec![here, there]);
/// assert!(groups.route("user:42").unwrap().starts_with("eu"));
///
/// groups.drain("eu-1")?;
/// assert_eq!(groups.route("user:42"), Some(&"eu-2"));
/// groups.drain("eu-2")?;
/// assert!(groups.route("user:42").unwrap().starts_with("us"));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Failover<S> {
    groups: Vec<S>,
}

impl<S> Failover<S> {
    /// Creates a strategy of these groups, the first one the most preferred.
    pub const fn new(groups: Vec<S>) -> Self {
        Failover { groups }
    }

    /// Returns the groups, the most preferred first.
    pub fn groups(&self) -> &[S] {
        &self.groups
    }

    /// Returns a mutable reference to the groups, to change their members or to add, replace or
    /// remove groups.
    pub const fn groups_mut(&mut self) -> &mut Vec<S> {
        &mut self.groups
    }
}

routing_verbs!(impl[S: Strategy] Failover<S>, S::Node);
picking_verbs!(impl[S: Strategy] Failover<S>, S::Node);
managing_verbs!(
    impl[S: Membership] Failover<S>, S::Node,
    via crate::strategy::Lists, crate::Manage,
    ", [`NodeError::NoGroup`](crate::NodeError::NoGroup), or a limit of the group"
);
inspecting_verbs!(impl[S: Strategy] Failover<S>, S::Node);

impl<S: Strategy> Failover<S> {
    /// Returns the first group that has a member with this identity.
    fn home(&self, id: &[u8]) -> Option<usize> {
        self.groups
            .iter()
            .position(|group| group.member(id).is_some())
    }

    /// Returns `true` if this node of that group is a member of an earlier group too.
    fn is_taken(&self, group: usize, node: &S::Node) -> bool {
        let (earlier, rest) = self.groups.split_at(group);
        !earlier.is_empty()
            && with_identity(&rest[0], node, |id| {
                earlier.iter().any(|group| group.member(id).is_some())
            })
    }
}

impl<S: Strategy> Strategy for Failover<S> {
    type Node = S::Node;

    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        self.groups.iter().enumerate().find_map(|(i, group)| {
            group.pick(token, &mut |node| !self.is_taken(i, node) && accept(node))
        })
    }

    fn token_of(&self, key: &[u8]) -> Token {
        match self.groups.first() {
            Some(first) => first.token_of(key),
            None => Token::new(Xxh3::new().hash_bytes(key)),
        }
    }

    fn route_token(&self, token: Token) -> Option<&S::Node> {
        self.groups.iter().enumerate().find_map(|(i, group)| {
            let node = group.route_token(token)?;
            if self.is_taken(i, node) {
                group.pick(token, &mut |node| !self.is_taken(i, node))
            } else {
                Some(node)
            }
        })
    }

    fn admits(&self, node: &S::Node) -> bool {
        let id = self.identity_of(node);
        let home = match id {
            Some(id) => self.home(id),
            None => self.home(node.key_bytes().as_ref()),
        };
        home.is_none_or(|group| self.groups[group].admits(node))
    }

    fn is_filtered(&self) -> bool {
        self.groups.iter().any(Strategy::is_filtered)
    }

    fn weight_of(&self, node: &S::Node) -> Option<u32> {
        self.groups.iter().find_map(|group| group.weight_of(node))
    }

    fn identity_of(&self, node: &S::Node) -> Option<&[u8]> {
        self.groups.iter().find_map(|group| group.identity_of(node))
    }

    fn member(&self, id: &[u8]) -> Option<Member<'_, S::Node>> {
        self.groups.iter().find_map(|group| group.member(id))
    }

    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, S::Node>)) {
        let mut members = Vec::new();
        for (i, group) in self.groups.iter().enumerate() {
            group.for_each_member(&mut |member| {
                let earlier = &self.groups[..i];
                if !earlier
                    .iter()
                    .any(|group| group.member(member.id).is_some())
                {
                    members.push(member);
                }
            });
        }
        members.sort_by(|a, b| a.id.cmp(b.id));
        members.into_iter().for_each(f);
    }
}

impl<S: Membership> Failover<S> {
    /// Returns the groups that each edit belongs to, as the edits before it leave the groups: a
    /// removal to all that have the node, any other edit to the first.
    fn homes(&self, edits: &[&Edit<S::Node>]) -> Result<Vec<Vec<usize>>, NodeError> {
        let having = |id: &[u8]| -> Vec<usize> {
            let groups = 0..self.groups.len();
            groups
                .filter(|&group| self.groups[group].member(id).is_some())
                .collect()
        };
        let mut now: BTreeMap<Box<[u8]>, Vec<usize>> = BTreeMap::new();
        let homes = |edit: &&Edit<S::Node>| {
            edit.with_id(|id| {
                let having = now.entry(id.into()).or_insert_with(|| having(id));
                match (edit, having.first().copied()) {
                    (Edit::Insert { .. }, None) if self.groups.is_empty() => {
                        Err(NodeError::NoGroup { node: readable(id) })
                    }
                    (Edit::Insert { .. }, None) => {
                        having.push(0);
                        Ok(vec![0])
                    }
                    (_, None) => Err(NodeError::unknown(id)),
                    (Edit::Remove { .. }, Some(_)) => Ok(core::mem::take(having)),
                    (_, Some(first)) => Ok(vec![first]),
                }
            })
        };
        edits.iter().map(homes).collect()
    }
}

/// All or nothing: every group checks its part before the first one changes.
impl<S: Membership> Membership for Failover<S> {
    fn apply(&mut self, edits: Vec<Edit<S::Node>>) -> Result<Changes<S::Node>, NodeError> {
        let views: Vec<_> = edits.iter().collect();
        self.check(&views)?;
        let homes = self.homes(&views)?;
        let mut parts: Vec<Vec<_>> = self.groups.iter().map(|_| Vec::new()).collect();
        for (edit, homes) in edits.into_iter().zip(homes) {
            if let Edit::Remove { id } = &edit {
                for &group in homes.iter().skip(1) {
                    parts[group].push(Edit::Remove { id: id.clone() });
                }
            }
            parts[homes[0]].push(edit);
        }
        let mut changes = Changes::none();
        for (group, part) in self.groups.iter_mut().zip(parts) {
            if !part.is_empty() {
                changes.add(group.apply(part)?);
            }
        }
        Ok(changes)
    }

    fn check(&self, edits: &[&Edit<S::Node>]) -> Result<(), NodeError> {
        let homes = self.homes(edits)?;
        for (i, group) in self.groups.iter().enumerate() {
            let here = edits.iter().zip(&homes);
            let here = here.filter(|(_, homes)| homes.contains(&i));
            let part: Vec<_> = here.map(|(edit, _)| *edit).collect();
            if !part.is_empty() {
                group.check(&part)?;
            }
        }
        Ok(())
    }

    fn member_mut(&mut self, id: &[u8]) -> Option<&mut S::Node> {
        let home = self.home(id)?;
        self.groups[home].member_mut(id)
    }
}
