//! [`SlotTable`]: rendezvous hashing compiled into a table.

use super::builder::{Config, SlotTableBuilder};
use super::first::{self, Change};
use super::owners::Owners;
use super::settle;
use crate::hash::{KeyHasher, Token, Xxh3};
use crate::key::Key;
use crate::nodes::{Budget, Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::preference::{Order, Preference};
use crate::rendezvous::field::Field;
use crate::rendezvous::ranking::{Next, Ranks};
use crate::rendezvous::roster::Roster;
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use core::fmt;

/// Rendezvous hashing compiled into a table of slots: one load for each route, and a guaranteed
/// balance if you want one.
///
/// The circle of 2⁶⁴ tokens is cut into M equal slots. M is a power of two that never changes. The
/// top bits of a key's token are its slot. Every slot has the order of preference that
/// [`Rendezvous`](crate::Rendezvous) has for the slot's number taken as a token, weights included.
/// The first node of that order owns the slot.
///
/// - **Same nodes, weights and key: same owner**, on every platform, in every process and release
///   before 2.0, in whichever order the nodes were added, with or without a cap.
/// - **Without a cap**, adding a node of weight w moves an expected w/W of the slots, all of them
///   to that node. W is the new total weight. Removing it moves exactly its own slots. A node's
///   share of the slots is w/W with a relative standard deviation of √(W/(w·M)): 4 % for 100 equal
///   nodes on 65,536 slots.
/// - **With a cap**, set by [`load_factor(c)`](SlotTableBuilder::load_factor), no node owns more
///   than c times its fair share, rounded to whole slots. At c = 1 every node owns its fair share,
///   rounded down or up. Slots are given to nodes by deferred acceptance (Gale and Shapley 1962),
///   which has one outcome here for any history. The price is movement: with 100 nodes on 65,536
///   slots a change moves 1.33 times the minimum at c = 1, 1.13 times at 1.02, and 1.03 times at
///   1.05.
///
/// # Examples
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
/// # Performance
/// A route is O(1) for M slots and N nodes: the hash, a shift, one load. A change is O(M), two
/// scores for each slot, and the first fill is O(N·M). `cargo bench --bench slot_table` measures
/// them.
///
/// The table takes 2 bytes for each slot up to 65,536 members and 4 beyond, and 28 bytes for each
/// node. A cap doubles the bytes of the slots. Only changes read the second half. While a change is
/// worked out there are two tables, and with a cap up to 24 more bytes for each slot.
///
/// # Choosing the slots and the cap
/// The number of slots never changes, so choose it for the most nodes that you will ever have: at
/// least 100 slots for each node, better 600. Without a cap the busiest of 100 nodes then has 1.25
/// or 1.09 times the mean, and a change moves only the minimum. A cap makes the table more even and
/// moves more keys, but fewer if there are more slots. The table shows 100 nodes, beside Maglev and
/// the ring (`cargo bench --bench slot_table`). *moved* is what the loss or arrival of a node
/// moves, as a multiple of the minimum:
///
/// | | busiest | least | moved | KiB to route + to change |
/// |---|---:|---:|---:|---:|
#[doc = include_str!("frontier.md")]
///
#[doc = include_str!("../../docs/slot-table.svg")]
#[derive(Clone)]
pub struct SlotTable<N, H = Xxh3> {
    pub(super) nodes: NodeSet<N>,
    pub(super) roster: Roster,
    pub(super) field: Field,
    pub(super) config: Config,
    /// The owner of each slot.
    pub(super) owners: Owners,
    /// The owner of each slot without a cap, kept for the next change. `None` if there is no cap.
    pub(super) winners: Option<Owners>,
    pub(super) hasher: H,
}

impl<N> SlotTable<N> {
    /// Creates an empty table with the default hasher [`Xxh3`], 65,536 slots and no cap. Use
    /// [`builder`](SlotTable::builder) to choose others.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let mut table = SlotTable::new();
    /// table.insert("a")?;
    /// assert_eq!(table.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        SlotTable::with_hasher(Xxh3::new())
    }
}

construct_verbs!(impl[N: Key] SlotTable<N>, N, example SlotTable, "");

impl<N> SlotTable<N> {
    /// Returns a builder, to choose the number of slots, the cap and the hasher.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let table = SlotTable::builder().load_factor(1.02).from_nodes(["a", "b"])?;
    /// assert!(table.balance().busiest() < 1.021);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn builder() -> SlotTableBuilder<N> {
        SlotTableBuilder::new()
    }
}

impl<N, H> SlotTable<N, H> {
    /// Creates an empty table with this hasher and the other defaults of [`new`](SlotTable::new).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{SipHash13, SlotTable};
    ///
    /// let mut table = SlotTable::with_hasher(SipHash13::new(*b"16 secret bytes!"));
    /// table.insert("a")?;
    /// assert_eq!(table.route("user:42"), Some(&"a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn with_hasher(hasher: H) -> Self {
        SlotTable::configured(Config::DEFAULT, hasher)
    }

    pub(super) const fn configured(config: Config, hasher: H) -> Self {
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

routing_verbs!(impl[N: Key, H: KeyHasher] SlotTable<N, H>, N, example SlotTable);
placement_verbs!(impl[N: Key, H: KeyHasher] SlotTable<N, H>, N, example SlotTable);
membership!(
    SlotTable<N, H>, example SlotTable,
    [N: Key, H: KeyHasher],
    strategy [N: Key, H: KeyHasher],
    reading [N, H],
    ""
);

impl<N, H: KeyHasher> SlotTable<N, H> {
    /// Hashes the new nodes, works out the new owners, and commits.
    pub(super) fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
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
    /// Returns the slot that `token` falls into: its top bits.
    ///
    /// # Examples
    /// ```
    /// let table = clockwise::SlotTable::from_nodes(["a", "b"])?;
    /// let slot = table.slot_of(table.token("user:42"));
    /// assert_eq!(table.owner_of(slot), table.route("user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn slot_of(&self, token: Token) -> usize {
        // Two shifts, because a table of one slot shifts out all 64 bits.
        (token.get() >> 1 >> (63 - self.config.bits)) as usize
    }

    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        Preference::new(&self.nodes, Order::Ranked(self.ranks(token)))
    }

    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        let mut nodes = self.ranks(token).map(|rank| self.nodes.node(rank));
        nodes.find(|&node| accept(node))
    }

    pub(super) fn ranks(&self, token: Token) -> Ranks<'_> {
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

/// Shows counts only.
impl<N, H> fmt::Debug for SlotTable<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotTable")
            .field("nodes", &self.len())
            .field("slots", &self.slot_count())
            .field("load_factor", &self.load_factor())
            .finish_non_exhaustive()
    }
}
