//! [`LeastLoaded`]: the least loaded of all nodes.

mod scan;
mod turns;

use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::load::turns::{Turn, is_warming};
use crate::load::{Load, relative};
use crate::nodes::{Budget, Changes, Draft, Entry, NodeSet, members_of_nodes, membership};
use crate::random::{Draws, Random};
#[cfg(feature = "std")]
use crate::strategy::construct_verbs;
use crate::strategy::{Strategy, picking_verbs, routing_verbs};
use core::fmt;
use scan::ABSENT;

/// The node offers of a pick that are searched for one by one: 16 that are refused, and one more.
/// After that, all loads are read once more and sorted.
const SEARCHED: usize = 17;

/// A load balancer that picks the node of least `load() / weight`, known as least connections. The
/// key is ignored.
///
/// Use it if loads are *exact and local*, such as the requests in flight of a proxy that handles
/// all requests. If loads are stale, or if each of many clients sees only its own part, use
/// [`PowerOfTwo`](crate::PowerOfTwo): all clients would send to the one node that looked idle.
///
/// Ties are spread evenly over the tied nodes, never to the first one nor to the neighbour of a
/// busy one. If all loads are equal, every node gets its turn. A pick reads the loads when it is
/// made.
///
/// Nodes that are warming up ([`Load::warmth`]) get turns in proportion to their warmth. See
/// [`SlowStart`](crate::SlowStart).
///
/// # Examples
///
/// ```
/// use clockwise::{LeastLoaded, Tracked};
///
/// let mut servers = LeastLoaded::from_nodes(["a", "b"].map(Tracked::new))?;
/// let busy = servers.get("a").unwrap().begin();
/// assert_eq!(**servers.route("any key").unwrap(), "b");
///
/// servers.set_weight("a", 3)?; // (1 in flight + 1) / 3 is less than 1 / 1
/// assert_eq!(**servers.route("any key").unwrap(), "a");
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Seeds
///
/// Only ties and turns are drawn. Equal seeds give equal draws, as in
/// [`WeightedRandom`](crate::WeightedRandom#seeds). [`new`](LeastLoaded::new) takes a seed from the
/// operating system and needs `std`.
///
/// # Performance
///
/// A pick reads the load of every node once, in O(N), and once more for each of the first 16 nodes
/// that are refused. After 16 refusals the rest is sorted, in O(N log N). Up to 16 refusals
/// allocate nothing. While a node is warming, a pick takes another O(N). With `std`, up to 16
/// threads share no memory that they write, which takes 2 KiB for each strategy.
pub struct LeastLoaded<N> {
    nodes: NodeSet<N>,
    draws: Draws,
    /// `true` if all nodes take part with the same weight. Then their loads compare without
    /// divisions, in half the time.
    level: bool,
}

impl<N> LeastLoaded<N> {
    /// Creates a strategy without nodes, with a seed from the operating system. Needs `std`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{LeastLoaded, Tracked};
    ///
    /// let mut servers = LeastLoaded::new();
    /// servers.insert(Tracked::new("a"))?;
    /// assert!(servers.route("").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn new() -> Self {
        LeastLoaded::drawing(Draws::from_entropy())
    }
}

#[cfg(feature = "std")]
construct_verbs!(impl[N: Key] LeastLoaded<N>, N, example LeastLoaded, "");

impl<N> LeastLoaded<N> {
    /// Creates a strategy without nodes, whose draws start from this seed.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{LeastLoaded, Tracked};
    ///
    /// let mut servers = LeastLoaded::with_seed(7); // for tests that repeat
    /// servers.extend_weighted([(Tracked::new("a"), 1), (Tracked::new("b"), 1)])?;
    /// assert_eq!(servers.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        LeastLoaded::drawing(Draws::with_seed(seed))
    }
}

routing_verbs!(impl[N: Key + Load] LeastLoaded<N>, N, example LeastLoaded);
picking_verbs!(impl[N: Key + Load] LeastLoaded<N>, N, example LeastLoaded);
membership!(
    LeastLoaded<N>, example LeastLoaded, [N: Key], strategy [N: Key + Load], reading [N], ""
);

