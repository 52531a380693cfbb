//! [`Jump`]: jump consistent hash over numbered shards.

use super::common::{debug_numbers, first_offered, listed, offer, placement, ranks};
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, Limits, NodeSet, members_of_nodes};
use crate::strategy::Strategy;
use alloc::vec::Vec;

/// How often failover hashes again before the other shards follow by number.
const TRIES: u64 = 32;

/// Jump consistent hash (Lamping and Veach, 2014), which is also Guava's `Hashing.consistentHash`,
/// over shards that are numbered from 0 in the order of the list.
///
/// # Examples
/// ```
/// use clockwise::compat::Jump;
///
/// let shards = Jump::from_nodes(["shard-0", "shard-1", "shard-2"])?;
/// assert_eq!(shards.route(&7u64), Some(&"shard-0"));
/// assert_eq!(shards.number("shard-2"), Some(2));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Definition
/// The key is the token. Start with b = −1 and j = 0. While j < n: b = j, key = key ·
/// 2862933555777941757 + 1, j = ⌊(b + 1) · (2³¹ / ((key >> 33) + 1))⌋ in double precision. The
/// shard is b.
///
/// # Keys
/// A key of 8 bytes, such as a `u64`, is a little-endian number and its own token, since the
/// original takes a number. Any other key is hashed with [`Xxh3`]. If your program hashed its texts
/// in another way, do the same and use [`route_token`](Jump::route_token).
///
/// # Failover
/// The original has none. Here the token is hashed again and again, and the shards that these
/// hashes jump to follow the owner. So the keys of a shard that is refused or drained spread over
/// all others. After 32 hashes the other shards follow by number, beginning after the owner. A
/// drained shard keeps its number.
///
/// # What it gets wrong, and when to leave
/// Only the last shard can be added or removed cheaply. `insert` adds a shard at the end and moves
/// 1/n of the keys. `remove` of any shard but the last renumbers those behind it and moves most of
/// their keys. There are no weights: any weight but 1 is an error. Guava divides in another order,
/// so its answer could differ if a quotient is within a rounding error of a whole number. That
/// happened for none of 150 million keys over 1000 shards. `Rendezvous` has none of these limits.
///
/// # Performance
/// Routing takes O(log n) steps with a division each. Only the nodes take memory.
#[derive(Clone)]
pub struct Jump<N> {
    nodes: NodeSet<N>,
    /// Ranks by number.
    order: Vec<u32>,
}

impl<N> Jump<N> {
    /// Creates a strategy without shards.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Jump;
    ///
    /// let mut shards = Jump::new();
    /// shards.insert("shard-0")?;
    /// assert_eq!(shards.route(&7u64), Some(&"shard-0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        self.order = ranks(&listed(&self.nodes, &draft));
        self.nodes.commit(draft)
    }

    /// Returns the ranks of a token's nodes in order, some more than once.
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
}

placement!(
    Jump,
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit) for any weight but 1"
);

impl<N> Jump<N> {
    /// Returns the number of a shard. Returns `None` if no shard has this identity. O(n).
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Jump;
    ///
    /// let shards = Jump::from_nodes(["x", "a"])?; // the order of the list counts
    /// assert_eq!((shards.number("x"), shards.number("a")), (Some(0), Some(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn number<Q: Key + ?Sized>(&self, id: &Q) -> Option<usize> {
        let rank = self.nodes.rank_of(id.key_bytes().as_ref())?;
        self.order.iter().position(|&other| other as usize == rank)
    }
}

impl<N: Key> Strategy for Jump<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// Returns 8 bytes as a little-endian number, and the [`Xxh3`] of any other key.
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

debug_numbers!(Jump);

/// Returns the number of the shard of `key`. Returns `None` if there are no shards.
#[inline]
fn jump(mut key: u64, shards: usize) -> Option<usize> {
    let (mut shard, mut next) = (None, 0);
    while next < shards {
        shard = Some(next);
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let stretch = (1u64 << 31) as f64 / ((key >> 33) + 1) as f64;
        // It saturates only far beyond all shards.
        next = ((next + 1) as f64 * stretch) as usize;
    }
    shard
}
