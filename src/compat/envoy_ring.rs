//! [`EnvoyRing`]: `RING_HASH`, and gRPC's `ring_hash`.

use super::common::{
    Counting, Listed, Points64, ceil, debug_numbers, listed, offer, old_name, placement, ranks,
};
use crate::error::ConfigError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, Limits, NodeSet, members_of_nodes};
use crate::ring::points::Points;
use crate::strategy::{Strategy, builder_verbs};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use xxhash_rust::xxh64::xxh64;

/// The largest ring that Envoy builds.
const RING_SIZE_MAX: u64 = 1 << 23;

/// What gRPC cuts both sizes to, unless its cap is raised.
const GRPC_RING_SIZE_CAP: u64 = 4096;

/// The placement of Envoy's `RING_HASH` (1.40.0, with its default hash function `XX_HASH`) and of
/// [gRPC](EnvoyRing::grpc)'s `ring_hash` (C-core 1.85.1).
///
/// A node's text is its host key: `ip:port` as Envoy and gRPC write it (`10.0.0.1:80`,
/// `[2001:db8::1]:80`), the path of a pipe, or the `hash_key` of the endpoint's metadata if it has
/// one. [`Named`](crate::Named) gives an address such a key. With `use_hostname_for_hashing` the
/// text is the hostname.
///
/// # Examples
/// ```
/// use clockwise::compat::EnvoyRing;
///
/// let hosts = (9001..=9005).map(|port| format!("127.0.0.1:{port}"));
/// let mut ring = EnvoyRing::from_nodes(hosts)?;
/// assert_eq!(ring.point_count(), 1025);
/// assert_eq!(ring.route("key:0000").unwrap(), "127.0.0.1:9001");
///
/// ring.drain("127.0.0.1:9001")?; // unhealthy: Envoy rebuilds the ring from the others
/// assert_eq!(ring.point_count(), 1024);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Definition
/// Let w/W be the fraction of the total weight of each host, m the least of these fractions, and s
/// and S the minimum and the maximum size. Then scale = min(⌈m·s⌉/m, S). The hosts are taken in the
/// order of the list. Each adds scale·w/W to a running target and gets points until there are as
/// many points as the target says: XXH64(`text_j`), j = 0, 1, … All of it is computed in double
/// precision. A key belongs to the first point at or after its XXH64.
///
/// # Failover
/// `drain` corresponds to an unhealthy host. Envoy's ring holds the *usable* hosts only: the
/// healthy ones, or all in panic mode, which by default begins if fewer than half are healthy. You
/// decide about panic mode: undrain all. Refusing a node is a retry with a host predicate: attempt
/// a takes the a-th point after that of the key. gRPC passes over a failing endpoint in the same
/// way, since its ring holds all endpoints.
///
/// # Odd keys
/// All bytes count. The key is that of *one* hash policy: the value of a header, of a cookie or of
/// a query parameter, or an address without its port. Envoy joins several policies as
/// `rotate_left(hash, 1) ^ next`. Compute that and use [`route_token`](EnvoyRing::route_token).
/// Without a hash Envoy picks at random.
///
/// # What it gets wrong, and when to leave
/// The number of points of a host depends on the weights of all hosts, and the least weight sets
/// the scale: if one of 5 hosts leaves, 9 % of all keys move needlessly, and 6 % if one of 10
/// leaves. Sizes are capped silently, so a host of tiny weight may have no point at the maximum
/// size. The order of the hosts decides about fractions of a point. `text_1` + `1` is `text_` +
/// `11`. Leave it at the next resize: [`guide`](super::guide).
///
/// # Performance
/// Routing costs as much as on a [`HashRing`](crate::HashRing) with as many points, with XXH64. A
/// change rebuilds the ring: one hash for each point, and a sort.
#[derive(Clone)]
pub struct EnvoyRing<N> {
    nodes: NodeSet<N>,
    points: Points,
    /// Ranks in the order of the list.
    order: Vec<u32>,
    sizes: Sizes,
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    min: u64,
    max: u64,
    /// Cuts both once they are checked.
    cap: u64,
}

impl<N> EnvoyRing<N> {
    /// Creates a strategy without nodes with the default sizes of Envoy: at least 1024 points, and
    /// at most 8,388,608.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyRing;
    ///
    /// let mut ring = EnvoyRing::new();
    /// ring.insert("10.0.0.1:80")?;
    /// assert_eq!(ring.route("user:42"), Some(&"10.0.0.1:80"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        EnvoyRing::configured(EnvoyRing::<N>::builder().sizes)
    }

    /// Returns a builder with which the sizes can be set.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyRing;
    ///
    /// // ring_hash_lb_config: { minimum_ring_size: 2048 }
    /// let ring = EnvoyRing::builder().min_ring_size(2048).from_nodes(["10.0.0.1:80"])?;
    /// assert_eq!(ring.point_count(), 2048);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn builder() -> EnvoyRingBuilder<N> {
        EnvoyRingBuilder {
            sizes: Sizes {
                min: 1024,
                max: RING_SIZE_MAX,
                cap: RING_SIZE_MAX,
            },
            nodes: PhantomData,
        }
    }

    /// Returns a builder with the defaults of gRPC: at least 1024 points, at most 4096, and a cap
    /// that cuts both sizes to 4096 even if the service configuration asks for more.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyRing;
    ///
    /// let hosts = || [("10.0.0.1:80", 1), ("10.0.0.2:80", 3)];
    /// // "ring_hash_experimental": { "minRingSize": 10000, "maxRingSize": 20000 }
    /// let config = || EnvoyRing::grpc().min_ring_size(10_000).max_ring_size(20_000);
    /// assert_eq!(config().from_weighted(hosts())?.point_count(), 4096);
    /// // GRPC_ARG_RING_HASH_LB_RING_SIZE_CAP is raised in this client.
    /// let raised = config().ring_size_cap(8_388_608).from_weighted(hosts())?;
    /// assert_eq!(raised.point_count(), 10_000);
    /// # Ok::<(), clockwise::ConfigError>(())
    /// ```
    pub const fn grpc() -> EnvoyRingBuilder<N> {
        EnvoyRingBuilder {
            sizes: Sizes {
                min: 1024,
                max: GRPC_RING_SIZE_CAP,
                cap: GRPC_RING_SIZE_CAP,
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

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        let list = listed(&self.nodes, &draft);
        let order = ranks(&list);
        if !draft.moves_nothing(&self.nodes) || order != self.order {
            self.points = points(&list, self.sizes);
            self.order = order;
        }
        self.nodes.commit(draft)
    }

    /// Returns the ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let points = self.points.walk(token.get()).take(self.points.len());
        points.chain(self.order.iter().copied())
    }
}

