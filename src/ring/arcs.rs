//! The arcs of the circle and their owners.

use super::points::Points;
use crate::hash::{Token, TokenRange};
use crate::nodes::NodeSet;
use alloc::{vec, vec::Vec};
use core::fmt;
use core::iter::FusedIterator;

/// A range of tokens that one node owns; see [`HashRing::arcs`](crate::HashRing::arcs).
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
/// let arc = ring.arcs().next().unwrap();
/// assert_eq!(ring.route_token(arc.range.first()), Some(arc.node));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingArc<'a, N> {
    /// The tokens.
    pub range: TokenRange,
    /// The owner.
    pub node: &'a N,
}

impl<N> Clone for RingArc<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for RingArc<'_, N> {}

/// An iterator over the arcs of a ring; see [`arcs`](crate::HashRing::arcs).
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
/// let of_a: u128 = ring.arcs().filter(|arc| *arc.node == "a").map(|arc| arc.range.len()).sum();
/// assert_eq!(Some(of_a), ring.measure("a"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "iterators are lazy"]
pub struct Arcs<'a, N> {
    nodes: &'a NodeSet<N>,
    spans: Spans<'a>,
}

impl<'a, N> Arcs<'a, N> {
    pub(super) fn new(nodes: &'a NodeSet<N>, points: &'a Points) -> Self {
        Arcs {
            nodes,
            spans: Spans::new(points),
        }
    }
}

impl<'a, N> Iterator for Arcs<'a, N> {
    type Item = RingArc<'a, N>;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, last, owner) = self.spans.next()?;
        Some(RingArc {
            range: TokenRange::new(Token::new(first), Token::new(last))?,
            node: self.nodes.node(owner),
        })
    }
}

impl<N> FusedIterator for Arcs<'_, N> {}

impl<N> Clone for Arcs<'_, N> {
    fn clone(&self) -> Self {
        Arcs {
            nodes: self.nodes,
            spans: self.spans.clone(),
        }
    }
}

impl<N> fmt::Debug for Arcs<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arcs").finish_non_exhaustive()
    }
}

/// An iterator over the first token, the last token and the owner of each arc.
#[derive(Clone)]
struct Spans<'a> {
    points: &'a Points,
    at: usize,
    /// The start of the next span; `None` once `u64::MAX` is covered.
    first: Option<u64>,
}

impl<'a> Spans<'a> {
    fn new(points: &'a Points) -> Self {
        Spans {
            points,
            at: 0,
            first: (points.len() > 0).then_some(0),
        }
    }

    /// Returns the owner of tokens up to the point at `at`. Past the last point it is the first
    /// point's owner.
    fn owner(&self) -> u32 {
        self.points.owner(if self.at < self.points.len() {
            self.at
        } else {
            0
        })
    }
}

impl Iterator for Spans<'_> {
    type Item = (u64, u64, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.first?;
        let owner = self.owner();
        let last = loop {
            if self.at == self.points.len() {
                break u64::MAX;
            }
            let token = self.points.token(self.at);
            // If several points have one token, the first owns it and the others own nothing.
            while self.at < self.points.len() && self.points.token(self.at) == token {
                self.at += 1;
            }
            if token == u64::MAX || self.owner() != owner {
                break token;
            }
        };
        self.first = last.checked_add(1);
        Some((first, last, owner))
    }
}

fn measure(first: u64, last: u64) -> u128 {
    u128::from(last - first) + 1
}

/// Returns the number of tokens that each rank owns.
pub(super) fn measures(points: &Points, ranks: usize) -> Vec<u128> {
    let mut measures = vec![0; ranks];
    for (first, last, owner) in Spans::new(points) {
        measures[owner as usize] += measure(first, last);
    }
    measures
}
