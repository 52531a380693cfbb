//! Configuring a slot table.

use super::SlotTable;
use super::settle::ONE;
use crate::error::ConfigError;
use crate::hash::{KeyHasher, Xxh3};
use crate::key::Key;
use crate::strategy::builder_verbs;
use core::fmt;
use core::marker::PhantomData;

/// Slots of a table that was not told otherwise.
pub(super) const SLOTS: usize = 1 << 16;

/// The most slots a table may have, whatever is set: 512 MB for two bytes each.
const MOST_SLOTS: usize = 1 << 28;

/// Slots that a table may have that was not told otherwise: 32 MB.
const MAX_SLOTS: usize = 1 << 24;

/// What a table is built by, part of the placement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Config {
    /// A key's slot is as many top bits of its token.
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

/// Configures a [`SlotTable`]; see [`SlotTable::builder`].
///
/// ```
/// use clockwise::{SipHash13, SlotTable};
///
/// let mut table = SlotTable::builder().slots(4096).load_factor(1.05).hasher(SipHash13::new([7; 16])).build()?;
/// table.insert("cache-1")?;
/// assert_eq!(table.slot_count(), 4096);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `build`"]
pub struct SlotTableBuilder<N, H = Xxh3> {
    slots: usize,
    max_slots: usize,
    load_factor: Option<f64>,
    hasher: H,
    nodes: PhantomData<fn() -> N>,
}

impl<N> SlotTableBuilder<N> {
    pub(super) const fn new() -> Self {
        SlotTableBuilder {
            slots: SLOTS,
            max_slots: MAX_SLOTS,
            load_factor: None,
            hasher: Xxh3::new(),
            nodes: PhantomData,
        }
    }
}

impl<N, H> SlotTableBuilder<N, H> {
    /// The number of slots, a power of two from 1 to [`max_slots`](SlotTableBuilder::max_slots); 65,536 unless set. Part of the placement: another number moves nearly
    /// every key, so choose it once, for the most nodes there will ever be: 100 slots a node or more. With fewer slots than nodes
    /// some nodes own nothing.
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// How many slots the table may have; 2²⁴ unless set, and never more than 2²⁸, whatever is set. Not part of the placement: it
    /// keeps a wrong number, or a snapshot that you do not trust, from taking all memory.
    pub fn max_slots(mut self, max_slots: usize) -> Self {
        self.max_slots = max_slots.min(MOST_SLOTS);
        self
    }

    /// Caps every node at `load_factor` times its share of the slots, c·M·w/W rounded down or up to whole slots; 1.0 makes the table
    /// as even as whole slots allow. No cap unless set. Counted in steps of 2⁻³², rounded down. Part of the placement.
    pub fn load_factor(mut self, load_factor: f64) -> Self {
        self.load_factor = Some(load_factor);
        self
    }

    /// The hasher of keys and nodes; [`Xxh3`] unless set. Part of the placement.
    pub fn hasher<H2>(self, hasher: H2) -> SlotTableBuilder<N, H2> {
        SlotTableBuilder {
            slots: self.slots,
            max_slots: self.max_slots,
            load_factor: self.load_factor,
            hasher,
            nodes: PhantomData,
        }
    }

    /// The table, empty. Nothing is allocated before the first node comes.
    ///
    /// # Errors
    /// [`ConfigError::SlotsNotPowerOfTwo`], for 0 too; [`ConfigError::TooManySlots`] above `max_slots`; [`ConfigError::OutOfRange`] below 1
    /// and where it is not a finite number.
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
            // The product is exact; what lies beyond 2³² is no cap for any share, so it may saturate.
            load_factor: self
                .load_factor
                .map(|load_factor| (load_factor * ONE as f64) as u64),
        };
        Ok(SlotTable::configured(config, self.hasher))
    }
}

builder_verbs!(impl[N: Key, H: KeyHasher] SlotTableBuilder<N, H>, SlotTable<N, H>, N);

impl<N, H> fmt::Debug for SlotTableBuilder<N, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotTableBuilder")
            .field("slots", &self.slots)
            .field("load_factor", &self.load_factor)
            .finish_non_exhaustive()
    }
}
