//! [`Ketama`]: weighted ketama, as libmemcached and twemproxy place keys.

mod builder;
mod rules;

pub use builder::KetamaBuilder;
pub use rules::KetamaHash;

use super::common::{
    Counting, Listed, MAX_POINTS, Points32, debug_numbers, listed, offer, placement, ranks, ring32,
    token32,
};
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, Limits, NodeSet, members_of_nodes};
use crate::ring::points::Points;
use crate::strategy::Strategy;
use alloc::vec::Vec;
use rules::{LIBMEMCACHED, Rules, words};

/// Points of a node of average weight, and points that one MD5 makes.
const POINTS: usize = 160;
const POINTS_A_DIGEST: usize = 4;

/// The placement of weighted ketama: libmemcached with `KETAMA_WEIGHTED` (1.1.4, and the clients in
/// C, C++, PHP, Python and Ruby that use it), libketama, and [twemproxy](Ketama::twemproxy) with
/// `distribution: ketama` (0.5.0).
///
/// A node's text is `host:port`, or `host` for port 11211. The text of a Unix socket is its path
/// and what the program adds to it: `/run/a.sock:0` in libmemcached, `/run/a.sock:` in twemproxy,
/// with the colon. An IPv6 address is written as the program's configuration has it, with brackets
/// or without.
///
/// # Examples
/// ```
/// use clockwise::compat::{Ketama, KetamaHash};
///
/// let nodes = (9001..=9005).map(|port| format!("127.0.0.1:{port}"));
/// let libmemcached = Ketama::from_nodes(nodes.clone())?;
/// assert_eq!(libmemcached.route("key:0000").unwrap(), "127.0.0.1:9005");
///
/// let twemproxy = Ketama::twemproxy()
///     .hash(KetamaHash::Fnv1a64)
///     .hash_tag("{}")
///     .from_nodes(nodes)?;
/// assert_eq!(twemproxy.route("key:0000").unwrap(), "127.0.0.1:9001");
/// assert_eq!(twemproxy.route("a{key:0000}b"), twemproxy.route("key:0000"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Definition
/// If n nodes of total weight W are up, a node of weight w has ⌊w/W · 40 · n⌋ labels, computed in
/// single precision at each step. Label k is `text-k`, without the port if that is 11211. The MD5
/// of a label gives four points: its four little-endian words. Points that coincide stay in the
/// order of the list. Twemproxy lists its servers by name, shorter names first. A key belongs to
/// the first point at or after the first word of its MD5.
///
/// # Failover
/// `drain` corresponds to an ejected node (libmemcached `AUTO_EJECT_HOSTS`, twemproxy
/// `auto_eject_hosts`). The ring is rebuilt from the others, so if weights differ a few keys of the
/// others move too, as they do in those programs. Refusing a node offers the node of the next
/// point. With equal weights that is the same. (The *replicas* of libmemcached are no order of
/// preference: it takes the next servers in the list.)
///
/// # Odd keys
/// All bytes count, including zero bytes. Twemproxy sends the empty key to the first point, with
/// any hash. Libmemcached hashes it. `fnv1a_64` is what twemproxy computes on machines with a
/// signed `char` (x86): bytes from 0x80 on are sign-extended.
///
/// # What it gets wrong, and when to leave
/// The number of points of a node depends on the weights of all nodes, so changing one weight moves
/// keys between others: doubling one of 10 weights moves 13 % of the keys instead of 8 %. Counts
/// are rounded down, so a node with less than a fortieth of the mean weight has *no* point and owns
/// nothing. With `fnv1a_64`, similar keys lie close together. With 160 points for each node, the
/// busiest of 100 nodes gets 21 % more than the mean. Libmemcached itself aborts beyond 100 servers
/// if its assertions are on, as they are in Debian. Leave it before the next change of weights or
/// nodes: [`guide`](super::guide).
///
/// # Performance
/// Routing costs as much as on a [`HashRing`](crate::HashRing) with 160 virtual nodes, plus the
/// hash of the key. A change rebuilds the ring: 40 MD5 for each node, and a sort.
#[derive(Clone)]
pub struct Ketama<N> {
    nodes: NodeSet<N>,
    points: Points,
    /// Ranks in the order of the list.
    order: Vec<u32>,
    rules: Rules,
}

