//! [`WeightedRandom`]: random nodes in proportion to weight.

use crate::hash::{KeyHasher, Token, Xxh3};
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::random::{Draws, Line, Urn};
#[cfg(feature = "std")]
use crate::strategy::construct_verbs;
use crate::strategy::{Strategy, picking_verbs, routing_verbs};
use core::fmt;

use crate::key::Key;

/// A load balancer that draws a node at random for each pick, in proportion to weight and
/// independently of all other picks. The key is ignored.
///
/// Use it if many clients share the nodes without knowing of each other: chance spreads them, and
/// there is nothing to keep in step. Within one client [`RoundRobin`](crate::RoundRobin) is more
/// even. After n picks a node of share p has had its n·p picks to within a few there, and to within
/// √(n·p·(1 − p)) here. If the nodes' loads are known, two draws
/// ([`PowerOfTwo`](crate::PowerOfTwo)) are far better than one.
///
/// A refused node leaves the draw, and another is drawn from the rest. So the order of a pick is
/// that of drawing all nodes without putting any back.
///
/// # Examples
/// ```
/// use clockwise::{Route, WeightedRandom};
///
/// let mut random = WeightedRandom::with_seed(7);
/// random.extend_weighted([("small", 1), ("large", 3)])?;
/// let large = (0..4000).filter(|_| random.route("") == Some(&"large")).count();
/// assert!((2900..3100).contains(&large));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Seeds
///
/// Equal seeds give equal sequences, so that a test or a simulation can be replayed by one thread.
/// Several threads interleave their draws. Clients in production should have different seeds, so
/// that a fleet does not move in step.
///
/// [`new`](WeightedRandom::new) takes its seed from the operating system and needs `std`. Without
/// `std` there is only [`with_seed`](WeightedRandom::with_seed), because a default seed would be
/// the same on every device.
/// # Clones
///
/// Clones share their random numbers, as snapshots in [`Shared`](crate::Shared) must: none draws a
/// number again that another has drawn. A run of one thread can still be replayed if it copies and
/// updates the strategy. For draws of its own, build another strategy with another seed and the
/// same members.
///
/// # Performance
///
/// A pick is O(1) expected. Each refusal is one more draw, and up to 16 refusals allocate nothing.
/// A change is O(N). With `std`, up to 16 threads share no memory that they write, which takes 2
/// KiB for each strategy. The generator is `SplitMix64`, which is not fit for secrets.
pub struct WeightedRandom<N> {
    nodes: NodeSet<N>,
    line: Line,
    draws: Draws,
}

impl<N> WeightedRandom<N> {
    /// Creates a strategy without nodes, with a seed from the operating system. Needs `std`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::WeightedRandom;
    ///
    /// let mut split = WeightedRandom::new();
    /// split.extend_weighted([("stable", 95), ("canary", 5)])?;
    /// assert!(split.route("").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn new() -> Self {
        WeightedRandom::drawing(Draws::from_entropy())
    }
}

#[cfg(feature = "std")]
construct_verbs!(impl[N: Key] WeightedRandom<N>, N, example WeightedRandom, "");

impl<N> WeightedRandom<N> {
    /// Creates a strategy without nodes, whose draws start from this seed.
    ///
    /// # Examples
    /// ```
    /// use clockwise::WeightedRandom;
    ///
    /// let mut split = WeightedRandom::with_seed(7); // for tests: the same picks in each run
    /// split.extend_weighted([("stable", 95), ("canary", 5)])?;
    /// let canary = (0..1000).filter(|_| split.route("") == Some(&"canary")).count();
    /// assert!((20..90).contains(&canary));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        WeightedRandom::drawing(Draws::with_seed(seed))
    }

    const fn drawing(draws: Draws) -> Self {
        WeightedRandom {
            nodes: NodeSet::new(Budget::NO_POINTS),
            line: Line::new(),
            draws,
        }
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let members = self.nodes.preview(&draft);
            self.line = Line::of(members.map(|member| member.active_weight()));
        }
        self.nodes.commit(draft)
    }
}

routing_verbs!(impl[N: Key] WeightedRandom<N>, N, example WeightedRandom);
picking_verbs!(impl[N: Key] WeightedRandom<N>, N, example WeightedRandom);
membership!(
    WeightedRandom<N>, example WeightedRandom, [N: Key], strategy [N: Key], reading [N], ""
);

impl<N: Key> Strategy for WeightedRandom<N> {
    type Node = N;

    fn pick<'a>(&'a self, _: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        let mut random = self.draws.next();
        let mut urn = Urn::full(&self.line);
        while let Some(rank) = urn.draw(random.draw()) {
            let node = self.nodes.node(rank);
            if accept(node) {
                return Some(node);
            }
            urn.take(rank);
        }
        None
    }

    /// Returns the XXH3 of the key. The draw does not depend on it, but wrappers tell keys apart by
    /// it.
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(Xxh3::new().hash_bytes(key))
    }

    #[inline]
    fn route_token(&self, _: Token) -> Option<&N> {
        let rank = self.line.draw(self.draws.next().draw())?;
        Some(self.nodes.node(rank))
    }

    members_of_nodes!(N);
}

#[cfg(feature = "std")]
impl<N> Default for WeightedRandom<N> {
    fn default() -> Self {
        WeightedRandom::new()
    }
}

/// The clone shares its random numbers with the original: see [Clones](WeightedRandom#clones).
impl<N: Clone> Clone for WeightedRandom<N> {
    fn clone(&self) -> Self {
        WeightedRandom {
            nodes: self.nodes.clone(),
            line: self.line.clone(),
            draws: self.draws.clone(),
        }
    }
}

/// Shows counts only.
impl<N> fmt::Debug for WeightedRandom<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeightedRandom")
            .field("nodes", &self.len())
            .field("draws", &self.draws)
            .finish_non_exhaustive()
    }
}
