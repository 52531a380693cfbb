//! [`HaproxyConsistent`]: `hash-type consistent`.

use super::common::{
    Listed, MAX_POINTS, Points32, debug_numbers, listed, offer, old_name, placement,
    points_a_weight, ranks, ring32, token32,
};
use crate::error::ConfigError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Changes, Draft, Limits, NodeSet, members_of_nodes};
use crate::ring::points::Points;
use crate::strategy::Strategy;
use alloc::{format, vec, vec::Vec};
use core::fmt;
use core::marker::PhantomData;

/// Points for each unit of weight, the greatest weight, and the points that an id has room for.
const POINTS: u32 = 16;
const WEIGHT_MAX: u32 = 256;
const POINTS_AN_ID: u32 = POINTS * WEIGHT_MAX;

/// The most nodes whose points fit, at weight 1.
const NODES_MAX: usize = MAX_POINTS / POINTS as usize;

/// The placement of HAProxy's `hash-type consistent` (2.6.12) for `balance hash`, `hdr`,
/// `url_param` and other algorithms that hash a text. `balance source`, `map-based`, `hash-key`
/// (from later versions, which places servers by address) and `hash-balance-factor` (which passes
/// over busy servers) are not covered.
///
/// HAProxy does not hash the names of servers. A server's *id* decides where it is placed. So you
/// can choose the nodes' texts, such as the names of the servers.
///
/// # Examples
/// ```
/// use clockwise::compat::{HaproxyConsistent, HaproxyHash};
///
/// // balance hash req.hdr(x-key)
/// // hash-type consistent              (without more words: sdbm and avalanche)
/// let servers = (9001..=9005).map(|port| format!("127.0.0.1:{port}"));
/// let haproxy = HaproxyConsistent::from_nodes(servers)?;
/// assert_eq!(haproxy.route("key:0000").unwrap(), "127.0.0.1:9004");
///
/// // hash-type consistent crc32 avalanche
/// // server a … id 7 weight 10
/// // server b … weight 10
/// let haproxy = HaproxyConsistent::builder()
///     .hash(HaproxyHash::Crc32)
///     .avalanche(true)
///     .ids([Some(7), None])
///     .from_weighted([("a", 10), ("b", 10)])?;
/// assert_eq!((haproxy.id("a"), haproxy.id("b")), (Some(7), Some(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Definition
/// full(x) is Bob Jenkins' 32-bit integer hash of six steps, times 3,221,225,473. A server of
/// weight w (1 to 256) has the points full(id·4096 + j), j = 0 … 16·w − 1, all in 32 bits. Points
/// that coincide stay in the order of the list. The place of a key is its hash, or full(hash) with
/// avalanche. The key belongs to the *nearest* point on either side. If two points are equally
/// near, it belongs to the one before it.
///
/// # Failover
/// `drain` stands for a server that is down. Its keys go to the nearest points of the others, as if
/// it were removed. Refusing a server does the same.
///
/// # Ids
/// HAProxy numbers the servers of a backend in order, backup servers too. A counter begins at 1. A
/// server without an `id` gets the lowest id from the counter on that no `id` line of the backend
/// has, and the counter moves there. Then, after every server, the counter goes up by one. So after
/// `server a id 7`, `server b` has id 2, not 1. [`ids`](HaproxyConsistentBuilder::ids) does the
/// same; a backup server must be in the list for that, and can be drained.
///
/// Here a node keeps its id while it is a member, like a server that is added and deleted at run
/// time. A node that joins later gets the lowest id that is free. HAProxy itself places a server
/// that is added at run time without an id as id 0 (bug #3413), so give it one: insert the node
/// here and use `add server … id` with what [`id`](HaproxyConsistent::id) returns. A server that
/// was added without one is placed like id 1,048,576, which has the same points as id 0.
///
/// If HAProxy reads an edited configuration, it numbers the servers again. To follow that, build a
/// new strategy.
///
/// # Odd keys
/// All bytes count, as unsigned numbers. The empty key is hashed like any other. HAProxy balances a
/// request *without* the key (no such header) with round-robin, which this type does not do.
///
/// # What it gets wrong, and when to leave
/// There are 16 points for each unit of weight: at weight 1 the busiest of 10 nodes gets 29 % too
/// much, and the busiest of 100 nodes 50 %. Weight 100 costs 1600 points. Two instances whose lists
/// differ by one line disagree on almost all keys, unless ids are given. Without avalanche, similar
/// keys lie close together. Leave it when you change the list the next time:
/// [`guide`](super::guide).
///
/// # Performance
/// Routing costs as much as on a [`HashRing`](crate::HashRing) with as many points. Each point
/// takes 8 bytes more. A change rebuilds the ring in O(P log P) for P points.
#[derive(Clone)]
pub struct HaproxyConsistent<N> {
    nodes: NodeSet<N>,
    /// The ends of the arcs to which one server is the nearest: a ring like any other.
    arcs: Points,
    /// The points themselves, sorted: the place in the upper half, the rank of the owner in the
    /// lower.
    points: Vec<u64>,
    /// Ranks in the order of the list.
    order: Vec<u32>,
    /// Ids by rank.
    ids: Vec<u32>,
    /// The ids of the next newcomers, which no other node may get.
    waiting: Vec<u32>,
    keys: Keys,
}

