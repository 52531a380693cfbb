//! [`Zones`]: how many zones there are, and how many of them are of which size.

use crate::key::Key;
use crate::strategy::Strategy;
use alloc::{boxed::Box, vec::Vec};

/// How many zones have at least so many eligible nodes. That is enough to tell when all nodes of
/// one rank have been met, so no zone is stored.
#[derive(Debug, Clone)]
pub(crate) struct Zones {
    /// By rank: the number of zones that have a node of this rank, counted from 0.
    deeper: Vec<usize>,
    /// The identity of the node that is alone in its zone, if there is exactly one such zone. With
    /// several, the last of them is met late in any walk, so knowing it would save little.
    lone: Option<Box<[u8]>>,
}

/// Which members are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Those that are not drained. If there is a filter inside, these are more than are offered.
    Eligible,
    /// Those that are not drained and pass the filters inside now.
    Admitted,
}

impl Zones {
    /// Counts the members by zone. O(N × zones).
    pub(crate) fn of<'a, S, Z>(
        strategy: &'a S,
        zone: &mut impl FnMut(&'a S::Node) -> Z,
        count: Count,
    ) -> Self
    where
        S: Strategy + ?Sized,
        Z: PartialEq,
    {
        let mut zones: Vec<(Z, usize, &S::Node)> = Vec::new();
        strategy.for_each_eligible(&mut |member| {
            if count == Count::Admitted && !strategy.admits(member.node) {
                return;
            }
            let zone = zone(member.node);
            match zones.iter_mut().find(|(known, ..)| *known == zone) {
                Some((_, size, _)) => *size += 1,
                None => zones.push((zone, 1, member.node)),
            }
        });
        let largest = zones.iter().map(|&(_, size, _)| size).max().unwrap_or(0);
        let mut deeper = alloc::vec![0; largest];
        for &(_, size, _) in &zones {
            deeper[size - 1] += 1;
        }
        for rank in (1..largest).rev() {
            deeper[rank - 1] += deeper[rank];
        }
        let mut alone = zones.iter().filter(|&&(_, size, _)| size == 1);
        let lone = match (alone.next(), alone.next()) {
            (Some(&(_, _, node)), None) => Some(match strategy.identity_of(node) {
                Some(id) => id.into(),
                None => node.key_bytes().as_ref().into(),
            }),
            _ => None,
        };
        Zones { deeper, lone }
    }

    /// Returns how many zones have a node of this rank. Returns `None` if none has.
    #[inline]
    pub(super) fn with_rank(&self, rank: usize) -> Option<usize> {
        self.deeper.get(rank).copied()
    }

    #[inline]
    pub(super) fn lone(&self) -> Option<&[u8]> {
        self.lone.as_deref()
    }
}
