//! [`RoundRobin`]: nodes in turn, heavier ones more often.

mod turns;

use crate::atomic::{Count, Counter, Ordering, wide};
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::random::{Line, Random, Urn};
use crate::strategy::{Strategy, construct_verbs, picking_verbs, routing_verbs};
use alloc::vec::Vec;
use core::fmt;
use turns::Turns;

/// Ticks one pick may use up, before what is left of it is drawn.
const TICKS: usize = 64;

/// Smooth weighted round-robin (nginx, `ngx_http_upstream_round_robin.c`): each node in turn, a heavier one more often but not in a row.
///
/// The sequence of nginx: `current += weight` for every node, the greatest `current` takes the turn (of equals the first by identity) and
/// gives up Σw. Weights 5, 1, 1 give a a b a c a a. The key is ignored.
///
/// - **Any Σw consecutive picks contain each node exactly as often as its weight says**, whatever threads they come from (while the sequence
///   is kept, see below, and none is refused).
/// - **A refused node's turn goes to the next tick**, which is then used up, and not to its neighbour: so while a node is down, the
///   others share its turns and nobody's load doubles.
/// - A pick is one `fetch_add` on `&self`: wait-free.
///
/// The sequence is worked out when the membership changes, if it repeats after at most 65,536 turns (Σw divided by the weights' greatest common
/// divisor) and turns × nodes are at most 2²⁴, or if all weights are equal. Beyond that ticks step over the weights along the golden ratio:
/// after n ticks every node has had its n·w/Σw turns to within a few, as there too, but not in exact cycles.
///
/// ```
/// use clockwise::{RoundRobin};
///
/// let mut turns = RoundRobin::new();
/// turns.extend_weighted([("a", 5), ("b", 1), ("c", 1)])?;
/// let picked: String = (0..7).filter_map(|_| turns.route("")).copied().collect();
/// assert_eq!(picked, "aabacaa");
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # A fleet
/// Ten clients that start together at tick 0 send their first requests to the same node, all ten. Start each
/// [at another tick](RoundRobin::starting_at), such as a random one. [`new`](RoundRobin::new) starts at 0, so that a sequence can be foretold.
///
/// # Cost
/// A pick is O(1); each refusal is one more tick. After 64 ticks the nodes that are left are drawn in proportion to weight, in O(log N) each. A
/// change is O(N), plus turns × nodes where weights are unequal. Nothing is allocated up to 16 refusals. All threads share the one counter, so more of them
/// pick no faster together.
///
/// The counter is brought back to the start of the cycle, so it never wraps; along the golden ratio it may after 2⁶⁴ picks without harm. Needs
/// atomics as wide as a pointer; where there are none of 64 bits, `starting_at` keeps the low 32.
pub struct RoundRobin<N> {
    nodes: NodeSet<N>,
    line: Line,
    turns: Turns,
    tick: Counter,
    /// How many picks ran out of ticks.
    tails: Counter,
}

impl<N> RoundRobin<N> {
    /// Without nodes, at tick 0.
    #[must_use]
    pub fn new() -> Self {
        RoundRobin::starting_at(0)
    }

    /// Without nodes, at this tick: pick number i takes the turn of tick `tick + i`. A fleet starts each client at another one, so that
    /// they do not move in step.
    ///
    /// ```
    /// use clockwise::{RoundRobin};
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
            turns: Turns::NONE,
            tick: Counter::new(tick as Count),
            tails: Counter::new(0),
        }
    }

    /// Works out the turns, and commits.
    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let members = self.nodes.preview(&draft);
            let weights: Vec<u32> = members.map(|member| member.active_weight()).collect();
            let line = Line::of(weights.iter().copied());
            self.turns = Turns::of(&weights);
            self.turns.wind(&self.tick);
            self.line = line;
        }
        self.nodes.commit(draft)
    }

    #[inline]
    fn next_turn(&self) -> Option<u32> {
        self.turns.take(&self.tick, &self.line)
    }

    /// The pick after its first node was refused.
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
        // Refused nodes hold nearly all turns. To give the rest the turn that comes next would favour whoever follows a long gap.
        let tail = wide(self.tails.fetch_add(1, Ordering::Relaxed));
        let mut random = Random::of_pick(0, tail);
        while let Some(rank) = urn.draw(random.draw()) {
            if let Some(node) = offer(&mut urn, rank) {
                return Some(node);
            }
        }
        None
    }
}

construct_verbs!(impl[N: Key] RoundRobin<N>, N, "");
routing_verbs!(impl[N: Key] RoundRobin<N>, N);
picking_verbs!(impl[N: Key] RoundRobin<N>, N);
membership!(RoundRobin<N>, [N: Key], strategy [N: Key], reading [N], "");

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

    /// XXH3 of the key. The turn does not depend on it; it lets wrappers tell keys apart.
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

/// Goes on at the tick where the original is.
impl<N: Clone> Clone for RoundRobin<N> {
    fn clone(&self) -> Self {
        RoundRobin {
            nodes: self.nodes.clone(),
            line: self.line.clone(),
            turns: self.turns.clone(),
            tick: Counter::new(self.tick.load(Ordering::Relaxed)),
            tails: Counter::new(self.tails.load(Ordering::Relaxed)),
        }
    }
}

/// Counts only.
impl<N> fmt::Debug for RoundRobin<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoundRobin")
            .field("nodes", &self.len())
            .field("tick", &self.tick.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
