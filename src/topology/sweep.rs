//! The difference of two sequences of spans, in one sweep round the circle. Knows places only, no nodes.

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

/// Where the sets of two sequences of spans differ, and which member is replaced by which: the i-th that leaves a set by the i-th
/// that joins it, each in the order of its set.
///
/// Spans are ascending, without gap, from 0 to MAX; an empty sequence stands for the empty set everywhere. The steps come in ascending
/// order; the ranges of two of them are equal or disjoint; neighbours with the same replacements are merged.
///
/// # Complexity
/// One pass over both; each set is compared with its counterpart, O(n²) for sets of n.
pub(super) fn sweep<A: AsRef<[u32]>, B: AsRef<[u32]>>(
    (mut old, old_places): (impl Iterator<Item = (u64, u64, A)>, &[u32]),
    (mut new, new_places): (impl Iterator<Item = (u64, u64, B)>, &[u32]),
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    // Where the steps of the range before begin.
    let mut before = 0;
    let (mut left, mut right) = (old.next(), new.next());
    let mut first = 0;
    loop {
        let (left_last, leaving) = open(left.as_ref());
        let (right_last, joining) = open(right.as_ref());
        let last = left_last.min(right_last);
        let begin = steps.len();
        replacements((leaving, old_places), (joining, new_places), |from, to| {
            steps.push(Step {
                first,
                last,
                from,
                to,
            });
        });
        if begin < steps.len() && !extended(&mut steps, before, begin) {
            before = begin;
        }
        let Some(next) = last.checked_add(1) else {
            return steps;
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

#[inline]
fn open<S: AsRef<[u32]>>(span: Option<&(u64, u64, S)>) -> (u64, &[u32]) {
    span.map_or((u64::MAX, &[]), |(_, last, set)| (*last, set.as_ref()))
}

#[inline]
fn replacements(
    (old, old_places): (&[u32], &[u32]),
    (new, new_places): (&[u32], &[u32]),
    mut replaced: impl FnMut(u32, u32),
) {
    let old = || old.iter().map(|&rank| old_places[rank as usize]);
    let new = || new.iter().map(|&rank| new_places[rank as usize]);
    let mut leaving = old().filter(|&place| !new().any(|other| other == place));
    let mut joining = new().filter(|&place| !old().any(|other| other == place));
    loop {
        match (leaving.next(), joining.next()) {
            (None, None) => return,
            (from, to) => replaced(from.unwrap_or(NOBODY), to.unwrap_or(NOBODY)),
        }
    }
}

/// Merges the steps from `begin` on into those from `before` to `begin`, if they only continue them.
#[inline]
fn extended(steps: &mut Vec<Step>, before: usize, begin: usize) -> bool {
    let (earlier, latest) = steps[before..].split_at(begin - before);
    let continues = earlier.len() == latest.len()
        && earlier.iter().zip(latest).all(|(a, b)| {
            a.last.checked_add(1) == Some(b.first) && (a.from, a.to) == (b.from, b.to)
        });
    if continues {
        let last = latest[0].last;
        steps.truncate(begin);
        steps[before..].iter_mut().for_each(|step| step.last = last);
    }
    continues
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

    #[test]
    fn neighbours_are_merged_and_the_empty_side_is_nobody() {
        const MAX: u64 = u64::MAX;
        let places = [0, 1, 2];
        let old = [(0, 9, [0]), (10, 19, [0]), (20, MAX, [1])];
        let new = [(0, 4, [1]), (5, 14, [1]), (15, MAX, [0])];
        assert_eq!(
            sweep((old.into_iter(), &places), (new.into_iter(), &places)),
            [step(0, 14, 0, 1), step(20, MAX, 1, 0)]
        );
        let none = core::iter::empty::<(u64, u64, [u32; 1])>;
        assert_eq!(sweep((none(), &[]), (none(), &[])), []);
        assert_eq!(
            sweep((none(), &[]), (new.into_iter(), &places)),
            [step(0, 14, NOBODY, 1), step(15, MAX, NOBODY, 0)]
        );
    }

    #[test]
    fn of_a_set_only_what_is_replaced_moves() {
        let places = [0, 1, 2, 3];
        let old = [(0, 99, vec![0, 1, 2]), (100, u64::MAX, vec![0, 1])];
        let new = [(0, u64::MAX, vec![3, 2, 0])];
        assert_eq!(
            sweep((old.into_iter(), &places), (new.into_iter(), &places)),
            [
                step(0, 99, 1, 3),
                step(100, u64::MAX, 1, 3),
                step(100, u64::MAX, NOBODY, 2)
            ]
        );
    }
}
