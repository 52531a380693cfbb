//! [`Sticky`]: sessions keep their node.

mod acquire;
mod operate;
mod session;
mod sessions;

pub use session::Session;

use super::{forward_members, with_identity, wrapper};
use crate::clock::{Clock, SystemClock};
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::Member;
use crate::strategy::{Membership, Route, Strategy, routing_verbs};
use alloc::{sync::Arc, vec::Vec};
use core::time::Duration;
use core::{fmt, ptr};
use sessions::{Sessions, View, nanos};

/// A strategy with sticky sessions: it remembers, for a time, to which node it sent a session.
/// Needs the feature `sticky`.
///
/// - A session's first request is sent to the node that the inner strategy picks, and binds the
///   session to that node.
/// - **The session keeps its node while that is a member**, even a drained one, whichever nodes
///   join and however loads change.
/// - If its node is no longer a member, the next request binds the session to another one.
/// - If its node is refused for the moment (by `route_where`, by a [filter](crate::Filtered), or as
///   full under [`acquire`](Sticky::acquire)), the request takes a detour: the next node in the
///   order serves it, and the session stays bound.
///
/// The table holds at most `capacity` sessions. If it is full, a new session evicts one that was
/// not used for long: exactly the least recently used one if the capacity is below 2,048, else the
/// least recently used one in its shard, one of up to 64. A session expires if it is not used for
/// `ttl`, or [`max_age`](Sticky::max_age) after it was bound. An expired session counts as a new
/// one.
///
/// # Examples
///
/// ```
/// use clockwise::{HashRing, Sticky};
/// use std::time::Duration;
///
/// let ring = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut sticky = Sticky::new(ring, 100_000, Duration::from_secs(1800));
/// let node = *sticky.route("session 7").unwrap();
///
/// for name in ["d", "e", "f"] {
///     sticky.insert(name)?;
///     assert_eq!(sticky.route("session 7"), Some(&node));
/// }
/// sticky.drain(node)?;
/// assert_eq!(sticky.route("session 7"), Some(&node)); // no new sessions, but this one stays
/// sticky.remove(node);
/// assert_ne!(sticky.route("session 7"), Some(&node));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # What binds a session
///
/// [`route`](Sticky::route), [`route_where`](Sticky::route_where), [`acquire`](Sticky::acquire) and
/// [`Strategy::route_token`] bind, and so does [`Route::route`](crate::Route::route) on a
/// `dyn Strategy`. [`Strategy::pick`] offers a session's node first but binds nothing, because its
/// caller may be collecting `replicas`. So `route_where` on a `dyn Strategy` binds nothing, and a
/// [filter](crate::Filtered) belongs inside `Sticky`, not around it.
/// [`bind`](Sticky::bind) binds to a node that the caller names.
///
/// # Clones and older views
///
/// Clones share the table, and so does what [`with_strategy`](Sticky::with_strategy) returns. So
/// sessions survive an update under `Shared`, where each update changes a clone.
///
/// A reader may still use an older clone. If the session's node joined after that clone was made,
/// the older clone does not have it. It then serves the request by its own order and **leaves the
/// session bound to its node**. To tell older from newer, each access through
/// [`strategy_mut`](Sticky::strategy_mut), each change of the members and each `with_strategy`
/// takes the next number of a counter in the table. A session keeps the greatest number that has
/// used it, and only a clone with that number or a greater one may bind it to another node. So do
/// not route through a changed clone and then drop it: sessions that it bound to a node of its own
/// take detours until the next change, or until that node is [released](Sticky::release).
///
/// An older clone may still bind *new* sessions to a node that has been drained since.
/// [`Shared`](crate::Shared) says how to wait until no reader uses one. Take a node out of service
/// in this order, as the example `rolling_upgrade` does under load:
///
/// 1. drain it, and wait for the readers of older snapshots;
/// 2. watch [`sessions_on`](Sticky::sessions_on) fall, and [`release`](Sticky::release) the rest;
/// 3. wait for the readers once more, after an update that changes nothing: one of them may have
///    looked up a session before the release, and not yet begun its request;
/// 4. wait until the node's count of requests is 0, and remove it.
///
/// # Tokens
///
/// A session is known by its [`Token`], so no key is kept, only 64 bits of its hash. Two sessions
/// with the same token share a node. If another strategy hashes keys with another hasher, all
/// sessions are new to it.
///
/// Without a table: keep the identity of the node in a cookie, and ask
/// [`member`](Strategy::member) for it.
///
/// # Performance
///
/// A request of a bound session takes one lock, of one of up to 64 shards, one look-up of the
/// token, and O(log N) for the node. A session needs about 150 bytes and the node's identity.
pub struct Sticky<S, C = SystemClock> {
    strategy: S,
    view: View,
    sessions: Arc<Sessions<C>>,
}

impl<S> Sticky<S> {
    /// Creates a strategy that remembers at most `capacity` sessions, each until it was not used
    /// for `ttl`.
    ///
    /// With a capacity or a time to live of 0 nothing is remembered. Nothing is allocated in
    /// advance.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let sticky = Sticky::new(ring, 100_000, Duration::from_secs(1800));
    /// sticky.route("session 7");
    /// assert_eq!(sticky.session_count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(strategy: S, capacity: usize, ttl: Duration) -> Self {
        Sticky::with_clock(strategy, capacity, ttl, SystemClock::new())
    }
}

