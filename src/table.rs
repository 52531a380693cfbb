//! [`SlotTable`]: rendezvous hashing compiled into a table.

mod builder;
mod diff;
mod first;
mod inspect;
mod owners;
mod restore;
mod settle;

pub use builder::SlotTableBuilder;
pub use inspect::Slots;

use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::preference::{Order, Preference};
use crate::rendezvous::field::Field;
use crate::rendezvous::ranking::{Next, Ranks};
use crate::rendezvous::roster::Roster;
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use builder::Config;
use core::fmt;
use first::Change;
use owners::Owners;

/// Rendezvous hashing compiled into a table of slots: one load per route, and if wanted a guaranteed balance.
///
/// The circle of 2⁶⁴ tokens is cut into M equal slots, a power of two that never changes. A key's slot is the top bits of its
/// token. Every slot has the order of preference that [`Rendezvous`](crate::Rendezvous) has for the slot's number taken as a token,
/// weights included; its first node owns the slot.
///
/// - **Same nodes, weights and key: same owner**, on every platform, in every process and 1.x release, whatever order the nodes
///   came in, capped or not.
/// - **Uncapped**, adding a node of weight w moves an expected w/W of the slots (W: the new total), all of them to it. Removing it
///   moves exactly its own. A node's share of the slots is w/W with a relative standard deviation of √(W/(w·M)): 4 % for 100 equal
///   nodes on 65,536 slots.
/// - **Capped** by [`load_factor(c)`](SlotTableBuilder::load_factor), no node ever owns more than c times its share, rounded to whole
///   slots; at c = 1 every node owns its share rounded down or up. Slots go to nodes by deferred acceptance (Gale and Shapley
///   1962), which has one outcome here whatever the history. The price is movement: at 100 nodes on 65,536 slots 1.33 times what
///   must move at c = 1, 1.13 at 1.02, 1.03 at 1.05.
///
/// ```
/// use clockwise::SlotTable;
///
/// let mut table = SlotTable::builder().load_factor(1.02).build()?;
/// table.extend_weighted([("cache-1", 1), ("cache-2", 1), ("cache-3", 2)])?;
/// assert!(table.route("user:42").is_some());
/// assert!(table.balance().busiest() < 1.0201);
///
/// let replicas = table.replicas("user:42", 2); // the owner first, all distinct
/// assert_eq!(replicas[0], table.route("user:42").unwrap());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Cost
/// With N nodes and M slots a route is O(1): the hash, a shift, one load. A change is O(M), two scores a slot: at 100 nodes on
/// 65,536 slots adding a node takes 0.25 ms and removing one 0.12 ms; capped at c = 1 1.3 ms (a Maglev rebuild: 1.6 ms). The first
/// fill is O(N·M), 1 ns a pair: 6.5 ms here, 10 s for 10,000 nodes on 2²⁰ slots. Memory: 2 bytes a slot up to 65,536 members, 4
/// beyond; with a cap as much again, which only changes read; 28 bytes a node. While a change is worked out, the table stands
/// twice, and with a cap up to 24 bytes a slot more are in use.
///
/// # Choosing the slots and the cap
/// The number of slots is for ever, so choose it for the most nodes there will ever be: 100 slots a node at least, 600 are better.
/// Uncapped, the busiest of 100 nodes is then at 1.25 or 1.09 times the mean, and nothing moves needlessly. A cap buys evenness
/// with movement, the less so the more slots there are. At 100 nodes, beside Maglev and the ring (`cargo bench --bench
/// slot_table`); *moved* is what the loss or arrival of a node moves, by what must move:
///
/// | | busiest | least | moved | KiB to route + to change |
/// |---|---:|---:|---:|---:|
#[doc = include_str!("table/frontier.md")]
///
#[doc = include_str!("../docs/slot-table.svg")]
#[derive(Clone)]
pub struct SlotTable<N, H = Xxh3> {
    nodes: NodeSet<N>,
    roster: Roster,
    field: Field,
    config: Config,
    /// Who owns each slot.
    owners: Owners,
    /// Who would own it without a cap, kept for the next change; only where there is a cap.
    winners: Option<Owners>,
    hasher: H,
}