/// The hash of keys in HAProxy: the function of `hash-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HaproxyHash {
    /// `sdbm`, the default.
    Sdbm,
    /// `djb2`.
    Djb2,
    /// `wt6`.
    Wt6,
    /// `crc32`.
    Crc32,
}

/// How the bytes of a key become its place.
#[derive(Debug, Clone, Copy)]
struct Keys {
    hash: HaproxyHash,
    avalanche: bool,
}

impl<N> HaproxyConsistent<N> {
    /// Creates a strategy without nodes for `hash-type consistent` without more words: sdbm with
    /// avalanche.
    pub const fn new() -> Self {
        HaproxyConsistent::configured(Keys {
            hash: HaproxyHash::Sdbm,
            avalanche: true,
        })
    }

    /// Returns a builder with which the hash function and the ids can be set.
    pub const fn builder() -> HaproxyConsistentBuilder<N> {
        HaproxyConsistentBuilder {
            hash: None,
            avalanche: None,
            ids: None,
            nodes: PhantomData,
        }
    }

    const fn configured(keys: Keys) -> Self {
        let limits = Limits {
            weight: WEIGHT_MAX,
            ..Limits::NONE
        };
        HaproxyConsistent {
            nodes: NodeSet::limited(points_a_weight(POINTS), limits),
            arcs: Points::new(),
            points: Vec::new(),
            order: Vec::new(),
            ids: Vec::new(),
            waiting: Vec::new(),
            keys,
        }
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        let list = listed(&self.nodes, &draft);
        let order = ranks(&list);
        if !draft.moves_nothing(&self.nodes) || order != self.order {
            self.ids = ids_by_rank(&list, &self.ids, &self.waiting);
            let newcomers = draft.added().len().min(self.waiting.len());
            self.waiting.drain(..newcomers);
            self.points = points(&list, &self.ids);
            self.arcs = arcs(&self.points);
            self.order = order;
        }
        self.nodes.commit(draft)
    }

    /// Returns the ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let nearest = nearest_first(&self.points, (token.get() >> 32) as u32);
        nearest.chain(self.order.iter().copied())
    }
}

placement!(
    HaproxyConsistent,
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit) for a weight of more than 256, \
     [`NodeError::TooManyPoints`](crate::NodeError::TooManyPoints) if the weights sum to more than \
     1,048,576"
);

impl<N> HaproxyConsistent<N> {
    /// Returns the id of a node. Returns `None` if no node has this identity.
    pub fn id<Q: Key + ?Sized>(&self, id: &Q) -> Option<u32> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        Some(self.ids[rank])
    }

    /// Returns the number of points on the ring.
    pub fn point_count(&self) -> usize {
        self.points.len()
    }
}

