//! The traits alone: a strategy puts the nodes in order of preference for a key.

mod across;
mod listing;
mod verbs;

pub(crate) use across::{Count, Zones, pick_across};
pub(crate) use verbs::{
    Lists, builder_verbs, construct_verbs, inspecting_verbs, managing_verbs, picking_verbs,
    placement_verbs, routing_verbs,
};

use crate::error::{NodeError, NotEnoughDomains};
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Changes, Edit, Member};
use alloc::{boxed::Box, vec, vec::Vec};
use listing::Listing;

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
///     fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
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
    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a Self::Node) -> bool,
    ) -> Option<&'a Self::Node>;

    /// Returns the token of a key's bytes.
    fn token_of(&self, key: &[u8]) -> Token;

    /// Returns the member with this identity, drained or not.
    fn member(&self, id: &[u8]) -> Option<Member<'_, Self::Node>>;

    /// Passes every member to `f`, drained ones too, in order of identity.
    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, Self::Node>));

    /// Passes every member that is not drained to `f`, in any order that stays the same until the
    /// members change.
    ///
    /// Override it if [`for_each_member`](Strategy::for_each_member) has to sort the members:
    /// wrappers call this method during a pick.
    fn for_each_eligible<'a>(&'a self, f: &mut dyn FnMut(Member<'a, Self::Node>)) {
        self.for_each_member(&mut |member| {
            if !member.drained {
                f(member);
            }
        });
    }

    /// Returns the first node in `token`'s order. Returns `None` only if no node is eligible.
    fn route_token(&self, token: Token) -> Option<&Self::Node> {
        self.pick(token, &mut |_| true)
    }

    /// Returns `false` if the strategy excludes `node` for a reason other than draining, such as a
    /// filter.
    ///
    /// A wrapper that returns to a node by its identity, as a session does, asks this first.
    fn admits(&self, node: &Self::Node) -> bool {
        let _ = node;
        true
    }

    /// Returns `true` if [`admits`](Strategy::admits) may return `false`.
    fn is_filtered(&self) -> bool {
        false
    }

    /// Returns the weight of a node that this strategy has handed out, if it can tell from the
    /// reference in O(1). Returns `None` to say: ask [`member`](Strategy::member).
    fn weight_of(&self, node: &Self::Node) -> Option<u32> {
        let _ = node;
        None
    }

    /// Returns the identity of a node that this strategy has handed out, if it can tell from the
    /// reference in O(1). Returns `None` to say: take the node's [`key_bytes`](Key::key_bytes).
    ///
    /// The identity is the one that the node joined with, even if its key bytes have changed since.
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
    fn route<K: Key + ?Sized>(&self, key: &K) -> Option<&Self::Node> {
        self.route_token(self.token_of(key.key_bytes().as_ref()))
    }

    /// Returns the first node in `key`'s order for which `accept` returns `true`.
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
    /// use clockwise::{HashRing, Route, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b", "c"])?);
    /// let mut tried = Vec::new();
    /// while let Some(node) = shared.load().route_except("user:42", &tried).copied() {
    ///     // … the request to `node` failed, and meanwhile:
    ///     shared.update(|ring| ring.remove("b"));
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

/// A strategy whose members can be changed: the object-safe core.
///
/// [`Manage`] adds the verbs that take an identity of any [`Key`] type to every `Membership`.
///
/// # Examples
///
/// ```
/// use clockwise::{Edit, HashRing, Manage, Membership, Rendezvous};
///
/// let mut strategy: Box<dyn Membership<Node = &str> + Send + Sync> = Box::new(HashRing::new());
/// strategy.set_nodes(vec![("a", 1), ("b", 2)])?;
/// strategy.drain("b")?;
/// let changes = strategy.apply(vec![Edit::undrain("b"), Edit::remove("a")])?;
/// assert_eq!((changes.undrained(), changes.into_removed()), (1, vec!["a"]));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
pub trait Membership: Strategy {
    /// Applies edits in order, all or nothing, and returns what changed.
    ///
    /// # Errors
    /// The error of the first edit that is invalid after the ones before it. Nothing has changed
    /// then.
    fn apply(&mut self, edits: Vec<Edit<Self::Node>>) -> Result<Changes<Self::Node>, NodeError>;