impl<N> SlotTable<N> {
    /// An empty table with the default hasher [`Xxh3`], 65,536 slots and no cap. [`builder`](SlotTable::builder) sets each of them.
    pub const fn new() -> Self {
        SlotTable::with_hasher(Xxh3::new())
    }

    /// A builder, to choose the number of slots, the cap and the hasher.
    pub const fn builder() -> SlotTableBuilder<N> {
        SlotTableBuilder::new()
    }
}

impl<N, H> SlotTable<N, H> {
    /// An empty table with this hasher, otherwise as [`new`](SlotTable::new).
    pub const fn with_hasher(hasher: H) -> Self {
        SlotTable::configured(Config::DEFAULT, hasher)
    }

    const fn configured(config: Config, hasher: H) -> Self {
        SlotTable {
            nodes: NodeSet::new(Budget::NO_POINTS),
            roster: Roster::new(),
            field: Field::new(),
            config,
            owners: Owners::none(),
            winners: None,
            hasher,
        }
    }
}

construct_verbs!(impl[N: Key] SlotTable<N>, N, "");
routing_verbs!(impl[N: Key, H: KeyHasher] SlotTable<N, H>, N);
placement_verbs!(impl[N: Key, H: KeyHasher] SlotTable<N, H>, N);
membership!(
    SlotTable<N, H>,
    [N: Key, H: KeyHasher],
    strategy [N: Key, H: KeyHasher],
    reading [N, H],
    ""
);

impl<N, H: KeyHasher> SlotTable<N, H> {
    /// Hashes newcomers, works out the new owners, and commits.
    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        if !draft.moves_nothing(&self.nodes) {
            let roster = self
                .roster
                .changed(self.nodes.preview(&draft), &self.hasher);
            let field = Field::of(roster.eligible());
            let change = Change::new(&self.roster, self.nodes.preview(&draft), &roster);
            let before = self.winners.as_ref().unwrap_or(&self.owners);
            let winners = change.winners(before, self.slot_count(), &roster, &field);
            match self.config.load_factor {
                None => self.owners = winners,
                Some(load_factor) => {
                    self.owners = settle::settled(&winners, &roster, load_factor);
                    self.winners = Some(winners);
                }
            }
            self.roster = roster;
            self.field = field;
        }
        self.nodes.commit(draft)
    }
}

impl<N, H> SlotTable<N, H> {
    /// The slot that `token` falls into: its top bits.
    #[inline]
    pub fn slot_of(&self, token: Token) -> usize {
        // In two steps, because with one slot all 64 bits go.
        (token.get() >> 1 >> (63 - self.config.bits)) as usize
    }

    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        Preference::new(&self.nodes, Order::Ranked(self.ranks(token)))
    }

    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        let mut nodes = self.ranks(token).map(|rank| self.nodes.node(rank));
        nodes.find(|&node| accept(node))
    }

    fn ranks(&self, token: Token) -> Ranks<'_> {
        let slot = self.slot_of(token);
        let token = first::token(slot);
        let next = match self.owners.get(slot) {
            None => Next::Best,
            Some(owner) if self.winners.is_some() => Next::Owner(owner),
            Some(owner) => Next::Winner(self.roster.seat(owner).claim(token)),
        };
        Ranks::new(&self.field, token, next)
    }
}

impl<N: Key, H: KeyHasher> Strategy for SlotTable<N, H> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        self.find(token, accept)
    }

    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        Token::new(self.hasher.hash_bytes(key))
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        self.owner_of(self.slot_of(token))
    }

    members_of_nodes!(N);
}

impl<N, H: Default> Default for SlotTable<N, H> {
    fn default() -> Self {
        SlotTable::with_hasher(H::default())
    }
}

/// Counts only.
impl<N, H> fmt::Debug for SlotTable<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotTable")
            .field("nodes", &self.len())
            .field("slots", &self.slot_count())
            .field("load_factor", &self.load_factor())
            .finish_non_exhaustive()
    }
}
