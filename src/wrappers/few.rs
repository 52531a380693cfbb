//! A list that is stored in place while it is short, and on the heap beyond.

use alloc::vec::Vec;

/// The number of values that a strategy stores without allocating.
const FEW: usize = 16;

/// A list whose first 16 values need no heap.
#[derive(Debug)]
pub(crate) struct Few<T> {
    inline: [Option<T>; FEW],
    len: usize,
    /// All values, if there are more than fit in place.
    heap: Vec<Option<T>>,
}

impl<T: Copy> Few<T> {
    pub(crate) const fn new() -> Self {
        Few {
            inline: [None; FEW],
            len: 0,
            heap: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, value: T) {
        match self.inline.get_mut(self.len) {
            Some(place) => *place = Some(value),
            None => {
                if self.len == FEW {
                    self.heap.extend(self.inline);
                }
                self.heap.push(Some(value));
            }
        }
        self.len += 1;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        let all = if self.len > FEW {
            &self.heap[..]
        } else {
            &self.inline[..self.len]
        };
        all.iter().copied().flatten()
    }

    /// Sorts by a key that is different for every value.
    pub(crate) fn sort_by(&mut self, mut compare: impl FnMut(&T, &T) -> core::cmp::Ordering) {
        let all = if self.len > FEW {
            &mut self.heap[..]
        } else {
            &mut self.inline[..self.len]
        };
        all.sort_unstable_by(|a, b| match (a, b) {
            (Some(a), Some(b)) => compare(a, b),
            _ => a.is_some().cmp(&b.is_some()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_list() {
        let mut few = Few::new();
        for n in 0..40 {
            assert_eq!(few.len(), n);
            assert!(few.iter().eq(0..n));
            few.push(n);
        }
        few.sort_by(|a, b| b.cmp(a));
        assert!(few.iter().eq((0..40).rev()));
    }
}
