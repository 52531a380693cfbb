//! [`HashRing`]: consistent hashing with virtual nodes.

mod arcs;
mod builder;
mod change;
mod compare;
mod copies;
pub(crate) mod layout;
pub(crate) mod points;
pub(crate) mod preference;
mod restore;

use crate::balance::{Balance, Row, share};
use crate::hash::{KeyHasher, Token, Xxh3, take_points};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::preference::{Order, Preference};
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::{vec, vec::Vec};
pub use arcs::{Arcs, RingArc};
pub use builder::HashRingBuilder;
use core::fmt;
use points::{Points, Run};
use preference::Seen;

/// Virtual nodes of a ring that was not told otherwise: the busiest of 10 nodes carries +7 %, of 100 nodes +11 %.
const VIRTUAL_NODES: u32 = 512;

/// Points a ring may have that was not told otherwise: 2²⁴, about 240 MB.
const MAX_POINTS: usize = 1 << 24;

/// Keys hashed at once by [`HashRing::route_batch`].
const BATCH: usize = 64;

/// Consistent hashing on a ring with virtual nodes (Karger et al. 1997).
///
/// Every node stands at `virtual_nodes × weight` points of a circle of 2⁶⁴ tokens. A key belongs to the node of the first
/// point at or after its token, clockwise; past the last point, to the first.
///
/// - **Same nodes, weights and key: same owner**, on every platform, in every process and release before 2.0, whatever order the nodes came in.
/// - **Adding a node of weight w moves an expected w/W of the keys** (W: the new total), all of them to it. Removing it moves
///   exactly its own keys. A weight raised moves keys only to that node, one lowered only from it.
/// - The share of a node is w/W with a relative standard deviation of about 1/√(virtual nodes × w).
///
/// Nodes are [`Key`]s: a node's identity is its key bytes. What else it carries is yours.
///
/// ```
/// use clockwise::HashRing;
///
/// let mut ring = HashRing::from_nodes(["cache-1", "cache-2", "cache-3"])?;
/// let owner = *ring.route("user:42").expect("the ring has nodes");
///
/// ring.insert("cache-4")?;
/// let now = *ring.route("user:42").unwrap();
/// assert!(now == owner || now == "cache-4"); // a key moves to the new node or not at all
///
/// let replicas = ring.replicas("user:42", 3); // the owner first, all distinct
/// assert_eq!(replicas[0], &now);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Cost
/// With N nodes, P points in all: routing is O(1) expected, whatever N; a change of the membership is one pass over the P points, O(P); memory
/// is 20 bytes a point up to 65,535 points and about 14.5 beyond, so about 7 to 10 KiB a node of weight 1 at the default of 512 virtual nodes.
/// Give weights small numbers: weight 100 is 51,200 points. With thousands of nodes fewer virtual nodes do.
///
/// Routing takes `&self`, changing `&mut self`. A ring is `Send + Sync + Clone` where its nodes and hasher are.
#[derive(Clone)]
pub struct HashRing<N, H = Xxh3> {
    nodes: NodeSet<N>,
    points: Points,
    hasher: H,
}

impl<N> HashRing<N> {
    /// An empty ring with the default hasher [`Xxh3`], 512 virtual nodes and a budget of 2²⁴ points. [`builder`](HashRing::builder)
    /// sets each of them.
    pub const fn new() -> Self {
        HashRing::with_hasher(Xxh3::new())
    }

    /// A builder, to choose the virtual nodes, the hasher and the budget of points.
    pub const fn builder() -> HashRingBuilder<N> {
        HashRingBuilder::new()
    }
}

impl<N, H> HashRing<N, H> {
    /// Creates an empty ring with this hasher, otherwise as [`new`](HashRing::new).
    pub const fn with_hasher(hasher: H) -> Self {
        HashRing::configured(
            Budget {
                virtual_nodes: VIRTUAL_NODES,
                max_points: MAX_POINTS,
            },
            hasher,
        )
    }

    const fn configured(budget: Budget, hasher: H) -> Self {
        HashRing {
            nodes: NodeSet::new(budget),
            points: Points::new(),
            hasher,
        }
    }

    /// Returns the number of points on the ring: `virtual_nodes × weight` for each node that is not
    /// drained, or what a hasher with fewer [points of its own](KeyHasher::hash_points) gives.
    pub fn point_count(&self) -> usize {
        self.points.len()
    }

    /// Returns the number of points for each unit of weight.
    pub fn virtual_nodes(&self) -> u32 {
        self.nodes.budget().virtual_nodes
    }

    /// Returns how many points all members may have together, drained ones too.
    pub fn max_points(&self) -> usize {
        self.nodes.budget().max_points
    }

    /// Returns the hasher of keys and points.
    pub fn hasher(&self) -> &H {
        &self.hasher
    }
}

construct_verbs!(impl[N: Key] HashRing<N>, N, ", [`NodeError::TooManyPoints`](crate::NodeError::TooManyPoints)");
routing_verbs!(impl[N: Key, H: KeyHasher] HashRing<N, H>, N);
placement_verbs!(impl[N: Key, H: KeyHasher] HashRing<N, H>, N);
membership!(
    HashRing<N, H>,
    [N: Key, H: KeyHasher],
    strategy [N: Key, H: KeyHasher],
    reading [N, H],
    ", [`NodeError::TooManyPoints`](crate::NodeError::TooManyPoints)"
);

