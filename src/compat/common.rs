//! What the placements of other systems share: members in the order of the list, their points, and
//! offering nodes in order.

use crate::hash::Token;
use crate::nodes::{Budget, Draft, NodeSet, Planned};
use crate::ring::points::{Points, Run};
use crate::ring::preference::Seen;
use crate::strategy::Strategy;
use alloc::vec::Vec;

/// The most points of a placement whose number of points follows the weights.
pub(super) const MAX_POINTS: usize = 1 << 24;

/// Returns the budget of a placement with a fixed number of points for each unit of weight.
pub(super) const fn points_a_weight(points: u32) -> Budget {
    Budget {
        virtual_nodes: points,
        max_points: MAX_POINTS,
    }
}

/// A member as an edit leaves it, with its rank after the edit.
#[derive(Debug)]
pub(super) struct Listed<'a> {
    pub(super) rank: u32,
    pub(super) member: Planned<'a>,
}

/// Returns the members that an edit leads to, in the order of the list.
pub(super) fn listed<'a, N>(nodes: &'a NodeSet<N>, draft: &'a Draft<N>) -> Vec<Listed<'a>> {
    let mut list: Vec<_> = (0..)
        .zip(nodes.preview(draft))
        .map(|(rank, member)| Listed { rank, member })
        .collect();
    list.sort_unstable_by_key(|listed| listed.member.place);
    list
}

/// Returns the ranks of the members, in the order of the list.
pub(super) fn ranks(list: &[Listed<'_>]) -> Vec<u32> {
    list.iter().map(|listed| listed.rank).collect()
}

/// Returns the token of a 32-bit hash.
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

    /// Sorts the points by place and gives each the rank of its owner instead of the position.
    /// Points that coincide stay in the order of the list.
    pub(super) fn sorted(mut self, list: &[Listed<'_>]) -> Vec<u64> {
        self.0.sort_unstable();
        for point in &mut self.0 {
            let position = *point as u32 as usize;
            *point = *point >> 32 << 32 | u64::from(list[position].rank);
        }
        self.0
    }
}

/// Returns a ring of sorted 32-bit places, each with the rank of its owner in the lower half.
pub(super) fn ring32(points: &[u64]) -> Points {
    let mut run = Run::with_capacity(points.len());
    for point in points {
        run.push(point >> 32 << 32, *point as u32);
    }
    Points::of_owners_in(run)
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

    /// Sorts the points by place. Points that coincide stay in the order in which they were pushed.
    pub(super) fn sorted(self) -> Points {
        // The upper half of a token and the position of its point sort as one number, in a third
        // of the time that pairs take. The lower half decides among equal upper halves, which are
        // rare: a ring of 1024 points has none.
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
        Points::of_owners_in(run)
    }
}

/// Offers the eligible nodes in this order of their ranks, each once, until one is accepted. Passes
/// over drained nodes and repetitions.
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

/// Returns the first node in order of preference, the long way. It is a function of its own because
/// its code would slow the short way twofold.
#[cold]
#[inline(never)]
pub(super) fn first_offered<S: Strategy>(strategy: &S, token: Token) -> Option<&S::Node> {
    strategy.pick(token, &mut |_| true)
}

/// A text followed by a decimal number that counts up from 0.
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

/// Rounds up a number that is not negative and far below 2⁶⁴. `core` has no `ceil`.
pub(super) fn ceil(x: f64) -> u64 {
    let floor = x as u64;
    floor + u64::from((floor as f64) < x)
}

/// Gives a placement its verbs, in the order of use, and `Default`. It has `new`, `carry_out` and
/// `ranks(token)`, the ranks of a token's nodes in order, in which some may be repeated. `$limits`
/// ends the lists of errors in the docs.
macro_rules! placement {
    ($Type:ident, $limits:literal) => {
        $crate::strategy::construct_verbs!(
            impl[N: $crate::Key] $Type<N>, N, example $Type, $limits
        );
        $crate::strategy::routing_verbs!(impl[N: $crate::Key] $Type<N>, N, example $Type);
        $crate::strategy::placement_verbs!(impl[N: $crate::Key] $Type<N>, N, example $Type);
        $crate::nodes::membership!(
            $Type<N>, example $Type,
            [N: $crate::Key],
            strategy [N: $crate::Key],
            reading [N],
            $limits
        );

        impl<N> $Type<N> {
            fn find<'a>(
                &'a self,
                token: $crate::Token,
                mut accept: impl FnMut(&'a N) -> bool,
            ) -> Option<&'a N> {
                offer(&self.nodes, self.ranks(token), &mut accept)
            }

            fn preference_of(&self, token: $crate::Token) -> $crate::preference::Preference<'_, N> {
                $crate::preference::Preference::foreign(&self.nodes, self.ranks(token))
            }
        }

        impl<N: $crate::Key> $Type<N> {
            /// Does what `from_weighted` does; kept for code written before 0.1.
            #[doc(hidden)]
            pub fn try_from_nodes<I>(nodes: I) -> Result<Self, $crate::ConfigError>
            where
                I: IntoIterator<Item = (N, u32)>,
            {
                Ok($Type::from_weighted(nodes)?)
            }
        }

        impl<N> Default for $Type<N> {
            fn default() -> Self {
                $Type::new()
            }
        }
    };
}
pub(super) use placement;

/// Gives a builder with `from_weighted` its old name.
macro_rules! old_name {
    ($Builder:ident, $Type:ident) => {
        impl<N: $crate::Key> $Builder<N> {
            /// Does what `from_weighted` does; kept for code written before 0.1.
            #[doc(hidden)]
            pub fn try_from_nodes<I>(self, nodes: I) -> Result<$Type<N>, $crate::ConfigError>
            where
                I: IntoIterator<Item = (N, u32)>,
            {
                self.from_weighted(nodes)
            }
        }
    };
}
pub(super) use old_name;

/// Gives a placement a `Debug` that shows how many nodes it has, and these numbers.
macro_rules! debug_numbers {
    ($Type:ident $(, $field:ident: $value:expr)*) => {
        /// Shows numbers only.
        impl<N> core::fmt::Debug for $Type<N> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($Type))
                    .field("nodes", &self.len())
                    $(.field(stringify!($field), &($value)(self)))*
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use debug_numbers;

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

    /// The sort by half a token and its ties, against a stable sort by the whole token.
    #[test]
    fn points_that_agree_in_their_upper_half_are_sorted_by_the_lower() {
        let tokens: [u64; 9] = [
            0x7_0000_0003,
            0x7_0000_0001,
            u64::MAX,
            0x7_0000_0002,
            0,
            0x7_0000_0001,
            u64::MAX - 1,
            1,
            0x7_0000_0003,
        ];
        let mut points = Points64::with_capacity(0);
        let mut expected = Vec::new();
        for (owner, token) in (0..).zip(tokens) {
            points.push(token, owner);
            expected.push((token, owner));
        }
        expected.sort_by_key(|point| point.0);
        let sorted = points.sorted();
        let owners: Vec<u32> = sorted.walk(0).take(tokens.len()).collect();
        let expected_owners: Vec<u32> = expected.iter().map(|point| point.1).collect();
        assert_eq!(owners, expected_owners);
        for (token, _) in &expected {
            let first = expected.iter().find(|point| point.0 == *token).unwrap();
            assert_eq!(sorted.owner_of(*token), Some(first.1), "{token:x}");
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
