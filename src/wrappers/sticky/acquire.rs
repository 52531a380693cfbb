//! Sessions under bounded load: a session's node, if it is below its cap.

use super::Sticky;
use crate::clock::Clock;
use crate::key::Key;
use crate::load::Counted;
use crate::strategy::Strategy;
use crate::wrappers::{Bounded, Lease};

impl<S, C: Clock> Sticky<Bounded<S>, C> {
    /// Reserves a place for one request of this session: on its own node if that is below its cap,
    /// else on the next one in the order that is. Returns `None` only if no node is eligible.
    ///
    /// A session does not pass its node's cap. A request that finds its node full takes a detour,
    /// and the session stays bound.
    ///
    /// # Examples
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
    #[must_use = "the place is given back when the lease is dropped"]
    pub fn acquire<K>(&self, session: &K) -> Option<Lease<'_, S::Node>>
    where
        S: Strategy<Node: Counted>,
        K: Key + ?Sized,
    {
        self.reserve(session, false, |_| true)
    }

    /// Reserves a place as [`acquire`](Sticky::acquire) does, on a node for which `accept` returns
    /// `true`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Sticky, Tracked};
    /// use std::time::Duration;
    ///
    /// let ring = HashRing::from_nodes(["a", "b"].map(Tracked::new))?;
    /// let sticky = Sticky::new(Bounded::new(ring, 1.5)?, 1_000, Duration::from_secs(60));
    /// let lease = sticky.acquire_where("session 7", |node| **node != "a").unwrap();
    /// assert_eq!(**lease, "b");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "the place is given back when the lease is dropped"]
    pub fn acquire_where<'a, K, F>(&'a self, session: &K, accept: F) -> Option<Lease<'a, S::Node>>
    where
        S: Strategy<Node: Counted>,
        K: Key + ?Sized,
        F: FnMut(&'a S::Node) -> bool,
    {
        self.reserve(session, true, accept)
    }

    /// Reserves a place on the session's node or the next. If not `conditional`, `accept` refuses
    /// no node.
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
