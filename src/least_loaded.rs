//! [`LeastLoaded`]: the least loaded of all nodes.

use crate::hash::{KeyHasher, Token, Xxh3};
use crate::load::{Load, relative};
use crate::nodes::{Budget, Changes, Draft, Entry, NodeSet, members_of_nodes, membership};
use crate::random::{Draws, Random, below};
use crate::strategy::{Strategy, construct_verbs, picking_verbs, routing_verbs};
use alloc::vec::Vec;
use core::fmt;

use crate::key::Key;

/// Nodes whose loads are looked at together, on the stack.
const BLOCK: usize = 64;

/// Up to so many nodes are looked at one after the other: the block's wide reads would wait for the narrow writes before them.
const FEW: usize = 16;

/// Nodes of a pick that are searched for one by one: 16 that are refused, and one more. Then all loads are read once more and sorted.
const SEARCHED: usize = 17;

/// The load of a node that takes no part: not less than any and equal to none.
const ABSENT: f64 = f64::NAN;

/// Each pick takes the node of least `load() / weight` (least connections, with weights). The key is ignored.
///
/// The right choice where loads are *exact and local*, such as the requests in flight of a proxy that all requests pass through: simulated with 50
/// servers at 90 % load the longest queue is 1.8 on average, with two choices 4.8, in turn 19. Where loads are stale, or each of many clients sees only its own
/// part, take [`PowerOfTwo`](crate::PowerOfTwo): all would send to the one node that looked idle.
///
/// Ties are spread evenly over the tied, wherever they stand: never to the first, nor to the neighbour of a busy node. With all loads equal
/// every node gets its turn. The order of a pick is that of the loads as they are when it is made.
///
/// ```
/// use clockwise::{Key, LeastLoaded, Load, Route};
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
/// let mut servers = LeastLoaded::from_nodes([Server("a", 4.0), Server("b", 3.0)])?;
/// assert_eq!(servers.route("").map(|server| server.0), Some("b"));
/// servers.set_weight("a", 2)?; // 4/2 is less than 3/1
/// assert_eq!(servers.route("").map(|server| server.0), Some("a"));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Seeds
/// Only ties draw. As [`WeightedRandom`](crate::WeightedRandom#seeds): equal seeds replay; [`new`](LeastLoaded::new) takes one from the
/// operating system and needs `std`.
///
/// # Cost
/// A pick reads the load of every node once, O(N); with 16 refusals 17 times; beyond that the rest is sorted, O(N log N). Allocates nothing up to 16 refusals. With `std`, up to 16
/// threads share nothing that they write, for 2 KiB a strategy.
pub struct LeastLoaded<N> {
    nodes: NodeSet<N>,
    draws: Draws,
    /// Whether all nodes take part with the same weight: then their loads compare as they are, and half the time goes without divisions.
    level: bool,
}

impl<N> LeastLoaded<N> {
    /// Without nodes; ties are drawn with this seed.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        LeastLoaded::drawing(Draws::with_seed(seed))
    }

    /// Without nodes; ties are drawn with a seed from the operating system. Needs `std`.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn new() -> Self {
        LeastLoaded::drawing(Draws::from_entropy())
    }

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
    /// The least loaded node that is not among `refused`. `number` decides between equals of the first block of nodes, `random` where more are tied.
    #[inline]
    fn least(&self, refused: &[u32], number: u64, random: &mut Random) -> Option<u32> {
        if self.nodes.len() <= FEW {
            self.least_of_few(refused, number)
        } else {
            self.least_of_many(refused, number, random)
        }
    }

    /// Block by block without branches on loads: 1.1 to 1.4 ns a node where loads are at hand. One pass with a branch on each load mispredicts
    /// ln N times a pick, and to look at the loads again to find the tied would find them changed.
    #[inline]
    fn least_of_many(&self, refused: &[u32], mut number: u64, random: &mut Random) -> Option<u32> {
        let (mut least, mut tied, mut best) = (f64::INFINITY, 0, None);
        let mut loads = [ABSENT; BLOCK];
        for (block, entries) in self.nodes.entries().chunks(BLOCK).enumerate() {
            let loads = &mut loads[..entries.len()];
            let first = block * BLOCK;
            for (load, entry) in loads.iter_mut().zip(entries) {
                *load = self.load(entry);
            }
            for &rank in refused {
                if let Some(load) = loads.get_mut((rank as usize).wrapping_sub(first)) {
                    *load = ABSENT;
                }
            }
            let low = lowest(loads);
            if low > least {
                continue;
            }
            if low < least {
                (least, tied) = (low, 0);
            }
            let here = loads.iter().filter(|&&load| load == low).count();
            tied += here;
            // Each of the tied so far is as likely: those of this block take over with here/tied.
            let place = below(number, tied as u64) as usize;
            if place < here {
                best = Some((first + nth_equal(loads, low, here, place)) as u32);
            }
            number = random.draw();
        }
        best
    }

    /// The same for at most [`FEW`] nodes, and the same answer: of 10 nodes in 19 ns instead of 29.
    #[inline]
    fn least_of_few(&self, refused: &[u32], number: u64) -> Option<u32> {
        let entries = self.nodes.entries();
        let (mut least, mut tied) = (f64::INFINITY, 0);
        let mut loads = [ABSENT; FEW];
        for (rank, (slot, entry)) in loads.iter_mut().zip(entries).enumerate() {
            let load = if refused.contains(&(rank as u32)) {
                ABSENT
            } else {
                self.load(entry)
            };
            *slot = load;
            tied = if load < least {
                1
            } else {
                tied + usize::from(load == least)
            };
            least = if load < least { load } else { least };
        }
        let place = below(number, tied as u64) as usize;
        (place < tied).then(|| nth_equal(&loads[..entries.len()], least, tied, place) as u32)
    }

    /// What a node is compared by.
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

    /// The pick after its first node was refused.
    #[cold]
    fn pick_another<'a>(
        &'a self,
        first: u32,
        mut random: Random,
        accept: &mut dyn FnMut(&'a N) -> bool,
    ) -> Option<&'a N> {
        let mut refused = [first; SEARCHED];
        for count in 1..SEARCHED {
            // A number of its own: the one that chose the first would choose its neighbour now.
            let number = random.draw();
            let rank = self.least(&refused[..count], number, &mut random)?;
            let node = self.nodes.node(rank);
            if accept(node) {
                return Some(node);
            }
            refused[count] = rank;
        }
        let mut rest: Vec<(f64, u64, &N)> = (0..)
            .zip(self.nodes.entries())
            .filter(|(rank, entry)| !entry.drained && !refused.contains(rank))
            .map(|(_, entry)| {
                let load = relative(entry.node.load(), f64::from(entry.weight));
                (load, random.draw(), &entry.node)
            })
            .collect();
        rest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        rest.into_iter()
            .map(|(_, _, node)| node)
            .find(|node| accept(node))
    }
}

