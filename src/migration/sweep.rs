//! The difference of two placements, in one sweep round the circle. Knows ranks and places only, no
//! nodes.

use super::union::Places;
use alloc::vec::Vec;

/// Instead of a place: there is no node on this side.
pub(super) const NOBODY: u32 = u32::MAX;

/// Tokens `first` to `last`, both included, go from one place to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Step {
    pub(super) fn measure(&self) -> u128 {
        super::measure(self.first, self.last)
    }
}

/// Returns where the owners of two placements differ. The ranges are ascending and disjoint, with
/// the ranks of their owners on either side. Tokens that are in none of them do not differ.
///
/// # Performance
/// O(ranges).
pub(super) fn between_owners(
    places: &Places,
    ranges: impl Iterator<Item = (u64, u64, Option<u32>, Option<u32>)>,
) -> Vec<Step> {
    let mut steps = Steps::default();
    for (first, last, from, to) in ranges {
        steps.add(places, (first, last), from.as_slice(), to.as_slice());
    }
    steps.steps
}

/// Returns where the sets of two sequences of spans differ, and which member is replaced by which:
/// the i-th that leaves a set by the i-th that joins it, each in the order of its set.
///
/// Spans are ascending, without a gap, from 0 to MAX. An empty sequence means the empty set
/// everywhere. The steps are in ascending order, and the ranges of two of them are equal or
/// disjoint. Neighbours with the same replacements are merged.
///
/// # Performance
/// One pass over both. Each set is compared with its counterpart, in O(n²) for sets of n.
pub(super) fn between_sets<A: AsRef<[u32]>, B: AsRef<[u32]>>(
    places: &Places,
    mut old: impl Iterator<Item = (u64, u64, A)>,
    mut new: impl Iterator<Item = (u64, u64, B)>,
) -> Vec<Step> {
    let mut steps = Steps::default();
    let (mut left, mut right) = (old.next(), new.next());
    let mut first = 0;
    loop {
        let (left_last, leaving) = open(left.as_ref());
        let (right_last, joining) = open(right.as_ref());
        let last = left_last.min(right_last);
        steps.add(places, (first, last), leaving, joining);
        let Some(next) = last.checked_add(1) else {
            return steps.steps;
        };
        first = next;
        if left_last == last {
            left = old.next();
        }
        if right_last == last {
            right = new.next();
        }
    }
}

fn open<S: AsRef<[u32]>>(span: Option<&(u64, u64, S)>) -> (u64, &[u32]) {
    span.map_or((u64::MAX, &[]), |(_, last, set)| (*last, set.as_ref()))
}

/// Steps so far.
#[derive(Default)]
struct Steps {
    steps: Vec<Step>,
    /// The position of the first step of the latest range.
    latest: usize,
}

impl Steps {
    /// Adds a range whose set was `old` and will be `new`, both by rank. Merges it into the latest
    /// one if it only continues that.
    #[inline]
    fn add(&mut self, places: &Places, (first, last): (u64, u64), old: &[u32], new: &[u32]) {
        let begin = self.steps.len();
        let old = || old.iter().map(|&rank| places.old[rank as usize]);
        let new = || new.iter().map(|&rank| places.new[rank as usize]);
        let mut leaving = old().filter(|&place| !new().any(|other| other == place));
        let mut joining = new().filter(|&place| !old().any(|other| other == place));
        loop {
            let (from, to) = match (leaving.next(), joining.next()) {
                (None, None) => break,
                (from, to) => (from.unwrap_or(NOBODY), to.unwrap_or(NOBODY)),
            };
            self.steps.push(Step {
                first,
                last,
                from,
                to,
            });
        }
        let (earlier, added) = self.steps[self.latest..].split_at(begin - self.latest);
        let continued = earlier.len() == added.len()
            && earlier.iter().zip(added).all(|(a, b)| {
                a.last.checked_add(1) == Some(b.first) && (a.from, a.to) == (b.from, b.to)
            });
        if continued {
            self.steps.truncate(begin);
            for step in &mut self.steps[self.latest..] {
                step.last = last;
            }
        } else if begin < self.steps.len() {
            self.latest = begin;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn step(first: u64, last: u64, from: u32, to: u32) -> Step {
        Step {
            first,
            last,
            from,
            to,
        }
    }

    fn places(count: u32) -> Places {
        Places {
            old: (0..count).collect(),
            new: (0..count).collect(),
        }
    }

    #[test]
    fn neighbours_are_merged_and_the_empty_side_is_nobody() {
        const MAX: u64 = u64::MAX;
        let old = [(0, 9, [0]), (10, 19, [0]), (20, MAX, [1])];
        let new = [(0, 4, [1]), (5, 14, [1]), (15, MAX, [0])];
        assert_eq!(
            between_sets(&places(3), old.into_iter(), new.into_iter()),
            [step(0, 14, 0, 1), step(20, MAX, 1, 0)]
        );
        let none = core::iter::empty::<(u64, u64, [u32; 1])>;
        assert_eq!(between_sets(&places(0), none(), none()), []);
        assert_eq!(
            between_sets(&places(3), none(), new.into_iter()),
            [step(0, 14, NOBODY, 1), step(15, MAX, NOBODY, 0)]
        );
    }

    #[test]
    fn a_gap_in_the_ranges_does_not_differ_and_is_not_merged_over() {
        let ranges = [
            (0, 4, Some(0), Some(1)),
            (5, 6, Some(0), Some(1)),
            (7, 7, Some(2), Some(2)),
            (8, 9, Some(0), Some(1)),
            (20, 29, Some(0), Some(1)),
            (30, 39, None, Some(1)),
        ];
        assert_eq!(
            between_owners(&places(3), ranges.into_iter()),
            [
                step(0, 6, 0, 1),
                step(8, 9, 0, 1),
                step(20, 29, 0, 1),
                step(30, 39, NOBODY, 1)
            ]
        );
    }

    #[test]
    fn of_a_set_only_what_is_replaced_moves() {
        let old = [(0, 99, vec![0, 1, 2]), (100, u64::MAX, vec![0, 1])];
        let new = [(0, u64::MAX, vec![3, 2, 0])];
        assert_eq!(
            between_sets(&places(4), old.into_iter(), new.into_iter()),
            [
                step(0, 99, 1, 3),
                step(100, u64::MAX, 1, 3),
                step(100, u64::MAX, NOBODY, 2)
            ]
        );
    }
}
