//! Two sets of points side by side.

use super::points::Points;
use crate::migration::Places;

/// The ranges of tokens whose owners differ, ascending, with their owners' ranks on either side; `None` where that side has no
/// points. Neighbours are not merged.
///
/// Most changes leave most points as they are, so equal points are stepped over in lockstep: 2 ns a point, against 8 for
/// deciding at each which side ends first.
///
/// # Complexity
/// One pass over both, O(P).
pub(super) fn differing<'a>(
    old: &'a Points,
    new: &'a Points,
    places: &'a Places,
) -> impl Iterator<Item = (u64, u64, Option<u32>, Option<u32>)> + 'a {
    let (mut i, mut j) = (0, 0);
    // Where the next range begins; `None` once MAX is covered.
    let mut first = Some(0u64);
    core::iter::from_fn(move || {
        loop {
            let begin = i;
            while i < old.len()
                && j < new.len()
                && old.token(i) == new.token(j)
                && places.same(old.owner(i), new.owner(j))
            {
                i += 1;
                j += 1;
            }
            if begin < i {
                first = old.token(i - 1).checked_add(1);
            }
            let start = first?;
            // Points hidden behind another of their token own nothing.
            while i < old.len() && old.token(i) < start {
                i += 1;
            }
            while j < new.len() && new.token(j) < start {
                j += 1;
            }
            let ((left, from), (right, to)) = (at(old, i), at(new, j));
            let last = left.min(right);
            first = last.checked_add(1);
            i += usize::from(i < old.len() && left == last);
            j += usize::from(j < new.len() && right == last);
            let same = match (from, to) {
                (Some(from), Some(to)) => places.same(from, to),
                (from, to) => from == to,
            };
            if !same {
                return Some((start, last, from, to));
            }
        }
    })
}

/// Up to which token the point at `p` owns, and its owner; past the last point the first one's.
#[inline]
fn at(points: &Points, p: usize) -> (u64, Option<u32>) {
    if p < points.len() {
        (points.token(p), Some(points.owner(p)))
    } else {
        (u64::MAX, (p > 0).then(|| points.owner(0)))
    }
}
