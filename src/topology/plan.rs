//! [`Plan`]: a migration in rounds.

use super::colouring::colour;
use super::migration::{Migration, Move};
use crate::error::PlanError;
use crate::hash::{KeyHasher, Xxh3};
use alloc::{vec, vec::Vec};
use core::fmt;

/// The moves of a migration in rounds, each range once: in a round every node gives at most `limit` ranges and takes at most
/// `limit`.
///
/// The two limits hold apart, because reading old data and writing new data use different halves of a node's disk and
/// network; a node that both gives and takes is part of at most `2 × limit` moves of a round. The number of rounds is the least
/// possible: the most ranges that one node gives or takes, divided by the limit, rounded up.
///
/// Work through the rounds with [`next_round`](Plan::next_round) and [`complete`](Plan::complete). [`progress`](Plan::progress) is the
/// state to store; after a restart the same diff, planned anew, [resumes](Plan::resume) from it.
///
/// ```
/// use clockwise::{HashRing, Plan};
///
/// let old = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut new = old.clone();
/// new.insert("d")?;
/// let migration = old.diff(&new)?;
///
/// let mut plan = migration.plan(4)?; // at most 4 ranges at once from a node, and 4 to a node
/// assert_eq!(plan.rounds().len(), migration.moves().len().div_ceil(4)); // all go to d
/// while let Some(round) = plan.next_round() {
///     for step in round {
///         // copy tokens step.first to step.last from step.from to step.to …
///         plan.complete(&step);
///     }
///     let _state = plan.progress(); // … and store this
/// }
/// assert!(plan.is_complete());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Plan<'a, N> {
    migration: &'a Migration<'a, N>,
    limit: u32,
    /// By round, the indices of its steps.
    rounds: Vec<Vec<u32>>,
    /// By step.
    done: Vec<bool>,
    /// Of the first round that is not complete.
    at: usize,
}

/// How far a plan has come, to be stored: which moves are complete, and of which migration. Read by [`Plan::resume`].
///
/// One bit a move, in the order of the migration, so it does not depend on how a release orders the rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Progress {
    /// A checksum of the migration.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::word"))]
    migration: u64,
    /// Move i is bit i % 8 of byte i / 8.
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::bytes"))]
    done: Vec<u8>,
}

impl<N> Migration<'_, N> {
    /// Puts the moves into rounds in which each node gives at most `limit` ranges and takes at most `limit`.
    ///
    /// # Complexity
    /// About linear in the moves: where 1000 nodes of 160 virtual nodes are all exchanged (320,000 ranges, 383 rounds) 0.02 s.
    ///
    /// # Errors
    /// [`PlanError::ZeroLimit`] where `limit` is 0.
    pub fn plan(&self, limit: u32) -> Result<Plan<'_, N>, PlanError> {
        if limit == 0 {
            return Err(PlanError::ZeroLimit);
        }
        let edges: Vec<_> = self.steps.iter().map(|step| (step.from, step.to)).collect();
        let mut rounds = Vec::new();
        if !edges.is_empty() {
            let (colour, colours) = colour(&edges, self.nodes.len(), limit);
            rounds.resize(colours as usize, Vec::new());
            for (step, round) in colour.into_iter().enumerate() {
                rounds[round as usize].push(step as u32);
            }
        }
        Ok(Plan {
            migration: self,
            limit,
            rounds,
            done: vec![false; self.steps.len()],
            at: 0,
        })
    }

    /// Over the ranges and the identities.
    fn checksum(&self) -> u64 {
        let mut bytes = Vec::new();
        for both in &self.nodes {
            bytes.extend((both.identity.len() as u64).to_le_bytes());
            bytes.extend(both.identity);
        }
        for step in &self.steps {
            bytes.extend(step.first.to_le_bytes());
            bytes.extend(step.last.to_le_bytes());
            bytes.extend(step.from.to_le_bytes());
            bytes.extend(step.to.to_le_bytes());
        }
        Xxh3::new().hash_bytes(&bytes)
    }
}

