//! The traits alone: a strategy puts the nodes in order of preference for a key.

mod across;
mod listing;
mod membership;
mod verbs;

pub use membership::{Manage, Membership};

pub(crate) use across::{Count, Zones, pick_across};
pub(crate) use verbs::{
    Lists, builder_verbs, construct_verbs, import, inspecting_verbs, managing_verbs, node,
    picking_verbs, placement_verbs, routing_verbs, setup, weight,
};

use crate::error::NotEnoughDomains;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::Member;
use alloc::vec::Vec;

/// A way to choose a node: for each token, an order of preference over the eligible nodes.
///
/// The owner of a key is the first node in its order. Replicas are the first n. Failover takes the
/// next one. Health checks, exclusion and bounded load take the first node that is accepted.
///
/// The trait is object-safe, so a strategy can be chosen at run time. [`Route`] adds the verbs for
/// keys to every strategy, a boxed one too.
///
/// # Implementing it
///
/// Write four methods: [`pick`](Strategy::pick), which offers the nodes in order,
/// [`token_of`](Strategy::token_of), which hashes a key, [`member`](Strategy::member) and
/// [`for_each_member`](Strategy::for_each_member), which say who takes part. The provided methods
/// are shortcuts: override [`route_token`](Strategy::route_token) if the first node can be found
/// faster, and [`weight_of`](Strategy::weight_of) and [`identity_of`](Strategy::identity_of) if
/// you can answer without a search. A strategy that leaves out members for a reason other than
/// draining must override [`admits`](Strategy::admits) and
/// [`is_filtered`](Strategy::is_filtered). Implement [`Membership`] too if members may change
/// through a wrapper.
///
/// # Examples
///
/// A strategy of your own, used through a wrapper, over zones, and behind a pointer:
///
/// ```
/// use clockwise::{Bounded, Key, KeyHasher, Member, Route, Strategy, Token, Tracked, Xxh3};
///
/// /// Sends each key to the node number `hash % n`, then to those that follow.
/// struct Modulo<N> {
///     /// Each with its identity, in order of identity.
///     nodes: Vec<(Vec<u8>, N)>,
/// }
///
/// impl<N: Key> Modulo<N> {
///     fn new(nodes: impl IntoIterator<Item = N>) -> Self {
///         let with_id = |node: N| {
///             let id = node.key_bytes().as_ref().to_vec();
///             (id, node)
///         };
///         let mut nodes: Vec<_> = nodes.into_iter().map(with_id).collect();
///         nodes.sort_by(|a, b| a.0.cmp(&b.0));
///         Modulo { nodes }
///     }
/// }
///
/// impl<N: Key> Strategy for Modulo<N> {
///     type Node = N;
///
///     fn pick<'a>(
///         &'a self,
///         token: Token,
///         accept: &mut dyn FnMut(&'a N) -> bool,
///     ) -> Option<&'a N> {
///         let n = self.nodes.len();
///         let first = (token.get() % n.max(1) as u64) as usize;
///         let in_order = (0..n).map(|i| &self.nodes[(first + i) % n].1);
///         in_order.into_iter().find(|node| accept(node))
///     }
///     fn token_of(&self, key: &[u8]) -> Token {
///         Token::new(Xxh3::new().hash_bytes(key))
///     }
///     fn member(&self, id: &[u8]) -> Option<Member<'_, N>> {
///         let found = self.nodes.binary_search_by(|(other, _)| other.as_slice().cmp(id));
///         found.ok().map(|i| Member::new(&self.nodes[i].0, &self.nodes[i].1, 1, false))
///     }
///     fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, N>)) {
///         self.nodes.iter().for_each(|(id, node)| f(Member::new(id, node, 1, false)));
///     }
/// }
///
/// let bounded = Bounded::new(Modulo::new(["a", "b", "c"].map(Tracked::new)), 1.25)?;
/// let leases: Vec<_> = (0..3).filter_map(|_| bounded.acquire("hot key")).collect();
/// assert!(leases.iter().all(|lease| lease.node().in_flight() <= 2));
///
/// let modulo = Modulo::new(["eu-1", "eu-2", "us-1"]);
/// let two = modulo.replicas_across("user:42", 2, |name| &name[..2]);
/// assert_ne!(two[0][..2], two[1][..2]);
///
/// let boxed: Box<dyn Strategy<Node = &str> + Send + Sync> = Box::new(modulo);
/// assert_eq!(boxed.replicas("user:42", 9).len(), 3);
/// # Ok::<(), clockwise::ConfigError>(())
/// ```
pub trait Strategy {
    /// The type of the nodes.
    type Node: Key;

