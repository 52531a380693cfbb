//! [`Plan`]: the moves of a migration as a queue.

use super::diff::Migration;
use super::moves::Move;
use super::queue::{Edge, Queue};
use super::range;
use super::sweep::{NOBODY, Step};
use crate::error::PlanError;
use crate::hash::{KeyHasher, TokenRange, Xxh3};
use crate::key::Key;
use alloc::{vec, vec::Vec};
use core::borrow::Borrow;
use core::fmt;

/// The moves of a migration as a queue: the largest first, and for each node at most `limit` moves
/// under way from it and at most `limit` to it.
///
/// The two limits are counted apart, because reading old data and writing new data use different
/// halves of a node's disk and network. A plan owns clones of the nodes, so it can be stored and
/// may outlive both placements.
///
/// Call [`start`](Plan::start) until it returns `None`, copy what it returned, and report each move
/// with [`complete`](Plan::complete) or [`retry`](Plan::retry). Each report may let another move
/// start. When all moves of a range are complete, [`completed_ranges`](Plan::completed_ranges)
/// yields it, and it may advance to [`Stage::Copied`](super::Stage::Copied).
///
/// A move without a taker (`to: None`) has nothing to copy and never starts. A move without a giver
/// counts on its taker alone.
///
/// # Restarts
/// Store [`progress`](Plan::progress) after a move is complete. After a restart make the same plan
/// again and [`resume`](Plan::resume) it. Moves that were under way start again, so copying must be
/// safe to repeat.
///
/// # Examples
/// ```
/// use clockwise::HashRing;
///
/// let old = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut new = old.clone();
/// new.insert("d")?;
/// let mut plan = old.diff(&new)?.plan(4)?;
///
/// let mut under_way = Vec::new();
/// loop {
///     while let Some(step) = plan.start() {
///         under_way.push(step); // begin to copy step.range from step.from to step.to
///     }
///     assert!(under_way.len() <= 4); // all go to d
///     let Some(step) = under_way.pop() else { break };
///     plan.complete(&step);
///     let _state = plan.progress(); // … and store this
/// }
/// assert!(plan.is_complete());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Plan<N> {
    limit: u32,
    /// By place, if the node gives or takes.
    givers: Vec<Option<N>>,
    takers: Vec<Option<N>>,
    /// In ascending order of their ranges.
    pub(super) steps: Vec<Step>,
    /// By step.
    pub(super) states: Vec<State>,
    queue: Queue,
    pub(super) checksum: u64,
    remaining: usize,
    in_flight: usize,
    /// The number of tokens that are copied, and that are to be copied in all.
    copied: u128,
    total: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    UnderWay,
    Complete,
}

impl<N> Migration<'_, N> {
    /// Puts the moves in a queue, for at most `limit` moves under way from each node and at most
    /// `limit` to it.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let plan = old.diff(&new)?.plan(4)?; // at most 4 at a time from or to one node
    /// assert!(plan.remaining() > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PlanError::ZeroLimit`] if `limit` is 0.
    ///
    /// # Performance
    /// O(moves × log moves). Clones each node that gives and each node that takes once.
    pub fn plan(&self, limit: u32) -> Result<Plan<N>, PlanError>
    where
        N: Clone,
    {
        if limit == 0 {
            return Err(PlanError::ZeroLimit);
        }
        let mut givers = vec![None; self.nodes.len()];
        let mut takers = vec![None; self.nodes.len()];
        for step in &self.steps {
            for (places, place, old) in [
                (&mut givers, step.from, true),
                (&mut takers, step.to, false),
            ] {
                if place != NOBODY && places[place as usize].is_none() {
                    let both = &self.nodes[place as usize];
                    places[place as usize] = if old { both.old } else { both.new }.cloned();
                }
            }
        }
        let mut plan = Plan {
            limit,
            queue: Queue::new(limit, self.nodes.len(), Vec::new()),
            givers,
            takers,
            steps: self.steps.clone(),
            states: Vec::new(),
            checksum: self.checksum(),
            remaining: 0,
            in_flight: 0,
            copied: 0,
            total: 0,
        };
        plan.restart(|_| false);
        Ok(plan)
    }

    /// Returns a checksum of the ranges and the identities.
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

