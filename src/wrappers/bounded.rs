//! [`Bounded`]: consistent hashing with bounded loads, over any strategy.

mod caps;
mod lease;
#[cfg(all(test, loom))]
mod loom_models;
mod total_weight;

pub use lease::Lease;

use super::few::Few;
use super::{forward_members, weight_of, wrapper};
use crate::error::ConfigError;
use crate::hash::Token;
use crate::key::Key;
use crate::load::Tracked;
use crate::load::count::{Count, Held};
use crate::nodes::Member;
use crate::strategy::{Membership, Strategy, picking_verbs, routing_verbs};
use alloc::sync::Arc;
use caps::{Caps, Factor};
use core::{fmt, ptr};
use total_weight::TotalWeight;

/// A strategy whose nodes take no more than their fair part of the requests, times a factor c > 1 (Mirrokni, Thorup and Zadimoghaddam 2016).
///
/// Its nodes are [`Tracked`], which count their requests in flight. [`acquire`](Bounded::acquire) walks the key's order of preference to the first node with fewer requests in flight than its cap,
/// and counts the request there, in one step:
///
/// > capᵢ = ⌈c · (L + 1) · wᵢ / W⌉
///
/// L: leases of this `Bounded` that are open; wᵢ: the node's weight; W: the weight of all eligible nodes. So no one key, however hot, nor anyone who aims keys
/// at a node, gives it more than c times its part. While no node is at its cap, each key goes where the strategy inside sends it.
///
/// **Which c?** At least 1 + 2/√(requests in flight per node): 1.25 with 64 a node, 1.5 with 16. Lower, and chance alone fills nodes.
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
/// # When every node is full
/// L knows only what came through this `Bounded`. Where a [filter](crate::Filtered) leaves few nodes, or requests went past it (by
/// [`Tracked::begin`], or another `Bounded` over the same nodes), all nodes offered may be at their caps. Then the caps are worked out once more, with L
/// and W over just the nodes that were offered and accepted: of those one at least is below its cap. So `None` means that no node is eligible (or
/// accepted), never that all are busy.
///
/// # Routing reserves nothing
/// As a [`Strategy`], `pick` and so `route`, `route_where` and `replicas` look at the counts and count nothing: nodes below their caps
/// come first, each in the key's order, full ones after them. Between such a look and a [`begin`](Tracked::begin) others may come; only
/// `acquire` does both at once.
///
/// # Clones and snapshots
/// A clone shares the open leases, and the nodes' counts as clones of [`Tracked`] do. So a copy with one node more, as `Shared` makes it, goes
/// on from the same L. Two `Bounded` that are to count for themselves are made by two calls of [`new`](Bounded::new).
///
/// # Cost
/// Beside the pick of the strategy inside: four atomic operations for acquire and release together, a few multiplications, and no allocation unless more
/// than 16 nodes are full. After a change of the membership the first request sums up the weights, O(N).
pub struct Bounded<S> {
    strategy: S,
    factor: Factor,
    /// L: the leases that are open.
    open: Arc<Count>,
    total_weight: TotalWeight,
}

impl<S> Bounded<S> {
    /// `strategy`, with each node's requests in flight bounded by `load_factor` times its part.
    ///
    /// The factor is kept as fixed point, with 32 bits after the point, cut off there.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] where it is not greater than 1, NaN or infinite.
    pub fn new(strategy: S, load_factor: f64) -> Result<Self, ConfigError> {
        Ok(Bounded {
            strategy,
            factor: Factor::new(load_factor)?,
            open: Arc::new(Count::new()),
            total_weight: TotalWeight::unknown(),
        })
    }

    /// The strategy inside.
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// The strategy inside, to change its members. The caps follow. (Not what members a strategy of your own changes behind `&self`.)
    pub fn strategy_mut(&mut self) -> &mut S {
        self.total_weight = TotalWeight::unknown();
        &mut self.strategy
    }

    /// The load factor c.
    pub fn load_factor(&self) -> f64 {
        self.factor.get()
    }