    /// Returns the error that [`apply`](Membership::apply) would return for these edits, and
    /// changes nothing.
    ///
    /// # Errors
    /// As [`apply`](Membership::apply).
    fn check(&self, edits: &[&Edit<Self::Node>]) -> Result<(), NodeError>;

    /// Returns a mutable reference to the node with this identity, drained or not.
    ///
    /// The node must keep its key bytes. If it does not, it remains the member with the identity
    /// that it joined with.
    fn member_mut(&mut self, id: &[u8]) -> Option<&mut Self::Node>;

    /// Makes `all` the members, and calls `merge(present, listed)` for each node that was a member
    /// before. Returns what changed.
    ///
    /// See [`HashRing::set_nodes_with`](crate::HashRing::set_nodes_with).
    ///
    /// # Errors
    /// A duplicate or empty identity, weight 0, or a limit of the strategy. Nothing has changed
    /// then, and `merge` was not called.
    fn set_nodes_with(
        &mut self,
        all: Vec<(Self::Node, u32)>,
        merge: &mut dyn FnMut(&mut Self::Node, Self::Node),
    ) -> Result<Changes<Self::Node>, NodeError> {
        let Listing { edits, present } = Listing::new(self, all)?;
        let changes = self.apply(edits)?;
        for (id, mut listed) in present {
            if let Some(present) = self.member_mut(&id) {
                listed.take_over(present);
                merge(present, listed);
            }
        }
        Ok(changes)
    }

    /// Makes `all` the members. Only the difference is applied: a node that is a member already
    /// keeps its payload and its drained state, and its weight follows the list.
    ///
    /// # Errors
    /// As [`set_nodes_with`](Membership::set_nodes_with).
    fn set_nodes(&mut self, all: Vec<(Self::Node, u32)>) -> Result<Changes<Self::Node>, NodeError> {
        self.set_nodes_with(all, &mut |_, _| {})
    }
}

/// The verbs that change members, by identities of any [`Key`] type, on every [`Membership`].
///
/// The strategies and wrappers of this crate have these verbs as their own methods, so that no
/// import is needed. Import `Manage` for a `dyn Membership` and in generic code.
pub trait Manage: Membership {
    /// Adds a node of weight 1.
    ///
    /// # Errors
    /// [`NodeError::Duplicate`], [`NodeError::EmptyIdentity`], or a limit of the strategy. The
    /// node is then dropped.
    fn insert(&mut self, node: Self::Node) -> Result<(), NodeError> {
        self.insert_weighted(node, 1)
    }

    /// Adds a node with this weight.
    ///
    /// # Errors
    /// As [`insert`](Manage::insert), and [`NodeError::ZeroWeight`].
    fn insert_weighted(&mut self, node: Self::Node, weight: u32) -> Result<(), NodeError> {
        self.apply(vec![Edit::insert(node, weight)]).map(drop)
    }

    /// Adds nodes with their weights: all of them, or none if there is an error.
    ///
    /// # Errors
    /// As [`insert_weighted`](Manage::insert_weighted), for the first node that is refused.
    fn extend_weighted<I>(&mut self, nodes: I) -> Result<(), NodeError>
    where
        I: IntoIterator<Item = (Self::Node, u32)>,
    {
        let edits = nodes.into_iter().map(|(node, w)| Edit::insert(node, w));
        self.apply(edits.collect()).map(drop)
    }

    /// Removes a member and returns it. Returns `None` if no member has this identity.
    fn remove<Q: Key + ?Sized>(&mut self, id: &Q) -> Option<Self::Node> {
        let changes = self.apply(vec![Edit::remove(id)]);
        // The first, if the node was a member of several groups.
        changes.ok()?.into_removed().into_iter().next()
    }

