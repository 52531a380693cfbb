//! [`Move`]: a range of tokens that moves from one node to another.

use crate::hash::TokenRange;

/// A range of tokens that moves from one node to another.
///
/// [`Migration::moves`](super::Migration::moves) yields `Move<&N>`, and
/// [`Plan::start`](super::Plan::start) returns `Move<N>`. A move is identified by its range, its
/// giver and its taker, so it can be sent to another process and back (`Serialize` and
/// `Deserialize` with the feature `serde`).
///
/// # Examples
/// ```
/// use clockwise::HashRing;
///
/// let old = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut new = old.clone();
/// new.insert("d")?;
///
/// let migration = old.diff(&new)?;
/// let first = migration.moves().next().unwrap();
/// assert_eq!(first.to, Some(&"d"));
/// assert_eq!(new.route_token(first.range.first()), first.to);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Move<N> {
    /// The tokens that move.
    pub range: TokenRange,
    /// The node that has the tokens on the old side, as the old side knows it.
    ///
    /// `None` if the old side has no eligible node, or if the replica set grows. Any member that
    /// stays can give a copy then; see [`Epochs`](super::Epochs) for systems with quorums.
    pub from: Option<N>,
    /// The node that has the tokens on the new side, as the new side knows it.
    ///
    /// `None` if the new side has no eligible node, or if the replica set shrinks. There is nothing
    /// to copy then.
    pub to: Option<N>,
}

impl<N> Move<N> {
    /// Creates a move, for example from parts that another process sent.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Move, TokenRange};
    ///
    /// let m = Move::new(TokenRange::ALL, Some("a"), Some("b")); // from what a worker sent
    /// assert_eq!((m.from, m.to), (Some("a"), Some("b")));
    /// ```
    pub const fn new(range: TokenRange, from: Option<N>, to: Option<N>) -> Self {
        Move { range, from, to }
    }

    /// Returns the same move with references to its nodes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Move, TokenRange};
    ///
    /// let m = Move::new(TokenRange::ALL, Some(String::from("a")), None);
    /// assert_eq!(m.as_ref().from.map(String::as_str), Some("a"));
    /// ```
    pub const fn as_ref(&self) -> Move<&N> {
        Move {
            range: self.range,
            from: self.from.as_ref(),
            to: self.to.as_ref(),
        }
    }
}

impl<N: Clone> Move<&N> {
    /// Returns the same move with clones of its nodes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Move};
    ///
    /// let old = HashRing::from_nodes(["a", "b"].map(String::from))?;
    /// let mut new = old.clone();
    /// new.insert("c".into())?;
    /// let moves: Vec<Move<String>> = old.diff(&new)?.moves().map(Move::cloned).collect();
    /// drop((old, new)); // the moves own their nodes
    /// assert_eq!(moves[0].to.as_deref(), Some("c"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cloned(self) -> Move<N> {
        Move {
            range: self.range,
            from: self.from.cloned(),
            to: self.to.cloned(),
        }
    }
}
