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
    pub const fn new(range: TokenRange, from: Option<N>, to: Option<N>) -> Self {
        Move { range, from, to }
    }

    /// Returns the same move with references to its nodes.
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
    pub fn cloned(self) -> Move<N> {
        Move {
            range: self.range,
            from: self.from.cloned(),
            to: self.to.cloned(),
        }
    }
}
