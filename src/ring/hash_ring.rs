//! [`HashRing`]: consistent hashing with virtual nodes.

use super::arcs::{self, Arcs};
use super::builder::HashRingBuilder;
use super::points::{Points, Run};
use super::preference::Seen;
use crate::balance::{Balance, Row, share};
use crate::hash::{KeyHasher, Token, Xxh3, take_points};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::preference::{Order, Preference};
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::{vec, vec::Vec};
use core::fmt;

/// The default number of virtual nodes. The busiest of 10 nodes then carries about 7 % more than
/// its fair share, and of 100 nodes 11 %.
pub(super) const VIRTUAL_NODES: u32 = 512;

/// The default budget of points, 2²⁴, which take about 240 MB.
pub(super) const MAX_POINTS: usize = 1 << 24;

/// The number of keys that [`HashRing::route_batch`] hashes in one block.
const BATCH: usize = 32;

/// A consistent-hash ring with virtual nodes (Karger et al. 1997).
///
/// Every node has `virtual_nodes × weight` points on a circle of 2⁶⁴ tokens. A key belongs to the
/// node of the first point at or after its token, clockwise. A token past the last point belongs to
/// the node of the first point.
///
/// - **Same nodes, weights and key: same owner**, on every platform, in every process and release
///   before 2.0, in whichever order the nodes were added.
/// - **Adding a node of weight w moves an expected w/W of the keys**, all of them to that node. W
///   is the new total weight. Removing it moves exactly its own keys. Raising a weight moves keys
///   only to that node, and lowering it moves keys only from it.
/// - The share of a node is w/W with a relative standard deviation of about 1/√(virtual nodes × w).
///
/// Nodes are [`Key`]s: a node's identity is its key bytes. A node can carry any other data.
///
/// `route` and the other queries take `&self`, and changes take `&mut self`. A ring is `Send`,
/// `Sync` and `Clone` if its nodes and hasher are.
///
/// # Examples
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
/// # Performance
/// Routing is O(1) expected for any number of nodes. A change of the members is one pass over all P
/// points, O(P). A ring takes 11.5 to 14 bytes for each point, so a node of weight 1 takes 6 to 7
/// KiB at the default of 512 virtual nodes. With fewer than 16 points for each node, the index
/// takes 40 to 80 bytes for each node instead.
///
/// Use small weights: a node of weight 100 has 51,200 points. A ring of thousands of nodes needs
/// fewer virtual nodes.
#[derive(Clone)]
pub struct HashRing<N, H = Xxh3> {
    pub(super) nodes: NodeSet<N>,
    pub(super) points: Points,
    pub(super) hasher: H,
}

impl<N> HashRing<N> {
    /// Creates an empty ring with the default hasher [`Xxh3`], 512 virtual nodes and a budget of
    /// 2²⁴ points. Use [`builder`](HashRing::builder) to choose others.
    ///
    /// # Examples
    /// ```
    /// use clockwise::HashRing;
    ///
    /// let mut ring = HashRing::new();
    /// assert_eq!(ring.route("user:42"), None);
    /// ring.insert("a")?;
    /// assert_eq!(ring.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        HashRing::with_hasher(Xxh3::new())
    }
}

construct_verbs!(
    impl[N: Key] HashRing<N>, N, example HashRing,
    ", [`NodeError::TooManyPoints`](crate::NodeError::TooManyPoints)"
);

impl<N> HashRing<N> {
    /// Returns a builder, to choose the virtual nodes, the hasher and the budget of points.
    ///
    /// # Examples
    /// ```
    /// use clockwise::HashRing;
    ///
    /// let ring = HashRing::builder().virtual_nodes(1024).from_nodes(["a", "b"])?;
    /// assert_eq!(ring.virtual_nodes(), 1024);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn builder() -> HashRingBuilder<N> {
        HashRingBuilder::new()
    }
}

impl<N, H> HashRing<N, H> {
    /// Creates an empty ring with this hasher and the other defaults of [`new`](HashRing::new).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, SipHash13};
    ///
    /// let mut ring = HashRing::with_hasher(SipHash13::new(*b"16 secret bytes!"));
    /// ring.insert("a")?;
    /// assert_eq!(ring.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn with_hasher(hasher: H) -> Self {
        HashRing::configured(
            Budget {
                virtual_nodes: VIRTUAL_NODES,
                max_points: MAX_POINTS,
            },
            hasher,
        )
    }

    pub(super) const fn configured(budget: Budget, hasher: H) -> Self {
        HashRing {
            nodes: NodeSet::new(budget),
            points: Points::new(),
            hasher,
        }
    }

    /// Returns the number of points on the ring: `virtual_nodes × weight` for each node that is not
    /// drained, or fewer if the hasher has fewer [points of its own](KeyHasher::hash_points).
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_weighted([("a", 1), ("b", 3)])?;
    /// assert_eq!(ring.point_count(), 4 * 512);
    /// ring.drain("b")?;
    /// assert_eq!(ring.point_count(), 512);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn point_count(&self) -> usize {
        self.points.len()
    }

    /// Returns the number of points for each unit of weight.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(clockwise::HashRing::<&str>::new().virtual_nodes(), 512);
    /// ```
    pub fn virtual_nodes(&self) -> u32 {
        self.nodes.budget().virtual_nodes
    }

    /// Returns the greatest number of points that all members may need together, drained ones
    /// included.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(clockwise::HashRing::<&str>::new().max_points(), 1 << 24);
    /// ```
    pub fn max_points(&self) -> usize {
        self.nodes.budget().max_points
    }

    /// Returns the hasher of keys and points.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, KeyHasher};
    ///
    /// let ring = HashRing::from_nodes(["a"])?;
    /// assert_eq!(ring.token("user:42").get(), ring.hasher().hash_bytes(b"user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hasher(&self) -> &H {
        &self.hasher
    }
}

