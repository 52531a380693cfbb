//! [`Explanation`]: why a key belongs to its owner.

use super::CIRCLE;
use crate::error::readable;
use crate::hash::Token;
use crate::nodes::NodeSet;
use alloc::{vec, vec::Vec};
use core::fmt;

/// Preferences shown after the owner.
const NEXT: usize = 3;

/// The reason why a key belongs to its owner: the walk clockwise from its token, with the first
/// point of each node that the walk meets.
///
/// Returned by [`HashRing::explain`](crate::HashRing::explain) and
/// [`explain_where`](crate::HashRing::explain_where). Prints as a few lines for a log or a ticket.
///
/// # Examples
/// ```
/// let mut ring = clockwise::HashRing::from_nodes(["a", "b", "c", "d"])?;
/// let first = *ring.route("user:42").unwrap();
/// ring.drain(first)?;
///
/// let why = ring.explain("user:42");
/// assert_eq!(why.owner(), ring.route("user:42"));
/// assert_eq!(why.passed_over().map(|stop| *stop.node).collect::<Vec<_>>(), [first]); // drained
/// println!("{why}");
/// // key `user:42`, 7 bytes, token 0x9fc1e605fa7174aa
/// // passed over `b`: drained; its virtual node 146 of 512 at 0x9fdade1c69648f75, 0.0381 % of the circle on
/// // owner `c`: its virtual node 113 of 512 at 0x9fdd06412f5b701e, 0.0414 % of the circle on
/// // next `d`, `a`
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'a, N> {
    key: Vec<u8>,
    token: Token,
    stops: Vec<Stop<'a, N>>,
}

/// The first point of a node on the walk; see [`Explanation::stops`].
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
/// let why = ring.explain("user:42");
/// let stop = why.decides().unwrap();
/// println!("virtual node {:?} of {}, at {}", stop.virtual_node, stop.points, stop.point);
/// assert_eq!(stop.points, 512);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stop<'a, N> {
    /// The node.
    pub node: &'a N,
    /// Its first point at or after the key's token, clockwise.
    pub point: Token,
    /// The index of that point among the node's points, or the lowest if several fall on one token.
    /// `None` if the hasher returns another point now, which breaks its contract.
    pub virtual_node: Option<u32>,
    /// The number of its points.
    pub points: u32,
    /// What the walk did with the node.
    pub verdict: Verdict,
    identity: &'a [u8],
}

/// What the walk did with a node.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, migration::Verdict};
///
/// let mut ring = HashRing::from_nodes(["a", "b"])?;
/// let usual = *ring.route("user:42").unwrap();
/// ring.drain(usual)?;
/// let why = ring.explain("user:42");
/// assert_eq!(why.stops()[0].verdict, Verdict::Drained);
/// assert_eq!(why.stops()[1].verdict, Verdict::Owner);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It owns the key.
    Owner,
    /// It would own the key if those before it did not.
    Next,
    /// It is a member, but drained.
    Drained,
    /// The caller did not accept it.
    Refused,
}

impl<N> Clone for Stop<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Stop<'_, N> {}

/// What an explanation needs to know about a circle of points.
pub(crate) struct Circle<'a, N, W, P> {
    pub(crate) nodes: &'a NodeSet<N>,
    /// Tokens and owners of the points of eligible nodes, clockwise from the key's token, each
    /// once.
    pub(crate) walk: W,
    /// The tokens of a node's points by rank, in order of their index; also of a drained node.
    pub(crate) points_of: P,
}

impl<'a, N, W, P> Circle<'a, N, W, P>
where
    W: Iterator<Item = (u64, u32)>,
    P: Fn(u32) -> Vec<u64>,
{
    /// O(points passed + points of drained nodes + points of each node that is shown).
    pub(crate) fn explain(
        self,
        key: &[u8],
        token: Token,
        mut accept: impl FnMut(&'a N) -> bool,
    ) -> Explanation<'a, N> {
        let entries = self.nodes.entries();
        let distance = |point: u64| point.wrapping_sub(token.get());
        let mut seen = vec![false; entries.len()];
        // Clockwise distance, rank, verdict.
        let mut met: Vec<(u64, u32, Verdict)> = Vec::new();
        let mut accepted = 0;
        for (point, rank) in self.walk {
            if core::mem::replace(&mut seen[rank as usize], true) {
                continue;
            }
            let verdict = match (accept(&entries[rank as usize].node), accepted) {
                (false, _) => Verdict::Refused,
                (true, 0) => Verdict::Owner,
                (true, _) => Verdict::Next,
            };
            accepted += usize::from(verdict != Verdict::Refused);
            met.push((distance(point), rank, verdict));
            if accepted > NEXT {
                break;
            }
        }
        let end = met.last().filter(|_| accepted > NEXT).copied();
        for (rank, _) in (0..).zip(entries).filter(|(_, entry)| entry.drained) {
            let nearest = (self.points_of)(rank).into_iter().map(distance).min();
            let reached = |&near: &u64| end.is_none_or(|end| (near, rank) < (end.0, end.1));
            met.extend(
                nearest
                    .filter(reached)
                    .map(|near| (near, rank, Verdict::Drained)),
            );
        }
        met.sort_unstable_by_key(|&(distance, rank, _)| (distance, rank));
        let stops = met.into_iter().map(|(distance, rank, verdict)| {
            let entry = &entries[rank as usize];
            let point = token.get().wrapping_add(distance);
            let points = (self.points_of)(rank);
            let virtual_node = points.iter().position(|&other| other == point);
            Stop {
                node: &entry.node,
                point: Token::new(point),
                virtual_node: virtual_node.map(|index| index as u32),
                points: points.len() as u32,
                verdict,
                identity: &entry.identity,
            }
        });
        Explanation {
            key: key.into(),
            token,
            stops: stops.collect(),
        }
    }
}

