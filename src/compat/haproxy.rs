//! [`HaproxyConsistent`]: `hash-type consistent`.

mod builder;
mod keys;
pub(super) mod nearest;

pub use builder::HaproxyConsistentBuilder;
pub use keys::HaproxyHash;

use super::common::{
    Listed, MAX_POINTS, Points32, debug_numbers, listed, offer, placement, points_a_weight, ranks,
    token32,
};
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Changes, Draft, Limits, NodeSet, members_of_nodes};
use crate::ring::points::Points;
use crate::strategy::Strategy;
use alloc::{vec, vec::Vec};
use keys::{Keys, full_hash};
use nearest::{arcs, nearest_first};

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
/// `drain` corresponds to a server that is down. Its keys move to the nearest points of the others,
/// as if it were removed. Refusing a server does the same.
///
/// # Ids
/// HAProxy numbers the servers of a backend in order, backup servers too. A counter begins at 1. A
/// server without an `id` gets the lowest id from the counter on that no `id` line of the backend
/// has, and the counter takes this value. After every server the counter increases by one. So after
/// `server a id 7`, `server b` has id 2, not 1. [`ids`](HaproxyConsistentBuilder::ids) does the
/// same; a backup server must be in the list for that, and can be drained.
///
/// Here a node keeps its id while it is a member, like a server that is added and deleted at run
/// time. A node that joins later gets the lowest id that is free. In a batch the nodes that leave
/// free their ids first, and a node that leaves and joins again keeps its id. So `apply` can number
/// newcomers in another way than the same edits one by one. HAProxy itself places a server
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

impl<N> HaproxyConsistent<N> {
    /// Creates a strategy without nodes for `hash-type consistent` without more words: sdbm with
    /// avalanche.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::HaproxyConsistent;
    ///
    /// let mut servers = HaproxyConsistent::new();
    /// servers.insert_weighted("a", 10)?;
    /// assert_eq!(servers.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        HaproxyConsistent::configured(Keys {
            hash: HaproxyHash::Sdbm,
            avalanche: true,
        })
    }

    /// Returns a builder with which the hash function and the ids can be set.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::{HaproxyConsistent, HaproxyHash};
    ///
    /// // hash-type consistent crc32
    /// let servers = HaproxyConsistent::builder().hash(HaproxyHash::Crc32).from_nodes(["a", "b"])?;
    /// assert!(servers.route("user:42").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn builder() -> HaproxyConsistentBuilder<N> {
        HaproxyConsistentBuilder::new()
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
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::HaproxyConsistent;
    ///
    /// let servers = HaproxyConsistent::from_nodes(["a", "b"])?;
    /// assert_eq!((servers.id("a"), servers.id("b"), servers.id("z")), (Some(1), Some(2), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn id<Q: Key + ?Sized>(&self, id: &Q) -> Option<u32> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        Some(self.ids[rank])
    }

    /// Returns the number of points on the ring.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::HaproxyConsistent;
    ///
    /// let servers = HaproxyConsistent::from_weighted([("a", 1), ("b", 3)])?;
    /// assert_eq!(servers.point_count(), 4 * 16);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