impl<N: Key> Strategy for HaproxyConsistent<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// Returns the place of the key in the upper half.
    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        token32(self.keys.place(key))
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        self.arcs
            .owner_of(token.get())
            .map(|owner| self.nodes.node(owner))
    }

    members_of_nodes!(N);
}

debug_numbers!(HaproxyConsistent, points: |haproxy: &Self| haproxy.points.len());

/// Returns the ids after an edit, by rank. Members keep theirs. Newcomers get the `given` ones in
/// the order of the list, then the lowest that are free.
fn ids_by_rank(list: &[Listed<'_>], before: &[u32], given: &[u32]) -> Vec<u32> {
    let mut ids = vec![0; list.len()];
    let mut taken: Vec<u32> = Vec::from(given);
    for Listed { rank, member } in list {
        if let Some(rank_before) = member.before {
            ids[*rank as usize] = before[rank_before];
            taken.push(before[rank_before]);
        }
    }
    taken.sort_unstable();
    let mut taken = taken.into_iter().peekable();
    let free = (1..).filter(|&id| {
        while taken.next_if(|&lower| lower < id).is_some() {}
        taken.peek() != Some(&id)
    });
    let mut ids_to_come = given.iter().copied().chain(free);
    for Listed { rank, member } in list {
        if member.before.is_none() {
            // There are fewer than 2³² nodes, so an id is free.
            ids[*rank as usize] = ids_to_come.next().unwrap_or_default();
        }
    }
    ids
}

fn points(list: &[Listed<'_>], ids: &[u32]) -> Vec<u64> {
    let mut points = Points32::with_capacity(0);
    for (position, Listed { rank, member }) in (0..).zip(list) {
        if !member.drained {
            let first = ids[*rank as usize].wrapping_mul(POINTS_AN_ID);
            for j in 0..member.weight * POINTS {
                points.push(full_hash(first.wrapping_add(j)), position);
            }
        }
    }
    points.sorted(list)
}

/// Returns the ends of the arcs to which one point is the nearest. An arc ends half-way to the next
/// point, rounded down, because the point before wins a tie. So the nearest point belongs to the
/// first end at or after a place, and routing need not compare two points.
pub(super) fn arcs(points: &[u64]) -> Points {
    let Some((first, last)) = points.first().zip(points.last()) else {
        return Points::new();
    };
    let end = |point: u64, next: u64| {
        let half_way = u64::midpoint(point >> 32, next);
        (half_way << 32) | (point & 0xffff_ffff)
    };
    let mut ends: Vec<u64> = points
        .windows(2)
        .map(|pair| end(pair[0], pair[1] >> 32))
        .collect();
    // The last arc ends before 0 or after it. Cut to 32 bits it is the last or the first end.
    let around = end(*last, (first >> 32) + (1 << 32));
    if around < *last {
        ends.insert(0, around);
    } else {
        ends.push(around);
    }
    ring32(&ends)
}

/// Returns the owners of all points, the nearest to a place first. If two are equally near, the one
/// before the place is first. In this order servers would get a key if each of them went down in
/// turn.
pub(super) fn nearest_first(points: &[u64], place: u32) -> impl Iterator<Item = u32> + Clone + '_ {
    let count = points.len();
    let first = points.partition_point(|point| point >> 32 < u64::from(place));
    // The number of points passed after the place, and before it.
    let (mut after, mut before) = (0, 0);
    core::iter::from_fn(move || {
        if after + before >= count {
            return None;
        }
        let next = points[(first + after) % count];
        let previous = points[(first + count - 1 - before) % count];
        let to_previous = place.wrapping_sub((previous >> 32) as u32);
        let to_next = ((next >> 32) as u32).wrapping_sub(place);
        Some(if to_previous <= to_next {
            before += 1;
            previous as u32
        } else {
            after += 1;
            next as u32
        })
    })
}

impl Keys {
    #[inline]
    fn place(self, key: &[u8]) -> u32 {
        let hash = match self.hash {
            HaproxyHash::Sdbm => key.iter().fold(0u32, |hash, &byte| {
                hash.wrapping_mul(65_599).wrapping_add(u32::from(byte))
            }),
            HaproxyHash::Djb2 => key.iter().fold(5381u32, |hash, &byte| {
                hash.wrapping_mul(33).wrapping_add(u32::from(byte))
            }),
            HaproxyHash::Wt6 => wt6(key),
            HaproxyHash::Crc32 => crc32fast::hash(key),
        };
        if self.avalanche {
            full_hash(hash)
        } else {
            hash
        }
    }
}

/// Returns Willy Tarreau's hash of two rotating halves.
fn wt6(key: &[u8]) -> u32 {
    let (mut a, mut b) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut turn_a, mut turn_b) = (6, 18);
    for &byte in key {
        a = !(a ^ u32::from(byte));
        b = !b.wrapping_add(u32::from(byte));
        (a, b) = (b.rotate_left(turn_a), a.rotate_left(turn_b));
        let mixed = ((a >> 16) ^ b) & 0xffff;
        turn_a = mixed & 31;
        turn_b = mixed >> 11;
    }
    a ^ b
}

