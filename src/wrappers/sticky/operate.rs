//! What operators do with sessions: count, end, pin, store and restore them.

use super::{Session, Sticky};
use crate::clock::Clock;
use crate::error::NodeError;
use crate::hash::Token;
use crate::key::Key;
use crate::strategy::Strategy;
use alloc::vec::Vec;

/// Operating. Each of these but `bind`, `bind_token` and `forget` looks at every session, under one
/// shard's lock after the other.
impl<S, C: Clock> Sticky<S, C> {
    /// Returns the number of sessions that are remembered and have not expired. Never more than the
    /// capacity.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a"])?, 1_000, Duration::from_secs(60));
    /// (0..100u32).for_each(|session| drop(sticky.route(&session)));
    /// assert_eq!(sticky.session_count(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(sessions).
    pub fn session_count(&self) -> usize {
        self.sessions.count(self.view)
    }

    /// Returns the number of sessions that are bound to the node with this identity and have not
    /// expired.
    ///
    /// The node need not be a member, so this also counts what is still bound to a removed node.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let mut sticky = Sticky::new(ring, 1_000, Duration::from_secs(60));
    /// (0..100u32).for_each(|session| drop(sticky.route(&session)));
    /// let before = sticky.sessions_on("a");
    /// assert_eq!(before + sticky.sessions_on("b"), 100);
    ///
    /// sticky.drain("a")?; // no new sessions
    /// assert_eq!(sticky.sessions_on("a"), before);
    /// assert_eq!(sticky.release("a"), before); // and none of the old ones
    /// (0..100u32).for_each(|session| assert_eq!(sticky.route(&session), Some(&"b")));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Performance
    /// O(sessions).
    pub fn sessions_on<Q: Key + ?Sized>(&self, id: &Q) -> usize {
        self.sessions.count_on(id.key_bytes().as_ref(), self.view)
    }

    /// Ends the sessions that are bound to the node with this identity. Returns how many there
    /// were, without expired ones.
    ///
    /// The next request of each is a first one. Drain the node before, and wait until no reader
    /// uses an older view, or new sessions are bound to it. A request that looked up its session
    /// before the release may still begin on the node after it: see
    /// [the order of steps](Sticky#clones-and-older-views).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let mut sticky = Sticky::new(ring, 1_000, Duration::from_secs(60));
    /// sticky.bind("session 7", "a")?;
    /// sticky.drain("a")?;
    /// assert_eq!(sticky.release("a"), 1);
    /// assert_eq!(sticky.route("session 7"), Some(&"b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(sessions).
    pub fn release<Q: Key + ?Sized>(&self, id: &Q) -> usize {
        self.sessions.release(id.key_bytes().as_ref(), self.view)
    }

    /// Frees the memory of expired sessions. Returns how many there were.
    ///
    /// An expired session is never used or counted, so this only saves memory. Without it, the
    /// session's next request or a full table frees its place.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::{cell::Cell, time::Duration};
    ///
    /// let time = Cell::new(Duration::ZERO);
    /// let ring = HashRing::from_nodes(["a"])?;
    /// let sticky = Sticky::with_clock(ring, 1_000, Duration::from_secs(60), || time.get());
    /// sticky.route("session 7");
    /// time.set(Duration::from_secs(61));
    /// assert_eq!(sticky.purge(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(sessions).
    pub fn purge(&self) -> usize {
        self.sessions.purge(self.view)
    }

    /// Returns the sessions that have not expired, each at most once and in no particular order.
    ///
    /// They are not a snapshot of one moment: a session that is bound or used in the meantime may
    /// be missing or have its earlier times.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a"])?, 1_000, Duration::from_secs(60));
    /// sticky.route("session 7");
    /// let sessions = sticky.sessions();
    /// assert_eq!((sessions.len(), sessions[0].token), (1, sticky.token("session 7")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(sessions), and a copy of each.
    pub fn sessions(&self) -> Vec<Session> {
        self.sessions.list(self.view)
    }

    /// Restores sessions with their ages and idle times. Returns how many were restored.
    ///
    /// - An expired session is not restored.
    /// - A session that is bound already keeps its node and its times.
    /// - If there is no room for all, the most recently used ones are restored. No session is
    ///   evicted.
    /// - **A session of a node that is not a member is restored too**, as members may join later.
    ///   If its node has not joined by its next request, that request binds it to another node.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let ring = HashRing::from_nodes(["a", "b", "c"])?;
    /// let hour = Duration::from_secs(3600);
    /// let before = Sticky::new(ring.clone(), 1_000, hour);
    /// before.bind("session 7", "b")?;
    /// let stored = before.sessions();
    ///
    /// // After a restart:
    /// let after = Sticky::new(ring, 1_000, hour);
    /// assert_eq!(after.restore_sessions(stored), 1);
    /// assert_eq!(after.route("session 7"), Some(&"b"));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn restore_sessions(&self, sessions: impl IntoIterator<Item = Session>) -> usize {
        let sessions = sessions.into_iter().collect();
        self.sessions.restore(sessions, self.view)
    }
}

impl<S: Strategy, C: Clock> Sticky<S, C> {
    /// Binds a session to the member with this identity, also if it is bound to another one. Its
    /// age starts again.
    ///
    /// The node may be drained. With a capacity, a time to live or a maximum age of 0 nothing is
    /// bound.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a", "b"])?, 1_000, Duration::from_secs(60));
    /// sticky.bind("session 7", "b")?;
    /// assert_eq!(sticky.route("session 7"), Some(&"b"));
    /// assert!(sticky.bind("session 7", "z").is_err()); // not a member
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NodeError::Unknown`] if no member has this identity. The session is unchanged then.
    pub fn bind<K, Q>(&self, session: &K, id: &Q) -> Result<(), NodeError>
    where
        K: Key + ?Sized,
        Q: Key + ?Sized,
    {
        self.bind_token(self.token(session), id)
    }

    /// Binds the session of a token to the member with this identity, as [`bind`](Sticky::bind)
    /// does.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a", "b"])?, 1_000, Duration::from_secs(60));
    /// sticky.bind_token(sticky.token("session 7"), "b")?;
    /// assert_eq!(sticky.route("session 7"), Some(&"b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`bind`](Sticky::bind).
    pub fn bind_token<Q: Key + ?Sized>(&self, session: Token, id: &Q) -> Result<(), NodeError> {
        let bytes = id.key_bytes();
        let id = bytes.as_ref();
        if self.strategy.member(id).is_none() {
            return Err(NodeError::unknown(id));
        }
        self.sessions.rebind(session, id, self.view);
        Ok(())
    }

    /// Forgets a session, for example at a log-out. Its next request is a first one.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a", "b"])?, 1_000, Duration::from_secs(60));
    /// sticky.route("session 7");
    /// sticky.forget("session 7"); // logged out
    /// assert_eq!(sticky.session_count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forget<K: Key + ?Sized>(&self, session: &K) {
        self.sessions.forget(self.token(session));
    }
}
