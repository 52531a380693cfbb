//! [`Migration`]: which tokens move, from which node to which.

use super::moves::Move;
use super::sweep::{NOBODY, Step, between_owners, between_sets};
use super::union::{Both, Places, Union};
use super::{CIRCLE, range};
use crate::hash::Token;
use crate::key::Key;
use alloc::vec::Vec;
use core::fmt;
use core::iter::FusedIterator;

/// What a change moves: ranges of tokens, each with the node that gives it and the node that takes
/// it.
///
/// [`HashRing::diff`](crate::HashRing::diff) compares owners, and
/// [`diff_replicas`](crate::HashRing::diff_replicas) compares replica sets. In the latter case a
/// move replaces one member of a set by another. [`plan`](Migration::plan) puts the moves in a
/// queue.
///
/// Prints as a table of the flows between nodes.
///
/// # Examples
/// ```
/// use clockwise::HashRing;
///
/// let old = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut new = old.clone();
/// new.insert("d")?;
///
/// let migration = old.diff(&new)?;
/// assert!(migration.moves().all(|m| m.to == Some(&"d"))); // a new node only takes
/// assert_eq!(migration.measure(), new.measure("d").unwrap()); // exactly what it will own
/// match migration.of(old.token("user:42")) {
///     Some(m) => println!("user:42 moves from {:?} to {:?}", m.from, m.to),
///     None => println!("user:42 stays"),
/// }
/// println!("{migration}");
/// // 25.08 % moves, in 389 ranges
/// // from        to         ranges     share
/// // b        -> d             151    8.51 %
/// // c        -> d             124    8.45 %
/// // a        -> d             114    8.12 %
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Migration<'a, N> {
    pub(super) nodes: Vec<Both<'a, N>>,
    pub(super) steps: Vec<Step>,
    /// The greatest number of nodes that have one token.
    copies: usize,
}

impl<'a, N> Migration<'a, N> {
    /// Compares the owners of both sides, by rank. The ranges are ascending and disjoint. Tokens
    /// that are in none of them keep their owner.
    pub(crate) fn of_owners(
        nodes: Vec<Both<'a, N>>,
        places: &Places,
        ranges: impl Iterator<Item = (u64, u64, Option<u32>, Option<u32>)>,
    ) -> Self {
        Migration {
            nodes,
            steps: between_owners(places, ranges),
            copies: 1,
        }
    }

    /// Compares the replica sets of both sides, of up to `copies` ranks, each in order of
    /// preference. The spans are ascending from 0 to MAX without a gap, or there are none because
    /// no node is eligible.
    pub(crate) fn of_sets<A: AsRef<[u32]>, B: AsRef<[u32]>>(
        Union { nodes, places }: Union<'a, N>,
        copies: usize,
        old: impl Iterator<Item = (u64, u64, A)>,
        new: impl Iterator<Item = (u64, u64, B)>,
    ) -> Self {
        let steps = between_sets(&places, old, new);
        Migration {
            nodes,
            steps,
            copies,
        }
    }

    fn show(&self, step: &Step) -> Move<&'a N> {
        let both = |place: u32| self.nodes.get(place as usize);
        Move::new(
            range(step.first, step.last),
            both(step.from).and_then(|both| both.old),
            both(step.to).and_then(|both| both.new),
        )
    }

    fn place_of(&self, identity: &[u8]) -> u32 {
        self.nodes
            .binary_search_by(|both| both.identity.cmp(identity))
            .map_or(NOBODY, |place| place as u32)
    }

    /// Returns the moves in ascending order of their ranges.
    ///
    /// The ranges of two moves are disjoint, or equal if several members of a replica set are
    /// replaced. Neighbours that agree are merged. A range that passes 2⁶⁴ − 1 is split there.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let migration = old.diff(&new)?;
    /// for m in migration.moves() {
    ///     let token = m.range.first();
    ///     assert_eq!((old.route_token(token), new.route_token(token)), (m.from, m.to));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn moves(&self) -> Moves<'_, N> {
        Moves {
            migration: self,
            steps: self.steps.iter(),
        }
    }

    /// Returns the moves away from one node, or none if the node is unknown.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.remove("a");
    /// let migration = old.diff(&new)?;
    /// assert_eq!(migration.moves_from("a").count(), migration.moves().count());
    /// assert_eq!(migration.moves_from("b").count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(moves).
    pub fn moves_from<Q: Key + ?Sized>(&self, id: &Q) -> impl Iterator<Item = Move<&N>> {
        let place = self.place_of(id.key_bytes().as_ref());
        let steps = self.steps.iter();
        steps
            .filter(move |step| place != NOBODY && step.from == place)
            .map(|step| self.show(step))
    }

    /// Returns the moves to one node, or none if the node is unknown.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let migration = old.diff(&new)?;
    /// let tokens: u128 = migration.moves_to("c").map(|m| m.range.len()).sum();
    /// assert_eq!(Some(tokens), new.measure("c"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(moves).
    pub fn moves_to<Q: Key + ?Sized>(&self, id: &Q) -> impl Iterator<Item = Move<&N>> {
        let place = self.place_of(id.key_bytes().as_ref());
        let steps = self.steps.iter();
        steps
            .filter(move |step| place != NOBODY && step.to == place)
            .map(|step| self.show(step))
    }

    /// Returns the move that `token` is part of. Returns `None` if it stays.
    ///
    /// If several members of the token's replica set are replaced, this is the first of
    /// [`all_of`](Migration::all_of).
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let migration = old.diff(&new)?;
    /// for user in 0..1000u32 {
    ///     let moves = migration.of(old.token(&user)).is_some();
    ///     assert_eq!(moves, old.route(&user) != new.route(&user));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(log moves).
    pub fn of(&self, token: Token) -> Option<Move<&N>> {
        self.all_of(token).next()
    }

    /// Returns all moves that `token` is part of: one for each member of its replica set that is
    /// replaced.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let new = clockwise::HashRing::from_nodes(["c", "d"])?;
    /// let migration = old.diff_replicas(&new, 2)?;
    /// assert_eq!(migration.all_of(old.token("user:42")).count(), 2); // both copies
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(log moves).
    pub fn all_of(&self, token: Token) -> Moves<'_, N> {
        let token = token.get();
        let begin = self.steps.partition_point(|step| step.last < token);
        let count = self.steps[begin..]
            .iter()
            .take_while(|step| step.first <= token)
            .count();
        Moves {
            migration: self,
            steps: self.steps[begin..begin + count].iter(),
        }
    }

    /// Returns `true` if nothing moves.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert!(ring.diff(&ring.clone())?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the number of tokens that move, 0 to 2⁶⁴. Between replica sets it is the number of
    /// copies of tokens.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.remove("a");
    /// assert_eq!(Some(old.diff(&new)?.measure()), old.measure("a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn measure(&self) -> u128 {
        self.steps.iter().map(Step::measure).sum()
    }

    /// Returns the fraction of all tokens that moves, 0.0 to 1.0. Between replica sets it is the
    /// fraction of all copies.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let mut new = old.clone();
    /// new.insert("d")?;
    /// assert!((0.2..0.3).contains(&old.diff(&new)?.share())); // about a quarter
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn share(&self) -> f64 {
        self.share_of(self.measure())
    }

    pub(super) fn share_of(&self, measure: u128) -> f64 {
        measure as f64 / CIRCLE / self.copies.max(1) as f64
    }
}