/// Returns Bob Jenkins' integer hash, multiplied to spread the upper bits.
#[inline]
fn full_hash(x: u32) -> u32 {
    let x = x.wrapping_add(0x7ed5_5d16).wrapping_add(x << 12);
    let x = (x ^ 0xc761_c23c) ^ (x >> 19);
    let x = x.wrapping_add(0x1656_67b1).wrapping_add(x << 5);
    let x = x.wrapping_add(0xd3a2_646c) ^ (x << 9);
    let x = x.wrapping_add(0xfd70_46c5).wrapping_add(x << 3);
    let x = (x ^ 0xb55a_4f09) ^ (x >> 16);
    x.wrapping_mul(3_221_225_473)
}

/// Builds a [`HaproxyConsistent`]; see [`HaproxyConsistent::builder`].
#[must_use = "call `build`"]
#[derive(Clone)]
pub struct HaproxyConsistentBuilder<N> {
    hash: Option<HaproxyHash>,
    avalanche: Option<bool>,
    ids: Option<Vec<Option<u32>>>,
    nodes: PhantomData<fn() -> N>,
}

impl<N> HaproxyConsistentBuilder<N> {
    /// Sets the function of `hash-type consistent <function>`.
    pub fn hash(mut self, hash: HaproxyHash) -> Self {
        self.hash = Some(hash);
        self
    }

    /// Sets whether the function is followed by the modifier `avalanche`. The default is that of
    /// HAProxy: yes if no function is named, no if one is.
    pub fn avalanche(mut self, avalanche: bool) -> Self {
        self.avalanche = Some(avalanche);
        self
    }

    /// Sets the ids of the servers, one for each in the order of the servers: `None` for a server
    /// without an `id`, which is numbered as HAProxy does. By default no server has an `id`.
    ///
    /// `from_nodes` and `from_weighted` require as many ids as nodes. After `build`, the first
    /// nodes that join take these ids in order, and later ones get the lowest that is free.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::HaproxyConsistent;
    ///
    /// // server a    server b id 1    server c
    /// let ids = [None, Some(1), None];
    /// let haproxy = HaproxyConsistent::builder().ids(ids).from_nodes(["a", "b", "c"])?;
    /// assert_eq!(haproxy.id("a"), Some(2));
    /// assert_eq!(haproxy.id("c"), Some(4)); // the counter went on to 3 for `b`, then to 4
    ///
    /// let mut haproxy = HaproxyConsistent::builder().ids([7, 3]).build()?;
    /// haproxy.insert("a")?;
    /// haproxy.extend_weighted([("b", 1), ("c", 1)])?;
    /// assert_eq!(["a", "b", "c"].map(|name| haproxy.id(name)), [Some(7), Some(3), Some(1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ids<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator<Item: Into<Option<u32>>>,
    {
        let ids = ids.into_iter().take(NODES_MAX + 1).map(Into::into);
        self.ids = Some(ids.collect());
        self
    }

