//! [`AnyStrategy`]: a strategy that is chosen at run time, as a value.

use crate::error::NodeError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Changes, Edit, Member};
use crate::strategy::{
    Membership, Strategy, inspecting_verbs, managing_verbs, picking_verbs, routing_verbs,
};
use alloc::{boxed::Box, vec::Vec};
use core::fmt;

/// A strategy that is chosen at run time, such as by a configuration file, as a value.
///
/// It holds any strategy with these nodes whose members can be changed. Unlike
/// `Box<dyn Membership>` it can be cloned, so it can be updated in a [`Shared`](crate::Shared),
/// alone or inside of wrappers. A call costs one indirect call more than on the inner strategy.
///
/// # Examples
///
/// ```
/// use clockwise::{AnyStrategy, Bounded, HashRing, LeastLoaded, Tracked};
///
/// let configured = "hash_ring";
/// let strategy: AnyStrategy<Tracked<&str>> = match configured {
///     "hash_ring" => AnyStrategy::new(HashRing::new()),
///     _ => AnyStrategy::new(LeastLoaded::with_seed(1)),
/// };
/// let mut bounded = Bounded::new(strategy, 1.25)?;
/// bounded.set_nodes(["a", "b"].map(|name| (Tracked::new(name), 1)))?;
/// let lease = bounded.acquire("user:42").unwrap();
/// assert_eq!(lease.node().in_flight(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AnyStrategy<N: Key>(Box<dyn Any<N>>);

/// The operations of the inner strategy.
trait Any<N: Key>: Membership<Node = N> + fmt::Debug + Send + Sync {
    fn boxed(&self) -> Box<dyn Any<N>>;
}

impl<N: Key, S> Any<N> for S
where
    S: Membership<Node = N> + Clone + fmt::Debug + Send + Sync + 'static,
{
    fn boxed(&self) -> Box<dyn Any<N>> {
        Box::new(self.clone())
    }
}

impl<N: Key> AnyStrategy<N> {
    /// Creates a value that holds `strategy`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{AnyStrategy, HashRing, Rendezvous};
    ///
    /// let name = "rendezvous"; // from a configuration file
    /// let mut strategy = match name {
    ///     "rendezvous" => AnyStrategy::new(Rendezvous::new()),
    ///     _ => AnyStrategy::new(HashRing::new()),
    /// };
    /// strategy.insert("a")?;
    /// assert_eq!(strategy.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new<S>(strategy: S) -> Self
    where
        S: Membership<Node = N> + Clone + fmt::Debug + Send + Sync + 'static,
    {
        AnyStrategy(Box::new(strategy))
    }
}

routing_verbs!(impl[N: Key] AnyStrategy<N>, N, example AnyStrategy);
picking_verbs!(impl[N: Key] AnyStrategy<N>, N, example AnyStrategy);
managing_verbs!(
    impl[N: Key] AnyStrategy<N>, N, example AnyStrategy,
    via crate::strategy::Lists, crate::Manage,
    ", or a limit of the inner strategy"
);
inspecting_verbs!(impl[N: Key] AnyStrategy<N>, N, example AnyStrategy);

impl<N: Key> Strategy for AnyStrategy<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        self.0.pick(token, accept)
    }

    fn token_of(&self, key: &[u8]) -> Token {
        self.0.token_of(key)
    }

    fn member(&self, id: &[u8]) -> Option<Member<'_, N>> {
        self.0.member(id)
    }

    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, N>)) {
        self.0.for_each_member(f);
    }

    fn for_each_eligible<'a>(&'a self, f: &mut dyn FnMut(Member<'a, N>)) {
        self.0.for_each_eligible(f);
    }

    fn route_token(&self, token: Token) -> Option<&N> {
        self.0.route_token(token)
    }

    fn admits(&self, node: &N) -> bool {
        self.0.admits(node)
    }

    fn is_filtered(&self) -> bool {
        self.0.is_filtered()
    }

    fn weight_of(&self, node: &N) -> Option<u32> {
        self.0.weight_of(node)
    }

    fn identity_of(&self, node: &N) -> Option<&[u8]> {
        self.0.identity_of(node)
    }
}

impl<N: Key> Membership for AnyStrategy<N> {
    fn apply(&mut self, edits: Vec<Edit<N>>) -> Result<Changes<N>, NodeError> {
        self.0.apply(edits)
    }

    fn check(&self, edits: &[&Edit<N>]) -> Result<(), NodeError> {
        self.0.check(edits)
    }

    fn member_mut(&mut self, id: &[u8]) -> Option<&mut N> {
        self.0.member_mut(id)
    }

    fn set_nodes_with(
        &mut self,
        all: Vec<(N, u32)>,
        merge: &mut dyn FnMut(&mut N, N),
    ) -> Result<Changes<N>, NodeError> {
        self.0.set_nodes_with(all, merge)
    }
}

impl<N: Key> Clone for AnyStrategy<N> {
    fn clone(&self) -> Self {
        AnyStrategy((*self.0).boxed())
    }
}

/// Shows the inner strategy.
impl<N: Key> fmt::Debug for AnyStrategy<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyStrategy").field(&self.0).finish()
    }
}