    /// Offers the eligible nodes to `accept` in `token`'s order of preference, each at most once.
    ///
    /// Returns the node for which `accept` returned `true` and does not call it again, so `accept`
    /// may reserve or collect. Returns `None` if no node was accepted.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Strategy};
    ///
    /// let ring = HashRing::from_nodes(["a", "b", "c"])?;
    /// let mut offered = Vec::new();
    /// let picked = ring.pick(ring.token("user:42"), &mut |node| {
    ///     offered.push(node);
    ///     offered.len() == 2 // accept the second one
    /// });
    /// assert_eq!(picked, Some(offered[1]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a Self::Node) -> bool,
    ) -> Option<&'a Self::Node>;

    /// Returns the token of a key's bytes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Strategy};
    ///
    /// let ring = HashRing::from_nodes(["a"])?;
    /// assert_eq!(ring.token_of(b"user:42"), ring.token("user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn token_of(&self, key: &[u8]) -> Token;

    /// Returns the member with this identity, drained or not.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Strategy};
    ///
    /// let ring = HashRing::from_weighted([("a", 1), ("b", 3)])?;
    /// assert_eq!(ring.member(b"b").map(|member| member.weight), Some(3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn member(&self, id: &[u8]) -> Option<Member<'_, Self::Node>>;

    /// Passes every member to `f`, drained ones too, in order of identity.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Strategy};
    ///
    /// let ring = HashRing::from_weighted([("a", 1), ("b", 3)])?;
    /// let mut weight = 0;
    /// ring.for_each_member(&mut |member| weight += member.weight);
    /// assert_eq!(weight, 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, Self::Node>));

    /// Passes every member that is not drained to `f`, in any order that stays the same until the
    /// members change.
    ///
    /// Override it if [`for_each_member`](Strategy::for_each_member) has to sort the members:
    /// wrappers call this method during a pick.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Strategy};
    ///
    /// let mut ring = HashRing::from_weighted([("a", 1), ("b", 3)])?;
    /// ring.drain("b")?;
    /// let mut weight = 0;
    /// ring.for_each_eligible(&mut |member| weight += member.weight);
    /// assert_eq!(weight, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn for_each_eligible<'a>(&'a self, f: &mut dyn FnMut(Member<'a, Self::Node>)) {
        self.for_each_member(&mut |member| {
            if !member.drained {
                f(member);
            }
        });
    }

    /// Returns the first node in `token`'s order. Returns `None` only if no node is eligible.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Strategy};
    ///
    /// let strategy: Box<dyn Strategy<Node = &str>> = Box::new(HashRing::from_nodes(["a", "b"])?);
    /// let token = strategy.token_of(b"user:42");
    /// assert_eq!(strategy.route_token(token), strategy.pick(token, &mut |_| true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn route_token(&self, token: Token) -> Option<&Self::Node> {
        self.pick(token, &mut |_| true)
    }

    /// Returns `false` if the strategy excludes `node` for a reason other than draining, such as a
    /// filter.
    ///
    /// A wrapper that returns to a node by its identity, as a session does, asks this first.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Filtered, HashRing, Strategy};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// assert!(ring.admits(&"a"));
    /// let filtered = Filtered::new(ring, |node: &&str| *node != "a");
    /// assert!(!filtered.admits(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn admits(&self, node: &Self::Node) -> bool {
        let _ = node;
        true
    }

    /// Returns `true` if [`admits`](Strategy::admits) may return `false`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Filtered, HashRing, Strategy};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// assert!(!ring.is_filtered());
    /// assert!(Filtered::new(ring, |node: &&str| *node != "a").is_filtered());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn is_filtered(&self) -> bool {
        false
    }

    /// Returns the weight of a node that this strategy has handed out, if it can tell from the
    /// reference in O(1). Returns `None` to say: ask [`member`](Strategy::member).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Strategy};
    ///
    /// let ring = HashRing::from_weighted([("a", 3)])?;
    /// let node = ring.route("user:42").unwrap();
    /// assert_eq!(ring.weight_of(node), Some(3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn weight_of(&self, node: &Self::Node) -> Option<u32> {
        let _ = node;
        None
    }

    /// Returns the identity of a node that this strategy has handed out, if it can tell from the
    /// reference in O(1). Returns `None` to say: take the node's [`key_bytes`](Key::key_bytes).
    ///
    /// The identity is the one that the node joined with, even if its key bytes have changed since.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Strategy};
    ///
    /// let ring = HashRing::from_nodes(["a"])?;
    /// let node = ring.route("user:42").unwrap();
    /// assert_eq!(ring.identity_of(node), Some(&b"a"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn identity_of(&self, node: &Self::Node) -> Option<&[u8]> {
        let _ = node;
        None
    }
}

