//! [`HaproxyConsistent`]: `hash-type consistent`.

use super::common::{
    Listed, Points32, default_and_debug, listed, offer, points_a_weight, ranks, ring32, token32,
};
use super::error::CompatError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Changes, Draft, Limits, NodeSet, members_of_nodes, membership};
use crate::preference::Preference;
use crate::ring::points::Points;
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::{vec, vec::Vec};
use core::fmt;
use core::marker::PhantomData;

/// Points for each unit of weight, the greatest weight, and so the points that an id has room for.
const POINTS: u32 = 16;
const WEIGHT_MAX: u32 = 256;
const POINTS_AN_ID: u32 = POINTS * WEIGHT_MAX;

/// The placement of HAProxy's `hash-type consistent` (2.6.12) for `balance hash`, `hdr`, `url_param` and what else hashes a
/// text. (`balance source` hashes otherwise, `map-based` is no ring, and `hash-key`, which came later, places servers by
/// address.)
///
/// The nodes' texts do not matter to HAProxy: a server stands where its *id* puts it, by default its position in the backend
/// from 1. What a node's text is is therefore yours; its name, say.
///
/// ```
/// use clockwise::{Route, compat::{HaproxyConsistent, HaproxyHash}};
///
/// // balance hash req.hdr(x-key)   hash-type consistent      (that is sdbm, and avalanche)
/// let servers = (9001..=9005).map(|port| (format!("127.0.0.1:{port}"), 1));
/// let haproxy = HaproxyConsistent::try_from_nodes(servers)?;
/// assert_eq!(haproxy.route("key:0000").unwrap(), "127.0.0.1:9004");
///
/// // hash-type consistent crc32 avalanche      server a … id 7 weight 10      server b … id 3 weight 10
/// let haproxy = HaproxyConsistent::builder()
///     .hash(HaproxyHash::Crc32)
///     .avalanche(true)
///     .ids(vec![7, 3])
///     .try_from_nodes([("a", 10), ("b", 10)])?;
/// assert_eq!(haproxy.id("a"), Some(7));
/// # Ok::<(), clockwise::compat::CompatError>(())
/// ```
///
/// # Definition
/// full(x) is Bob Jenkins' 32-bit integer hash of six steps, times 3,221,225,473. A server of weight w (1 to 256) stands at the
/// points full(id·4096 + j), j = 0 … 16·w − 1, all in 32 bits. Points that coincide stay in order of the list. A key's place is
/// its hash, or full(hash) with avalanche. It belongs to the *nearest* point, on either side; to the one before it where both
/// are as near.
///
/// # Failover
/// `drain` is a server that is down, and as one that is absent: the nearest point of the others. Refusing one is the same.
///
/// # Ids
/// A node keeps its id while it is a member, as servers do that are added and deleted at run time; a newcomer gets the lowest
/// id that is free. A configuration that was edited and read again renumbers the servers that have no `id`: to follow that,
/// build anew with `try_from_nodes`.
///
/// # Odd keys
/// All bytes count, as unsigned. The empty key is hashed like any other. A request *without* the key (no such header) is
/// balanced round-robin by HAProxy, no matter of this type.
///
/// # What it gets wrong, and when to leave
/// 16 points a unit of weight: at weight 1 the busiest of 10 nodes has 29 % too much, of 100 nodes 50 %; weight 100 costs 1600
/// points. Two instances whose lists differ by one line disagree on almost all keys, unless ids are given. Without avalanche
/// alike keys lie close together. Leave when you next change the list: [`guide`](super::guide).
///
/// # Cost
/// As a [`HashRing`](crate::HashRing) of as many points to route; 8 bytes a point more. A change rebuilds the ring, O(P log P).
#[derive(Clone)]
pub struct HaproxyConsistent<N> {
    nodes: NodeSet<N>,
    /// Where each arc ends of which a server is the nearest: a ring like any other.
    arcs: Points,
    /// The points themselves, sorted: the place in the upper half, the owner's rank in the lower.
    points: Vec<u64>,
    /// Ranks as listed.
    order: Vec<u32>,
    /// Ids by rank.
    ids: Vec<u32>,
    keys: Keys,
}

/// How HAProxy hashes a key: the function of `hash-type`.
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

/// From a key's bytes to its place.
#[derive(Debug, Clone, Copy)]
struct Keys {
    hash: HaproxyHash,
    avalanche: bool,
}

impl<N> HaproxyConsistent<N> {
    /// No nodes yet; sdbm with avalanche, as `hash-type consistent` says alone.
    pub const fn new() -> Self {
        HaproxyConsistent::configured(Keys {
            hash: HaproxyHash::Sdbm,
            avalanche: true,
        })
    }