impl<S, C> Sticky<S, C> {
    /// Creates a strategy as [`new`](Sticky::new) does, with this clock. It is read once or twice
    /// for each request.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::{cell::Cell, time::Duration};
    ///
    /// let time = Cell::new(Duration::ZERO);
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let sticky = Sticky::with_clock(ring, 1_000, Duration::from_secs(60), || time.get());
    /// sticky.route("session 7");
    /// time.set(Duration::from_secs(61));
    /// assert_eq!(sticky.session_count(), 0); // expired
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_clock(strategy: S, capacity: usize, ttl: Duration, clock: C) -> Self {
        Sticky {
            strategy,
            view: View {
                generation: 0,
                max_age: i64::MAX,
            },
            sessions: Arc::new(Sessions::new(capacity, ttl, clock)),
        }
    }

    /// Sets the maximum age: a session expires this long after it was bound to its node, however
    /// often it is used. Unlimited by default.
    ///
    /// With a maximum age of 0 nothing is remembered. Clones that are made afterwards inherit it.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let ring = HashRing::from_nodes(["a", "b", "c"])?;
    /// let sticky = Sticky::new(ring, 100_000, Duration::from_secs(30 * 60))
    ///     .max_age(Duration::from_secs(24 * 60 * 60));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.view.max_age = nanos(max_age);
        self
    }

    /// Creates a strategy of another kind, or with other nodes, that shares this one's sessions.
    ///
    /// Sessions keep their node if `strategy` has it and hashes keys as this one does. It counts as
    /// a later view than those before.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Rendezvous, Sticky};
    /// use std::time::Duration;
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let sticky = Sticky::new(ring, 1_000, Duration::from_secs(60));
    /// let node = sticky.route("session 7").copied();
    /// let other = sticky.with_strategy(Rendezvous::from_nodes(["a", "b", "c"])?);
    /// assert_eq!(other.route("session 7").copied(), node);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_strategy<T>(&self, strategy: T) -> Sticky<T, C> {
        Sticky {
            strategy,
            view: View {
                generation: self.sessions.next_generation(),
                ..self.view
            },
            sessions: Arc::clone(&self.sessions),
        }
    }

    /// Returns the inner strategy.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a"])?, 1_000, Duration::from_secs(60));
    /// assert_eq!(sticky.strategy().route("session 7"), Some(&"a")); // binds nothing
    /// assert_eq!(sticky.session_count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// Returns a mutable reference to the inner strategy. This is a later view from now on.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let mut sticky = Sticky::new(HashRing::from_nodes(["a"])?, 1_000, Duration::from_secs(60));
    /// sticky.strategy_mut().insert("b")?;
    /// assert_eq!(sticky.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn strategy_mut(&mut self) -> &mut S {
        self.view.generation = self.sessions.next_generation();
        &mut self.strategy
    }

    /// Returns the number of sessions that may be remembered.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a"])?, 1_000, Duration::from_secs(60));
    /// assert_eq!(sticky.capacity(), 1_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn capacity(&self) -> usize {
        self.sessions.capacity()
    }
}

impl<S, C: Clock> Sticky<S, C> {
    /// Returns the first node for which `accept` returns `true`: the session's own node is offered
    /// first, then the others in order. Binds the session to the answer if it is not bound.
    ///
    /// If several threads ask for a new session at the same time, the first one binds it. Each of
    /// the others gets the node that it accepted, this once.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a", "b"])?, 1_000, Duration::from_secs(60));
    /// let node = *sticky.route("session 7").unwrap();
    /// // Its node is down for a moment: a detour, and the session stays bound.
    /// assert_ne!(sticky.route_where("session 7", |other| *other != node), Some(&node));
    /// assert_eq!(sticky.route("session 7"), Some(&node));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a", "b"])?, 1_000, Duration::from_secs(60));
    /// sticky.bind("session 7", "b")?;
    /// assert_eq!(sticky.replicas("session 7", 2), [&"b", &"a"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replicas<K>(&self, session: &K, n: usize) -> Vec<&S::Node>
    where
        S: Strategy,
        K: Key + ?Sized,
    {
        Route::replicas(self, session, n)
    }

    fn home(&self, token: Token) -> Home<'_, S::Node>
    where
        S: Strategy,
    {
        match self.sessions.get(token, self.view) {
            None => Home::None,
            Some(id) => match self.strategy.member(&id) {
                Some(member) => Home::At(member.node),
                None => Home::Gone(id),
            },
        }
    }

    /// Binds a session that has no home to `node`. Returns the identity of another node if the
    /// session is bound to that, by another thread or a later view.
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
            self.sessions.bind(token, id, gone, self.view)
        })
    }
}

/// Where a session is bound.
enum Home<'a, N> {
    None,
    At(&'a N),
    /// To a node that is not a member of this view.
    Gone(Arc<[u8]>),
}

impl<'a, N> Home<'a, N> {
    fn node(&self) -> Option<&'a N> {
        match *self {
            Home::At(node) => Some(node),
            Home::None | Home::Gone(_) => None,
        }
    }

    /// Returns the first node that is accepted: the session's own, if there is one and the strategy
    /// admits it, else the first of the strategy's order.
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

impl<S: Strategy, C: Clock> Strategy for Sticky<S, C> {
    type Node = S::Node;

    /// Offers the session's node first, then the others in the order of the inner strategy. Binds
    /// nothing.
    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        self.home(token).first(&self.strategy, token, accept)
    }

    /// Returns the session's node. Binds the session if it is not bound.
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

routing_verbs!(impl[S: Strategy, C: Clock] Sticky<S, C>, S::Node, example Sticky);
wrapper!(
    Sticky<S, C>,
    S::Node, example Sticky,
    [S: Strategy, C: Clock],
    [S: Membership, C: Clock]
);

/// Shares the sessions, as a view of the same generation.
impl<S: Clone, C> Clone for Sticky<S, C> {
    fn clone(&self) -> Self {
        Sticky {
            strategy: self.strategy.clone(),
            view: self.view,
            sessions: Arc::clone(&self.sessions),
        }
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
