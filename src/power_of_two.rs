//! [`PowerOfTwo`]: two nodes at random, the less loaded one.

use crate::error::ConfigError;
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::load::{Load, relative};
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::random::{Draws, Line, Random, Urn, below};
use crate::strategy::{Strategy, construct_verbs, picking_verbs, routing_verbs};
use core::fmt;

use crate::key::Key;

/// Most choices: these, and 16 refused nodes, fit what a pick keeps without allocating.
const MOST_CHOICES: u32 = 16;

/// The power of two choices (Mitzenmacher, IEEE TPDS 12(10), 2001): draw two distinct nodes in proportion to weight, take the one of lower
/// `load() / weight`; of equals either, by a coin. The key is ignored.
///
/// The right choice where loads are *stale or partial*: reported now and then, or counted by one of many clients. Taking the least loaded of all
/// then sends every request to the node that looked idle a moment ago. Two choices cannot: a node is drawn for 2·w/Σw of the picks at most.
/// Simulated with 50 servers at 90 % load whose loads are refreshed every 5 service times: the longest queue is 9.9 on average, 34 with
/// [`LeastLoaded`](crate::LeastLoaded). Where loads are exact and local, `LeastLoaded` is better.
///
/// One eligible node: that one. A refused node leaves the draw, and two are drawn anew among the rest.
///
/// ```
/// use clockwise::{Key, Load, PowerOfTwo};
///
/// struct Server(&'static str, f64);
/// impl Key for Server {
///     fn key_bytes(&self) -> impl AsRef<[u8]> {
///         self.0
///     }
/// }
/// impl Load for Server {
///     fn load(&self) -> f64 {
///         self.1
///     }
/// }
///
/// let servers = PowerOfTwo::from_nodes([Server("idle", 1.0), Server("busy", 9.0), Server("busier", 99.0)])?;
/// for _ in 0..100 {
///     assert_ne!(servers.route("").map(|server| server.0), Some("busier")); // whatever else is drawn is less loaded
/// }
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Seeds
/// As [`WeightedRandom`](crate::WeightedRandom#seeds): equal seeds replay; [`new`](PowerOfTwo::new) takes one from the operating system
/// and needs `std`.
///
/// # Cost
/// A pick is O(d) expected for d choices, whatever the number of nodes, and reads d loads. Each refusal costs as much again; up to 16
/// allocate nothing. A change is O(N). With `std`, up to 16
/// threads share nothing that they write, for 2 KiB a strategy.
pub struct PowerOfTwo<N> {
    nodes: NodeSet<N>,
    line: Line,
    draws: Draws,
    choices: u32,
}

impl<N> PowerOfTwo<N> {
    /// Without nodes, with this seed, with two choices.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        PowerOfTwo::drawing(Draws::with_seed(seed))
    }

    /// Without nodes, with a seed from the operating system, with two choices. Needs `std`.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn new() -> Self {
        PowerOfTwo::drawing(Draws::from_entropy())
    }

    const fn drawing(draws: Draws) -> Self {
        PowerOfTwo {
            nodes: NodeSet::new(Budget::NO_POINTS),
            line: Line::new(),
            draws,
            choices: 2,
        }
    }

    /// Draws `choices` distinct nodes each time, 1 to 16, and takes the least loaded of them. Three halve the tail of two under heavy-tailed service times;
    /// many behave as [`LeastLoaded`](crate::LeastLoaded), stale loads included; one is [`WeightedRandom`](crate::WeightedRandom).
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] for 0 or more than 16.
    ///
    /// ```
    /// use clockwise::PowerOfTwo;
    /// let mut servers = PowerOfTwo::with_seed(7).with_choices(3)?;
    /// servers.insert("a")?;
    /// assert!(PowerOfTwo::<&str>::with_seed(7).with_choices(0).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_choices(mut self, choices: u32) -> Result<Self, ConfigError> {
        if choices == 0 || choices > MOST_CHOICES {
            return Err(ConfigError::out_of_range("choices", choices, "1 to 16"));
        }
        self.choices = choices;
        Ok(self)
    }

    /// How many nodes a pick compares.
    pub fn choices(&self) -> u32 {
        self.choices
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let members = self.nodes.preview(&draft);
            self.line = Line::of(members.map(|member| member.active_weight()));
        }
        self.nodes.commit(draft)
    }
}

