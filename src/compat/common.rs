//! What the placements of other systems share: members in the order of the list, rings of 32-bit points, and offering.

use crate::hash::Token;
use crate::nodes::{Budget, Draft, NodeSet, Planned};
use crate::ring::points::{Points, Run};
use crate::ring::preference::Seen;
use crate::strategy::Strategy;
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

pub(super) fn listed<'a, N>(nodes: &'a NodeSet<N>, draft: &'a Draft<N>) -> Vec<Listed<'a>> {
    let mut list: Vec<_> = (0..)
        .zip(nodes.preview(draft))
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

    /// Sorted by place; points that coincide stay in order of the list. Now with the ranks of their owners.
    pub(super) fn sorted(mut self, list: &[Listed<'_>]) -> Vec<u64> {
        self.0.sort_unstable();
        for point in &mut self.0 {
            let position = *point as u32 as usize;
            *point = *point >> 32 << 32 | u64::from(list[position].rank);
        }
        self.0
    }
}

/// A ring of sorted 32-bit places, each with the rank of its owner in the lower half.
pub(super) fn ring32(points: &[u64]) -> Points {
    let mut run = Run::with_capacity(points.len());
    for point in points {
        run.push(point >> 32 << 32, *point as u32);
    }
    Points::new().changed(&[], run)
}

/// Points at 64-bit places, each with the rank of its owner.
pub(super) struct Points64 {
    tokens: Vec<u64>,
    owners: Vec<u32>,
}

impl Points64 {
    pub(super) fn with_capacity(points: usize) -> Self {
        Points64 {
            tokens: Vec::with_capacity(points),
            owners: Vec::with_capacity(points),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, token: u64, owner: u32) {
        self.tokens.push(token);
        self.owners.push(owner);
    }

    /// Sorted by place, then in the order in which they came.
    pub(super) fn sorted(self) -> Points {
        // The upper half of a token and the position of its point sort as one number, in a third of the time that pairs take: rings
        // of Envoy's size are made often. The lower half decides among equal upper ones, of which a ring of 1024 points has none.
        let mut order: Vec<u64> = (0..)
            .zip(&self.tokens)
            .map(|(position, token)| token >> 32 << 32 | position)
            .collect();
        order.sort_unstable();
        let token_at = |point: u64| self.tokens[point as u32 as usize];
        let tie = |a: &u64, b: &u64| a >> 32 == b >> 32;
        if order.windows(2).any(|pair| tie(&pair[0], &pair[1])) {
            for tied in order.chunk_by_mut(tie) {
                tied.sort_by_key(|&point| token_at(point));
            }
        }
        let mut run = Run::with_capacity(order.len());
        for point in order {
            run.push(token_at(point), self.owners[point as u32 as usize]);
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

/// The first node in order of preference, the long way: kept out of the short one's code, which it slows twofold.
#[cold]
#[inline(never)]
pub(super) fn first_offered<S: Strategy>(strategy: &S, token: Token) -> Option<&S::Node> {
    strategy.pick(token, &mut |_| true)
}

/// A text followed by a number in decimal, which counts up from 0.
pub(super) struct Counting {
    text: Vec<u8>,
    digits: usize,
}

impl Counting {
    pub(super) const fn new() -> Self {
        Counting {
            text: Vec::new(),
            digits: 0,
        }
    }

    pub(super) fn start(&mut self, parts: [&[u8]; 2]) {
        self.text.clear();
        for part in parts {
            self.text.extend_from_slice(part);
        }
        self.digits = self.text.len();
        self.text.push(b'0');
    }

    #[inline]
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    #[inline]
    pub(super) fn count(&mut self) {
        for digit in self.text[self.digits..].iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.text.insert(self.digits, b'1');
    }
}

/// `core` has no `ceil`. For numbers that are not negative and far below 2⁶⁴.
pub(super) fn ceil(x: f64) -> u64 {
    let floor = x as u64;
    floor + u64::from((floor as f64) < x)
}

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
    use alloc::format;

    #[test]
    fn a_counting_text_counts_in_decimal() {
        let mut label = Counting::new();
        for stem in ["node-", ""] {
            label.start([stem.as_bytes(), b"_"]);
            for number in 0..=1100 {
                assert_eq!(label.text(), format!("{stem}_{number}").as_bytes());
                label.count();
            }
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
