//! [`Ketama`]: weighted ketama, as libmemcached and twemproxy place keys.

use super::common::{
    Counting, Listed, MAX_POINTS, Points32, default_and_debug, listed, offer, ranks, ring32,
    token32,
};
use super::error::CompatError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, Limits, NodeSet, members_of_nodes, membership};
use crate::preference::Preference;
use crate::ring::points::Points;
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::{string::String, vec::Vec};
use core::fmt;
use core::marker::PhantomData;
use md5::{Digest, Md5};

/// Points of a node of average weight, and points that one MD5 makes.
const POINTS: usize = 160;
const POINTS_A_DIGEST: usize = 4;

/// The placement of weighted ketama: libmemcached with `KETAMA_WEIGHTED` (1.1.4; its memcached clients in C, C++, PHP, Python,
/// Ruby), libketama, and [twemproxy](Ketama::twemproxy) with `distribution: ketama` (0.5.0).
///
/// A node's text is `host:port`, `host` (port 11211 then), or for a socket what the program writes before the `-` of its
/// labels: libmemcached `path:0`, twemproxy `path`. An IPv6 address stands as it was given to the program, in brackets or not.
///
/// ```
/// use clockwise::{Route, compat::{Ketama, KetamaHash}};
///
/// let nodes = (9001..=9005).map(|port| (format!("127.0.0.1:{port}"), 1));
/// let libmemcached = Ketama::try_from_nodes(nodes.clone())?;
/// assert_eq!(libmemcached.route("key:0000").unwrap(), "127.0.0.1:9005");
///
/// let twemproxy = Ketama::twemproxy().hash(KetamaHash::Fnv1a64).hash_tag("{}").try_from_nodes(nodes)?;
/// assert_eq!(twemproxy.route("key:0000").unwrap(), "127.0.0.1:9001");
/// assert_eq!(twemproxy.route("a{key:0000}b"), twemproxy.route("key:0000"));
/// # Ok::<(), clockwise::compat::CompatError>(())
/// ```
///
/// # Definition
/// With n nodes that are up, of weight W together, a node of weight w has ⌊w/W · 40 · n⌋ labels, reckoned in single precision
/// at each step. Label k is `text-k`, without the port where that is 11211. The MD5 of a label makes four points, its four
/// words, little-endian. Points that coincide stay in order of the list; twemproxy lists its servers by name, the shorter
/// first. A key belongs to the first point at or after the first word of its MD5.
///
/// # Failover
/// `drain` is an ejected node (libmemcached `AUTO_EJECT_HOSTS`, twemproxy `auto_eject_hosts`): the ring is made anew of the
/// others, so where weights differ a few keys of the others move too, as they do there. Refusing a node offers the node of the
/// next point; with equal weights that is the same. (libmemcached's *replicas* are no order of preference: it takes the next in
/// the list.)
///
/// # Odd keys
/// All bytes count, zero bytes too. The empty key goes to the first point in twemproxy, with any hash, and is hashed in
/// libmemcached. `fnv1a_64` is what twemproxy computes on machines with a signed `char` (x86): bytes from 0x80 on are
/// sign-extended.
///
/// # What it gets wrong, and when to leave
/// Counts depend on the weights of all, so a change of one moves keys between others: where one weight of 10 is doubled, 13 %
/// of the keys move where 8 % would do. Counts are rounded down, so a node of less than a fortieth of the mean weight has *no*
/// point and owns nothing. With `fnv1a_64` alike keys lie close together. 160 points a node leave the busiest of 100 nodes 21 %
/// above the mean. Libmemcached itself aborts beyond 100 servers where its assertions are on, as Debian has them. Leave before
/// the next change of weights or nodes: [`guide`](super::guide).
///
/// # Cost
/// As a [`HashRing`](crate::HashRing) of 160 virtual nodes to route, plus the hash of the key. A change rebuilds the ring: 40
/// MD5 a node, and a sort.
#[derive(Clone)]
pub struct Ketama<N> {
    nodes: NodeSet<N>,
    points: Points,
    /// Ranks as listed.
    order: Vec<u32>,
    rules: Rules,
}

