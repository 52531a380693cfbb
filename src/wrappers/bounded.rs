//! [`Bounded`]: consistent hashing with bounded loads, over any strategy.

mod acquire;
mod caps;
mod lease;
mod look;
#[cfg(all(test, loom))]
mod loom_models;
mod total_weight;

pub use lease::Lease;

use super::few::Few;
use super::{forward_members, weight_of, wrapper};
use crate::error::ConfigError;
use crate::hash::Token;
use crate::load::{Counted, Counter};
use crate::nodes::Member;
use crate::strategy::{Membership, Strategy, picking_verbs, routing_verbs};
use caps::{Caps, Factor};
use core::fmt;
use look::Look;
use total_weight::TotalWeight;

/// A strategy that limits each node to its fair share of the requests in flight, times a factor
/// c > 1 (Mirrokni, Thorup and Zadimoghaddam 2016).
///
/// The nodes count their requests in flight: wrap them in [`Tracked`](crate::Tracked), or use any
/// other [`Counted`] node. [`acquire`](Bounded::acquire) walks the key's order of preference to
/// the first node with fewer requests in flight than its cap, and counts the request there in one
/// step:
///
/// > capᵢ = max(⌈c · (L + 1) · wᵢ / W⌉, floorᵢ)
///
/// - L is the number of open leases of this `Bounded` and its clones.
/// - wᵢ is the node's weight.
/// - W is the weight of all nodes that can be offered. Drained nodes, nodes that a
///   [filter](crate::Filtered) inside refuses, and nodes that the condition of
///   [`acquire_where`](Bounded::acquire_where) refuses are not part of it.
/// - floorᵢ is 0 unless [`min_cap`](Bounded::min_cap) was set.
///
/// So no key, however hot, and no client that aims keys at a node gives the node more than c times
/// its fair share. While no node is at its cap, each key keeps the node of the inner strategy.
///
/// **Which c?** Use at least 1 + 2/√(requests in flight per node): 1.25 with 64 per node, 1.5 with
/// 16. Below that, random variation alone fills nodes. With few requests in flight per node, also
/// set `min_cap` to the number of requests that a node of average weight serves in parallel
/// without a queue.
///
/// # Examples
///
/// ```
/// use clockwise::{Bounded, HashRing, Tracked};
///
/// let ring = HashRing::from_nodes(["a", "b", "c", "d"].map(Tracked::new))?;
/// let bounded = Bounded::new(ring, 1.25)?;
///
/// // One key is asked for again and again: ⌈1.25 · 8 / 4⌉ = 3 at most on each node.
/// let leases: Vec<_> = (0..8).filter_map(|_| bounded.acquire("hot key")).collect();
/// assert_eq!(leases.len(), 8);
/// assert!(leases.iter().all(|lease| lease.node().in_flight() <= 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # When a node can be above its cap
///
/// The check and the count are one step, so threads that acquire at the same time do not exceed
/// the cap together. Each uses the L that it read, and its own request is part of the L that the
/// next one reads. A node can be above its cap in these cases only:
///
/// - **The cap fell.** L falls when other leases end, and W rises when a node joins or passes the
///   filter again. The requests that were placed before stay. The node gets no further ones until
///   it is below its cap.
/// - **Requests bypass this `Bounded`**, by [`begin`](Counted::begin) on the node or through
///   another `Bounded` over the same nodes. The node counts them but L does not.
/// - **All nodes that can be offered are full.** This takes requests that bypass this `Bounded`,
///   predicates that change their answers during the call, or other threads. Then L is read once
///   more. If all nodes are still full, the caps are computed from L and W of just these nodes, so
///   that one of them gets the request. `None` therefore means that no node is eligible and
///   accepted, never that all nodes are busy.
///
/// L also includes requests that still run on nodes that have been removed, drained or refused
/// since. They raise the caps of the other nodes until they end: if they are a quarter of all
/// requests, the other nodes may get up to c/(1 − ¼) times their fair share of the rest.
///
/// The condition of `acquire_where` counts in W. With a condition that accepts a single node W is
/// the weight of that node, so the node has no effective limit. To prefer one node under its cap
/// use [`acquire_preferring`](Bounded::acquire_preferring).
///
/// # Routing reserves nothing
///
/// As a [`Strategy`], `pick` and so `route`, `route_where` and `replicas` read the counts and
/// count nothing. Nodes below their caps are first, each in the key's order, and full nodes follow.
/// The caps are those of `acquire`: the condition of `route_where` does not count in W. Other
/// requests may begin between such a look and a `begin`. Only the `acquire` methods do
/// both in one step.
///
/// # Clones and snapshots
///
/// A clone shares the open leases, and clones of the nodes share their counts. So a copy with one
/// more node, such as `Shared` makes, continues with the same L. Call [`new`](Bounded::new) twice
/// for two `Bounded` that count separately.
///
/// # Performance
///
/// Beyond the pick of the inner strategy, acquire and release together take four atomic
/// operations and a few multiplications. They allocate nothing unless more than 16 nodes are full.
/// After a change of the membership, the first request sums up the weights in O(N).
///
/// With a filter inside or a condition, a request whose node is below ⌈c · (L + 1) · wᵢ / W⌉ with
/// W of *all* nodes that are not drained asks no predicate beyond those of the walk. Other
/// requests count W: they ask the nodes, starting at a place that moves, until enough of them have
/// been refused, or all N have been asked.
pub struct Bounded<S> {
    strategy: S,
    factor: Factor,
    min_cap: u32,
    /// L: the leases that are open.
    open: Counter,
    total_weight: TotalWeight,
}

