//! [`Sticky`]: sessions keep their node.

mod sessions;

use super::{Bounded, Lease};
use super::{forward_members, with_identity, wrapper};
use crate::clock::{Clock, SystemClock};
use crate::hash::Token;
use crate::key::Key;
use crate::load::Counted;
use crate::nodes::Member;
use crate::strategy::{Membership, Strategy, routing_verbs};
use alloc::sync::Arc;
use core::time::Duration;
use core::{fmt, ptr};
use sessions::Sessions;

/// A strategy that remembers, for a time, which node it sent a session to. Needs the feature `sticky`.
///
/// - A session's first request goes where the strategy inside sends it, and binds the session to that node.
/// - **While the node is a member, drained ones too, the session stays**, whatever nodes join and however loads change.
/// - Once the node is gone, the strategy chooses anew and the table follows.
/// - A node that is refused for the moment (by `route_where`, a [filter](crate::Filtered), a full node under [`acquire`](Sticky::acquire)) is a detour: the next node
///   in the order serves the request, and the session stays bound.
///
/// The table holds at most `capacity` sessions; when it is full, one that was not used for long gives way (with a capacity below 2,048 exactly the
/// least recently used, else the least recently used of one of up to 64 shards). A session that is not used for `ttl` is forgotten. A forgotten session is a new one.
///
/// ```
/// use clockwise::{HashRing, Sticky};
/// use std::time::Duration;
///
/// let ring = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut sticky = Sticky::new(ring, 100_000, Duration::from_secs(1800));
/// let node = *sticky.route("session 7").unwrap();
///
/// for i in 0u8..100 {
///     sticky.strategy_mut().insert(["d", "e", "f"][usize::from(i % 3)]).ok();
///     assert_eq!(sticky.route("session 7"), Some(&node));
/// }
/// sticky.strategy_mut().drain(node)?;
/// assert_eq!(sticky.route("session 7"), Some(&node)); // drained: no new sessions, but this one stays
/// sticky.strategy_mut().remove(node);
/// assert_ne!(sticky.route("session 7"), Some(&node));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # What binds, and what only looks
/// [`route`](Sticky::route), [`route_where`](Sticky::route_where), [`acquire`](Sticky::acquire) and [`Strategy::route_token`] bind: so also
/// [`Route::route`](crate::Route::route) through a `dyn Strategy`. [`Strategy::pick`] puts a session's node first but binds nothing, as
/// its caller may be collecting `replicas`; so through a `dyn Strategy` `route_where` binds nothing, and a [filter](crate::Filtered) belongs inside
/// of `Sticky`, not around it.
///
/// # Sessions and strategies
/// A session is known by its [`Token`], so no key is kept, only 64 bits of its hash. Two sessions of one token share a node. With another hasher in the strategy, keys
/// have other tokens, and all sessions are new.
///
/// The table is shared by clones, and by what [`with_strategy`](Sticky::with_strategy) makes: sessions survive that a strategy is exchanged, also in a
/// `Shared`.
///
/// Without a table: keep the identity of the node in a cookie, and ask [`member`](Strategy::member) for it.
///
/// # Cost
/// Of a session that is bound: one lock, of one of up to 64 shards, a look-up of the token, and O(log N) for the node. About 150 bytes a session and
/// the node's identity.
pub struct Sticky<S, C = SystemClock> {
    strategy: S,
    sessions: Arc<Sessions<C>>,
}

impl<S> Sticky<S> {
    /// `strategy`, with at most `capacity` sessions remembered, each until it was not used for `ttl`.
    ///
    /// With a capacity or a time of 0 nothing is remembered. Nothing is allocated in advance.
    pub fn new(strategy: S, capacity: usize, ttl: Duration) -> Self {
        Sticky::with_clock(strategy, capacity, ttl, SystemClock::new())
    }
}

