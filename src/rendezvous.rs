//! Rendezvous hashing: the node with the highest score owns the key.

mod bid;
mod claim;
pub(crate) mod field;
mod log;
pub(crate) mod ranking;
pub(crate) mod roster;
pub(crate) mod score;

use crate::error::RestoreError;
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::preference::{Order, Preference};
use crate::snapshot::{Placement, Snapshot, snapshot_verbs};
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::vec::Vec;
use core::fmt;
use field::{Field, Seat};
use ranking::{Next, Ranks};
use roster::Roster;
use score::Folded;

/// What snapshots call this placement.
const KIND: &str = "rendezvous";

/// Rendezvous hashing, or highest random weight (Thaler and Ravishankar 1998), with exact weights.
///
/// Every node has a score for every key: a hash of both. The node with the greatest score owns the
/// key, the next is its successor, and so on. Weights are applied by the logarithmic method
/// (Schindelhauer and Schomaker, SPAA 2005): the least −ln(score) / weight wins, with the score
/// taken as a number in (0, 1].
///
/// - **The same nodes, weights and key have the same owner** on every platform, in every process,
///   and in every release before 2.0. The order in which nodes were added is irrelevant. The
///   logarithm is computed in integers, so this includes weights.
/// - **A node of weight w owns w/W of the keys**, with W the total weight. There are no virtual
///   nodes that could make shares uneven. The keys of a removed node go to all others by weight,
///   and so do those of the next.
/// - **Adding a node of weight w moves an expected w/W of the keys**, all of them to that node.
///   Removing a node moves only its own keys. Raising a weight moves keys only to that node, and
///   lowering it only from that node.
///
/// It suits up to some dozens of nodes, or few keys. For more,
/// [`SlotTable`](crate::SlotTable) compiles this order into a table.
///
/// # Examples
///
/// ```
/// use clockwise::Rendezvous;
///
/// let mut nodes = Rendezvous::from_nodes(["cache-1", "cache-2", "cache-3"])?;
/// nodes.set_weight("cache-3", 2)?; // half of all keys
/// let owner = *nodes.route("user:42").expect("there are nodes");
///
/// nodes.insert("cache-4")?;
/// let now = *nodes.route("user:42").unwrap();
/// assert!(now == owner || now == "cache-4"); // a key moves to the new node or not at all
///
/// let replicas = nodes.replicas("user:42", 3); // the owner first, all distinct
/// assert_eq!(replicas[0], &now);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Performance
///
/// [`route`](crate::Route::route) is O(N) with N nodes, plus a logarithm for each distinct weight
/// beyond the first. The second and the third node of a preference cost about as much as the first
/// each. Then one sort finds the rest, in O(N log N). With more than 100 nodes the sort is delayed
/// until 17 nodes were returned, because it allocates 8 bytes a node. Otherwise nothing is
/// allocated. A change of the members is O(N log N). Memory is 28 bytes a node and 40 bytes a
/// distinct weight, besides the nodes themselves.
#[derive(Clone)]
pub struct Rendezvous<N, H = Xxh3> {
    nodes: NodeSet<N>,
    roster: Roster,
    field: Field,
    hasher: H,
}

impl<N> Rendezvous<N> {
    /// Creates a strategy without nodes, with the default hasher [`Xxh3`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::Rendezvous;
    ///
    /// let mut nodes = Rendezvous::new();
    /// nodes.insert("a")?;
    /// assert_eq!(nodes.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        Rendezvous::with_hasher(Xxh3::new())
    }
}

construct_verbs!(impl[N: Key] Rendezvous<N>, N, example Rendezvous, "");

impl<N, H> Rendezvous<N, H> {
    /// Creates a strategy without nodes, with this hasher. The hasher is part of the placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Rendezvous, SipHash13};
    ///
    /// let mut nodes = Rendezvous::with_hasher(SipHash13::new(*b"16 secret bytes!"));
    /// nodes.insert("a")?;
    /// assert_eq!(nodes.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn with_hasher(hasher: H) -> Self {
        Rendezvous {
            nodes: NodeSet::new(Budget::NO_POINTS),
            roster: Roster::new(),
            field: Field::new(),
            hasher,
        }
    }
}

routing_verbs!(impl[N: Key, H: KeyHasher] Rendezvous<N, H>, N, example Rendezvous);
placement_verbs!(impl[N: Key, H: KeyHasher] Rendezvous<N, H>, N, example Rendezvous);
membership!(
    Rendezvous<N, H>, example Rendezvous,
    [N: Key, H: KeyHasher],
    strategy [N: Key, H: KeyHasher],
    reading [N, H],
    ""
);