    /// A builder, to choose the hash function and the ids.
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
            keys,
        }
    }

    /// The servers of a backend with their weights, in its order, ids by position, and `hash-type consistent`.
    ///
    /// # Errors
    /// [`CompatError::Node`]: a duplicate or empty text, weight 0 (in HAProxy a drained server: use `drain`) or above 256
    /// (which it refuses), or more than 2²⁴ points together.
    pub fn try_from_nodes<I>(nodes: I) -> Result<Self, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        HaproxyConsistent::builder().try_from_nodes(nodes)
    }

    /// A node's id; `None` where no node has this identity.
    pub fn id<Q: Key + ?Sized>(&self, id: &Q) -> Option<u32> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        Some(self.ids[rank])
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        self.carry_out_with_ids(draft, &[])
    }

    /// Newcomers get `ids` in order of the list, then the lowest that are free.
    fn carry_out_with_ids(&mut self, draft: Draft<N>, ids: &[u32]) -> Changes<N> {
        let list = listed(&self.nodes, &draft);
        let order = ranks(&list);
        if !draft.moves_nothing(&self.nodes) || order != self.order {
            self.ids = ids_by_rank(&list, &self.ids, ids);
            self.points = points(&list, &self.ids);
            self.arcs = arcs(&self.points);
            self.order = order;
        }
        self.nodes.commit(draft)
    }
}

impl<N> HaproxyConsistent<N> {
    /// The ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let nearest = nearest_first(&self.points, (token.get() >> 32) as u32);
        nearest.chain(self.order.iter().copied())
    }

    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), &mut accept)
    }

    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        Preference::foreign(&self.nodes, self.ranks(token))
    }
}

construct_verbs!(impl[N: Key] HaproxyConsistent<N>, N, ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)");
routing_verbs!(impl[N: Key] HaproxyConsistent<N>, N);
placement_verbs!(impl[N: Key] HaproxyConsistent<N>, N);
membership!(
    HaproxyConsistent<N>,
    [N: Key],
    strategy [N: Key],
    reading [N],
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)"
);

impl<N: Key> Strategy for HaproxyConsistent<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// The key's place in the upper half.
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

default_and_debug!(HaproxyConsistent, points: |haproxy: &Self| haproxy.points.len());

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
            // Fewer than 2³² nodes leave an id free.
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

/// The arc of the places to which a point is the nearest ends half-way to the next point, rounded down, because the one before
/// wins where both are as near. So the nearest point is the first end of an arc at or after a place, and needs no look at two
/// points.
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
    // The last arc ends past 0 or before it; cut to 32 bits it is the first or the last end.
    let around = end(*last, (first >> 32) + (1 << 32));
    if around < *last {
        ends.insert(0, around);
    } else {
        ends.push(around);
    }
    ring32(&ends)
}

/// The owners of all points, the nearest to a place first, the one before the place where two are as near. That is the order in
/// which servers would get a key if each that had it went down.
pub(super) fn nearest_first(points: &[u64], place: u32) -> impl Iterator<Item = u32> + Clone + '_ {
    let count = points.len();
    let first = points.partition_point(|point| point >> 32 < u64::from(place));
    // Points passed after the place, and before it.
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

/// Willy Tarreau's hash of two rotating halves.
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

/// Bob Jenkins' integer hash, then a multiplication that spreads the upper bits.
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

/// Configures a [`HaproxyConsistent`]; see [`HaproxyConsistent::builder`].
#[must_use = "call `try_from_nodes`"]
#[derive(Clone)]
pub struct HaproxyConsistentBuilder<N> {
    hash: Option<HaproxyHash>,
    avalanche: Option<bool>,
    ids: Option<Vec<u32>>,
    nodes: PhantomData<fn() -> N>,
}

impl<N> HaproxyConsistentBuilder<N> {
    /// The function of `hash-type consistent <function>`.
    pub fn hash(mut self, hash: HaproxyHash) -> Self {
        self.hash = Some(hash);
        self
    }

    /// Whether the modifier `avalanche` stands behind the function. Unless set, as in HAProxy: yes where no function is named,
    /// no where one is.
    pub fn avalanche(mut self, avalanche: bool) -> Self {
        self.avalanche = Some(avalanche);
        self
    }

    /// The servers' `id`s, in the order of the servers; unless set, their positions from 1.
    pub fn ids(mut self, ids: impl IntoIterator<Item = u32>) -> Self {
        self.ids = Some(ids.into_iter().collect());
        self
    }

    /// The servers of a backend with their weights, in its order.
    ///
    /// # Errors
    /// [`CompatError::IdCount`], [`CompatError::ZeroId`], [`CompatError::DuplicateId`]; else as
    /// [`HaproxyConsistent::try_from_nodes`].
    pub fn try_from_nodes<I>(self, nodes: I) -> Result<HaproxyConsistent<N>, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let nodes: Vec<_> = nodes.into_iter().collect();
        let ids = self.ids.as_deref().unwrap_or_default();
        if self.ids.is_some() && ids.len() != nodes.len() {
            return Err(CompatError::IdCount {
                ids: ids.len(),
                nodes: nodes.len(),
            });
        }
        let mut sorted = Vec::from(ids);
        sorted.sort_unstable();
        if sorted.first() == Some(&0) {
            return Err(CompatError::ZeroId);
        }
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(CompatError::DuplicateId { id: pair[0] });
        }
        let mut haproxy = HaproxyConsistent::configured(Keys {
            hash: self.hash.unwrap_or(HaproxyHash::Sdbm),
            avalanche: self.avalanche.unwrap_or(self.hash.is_none()),
        });
        let draft = haproxy.nodes.plan_list(nodes)?;
        let _ = haproxy.carry_out_with_ids(draft, ids);
        Ok(haproxy)
    }
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