impl<S, C> Sticky<S, C> {
    /// As [`new`](Sticky::new), by this clock. It is read once or twice a request.
    pub fn with_clock(strategy: S, capacity: usize, ttl: Duration, clock: C) -> Self {
        Sticky {
            strategy,
            sessions: Arc::new(Sessions::new(capacity, ttl, clock)),
        }
    }

    /// Another strategy with these sessions. They stay where they are as far as `strategy` has their nodes, and hashes keys as this one
    /// does. Both share the table from then on.
    pub fn with_strategy<T>(&self, strategy: T) -> Sticky<T, C> {
        Sticky {
            strategy,
            sessions: Arc::clone(&self.sessions),
        }
    }

    /// The strategy inside.
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// The strategy inside, to change its members.
    pub const fn strategy_mut(&mut self) -> &mut S {
        &mut self.strategy
    }

    /// How many sessions are remembered, those included whose time is over but which were not asked for since. Never more than the capacity.
    pub fn session_count(&self) -> usize {
        self.sessions.count()
    }

    /// How many sessions may be remembered.
    pub fn capacity(&self) -> usize {
        self.sessions.capacity()
    }
}

impl<S, C: Clock> Sticky<S, C> {
    /// As [`route`](Sticky::route), among the nodes for which `accept` says true. The session's own node is offered first.
    ///
    /// Of threads that ask for a new session at once the fastest binds it; what the others have accepted is theirs, for this once.
    pub fn route_where<'a, K, F>(&'a self, session: &K, mut accept: F) -> Option<&'a S::Node>
    where
        S: Strategy,
        K: Key + ?Sized,
        F: FnMut(&'a S::Node) -> bool,
    {
        let token = self.strategy.token_of(session.key_bytes().as_ref());
        let home = self.home(token);
        let node = home.first(&self.strategy, token, &mut accept)?;
        self.settle(token, &home, node);
        Some(node)
    }

    /// Returns the first `n` nodes for this session, its own first. Binds nothing.
    pub fn replicas<K>(&self, session: &K, n: usize) -> alloc::vec::Vec<&S::Node>
    where
        S: Strategy,
        K: Key + ?Sized,
    {
        crate::strategy::Route::replicas(self, session, n)
    }

    /// Forgets a session, as at a log-out. Its next request is a first one.
    pub fn forget<K>(&self, session: &K)
    where
        S: Strategy,
        K: Key + ?Sized,
    {
        self.sessions
            .forget(self.strategy.token_of(session.key_bytes().as_ref()));
    }

    fn home(&self, token: Token) -> Home<'_, S::Node>
    where
        S: Strategy,
    {
        match self.sessions.get(token) {
            None => Home::None,
            Some(id) => match self.strategy.member(&id) {
                Some(member) => Home::At(member.node),
                None => Home::Gone(id),
            },
        }
    }

    /// Binds a session that has no home to `node`. Returns the identity of another node where another thread was faster.
    fn settle(&self, token: Token, home: &Home<'_, S::Node>, node: &S::Node) -> Option<Arc<[u8]>>
    where
        S: Strategy,
    {
        let gone = match home {
            Home::At(_) => return None,
            Home::None => None,
            Home::Gone(id) => Some(&**id),
        };
        with_identity(&self.strategy, node, |id| {
            let bound = self.sessions.bind(token, id, gone);
            (*bound != *id).then_some(bound)
        })
    }
}

/// Where a session is bound.
enum Home<'a, N> {
    None,
    At(&'a N),
    /// To a node that is no member any more.
    Gone(Arc<[u8]>),
}

impl<'a, N> Home<'a, N> {
    fn node(&self) -> Option<&'a N> {
        match *self {
            Home::At(node) => Some(node),
            Home::None | Home::Gone(_) => None,
        }
    }

    /// The first node that is accepted: of the session's own, if there is one and the strategy admits it, then of the strategy's order.
    fn first<S: Strategy<Node = N>>(
        &self,
        strategy: &'a S,
        token: Token,
        accept: &mut dyn FnMut(&'a N) -> bool,
    ) -> Option<&'a N> {
        let own = self.node().filter(|node| strategy.admits(node));
        if own.is_some_and(&mut *accept) {
            return own;
        }
        strategy.pick(token, &mut |node| {
            !own.is_some_and(|own| ptr::eq(own, node)) && accept(node)
        })
    }
}

