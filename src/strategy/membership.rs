//! The traits of strategies whose members can be changed: [`Membership`] and [`Manage`].

use super::Strategy;
use super::listing::Listing;
use crate::error::NodeError;
use crate::key::Key;
use crate::nodes::{Changes, Edit, Member};
use alloc::{boxed::Box, vec, vec::Vec};

/// A strategy whose members can be changed: the object-safe core.
///
/// [`Manage`] adds the verbs that take an identity of any [`Key`] type to every `Membership`.
///
/// # Examples
///
/// ```
/// use clockwise::{Edit, HashRing, Manage, Membership, Rendezvous};
///
/// let mut strategy: Box<dyn Membership<Node = &str> + Send + Sync> = Box::new(HashRing::new());
/// strategy.set_nodes(vec![("a", 1), ("b", 2)])?;
/// strategy.drain("b")?;
/// let changes = strategy.apply(vec![Edit::undrain("b"), Edit::remove("a")])?;
/// assert_eq!((changes.undrained(), changes.into_removed()), (1, vec!["a"]));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
pub trait Membership: Strategy {
    /// Applies edits in order, all or nothing, and returns what changed.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing, Membership};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> = Box::new(HashRing::new());
    /// let changes = strategy.apply(vec![Edit::insert("a", 1), Edit::insert("b", 2)])?;
    /// assert_eq!(changes.added(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The error of the first edit that is invalid after the ones before it. Nothing has changed
    /// then.
    fn apply(&mut self, edits: Vec<Edit<Self::Node>>) -> Result<Changes<Self::Node>, NodeError>;

    /// Returns the error that [`apply`](Membership::apply) would return for these edits, and
    /// changes nothing.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing, Membership};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// assert!(ring.check(&[&Edit::drain("a")]).is_ok());
    /// assert!(ring.check(&[&Edit::drain("z")]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`apply`](Membership::apply).
    fn check(&self, edits: &[&Edit<Self::Node>]) -> Result<(), NodeError>;

    /// Returns a mutable reference to the node with this identity, drained or not.
    ///
    /// The node must keep its key bytes. If it does not, it remains the member with the identity
    /// that it joined with.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Membership, Named};
    ///
    /// let mut ring = HashRing::from_nodes([Named::new("a", 8081)])?;
    /// **ring.member_mut(b"a").unwrap() = 9081; // the payload; the name stays
    /// assert_eq!(**ring.get("a").unwrap(), 9081);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn member_mut(&mut self, id: &[u8]) -> Option<&mut Self::Node>;

    /// Makes `all` the members, and calls `merge(present, listed)` for each node that was a member
    /// before. Returns what changed.
    ///
    /// See [`HashRing::set_nodes_with`](crate::HashRing::set_nodes_with).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Membership, Named};
    ///
    /// let mut strategy: Box<dyn Membership<Node = Named<u16, &str>>> =
    ///     Box::new(HashRing::from_nodes([Named::new("a", 8081)])?);
    /// let listed = vec![(Named::new("a", 9081), 1)];
    /// strategy.set_nodes_with(listed, &mut |present, listed| *present = listed)?;
    /// assert_eq!(**strategy.member(b"a").unwrap().node, 9081);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A duplicate or empty identity, weight 0, or a limit of the strategy. Nothing has changed
    /// then, and `merge` was not called.
    fn set_nodes_with(
        &mut self,
        all: Vec<(Self::Node, u32)>,
        merge: &mut dyn FnMut(&mut Self::Node, Self::Node),
    ) -> Result<Changes<Self::Node>, NodeError> {
        let Listing { edits, present } = Listing::new(self, all)?;
        let changes = self.apply(edits)?;
        for (id, mut listed) in present {
            if let Some(present) = self.member_mut(&id) {
                listed.take_over(present);
                merge(present, listed);
            }
        }
        Ok(changes)
    }