/// Shows counts only, because a migration may have a million ranges. `Display` shows the flows.
impl<N> fmt::Debug for Migration<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration")
            .field("moves", &self.steps.len())
            .field("measure", &self.measure())
            .finish_non_exhaustive()
    }
}

/// The moves of a migration; see [`Migration::moves`].
///
/// # Examples
/// ```
/// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
/// let mut new = old.clone();
/// new.insert("c")?;
/// let migration = old.diff(&new)?;
/// let mut moves: clockwise::migration::Moves<'_, &str> = migration.moves();
/// assert_eq!(moves.next().unwrap().to, Some(&"c"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "iterators are lazy"]
pub struct Moves<'a, N> {
    migration: &'a Migration<'a, N>,
    steps: core::slice::Iter<'a, Step>,
}

impl<'a, N> Iterator for Moves<'a, N> {
    type Item = Move<&'a N>;

    fn next(&mut self) -> Option<Self::Item> {
        self.steps.next().map(|step| self.migration.show(step))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.steps.size_hint()
    }
}

impl<N> DoubleEndedIterator for Moves<'_, N> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.steps.next_back().map(|step| self.migration.show(step))
    }
}

impl<N> ExactSizeIterator for Moves<'_, N> {}
impl<N> FusedIterator for Moves<'_, N> {}

impl<N> Clone for Moves<'_, N> {
    fn clone(&self) -> Self {
        Moves {
            migration: self.migration,
            steps: self.steps.clone(),
        }
    }
}

impl<N> fmt::Debug for Moves<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moves")
            .field("left", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::{Budget, Edit, NodeSet};
    use alloc::vec;

    fn members(names: &[&'static str]) -> NodeSet<&'static str> {
        let mut nodes = NodeSet::new(Budget {
            virtual_nodes: 0,
            max_points: 0,
        });
        let inserts = names.iter().map(|&name| Edit::insert(name, 1));
        let draft = nodes.plan(inserts).expect("distinct names");
        nodes.commit(draft);
        nodes
    }

    #[test]
    fn slot_tables_of_one_size_are_compared_by_their_slots() {
        let (old, new) = (members(&["a", "b"]), members(&["b", "c"]));
        // Ranks: a, b on the old side; b, c on the new.
        let (before, after) = ([0, 0, 1, 1, 0, 1, 1, 0], [1, 1, 0, 1, 1, 0, 0, 0]);
        let both = before.into_iter().zip(after);
        let slots = (0u64..).zip(both).map(|(slot, (from, to))| {
            let first = slot << 61;
            (first, first | ((1 << 61) - 1), Some(from), Some(to))
        });
        let Union { nodes, places } = Union::of(&old, &new);
        let migration = Migration::of_owners(nodes, &places, slots);
        let slot = 1u64 << 61;
        let moves: Vec<_> = migration
            .moves()
            .map(|m| {
                (
                    m.range.first().get() / slot,
                    m.range.last().get() / slot,
                    m.from,
                    m.to,
                )
            })
            .collect();
        assert_eq!(
            moves,
            vec![
                (0, 1, Some(&"a"), Some(&"c")),
                (3, 3, Some(&"b"), Some(&"c")),
                (4, 4, Some(&"a"), Some(&"c")),
                (7, 7, Some(&"a"), Some(&"b")),
            ]
        );
        assert_eq!(migration.measure(), 5 * u128::from(slot));
    }
}