impl<N: Key> Plan<N> {
    /// Returns the largest pending move whose giver and taker both have fewer than
    /// [`limit`](Plan::limit) moves under way, and counts it as under way. Returns `None` if there
    /// is none now.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let mut plan = old.diff(&new)?.plan(1)?;
    /// let first = plan.start().unwrap();
    /// assert_eq!(first.to, Some("c"));
    /// assert_eq!(plan.start(), None); // `c` takes one at a time
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(log moves), amortised over the moves, if most givers or most takers have a free slot. If
    /// most nodes of both sides are full, also about √p for a node that moves tokens to or from p
    /// others.
    pub fn start(&mut self) -> Option<Move<N>>
    where
        N: Clone,
    {
        let number = self.queue.start()? as usize;
        self.states[number] = State::UnderWay;
        self.in_flight += 1;
        let step = self.steps[number];
        let node = |places: &[Option<N>], place: u32| places.get(place as usize).cloned()?;
        Some(Move::new(
            range(step.first, step.last),
            node(&self.givers, step.from),
            node(&self.takers, step.to),
        ))
    }

    /// Notes that a move is complete. Returns `false` if it is not a move of this plan or is not
    /// under way, and changes nothing then.
    ///
    /// Takes a move with nodes or with references to nodes.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let mut plan = old.diff(&new)?.plan(1)?;
    /// let step = plan.start().unwrap();
    /// assert!(plan.complete(&step)); // copied
    /// assert!(!plan.complete(&step)); // not under way any more
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(log moves).
    pub fn complete<M: Borrow<N>>(&mut self, done: &Move<M>) -> bool {
        self.end(done, State::Complete)
    }

    /// Puts a move back that is under way, because it failed. Returns `false` if it is not a move
    /// of this plan or is not under way, and changes nothing then.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let mut plan = old.diff(&new)?.plan(1)?;
    /// let step = plan.start().unwrap();
    /// assert!(plan.retry(&step)); // the connection was lost
    /// assert_eq!(plan.start(), Some(step)); // it is the largest one again
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(log moves).
    pub fn retry<M: Borrow<N>>(&mut self, failed: &Move<M>) -> bool {
        self.end(failed, State::Pending)
    }

    fn end<M: Borrow<N>>(&mut self, ended: &Move<M>, state: State) -> bool {
        let Some(at) = self.under_way(ended) else {
            return false;
        };
        self.states[at] = state;
        self.in_flight -= 1;
        if state == State::Complete {
            self.remaining -= 1;
            self.copied += self.steps[at].measure();
        }
        self.queue
            .end(edge(at, &self.steps[at]), state == State::Pending);
        true
    }

    /// The number of the move under way that says the same.
    fn under_way<M: Borrow<N>>(&self, wanted: &Move<M>) -> Option<usize> {
        let (first, last) = (wanted.range.first().get(), wanted.range.last().get());
        let begin = self.steps.partition_point(|step| step.first < first);
        let same = |places: &[Option<N>], place: u32, node: &Option<M>| match node {
            None => place == NOBODY,
            Some(node) => places.get(place as usize).is_some_and(|own| {
                let own = own.as_ref().map(Key::key_bytes);
                own.is_some_and(|own| own.as_ref() == node.borrow().key_bytes().as_ref())
            }),
        };
        let of_range = (begin..).zip(&self.steps[begin..]);
        let mut of_range = of_range.take_while(|(_, step)| step.first == first);
        let found = of_range.find(|&(at, step)| {
            self.states[at] == State::UnderWay
                && step.last == last
                && same(&self.givers, step.from, &wanted.from)
                && same(&self.takers, step.to, &wanted.to)
        });
        found.map(|(at, _)| at)
    }
}

