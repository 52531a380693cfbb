//! [`Failover`]: priority groups.

use crate::error::{NodeError, readable};
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Changes, Member};
use crate::strategy::{Membership, Strategy};
use alloc::vec::Vec;

/// Priority groups: the nodes of the first group in its order, then those of the second in its own, and so on.
///
/// So the next group serves only where the one before has no node that is eligible and accepted: all of them drained, removed,
/// [filtered](crate::Filtered) out or refused by the caller.
///
/// - **A node belongs to the first group that has it.** In later groups it is passed over, even while it is drained in the first.
/// - A key has one token, that of the first group's hasher ([`Xxh3`] where there is no group), and each group orders its nodes by it. A group with
///   another hasher thus answers by this token, as `route_token` on it would, not as it would hash the key alone.
/// - As a [`Membership`], a listed node stays in its group and **a newcomer joins the first**. To say which group it joins, change
///   the group through [`groups_mut`](Failover::groups_mut).
///
/// ```
/// use clockwise::{Failover, HashRing, Membership, Route};
///
/// let here = HashRing::from_nodes(["eu-1", "eu-2"])?;
/// let there = HashRing::from_nodes(["us-1", "us-2"])?;
/// let mut groups = Failover::new(vec![here, there]);
/// assert!(groups.route("user:42").unwrap().starts_with("eu"));
///
/// groups.set_drained(b"eu-1", true)?;
/// assert_eq!(groups.route("user:42"), Some(&"eu-2"));
/// groups.set_drained(b"eu-2", true)?;
/// assert!(groups.route("user:42").unwrap().starts_with("us"));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Failover<S> {
    groups: Vec<S>,
}

impl<S> Failover<S> {
    /// `groups`, the first one the most preferred.
    pub const fn new(groups: Vec<S>) -> Self {
        Failover { groups }
    }

    /// The groups, the most preferred first.
    pub fn groups(&self) -> &[S] {
        &self.groups
    }

    /// The groups, to change their members, to exchange them, or to make them more or fewer.
    pub const fn groups_mut(&mut self) -> &mut Vec<S> {
        &mut self.groups
    }

    /// The first group that has a member with this identity.
    fn home<N>(&self, id: &[u8]) -> Option<usize>
    where
        S: Strategy<N>,
    {
        self.groups
            .iter()
            .position(|group| group.member(id).is_some())
    }

    /// Whether this node, of that group, is also one of an earlier group.
    fn is_taken<N: Key>(&self, group: usize, node: &N) -> bool
    where
        S: Strategy<N>,
    {
        let id = node.key_bytes();
        self.groups[..group]
            .iter()
            .any(|earlier| earlier.member(id.as_ref()).is_some())
    }
}

impl<N: Key, S: Strategy<N>> Strategy<N> for Failover<S> {
    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
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

    fn route_token(&self, token: Token) -> Option<&N> {
        self.groups.iter().enumerate().find_map(|(i, group)| {
            let node = group.route_token(token)?;
            if self.is_taken(i, node) {
                group.pick(token, &mut |node| !self.is_taken(i, node))
            } else {
                Some(node)
            }
        })
    }

    fn admits(&self, node: &N) -> bool {
        self.home(node.key_bytes().as_ref())
            .is_none_or(|group| self.groups[group].admits(node))
    }

    fn weight_of(&self, node: &N) -> Option<u32> {
        self.groups.iter().find_map(|group| group.weight_of(node))
    }

    fn member(&self, id: &[u8]) -> Option<Member<'_, N>> {
        self.groups.iter().find_map(|group| group.member(id))
    }

    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, N>)) {
        let mut members = Vec::new();
        for (i, group) in self.groups.iter().enumerate() {
            group.for_each_member(&mut |member| {
                if !self.is_taken(i, member.node) {
                    members.push(member);
                }
            });
        }
        members.sort_by(|a, b| order(a.node, b.node));
        members.into_iter().for_each(f);
    }
}

fn order<N: Key>(a: &N, b: &N) -> core::cmp::Ordering {
    a.key_bytes().as_ref().cmp(b.key_bytes().as_ref())
}

/// Works on a copy of the groups, so that a list that the last one refuses has changed none.
impl<N: Key, S: Membership<N> + Clone> Membership<N> for Failover<S> {
    fn set_members(&mut self, all: Vec<(N, u32)>) -> Result<Changes<N>, NodeError> {
        let mut groups = self.groups.clone();
        let mut lists: Vec<Vec<(N, u32)>> = groups.iter().map(|_| Vec::new()).collect();
        for (node, weight) in all {
            let home = self.home(node.key_bytes().as_ref()).unwrap_or(0);
            match lists.get_mut(home) {
                Some(list) => list.push((node, weight)),
                None => {
                    return Err(NodeError::NoGroup {
                        node: readable(node.key_bytes().as_ref()),
                    });
                }
            }
        }
        let changes: Result<Vec<_>, _> = groups
            .iter_mut()
            .zip(lists)
            .map(|(group, list)| group.set_members(list))
            .collect();
        let changes = Changes::sum(changes?);
        self.groups = groups;
        Ok(changes)
    }

    fn set_drained(&mut self, id: &[u8], drained: bool) -> Result<(), NodeError> {
        match self.home(id) {
            Some(group) => self.groups[group].set_drained(id, drained),
            None => Err(NodeError::Unknown { node: readable(id) }),
        }
    }
}