impl<N: Load> PowerOfTwo<N> {
    /// The first node of a pick: [`best`](Self::best) of a full urn. For two choices straight from the line, which is half the time.
    #[inline]
    fn first(&self, random: &mut Random) -> Option<u32> {
        if self.choices != 2 {
            return self.best(&mut Urn::full(&self.line), random);
        }
        let one = self.line.draw(random.draw())?;
        let Some(other) = self.line.draw_another(one, random.draw()) else {
            return Some(one);
        };
        let (load, others) = (self.load(one), self.load(other));
        let wins = if load == others {
            below(random.draw(), 2) == 0
        } else {
            others < load
        };
        Some([one, other][usize::from(wins)])
    }

    /// Draws from the urn; the least loaded of the drawn. The urn is as before then.
    #[inline]
    fn best(&self, urn: &mut Urn<'_>, random: &mut Random) -> Option<u32> {
        let mut best = urn.draw(random.draw())?;
        let (mut least, mut tied) = (self.load(best), 1);
        let (mut drawn, mut count) = ([best; MOST_CHOICES as usize], 0);
        for _ in 1..self.choices {
            urn.take(drawn[count]);
            count += 1;
            let Some(rank) = urn.draw(random.draw()) else {
                break;
            };
            drawn[count] = rank;
            let load = self.load(rank);
            let mut wins = load < least;
            tied = if wins { 1 } else { tied };
            if load == least {
                tied += 1;
                wins = below(random.draw(), tied) == 0;
            }
            // Which one wins cannot be predicted: choose without a branch.
            best = [best, rank][usize::from(wins)];
            least = least.min(load);
        }
        for &rank in &drawn[..count] {
            urn.put_back(rank);
        }
        Some(best)
    }

    #[inline]
    fn load(&self, rank: u32) -> f64 {
        let entry = &self.nodes.entries()[rank as usize];
        relative(entry.node.load(), f64::from(entry.weight))
    }
}

#[cfg(feature = "std")]
construct_verbs!(impl[N: Key] PowerOfTwo<N>, N, "");
routing_verbs!(impl[N: Key + Load] PowerOfTwo<N>, N);
picking_verbs!(impl[N: Key + Load] PowerOfTwo<N>, N);
membership!(PowerOfTwo<N>, [N: Key], strategy [N: Key + Load], reading [N], "");

impl<N: Key + Load> Strategy for PowerOfTwo<N> {
    type Node = N;

    fn pick<'a>(&'a self, _: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        let mut random = self.draws.next();
        let mut rank = self.first(&mut random)?;
        let mut urn = Urn::full(&self.line);
        loop {
            let node = self.nodes.node(rank);
            if accept(node) {
                return Some(node);
            }
            urn.take(rank);
            rank = self.best(&mut urn, &mut random)?;
        }
    }

    /// XXH3 of the key. The draw does not depend on it; it lets wrappers tell keys apart.
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(Xxh3::new().hash_bytes(key))
    }

    #[inline]
    fn route_token(&self, _: Token) -> Option<&N> {
        let rank = self.first(&mut self.draws.next())?;
        Some(self.nodes.node(rank))
    }

    members_of_nodes!(N);
}

#[cfg(feature = "std")]
impl<N> Default for PowerOfTwo<N> {
    fn default() -> Self {
        PowerOfTwo::new()
    }
}

/// The clone shares its random numbers with the original: neither draws again what the other has.
impl<N: Clone> Clone for PowerOfTwo<N> {
    fn clone(&self) -> Self {
        PowerOfTwo {
            nodes: self.nodes.clone(),
            line: self.line.clone(),
            draws: self.draws.clone(),
            choices: self.choices,
        }
    }
}

/// Counts only.
impl<N> fmt::Debug for PowerOfTwo<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PowerOfTwo")
            .field("nodes", &self.len())
            .field("choices", &self.choices)
            .field("draws", &self.draws)
            .finish_non_exhaustive()
    }
}
