//! [`RoundRobin`]: nodes in turn, heavier ones more often.

mod turns;

use crate::atomic::{Counter, Ordering, wide};
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::random::{Line, Random, Urn};
use crate::strategy::{Strategy, construct_verbs, picking_verbs, routing_verbs};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use turns::Turns;

/// The number of ticks that one pick may use up before the remaining nodes are drawn.
const TICKS: usize = 64;

/// A smooth weighted round-robin balancer (nginx, `ngx_http_upstream_round_robin.c`). Each node
/// gets its turn, a heavier one more often but not in a row. The key is ignored.
///
/// The sequence is that of nginx: every node's `current` grows by its weight, the node with the
/// greatest `current` takes the turn (of equal ones the first by identity), and its `current` falls
/// by Σw. Weights 5, 1, 1 give a a b a c a a.
///
/// - **Any Σw consecutive picks contain each node exactly as often as its weight says**, from any
///   number of threads, as long as the sequence is kept (see below) and no node is refused.
/// - **The turn of a refused node is used up, and the next tick decides.** Its neighbour does not
///   get all its turns. While a node is down, the others share its turns, and no node's load
///   doubles.
/// - A pick is one `fetch_add` on `&self`, so it is wait-free.
///
/// The sequence is worked out when the members change, if all weights are equal or the sequence is
/// short. It is short if it repeats after at most 65,536 turns (Σw divided by the greatest common
/// divisor of the weights) and turns × nodes are at most 2²⁴. A longer sequence is replaced by
/// steps over the weights along the golden ratio. After n ticks every node has then had its n·w/Σw
/// turns to within a few, as with the sequence, but not in exact cycles.
///
/// # Examples
/// ```
/// use clockwise::RoundRobin;
///
/// let mut turns = RoundRobin::new();
/// turns.extend_weighted([("a", 5), ("b", 1), ("c", 1)])?;
/// let picked: String = (0..7).filter_map(|_| turns.route("")).copied().collect();
/// assert_eq!(picked, "aabacaa");
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Clones
///
/// Clones share their turns, as snapshots in [`Shared`](crate::Shared) must: a pick of one is a
/// turn that no other takes again, so the cycles are exact across them. If the membership of a
/// clone changes, its turns change, and the count continues. For turns of its own, build another
/// strategy with the same members:
///
/// ```
/// use clockwise::RoundRobin;
///
/// let turns = RoundRobin::from_nodes(["a", "b", "c"])?;
/// let shared = turns.clone();
/// assert_eq!([turns.route(""), shared.route("")], [Some(&"a"), Some(&"b")]);
///
/// let members = turns.members().map(|member| (*member.node, member.weight));
/// let own = RoundRobin::from_weighted(members)?;
/// assert_eq!([own.route(""), turns.route("")], [Some(&"a"), Some(&"c")]);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # A fleet
///
/// If ten clients start together, all ten send their first request to the same node. Start each
/// [at another tick](RoundRobin::starting_at), such as a random one. [`new`](RoundRobin::new)
/// starts at 0, so that a test can expect a sequence.
///
/// # Performance
///
/// A pick is O(1). Each refusal is one more tick. After 64 ticks the nodes that are left are drawn
/// in proportion to weight, in O(log N) each. A change is O(N), plus turns × nodes if weights are
/// unequal. Nothing is allocated up to 16 refusals. All threads share one counter, so more of them
/// pick no faster together.
///
/// The counter wraps after 2⁶⁴ picks, or after 2³² if the target has no 64-bit atomics. The cycle
/// then starts again. `RoundRobin` requires pointer-width atomics.
pub struct RoundRobin<N> {
    nodes: NodeSet<N>,
    line: Line,
    turns: Turns,
    start: u64,
    ticks: Arc<Ticks>,
}

/// The counters that all clones share.
#[derive(Debug)]
struct Ticks {
    /// The number of picks, and of ticks that refused nodes used up.
    taken: Counter,
    /// The number of picks that ran out of ticks.
    tails: Counter,
}

impl<N> RoundRobin<N> {
    /// Creates a strategy without nodes, at tick 0.
    ///
    /// # Examples
    /// ```
    /// use clockwise::RoundRobin;
    ///
    /// let mut turns = RoundRobin::new();
    /// turns.extend_weighted([("a", 2), ("b", 1)])?;
    /// let three: Vec<_> = (0..3).filter_map(|_| turns.route("").copied()).collect();
    /// assert_eq!(three.iter().filter(|name| **name == "a").count(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        RoundRobin::starting_at(0)
    }
}

construct_verbs!(impl[N: Key] RoundRobin<N>, N, example RoundRobin, "");

