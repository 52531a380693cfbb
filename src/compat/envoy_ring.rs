//! [`EnvoyRing`]: `RING_HASH`, and gRPC's `ring_hash`.

use super::common::{
    Counting, Listed, Points64, RING_SIZE_MAX, ceil, default_and_debug, listed, offer, ranks,
};
use super::error::CompatError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, Limits, NodeSet, members_of_nodes, membership};
use crate::preference::Preference;
use crate::ring::points::Points;
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use xxhash_rust::xxh64::xxh64;

/// The placement of Envoy's `RING_HASH` (1.40.0, its default hash function `XX_HASH`) and of gRPC's `ring_hash` (C-core
/// 1.85.1).
///
/// A node's text is its host key: `ip:port` as Envoy and gRPC write it (`10.0.0.1:80`, `[2001:db8::1]:80`), the path of a pipe,
/// or the `hash_key` of the endpoint's metadata where it has one ([`Named`](crate::Named) gives an address such a key). With
/// `use_hostname_for_hashing` it is the hostname.
///
/// ```
/// use clockwise::{Route, compat::EnvoyRing};
///
/// let hosts = (9001..=9005).map(|port| (format!("127.0.0.1:{port}"), 1));
/// let mut ring = EnvoyRing::try_from_nodes(hosts)?;
/// assert_eq!(ring.point_count(), 1025);
/// assert_eq!(ring.route("key:0000").unwrap(), "127.0.0.1:9001");
///
/// ring.drain("127.0.0.1:9001")?; // unhealthy: Envoy makes the ring anew of the others
/// assert_eq!(ring.point_count(), 1024);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Definition
/// With the hosts' parts w/W of the weight, the least of them m, and the two sizes s and S: scale = min(⌈m·s⌉/m, S). Host by
/// host in order of the list, a running target grows by scale·w/W, and the host gets points until there are as many as the
/// target says: XXH64(`text_j`), j = 0, 1, … All in double precision. A key belongs to the first point at or after its XXH64.
///
/// # Failover
/// `drain` is an unhealthy host: Envoy's ring holds the *usable* hosts only, those that are healthy, or all in panic mode (by
/// default where fewer than half are healthy; to decide that is yours: undrain all). Refusing a node is a retry with a host
/// predicate: attempt a takes the a-th point after the key's, which also is how gRPC passes over a failing endpoint, whose ring
/// holds all.
///
/// # Odd keys
/// All bytes count. The key is that of *one* hash policy: a header's value, a cookie's, a query parameter's, an address without
/// port. Envoy joins several policies as `rotate_left(hash, 1) ^ next`: compute that and use
/// [`route_token`](Strategy::route_token). Without a hash it picks at random.
///
/// # What it gets wrong, and when to leave
/// Counts follow the weights of all and the least weight sets the scale: 6–9 % of all keys move needlessly when one of 10 or of
/// 5 nodes leaves. Sizes are capped in silence: a host of tiny weight beside the maximum size has no point. The order of hosts
/// decides fractions of a point. `text_1` + `1` is `text_` + `11`. Leave at the next resize: [`guide`](super::guide).
///
/// # Cost
/// As a [`HashRing`](crate::HashRing) of as many points to route, with XXH64. A change rebuilds the ring: a hash a point, and a
/// sort.
#[derive(Clone)]
pub struct EnvoyRing<N> {
    nodes: NodeSet<N>,
    points: Points,
    /// Ranks as listed.
    order: Vec<u32>,
    sizes: Sizes,
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    min: u64,
    max: u64,
}

impl<N> EnvoyRing<N> {
    /// No nodes yet; sizes as Envoy has them: at least 1024 points, at most 8,388,608.
    pub const fn new() -> Self {
        EnvoyRing::configured(EnvoyRing::<N>::builder().sizes)
    }

    /// A builder, to choose the sizes.
    pub const fn builder() -> EnvoyRingBuilder<N> {
        EnvoyRingBuilder {
            sizes: Sizes {
                min: 1024,
                max: RING_SIZE_MAX,
            },
            nodes: PhantomData,
        }
    }

    const fn configured(sizes: Sizes) -> Self {
        let limits = Limits {
            total_weight: u32::MAX as u64,
            ..Limits::NONE
        };
        EnvoyRing {
            nodes: NodeSet::limited(Budget::NO_POINTS, limits),
            points: Points::new(),
            order: Vec::new(),
            sizes,
        }
    }