    /// L: how many leases are open, of this `Bounded` and its clones.
    pub fn open_leases(&self) -> u32 {
        self.open.get()
    }

    /// The cap of a member for the next request, drained or not; `None` where no member has this identity.
    pub fn cap<Q>(&self, id: &Q) -> Option<u32>
    where
        S: Strategy,
        Q: Key + ?Sized,
    {
        let weight = self.strategy.member(id.key_bytes().as_ref())?.weight;
        let total = self.total_weight.of(&self.strategy);
        Some(self.factor.caps(self.open.get().into(), total).cap(weight))
    }

    /// Reserves a place for one request: on the first node in `key`'s order that is below its cap. `None` only where no node is eligible.
    ///
    /// The check and the count are one step: from however many threads, no node gets more than the cap that follows from the L its
    /// acquirer read, and each acquirer's own request is in the L of the next.
    #[inline]
    pub fn acquire<'a, N, K>(&'a self, key: &K) -> Option<Lease<'a, N>>
    where
        N: Key,
        S: Strategy<Node = Tracked<N>>,
        K: Key + ?Sized,
    {
        let token = self.strategy.token_of(key.key_bytes().as_ref());
        // Most often the owner is not full, and `route_token` finds it without the state of a walk: 35 ns in all instead of 41. Where one atomic
        // addition takes 8.5 ns, that is little more than the four of them; fetch-and-undo, L read ahead and narrower products gain 1 ns at most.
        let owner = self.strategy.route_token(token);
        self.reserve(
            owner,
            |_| true,
            |reserve| self.strategy.pick(token, reserve),
        )
    }

    /// As [`acquire`](Bounded::acquire), among the nodes for which `accept` says true. It is asked at most once for each node. `None` only where it accepts no
    /// eligible node.
    ///
    /// ```
    /// # use clockwise::{Bounded, HashRing, Tracked};
    /// # let ring = HashRing::from_nodes(["a", "b"].map(Tracked::new))?;
    /// let bounded = Bounded::new(ring, 1.5)?;
    /// let lease = bounded.acquire_where("user:42", |node| **node != "a").unwrap();
    /// assert_eq!(*lease, "b");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn acquire_where<'a, N, K, F>(&'a self, key: &K, accept: F) -> Option<Lease<'a, N>>
    where
        N: Key,
        S: Strategy<Node = Tracked<N>>,
        K: Key + ?Sized,
        F: FnMut(&'a Tracked<N>) -> bool,
    {
        let token = self.strategy.token_of(key.key_bytes().as_ref());
        self.reserve(None, accept, |reserve| self.strategy.pick(token, reserve))
    }

    /// Reserves a place on `first`, if there is one, else on the first node of `order` that is accepted and below its cap.
    #[inline]
    pub(super) fn reserve<'a, N: Key>(
        &'a self,
        first: Option<&'a Tracked<N>>,
        mut accept: impl FnMut(&'a Tracked<N>) -> bool,
        order: impl FnOnce(&mut dyn FnMut(&'a Tracked<N>) -> bool) -> Option<&'a Tracked<N>>,
    ) -> Option<Lease<'a, N>>
    where
        S: Strategy<Node = Tracked<N>>,
    {
        // Given back where nothing is found, or `accept` panics.
        let (open, before) = Held::new(&self.open);
        let total = self.total_weight.of(&self.strategy);
        let caps = self.factor.caps(before.into(), total);
        let mut full = None;
        if let Some(node) = first.filter(|&node| accept(node)) {
            let weight = weight_of(&self.strategy, node);
            if let Some(held) = hold(node, weight, caps) {
                return Some(Lease::new(node, held, open));
            }
            full.get_or_insert_with(Few::new).push((node, weight));
        }
        let mut reserved = None;
        order(&mut |node| {
            if !first.is_some_and(|first| ptr::eq(first, node)) && accept(node) {
                let weight = weight_of(&self.strategy, node);
                reserved = hold(node, weight, caps).map(|held| (node, held));
                if reserved.is_none() {
                    full.get_or_insert_with(Few::new).push((node, weight));
                }
            }
            reserved.is_some()
        });
        let (node, held) = match (reserved, full) {
            (Some(reserved), _) => reserved,
            (None, Some(full)) => self.reserve_of_full(&full, total),
            (None, None) => return None,
        };
        Some(Lease::new(node, held, open))
    }

    /// Places among nodes that were all full. Others may have come since L was read, so first by the L of now; then as if these
    /// nodes were all there are. Then one is below its cap, unless more come in between: then again.
    #[cold]
    fn reserve_of_full<'a, N>(
        &self,
        full: &Few<(&'a Tracked<N>, u32)>,
        total: u64,
    ) -> (&'a Tracked<N>, Held<'a>) {
        loop {
            let others = self.open.get().saturating_sub(1).into();
            let here = full.iter().map(|(node, _)| u64::from(node.in_flight()));
            let weights = full.iter().map(|(_, weight)| u64::from(weight));
            let now = self.factor.caps(others, total);
            let among = self.factor.caps(here.sum(), weights.sum());
            let reserved = [now, among].into_iter().find_map(|caps| {
                full.iter()
                    .find_map(|(node, weight)| Some((node, hold(node, weight, caps)?)))
            });
            if let Some(reserved) = reserved {
                return reserved;
            }
            core::hint::spin_loop();
        }
    }
}

#[inline]
fn hold<N>(node: &Tracked<N>, weight: u32, caps: Caps) -> Option<Held<'_>> {
    Held::new_if(node.count(), |in_flight| caps.admit(in_flight, weight))
}

impl<N: Key, S: Strategy<Node = Tracked<N>>> Strategy for Bounded<S> {
    type Node = Tracked<N>;

    /// Nodes below their caps first; then the full ones as if they were all there are, and so on.
    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a Tracked<N>) -> bool,
    ) -> Option<&'a Tracked<N>> {
        let total = self.total_weight.of(&self.strategy);
        let mut caps = self.factor.caps(self.open.get().into(), total);
        let mut full = None;
        let picked = self.strategy.pick(token, &mut |node| {
            let (weight, in_flight) = (weight_of(&self.strategy, node), node.in_flight());
            if caps.admit(in_flight, weight) {
                return accept(node);
            }
            full.get_or_insert_with(Few::new)
                .push((node, weight, in_flight));
            false
        });
        if picked.is_some() {
            return picked;
        }
        // The counts of the first look, lest a node move between the rounds. Each round offers one at least.
        while let Some(round) = full.take() {
            let in_flight = round.iter().map(|(_, _, n)| u64::from(n)).sum();
            let total = round.iter().map(|(_, weight, _)| u64::from(weight)).sum();
            caps = self.factor.caps(in_flight, total);
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

    fn admits(&self, node: &Tracked<N>) -> bool {
        self.strategy.admits(node)
    }

    forward_members!(strategy);
}

routing_verbs!(impl[N: Key, S: Strategy<Node = Tracked<N>>] Bounded<S>, Tracked<N>);
picking_verbs!(impl[N: Key, S: Strategy<Node = Tracked<N>>] Bounded<S>, Tracked<N>);
wrapper!(
    Bounded<S>,
    Tracked<N>,
    [N: Key, S: Strategy<Node = Tracked<N>>],
    [N: Key, S: Membership<Node = Tracked<N>>]
);

/// Shares the open leases.
impl<S: Clone> Clone for Bounded<S> {
    fn clone(&self) -> Self {
        Bounded {
            strategy: self.strategy.clone(),
            factor: self.factor,
            open: Arc::clone(&self.open),
            total_weight: TotalWeight::unknown(),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Bounded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded")
            .field("strategy", &self.strategy)
            .field("load_factor", &self.load_factor())
            .field("open_leases", &self.open_leases())
            .finish_non_exhaustive()
    }
}