impl<'a, N> Explanation<'a, N> {
    /// Returns the key's bytes.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.explain("user:42").key(), b"user:42");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Returns the key's token.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.explain("user:42").token(), ring.token("user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn token(&self) -> Token {
        self.token
    }

    /// Returns the first point of each node on the walk, in order, up to the third preference after
    /// the owner.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let why = ring.explain("user:42");
    /// let nodes: Vec<_> = why.stops().iter().map(|stop| stop.node).collect();
    /// assert_eq!(nodes, ring.replicas("user:42", 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stops(&self) -> &[Stop<'a, N>] {
        &self.stops
    }

    /// Returns the node that owns the key. Returns `None` if no node is eligible and accepted.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.explain("user:42").owner(), ring.route("user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn owner(&self) -> Option<&'a N> {
        self.decides().map(|stop| stop.node)
    }

    /// Returns the point that decides: the owner's first one at or after the token.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let why = ring.explain("user:42");
    /// let stop = why.decides().unwrap();
    /// assert_eq!(ring.route_token(stop.point), why.owner()); // the point itself is the owner's
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decides(&self) -> Option<&Stop<'a, N>> {
        self.stops
            .iter()
            .find(|stop| stop.verdict == Verdict::Owner)
    }

    /// Returns the preferences after the owner, at most 3.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let why = ring.explain("user:42");
    /// assert!(why.next_preferences().eq(ring.preference("user:42").skip(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_preferences(&self) -> impl Iterator<Item = &'a N> {
        let next = self
            .stops
            .iter()
            .filter(|stop| stop.verdict == Verdict::Next);
        next.map(|stop| stop.node)
    }

    /// Returns the nodes that would own the key if they were not drained or refused, in order.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.explain("user:42").passed_over().count(), 0); // none is drained
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn passed_over(&self) -> impl Iterator<Item = &Stop<'a, N>> {
        self.stops
            .iter()
            .take_while(|stop| stop.verdict != Verdict::Owner)
    }
}

impl<N> fmt::Display for Explanation<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Lines for those passed over.
        const PASSED: usize = 8;
        let stop = |f: &mut fmt::Formatter<'_>, stop: &Stop<'_, N>| {
            let on = stop.point.get().wrapping_sub(self.token.get());
            let percent = 100.0 * on as f64 / CIRCLE;
            let (points, point) = (stop.points, stop.point.get());
            match stop.virtual_node {
                Some(number) => write!(f, "its virtual node {number} of {points} at ")?,
                None => write!(f, "its point at ")?,
            }
            write!(f, "{point:#018x}, {percent:.4} % of the circle on")
        };
        let (key, bytes, token) = (readable(&self.key), self.key.len(), self.token.get());
        write!(f, "key `{key}`, {bytes} bytes, token {token:#018x}")?;
        for passed in self.passed_over().take(PASSED) {
            let why = match passed.verdict {
                Verdict::Drained => "drained",
                _ => "refused by the caller",
            };
            write!(f, "\npassed over `{}`: {why}; ", readable(passed.identity))?;
            stop(f, passed)?;
        }
        let more = self.passed_over().count().saturating_sub(PASSED);
        if more > 0 {
            write!(f, "\npassed over {more} more nodes")?;
        }
        let Some(owner) = self.decides() else {
            return write!(f, "\nno owner: no node is eligible and accepted");
        };
        write!(f, "\nowner `{}`: ", readable(owner.identity))?;
        stop(f, owner)?;
        let next = self
            .stops
            .iter()
            .filter(|stop| stop.verdict == Verdict::Next);
        for (i, stop) in next.enumerate() {
            let before = if i == 0 { "\nnext " } else { ", " };
            write!(f, "{before}`{}`", readable(stop.identity))?;
        }
        Ok(())
    }
}