    /// Builds the strategy without nodes.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] for an id of 0, for an id that is given twice, and for more than
    /// 1,048,576 ids.
    pub fn build(self) -> Result<HaproxyConsistent<N>, ConfigError> {
        let mut haproxy = HaproxyConsistent::configured(Keys {
            hash: self.hash.unwrap_or(HaproxyHash::Sdbm),
            avalanche: self.avalanche.unwrap_or(self.hash.is_none()),
        });
        haproxy.waiting = numbered(&self.ids.unwrap_or_default())?;
        Ok(haproxy)
    }

    /// Builds a strategy of these servers in the order of the backend, each of weight 1.
    ///
    /// # Errors
    /// As `build`, [`ConfigError::OutOfRange`] if there are not as many ids as nodes, and
    /// [`ConfigError::Node`] for a node that is refused.
    #[allow(
        clippy::wrong_self_convention,
        reason = "the same names as on the type"
    )]
    pub fn from_nodes<I>(self, nodes: I) -> Result<HaproxyConsistent<N>, ConfigError>
    where
        I: IntoIterator<Item = N>,
        N: Key,
    {
        self.from_weighted(nodes.into_iter().map(|node| (node, 1)))
    }

    /// Builds a strategy of these servers with their weights, in the order of the backend.
    ///
    /// # Errors
    /// As `from_nodes`.
    #[allow(
        clippy::wrong_self_convention,
        reason = "the same names as on the type"
    )]
    pub fn from_weighted<I>(self, nodes: I) -> Result<HaproxyConsistent<N>, ConfigError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let must_match = self.ids.is_some();
        let mut haproxy = self.build()?;
        let ids = haproxy.waiting.len();
        // One more than there are ids proves that the numbers differ, so no more are read.
        let most = if must_match { ids + 1 } else { usize::MAX };
        let mut count = 0;
        let counted = nodes.into_iter().take(most).inspect(|_| count += 1);
        let draft = haproxy.nodes.plan_list(counted)?;
        if must_match && count != ids {
            let more = if count > ids { " or more" } else { "" };
            let value = format!("{ids} for {count}{more} nodes");
            return Err(ConfigError::out_of_range(
                "number of ids",
                value,
                "1 for each node",
            ));
        }
        haproxy.carry_out(draft);
        Ok(haproxy)
    }
}

old_name!(HaproxyConsistentBuilder, HaproxyConsistent);

/// Numbers the servers of a backend in order. The counter stops at the lowest id from it on that is
/// not given, if the server has none, and goes up by one after each server.
fn numbered(ids: &[Option<u32>]) -> Result<Vec<u32>, ConfigError> {
    if ids.len() > NODES_MAX {
        let must = "at most 1048576";
        return Err(ConfigError::out_of_range("number of ids", "more", must));
    }
    let mut given: Vec<u32> = ids.iter().copied().flatten().collect();
    given.sort_unstable();
    if given.first() == Some(&0) {
        return Err(ConfigError::out_of_range("id", 0, "at least 1"));
    }
    if let Some(pair) = given.windows(2).find(|pair| pair[0] == pair[1]) {
        let must = "given to one node only";
        return Err(ConfigError::out_of_range("id", pair[0], must));
    }
    let mut next = 1;
    let numbers = ids.iter().map(|id| {
        let id = id.unwrap_or_else(|| {
            while given.binary_search(&next).is_ok() {
                next += 1;
            }
            next
        });
        next += 1;
        id
    });
    Ok(numbers.collect())
}

impl<N> fmt::Debug for HaproxyConsistentBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HaproxyConsistentBuilder")
            .field("hash", &self.hash)
            .field("avalanche", &self.avalanche)
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}