    /// Removes the members for which `keep` returns `false`, and returns them.
    fn retain<F>(&mut self, mut keep: F) -> Vec<Self::Node>
    where
        F: FnMut(Member<'_, Self::Node>) -> bool,
    {
        let mut edits = Vec::new();
        self.for_each_member(&mut |member| {
            if !keep(member) {
                edits.push(Edit::remove(member.id));
            }
        });
        self.apply(edits)
            .map_or_else(|_| Vec::new(), Changes::into_removed)
    }

    /// Changes the weight of a member.
    ///
    /// # Errors
    /// [`NodeError::Unknown`], [`NodeError::ZeroWeight`], or a limit of the strategy.
    fn set_weight<Q: Key + ?Sized>(&mut self, id: &Q, weight: u32) -> Result<(), NodeError> {
        self.apply(vec![Edit::set_weight(id, weight)]).map(drop)
    }

    /// Takes a member out of service without removing it. Does nothing if it is drained already.
    ///
    /// See [`HashRing::drain`](crate::HashRing::drain).
    ///
    /// # Errors
    /// [`NodeError::Unknown`].
    fn drain<Q: Key + ?Sized>(&mut self, id: &Q) -> Result<(), NodeError> {
        self.apply(vec![Edit::drain(id)]).map(drop)
    }

    /// Restores a drained member. Does nothing if the member is not drained.
    ///
    /// # Errors
    /// [`NodeError::Unknown`].
    fn undrain<Q: Key + ?Sized>(&mut self, id: &Q) -> Result<(), NodeError> {
        self.apply(vec![Edit::undrain(id)]).map(drop)
    }

    /// Drains every member for which `drain` returns `true`. Returns how many were not drained
    /// before.
    fn drain_where<F: FnMut(&Self::Node) -> bool>(&mut self, mut drain: F) -> usize {
        let mut edits = Vec::new();
        self.for_each_member(&mut |member| {
            if !member.drained && drain(member.node) {
                edits.push(Edit::drain(member.id));
            }
        });
        self.apply(edits).map_or(0, |changes| changes.drained())
    }

    /// Restores every drained member for which `undrain` returns `true`. Returns how many there
    /// were.
    fn undrain_where<F: FnMut(&Self::Node) -> bool>(&mut self, mut undrain: F) -> usize {
        let mut edits = Vec::new();
        self.for_each_member(&mut |member| {
            if member.drained && undrain(member.node) {
                edits.push(Edit::undrain(member.id));
            }
        });
        self.apply(edits).map_or(0, |changes| changes.undrained())
    }

    /// Replaces the payload of the member with the identity of `node`, and returns the old one.
    /// Moves no key. Counts of requests in flight carry over ([`Key::take_over`]).
    ///
    /// # Errors
    /// [`NodeError::Unknown`]. The node is then dropped.
    fn replace(&mut self, node: Self::Node) -> Result<Self::Node, NodeError> {
        let id = Box::<[u8]>::from(node.key_bytes().as_ref());
        let changes = self.apply(vec![Edit::replace(node)])?;
        // A strategy that reports no old payload has not replaced it.
        let unknown = || NodeError::unknown(&id);
        changes.into_replaced().pop().ok_or_else(unknown)
    }

    /// Removes all members and returns them. The configuration stays.
    fn clear(&mut self) -> Vec<Self::Node> {
        self.retain(|_| false)
    }

    /// Returns a mutable reference to the node with this identity, drained or not.
    ///
    /// See [`Membership::member_mut`].
    fn get_mut<Q: Key + ?Sized>(&mut self, id: &Q) -> Option<&mut Self::Node> {
        self.member_mut(id.key_bytes().as_ref())
    }
}

impl<S: Membership + ?Sized> Manage for S {}
