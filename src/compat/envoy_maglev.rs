//! [`EnvoyMaglev`]: `MAGLEV`.

use super::common::{Listed, default_and_debug, listed, offer};
use super::error::CompatError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, Limits, NodeSet, members_of_nodes, membership};
use crate::preference::Preference;
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::{vec, vec::Vec};
use core::fmt;
use core::marker::PhantomData;
use xxhash_rust::xxh64::xxh64;

/// Slots of a table that was not told otherwise, and the most that Envoy allows.
const TABLE_SIZE: u64 = 65_537;
pub(super) const TABLE_SIZE_MAX: u64 = 5_000_011;

/// A slot that is not taken yet.
const FREE: u32 = u32::MAX;

/// The placement of Envoy's `MAGLEV` (1.40.0): the table of Eisenbud et al. (Maglev, NSDI 2016) with weights.
///
/// A node's text is its host key, as on an [`EnvoyRing`](super::EnvoyRing).
///
/// ```
/// use clockwise::{Route, compat::EnvoyMaglev};
///
/// let hosts = (9001..=9005).map(|port| (format!("127.0.0.1:{port}"), 1));
/// let maglev = EnvoyMaglev::try_from_nodes(hosts)?;
/// assert_eq!(maglev.route("key:0001").unwrap(), "127.0.0.1:9004");
/// # Ok::<(), clockwise::compat::CompatError>(())
/// ```
///
/// # Definition
/// With M slots, a prime, each usable host has an offset XXH64(text, seed 0) mod M and a skip of 1 + XXH64(text, seed 1)
/// mod (M − 1). In rounds t = 1, 2, …, and in each in order of the texts, a host whose share of the weight times t has reached
/// its target takes its next free slot (offset, offset + skip, … mod M), and its target grows by the greatest share; until no
/// slot is free. In double precision. A key belongs to slot XXH64(key) mod M.
///
/// # Failover
/// `drain` is an unhealthy host: the table holds the *usable* hosts only, as on an [`EnvoyRing`](super::EnvoyRing). Refusing a
/// node is a retry with a host predicate: attempt a ≥ 1 takes slot (XXH64(key) xor −a) mod M.
///
/// # Odd keys
/// As on an [`EnvoyRing`](super::EnvoyRing).
///
/// # What it gets wrong, and when to leave
/// It is even to one slot, and pays with movement: when one of 100 nodes leaves, 1.56 times as many keys move as must. With
/// more hosts than slots some own nothing. `SlotTable` has the same speed and, with a cap, the same evenness, and moves less.
///
/// # Cost
/// One load to route, after XXH64 and a division; 4 bytes a slot. A change fills the table anew, O(M log M) expected.
#[derive(Clone)]
pub struct EnvoyMaglev<N> {
    nodes: NodeSet<N>,
    /// The rank of each slot's owner; empty without usable hosts.
    table: Vec<u32>,
    table_size: u64,
}

impl<N> EnvoyMaglev<N> {
    /// No nodes yet; 65,537 slots.
    pub const fn new() -> Self {
        EnvoyMaglev::configured(TABLE_SIZE)
    }

    /// A builder, to choose the size of the table.
    pub const fn builder() -> EnvoyMaglevBuilder<N> {
        EnvoyMaglevBuilder {
            table_size: TABLE_SIZE,
            nodes: PhantomData,
        }
    }

    const fn configured(table_size: u64) -> Self {
        let limits = Limits {
            total_weight: u32::MAX as u64,
            ..Limits::NONE
        };
        EnvoyMaglev {
            nodes: NodeSet::limited(Budget::NO_POINTS, limits),
            table: Vec::new(),
            table_size,
        }
    }

    /// The hosts of a cluster with their weights; here their order does not matter.
    ///
    /// # Errors
    /// [`CompatError::Node`]: a duplicate or empty text, weight 0, or a total weight of 2³² or more; Envoy refuses these
    /// weights too.
    pub fn try_from_nodes<I>(nodes: I) -> Result<Self, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        EnvoyMaglev::builder().try_from_nodes(nodes)
    }

    /// Slots of the table.
    pub fn table_size(&self) -> u64 {
        self.table_size
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let mut list = listed(&self.nodes, &draft);
            // Ranks are in order of the texts, which is the order of the rounds.
            list.sort_unstable_by_key(|listed| listed.rank);
            self.table = table(&list, self.table_size as usize);
        }
        self.nodes.commit(draft)
    }
}

impl<N> EnvoyMaglev<N> {
    /// The ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let (table, size) = (&self.table, self.table_size);
        let attempt = move |attempt: u64| {
            let hash = token.get() ^ attempt.wrapping_neg();
            table[(hash % size) as usize]
        };
        let attempts = (0..table.len() as u64).map(attempt);
        attempts.chain(0..self.len() as u32)
    }

    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), &mut accept)
    }

    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        Preference::foreign(&self.nodes, self.ranks(token))
    }
}

construct_verbs!(impl[N: Key] EnvoyMaglev<N>, N, ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)");
routing_verbs!(impl[N: Key] EnvoyMaglev<N>, N);
placement_verbs!(impl[N: Key] EnvoyMaglev<N>, N);
membership!(
    EnvoyMaglev<N>,
    [N: Key],
    strategy [N: Key],
    reading [N],
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)"
);