routing_verbs!(impl[N: Key, H: KeyHasher] HashRing<N, H>, N, example HashRing);
placement_verbs!(impl[N: Key, H: KeyHasher] HashRing<N, H>, N, example HashRing);
membership!(
    HashRing<N, H>, example HashRing,
    [N: Key, H: KeyHasher],
    strategy [N: Key, H: KeyHasher],
    reading [N, H],
    ", [`NodeError::TooManyPoints`](crate::NodeError::TooManyPoints)"
);

impl<N, H: KeyHasher> HashRing<N, H> {
    /// Hashes the points of the new nodes, merges them in, and commits.
    pub(super) fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let mut renumber = vec![None; self.nodes.len()];
            let (mut new, mut counts, mut owners) = (Vec::new(), Vec::new(), 0);
            for (rank, planned) in self.nodes.preview(&draft).enumerate() {
                owners = rank + 1;
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
            // Not held while the points change.
            drop(tokens);
            self.points.change(&renumber, added, owners);
        }
        self.nodes.commit(draft)
    }

    /// Routes many keys in one call. Clears `out` and fills it with what [`route`](HashRing::route)
    /// returns for each key.
    ///
    /// It is faster than a loop of `route`, because the processor waits for many lines of memory at
    /// the same time.
    ///
    /// # Examples
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
        if self.points.len() == 0 {
            out.resize(keys.len(), None);
            return;
        }
        let mut found = [(0, 0); BATCH];
        for block in keys.chunks(BATCH) {
            for ((token, start), key) in found.iter_mut().zip(block) {
                *token = self.token(key).get();
                *start = self.points.start(*token).unwrap_or_default();
            }
            out.extend(found[..block.len()].iter().map(|&(token, start)| {
                let owner = self.points.owner_from(token, start);
                Some(self.nodes.node(owner))
            }));
        }
    }
}

impl<N, H> HashRing<N, H> {
    // Always inlined: a call would cost a quarter of the instructions of a route.
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

    /// Returns the first node in order that is accepted. The order is that of [`Preference`], which
    /// would cost a third more instructions here because it has several kinds of order.
    #[inline]
    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        let mut walk = self.points.walk(token.get());
        let (mut seen, members) = (Seen::new(), self.nodes.len());
        // Each eligible node has a point, so the walk meets one of those that are left.
        for _ in 0..self.nodes.eligible() {
            let owner = walk.find(|&owner| seen.is_new(owner, members))?;
            let node = self.nodes.node(owner);
            if accept(node) {
                return Some(node);
            }
        }
        None
    }

    // ---- who owns what ----

    /// Returns the arcs of the circle with their owners, in ascending order. Empty if no node is
    /// eligible.
    ///
    /// The arcs cover all tokens without a gap or an overlap. Neighbouring arcs of one owner are
    /// merged, and an arc that passes 0 is split there.
    ///
    /// # Examples
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

    /// Returns the exact number of the 2⁶⁴ tokens that a member owns, or 0 if it is drained.
    /// Returns `None` if no member has this identity.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let sum = ring.measure("a").unwrap() + ring.measure("b").unwrap();
    /// assert_eq!(sum, 1 << 64); // exact, unlike `share`
    /// assert_eq!(ring.measure("z"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(P) for P points.
    pub fn measure<Q: Key + ?Sized>(&self, id: &Q) -> Option<u128> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        Some(arcs::measures(&self.points, self.len())[rank])
    }

    /// Returns the fraction of all tokens that a member owns, 0 to 1. Returns `None` if no member
    /// has this identity.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_weighted([("a", 1), ("b", 3)])?;
    /// assert!((0.7..0.8).contains(&ring.share("b").unwrap()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(P) for P points.
    pub fn share<Q: Key + ?Sized>(&self, id: &Q) -> Option<f64> {
        self.measure(id).map(share)
    }

    /// Returns how evenly the tokens are spread over the eligible nodes, relative to their weights.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// println!("{}", ring.balance()); // a table
    /// assert!(ring.balance().busiest() < 1.2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(P) for P points.
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

/// Shows counts only, because the points of a large ring are not readable.
impl<N, H> fmt::Debug for HashRing<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashRing")
            .field("nodes", &self.len())
            .field("virtual_nodes", &self.virtual_nodes())
            .field("points", &self.point_count())
            .finish_non_exhaustive()
    }
}
