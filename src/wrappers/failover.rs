//! [`Failover`]: priority groups.

mod overprovision;

use super::with_identity;
use crate::error::{ConfigError, NodeError, readable};
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Changes, Edit, Member};
use crate::strategy::{
    Membership, Strategy, inspecting_verbs, managing_verbs, picking_verbs, routing_verbs,
};
use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};
use overprovision::{Overprovision, Weights};

/// A strategy of priority groups: the nodes of the first group in its order, then those of the
/// second, and so on.
///
/// The next group serves only if the one before has no node that is eligible and accepted: all of
/// them are drained, removed, [filtered](crate::Filtered) out or refused by the caller. With
/// [`overprovision`](Failover::overprovision) it serves a fraction of the keys before that.
///
/// - **A node belongs to the first group that has it.** Later groups pass it over, even while it is
///   drained in the first.
/// - A key has one token, that of the first group's hasher ([`Xxh3`] if there is no group), and
///   each group orders its nodes by it. So a group with another hasher answers as its `route_token`
///   does, not as it would hash the key alone.
/// - When members change, a listed node stays in its group and **a new node joins the first**. The
///   order of the list is ignored, also by groups for which it counts. To
///   add it to another group, change that group through [`groups_mut`](Failover::groups_mut).
/// - A removed node leaves every group that has it. `Changes` then counts it, and returns a
///   payload, for each of these groups.
/// - A change that is refused changes no group. If a hasher or a node's key panics during a change,
///   the groups before that one have changed. An update of a [`Shared`](crate::Shared) undoes them.
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
    overprovision: Option<Overprovision>,
}

impl<S> Failover<S> {
    /// Creates a strategy of these groups, the first one the most preferred.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Failover, HashRing};
    ///
    /// let near = HashRing::from_nodes(["eu-1"])?;
    /// let far = HashRing::from_nodes(["us-1"])?;
    /// let groups = Failover::new(vec![near, far]);
    /// assert_eq!(groups.route("user:42"), Some(&"eu-1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new(groups: Vec<S>) -> Self {
        Failover {
            groups,
            overprovision: None,
        }
    }

    /// Sends a fraction of the keys to the next group as soon as the healthy part of a group times
    /// `factor` is less than 1.
    ///
    /// Without this, the last healthy node of a group receives all its traffic, and so does the
    /// first one that recovers. With a factor of 1.4, a group of ten equal nodes keeps all its
    /// keys while eight are healthy, 98 % with seven, 70 % with five, 14 % with one.
    ///
    /// A group's health is the weight of its members that are eligible and pass the filters inside,
    /// divided by the weight of all its members. Each key has one home group:
    ///
    /// - A group is home to the fraction `factor` × health of all keys, at most as many as the
    ///   groups before it leave. If all groups together have less than 1, the fractions are scaled
    ///   up to it. If no group has a healthy node, the order is that of priority.
    /// - **The choice is consistent**: it depends on the key, the factor and the groups' health
    ///   alone, and is specified like the placements. A key with a home in another group than the
    ///   first returns when that recovers, at the same health at which it left.
    /// - While the groups together have 1 or more, losing a node never moves a key into its group
    ///   or into an earlier one. Below that, scaling moves some keys between all groups.
    /// - A key is offered the nodes of its home group, then of the groups after it, then of the
    ///   groups before it. Replicas are the first n of these.
    ///
    /// A node that a caller's `accept` refuses is not unhealthy: only drained members and
    /// [filters](crate::Filtered) inside the groups count. **Do not use this for data**, because
    /// sets of replicas move with health. Do not put one overprovisioned `Failover` into another:
    /// both would choose by the same hash of the key.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{Failover, HashRing};
    ///
    /// let here = HashRing::from_nodes((0..10).map(|i| format!("eu-{i}")))?;
    /// let there = HashRing::from_nodes((0..10).map(|i| format!("us-{i}")))?;
    /// let mut groups = Failover::new(vec![here, there]).overprovision(1.4)?;
    /// let local = |groups: &Failover<HashRing<String>>| {
    ///     (0..10_000u32).filter(|key| groups.route(key).unwrap().starts_with("eu")).count()
    /// };
    /// assert_eq!(local(&groups), 10_000);
    /// for i in 0..5 {
    ///     groups.drain(&format!("eu-{i}"))?;
    /// }
    /// assert!((6_800..7_200).contains(&local(&groups))); // 1.4 × 5 of 10
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if `factor` is below 1, infinite or NaN.
    ///
    /// # Performance
    /// Adds one hash of the token to a pick. Health is counted once after each change of the
    /// members, O(N). If there are filters inside, it is counted again for each pick, group by
    /// group until the groups together have 1, because a filter may change its answers at any time.
    /// Without the feature `std` it is always counted for each pick.
    pub fn overprovision(mut self, factor: f64) -> Result<Self, ConfigError> {
        self.overprovision = Some(Overprovision::new(factor)?);
        Ok(self)
    }

    /// Returns the groups, the most preferred first.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Failover, HashRing};
    ///
    /// let near = HashRing::from_nodes(["eu-1"])?;
    /// let far = HashRing::from_nodes(["us-1"])?;
    /// let groups = Failover::new(vec![near, far]);
    /// assert!(groups.groups()[1].contains("us-1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn groups(&self) -> &[S] {
        &self.groups
    }

    /// Returns a mutable reference to the groups, to change their members or to add, replace or
    /// remove groups.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Failover, HashRing};
    ///
    /// let mut groups = Failover::new(vec![HashRing::from_nodes(["eu-1"])?]);
    /// groups.groups_mut().push(HashRing::from_nodes(["us-1"])?);
    /// groups.drain("eu-1")?;
    /// assert_eq!(groups.route("user:42"), Some(&"us-1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn groups_mut(&mut self) -> &mut Vec<S> {
        self.forget_health();
        &mut self.groups
    }

    /// Must be called before every change of the groups.
    fn forget_health(&mut self) {
        if let Some(overprovision) = &mut self.overprovision {
            overprovision.forget();
        }
    }
}