impl<N> Plan<N> {
    /// Returns the greatest number of moves under way from a node, and to a node.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.diff(&ring)?.plan(4)?.limit(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns the number of moves under way.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let mut plan = old.diff(&new)?.plan(2)?;
    /// while plan.start().is_some() {}
    /// assert_eq!(plan.in_flight(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns the number of moves that are not complete, those under way included.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let migration = old.diff(&new)?;
    /// assert_eq!(migration.plan(2)?.remaining(), migration.moves().count());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remaining(&self) -> usize {
        self.remaining
    }

    /// Returns `true` if all moves are complete.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert!(ring.diff(&ring)?.plan(1)?.is_complete()); // nothing moves
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_complete(&self) -> bool {
        self.remaining == 0
    }

    /// Returns the fraction of the tokens to copy that is copied, 0.0 to 1.0, for a progress bar.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let mut plan = old.diff(&new)?.plan(1)?;
    /// assert_eq!(plan.fraction(), 0.0);
    /// while let Some(step) = plan.start() {
    ///     plan.complete(&step);
    ///     println!("{:.0} %", plan.fraction() * 100.0);
    /// }
    /// assert_eq!(plan.fraction(), 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fraction(&self) -> f64 {
        if self.total == 0 {
            1.0
        } else {
            self.copied as f64 / self.total as f64
        }
    }

    /// Returns the ranges whose moves are all complete, in ascending order. A range in which no
    /// move has a taker is complete from the start.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let mut plan = old.diff(&new)?.plan(1)?;
    /// let step = plan.start().unwrap();
    /// assert_eq!(plan.completed_ranges().count(), 0);
    /// plan.complete(&step);
    /// assert!(plan.completed_ranges().eq([step.range]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(moves) for all. Advancing [`Epochs`](super::Epochs) by all of them again does nothing, so
    /// there is no need to remember which are new.
    pub fn completed_ranges(&self) -> impl Iterator<Item = TokenRange> {
        let mut states = &self.states[..];
        let ranges = self.steps.chunk_by(|a, b| a.first == b.first);
        ranges.filter_map(move |steps| {
            let (own, others) = states.split_at(steps.len());
            states = others;
            let complete = own.iter().all(|&state| state == State::Complete);
            complete.then(|| range(steps[0].first, steps[0].last))
        })
    }

    /// Makes exactly these moves complete and puts the others in a new queue.
    pub(super) fn restart(&mut self, is_complete: impl Fn(usize) -> bool) {
        let mut edges = Vec::new();
        (self.total, self.copied, self.in_flight) = (0, 0, 0);
        self.states.clear();
        for (at, step) in self.steps.iter().enumerate() {
            let complete = step.to == NOBODY || is_complete(at);
            if step.to != NOBODY {
                self.total += step.measure();
                self.copied += if complete { step.measure() } else { 0 };
            }
            self.states.push(if complete {
                State::Complete
            } else {
                edges.push(edge(at, step));
                State::Pending
            });
        }
        self.remaining = edges.len();
        self.queue = Queue::new(self.limit, self.givers.len(), edges);
    }
}

fn edge(number: usize, step: &Step) -> Edge {
    Edge {
        number: number as u32,
        size: step.last - step.first,
        from: Some(step.from).filter(|&from| from != NOBODY),
        to: step.to,
    }
}

/// Shows counts only.
impl<N> fmt::Debug for Plan<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("limit", &self.limit)
            .field("moves", &self.steps.len())
            .field("remaining", &self.remaining)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

/// One line: how many moves are complete and under way, and how much is copied.
impl<N> fmt::Display for Plan<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan {
            limit, in_flight, ..
        } = self;
        let moves = self.steps.len();
        let (complete, percent) = (moves - self.remaining, 100.0 * self.fraction());
        write!(
            f,
            "{complete} of {moves} moves complete, {in_flight} under way (at most {limit} from and \
             {limit} to a node), {percent:.2} % copied"
        )
    }
}