impl<N: Key> Strategy for EnvoyMaglev<N> {
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
        self.table
            .get((token.get() % self.table_size) as usize)
            .map(|&owner| self.nodes.node(owner))
    }

    members_of_nodes!(N);
}

default_and_debug!(EnvoyMaglev, table_size: |maglev: &Self| maglev.table_size);

struct Host {
    rank: u32,
    slot: usize,
    skip: usize,
    share: f64,
    target: f64,
    /// The next host of the same round.
    next: u32,
}

/// The program looks at every host in every round. Where one host outweighs many, most are not due in most rounds, and 70,000
/// hosts would be looked at 4.6 billion times. So each host stands on the list of the round in which it is due next.
fn table(list: &[Listed<'_>], size: usize) -> Vec<u32> {
    let usable = || list.iter().filter(|listed| !listed.member.drained);
    let total = usable()
        .map(|listed| u64::from(listed.member.weight))
        .sum::<u64>() as f64;
    let hash = |text, seed, modulus: usize| (xxh64(text, seed) % modulus as u64) as usize;
    let mut hosts: Vec<Host> = usable()
        .map(|listed| Host {
            rank: listed.rank,
            slot: hash(listed.member.identity, 0, size),
            skip: hash(listed.member.identity, 1, size - 1) + 1,
            share: f64::from(listed.member.weight) / total,
            target: 0.0,
            next: FREE,
        })
        .collect();
    if hosts.is_empty() {
        return Vec::new();
    }
    let greatest = hosts.iter().map(|host| host.share).fold(0.0, f64::max);
    let mut table = vec![FREE; size];
    let mut free = size;
    // The heaviest host takes a slot in every round, so there are at most as many rounds as slots.
    let mut due = vec![FREE; size + 2];
    let mut round = 1;
    let mut now: Vec<u32> = (0..hosts.len() as u32).collect();
    loop {
        for &i in &now {
            let host = &mut hosts[i as usize];
            host.target += greatest;
            while table[host.slot] != FREE {
                host.advance(size);
            }
            table[host.slot] = host.rank;
            free -= 1;
            if free == 0 {
                return table;
            }
            host.advance(size);
            if let Some(first) = due.get_mut(host.due_after(round)) {
                host.next = core::mem::replace(first, i);
            }
        }
        now.clear();
        while now.is_empty() {
            round += 1;
            let mut i = due[round];
            while i != FREE {
                now.push(i);
                i = hosts[i as usize].next;
            }
        }
        // Within a round the order is that of the texts. Nearly always it comes out reversed.
        now.reverse();
        now.sort_unstable();
    }
}

impl Host {
    #[inline]
    fn advance(&mut self, size: usize) {
        self.slot += self.skip;
        if self.slot >= size {
            self.slot -= size;
        }
    }

    /// The first round after this one in which the program finds share × round not below the target.
    #[inline]
    fn due_after(&self, round: usize) -> usize {
        let is_due = |round: usize| round as f64 * self.share >= self.target;
        let next = round + 1;
        if is_due(next) {
            return next;
        }
        // Off by a round at most, by rounding; the product never falls as rounds go on.
        let mut due = next.max((self.target / self.share) as usize);
        while due > next && is_due(due - 1) {
            due -= 1;
        }
        while !is_due(due) {
            due += 1;
        }
        due
    }
}

fn is_prime(n: u64) -> bool {
    n >= 2 && (2..=n.isqrt()).all(|d| n % d != 0)
}

/// Configures an [`EnvoyMaglev`]; see [`EnvoyMaglev::builder`].
#[must_use = "call `try_from_nodes`"]
#[derive(Clone)]
pub struct EnvoyMaglevBuilder<N> {
    table_size: u64,
    nodes: PhantomData<fn() -> N>,
}

impl<N> EnvoyMaglevBuilder<N> {
    /// `table_size`, a prime up to 5,000,011; 65,537 unless set.
    pub fn table_size(mut self, slots: u64) -> Self {
        self.table_size = slots;
        self
    }

    /// The hosts of a cluster with their weights; here their order does not matter.
    ///
    /// # Errors
    /// [`CompatError::TableSize`]; else as [`EnvoyMaglev::try_from_nodes`].
    ///
    /// ```
    /// use clockwise::compat::{CompatError, EnvoyMaglev};
    ///
    /// let refused = EnvoyMaglev::builder().table_size(65_536).try_from_nodes([("10.0.0.1:80", 1)]);
    /// assert!(matches!(refused, Err(CompatError::TableSize { table_size: 65_536, .. })));
    /// ```
    pub fn try_from_nodes<I>(self, nodes: I) -> Result<EnvoyMaglev<N>, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let table_size = self.table_size;
        if table_size > TABLE_SIZE_MAX || !is_prime(table_size) {
            return Err(CompatError::TableSize { table_size });
        }
        let mut maglev = EnvoyMaglev::configured(table_size);
        maglev.extend_weighted(nodes)?;
        Ok(maglev)
    }
}

impl<N> fmt::Debug for EnvoyMaglevBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvoyMaglevBuilder")
            .field("table_size", &self.table_size)
            .finish_non_exhaustive()
    }
}