impl<N> Ketama<N> {
    /// Creates a strategy without nodes that answers as libmemcached does.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Ketama;
    ///
    /// let mut servers = Ketama::new();
    /// servers.insert("10.0.0.1:11211")?;
    /// assert_eq!(servers.route("user:42"), Some(&"10.0.0.1:11211"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        Ketama::configured(LIBMEMCACHED)
    }

    /// Returns a builder of the placement of a twemproxy (nutcracker) pool with
    /// `distribution: ketama`. The default hash is `fnv1a_64`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Ketama;
    ///
    /// // distribution: ketama
    /// // hash_tag: "{}"
    /// let nodes = ["10.0.0.1:11211", "10.0.0.2:11211"];
    /// let pool = Ketama::twemproxy().hash_tag("{}").from_nodes(nodes)?;
    /// assert_eq!(pool.route("a{42}"), pool.route("b{42}"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn twemproxy() -> KetamaBuilder<N> {
        KetamaBuilder::new()
    }

    const fn configured(rules: Rules) -> Self {
        // Libmemcached adds up weights of 32 bits in 64, twemproxy those of 31 in 32.
        let (weight, total_weight) = if rules.twemproxy {
            (u32::MAX >> 1, u32::MAX as u64)
        } else {
            (u32::MAX, u64::MAX)
        };
        let limits = Limits {
            weight,
            total_weight,
            nodes: MAX_POINTS / POINTS,
        };
        Ketama {
            nodes: NodeSet::limited(Budget::NO_POINTS, limits),
            points: Points::new(),
            order: Vec::new(),
            rules,
        }
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        let mut list = listed(&self.nodes, &draft);
        if self.rules.twemproxy {
            list.sort_by_key(|listed| {
                let name = self.rules.stem(listed.member.identity);
                (name.len(), name)
            });
        }
        let order = ranks(&list);
        if !draft.moves_nothing(&self.nodes) || order != self.order {
            self.points = points(&list, self.rules);
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
    Ketama,
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit) for more than 104,857 nodes, and in \
     twemproxy for a weight of 2³¹ or a total weight of 2³² or more"
);

impl<N> Ketama<N> {
    /// Returns the number of points on the ring.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Ketama;
    ///
    /// assert_eq!(Ketama::from_nodes(["10.0.0.1:11211", "10.0.0.2:11211"])?.point_count(), 320);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn point_count(&self) -> usize {
        self.points.len()
    }
}

impl<N: Key> Strategy for Ketama<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// Returns the hash of the key, or of the part that the hash tag marks, in the upper half.
    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        token32(self.rules.hash(key))
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        // If any node is up, the heaviest has points.
        self.points
            .owner_of(token.get())
            .map(|owner| self.nodes.node(owner))
    }

    members_of_nodes!(N);
}

debug_numbers!(Ketama, points: |ketama: &Self| ketama.points.len());

fn points(list: &[Listed<'_>], rules: Rules) -> Points {
    let up = || {
        (0..)
            .zip(list)
            .map(|(position, listed)| (position, &listed.member))
            .filter(|(_, member)| !member.drained)
    };
    let count = up().count() as f32;
    let total: u64 = up().map(|(_, member)| u64::from(member.weight)).sum();
    let mut points = Points32::with_capacity(up().count() * POINTS);
    let mut label = Counting::new();
    for (position, member) in up() {
        // Single precision and this order of operations decide how many points there are.
        let part = member.weight as f32 / total as f32;
        let digests = (part * POINTS as f32 / POINTS_A_DIGEST as f32 * count + 1e-10) as u32;
        label.start([rules.stem(member.identity), b"-"]);
        for _ in 0..digests {
            for word in words(label.text()) {
                points.push(word, position);
            }
            label.count();
        }
    }
    ring32(&points.sorted(list))
}
