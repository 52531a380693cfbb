//! [`Rendezvous`]: the highest score wins.

pub(crate) mod field;
mod log;
pub(crate) mod ranking;
mod restore;
pub(crate) mod roster;
pub(crate) mod score;

pub use ranking::Ranking;

use crate::error::NodeError;
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Edit, NodeSet, members_of_nodes, membership_verbs};
use crate::strategy::Strategy;
use core::fmt;
use field::Field;
use ranking::Next;
use roster::Roster;
use score::Folded;

/// Rendezvous hashing, or highest random weight (Thaler and Ravishankar 1998), with exact weights.
///
/// Every node has a score for every key, a hash of both; the greatest owns the key, the next is its successor, and so on. Weights
/// enter by the logarithmic method (Schindelhauer and Schomaker, SPAA 2005): the least −ln(score)/weight wins, where score is taken
/// as a number in (0, 1].
///
/// - **Same nodes, weights and key: same owner**, on every platform, in every process and release before 2.0, whatever order the nodes
///   came in. The logarithm is integer arithmetic, so weights are no exception.
/// - **A node of weight w owns w/W of the keys** (W: the total), as near as independent coins come to it: no virtual nodes, no unevenness of
///   their own. What a node leaves goes to the others by weight, and so does what the second leaves: no neighbour takes it all.
/// - **Adding a node of weight w moves an expected w/W of the keys**, all of them to it. Removing it moves exactly its own keys. A
///   weight raised moves keys only to that node, one lowered only from it.
///
/// For up to some dozens of nodes, or where only few keys are routed; beyond, [`SlotTable`](crate::SlotTable) is this order
/// compiled into a table.
///
/// ```
/// use clockwise::{Rendezvous, Route};
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
/// # Cost
/// With N nodes of equal weight [`route`](crate::Route::route) is O(N), 0.9 ns a node after the hash; 10 ns more for each distinct
/// weight beyond the first. Each further node of a preference costs as much again, 16 times; then the rest is sorted. Nothing is
/// allocated up to there. A change of the membership is O(N log N); memory 12 bytes a node beside the nodes themselves, and 16 for
/// changes.
#[derive(Clone)]
pub struct Rendezvous<N, H = Xxh3> {
    nodes: NodeSet<N>,
    roster: Roster,
    field: Field,
    hasher: H,
}

impl<N> Rendezvous<N> {
    /// Without nodes, with the default hasher [`Xxh3`].
    pub const fn new() -> Self {
        Rendezvous::with_hasher(Xxh3::new())
    }

    /// With `nodes`, each of weight 1, and the default hasher.
    ///
    /// # Errors
    /// [`NodeError::Duplicate`], [`NodeError::EmptyIdentity`].
    ///
    /// ```
    /// let nodes = clockwise::Rendezvous::from_nodes(["a", "b"])?;
    /// assert_eq!(nodes.len(), 2);
    /// assert!(clockwise::Rendezvous::from_nodes(["a", "a"]).is_err());
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn from_nodes<I>(nodes: I) -> Result<Self, NodeError>
    where
        I: IntoIterator<Item = N>,
        N: Key,
    {
        let mut rendezvous = Rendezvous::new();
        rendezvous.extend_weighted(nodes.into_iter().map(|node| (node, 1)))?;
        Ok(rendezvous)
    }
}

impl<N, H> Rendezvous<N, H> {
    /// Without nodes, with this hasher. Part of the placement.
    pub const fn with_hasher(hasher: H) -> Self {
        Rendezvous {
            nodes: NodeSet::new(Budget::NO_POINTS),
            roster: Roster::new(),
            field: Field::new(),
            hasher,
        }
    }
}

impl<N, H: KeyHasher> Rendezvous<N, H> {
    fn apply(&mut self, edit: Edit<N>) -> Changes<N> {
        if !edit.is_empty() {
            let roster = self.roster.changed(self.nodes.preview(&edit), &self.hasher);
            self.field = Field::of(roster.eligible());
            self.roster = roster;
        }
        self.nodes.commit(edit)
    }

    /// The token of a key.
    #[inline]
    pub fn token<K: Key + ?Sized>(&self, key: &K) -> Token {
        Token::new(self.hasher.hash_bytes(key.key_bytes().as_ref()))
    }

    /// All eligible nodes in `key`'s order of preference, lazily: by score and weight, each once.
    ///
    /// ```
    /// use clockwise::{Rendezvous, Route};
    /// let nodes = Rendezvous::from_nodes(["a", "b", "c"])?;
    /// assert_eq!(nodes.preference("user:42").next(), nodes.route("user:42"));
    /// assert_eq!(nodes.preference("user:42").count(), 3);
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Complexity
    /// O(N) for each of the first 17 nodes, without allocation; then O(N log N) once.
    pub fn preference<K: Key + ?Sized>(&self, key: &K) -> Ranking<'_, N> {
        self.preference_of(self.token(key))
    }
}

impl<N, H> Rendezvous<N, H> {
    fn preference_of(&self, token: Token) -> Ranking<'_, N> {
        Ranking::new(&self.nodes, &self.field, Folded::token(token), Next::Best)
    }
}

impl<N, H: KeyHasher> Strategy<N> for Rendezvous<N, H> {
    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        self.preference_of(token).find(|&node| accept(node))
    }

    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        self.token(key)
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        self.field
            .best(Folded::token(token))
            .map(|claim| self.nodes.node(claim.rank))
    }

    members_of_nodes!(N);
}

membership_verbs!(Rendezvous<N, H: KeyHasher>, "Rendezvous::new()");

impl<N, H: Default> Default for Rendezvous<N, H> {
    fn default() -> Self {
        Rendezvous::with_hasher(H::default())
    }
}

/// Counts only.
impl<N, H> fmt::Debug for Rendezvous<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendezvous")
            .field("nodes", &self.len())
            .field("eligible", &self.field.len())
            .finish_non_exhaustive()
    }
}