impl<N> LeastLoaded<N> {
    const fn drawing(draws: Draws) -> Self {
        LeastLoaded {
            nodes: NodeSet::new(Budget::NO_POINTS),
            draws,
            level: false,
        }
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        let level = {
            let mut weights = self.nodes.preview(&draft).map(|node| node.active_weight());
            let first = weights.next().unwrap_or(0);
            first > 0 && weights.all(|weight| weight == first)
        };
        self.level = level;
        self.nodes.commit(draft)
    }
}

impl<N: Load> LeastLoaded<N> {
    /// Returns the node to offer next: the least loaded one that is not refused, unless nodes are
    /// warming. `number` decides between equals.
    #[inline]
    fn choose(
        &self,
        refused: &[u32],
        number: u64,
        random: &mut Random,
        turn: &mut Option<Turn>,
    ) -> Option<u32> {
        let mut warming = false;
        let least = self.least(refused, number, random, |entry| {
            if is_warming(&entry.node) {
                warming |= !entry.drained;
                ABSENT
            } else {
                self.load(entry)
            }
        });
        if warming {
            self.choose_by_turns(least, refused, random, turn)
        } else {
            least
        }
    }

    /// Returns the node of least `load` that is not refused.
    #[inline]
    fn least(
        &self,
        refused: &[u32],
        number: u64,
        random: &mut Random,
        load: impl FnMut(&Entry<N>) -> f64,
    ) -> Option<u32> {
        let entries = self.nodes.entries();
        if entries.len() <= 16 {
            scan::least::<_, 16>(entries, refused, number, random, load)
        } else {
            scan::least::<_, 64>(entries, refused, number, random, load)
        }
    }

    /// Returns what a warm node is compared by.
    #[inline]
    fn load(&self, entry: &Entry<N>) -> f64 {
        if self.level {
            relative(entry.node.load(), 1.0)
        } else if entry.drained {
            ABSENT
        } else {
            relative(entry.node.load(), f64::from(entry.weight))
        }
    }

    /// Continues a pick whose first node was refused.
    #[cold]
    fn pick_another<'a>(
        &'a self,
        first: u32,
        mut random: Random,
        mut turn: Option<Turn>,
        accept: &mut dyn FnMut(&'a N) -> bool,
    ) -> Option<&'a N> {
        let mut refused = [first; SEARCHED];
        for count in 1..SEARCHED {
            // A number of its own: the one that chose the first would choose its neighbour now.
            let number = random.draw();
            let rank = self.choose(&refused[..count], number, &mut random, &mut turn)?;
            let node = self.nodes.node(rank);
            if accept(node) {
                return Some(node);
            }
            refused[count] = rank;
        }
        self.pick_of_rest(&refused, &mut random, turn, accept)
    }
}

impl<N: Key + Load> Strategy for LeastLoaded<N> {
    type Node = N;

    fn pick<'a>(&'a self, _: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        let (mut random, mut turn) = (self.draws.next(), None);
        let rank = self.choose(&[], random.even(), &mut random, &mut turn)?;
        let node = self.nodes.node(rank);
        if accept(node) {
            return Some(node);
        }
        self.pick_another(rank, random, turn, accept)
    }

    /// Returns the XXH3 of the key. The choice does not depend on it, but wrappers tell keys apart
    /// by it.
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(Xxh3::new().hash_bytes(key))
    }

    #[inline]
    fn route_token(&self, _: Token) -> Option<&N> {
        let mut random = self.draws.next();
        let rank = self.choose(&[], random.even(), &mut random, &mut None)?;
        Some(self.nodes.node(rank))
    }

    members_of_nodes!(N);
}

#[cfg(feature = "std")]
impl<N> Default for LeastLoaded<N> {
    fn default() -> Self {
        LeastLoaded::new()
    }
}

/// The clone shares its random numbers with the original: neither draws again what the other has.
impl<N: Clone> Clone for LeastLoaded<N> {
    fn clone(&self) -> Self {
        LeastLoaded {
            nodes: self.nodes.clone(),
            draws: self.draws.clone(),
            level: self.level,
        }
    }
}

/// Shows counts only.
impl<N> fmt::Debug for LeastLoaded<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeastLoaded")
            .field("nodes", &self.len())
            .field("draws", &self.draws)
            .finish_non_exhaustive()
    }
}