impl<S> Bounded<S> {
    /// Creates a strategy that limits each node's requests in flight to `load_factor` times its
    /// fair share.
    ///
    /// The factor is kept as fixed point with 32 bits after the point, rounded down.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Nodes that do not count their requests do not compile:
    ///
    /// ```compile_fail,E0277
    /// use clockwise::{Bounded, HashRing};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"])?, 1.25)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if the factor is not greater than 1, NaN or infinite.
    pub fn new(strategy: S, load_factor: f64) -> Result<Self, ConfigError>
    where
        S: Strategy,
        S::Node: Counted,
    {
        Ok(Bounded {
            strategy,
            factor: Factor::new(load_factor)?,
            min_cap: 0,
            open: Counter::new(),
            total_weight: TotalWeight::unknown(),
        })
    }

    /// Sets the least cap of a node of average weight. 0 by default.
    ///
    /// No node is full below `n` requests in flight, scaled by its weight: with k members that are
    /// not drained and W of their weights, floorᵢ = ⌈n · wᵢ · k / W⌉. Set it to the number of
    /// requests that a node serves in parallel without a queue. Without it, few requests in flight
    /// mean caps of 1 or 2, and keys leave their nodes although no node is busy.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let ring = HashRing::from_nodes(["a", "b", "c", "d"].map(Tracked::new))?;
    /// let bounded = Bounded::new(ring, 1.25)?.min_cap(8);
    /// assert_eq!(bounded.cap("a"), Some(8)); // ⌈1.25 · 1 / 4⌉ is only 1
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn min_cap(mut self, n: u32) -> Self {
        self.min_cap = n;
        self
    }

    /// Returns the inner strategy.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// println!("{}", bounded.strategy().balance()); // what the ring itself can say
    /// assert_eq!(bounded.strategy().virtual_nodes(), 512);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// Returns a mutable reference to the inner strategy. Caps are recomputed on the next
    /// request.
    ///
    /// A strategy of your own that changes its members through `&self` must not be used inside:
    /// its changes are not seen.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let mut bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// bounded.strategy_mut().insert(Tracked::new("c"))?;
    /// assert_eq!(bounded.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn strategy_mut(&mut self) -> &mut S {
        self.total_weight = TotalWeight::unknown();
        &mut self.strategy
    }

    /// Returns the load factor c.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a"].map(Tracked::new))?, 1.25)?;
    /// assert_eq!(bounded.load_factor(), 1.25);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_factor(&self) -> f64 {
        self.factor.get()
    }

    /// Returns L, the number of open leases of this `Bounded` and its clones.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// let lease = bounded.acquire("user:42");
    /// assert_eq!(bounded.open_leases(), 1);
    /// drop(lease);
    /// assert_eq!(bounded.open_leases(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_leases(&self) -> u32 {
        self.open.get()
    }
}

impl<S: Strategy<Node: Counted>> Strategy for Bounded<S> {
    type Node = S::Node;

    /// Offers the nodes below their caps first. Then it offers the full ones as if they were all
    /// nodes, and so on.
    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        let mut look = Look::new(self, self.open.get(), token, false);
        let mut full = None;
        let picked = self.strategy.pick(token, &mut |node| {
            let (weight, in_flight) = (weight_of(&self.strategy, node), node.in_flight());
            let below = |caps: Caps| caps.admit(in_flight, weight).then_some(());
            if look.attempt(&mut |_| true, below).is_some() {
                return accept(node);
            }
            full.get_or_insert_with(Few::new)
                .push((node, weight, in_flight));
            false
        });
        if picked.is_some() {
            return picked;
        }
        // By the counts of the first look, so that no node moves between the rounds. Each round
        // offers one node at least.
        while let Some(round) = full.take() {
            let in_flight = round.iter().map(|(_, _, n)| u64::from(n)).sum();
            let total = round.iter().map(|(_, weight, _)| u64::from(weight)).sum();
            let caps = self.factor.caps(in_flight, total);
            for (node, weight, in_flight) in round.iter() {
                if !caps.admit(in_flight, weight) {
                    full.get_or_insert_with(Few::new)
                        .push((node, weight, in_flight));
                } else if accept(node) {
                    return Some(node);
                }
            }
        }
        None
    }

    fn route_token(&self, token: Token) -> Option<&S::Node> {
        let owner = self.strategy.route_token(token)?;
        let caps = Look::new(self, self.open.get(), token, false).caps();
        if caps.admit(owner.in_flight(), weight_of(&self.strategy, owner)) {
            return Some(owner);
        }
        self.pick(token, &mut |_| true)
    }

    fn admits(&self, node: &S::Node) -> bool {
        self.strategy.admits(node)
    }

    forward_members!(strategy);
}

routing_verbs!(impl[S: Strategy<Node: Counted>] Bounded<S>, S::Node, example Bounded);
picking_verbs!(impl[S: Strategy<Node: Counted>] Bounded<S>, S::Node, example Bounded);
wrapper!(
    Bounded<S>,
    S::Node, example Bounded,
    [S: Strategy<Node: Counted>],
    [S: Membership + Strategy<Node: Counted>]
);

/// Shares the open leases.
impl<S: Clone> Clone for Bounded<S> {
    fn clone(&self) -> Self {
        Bounded {
            strategy: self.strategy.clone(),
            factor: self.factor,
            min_cap: self.min_cap,
            open: self.open.clone(),
            total_weight: TotalWeight::unknown(),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Bounded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded")
            .field("strategy", &self.strategy)
            .field("load_factor", &self.load_factor())
            .field("min_cap", &self.min_cap)
            .field("open_leases", &self.open_leases())
            .finish_non_exhaustive()
    }
}
