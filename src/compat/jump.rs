//! [`Jump`]: jump consistent hash over numbered shards.

use super::common::{default_and_debug, first_offered, listed, offer, ranks};
use super::error::CompatError;
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, Limits, NodeSet, members_of_nodes, membership};
use crate::preference::Preference;
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::vec::Vec;

/// Rehashed tries of the order of failover, before the shards that are left follow by number.
const TRIES: u64 = 32;

/// Jump consistent hash (Lamping and Veach, 2014), which is also Guava's `Hashing.consistentHash`, over shards numbered from 0
/// in the order of the list.
///
/// ```
/// use clockwise::{Route, compat::Jump};
///
/// let shards = Jump::try_from_nodes([("shard-0", 1), ("shard-1", 1), ("shard-2", 1)])?;
/// assert_eq!(shards.route(&7u64), Some(&"shard-0"));
/// assert_eq!(shards.number("shard-2"), Some(2));
/// # Ok::<(), clockwise::compat::CompatError>(())
/// ```
///
/// # Definition
/// The token is the key: b = −1, j = 0; while j < n: b = j, key = key · 2862933555777941757 + 1, j = ⌊(b + 1) · (2³¹ / ((key >>
/// 33) + 1))⌋, in double precision. The shard is b.
///
/// # Keys
/// A key of 8 bytes, such as a `u64`, is that number, little-endian: its token is the number itself, as the original takes a
/// number. Any other key is hashed with [`Xxh3`]; where your program hashed its texts otherwise, hash them so and use
/// [`route_token`](Strategy::route_token).
///
/// # Failover
/// The original has none. Here the shards that follow the owner are those that the rehashed key jumps to, so that the keys of a
/// shard that is refused or drained spread over all others; after 32 tries the rest follow by number from the owner. A drained
/// shard keeps its number.
///
/// # What it gets wrong, and when to leave
/// Only the last shard can come or go. `insert` adds at the end and moves 1/n of the keys; `remove` of another than the last
/// renumbers those behind it, which moves most of their keys. It knows no weights: another weight than 1 is an error. Guava
/// divides in another order, so that its answer could differ where a quotient falls within a rounding of a whole number; of 150
/// million keys over 1000 shards it did for none. `Rendezvous` has none of these limits.
///
/// # Cost
/// O(log n) steps, each a division. No memory but the nodes.
#[derive(Clone)]
pub struct Jump<N> {
    nodes: NodeSet<N>,
    /// Ranks by number.
    order: Vec<u32>,
}

impl<N> Jump<N> {
    /// No shards yet.
    pub const fn new() -> Self {
        let limits = Limits {
            weight: 1,
            ..Limits::NONE
        };
        Jump {
            nodes: NodeSet::limited(Budget::NO_POINTS, limits),
            order: Vec::new(),
        }
    }

    /// The shards, numbered from 0; each of weight 1.
    ///
    /// # Errors
    /// [`CompatError::Node`]: a duplicate or empty text, or another weight than 1.
    pub fn try_from_nodes<I>(nodes: I) -> Result<Self, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let mut jump = Jump::new();
        jump.extend_weighted(nodes)?;
        Ok(jump)
    }

    /// A node's number; `None` where no node has this identity. O(n).
    pub fn number<Q: Key + ?Sized>(&self, id: &Q) -> Option<usize> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        self.order.iter().position(|&other| other as usize == rank)
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        self.order = ranks(&listed(&self.nodes, &draft));
        self.nodes.commit(draft)
    }
}

impl<N> Jump<N> {
    /// The ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let shards = self.order.len();
        let owner = jump(token.get(), shards);
        let rehash = move |attempt: u64| {
            let key = Xxh3::with_seed(attempt).hash_bytes(&token.get().to_le_bytes());
            jump(key, shards)
        };
        let tries = (1..=TRIES).filter_map(rehash);
        let rest = owner
            .into_iter()
            .flat_map(move |owner| (owner + 1..shards).chain(0..owner));
        let numbers = owner.into_iter().chain(tries).chain(rest);
        let order = &self.order;
        numbers.map(move |number| order[number])
    }

    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), &mut accept)
    }

    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        Preference::foreign(&self.nodes, self.ranks(token))
    }
}

construct_verbs!(impl[N: Key] Jump<N>, N, ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)");
routing_verbs!(impl[N: Key] Jump<N>, N);
placement_verbs!(impl[N: Key] Jump<N>, N);
membership!(
    Jump<N>,
    [N: Key],
    strategy [N: Key],
    reading [N],
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)"
);

impl<N: Key> Strategy for Jump<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// The number that 8 bytes are, little-endian; of other keys the [`Xxh3`].
    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(match key.try_into() {
            Ok(number) => u64::from_le_bytes(number),
            Err(_) => Xxh3::new().hash_bytes(key),
        })
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        let owner = self.order[jump(token.get(), self.order.len())?];
        let owner = &self.nodes.entries()[owner as usize];
        if owner.drained {
            return first_offered(self, token);
        }
        Some(&owner.node)
    }

    members_of_nodes!(N);
}

default_and_debug!(Jump);

/// The number of `key`'s shard; `None` without shards.
#[inline]
fn jump(mut key: u64, shards: usize) -> Option<usize> {
    let (mut shard, mut next) = (None, 0);
    while next < shards {
        shard = Some(next);
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let stretch = (1u64 << 31) as f64 / ((key >> 33) + 1) as f64;
        // Saturates where it is beyond all shards anyway.
        next = ((next + 1) as f64 * stretch) as usize;
    }
    shard
}
