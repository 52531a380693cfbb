//! [`Filtered`]: a health check or another permanent filter.

use super::wrapper;
use crate::hash::Token;
use crate::nodes::Member;
use crate::strategy::{Membership, Strategy, picking_verbs, routing_verbs};
use core::fmt;

/// A strategy that skips the nodes for which a predicate returns `false`, such as those that are
/// not healthy or not of this version.
///
/// The order is that of the inner strategy without the refused nodes. A key whose owner is refused
/// is routed to its next node until the owner is accepted again. The predicate is called at each
/// pick, and its result may change at any time. A refused node stays a member.
///
/// Other wrappers around a `Filtered` respect the filter: `Sticky` sends a session elsewhere while
/// its node is refused, and [`Bounded`](crate::Bounded) shares the load among the nodes that pass.
///
/// # Examples
/// ```
/// use clockwise::{Filtered, HashRing};
/// use std::{collections::BTreeSet, sync::Mutex};
///
/// let down = Mutex::new(BTreeSet::new());
/// let healthy = Filtered::new(HashRing::from_nodes(["a", "b", "c"])?, |node| {
///     !down.lock().unwrap().contains(node)
/// });
/// let owner = healthy.route("user:42").copied();
/// down.lock().unwrap().extend(owner);
/// assert_ne!(healthy.route("user:42").copied(), owner);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Clone)]
pub struct Filtered<S, P> {
    strategy: S,
    up: P,
}

impl<S, P> Filtered<S, P> {
    /// Creates `strategy` without the nodes for which `up` returns `false`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Filtered, HashRing};
    ///
    /// let this_zone = |node: &&str| node.starts_with("eu");
    /// let local = Filtered::new(HashRing::from_nodes(["eu-1", "us-1"])?, this_zone);
    /// assert_eq!(local.route("user:42"), Some(&"eu-1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new(strategy: S, up: P) -> Self
    where
        S: Strategy,
        P: Fn(&S::Node) -> bool,
    {
        Filtered { strategy, up }
    }

    /// Returns the inner strategy.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Filtered, HashRing};
    ///
    /// let local = Filtered::new(HashRing::from_nodes(["eu-1", "us-1"])?, |node| *node == "eu-1");
    /// assert_eq!(local.strategy().replicas("user:42", 2).len(), 2); // without the filter
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// Returns a mutable reference to the inner strategy, to change its members.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Filtered, HashRing};
    ///
    /// let this_zone = |node: &&str| node.starts_with("eu");
    /// let mut local = Filtered::new(HashRing::from_nodes(["eu-1"])?, this_zone);
    /// local.strategy_mut().insert("eu-2")?;
    /// assert_eq!(local.replicas("user:42", 9).len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn strategy_mut(&mut self) -> &mut S {
        &mut self.strategy
    }
}

impl<S: Strategy, P: Fn(&S::Node) -> bool> Strategy for Filtered<S, P> {
    type Node = S::Node;

    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        self.strategy
            .pick(token, &mut |node| (self.up)(node) && accept(node))
    }

    fn admits(&self, node: &S::Node) -> bool {
        (self.up)(node) && self.strategy.admits(node)
    }

    fn token_of(&self, key: &[u8]) -> Token {
        self.strategy.token_of(key)
    }

    fn is_filtered(&self) -> bool {
        true
    }

    fn weight_of(&self, node: &S::Node) -> Option<u32> {
        self.strategy.weight_of(node)
    }

    fn identity_of(&self, node: &S::Node) -> Option<&[u8]> {
        self.strategy.identity_of(node)
    }

    fn member(&self, id: &[u8]) -> Option<Member<'_, S::Node>> {
        self.strategy.member(id)
    }

    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, S::Node>)) {
        self.strategy.for_each_member(f);
    }

    fn for_each_eligible<'a>(&'a self, f: &mut dyn FnMut(Member<'a, S::Node>)) {
        self.strategy.for_each_eligible(f);
    }
}

routing_verbs!(
    impl[S: Strategy, P: Fn(&S::Node) -> bool] Filtered<S, P>, S::Node, example Filtered
);
picking_verbs!(
    impl[S: Strategy, P: Fn(&S::Node) -> bool] Filtered<S, P>, S::Node, example Filtered
);
wrapper!(
    Filtered<S, P>,
    S::Node, example Filtered,
    [S: Strategy, P: Fn(&S::Node) -> bool],
    [S: Membership, P: Fn(&S::Node) -> bool]
);

impl<S: fmt::Debug, P> fmt::Debug for Filtered<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filtered")
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}
