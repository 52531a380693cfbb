//! [`SlotTableBuilder`]: configures a slot table.

use super::SlotTable;
use super::settle::ONE;
use crate::error::ConfigError;
use crate::hash::{KeyHasher, Xxh3};
use crate::key::Key;
use crate::snapshot::MAX_WORK;
use crate::strategy::builder_verbs;
use core::fmt;
use core::marker::PhantomData;

/// The default number of slots.
pub(super) const SLOTS: usize = 1 << 16;

/// The greatest number of slots: 512 MB at two bytes each, or as many as memory can hold while a
/// change is worked out.
const MOST_SLOTS: usize = if usize::BITS > 32 { 1 << 28 } else { 1 << 25 };

/// The default of [`max_slots`](SlotTableBuilder::max_slots): 32 MB.
const MAX_SLOTS: usize = 1 << 24;

/// The settings of a table, which are part of the placement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Config {
    /// The number of top bits of a token that are its slot.
    pub(super) bits: u32,
    /// The load factor in units of 2⁻³².
    pub(super) load_factor: Option<u64>,
}

impl Config {
    pub(super) const DEFAULT: Config = Config {
        bits: SLOTS.trailing_zeros(),
        load_factor: None,
    };

    pub(super) fn slot_count(self) -> usize {
        1 << self.bits
    }
}

/// A builder that configures a [`SlotTable`]; see [`SlotTable::builder`].
///
/// # Examples
/// ```
/// use clockwise::{SipHash13, SlotTable};
///
/// let secret = SipHash13::new([7; 16]);
/// let builder = SlotTable::builder().slots(4096).load_factor(1.05).hasher(secret);
/// let mut table = builder.build()?;
/// table.insert("cache-1")?;
/// assert_eq!(table.slot_count(), 4096);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `build`"]
pub struct SlotTableBuilder<N, H = Xxh3> {
    slots: usize,
    max_slots: usize,
    load_factor: Option<f64>,
    pub(super) max_work: u64,
    hasher: H,
    nodes: PhantomData<fn() -> N>,
}

impl<N> SlotTableBuilder<N> {
    pub(super) const fn new() -> Self {
        SlotTableBuilder {
            slots: SLOTS,
            max_slots: MAX_SLOTS,
            load_factor: None,
            max_work: MAX_WORK,
            hasher: Xxh3::new(),
            nodes: PhantomData,
        }
    }
}

impl<N, H> SlotTableBuilder<N, H> {
    /// Sets the number of slots, a power of two from 1 to
    /// [`max_slots`](SlotTableBuilder::max_slots). The default is 65,536.
    ///
    /// It is part of the placement: another number moves nearly every key. Choose it once, for the
    /// most nodes that you will ever have, at 100 slots or more for each node. If there are fewer
    /// slots than nodes, some nodes own nothing.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let table = SlotTable::builder().slots(1024).from_nodes(["a", "b"])?;
    /// assert_eq!(table.slot_count(), 1024);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// Sets the greatest number of slots that the table may have. The default is 2²⁴. A value above
    /// 2²⁸ counts as 2²⁸. On 32-bit targets a value above 2²⁵ counts as 2²⁵. The limit keeps a
    /// wrong number from taking all memory. It is not part of the placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let snapshot = SlotTable::from_nodes(["a", "b"])?.snapshot();
    /// assert!(SlotTable::builder().max_slots(256).restore(snapshot).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_slots(mut self, max_slots: usize) -> Self {
        self.max_slots = max_slots.min(MOST_SLOTS);
        self
    }

    /// Sets how much work a snapshot may ask for in [`restore`](SlotTableBuilder::restore), in
    /// units of about a nanosecond. The default is 2²⁹, about half a second. A slot takes 32 units,
    /// or 96 with a cap, 2 more for each node, and 16 more for each distinct weight beyond the
    /// first.
    ///
    /// It bounds the time and the memory that a snapshot from an untrusted source can cost. Set it
    /// to `u64::MAX` for a snapshot of your own. It is not part of the placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let snapshot = SlotTable::from_nodes(["a", "b"])?.snapshot();
    /// assert!(SlotTable::builder().max_work(10).restore(snapshot).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_work(mut self, max_work: u64) -> Self {
        self.max_work = max_work;
        self
    }

    /// Caps every node at `load_factor` times its fair share of the slots: c·M·w/W, rounded down or
    /// up to whole slots. There is no cap by default.
    ///
    /// 1.0 makes the table as even as whole slots allow. The factor is rounded down to a multiple
    /// of 2⁻³². It is part of the placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let nodes = (0..10u64).map(|i| format!("node-{i}"));
    /// let table = SlotTable::builder().load_factor(1.02).from_nodes(nodes)?;
    /// assert!(table.balance().busiest() < 1.021);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_factor(mut self, load_factor: f64) -> Self {
        self.load_factor = Some(load_factor);
        self
    }

    /// Sets the hasher of keys and nodes. The default is [`Xxh3`]. It is part of the placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{SipHash13, SlotTable};
    ///
    /// let secret = SipHash13::new(*b"16 secret bytes!");
    /// let table = SlotTable::builder().hasher(secret).from_nodes(["a", "b"])?;
    /// assert!(table.route("user:42").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hasher<H2>(self, hasher: H2) -> SlotTableBuilder<N, H2> {
        SlotTableBuilder {
            slots: self.slots,
            max_slots: self.max_slots,
            load_factor: self.load_factor,
            max_work: self.max_work,
            hasher,
            nodes: PhantomData,
        }
    }

    /// Creates the table, without nodes. Allocates nothing before the first node is added.
    ///
    /// # Examples
    /// ```
    /// use clockwise::SlotTable;
    ///
    /// let mut table = SlotTable::builder().slots(1024).build()?;
    /// table.insert("a")?;
    /// assert!(SlotTable::<&str>::builder().slots(1000).build().is_err()); // not a power of two
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`ConfigError::SlotsNotPowerOfTwo`] also for 0 slots, [`ConfigError::TooManySlots`]
    /// above `max_slots`, and [`ConfigError::OutOfRange`] if the load factor is less than 1 or not
    /// finite.
    pub fn build(self) -> Result<SlotTable<N, H>, ConfigError> {
        let slots = self.slots;
        if !slots.is_power_of_two() {
            return Err(ConfigError::SlotsNotPowerOfTwo { slots });
        }
        if slots > self.max_slots {
            return Err(ConfigError::TooManySlots {
                slots,
                max_slots: self.max_slots,
            });
        }
        let works = |load_factor: &f64| load_factor.is_finite() && *load_factor >= 1.0;
        if let Some(load_factor) = self.load_factor.filter(|load_factor| !works(load_factor)) {
            let must = "finite and at least 1";
            return Err(ConfigError::out_of_range("load factor", load_factor, must));
        }
        let config = Config {
            bits: slots.trailing_zeros(),
            // The product is exact. It may saturate, because a factor above 2³² caps no share.
            load_factor: self
                .load_factor
                .map(|load_factor| (load_factor * ONE as f64) as u64),
        };
        Ok(SlotTable::configured(config, self.hasher))
    }
}

builder_verbs!(
    impl[N: Key, H: KeyHasher] SlotTableBuilder<N, H>, SlotTable<N, H>, N, example SlotTable,
    "builder()"
);

impl<N, H> fmt::Debug for SlotTableBuilder<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotTableBuilder")
            .field("slots", &self.slots)
            .field("load_factor", &self.load_factor)
            .finish_non_exhaustive()
    }
}
