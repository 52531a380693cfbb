//! Acquiring: a check and a count in one step.

use super::caps::Caps;
use super::look::Look;
use super::{Bounded, Lease};
use crate::hash::Token;
use crate::key::Key;
use crate::load::Counted;
use crate::load::count::Held;
use crate::strategy::Strategy;
use crate::wrappers::few::Few;
use crate::wrappers::weight_of;
use core::ptr;

/// Acquiring.
impl<S: Strategy<Node: Counted>> Bounded<S> {
    /// Reserves a place for one request on the first node in `key`'s order that is below its cap.
    /// Returns `None` only if no node is eligible.
    ///
    /// From any number of threads, no node gets more than the cap that follows from the L that its
    /// acquirer read. The type's docs list when a node can be above its cap.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// let lease = bounded.acquire("user:42").expect("no node is eligible");
    /// assert_eq!(lease.in_flight(), 1); // it dereferences to the node
    /// drop(lease); // the request has ended
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[must_use = "the place is given back when the lease is dropped"]
    pub fn acquire<K: Key + ?Sized>(&self, key: &K) -> Option<Lease<'_, S::Node>> {
        self.acquire_token(self.strategy.token_of(key.key_bytes().as_ref()))
    }

    /// Reserves a place for one request on the first node in a token's order that is below its
    /// cap. Returns `None` only if no node is eligible.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// let token = bounded.token("user:42"); // hashed before, such as for a log
    /// assert!(bounded.acquire_token(token).is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[must_use = "the place is given back when the lease is dropped"]
    pub fn acquire_token(&self, token: Token) -> Option<Lease<'_, S::Node>> {
        // Most often the owner is not full, and `route_token` finds it without the state of a
        // walk: 35 ns in all instead of 41. One atomic addition takes 8.5 ns there, so that is
        // little more than the four of them.
        let owner = self.strategy.route_token(token);
        self.reserve(owner, token, false, |_| true)
    }

    /// Reserves a place for one request on the first node in `key`'s order that is below its cap
    /// and for which `accept` returns `true`. Returns `None` only if `accept` refuses every
    /// eligible node.
    ///
    /// Refused nodes are not part of W, as if they were drained, so the others have higher caps.
    /// `accept` may be asked twice for a node.
    ///
    /// # Examples
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
    #[must_use = "the place is given back when the lease is dropped"]
    pub fn acquire_where<'a, K, F>(&'a self, key: &K, accept: F) -> Option<Lease<'a, S::Node>>
    where
        K: Key + ?Sized,
        F: FnMut(&'a S::Node) -> bool,
    {
        let token = self.strategy.token_of(key.key_bytes().as_ref());
        self.reserve(None, token, true, accept)
    }

    /// Reserves a place for one request on the node `id` if it is below its cap, else as
    /// [`acquire`](Bounded::acquire) does.
    ///
    /// The node `id` is passed over, too, if it is unknown, drained or refused by a filter inside.
    /// The caps are those of `acquire`. Returns `None` only if no node is eligible.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let ring = HashRing::from_nodes(["a", "b", "c", "d"].map(Tracked::new))?;
    /// let bounded = Bounded::new(ring, 1.25)?;
    /// let leases: Vec<_> =
    ///     (0..40).filter_map(|_| bounded.acquire_preferring("a", "user:42")).collect();
    /// assert_eq!(leases.iter().filter(|lease| ***lease == "a").count(), 13); // 1.25 · 40 / 4
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "the place is given back when the lease is dropped"]
    pub fn acquire_preferring<Q, K>(&self, id: &Q, key: &K) -> Option<Lease<'_, S::Node>>
    where
        Q: Key + ?Sized,
        K: Key + ?Sized,
    {
        let preferred = self.strategy.member(id.key_bytes().as_ref());
        let preferred = preferred
            .filter(|member| !member.drained && self.strategy.admits(member.node))
            .map(|member| member.node);
        let token = self.strategy.token_of(key.key_bytes().as_ref());
        self.reserve(preferred, token, false, |_| true)
    }

    /// Returns the cap that `acquire` applies to a member for the next request. Returns `None` if
    /// no member has this identity.
    ///
    /// Filters inside are asked about every node. Returns `Some(0)` if no node can be offered. For
    /// a member that is drained or refused itself it is the cap that follows from its weight and
    /// the W of the other nodes; a session of `Sticky` is bound by it on a drained node. If every
    /// node is drained or refused, such a session has no cap.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Bounded, HashRing, Tracked};
    ///
    /// let bounded = Bounded::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, 1.25)?;
    /// let leases: Vec<_> = (0..7).map(|_| bounded.acquire("hot key")).collect();
    /// assert_eq!(bounded.cap("a"), Some(5)); // 1.25 × (7 + 1) ÷ 2
    /// assert_eq!(bounded.cap("z"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cap<Q: Key + ?Sized>(&self, id: &Q) -> Option<u32> {
        let weight = self.strategy.member(id.key_bytes().as_ref())?.weight;
        let look = Look::new(self, self.open.get(), Token::new(0), false);
        Some(look.cap(weight))
    }

    /// Reserves a place on `first`, if there is one, else on the first node in `token`'s order
    /// that is accepted and below its cap. If not `conditional`, `accept` refuses no node.
    #[inline]
    pub(in crate::wrappers) fn reserve<'a>(
        &'a self,
        first: Option<&'a S::Node>,
        token: Token,
        conditional: bool,
        mut accept: impl FnMut(&'a S::Node) -> bool,
    ) -> Option<Lease<'a, S::Node>> {
        // Given back if nothing is found or `accept` panics.
        let (open, before) = Held::new(&self.open);
        let look = Look::new(self, before, token, conditional);
        let first = first.filter(|&node| accept(node));
        if let Some(node) = first {
            let weight = weight_of(&self.strategy, node);
            if let Some(held) = hold(node, weight, look.caps()) {
                return Some(Lease::new(node, held, open));
            }
        }
        self.reserve_further(look, first, token, accept, open)
    }

    /// Continues the walk. `first`, if there is one, is accepted and not below the caps of
    /// `look` so far.
    fn reserve_further<'a>(
        &'a self,
        mut look: Look<'a, S>,
        first: Option<&'a S::Node>,
        token: Token,
        mut accept: impl FnMut(&'a S::Node) -> bool,
        open: Held<'a>,
    ) -> Option<Lease<'a, S::Node>> {
        let mut full = None;
        let mut reserve = |node, is_accepted: bool| {
            if !is_accepted && !accept(node) {
                return None;
            }
            let weight = weight_of(&self.strategy, node);
            let held = look.attempt(&mut accept, |caps| hold(node, weight, caps));
            if held.is_none() {
                full.get_or_insert_with(Few::new).push((node, weight));
            }
            held.map(|held| (node, held))
        };
        let mut reserved = first.and_then(|node| reserve(node, true));
        if reserved.is_none() {
            self.strategy.pick(token, &mut |node| {
                if !first.is_some_and(|first| ptr::eq(first, node)) {
                    reserved = reserve(node, false);
                }
                reserved.is_some()
            });
        }
        let (node, held) = match (reserved, full) {
            (Some(reserved), _) => reserved,
            (None, Some(full)) => self.reserve_of_full(&full, look.weight()),
            (None, None) => return None,
        };
        Some(Lease::new(node, held, open))
    }

    /// Reserves a place among nodes that were all full.
    ///
    /// Other requests may have begun since L was read, so the first attempt uses the L of now. The
    /// second one treats these nodes as if they were all nodes. Then one of them is below its cap,
    /// unless more requests begin in between. Then it starts again.
    #[cold]
    fn reserve_of_full<'a>(
        &self,
        full: &Few<(&'a S::Node, u32)>,
        total: u64,
    ) -> (&'a S::Node, Held<'a>) {
        let floor = self.floor();
        loop {
            let others = self.open.get().saturating_sub(1).into();
            let here = full.iter().map(|(node, _)| u64::from(node.counter().get()));
            let weights = full.iter().map(|(_, weight)| u64::from(weight));
            let now = self.factor.caps(others, total);
            let among = self.factor.caps(here.sum(), weights.sum());
            let reserved = [now, floor, among].into_iter().find_map(|caps| {
                full.iter()
                    .find_map(|(node, weight)| Some((node, hold(node, weight, caps)?)))
            });
            if let Some(reserved) = reserved {
                return reserved;
            }
            core::hint::spin_loop();
        }
    }

    /// The least caps.
    pub(super) fn floor(&self) -> Caps {
        let total = self.total_weight.of(&self.strategy);
        Caps::floor(self.min_cap, self.total_weight.count(&self.strategy), total)
    }
}

#[inline]
fn hold<N: Counted>(node: &N, weight: u32, caps: Caps) -> Option<Held<'_>> {
    Held::new_if(node.counter(), |in_flight| caps.admit(in_flight, weight))
}