    /// The hosts of a cluster with their weights, in the order in which Envoy lists them, with its default sizes.
    ///
    /// # Errors
    /// [`CompatError::Node`]: a duplicate or empty text, weight 0, or a total weight of 2³² or more; Envoy refuses these
    /// weights too.
    pub fn try_from_nodes<I>(nodes: I) -> Result<Self, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        EnvoyRing::builder().try_from_nodes(nodes)
    }

    /// Points on the ring.
    pub fn point_count(&self) -> usize {
        self.points.len()
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        let list = listed(&self.nodes, &draft);
        let order = ranks(&list);
        if !draft.moves_nothing(&self.nodes) || order != self.order {
            self.points = points(&list, self.sizes);
            self.order = order;
        }
        self.nodes.commit(draft)
    }
}

impl<N> EnvoyRing<N> {
    /// The ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let points = self.points.walk(token.get()).take(self.points.len());
        points.chain(self.order.iter().copied())
    }

    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), &mut accept)
    }

    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        Preference::foreign(&self.nodes, self.ranks(token))
    }
}

construct_verbs!(impl[N: Key] EnvoyRing<N>, N, ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)");
routing_verbs!(impl[N: Key] EnvoyRing<N>, N);
placement_verbs!(impl[N: Key] EnvoyRing<N>, N);
membership!(
    EnvoyRing<N>,
    [N: Key],
    strategy [N: Key],
    reading [N],
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)"
);

impl<N: Key> Strategy for EnvoyRing<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// The key's XXH64.
    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(xxh64(key, 0))
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        self.points
            .owner_of(token.get())
            .map(|owner| self.nodes.node(owner))
    }

    members_of_nodes!(N);
}

default_and_debug!(EnvoyRing, points: |ring: &Self| ring.points.len());

fn points(list: &[Listed<'_>], sizes: Sizes) -> Points {
    let usable = || list.iter().filter(|listed| !listed.member.drained);
    let total = usable()
        .map(|listed| u64::from(listed.member.weight))
        .sum::<u64>() as f64;
    let part = |listed: &Listed<'_>| f64::from(listed.member.weight) / total;
    let least = usable().map(part).fold(1.0, f64::min);
    let scale = (ceil(least * sizes.min as f64) as f64 / least).min(sizes.max as f64);
    let (mut target, mut made) = (0.0, 0);
    let mut points = Points64::with_capacity(ceil(scale) as usize);
    let mut text = Counting::new();
    for listed in usable() {
        target += scale * part(listed);
        // Rounding may leave the target a hair above or below a whole number; the program takes that as it comes.
        let count = ceil(target).saturating_sub(made) as u32;
        made += u64::from(count);
        text.start([listed.member.identity, b"_"]);
        for _ in 0..count {
            points.push(xxh64(text.text(), 0), listed.rank);
            text.count();
        }
    }
    points.sorted()
}

/// Configures an [`EnvoyRing`]; see [`EnvoyRing::builder`].
///
/// ```
/// use clockwise::compat::EnvoyRing;
///
/// // gRPC's ring_hash caps rings at 4096 points unless it was told otherwise.
/// let grpc = EnvoyRing::builder().max_ring_size(4096).try_from_nodes([("10.0.0.1:80", 1), ("10.0.0.2:80", 9999)])?;
/// assert_eq!(grpc.point_count(), 4096);
/// # Ok::<(), clockwise::compat::CompatError>(())
/// ```
#[must_use = "call `try_from_nodes`"]
#[derive(Clone)]
pub struct EnvoyRingBuilder<N> {
    sizes: Sizes,
    nodes: PhantomData<fn() -> N>,
}

impl<N> EnvoyRingBuilder<N> {
    /// `minimum_ring_size` (gRPC: `minRingSize`), 1 to 8,388,608; 1024 unless set. The ring has as many points or a few more,
    /// unless the maximum cuts it.
    pub fn min_ring_size(mut self, points: u64) -> Self {
        self.sizes.min = points;
        self
    }

    /// `maximum_ring_size`, up to 8,388,608, which it is unless set. (gRPC: `maxRingSize`, 4096 unless set.)
    pub fn max_ring_size(mut self, points: u64) -> Self {
        self.sizes.max = points;
        self
    }

    /// The hosts of a cluster with their weights, in the order in which Envoy lists them.
    ///
    /// # Errors
    /// [`CompatError::RingSize`]; else as [`EnvoyRing::try_from_nodes`].
    pub fn try_from_nodes<I>(self, nodes: I) -> Result<EnvoyRing<N>, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let Sizes { min, max } = self.sizes;
        if min == 0 || min > max || max > RING_SIZE_MAX {
            return Err(CompatError::RingSize { min, max });
        }
        let mut ring = EnvoyRing::configured(self.sizes);
        ring.extend_weighted(nodes)?;
        Ok(ring)
    }
}

impl<N> fmt::Debug for EnvoyRingBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvoyRingBuilder")
            .field("min_ring_size", &self.sizes.min)
            .field("max_ring_size", &self.sizes.max)
            .finish_non_exhaustive()
    }
}
