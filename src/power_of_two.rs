//! [`PowerOfTwo`]: two nodes at random, the less loaded one.

mod turns;

use crate::error::ConfigError;
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::load::turns::{Turn, is_warming};
use crate::load::{Load, relative};
use crate::nodes::{Budget, Changes, Draft, Entry, NodeSet, members_of_nodes, membership};
use crate::random::{Draws, Line, Random, Urn, below};
#[cfg(feature = "std")]
use crate::strategy::construct_verbs;
use crate::strategy::{Strategy, picking_verbs, routing_verbs};
use core::fmt;

/// The most choices: these and 16 refused nodes fit in what a pick keeps without allocating.
const MOST_CHOICES: u32 = 16;

/// A load balancer that draws two distinct nodes in proportion to weight and picks the one of lower
/// `load() / weight` (Mitzenmacher, IEEE TPDS 12(10), 2001). The key is ignored.
///
/// Use it if loads are *stale or partial*: reported now and then, or counted by one of many
/// clients. The least loaded of all nodes would then get every request, because it looked idle a
/// moment ago. With two choices no node is drawn for more than about 2·w/Σw of the picks. If loads
/// are exact and local, [`LeastLoaded`](crate::LeastLoaded) is better.
///
/// Of two equally loaded nodes either is picked, by a coin. If one node is eligible, it is picked.
/// A node that is refused leaves the draw, and two are drawn again among the rest.
///
/// Nodes that are warming up ([`Load::warmth`]) get turns in proportion to their warmth. See
/// [`SlowStart`](crate::SlowStart).
///
/// # Examples
///
/// ```
/// use clockwise::{PowerOfTwo, Tracked};
///
/// let servers = PowerOfTwo::from_nodes(["a", "b", "c"].map(Tracked::new))?;
/// let busy = servers.get("b").unwrap().begin();
/// for _ in 0..100 {
///     // Any other node that is drawn is less loaded.
///     assert_ne!(**servers.route("any key").unwrap(), "b");
/// }
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Seeds
///
/// Equal seeds give equal draws, as in [`WeightedRandom`](crate::WeightedRandom#seeds).
/// [`new`](PowerOfTwo::new) takes a seed from the operating system and needs `std`.
///
/// # Performance
///
/// A pick with d choices takes expected O(d), for any number of nodes, and reads d loads. Each
/// refusal takes as much again. Up to 16 refusals allocate nothing. While most nodes are warming, a
/// pick may take O(N). A change of the members takes O(N). With `std`, up to 16 threads share no
/// memory that they write, which takes 2 KiB for each strategy.
pub struct PowerOfTwo<N> {
    nodes: NodeSet<N>,
    line: Line,
    draws: Draws,
    choices: u32,
}

impl<N> PowerOfTwo<N> {
    /// Creates a strategy without nodes, with two choices and a seed from the operating system.
    /// Needs `std`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PowerOfTwo, Tracked};
    ///
    /// let mut servers = PowerOfTwo::new();
    /// servers.insert(Tracked::new("a"))?;
    /// assert!(servers.route("").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn new() -> Self {
        PowerOfTwo::drawing(Draws::from_entropy())
    }
}

#[cfg(feature = "std")]
construct_verbs!(impl[N: Key] PowerOfTwo<N>, N, example PowerOfTwo, "");

impl<N> PowerOfTwo<N> {
    /// Creates a strategy without nodes, with two choices, whose draws start from this seed.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PowerOfTwo, Tracked};
    ///
    /// let run = || {
    ///     let mut servers = PowerOfTwo::with_seed(7);
    ///     servers.extend_weighted(["a", "b", "c"].map(|name| (Tracked::new(name), 1)))?;
    ///     let picks: Vec<&str> = (0..9).map(|_| **servers.route("").unwrap()).collect();
    ///     Ok::<_, clockwise::NodeError>(picks)
    /// };
    /// assert_eq!(run()?, run()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        PowerOfTwo::drawing(Draws::with_seed(seed))
    }

    /// Sets how many distinct nodes a pick draws and compares, from 1 to 16.
    ///
    /// Three halve the tail of two if service times are heavy-tailed. Many choices behave like
    /// [`LeastLoaded`](crate::LeastLoaded), also with stale loads. One choice behaves like
    /// [`WeightedRandom`](crate::WeightedRandom).
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::PowerOfTwo;
    /// let mut servers = PowerOfTwo::with_seed(7).with_choices(3)?;
    /// servers.insert("a")?;
    /// assert!(PowerOfTwo::<&str>::with_seed(7).with_choices(0).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError::OutOfRange`] for 0 or more than 16.
    pub fn with_choices(mut self, choices: u32) -> Result<Self, ConfigError> {
        if choices == 0 || choices > MOST_CHOICES {
            let must = "from 1 to 16";
            return Err(ConfigError::out_of_range("choices", choices, must));
        }
        self.choices = choices;
        Ok(self)
    }
}