/// How twemproxy hashes a key: its `hash:` option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KetamaHash {
    /// `md5`, as libmemcached does.
    Md5,
    /// `fnv1a_64`, twemproxy's default.
    Fnv1a64,
}

/// In what the two programs differ.
#[derive(Debug, Clone, Copy)]
struct Rules {
    hash: KetamaHash,
    /// What opens and what closes the part of a key that counts.
    tag: Option<(u8, u8)>,
    /// Whether texts are names, which keep a port 11211.
    named: bool,
    /// Twemproxy does not hash the empty key, and lists its servers by name, the shorter first, whatever the order in its file.
    twemproxy: bool,
}

const LIBMEMCACHED: Rules = Rules {
    hash: KetamaHash::Md5,
    tag: None,
    named: false,
    twemproxy: false,
};

impl<N> Ketama<N> {
    /// No nodes yet; keys as in libmemcached.
    pub const fn new() -> Self {
        Ketama::configured(LIBMEMCACHED)
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

    /// The servers of a libmemcached client with their weights, in the order in which they were added. (It takes weight 0 for
    /// 1; here that is an error.)
    ///
    /// # Errors
    /// [`CompatError::Node`]: a duplicate or empty text, weight 0, or more than 104,857 nodes.
    pub fn try_from_nodes<I>(nodes: I) -> Result<Self, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let mut ketama = Ketama::new();
        ketama.extend_weighted(nodes)?;
        Ok(ketama)
    }

    /// A twemproxy (nutcracker) pool with `distribution: ketama`; `hash: fnv1a_64` unless set.
    pub const fn twemproxy() -> KetamaBuilder<N> {
        KetamaBuilder {
            hash: KetamaHash::Fnv1a64,
            tag: None,
            named: false,
            nodes: PhantomData,
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
}

impl<N> Ketama<N> {
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

construct_verbs!(impl[N: Key] Ketama<N>, N, ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)");
routing_verbs!(impl[N: Key] Ketama<N>, N);
placement_verbs!(impl[N: Key] Ketama<N>, N);
membership!(
    Ketama<N>,
    [N: Key],
    strategy [N: Key],
    reading [N],
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)"
);

impl<N: Key> Strategy for Ketama<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// The hash of the key, or of the part that the hash tag marks, in the upper half.
    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        token32(self.rules.hash(key))
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        // Where a node is up, the heaviest has points.
        self.points
            .owner_of(token.get())
            .map(|owner| self.nodes.node(owner))
    }

    members_of_nodes!(N);
}

default_and_debug!(Ketama, points: |ketama: &Self| ketama.points.len());

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

/// The MD5 as four numbers, little-endian.
#[inline]
fn words(bytes: &[u8]) -> [u32; 4] {
    let digest: [u8; 16] = Md5::digest(bytes).into();
    let word =
        |i: usize| u32::from_le_bytes([digest[i], digest[i + 1], digest[i + 2], digest[i + 3]]);
    [word(0), word(4), word(8), word(12)]
}

impl Rules {
    /// What stands before the `-` of a node's labels.
    fn stem(self, text: &[u8]) -> &[u8] {
        match text.strip_suffix(b":11211") {
            Some(host) if !self.named => host,
            _ => text,
        }
    }

    #[inline]
    fn hash(self, key: &[u8]) -> u32 {
        let key = self.tag.map_or(key, |tag| tagged(key, tag));
        if key.is_empty() && self.twemproxy {
            return 0;
        }
        match self.hash {
            KetamaHash::Md5 => words(key)[0],
            KetamaHash::Fnv1a64 => fnv1a_64(key),
        }
    }
}

/// What stands between the first opening byte and the next closing one; the whole key where that is nothing.
fn tagged(key: &[u8], (open, close): (u8, u8)) -> &[u8] {
    let inside = |from: usize| {
        let rest = &key[from + 1..];
        let to = rest.iter().position(|&byte| byte == close)?;
        Some(&rest[..to])
    };
    key.iter()
        .position(|&byte| byte == open)
        .and_then(inside)
        .filter(|tag| !tag.is_empty())
        .unwrap_or(key)
}