impl<N, H: KeyHasher> Rendezvous<N, H> {
    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let roster = self
                .roster
                .changed(self.nodes.preview(&draft), &self.hasher);
            self.field = Field::of(roster.eligible());
            self.roster = roster;
        }
        self.nodes.commit(draft)
    }
}

impl<N: Key> Rendezvous<N> {
    /// Returns `nodes` in the order of preference that they have for `key`, without building a
    /// strategy: that of [`preference`](Rendezvous::preference) on a `Rendezvous` of them, each of
    /// weight 1, with the default hasher.
    ///
    /// It is for a set that is used once, such as the nodes of a shard. A node that is listed twice
    /// is returned twice.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::Rendezvous;
    ///
    /// let shard = ["b", "a", "c"];
    /// let order = Rendezvous::order("user:42", &shard);
    /// let strategy = Rendezvous::from_nodes(shard)?;
    /// assert!(strategy.preference("user:42").eq(order));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Performance
    /// O(N log N), with a hash of each identity.
    pub fn order<'a, K: Key + ?Sized>(key: &K, nodes: &'a [N]) -> Vec<&'a N> {
        let hasher = Xxh3::new();
        let token = Token::new(hasher.hash_bytes(key.key_bytes().as_ref()));
        let claim = |node: &'a N| {
            let seat = Seat {
                node: Folded::node(&hasher, node.key_bytes().as_ref()),
                weight: 1,
                rank: 0,
            };
            (seat.claim(Folded::token(token)), node)
        };
        let mut claims: Vec<_> = nodes.iter().map(claim).collect();
        // Equal scores are ordered by identity.
        claims.sort_by(|(a, node), (b, other)| {
            let by_identity = || node.key_bytes().as_ref().cmp(other.key_bytes().as_ref());
            a.cmp(b).then_with(by_identity)
        });
        claims.into_iter().map(|(_, node)| node).collect()
    }
}

impl<N, H> Rendezvous<N, H> {
    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        Preference::new(&self.nodes, Order::Ranked(self.ranks(token)))
    }

    fn ranks(&self, token: Token) -> Ranks<'_> {
        Ranks::new(&self.field, Folded::token(token), Next::Best)
    }

    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        let mut nodes = self.ranks(token).map(|rank| self.nodes.node(rank));
        nodes.find(|&node| accept(node))
    }
}

impl<N, H: KeyHasher> Rendezvous<N, H> {
    #[allow(
        clippy::unused_self,
        reason = "every strategy has a placement; this one has no parameters"
    )]
    fn placement(&self) -> Placement<0> {
        Placement {
            kind: KIND,
            layout: score::LAYOUT_V1,
            parameters: [],
        }
    }

    /// Restores the strategy that a snapshot was taken of, under the hasher that it had.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{Rendezvous, Xxh3};
    ///
    /// let nodes = Rendezvous::from_nodes(["a", "b", "c"])?;
    /// let again = Rendezvous::restore(nodes.snapshot(), Xxh3::new())?;
    /// assert!(again.preference("user:42").eq(nodes.preference("user:42")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`RestoreError`] if the format is newer, the kind, the layout, the hasher, its
    /// seed or its key differs, the identity of a node has changed, the fingerprint does not match,
    /// or [`extend_weighted`](Rendezvous::extend_weighted) would reject the nodes.
    ///
    /// # Performance
    ///
    /// O(N log N).
    pub fn restore(snapshot: Snapshot<N>, hasher: H) -> Result<Self, RestoreError>
    where
        N: Key,
    {
        snapshot.expect(KIND, score::LAYOUT_V1)?;
        let mut rendezvous = Rendezvous::with_hasher(hasher);
        let (hasher, nodes) = (&rendezvous.hasher, &rendezvous.nodes);
        let draft = rendezvous.placement().plan(snapshot, hasher, nodes)?;
        rendezvous.carry_out(draft);
        Ok(rendezvous)
    }
}

snapshot_verbs!(Rendezvous);

impl<N: Key, H: KeyHasher> Strategy for Rendezvous<N, H> {
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
        self.field
            .best(Folded::token(token))
            .map(|claim| self.nodes.node(claim.rank))
    }

    members_of_nodes!(N);
}

impl<N, H: Default> Default for Rendezvous<N, H> {
    fn default() -> Self {
        Rendezvous::with_hasher(H::default())
    }
}

/// Shows the number of nodes and of eligible nodes.
impl<N, H> fmt::Debug for Rendezvous<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendezvous")
            .field("nodes", &self.len())
            .field("eligible", &self.field.len())
            .finish_non_exhaustive()
    }
}