    /// Makes `all` the members. Only the difference is applied: a node that is a member already
    /// keeps its payload and its drained state, and its weight follows the list.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> = Box::new(HashRing::new());
    /// strategy.set_nodes(vec![("a", 1), ("b", 2)])?;
    /// assert_eq!(strategy.member(b"b").unwrap().weight, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`set_nodes_with`](Membership::set_nodes_with).
    fn set_nodes(&mut self, all: Vec<(Self::Node, u32)>) -> Result<Changes<Self::Node>, NodeError> {
        self.set_nodes_with(all, &mut |_, _| {})
    }
}

/// The verbs that change members, by identities of any [`Key`] type, on every [`Membership`].
///
/// The strategies and wrappers of this crate have these verbs as their own methods, so that no
/// import is needed. Import `Manage` for a `dyn Membership` and in generic code.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, Key, Manage, Membership, NodeError};
///
/// fn upgrade<S: Membership>(servers: &mut S, id: &str) -> Result<(), NodeError> {
///     servers.drain(id)?;
///     // … upgrade the server …
///     servers.undrain(id)
/// }
///
/// let mut ring = HashRing::from_nodes(["a", "b"])?;
/// upgrade(&mut ring, "a")?;
/// assert!(upgrade(&mut ring, "z").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Manage: Membership {
    /// Adds a node of weight 1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// strategy.insert("c")?;
    /// assert!(strategy.member(b"c").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NodeError::Duplicate`], [`NodeError::EmptyIdentity`], or a limit of the strategy. The
    /// node is then dropped.
    fn insert(&mut self, node: Self::Node) -> Result<(), NodeError> {
        self.insert_weighted(node, 1)
    }

    /// Adds a node with this weight.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// strategy.insert_weighted("c", 3)?;
    /// assert_eq!(strategy.member(b"c").unwrap().weight, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`insert`](Manage::insert), and [`NodeError::ZeroWeight`].
    fn insert_weighted(&mut self, node: Self::Node, weight: u32) -> Result<(), NodeError> {
        self.apply(vec![Edit::insert(node, weight)]).map(drop)
    }

    /// Adds nodes with their weights: all of them, or none if there is an error.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// strategy.extend_weighted([("c", 1), ("d", 3)])?;
    /// assert!(strategy.extend_weighted([("e", 1), ("a", 1)]).is_err()); // `a` is a member
    /// assert!(strategy.member(b"e").is_none()); // all or nothing
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`insert_weighted`](Manage::insert_weighted), for the first node that is refused.
    fn extend_weighted<I>(&mut self, nodes: I) -> Result<(), NodeError>
    where
        I: IntoIterator<Item = (Self::Node, u32)>,
    {
        let edits = nodes.into_iter().map(|(node, w)| Edit::insert(node, w));
        self.apply(edits.collect()).map(drop)
    }

    /// Removes a member and returns it. Returns `None` if no member has this identity.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(strategy.remove("a"), Some("a"));
    /// assert_eq!(strategy.remove("a"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn remove<Q: Key + ?Sized>(&mut self, id: &Q) -> Option<Self::Node> {
        let changes = self.apply(vec![Edit::remove(id)]);
        // The first, if the node was a member of several groups.
        changes.ok()?.into_removed().into_iter().next()
    }

    /// Removes the members for which `keep` returns `false`, and returns them.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(strategy.retain(|member| *member.node != "a"), ["a"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn retain<F>(&mut self, mut keep: F) -> Vec<Self::Node>
    where
        F: FnMut(Member<'_, Self::Node>) -> bool,
    {
        let mut edits = Vec::new();
        self.for_each_member(&mut |member| {
            if !keep(member) {
                edits.push(Edit::remove(member.id));
            }
        });
        self.apply(edits)
            .map_or_else(|_| Vec::new(), Changes::into_removed)
    }

    /// Changes the weight of a member.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// strategy.set_weight("a", 3)?;
    /// assert_eq!(strategy.member(b"a").unwrap().weight, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NodeError::Unknown`], [`NodeError::ZeroWeight`], or a limit of the strategy.
    fn set_weight<Q: Key + ?Sized>(&mut self, id: &Q, weight: u32) -> Result<(), NodeError> {
        self.apply(vec![Edit::set_weight(id, weight)]).map(drop)
    }

    /// Takes a member out of service without removing it. Does nothing if it is drained already.
    ///
    /// See [`HashRing::drain`](crate::HashRing::drain).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// strategy.drain("a")?;
    /// assert!(strategy.member(b"a").unwrap().drained);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NodeError::Unknown`].
    fn drain<Q: Key + ?Sized>(&mut self, id: &Q) -> Result<(), NodeError> {
        self.apply(vec![Edit::drain(id)]).map(drop)
    }

    /// Restores a drained member. Does nothing if the member is not drained.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// strategy.drain("a")?;
    /// strategy.undrain("a")?;
    /// assert!(!strategy.member(b"a").unwrap().drained);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NodeError::Unknown`].
    fn undrain<Q: Key + ?Sized>(&mut self, id: &Q) -> Result<(), NodeError> {
        self.apply(vec![Edit::undrain(id)]).map(drop)
    }

    /// Drains every member for which `drain` returns `true`. Returns how many were not drained
    /// before.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(strategy.drain_where(|node| *node == "a"), 1);
    /// assert_eq!(strategy.drain_where(|_| true), 1); // the other one
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn drain_where<F: FnMut(&Self::Node) -> bool>(&mut self, mut drain: F) -> usize {
        let mut edits = Vec::new();
        self.for_each_member(&mut |member| {
            if !member.drained && drain(member.node) {
                edits.push(Edit::drain(member.id));
            }
        });
        self.apply(edits).map_or(0, |changes| changes.drained())
    }

    /// Restores every drained member for which `undrain` returns `true`. Returns how many there
    /// were.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// strategy.drain_where(|_| true);
    /// assert_eq!(strategy.undrain_where(|node| *node == "a"), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn undrain_where<F: FnMut(&Self::Node) -> bool>(&mut self, mut undrain: F) -> usize {
        let mut edits = Vec::new();
        self.for_each_member(&mut |member| {
            if member.drained && undrain(member.node) {
                edits.push(Edit::undrain(member.id));
            }
        });
        self.apply(edits).map_or(0, |changes| changes.undrained())
    }

    /// Replaces the payload of the member with the identity of `node`, and returns the old one.
    /// Moves no key. Counts of requests in flight carry over ([`Key::take_over`]).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(strategy.replace("a")?, "a"); // the old payload
    /// assert!(strategy.replace("z").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NodeError::Unknown`]. The node is then dropped.
    fn replace(&mut self, node: Self::Node) -> Result<Self::Node, NodeError> {
        let id = Box::<[u8]>::from(node.key_bytes().as_ref());
        let changes = self.apply(vec![Edit::replace(node)])?;
        // A strategy that reports no old payload has not replaced it.
        let unknown = || NodeError::unknown(&id);
        changes.into_replaced().pop().ok_or_else(unknown)
    }

    /// Removes all members and returns them. The configuration stays.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(strategy.clear(), ["a", "b"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn clear(&mut self) -> Vec<Self::Node> {
        self.retain(|_| false)
    }

    /// Returns a mutable reference to the node with this identity, drained or not.
    ///
    /// See [`Membership::member_mut`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Manage, Membership, Strategy};
    ///
    /// let mut strategy: Box<dyn Membership<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(strategy.get_mut("a"), Some(&mut "a"));
    /// assert_eq!(strategy.get_mut("z"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn get_mut<Q: Key + ?Sized>(&mut self, id: &Q) -> Option<&mut Self::Node> {
        self.member_mut(id.key_bytes().as_ref())
    }
}

impl<S: Membership + ?Sized> Manage for S {}