/// FNV-1a's loop over 64-bit constants cut to 32 bits, over signed bytes: what twemproxy calls `fnv1a_64`.
fn fnv1a_64(key: &[u8]) -> u32 {
    key.iter().fold(0x8422_2325, |hash: u32, &byte| {
        let signed = i32::from(i8::from_le_bytes([byte]));
        (hash ^ signed as u32).wrapping_mul(0x1b3)
    })
}

/// Configures a [`Ketama`] as a twemproxy pool; see [`Ketama::twemproxy`].
#[must_use = "call `try_from_nodes`"]
#[derive(Clone)]
pub struct KetamaBuilder<N> {
    hash: KetamaHash,
    tag: Option<String>,
    named: bool,
    nodes: PhantomData<fn() -> N>,
}

impl<N> KetamaBuilder<N> {
    /// The `hash:` of the pool; `fnv1a_64` unless set, as there.
    pub fn hash(mut self, hash: KetamaHash) -> Self {
        self.hash = hash;
        self
    }

    /// The `hash_tag:` of the pool, two characters: only what stands in a key between the first one and the next second one
    /// counts, if that is something.
    pub fn hash_tag(mut self, tag: &str) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Whether the nodes' texts are the names that the `servers:` of the pool have (`- 10.0.0.1:11211:1 cache-a`), not their
    /// addresses: then a text that ends in `:11211` keeps it. [`Named`](crate::Named) gives an address a name.
    pub fn named(mut self, named: bool) -> Self {
        self.named = named;
        self
    }

    /// The `servers:` of the pool with their weights; here their order does not matter.
    ///
    /// Names of more than 74 bytes are placed by all their bytes; twemproxy reads past the end of its buffer there.
    ///
    /// # Errors
    /// [`CompatError::HashTag`]; [`CompatError::Node`]: a duplicate or empty text, weight 0, a weight of 2³¹ or a total of 2³²
    /// or more, or more than 104,857 nodes.
    pub fn try_from_nodes<I>(self, nodes: I) -> Result<Ketama<N>, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let tag = match self.tag {
            None => None,
            Some(tag) => match *tag.as_bytes() {
                [open, close] if tag.is_ascii() => Some((open, close)),
                _ => return Err(CompatError::HashTag { tag }),
            },
        };
        let mut ketama = Ketama::configured(Rules {
            hash: self.hash,
            tag,
            named: self.named,
            twemproxy: true,
        });
        ketama.extend_weighted(nodes)?;
        Ok(ketama)
    }
}

impl<N> fmt::Debug for KetamaBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KetamaBuilder")
            .field("hash", &self.hash)
            .field("hash_tag", &self.tag)
            .field("named", &self.named)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tag_counts_if_it_is_something() {
        for (key, counts) in [
            ("user:{42}:name", "42"),
            ("{a}{b}", "a"),
            ("{{a}}", "{a"),
            ("}{a}", "a"),
            ("{}", "{}"),
            ("{}{a}", "{}{a}"),
            ("{a", "{a"),
            ("a}", "a}"),
            ("", ""),
        ] {
            assert_eq!(
                tagged(key.as_bytes(), (b'{', b'}')),
                counts.as_bytes(),
                "{key}"
            );
        }
        assert_eq!(tagged(b"a|b|c", (b'|', b'|')), b"b");
    }

    #[test]
    fn fnv_extends_the_sign_of_bytes() {
        assert_eq!(fnv1a_64(b""), 0x8422_2325);
        assert_eq!(fnv1a_64(b"a"), (0x8422_2325u32 ^ 0x61).wrapping_mul(0x1b3));
        assert_eq!(
            fnv1a_64(b"\xff"),
            (0x8422_2325u32 ^ 0xffff_ffff).wrapping_mul(0x1b3)
        );
    }
}