routing_verbs!(impl[N: Key + Load] PowerOfTwo<N>, N, example PowerOfTwo);
picking_verbs!(impl[N: Key + Load] PowerOfTwo<N>, N, example PowerOfTwo);

/// Routing without [`Load`].
impl<N> PowerOfTwo<N> {
    /// Draws two nodes, or as many as there are [choices](PowerOfTwo::with_choices), and returns
    /// the one that is less than the others by `less`.
    ///
    /// The nodes need no [`Load`]. `less(a, b)` returns `true` if `a` is less busy than `b`. Nodes
    /// of which neither is less are tied, and ties are broken at random. If weights matter for the
    /// comparison, `less` must divide by them itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::PowerOfTwo;
    /// use std::collections::HashMap;
    ///
    /// let servers = PowerOfTwo::from_nodes(["a", "b"])?;
    /// let queued = HashMap::from([("a", 3), ("b", 1)]);
    /// assert_eq!(servers.route_by(|a, b| queued[a] < queued[b]), Some(&"b"));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn route_by<F: FnMut(&N, &N) -> bool>(&self, mut less: F) -> Option<&N> {
        let mut random = self.draws.next();
        let mut urn = Urn::full(&self.line);
        let mut best = urn.draw(random.draw())?;
        let mut tied = 1;
        let mut last = best;
        for _ in 1..self.choices {
            urn.take(last);
            let Some(rank) = urn.draw(random.draw()) else {
                break;
            };
            let [one, other] = [best, rank].map(|rank| self.nodes.node(rank));
            if less(other, one) {
                (best, tied) = (rank, 1);
            } else if !less(one, other) {
                tied += 1;
                if below(random.draw(), tied) == 0 {
                    best = rank;
                }
            }
            last = rank;
        }
        Some(self.nodes.node(best))
    }
}

membership!(PowerOfTwo<N>, example PowerOfTwo, [N: Key], strategy [N: Key + Load], reading [N], "");

impl<N> PowerOfTwo<N> {
    /// Returns how many nodes a pick compares.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{PowerOfTwo, Tracked};
    ///
    /// assert_eq!(PowerOfTwo::<Tracked<&str>>::new().choices(), 2);
    /// ```
    pub fn choices(&self) -> u32 {
        self.choices
    }

