//! [`Session`]: one session of a table, to be stored and restored.

use crate::hash::Token;
use alloc::vec::Vec;
use core::time::Duration;

/// A session of a [`Sticky`](crate::Sticky) strategy: which node it is bound to, and for how long.
///
/// Returned by [`Sticky::sessions`](crate::Sticky::sessions), and taken back by
/// [`Sticky::restore_sessions`](crate::Sticky::restore_sessions). It holds no key, only the key's
/// token. Restoring is the same in another process if that hashes keys with the same hasher.
///
/// With the feature `serde` a token is written as 16 hexadecimal digits, an identity as two for
/// each byte.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, Sticky, wrappers::Session};
/// use std::time::Duration;
///
/// let sticky = Sticky::new(HashRing::from_nodes(["a"])?, 1_000, Duration::from_secs(60));
/// sticky.route("session 7");
/// let stored: Vec<Session> = sticky.sessions();
/// assert_eq!(stored[0].node, b"a");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Session {
    /// The token of the session's key.
    pub token: Token,
    /// The identity of the node that the session is bound to.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::bytes"))]
    pub node: Vec<u8>,
    /// The time since the session was last used.
    pub idle: Duration,
    /// The time since the session was bound to this node.
    pub age: Duration,
}

impl Session {
    /// Creates a session that is bound to the node with the identity `node`, was bound `age` ago
    /// and was last used `idle` ago.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Sticky, wrappers::Session};
    /// use std::time::Duration;
    ///
    /// let sticky = Sticky::new(HashRing::from_nodes(["a", "b"])?, 1_000, Duration::from_secs(60));
    /// let (token, now) = (sticky.token("session 7"), Duration::ZERO);
    /// let session = Session::new(token, *b"b", now, now);
    /// sticky.restore_sessions([session]); // such as from another system's table
    /// assert_eq!(sticky.route("session 7"), Some(&"b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(token: Token, node: impl Into<Vec<u8>>, idle: Duration, age: Duration) -> Self {
        Session {
            token,
            node: node.into(),
            idle,
            age,
        }
    }
}