placement!(
    EnvoyRing,
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit) if the total weight is 2³² or more"
);

impl<N> EnvoyRing<N> {
    /// Returns the number of points on the ring.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyRing;
    ///
    /// assert_eq!(EnvoyRing::from_nodes(["10.0.0.1:80"])?.point_count(), 1024);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn point_count(&self) -> usize {
        self.points.len()
    }
}

impl<N: Key> Strategy for EnvoyRing<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// Returns the XXH64 of the key.
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

debug_numbers!(EnvoyRing, points: |ring: &Self| ring.points.len());

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
        // Rounding may leave the target slightly above or below a whole number. The program does
        // not correct that, so neither is it corrected here.
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

/// A builder that configures an [`EnvoyRing`]; see [`EnvoyRing::builder`] and [`EnvoyRing::grpc`].
///
/// # Examples
/// ```
/// use clockwise::compat::EnvoyRing;
///
/// let ring = EnvoyRing::builder()
///     .min_ring_size(2048)
///     .max_ring_size(4096)
///     .from_weighted([("10.0.0.1:80", 1), ("10.0.0.2:80", 3)])?;
/// assert!(ring.point_count() >= 2048);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `build`"]
#[derive(Clone)]
pub struct EnvoyRingBuilder<N> {
    sizes: Sizes,
    nodes: PhantomData<fn() -> N>,
}

impl<N> EnvoyRingBuilder<N> {
    /// Sets `minimum_ring_size` (gRPC: `minRingSize`), from 1 to 8,388,608, by default 1024. The
    /// ring has this many points or a few more, unless the maximum is less.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyRing;
    ///
    /// let ring = EnvoyRing::builder().min_ring_size(4096).from_nodes(["10.0.0.1:80"])?;
    /// assert_eq!(ring.point_count(), 4096);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn min_ring_size(mut self, points: u64) -> Self {
        self.sizes.min = points;
        self
    }

    /// Sets `maximum_ring_size` (gRPC: `maxRingSize`), from 1 to 8,388,608, which is the default of
    /// Envoy. The default of gRPC is 4096.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyRing;
    ///
    /// let sizes = EnvoyRing::builder().min_ring_size(100).max_ring_size(200);
    /// let ring = sizes.from_weighted([("10.0.0.1:80", 1), ("10.0.0.2:80", 999)])?;
    /// assert!(ring.point_count() <= 201);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_ring_size(mut self, points: u64) -> Self {
        self.sizes.max = points;
        self
    }

    /// Sets what both sizes are cut to, from 1 to 8,388,608: gRPC's
    /// `GRPC_ARG_RING_HASH_LB_RING_SIZE_CAP`, by default 4096. Envoy has no such cap.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyRing;
    ///
    /// let ring = EnvoyRing::grpc().min_ring_size(10_000).max_ring_size(20_000).ring_size_cap(512);
    /// assert_eq!(ring.from_nodes(["10.0.0.1:80"])?.point_count(), 512);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ring_size_cap(mut self, points: u64) -> Self {
        self.sizes.cap = points;
        self
    }

    /// Builds the strategy without nodes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{ConfigError, compat::EnvoyRing};
    ///
    /// let refused = EnvoyRing::<&str>::builder().max_ring_size(1000).build().unwrap_err();
    /// assert!(matches!(refused, ConfigError::OutOfRange { setting: "minimum ring size", .. }));
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if a size is 0 or more than 8,388,608, or if the minimum is more
    /// than the maximum.
    pub fn build(self) -> Result<EnvoyRing<N>, ConfigError> {
        let Sizes { min, max, cap } = self.sizes;
        for (setting, size) in [
            ("minimum ring size", min),
            ("maximum ring size", max),
            ("ring size cap", cap),
        ] {
            if size == 0 || size > RING_SIZE_MAX {
                return Err(ConfigError::out_of_range(
                    setting,
                    size,
                    "from 1 to 8388608",
                ));
            }
        }
        if min > max {
            let must = "at most the maximum ring size";
            return Err(ConfigError::out_of_range("minimum ring size", min, must));
        }
        Ok(EnvoyRing::configured(Sizes {
            min: min.min(cap),
            max: max.min(cap),
            cap,
        }))
    }
}

builder_verbs!(impl[N: Key] EnvoyRingBuilder<N>, EnvoyRing<N>, N, example EnvoyRing, "builder()");
old_name!(EnvoyRingBuilder, EnvoyRing);

impl<N> fmt::Debug for EnvoyRingBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvoyRingBuilder")
            .field("min_ring_size", &self.sizes.min)
            .field("max_ring_size", &self.sizes.max)
            .field("ring_size_cap", &self.sizes.cap)
            .finish_non_exhaustive()
    }
}
