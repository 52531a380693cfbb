//! [`Epochs`]: the old and the new placement side by side, while data moves.

use crate::hash::Token;
use crate::key::Key;
use crate::strategy::{Route, Strategy};
use alloc::vec::Vec;
use core::fmt;

/// Two placements side by side while data moves from the one to the other. Works for any two strategies with a fixed order (rings,
/// rendezvous, slot tables).
///
/// Write to all of [`writes`](Epochs::writes), read from [`reads`](Epochs::reads) in order until the data is found, copy what
/// moves, and call [`finish`](Epochs::finish) for every range that has been copied. Then nothing is lost, wherever a reader and a writer meet the move:
///
/// | | before `finish` | after |
/// |---|---|---|
/// | write to | old replicas, then the new ones that are not among them | new replicas |
/// | read from | old replicas, which have everything; then the new ones | new replicas, which have everything |
///
/// Old data may be dropped once its range is finished in every process.
///
/// ```
/// use clockwise::{Epochs, HashRing};
///
/// let old = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut new = old.clone();
/// new.insert("d")?;
/// let mut epochs = Epochs::new(&old, &new);
///
/// for step in old.diff_replicas(&new, 2)?.moves() {
///     // copy …, and then
///     epochs.finish(step.first, step.last);
/// }
/// assert_eq!(epochs.writes("user:42", 2), new.replicas("user:42", 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Epochs<Old, New = Old> {
    old: Old,
    new: New,
    /// Disjoint, not adjacent, ascending.
    finished: Vec<(u64, u64)>,
}

/// A key's owner in both epochs; see [`Epochs::owners`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition<'a, N> {
    /// The old owner; `None` where no node was eligible.
    pub from: Option<&'a N>,
    /// The new owner; `None` where no node is eligible.
    pub to: Option<&'a N>,
    /// Whether the two are different nodes.
    pub moves: bool,
    /// Whether the key's token lies in a finished range.
    pub finished: bool,
}

impl<N> Transition<'_, N> {
    /// Whether the key's data is on its way: its owner differs and its range is not finished.
    pub fn is_moving(&self) -> bool {
        self.moves && !self.finished
    }
}

impl<N> Clone for Transition<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Transition<'_, N> {}

impl<Old, New> Epochs<Old, New> {
    /// Both placements; nothing is finished. References are strategies too.
    pub const fn new(old: Old, new: New) -> Self {
        Epochs {
            old,
            new,
            finished: Vec::new(),
        }
    }

    /// The old placement.
    pub fn old_strategy(&self) -> &Old {
        &self.old
    }

    /// The new placement.
    pub fn new_strategy(&self) -> &New {
        &self.new
    }

    /// Both placements.
    pub fn into_inner(self) -> (Old, New) {
        (self.old, self.new)
    }

    /// Says that everything with tokens `first` to `last`, both included, has been copied: reads and writes go to the new replicas
    /// alone. Where several members of a replica set are replaced, after all of them. Empty where `first` is past `last`.
    ///
    /// # Complexity
    /// O(finished ranges); neighbours are merged.
    pub fn finish(&mut self, first: Token, last: Token) {
        let (mut first, mut last) = (first.get(), last.get());
        if first > last {
            return;
        }
        // All that overlap or touch become one.
        let begin = self
            .finished
            .partition_point(|&(_, end)| end < first && end + 1 < first);
        let end = self
            .finished
            .partition_point(|&(start, _)| start <= last || start - 1 == last);
        if let [(start, _), ..] = self.finished[begin..end] {
            first = first.min(start);
            last = last.max(self.finished[end - 1].1);
        }
        self.finished.splice(begin..end, [(first, last)]);
    }

    /// Whether `token` lies in a finished range. O(log ranges).
    pub fn is_finished(&self, token: Token) -> bool {
        let at = self
            .finished
            .partition_point(|&(_, last)| last < token.get());
        self.finished
            .get(at)
            .is_some_and(|&(first, _)| first <= token.get())
    }

    fn key_is_finished<K: Key + ?Sized>(&self, key: &K) -> bool
    where
        Old: Strategy,
    {
        self.is_finished(self.old.token_of(key.key_bytes().as_ref()))
    }

    /// The owner of `key` in both epochs, and whether it moves. Finished ranges are those of the old strategy's tokens, should the two hash
    /// differently.
    pub fn owners<N: Key, K: Key + ?Sized>(&self, key: &K) -> Transition<'_, N>
    where
        Old: Strategy<Node = N>,
        New: Strategy<Node = N>,
    {
        let (from, to) = (self.old.route(key), self.new.route(key));
        Transition {
            from,
            to,
            moves: match (from, to) {
                (Some(from), Some(to)) => !same(from, to),
                (from, to) => from.is_some() || to.is_some(),
            },
            finished: self.key_is_finished(key),
        }
    }

    /// Where to read `key`, of which there are `n` replicas: in this order until the data is found. At most `2n` nodes, all
    /// distinct.
    pub fn reads<N: Key, K: Key + ?Sized>(&self, key: &K, n: usize) -> Vec<&N>
    where
        Old: Strategy<Node = N>,
        New: Strategy<Node = N>,
    {
        let new = self.new.replicas(key, n);
        if self.key_is_finished(key) {
            new
        } else {
            union(self.old.replicas(key, n), new)
        }
    }

    /// Where to write `key`, of which there are `n` replicas: to all of them. The same nodes as [`reads`](Epochs::reads).
    pub fn writes<N: Key, K: Key + ?Sized>(&self, key: &K, n: usize) -> Vec<&N>
    where
        Old: Strategy<Node = N>,
        New: Strategy<Node = N>,
    {
        self.reads(key, n)
    }

    /// As [`reads`](Epochs::reads) and [`writes`](Epochs::writes), with replicas spread over domains; see [`Route::replicas_across`].
    pub fn replicas_across<'a, N, K, Z, F>(&'a self, key: &K, n: usize, mut domain: F) -> Vec<&'a N>
    where
        N: Key + 'a,
        Old: Strategy<Node = N>,
        New: Strategy<Node = N>,
        K: Key + ?Sized,
        Z: PartialEq,
        F: FnMut(&'a N) -> Z,
    {
        let new = self.new.replicas_across(key, n, &mut domain);
        if self.key_is_finished(key) {
            new
        } else {
            union(self.old.replicas_across(key, n, domain), new)
        }
    }
}

/// The nodes of `first`, then those of `second` that are not among them. Nodes of different strategies are told apart by
/// identity; within one list they are distinct already.
fn union<'a, N: Key>(mut first: Vec<&'a N>, second: Vec<&'a N>) -> Vec<&'a N> {
    let distinct = first.len();
    for node in second {
        if !first[..distinct].iter().any(|other| same(*other, node)) {
            first.push(node);
        }
    }
    first
}

fn same<N: Key>(a: &N, b: &N) -> bool {
    a.key_bytes().as_ref() == b.key_bytes().as_ref()
}

/// How many ranges are finished.
impl<Old, New> fmt::Debug for Epochs<Old, New> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Epochs")
            .field("finished_ranges", &self.finished.len())
            .finish_non_exhaustive()
    }
}