    const fn drawing(draws: Draws) -> Self {
        PowerOfTwo {
            nodes: NodeSet::new(Budget::NO_POINTS),
            line: Line::new(),
            draws,
            choices: 2,
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

impl<N: Load> PowerOfTwo<N> {
    /// Returns the first node of a pick: [`choose`](Self::choose) from a full urn. With two choices
    /// it draws straight from the line, in half the time.
    #[inline]
    fn first(&self, random: &mut Random, turn: &mut Option<Turn>) -> Option<u32> {
        if self.choices != 2 {
            return self.choose(&mut Urn::full(&self.line), random, turn);
        }
        let one = self.line.draw(random.draw())?;
        let Some(other) = self.line.draw_another(one, random.draw()) else {
            return Some(one);
        };
        let [a, b] = [one, other].map(|rank| &self.nodes.entries()[rank as usize]);
        if is_warming(&a.node) || is_warming(&b.node) {
            let urn = &mut Urn::full(&self.line);
            return Some(self.choose_by_turns(one, urn, random, turn));
        }
        let (load, others) = (load(a), load(b));
        let wins = if load == others {
            below(random.draw(), 2) == 0
        } else {
            others < load
        };
        let best = [one, other][usize::from(wins)];
        let drawn = if load == others { best } else { one };
        *turn = Some(Turn::none_of(drawn));
        Some(best)
    }

    /// Returns the node to offer next, of those in the urn. The urn is unchanged then.
    #[inline(never)]
    fn choose(
        &self,
        urn: &mut Urn<'_>,
        random: &mut Random,
        turn: &mut Option<Turn>,
    ) -> Option<u32> {
        let one = urn.draw(random.draw())?;
        let mut warming = false;
        let draw = |urn: &Urn<'_>, random: &mut Random| {
            let rank = urn.draw(random.draw())?;
            warming |= self.is_warming(rank);
            Some(rank)
        };
        let (best, equal) = self.least(one, urn, random, draw, |rank| self.load(rank));
        let is_turn = turn.is_some_and(|turn| turn.is_turn);
        if is_turn || warming || self.is_warming(one) {
            return Some(self.choose_by_turns(one, urn, random, turn));
        }
        turn.get_or_insert(Turn::none_of(if equal { best } else { one }));
        Some(best)
    }

    /// Returns the least loaded of `one` and the other choices, which are drawn by `draw` from the
    /// urn, and whether `one` is its equal. The urn is unchanged then.
    #[inline]
    fn least<'l>(
        &self,
        one: u32,
        urn: &mut Urn<'l>,
        random: &mut Random,
        mut draw: impl FnMut(&Urn<'l>, &mut Random) -> Option<u32>,
        load: impl Fn(u32) -> f64,
    ) -> (u32, bool) {
        let first = load(one);
        let (mut best, mut least, mut tied) = (one, first, 1);
        let (mut drawn, mut count) = ([one; MOST_CHOICES as usize], 0);
        for _ in 1..self.choices {
            urn.take(drawn[count]);
            count += 1;
            let Some(rank) = draw(urn, random) else {
                break;
            };
            drawn[count] = rank;
            let load = load(rank);
            let mut wins = load < least;
            tied = if wins { 1 } else { tied };
            if load == least {
                tied += 1;
                wins = below(random.draw(), tied) == 0;
            }
            // Which one wins cannot be predicted, so this chooses without a branch.
            best = [best, rank][usize::from(wins)];
            least = least.min(load);
        }
        for &rank in &drawn[..count] {
            urn.put_back(rank);
        }
        (best, first == least)
    }

    #[inline]
    fn load(&self, rank: u32) -> f64 {
        load(&self.nodes.entries()[rank as usize])
    }

    #[inline]
    fn is_warming(&self, rank: u32) -> bool {
        is_warming(self.nodes.node(rank))
    }
}

/// Returns what a warm node is compared by.
#[inline]
fn load<N: Load>(entry: &Entry<N>) -> f64 {
    relative(entry.node.load(), f64::from(entry.weight))
}

impl<N: Key + Load> Strategy for PowerOfTwo<N> {
    type Node = N;

    fn pick<'a>(&'a self, _: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        let (mut random, mut turn) = (self.draws.next(), None);
        let mut rank = self.first(&mut random, &mut turn)?;
        let mut urn = Urn::full(&self.line);
        loop {
            let node = self.nodes.node(rank);
            if accept(node) {
                return Some(node);
            }
            urn.take(rank);
            turn = turn.filter(|turn| turn.drawn != rank);
            rank = self.choose(&mut urn, &mut random, &mut turn)?;
        }
    }

    /// Returns the XXH3 of the key. The draw does not depend on it, but wrappers tell keys apart by
    /// it.
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(Xxh3::new().hash_bytes(key))
    }

    #[inline]
    fn route_token(&self, _: Token) -> Option<&N> {
        let rank = self.first(&mut self.draws.next(), &mut None)?;
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

/// Shows counts only.
impl<N> fmt::Debug for PowerOfTwo<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PowerOfTwo")
            .field("nodes", &self.len())
            .field("choices", &self.choices)
            .field("draws", &self.draws)
            .finish_non_exhaustive()
    }
}
