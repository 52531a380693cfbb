//! The nearest point on either side of a place.

use crate::compat::common::ring32;
use crate::ring::points::Points;
use alloc::vec::Vec;

/// Returns the ends of the arcs to which one point is the nearest. An arc ends half-way to the next
/// point, rounded down, because the point before wins a tie. So the nearest point belongs to the
/// first end at or after a place, and routing need not compare two points.
pub(in crate::compat) fn arcs(points: &[u64]) -> Points {
    let Some((first, last)) = points.first().zip(points.last()) else {
        return Points::new();
    };
    let end = |point: u64, next: u64| {
        let half_way = u64::midpoint(point >> 32, next);
        (half_way << 32) | (point & 0xffff_ffff)
    };
    let mut ends: Vec<u64> = points
        .windows(2)
        .map(|pair| end(pair[0], pair[1] >> 32))
        .collect();
    // The last arc ends before 0 or after it. Cut to 32 bits it is the last or the first end.
    let around = end(*last, (first >> 32) + (1 << 32));
    if around < *last {
        ends.insert(0, around);
    } else {
        ends.push(around);
    }
    ring32(&ends)
}

/// Returns the owners of all points, the nearest to a place first. If two are equally near, the one
/// before the place is first. In this order servers would get a key if each of them went down in
/// turn.
pub(in crate::compat) fn nearest_first(
    points: &[u64],
    place: u32,
) -> impl Iterator<Item = u32> + Clone + '_ {
    let count = points.len();
    let first = points.partition_point(|point| point >> 32 < u64::from(place));
    // The number of points passed after the place, and before it.
    let (mut after, mut before) = (0, 0);
    core::iter::from_fn(move || {
        if after + before >= count {
            return None;
        }
        let next = points[(first + after) % count];
        let previous = points[(first + count - 1 - before) % count];
        let to_previous = place.wrapping_sub((previous >> 32) as u32);
        let to_next = ((next >> 32) as u32).wrapping_sub(place);
        Some(if to_previous <= to_next {
            before += 1;
            previous as u32
        } else {
            after += 1;
            next as u32
        })
    })
}
