//! The placement that is changed, and the limits that keep a search finite.

use std::fmt;

/// A set of nodes, named by letters from `a` to `f`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nodes(pub u8);

/// The greatest number of nodes in a configuration.
pub const MAX_NODES: usize = 6;
/// The greatest number of client processes.
pub const MAX_PROCESSES: usize = 3;

impl Nodes {
    #[must_use]
    pub fn named(letters: &str) -> Self {
        letters
            .bytes()
            .map(|letter| Self::one(letter - b'a'))
            .fold(Self(0), Self::union)
    }

    #[must_use]
    pub const fn one(node: u8) -> Self {
        Self(1 << node)
    }

    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns how many nodes are more than half of this set.
    #[must_use]
    pub const fn quorum(self) -> u32 {
        self.len() / 2 + 1
    }

    #[expect(clippy::cast_possible_truncation, reason = "there are at most 6 nodes")]
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..MAX_NODES as u8).filter(move |&node| self.includes(Self::one(node)))
    }

    /// Returns all subsets with at least `least` nodes.
    pub fn subsets(self, least: u32) -> impl Iterator<Item = Self> {
        (0..=self.0)
            .map(Self)
            .filter(move |&s| self.includes(s) && s.len() >= least)
    }
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter()
            .try_for_each(|node| write!(f, "{}", char::from(b'a' + node)))
    }
}

/// How many replicas a write waits for, and how many a read asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// A write waits for all replicas. A read asks any one.
    All,
    /// A write waits for more than half of a side, a read asks more than half.
    Quorum,
}

/// One placement change of one key, and the limits of the search.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub processes: usize,
    pub old: Nodes,
    pub new: Nodes,
    pub consistency: Consistency,
    /// How many writes begin after the start. At most 2, all may run at the same time.
    pub writes: u8,
    /// How many copies may be under way at the same time. At most 2.
    pub copies: usize,
    /// Whether the coordinator may reverse the migration, once, at any moment.
    pub reversal: bool,
}

impl Config {
    /// Returns a change from the nodes `old` to the nodes `new`, such as `"ab"` to `"bc"`.
    #[must_use]
    pub fn new(processes: usize, old: &str, new: &str) -> Self {
        let (old, new) = (Nodes::named(old), Nodes::named(new));
        let consistency = Consistency::All;
        Self {
            processes,
            old,
            new,
            consistency,
            writes: 2,
            copies: 2,
            reversal: true,
        }
    }

    #[must_use]
    pub fn quorum(self) -> Self {
        Self {
            consistency: Consistency::Quorum,
            ..self
        }
    }

    #[must_use]
    pub fn writes(self, writes: u8) -> Self {
        Self { writes, ..self }
    }

    #[must_use]
    pub fn copies(self, copies: usize) -> Self {
        Self { copies, ..self }
    }

    #[must_use]
    pub fn forward_only(self) -> Self {
        Self {
            reversal: false,
            ..self
        }
    }

    /// Returns the side that is left and the side that is entered.
    #[must_use]
    pub fn sides(&self, reversed: bool) -> (Nodes, Nodes) {
        if reversed {
            (self.new, self.old)
        } else {
            (self.old, self.new)
        }
    }

    /// Returns the member that `taker` replaces, if there is one.
    #[must_use]
    pub fn replaced_by(&self, taker: u8, reversed: bool) -> Option<u8> {
        let (from, to) = self.sides(reversed);
        let place = to.without(from).iter().position(|node| node == taker)?;
        from.without(to).iter().nth(place)
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            processes,
            old,
            new,
            consistency,
            writes,
            copies,
            reversal,
        } = self;
        write!(
            f,
            "{processes} processes, {old:?} -> {new:?}, {consistency:?}, "
        )?;
        write!(f, "{writes} writes, {copies} copies at a time")?;
        f.write_str(if *reversal { ", reversal" } else { "" })
    }
}