/// The verbs for keys, on every [`Strategy`].
///
/// The strategies and wrappers of this crate have these verbs as their own methods, so that no
/// import is needed. Import `Route` for a `dyn Strategy` and in generic code.
///
/// # Examples
///
/// ```
/// use clockwise::{HashRing, Route, Strategy};
///
/// // Chosen at run time, used through the one trait.
/// let strategy: Box<dyn Strategy<Node = &str> + Send + Sync> =
///     Box::new(HashRing::from_nodes(["a", "b", "c"])?);
/// let owner = strategy.route("user:42").unwrap();
/// let next = strategy.route_where("user:42", |node| node != owner).unwrap();
/// assert_eq!(strategy.replicas("user:42", 2), [owner, next]);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
pub trait Route: Strategy {
    /// Returns the node for `key`. Returns `None` only if no node is eligible.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Route, Strategy};
    ///
    /// fn address<S: Strategy<Node = String>>(servers: &S, key: &str) -> Option<String> {
    ///     servers.route(key).cloned()
    /// }
    ///
    /// let ring = HashRing::from_nodes(["10.0.0.1:80".to_string()])?;
    /// assert_eq!(address(&ring, "user:42").as_deref(), Some("10.0.0.1:80"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn route<K: Key + ?Sized>(&self, key: &K) -> Option<&Self::Node> {
        self.route_token(self.token_of(key.key_bytes().as_ref()))
    }

    /// Returns the first node in `key`'s order for which `accept` returns `true`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Route, Strategy};
    ///
    /// let strategy: Box<dyn Strategy<Node = &str>> = Box::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(strategy.route_where("user:42", |node| *node != "a"), Some(&"b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn route_where<'a, K, F>(&'a self, key: &K, mut accept: F) -> Option<&'a Self::Node>
    where
        K: Key + ?Sized,
        F: FnMut(&'a Self::Node) -> bool,
    {
        self.pick(self.token_of(key.key_bytes().as_ref()), &mut accept)
    }

    /// Returns the first node in `key`'s order whose identity is not in `tried`.
    ///
    /// This is how to go on after a failure without holding a reference: keep the identities of the
    /// nodes that failed, and ask again, of another snapshot too. A node that is listed in `tried`
    /// and is no longer a member is ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Route};
    ///
    /// let mut ring = HashRing::from_nodes(["a", "b", "c"])?;
    /// let mut tried = Vec::new();
    /// while let Some(node) = ring.route_except("user:42", &tried).copied() {
    ///     // … the request to `node` failed, and meanwhile:
    ///     ring.remove("b");
    ///     tried.push(node);
    /// }
    /// assert!(tried.len() >= 2);
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    ///
    /// # Performance
    /// Each node offered is compared with each identity in `tried`.
    fn route_except<K, Q>(&self, key: &K, tried: &[Q]) -> Option<&Self::Node>
    where
        K: Key + ?Sized,
        Q: Key,
    {
        self.route_where(key, |node| {
            let is = |id: &[u8]| tried.iter().any(|tried| tried.key_bytes().as_ref() == id);
            !match self.identity_of(node) {
                Some(id) => is(id),
                None => is(node.key_bytes().as_ref()),
            }
        })
    }

    /// Returns the first `n` nodes in `key`'s order, all distinct, or fewer if fewer are eligible.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Route, Strategy};
    ///
    /// let strategy: Box<dyn Strategy<Node = &str>> = Box::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(strategy.replicas("user:42", 2).len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn replicas<'a, K: Key + ?Sized>(&'a self, key: &K, n: usize) -> Vec<&'a Self::Node> {
        // More may be asked for than there are.
        let mut replicas = Vec::with_capacity(n.min(8));
        if n > 0 {
            self.route_where(key, |node| {
                replicas.push(node);
                replicas.len() == n
            });
        }
        replicas
    }

    /// Returns `n` nodes in `key`'s order, spread over domains (zones, racks, regions): never two
    /// in one domain while another is unused.
    ///
    /// Ranks the nodes of each domain by preference and takes all first ones in order, then all
    /// second ones, until there are `n`. So a change of one node changes at most one member of the
    /// set.
    ///
    /// [`Zoned`](crate::Zoned) has this order as its own. Use it if you ask often, as it knows its
    /// zones, or if other wrappers are to follow the order.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Route, Strategy};
    ///
    /// let strategy: Box<dyn Strategy<Node = &str>> =
    ///     Box::new(HashRing::from_nodes(["eu-1", "eu-2", "us-1"])?);
    /// let copies = strategy.replicas_across("user:42", 2, |node| &node[..2]);
    /// assert_ne!(copies[0][..2], copies[1][..2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// Looks at O(n) nodes (expected, for domains of equal size) if `n` is at most the number of
    /// domains. If more nodes must be looked at, the members are counted by domain once, which
    /// calls `domain` for each of them: one copy more than domains costs about 100 times as much.
    /// A [`Zoned`](crate::Zoned) keeps that count. Each node is compared with the domains seen.
    fn replicas_across<'a, K, Z, F>(&'a self, key: &K, n: usize, domain: F) -> Vec<&'a Self::Node>
    where
        K: Key + ?Sized,
        Z: PartialEq,
        F: FnMut(&'a Self::Node) -> Z,
    {
        across::across(self, key, n, domain).0
    }

    /// Returns what [`replicas_across`](Route::replicas_across) returns, if all `n` nodes are in
    /// distinct domains.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Route, Strategy};
    ///
    /// let ring = HashRing::from_nodes(["eu-1", "eu-2"])?;
    /// let strategy: Box<dyn Strategy<Node = &str>> = Box::new(ring);
    /// let error = strategy.try_replicas_across("user:42", 2, |node| &node[..2]).unwrap_err();
    /// assert_eq!((error.wanted, error.found), (2, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotEnoughDomains`] if fewer than `n` domains have an eligible node.
    fn try_replicas_across<'a, K, Z, F>(
        &'a self,
        key: &K,
        n: usize,
        domain: F,
    ) -> Result<Vec<&'a Self::Node>, NotEnoughDomains>
    where
        K: Key + ?Sized,
        Z: PartialEq,
        F: FnMut(&'a Self::Node) -> Z,
    {
        let (replicas, found) = across::across(self, key, n, domain);
        if found < n {
            Err(NotEnoughDomains { wanted: n, found })
        } else {
            Ok(replicas)
        }
    }
}

impl<S: Strategy + ?Sized> Route for S {}
