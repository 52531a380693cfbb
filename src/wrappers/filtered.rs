//! [`Filtered`]: a standing condition.

use super::{forward_members, forward_membership};
use crate::error::NodeError;
use crate::hash::Token;
use crate::nodes::{Changes, Member};
use crate::strategy::{Membership, Strategy};
use alloc::vec::Vec;
use core::fmt;

/// A strategy that passes over nodes for which a predicate says false: those that are not healthy, or not of this version.
///
/// The order is that of the strategy inside without the refused nodes, so a key whose owner is refused goes to its next node, and comes back.
/// The predicate is asked at each pick and may change its mind at any time. A refused node stays a member.
///
/// The filter is a good inside of other wrappers: `Sticky` sends a session elsewhere while its node is refused, and [`Bounded`](crate::Bounded)
/// shares the load out among those that pass.
///
/// ```
/// use clockwise::{Filtered, HashRing, Route};
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
pub struct Filtered<S, F> {
    strategy: S,
    up: F,
}

impl<S, F> Filtered<S, F> {
    /// `strategy`, without the nodes for which `up` says false.
    pub const fn new<N>(strategy: S, up: F) -> Self
    where
        S: Strategy<N>,
        F: Fn(&N) -> bool,
    {
        Filtered { strategy, up }
    }

    /// The strategy inside.
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// The strategy inside, to change its members.
    pub const fn strategy_mut(&mut self) -> &mut S {
        &mut self.strategy
    }
}

impl<N, S: Strategy<N>, F: Fn(&N) -> bool> Strategy<N> for Filtered<S, F> {
    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        self.strategy
            .pick(token, &mut |node| (self.up)(node) && accept(node))
    }

    fn admits(&self, node: &N) -> bool {
        (self.up)(node) && self.strategy.admits(node)
    }

    forward_members!(strategy, N);
}

impl<N, S: Membership<N>, F: Fn(&N) -> bool> Membership<N> for Filtered<S, F> {
    forward_membership!(N);
}

impl<S: fmt::Debug, F> fmt::Debug for Filtered<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filtered")
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}