impl<S, C: Clock> Sticky<Bounded<S>, C> {
    /// Reserves a place for one request of this session: on its own node if that is below its cap, else on the next one in the order that is.
    ///
    /// A cap is never exceeded for a session's sake: a request that finds its node full is a detour, and the session stays bound. `None` only where no node
    /// is eligible.
    ///
    /// ```
    /// use clockwise::{Bounded, HashRing, Sticky, Tracked};
    /// use std::time::Duration;
    ///
    /// let ring = HashRing::from_nodes(["a", "b", "c"].map(Tracked::new))?;
    /// let sticky = Sticky::new(Bounded::new(ring, 1.5)?, 100_000, Duration::from_secs(1800));
    /// let lease = sticky.acquire("session 7").unwrap();
    /// let node = lease.node();
    /// drop(lease);
    /// assert_eq!(sticky.route("session 7"), Some(node));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn acquire<K>(&self, session: &K) -> Option<Lease<'_, S::Node>>
    where
        S: Strategy<Node: Counted>,
        K: Key + ?Sized,
    {
        self.reserve(session, false, |_| true)
    }

    /// As [`acquire`](Sticky::acquire), among the nodes for which `accept` says true.
    pub fn acquire_where<'a, K, F>(&'a self, session: &K, accept: F) -> Option<Lease<'a, S::Node>>
    where
        S: Strategy<Node: Counted>,
        K: Key + ?Sized,
        F: FnMut(&'a S::Node) -> bool,
    {
        self.reserve(session, true, accept)
    }

    /// If not `conditional`, `accept` refuses no node.
    fn reserve<'a, K>(
        &'a self,
        session: &K,
        conditional: bool,
        accept: impl FnMut(&'a S::Node) -> bool,
    ) -> Option<Lease<'a, S::Node>>
    where
        S: Strategy<Node: Counted>,
        K: Key + ?Sized,
    {
        let (bounded, inside) = (&self.strategy, self.strategy.strategy());
        let token = inside.token_of(session.key_bytes().as_ref());
        let home = self.home(token);
        let own = home.node().filter(|node| inside.admits(node));
        let lease = bounded.reserve(own, token, conditional, accept)?;
        self.settle(token, &home, lease.node());
        Some(lease)
    }
}

impl<S: Strategy, C: Clock> Strategy for Sticky<S, C> {
    type Node = S::Node;

    /// The session's node first, then the order of the strategy inside. Binds nothing.
    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        self.home(token).first(&self.strategy, token, accept)
    }

    /// The session's node. Binds it if it was not bound.
    fn route_token(&self, token: Token) -> Option<&S::Node> {
        let home = self.home(token);
        let node = home.first(&self.strategy, token, &mut |_| true)?;
        let faster = self.settle(token, &home, node);
        Some(
            faster
                .and_then(|id| self.strategy.member(&id))
                .map(|member| member.node)
                .filter(|node| self.strategy.admits(node))
                .unwrap_or(node),
        )
    }

    fn admits(&self, node: &S::Node) -> bool {
        self.strategy.admits(node)
    }

    forward_members!(strategy);
}

routing_verbs!(impl[S: Strategy, C: Clock] Sticky<S, C>, S::Node);
wrapper!(
    Sticky<S, C>,
    S::Node,
    [S: Strategy, C: Clock],
    [S: Membership, C: Clock]
);

/// Shares the sessions.
impl<S: Clone, C> Clone for Sticky<S, C> {
    fn clone(&self) -> Self {
        self.with_strategy(self.strategy.clone())
    }
}

/// Shows no session.
impl<S: fmt::Debug, C> fmt::Debug for Sticky<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sticky")
            .field("strategy", &self.strategy)
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
