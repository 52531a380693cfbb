//! [`EnvoyMaglev`]: `MAGLEV`.

use super::common::{Listed, debug_numbers, listed, offer, old_name, placement};
use crate::error::ConfigError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, Limits, NodeSet, members_of_nodes};
use crate::strategy::{Strategy, builder_verbs};
use alloc::{vec, vec::Vec};
use core::fmt;
use core::marker::PhantomData;
use xxhash_rust::xxh64::xxh64;

/// The default number of slots, and the most that Envoy allows.
const TABLE_SIZE: u64 = 65_537;
const TABLE_SIZE_MAX: u64 = 5_000_011;

/// A slot that is not taken yet.
const FREE: u32 = u32::MAX;

/// The placement of Envoy's `MAGLEV` (1.40.0): the table of Eisenbud et al. (Maglev, NSDI 2016),
/// with weights.
///
/// A node's text is its host key, as on an [`EnvoyRing`](super::EnvoyRing).
///
/// # Examples
/// ```
/// use clockwise::compat::EnvoyMaglev;
///
/// let hosts = (9001..=9005).map(|port| format!("127.0.0.1:{port}"));
/// let maglev = EnvoyMaglev::from_nodes(hosts)?;
/// assert_eq!(maglev.route("key:0001").unwrap(), "127.0.0.1:9004");
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Definition
/// The number of slots M is a prime. Each usable host has an offset XXH64(text, seed 0) mod M and a
/// skip 1 + XXH64(text, seed 1) mod (M − 1). The slots are taken in rounds t = 1, 2, …, and in each
/// round in the order of the texts. If a host's fraction of the weight times t has reached its
/// target, it takes its next free slot (offset, offset + skip, … mod M), and its target grows by
/// the greatest fraction. This ends when no slot is free. All of it is computed in double
/// precision. A key belongs to slot XXH64(key) mod M.
///
/// # Failover
/// `drain` corresponds to an unhealthy host: the table holds the *usable* hosts only, as on an
/// [`EnvoyRing`](super::EnvoyRing). Refusing a node is a retry with a host predicate: attempt a ≥ 1
/// takes slot (XXH64(key) xor −a) mod M.
///
/// # Odd keys
/// As on an [`EnvoyRing`](super::EnvoyRing).
///
/// # What it gets wrong, and when to leave
/// Shares are even to one slot, but more keys move: when one of 100 nodes leaves, 1.56 times as
/// many as must. If there are more hosts than slots, some own nothing. `SlotTable` routes as fast,
/// is as even with a load factor, and moves fewer keys.
///
/// # Performance
/// Routing costs one load, after XXH64 and a division. A slot takes 4 bytes. A change fills the
/// table again, in expected O(M log M).
#[derive(Clone)]
pub struct EnvoyMaglev<N> {
    nodes: NodeSet<N>,
    /// The rank of each slot's owner; empty without usable hosts.
    table: Vec<u32>,
    table_size: u64,
}

impl<N> EnvoyMaglev<N> {
    /// Creates a strategy without nodes, with 65,537 slots.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyMaglev;
    ///
    /// let mut maglev = EnvoyMaglev::new();
    /// maglev.extend_weighted([("10.0.0.1:80", 1), ("10.0.0.2:80", 1)])?;
    /// assert_eq!(maglev.table_size(), 65_537);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        EnvoyMaglev::configured(TABLE_SIZE)
    }

    /// Returns a builder with which the size of the table can be set.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyMaglev;
    ///
    /// // maglev_lb_config: { table_size: 1009 }
    /// let maglev = EnvoyMaglev::builder().table_size(1009).from_nodes(["10.0.0.1:80"])?;
    /// assert_eq!(maglev.table_size(), 1009);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let mut list = listed(&self.nodes, &draft);
            // Ranks are in order of the texts, which is the order of the rounds.
            list.sort_unstable_by_key(|listed| listed.rank);
            self.table = table(&list, self.table_size as usize);
        }
        self.nodes.commit(draft)
    }

    /// Returns the ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let (table, size) = (&self.table, self.table_size);
        let attempt = move |attempt: u64| {
            let hash = token.get() ^ attempt.wrapping_neg();
            table[(hash % size) as usize]
        };
        let attempts = (0..table.len() as u64).map(attempt);
        attempts.chain(0..self.len() as u32)
    }
}

