//! Remembers which owners a walk along a ring has met.

use alloc::{vec, vec::Vec};

/// The owners that were seen. The first 17 are stored in place, so that 16 can be refused and one
/// taken without allocating. If there are more, all are in a bitmap.
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

    /// Returns `true` if `owner`, one of `owners`, was not seen before, and remembers it.
    // Inlined: a call would cost a third of the instructions of a step. The rare part is not.
    #[inline]
    pub(crate) fn is_new(&mut self, owner: u32, owners: usize) -> bool {
        if self.count >= Seen::FEW {
            return self.is_new_after_few(owner, owners);
        }
        // This is not `contains`, which is made for long slices: it takes a fifth more instructions
        // for three.
        #[allow(clippy::manual_contains)]
        if self.few[..self.count].iter().any(|&seen| seen == owner) {
            return false;
        }
        self.few[self.count] = owner;
        self.count += 1;
        true
    }

    #[cold]
    #[inline(never)]
    fn is_new_after_few(&mut self, owner: u32, owners: usize) -> bool {
        if self.count == Seen::FEW {
            if self.few.contains(&owner) {
                return false;
            }
            self.many = vec![0; owners.div_ceil(64)];
            for i in 0..Seen::FEW {
                self.is_new_of_many(self.few[i]);
            }
            self.count += 1;
        }
        self.is_new_of_many(owner)
    }

    fn is_new_of_many(&mut self, owner: u32) -> bool {
        let (word, bit) = (&mut self.many[owner as usize / 64], 1 << (owner % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
