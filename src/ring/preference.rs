//! A key's order of preference on a ring.

use super::points::Walk;
use crate::nodes::NodeSet;
use alloc::{vec, vec::Vec};
use core::fmt;
use core::iter::FusedIterator;

/// The eligible nodes in a key's order of preference, each once; see [`preference`](crate::HashRing::preference).
#[must_use = "a preference is lazy"]
pub struct Preference<'a, N> {
    nodes: &'a NodeSet<N>,
    walk: Walk<'a>,
    seen: Seen,
    /// Eligible nodes not seen yet. Each has a point, so while there are some the walk meets one.
    left: usize,
}

impl<'a, N> Preference<'a, N> {
    #[inline]
    pub(super) fn new(nodes: &'a NodeSet<N>, walk: Walk<'a>) -> Self {
        Preference {
            nodes,
            walk,
            seen: Seen::new(),
            left: nodes.eligible(),
        }
    }
}

impl<'a, N> Iterator for Preference<'a, N> {
    type Item = &'a N;

    #[inline]
    fn next(&mut self) -> Option<&'a N> {
        if self.left == 0 {
            return None;
        }
        let nodes = self.nodes;
        let owner = self
            .walk
            .find(|&owner| self.seen.is_new(owner, nodes.len()))?;
        self.left -= 1;
        Some(nodes.node(owner))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<N> ExactSizeIterator for Preference<'_, N> {}
impl<N> FusedIterator for Preference<'_, N> {}

impl<N> Clone for Preference<'_, N> {
    fn clone(&self) -> Self {
        Preference {
            nodes: self.nodes,
            walk: self.walk.clone(),
            seen: self.seen.clone(),
            left: self.left,
        }
    }
}

/// Shows how many nodes are left.
impl<N> fmt::Debug for Preference<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preference")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// Owners seen: the first 17 in place, so that 16 can be refused and one taken without allocating; all in a bitmap once there are
/// more.
#[derive(Clone)]
pub(crate) struct Seen {
    few: [u32; Seen::FEW],
    count: usize,
    many: Vec<u64>,
}

impl Seen {
    const FEW: usize = 17;

    #[inline]
    pub(crate) fn new() -> Self {
        Seen {
            few: [0; Seen::FEW],
            count: 0,
            many: Vec::new(),
        }
    }

    /// Notes `owner`, one of `owners`. Whether it was not seen before.
    #[inline]
    pub(crate) fn is_new(&mut self, owner: u32, owners: usize) -> bool {
        if self.count > Seen::FEW {
            return self.is_new_of_many(owner);
        }
        // Not `contains`, which is made for long slices: a fifth more instructions for three replicas.
        #[allow(clippy::manual_contains)]
        if self.few[..self.count].iter().any(|&seen| seen == owner) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(place) => *place = owner,
            None => {
                self.many = vec![0; owners.div_ceil(64)];
                for i in 0..Seen::FEW {
                    self.is_new_of_many(self.few[i]);
                }
                self.is_new_of_many(owner);
            }
        }
        self.count += 1;
        true
    }

    fn is_new_of_many(&mut self, owner: u32) -> bool {
        let (word, bit) = (&mut self.many[owner as usize / 64], 1 << (owner % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
