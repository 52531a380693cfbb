//! What the placements of other systems share: members in the order of the list, rings of 32-bit points, and offering.

use crate::hash::Token;
use crate::nodes::{Budget, Edit, NodeSet, Planned};
use crate::ring::points::{Points, Run};
use crate::ring::preference::Seen;
use alloc::vec::Vec;

/// Points that a placement may have whose number follows the weights.
pub(super) const MAX_POINTS: usize = 1 << 24;

/// The largest ring that Envoy builds.
pub(super) const RING_SIZE_MAX: u64 = 1 << 23;

/// For placements with a fixed number of points for each unit of weight.
pub(super) const fn points_a_weight(points: u32) -> Budget {
    Budget {
        virtual_nodes: points,
        max_points: MAX_POINTS,
    }
}

/// The members that an edit leads to, as they were listed. `rank` is their rank after it.
#[derive(Debug)]
pub(super) struct Listed<'a> {
    pub(super) rank: u32,
    pub(super) member: Planned<'a>,
}

pub(super) fn listed<'a, N>(nodes: &'a NodeSet<N>, edit: &'a Edit<N>) -> Vec<Listed<'a>> {
    let mut list: Vec<_> = (0..)
        .zip(nodes.preview(edit))
        .map(|(rank, member)| Listed { rank, member })
        .collect();
    list.sort_unstable_by_key(|listed| listed.member.place);
    list
}

/// The ranks of the members, as they were listed.
pub(super) fn ranks(list: &[Listed<'_>]) -> Vec<u32> {
    list.iter().map(|listed| listed.rank).collect()
}

/// The token of a 32-bit hash.
#[inline]
pub(super) fn token32(hash: u32) -> Token {
    Token::new(u64::from(hash) << 32)
}

/// Points at 32-bit places, each with the position of its owner in the list.
pub(super) struct Points32(Vec<u64>);

impl Points32 {
    pub(super) fn with_capacity(points: usize) -> Self {
        Points32(Vec::with_capacity(points))
    }

    #[inline]
    pub(super) fn push(&mut self, place: u32, position: u32) {
        self.0.push(u64::from(place) << 32 | u64::from(position));
    }

    /// Sorted by place; points that coincide stay in order of the list.
    pub(super) fn sorted(mut self, list: &[Listed<'_>]) -> Points {
        self.0.sort_unstable();
        self.into_points(list)
    }

    /// As `sorted`, but of points that coincide only the first stays.
    pub(super) fn sorted_distinct(mut self, list: &[Listed<'_>]) -> Points {
        self.0.sort_unstable();
        self.0.dedup_by_key(|point| *point >> 32);
        self.into_points(list)
    }

    fn into_points(self, list: &[Listed<'_>]) -> Points {
        let mut run = Run::with_capacity(self.0.len());
        for point in self.0 {
            let owner = list[point as u32 as usize].rank;
            run.push(point >> 32 << 32, owner);
        }
        Points::new().changed(&[], run)
    }
}

/// Offers the eligible nodes in this order of their ranks, each once; drained ones and repetitions are passed over.
pub(super) fn offer<'a, N>(
    nodes: &'a NodeSet<N>,
    order: impl Iterator<Item = u32>,
    accept: &mut dyn FnMut(&'a N) -> bool,
) -> Option<&'a N> {
    let mut seen = Seen::new();
    let mut left = nodes.eligible();
    for rank in order {
        if left == 0 {
            break;
        }
        let entry = &nodes.entries()[rank as usize];
        if entry.drained || !seen.is_new(rank, nodes.len()) {
            continue;
        }
        left -= 1;
        if accept(&entry.node) {
            return Some(&entry.node);
        }
    }
    None
}

/// Appends a number in decimal.
pub(super) fn push_decimal(text: &mut Vec<u8>, number: u32) {
    let (mut digits, mut rest, mut at) = ([0; 10], number, 10);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

/// `core` has no `ceil`. For numbers that are not negative and far below 2⁶⁴.
pub(super) fn ceil(x: f64) -> u64 {
    let floor = x as u64;
    floor + u64::from((floor as f64) < x)
}

/// The reading half of [`Strategy`](crate::Strategy), and `Default` and `Debug`: the same for all of them.
macro_rules! members_of_nodes {
    () => {
        fn member(&self, id: &[u8]) -> Option<crate::nodes::Member<'_, N>> {
            self.nodes.get(id).map(|entry| entry.member())
        }

        fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(crate::nodes::Member<'a, N>)) {
            self.members().for_each(f);
        }
    };
}
pub(super) use members_of_nodes;

/// `Default`, as `new`, and `Debug`, which shows numbers only.
macro_rules! default_and_debug {
    ($Strategy:ident $(, $field:ident: $value:expr)*) => {
        impl<N> Default for $Strategy<N> {
            fn default() -> Self {
                $Strategy::new()
            }
        }

        /// Numbers only.
        impl<N> core::fmt::Debug for $Strategy<N> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($Strategy))
                    .field("nodes", &self.len())
                    $(.field(stringify!($field), &($value)(self)))*
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use default_and_debug;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_are_appended_as_the_standard_library_writes_them() {
        for number in [0, 7, 9, 10, 99, 100, 4095, 1_000_000_000, u32::MAX] {
            let mut text = Vec::from(*b"x-");
            push_decimal(&mut text, number);
            assert_eq!(text, [b"x-", number.to_string().as_bytes()].concat());
        }
    }

    #[test]
    fn ceil_rounds_up() {
        for (x, up) in [
            (0.0, 0),
            (0.1, 1),
            (1.0, 1),
            (1.000_1, 2),
            (8_388_607.5, 8_388_608),
        ] {
            assert_eq!(ceil(x), up, "{x}");
        }
    }
}
