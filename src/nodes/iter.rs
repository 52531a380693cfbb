//! Iterators over the nodes and members of a strategy.

use super::{Entry, Member, NodeSet};
use core::iter::FusedIterator;

/// An iterator over the nodes of a strategy in order of identity; see
/// [`nodes`](crate::HashRing::nodes).
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_nodes(["b", "a"])?;
/// let nodes: clockwise::nodes::Nodes<'_, &str> = ring.nodes();
/// assert!(nodes.copied().eq(["a", "b"])); // in order of identity
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Nodes<'a, N>(Members<'a, N>);

/// An iterator over the members of a strategy in order of identity; see
/// [`members`](crate::HashRing::members).
///
/// # Examples
/// ```
/// let mut ring = clockwise::HashRing::from_nodes(["a", "b"])?;
/// ring.drain("b")?;
/// let members: clockwise::nodes::Members<'_, &str> = ring.members();
/// assert_eq!(members.filter(|member| member.drained).count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Members<'a, N>(core::slice::Iter<'a, Entry<N>>);

impl<'a, N> Members<'a, N> {
    pub(crate) fn of(entries: &'a [Entry<N>]) -> Self {
        Members(entries.iter())
    }
}

impl<N> NodeSet<N> {
    pub(crate) fn members(&self) -> Members<'_, N> {
        Members::of(&self.entries)
    }

    pub(crate) fn nodes(&self) -> Nodes<'_, N> {
        Nodes(self.members())
    }
}

impl<N> Clone for Members<'_, N> {
    fn clone(&self) -> Self {
        Members(self.0.clone())
    }
}

impl<'a, N> Iterator for Members<'a, N> {
    type Item = Member<'a, N>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Entry::member)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<N> DoubleEndedIterator for Members<'_, N> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(Entry::member)
    }
}

impl<N> ExactSizeIterator for Members<'_, N> {}
impl<N> FusedIterator for Members<'_, N> {}

impl<N> Clone for Nodes<'_, N> {
    fn clone(&self) -> Self {
        Nodes(self.0.clone())
    }
}

impl<'a, N> Iterator for Nodes<'a, N> {
    type Item = &'a N;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|member| member.node)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<N> DoubleEndedIterator for Nodes<'_, N> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|member| member.node)
    }
}

impl<N> ExactSizeIterator for Nodes<'_, N> {}
impl<N> FusedIterator for Nodes<'_, N> {}
