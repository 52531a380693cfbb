//! A key's order of preference on a ring.

use super::points::Walk;
use alloc::{vec, vec::Vec};

/// The owners of the points from a token on, each once.
#[derive(Clone)]
pub(crate) struct Walked<'a> {
    walk: Walk<'a>,
    seen: Seen,
}

impl<'a> Walked<'a> {
    #[inline]
    pub(crate) fn new(walk: Walk<'a>) -> Self {
        Walked {
            walk,
            seen: Seen::new(),
        }
    }

    /// Returns the rank of the next node, out of so many members. To be called only while an
    /// eligible node is left: each has a point, so the walk meets one.
    #[inline]
    pub(crate) fn next(&mut self, members: usize) -> Option<u32> {
        let seen = &mut self.seen;
        self.walk.find(|&owner| seen.is_new(owner, members))
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