placement!(
    EnvoyMaglev,
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit) if the total weight is 2³² or more"
);

impl<N> EnvoyMaglev<N> {
    /// Returns the number of slots of the table.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyMaglev;
    ///
    /// assert_eq!(EnvoyMaglev::<&str>::new().table_size(), 65_537);
    /// ```
    pub fn table_size(&self) -> u64 {
        self.table_size
    }
}

impl<N: Key> Strategy for EnvoyMaglev<N> {
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
        self.table
            .get((token.get() % self.table_size) as usize)
            .map(|&owner| self.nodes.node(owner))
    }

    members_of_nodes!(N);
}

debug_numbers!(EnvoyMaglev, table_size: |maglev: &Self| maglev.table_size);

struct Host {
    rank: u32,
    slot: usize,
    skip: usize,
    share: f64,
    target: f64,
    /// The next host of the same round.
    next: u32,
}

/// Fills the table. The program looks at every host in every round. If one host outweighs many,
/// most are not due in most rounds, and 70,000 hosts would be looked at 4.6 billion times. So each
/// host is on the list of the round in which it is due next.
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
        // Within a round the order is that of the texts. The list is nearly always reversed.
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

    /// Returns the first round after this one in which share × round is not below the target.
    #[inline]
    fn due_after(&self, round: usize) -> usize {
        let is_due = |round: usize| round as f64 * self.share >= self.target;
        let next = round + 1;
        if is_due(next) {
            return next;
        }
        // Rounding puts this off by a round at most. The product never falls from round to round.
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

/// A builder that configures an [`EnvoyMaglev`]; see [`EnvoyMaglev::builder`].
///
/// # Examples
/// ```
/// use clockwise::compat::EnvoyMaglev;
///
/// let maglev = EnvoyMaglev::builder()
///     .table_size(1009)
///     .from_weighted([("10.0.0.1:80", 1), ("10.0.0.2:80", 3)])?;
/// assert_eq!(maglev.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `build`"]
#[derive(Clone)]
pub struct EnvoyMaglevBuilder<N> {
    table_size: u64,
    nodes: PhantomData<fn() -> N>,
}

impl<N> EnvoyMaglevBuilder<N> {
    /// Sets `table_size`, a prime up to 5,000,011, by default 65,537.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::EnvoyMaglev;
    ///
    /// assert!(EnvoyMaglev::<&str>::builder().table_size(1009).build().is_ok());
    /// assert!(EnvoyMaglev::<&str>::builder().table_size(1000).build().is_err()); // not a prime
    /// ```
    pub fn table_size(mut self, slots: u64) -> Self {
        self.table_size = slots;
        self
    }

    /// Builds the strategy without nodes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{ConfigError, compat::EnvoyMaglev};
    ///
    /// let refused = EnvoyMaglev::<&str>::builder().table_size(65_536).build().unwrap_err();
    /// assert!(matches!(refused, ConfigError::OutOfRange { setting: "table size", .. }));
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if the size is not a prime of at most 5,000,011. With another
    /// number the slots of a node would not cover the table.
    pub fn build(self) -> Result<EnvoyMaglev<N>, ConfigError> {
        let table_size = self.table_size;
        if table_size > TABLE_SIZE_MAX || !is_prime(table_size) {
            let must = "a prime of at most 5000011";
            return Err(ConfigError::out_of_range("table size", table_size, must));
        }
        Ok(EnvoyMaglev::configured(table_size))
    }
}

builder_verbs!(
    impl[N: Key] EnvoyMaglevBuilder<N>, EnvoyMaglev<N>, N, example EnvoyMaglev, "builder()"
);
old_name!(EnvoyMaglevBuilder, EnvoyMaglev);

impl<N> fmt::Debug for EnvoyMaglevBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvoyMaglevBuilder")
            .field("table_size", &self.table_size)
            .finish_non_exhaustive()
    }
}