impl<N, H: KeyHasher> HashRing<N, H> {
    /// Hashes what is new, merges it in, and commits.
    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let mut renumber = vec![None; self.nodes.len()];
            let (mut new, mut counts) = (Vec::new(), Vec::new());
            for (rank, planned) in self.nodes.preview(&draft).enumerate() {
                if let Some(before) = planned.unchanged() {
                    renumber[before] = Some(rank as u32);
                } else if !planned.drained {
                    // The budget was checked, so the points of all nodes together fit a u32.
                    counts.push((rank as u32, self.virtual_nodes() * planned.weight));
                    new.push(planned.identity);
                }
            }
            let points = counts.iter().map(|&(_, count)| count as usize).sum();
            let mut tokens = Vec::with_capacity(points);
            for (identity, (_, count)) in new.iter().zip(&mut counts) {
                *count = take_points(&self.hasher, identity, *count, &mut tokens);
            }
            let added = Run::sorted(&tokens, &counts);
            drop(tokens); // a third of what is new; the old and the new points are held at once as it is
            self.points = self.points.changed(&renumber, added);
        }
        self.nodes.commit(draft)
    }

    /// Routes many keys at once: `out` is cleared, then holds for each key what [`route`](HashRing::route) returns.
    ///
    /// On rings of more than 65,535 points faster than one by one, because the processor waits for many lines of memory at once.
    ///
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// let keys = ["user:1", "user:2"];
    /// let mut owners = Vec::new();
    /// ring.route_batch(&keys, &mut owners);
    /// assert_eq!(owners, [ring.route("user:1"), ring.route("user:2")]);
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn route_batch<'a, K: Key>(&'a self, keys: &[K], out: &mut Vec<Option<&'a N>>)
    where
        N: Key,
    {
        out.clear();
        let mut rest = keys;
        if self.points.is_coarse() {
            let (mut tokens, mut owners) = ([0; BATCH], [0; BATCH]);
            let mut blocks = keys.chunks_exact(BATCH);
            for block in &mut blocks {
                for (token, key) in tokens.iter_mut().zip(block) {
                    *token = self.token(key).get();
                }
                self.points.owners_of(&tokens, &mut owners);
                out.extend(owners.iter().map(|&owner| Some(self.nodes.node(owner))));
            }
            rest = blocks.remainder();
        }
        out.extend(rest.iter().map(|key| self.route(key)));
    }
}

impl<N, H> HashRing<N, H> {
    // Always inlined: as a call it would be a quarter of the instructions of a route.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn owner(&self, token: Token) -> Option<&N> {
        self.points
            .owner_of(token.get())
            .map(|owner| self.nodes.node(owner))
    }

    #[inline]
    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        let walk = self.points.walk(token.get());
        Preference::new(&self.nodes, Order::Walk(walk))
    }

    /// Returns the first node in order that is accepted. The same order as a
    /// [`Preference`], whose kinds of order would cost a third more instructions here.
    #[inline]
    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        let mut walk = self.points.walk(token.get());
        let (mut seen, members) = (Seen::new(), self.nodes.len());
        // Each eligible node has a point, so while there are some the walk meets one.
        for _ in 0..self.nodes.eligible() {
            let owner = walk.find(|&owner| seen.is_new(owner, members))?;
            let node = self.nodes.node(owner);
            if accept(node) {
                return Some(node);
            }
        }
        None
    }

    // ---- who owns what ---------------------------------------------------------------------------------------------

    /// The arcs of the circle and their owners: ascending, inclusive, without gap or overlap, neighbours of one owner merged,
    /// split at 0. Empty without eligible nodes.
    ///
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// for arc in ring.arcs() {
    ///     assert_eq!(ring.route_token(arc.range.first()), Some(arc.node));
    ///     assert_eq!(ring.route_token(arc.range.last()), Some(arc.node));
    /// }
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn arcs(&self) -> Arcs<'_, N> {
        Arcs::new(&self.nodes, &self.points)
    }

    /// How many of the 2⁶⁴ tokens a member owns, exactly; 0 if it is drained; `None` where no member has this identity. O(P).
    pub fn measure<Q: Key + ?Sized>(&self, id: &Q) -> Option<u128> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        Some(arcs::measures(&self.points, self.len())[rank])
    }

    /// The part of all tokens that a member owns, 0 to 1; `None` where no member has this identity. O(P).
    pub fn share<Q: Key + ?Sized>(&self, id: &Q) -> Option<f64> {
        self.measure(id).map(share)
    }

    /// How evenly the tokens are spread over the eligible nodes, relative to their weights. O(P).
    pub fn balance(&self) -> Balance {
        let entries = self.nodes.entries().iter();
        let measures = arcs::measures(&self.points, self.len());
        let rows = entries.zip(measures).filter(|(entry, _)| !entry.drained);
        let row = |(entry, held)| Row::new(entry, held);
        Balance::of(rows.map(row), 1)
    }
}

impl<N: Key, H: KeyHasher> Strategy for HashRing<N, H> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        self.find(token, accept)
    }

    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(self.hasher.hash_bytes(key))
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        self.owner(token)
    }

    members_of_nodes!(N);
}

impl<N, H: Default> Default for HashRing<N, H> {
    fn default() -> Self {
        HashRing::with_hasher(H::default())
    }
}

/// Counts only: a ring of a thousand nodes is no reading matter.
impl<N, H> fmt::Debug for HashRing<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashRing")
            .field("nodes", &self.len())
            .field("virtual_nodes", &self.virtual_nodes())
            .field("points", &self.point_count())
            .finish_non_exhaustive()
    }
}