impl<'a, N> Plan<'a, N> {
    /// The most ranges that a node gives, and the most that it takes, in one round.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// All rounds with all their moves, complete or not.
    pub fn rounds(&self) -> impl ExactSizeIterator<Item = Vec<Move<'a, N>>> {
        let show = |&step: &u32| self.migration.show(&self.migration.steps[step as usize]);
        self.rounds
            .iter()
            .map(move |round| round.iter().map(show).collect())
    }

    /// What is left of the first round that is not complete; `None` once all are.
    pub fn next_round(&mut self) -> Option<Vec<Move<'a, N>>> {
        while let Some(round) = self.rounds.get(self.at) {
            let left: Vec<_> = round
                .iter()
                .filter(|&&step| !self.done[step as usize])
                .map(|&step| self.migration.show(&self.migration.steps[step as usize]))
                .collect();
            if !left.is_empty() {
                return Some(left);
            }
            self.at += 1;
        }
        None
    }

    /// Notes that a move of this plan is complete. Returns whether it was not before; `false` also for a move of another migration.
    /// O(log moves).
    pub fn complete(&mut self, step: &Move<'_, N>) -> bool {
        let steps = &self.migration.steps;
        let begin = steps.partition_point(|other| other.first < step.first.get());
        let found = steps[begin..]
            .iter()
            .take_while(|other| other.first == step.first.get())
            .position(|other| {
                let other = self.migration.show(other);
                other.last == step.last && same(other.from, step.from) && same(other.to, step.to)
            });
        found.is_some_and(|found| !core::mem::replace(&mut self.done[begin + found], true))
    }

    /// How many moves are not complete.
    pub fn remaining(&self) -> usize {
        self.done.iter().filter(|&&done| !done).count()
    }

    /// Whether all moves are complete.
    pub fn is_complete(&self) -> bool {
        self.done.iter().all(|&done| done)
    }

    /// The state to store. O(moves).
    pub fn progress(&self) -> Progress {
        let byte = |bits: &[bool]| (0..).zip(bits).map(|(i, &done)| u8::from(done) << i).sum();
        Progress {
            migration: self.migration.checksum(),
            done: self.done.chunks(8).map(byte).collect(),
        }
    }

    /// Takes up a stored state: exactly the moves that were complete then are complete now. The limit may be another one.
    ///
    /// # Errors
    /// [`PlanError::OtherMigration`] where the state belongs to a migration with other ranges or nodes,
    /// [`PlanError::Malformed`] where it has not one bit a move. The plan then stays as it was.
    pub fn resume(&mut self, progress: &Progress) -> Result<(), PlanError> {
        let expected = self.migration.checksum();
        if progress.migration != expected {
            return Err(PlanError::OtherMigration {
                expected,
                found: progress.migration,
            });
        }
        let (moves, bytes) = (self.done.len(), progress.done.len());
        let bit = |i: usize| progress.done[i / 8] >> (i % 8) & 1 == 1;
        if bytes != moves.div_ceil(8) || (moves..bytes * 8).any(bit) {
            return Err(PlanError::Malformed { moves, bytes });
        }
        self.done = (0..moves).map(bit).collect();
        self.at = 0;
        Ok(())
    }
}

/// Whether both are the one node in memory: moves borrow it from the memberships.
fn same<N>(a: Option<&N>, b: Option<&N>) -> bool {
    a.map(core::ptr::from_ref) == b.map(core::ptr::from_ref)
}

/// Counts only.
impl<N> fmt::Debug for Plan<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("limit", &self.limit)
            .field("rounds", &self.rounds.len())
            .field("moves", &self.done.len())
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

/// One line a round, for the first 20: how many moves, how much, how many complete.
impl<N> fmt::Display for Plan<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ROUNDS: usize = 20;
        let (rounds, moves) = (self.rounds.len(), self.done.len());
        write!(
            f,
            "{moves} moves in {rounds} rounds, at most {} from and to a node at once",
            self.limit
        )?;
        for (number, round) in (1u32..).zip(self.rounds.iter().take(ROUNDS)) {
            let measure = |step: &u32| {
                let step = self.migration.steps[*step as usize];
                super::measure(step.first, step.last)
            };
            let percent = 100.0 * self.migration.share_of(round.iter().map(measure).sum());
            let done = round.iter().filter(|&&step| self.done[step as usize]);
            let (count, done) = (round.len(), done.count());
            write!(
                f,
                "\nround {number:>4}: {count:>6} moves, {percent:>6.2} %, {done} complete"
            )?;
        }
        if rounds > ROUNDS {
            write!(f, "\n… {} more rounds", rounds - ROUNDS)?;
        }
        Ok(())
    }
}