/// The lowest load; infinity of none. Four running minima, because one is a chain of 4 cycles a node.
#[inline]
fn lowest(loads: &[f64]) -> f64 {
    let lower = |a: f64, b: f64| if b < a { b } else { a };
    let mut lows = [f64::INFINITY; 4];
    let mut fours = loads.chunks_exact(4);
    for four in &mut fours {
        for (low, &load) in lows.iter_mut().zip(four) {
            *low = lower(*low, load);
        }
    }
    for (low, &load) in lows.iter_mut().zip(fours.remainder()) {
        *low = lower(*low, load);
    }
    lower(lower(lows[0], lows[1]), lower(lows[2], lows[3]))
}

/// Where the n-th (from 0) of the `count` loads equal to `low` stands.
#[inline]
fn nth_equal(loads: &[f64], low: f64, count: usize, n: usize) -> usize {
    // All equal is what an idle system looks like.
    if count == loads.len() {
        return n;
    }
    let mut equal = (0..).zip(loads).filter(|&(_, &load)| load == low);
    equal.nth(n).map_or(0, |(i, _)| i)
}

#[cfg(feature = "std")]
construct_verbs!(impl[N: Key] LeastLoaded<N>, N, "");
routing_verbs!(impl[N: Key + Load] LeastLoaded<N>, N);
picking_verbs!(impl[N: Key + Load] LeastLoaded<N>, N);
membership!(LeastLoaded<N>, [N: Key], strategy [N: Key + Load], reading [N], "");

impl<N: Key + Load> Strategy for LeastLoaded<N> {
    type Node = N;

    fn pick<'a>(&'a self, _: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        let mut random = self.draws.next();
        let rank = self.least(&[], random.even(), &mut random)?;
        let node = self.nodes.node(rank);
        if accept(node) {
            return Some(node);
        }
        self.pick_another(rank, random, accept)
    }

    /// XXH3 of the key. The choice does not depend on it; it lets wrappers tell keys apart.
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(Xxh3::new().hash_bytes(key))
    }

    #[inline]
    fn route_token(&self, _: Token) -> Option<&N> {
        let mut random = self.draws.next();
        let rank = self.least(&[], random.even(), &mut random)?;
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

/// Counts only.
impl<N> fmt::Debug for LeastLoaded<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeastLoaded")
            .field("nodes", &self.len())
            .field("draws", &self.draws)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::Key;
    use alloc::vec;

    struct Node(u8, f64);

    impl Key for Node {
        fn key_bytes(&self) -> impl AsRef<[u8]> {
            [self.0]
        }
    }

    impl Load for Node {
        fn load(&self) -> f64 {
            self.1
        }
    }

    #[test]
    fn few_and_many_choose_the_same() {
        let mut random = Random::of_pick(1, 0);
        for case in 0..20_000u64 {
            let count = 1 + case % FEW as u64;
            let mut nodes = LeastLoaded::with_seed(0);
            for id in 0..count {
                let loads = [1.0, 1.0, 2.0, 2.0, 4.0, f64::INFINITY, f64::NAN];
                let load = loads[below(random.draw(), 7) as usize];
                let weight = if case % 3 == 0 { 1 + id as u32 % 2 } else { 1 };
                nodes.insert_weighted(Node(id as u8, load), weight).unwrap();
            }
            if case % 5 == 0 {
                nodes.drain(&[0u8]).unwrap();
            }
            let refused = if case % 2 == 0 {
                vec![]
            } else {
                vec![below(random.draw(), count) as u32]
            };
            let number = random.draw();
            assert_eq!(
                nodes.least_of_few(&refused, number),
                nodes.least_of_many(&refused, number, &mut random),
                "{count} nodes, case {case}"
            );
        }
    }
}