impl<N> RoundRobin<N> {
    /// Creates a strategy without nodes, at this tick: pick number i takes the turn of tick
    /// `tick + i`. Start each client of a fleet at another tick, so that they do not move in step.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::RoundRobin;
    ///
    /// let mut turns = RoundRobin::starting_at(2);
    /// turns.extend_weighted([("a", 1), ("b", 1), ("c", 1)])?;
    /// assert_eq!([turns.route(""), turns.route("")], [Some(&"c"), Some(&"a")]);
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    #[must_use]
    pub fn starting_at(tick: u64) -> Self {
        RoundRobin {
            nodes: NodeSet::new(Budget::NO_POINTS),
            line: Line::new(),
            turns: Turns::none(),
            start: tick,
            ticks: Arc::new(Ticks {
                taken: Counter::new(0),
                tails: Counter::new(0),
            }),
        }
    }

    /// Restarts the turns of this strategy and of all its clones at the tick that it was created
    /// with: 0 for [`new`](RoundRobin::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::RoundRobin;
    ///
    /// let turns = RoundRobin::from_nodes(["a", "b", "c"])?;
    /// assert_eq!([turns.route(""), turns.route("")], [Some(&"a"), Some(&"b")]);
    /// turns.reset();
    /// assert_eq!(turns.route(""), Some(&"a"));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn reset(&self) {
        self.ticks.taken.store(0, Ordering::Relaxed);
        self.ticks.tails.store(0, Ordering::Relaxed);
    }

    /// Works out the turns, and commits.
    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let members = self.nodes.preview(&draft);
            let weights: Vec<u32> = members.map(|member| member.active_weight()).collect();
            let line = Line::of(weights.iter().copied());
            self.turns = Turns::of(&weights, self.start);
            self.line = line;
        }
        self.nodes.commit(draft)
    }

    #[inline]
    fn next_turn(&self) -> Option<u32> {
        let tick = self.ticks.taken.fetch_add(1, Ordering::Relaxed);
        self.turns.at(tick, &self.line)
    }

    /// Continues a pick whose first node was refused.
    #[cold]
    fn pick_another<'a>(
        &'a self,
        refused: u32,
        accept: &mut dyn FnMut(&'a N) -> bool,
    ) -> Option<&'a N> {
        let mut urn = Urn::full(&self.line);
        urn.take(refused);
        let mut offer = |urn: &mut Urn<'_>, rank| {
            urn.take(rank);
            Some(self.nodes.node(rank)).filter(|node| accept(node))
        };
        for _ in 1..TICKS {
            if urn.is_empty() {
                return None;
            }
            let rank = self.next_turn()?;
            if urn.holds(rank) {
                if let Some(node) = offer(&mut urn, rank) {
                    return Some(node);
                }
            }
        }
        // Refused nodes hold nearly all turns. Giving the rest the next turn would favour the node
        // that follows a long gap.
        let tail = wide(self.ticks.tails.fetch_add(1, Ordering::Relaxed));
        let mut random = Random::of_pick(0, tail);
        while let Some(rank) = urn.draw(random.draw()) {
            if let Some(node) = offer(&mut urn, rank) {
                return Some(node);
            }
        }
        None
    }
}

routing_verbs!(impl[N: Key] RoundRobin<N>, N, example RoundRobin);
picking_verbs!(impl[N: Key] RoundRobin<N>, N, example RoundRobin);
membership!(RoundRobin<N>, example RoundRobin, [N: Key], strategy [N: Key], reading [N], "");

impl<N: Key> Strategy for RoundRobin<N> {
    type Node = N;

    fn pick<'a>(&'a self, _: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        let rank = self.next_turn()?;
        let node = self.nodes.node(rank);
        if accept(node) {
            return Some(node);
        }
        self.pick_another(rank, accept)
    }

    /// Returns the XXH3 of the key. The turn does not depend on it, but wrappers tell keys apart by
    /// it.
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(Xxh3::new().hash_bytes(key))
    }

    #[inline]
    fn route_token(&self, _: Token) -> Option<&N> {
        let rank = self.next_turn()?;
        Some(self.nodes.node(rank))
    }

    members_of_nodes!(N);
}

impl<N> Default for RoundRobin<N> {
    fn default() -> Self {
        RoundRobin::new()
    }
}

/// The clone shares its turns with the original: see [Clones](RoundRobin#clones).
impl<N: Clone> Clone for RoundRobin<N> {
    fn clone(&self) -> Self {
        RoundRobin {
            nodes: self.nodes.clone(),
            line: self.line.clone(),
            turns: self.turns.clone(),
            start: self.start,
            ticks: Arc::clone(&self.ticks),
        }
    }
}

/// Shows counts only.
impl<N> fmt::Debug for RoundRobin<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoundRobin")
            .field("nodes", &self.len())
            .field("start", &self.start)
            .field("ticks", &self.ticks.taken.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