routing_verbs!(impl[S: Strategy] Failover<S>, S::Node, example Failover);
picking_verbs!(impl[S: Strategy] Failover<S>, S::Node, example Failover);
managing_verbs!(
    impl[S: Membership] Failover<S>, S::Node, example Failover,
    via crate::strategy::Lists, crate::Manage,
    ", [`NodeError::NoGroup`](crate::NodeError::NoGroup), or a limit of the group"
);
inspecting_verbs!(impl[S: Strategy] Failover<S>, S::Node, example Failover);

impl<S: Strategy> Failover<S> {
    /// Returns the first group that has a member with this identity.
    fn group_of(&self, id: &[u8]) -> Option<usize> {
        self.groups
            .iter()
            .position(|group| group.member(id).is_some())
    }

    /// Returns the groups in the order in which a token's key is offered them.
    fn order(&self, token: Token) -> impl Iterator<Item = usize> {
        let home = match &self.overprovision {
            Some(overprovision) => {
                let filtered = self.is_filtered();
                overprovision.home(token, filtered, self.groups.len(), |i| self.weights(i))
            }
            None => 0,
        };
        (home..self.groups.len()).chain(0..home)
    }

    /// Returns the weights of the members that belong to this group.
    fn weights(&self, group: usize) -> Weights {
        let (earlier, rest) = self.groups.split_at(group);
        let mut weights = Weights::default();
        rest[0].for_each_member(&mut |member| {
            if !earlier
                .iter()
                .any(|group| group.member(member.id).is_some())
            {
                let healthy = !member.drained && rest[0].admits(member.node);
                weights.add(member.weight, healthy);
            }
        });
        weights
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
        self.order(token).find_map(|i| {
            self.groups[i].pick(token, &mut |node| !self.is_taken(i, node) && accept(node))
        })
    }

    fn token_of(&self, key: &[u8]) -> Token {
        match self.groups.first() {
            Some(first) => first.token_of(key),
            None => Token::new(Xxh3::new().hash_bytes(key)),
        }
    }

    fn route_token(&self, token: Token) -> Option<&S::Node> {
        self.order(token).find_map(|i| {
            let group = &self.groups[i];
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
            Some(id) => self.group_of(id),
            None => self.group_of(node.key_bytes().as_ref()),
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

    /// Passes the members group by group, without the list that sorting them takes.
    fn for_each_eligible<'a>(&'a self, f: &mut dyn FnMut(Member<'a, S::Node>)) {
        for (i, group) in self.groups.iter().enumerate() {
            let (earlier, _) = self.groups.split_at(i);
            group.for_each_eligible(&mut |member| {
                if !earlier
                    .iter()
                    .any(|group| group.member(member.id).is_some())
                {
                    f(member);
                }
            });
        }
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

    /// Lets a node that is inserted into `group` take over from the member that it was. An edit
    /// before has removed that one. If it was in the same group, the group sees to it.
    fn follow(&self, node: &mut S::Node, group: usize) {
        let id: Box<[u8]> = node.key_bytes().as_ref().into();
        let before = self.group_of(&id).filter(|&before| before != group);
        if let Some(member) = before.and_then(|before| self.groups[before].member(&id)) {
            node.take_over(member.node);
        }
    }

    /// Returns an error if an edit is invalid, of the first group that has one.
    fn check_by_group(&self, edits: &[&Edit<S::Node>]) -> Result<(), NodeError> {
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
}

/// All or nothing: every group checks its part before the first one changes.
impl<S: Membership> Membership for Failover<S> {
    fn apply(&mut self, edits: Vec<Edit<S::Node>>) -> Result<Changes<S::Node>, NodeError> {
        let views: Vec<_> = edits.iter().collect();
        self.check(&views)?;
        let homes = self.homes(&views)?;
        let mut parts: Vec<Vec<_>> = self.groups.iter().map(|_| Vec::new()).collect();
        for (mut edit, homes) in edits.into_iter().zip(homes) {
            match &mut edit {
                Edit::Remove { id } => {
                    for &group in homes.iter().skip(1) {
                        parts[group].push(Edit::Remove { id: id.clone() });
                    }
                }
                Edit::Insert { node, .. } => self.follow(node, homes[0]),
                _ => {}
            }
            parts[homes[0]].push(edit);
        }
        self.forget_health();
        let mut changes = Changes::none();
        for (group, part) in self.groups.iter_mut().zip(parts) {
            if !part.is_empty() {
                changes.add(group.apply(part)?);
            }
        }
        Ok(changes)
    }

    fn check(&self, edits: &[&Edit<S::Node>]) -> Result<(), NodeError> {
        let Err(mut error) = self.check_by_group(edits) else {
            return Ok(());
        };
        // The shortest beginning that is refused ends with the first invalid edit.
        let (mut valid, mut refused) = (0, edits.len());
        while refused - valid > 1 {
            let middle = usize::midpoint(valid, refused);
            match self.check_by_group(&edits[..middle]) {
                Ok(()) => valid = middle,
                Err(earlier) => (refused, error) = (middle, earlier),
            }
        }
        Err(error)
    }

    fn member_mut(&mut self, id: &[u8]) -> Option<&mut S::Node> {
        let group = self.group_of(id)?;
        self.forget_health();
        self.groups[group].member_mut(id)
    }
}
