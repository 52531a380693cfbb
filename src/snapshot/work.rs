//! What it costs to build the strategy that a snapshot describes, before any of it is built.
//!
//! A snapshot of 100 bytes can ask for a table of 2²⁴ slots, or for a ring of as many points. So the
//! work is counted first, in units of about a nanosecond, and compared with a budget. The weights
//! below are measured; they round up.

use crate::error::RestoreError;
use crate::nodes::Entry;

/// The default budget: about half a second.
pub(crate) const MAX_WORK: u64 = 1 << 29;

/// Storing and sorting a point, and hashing the four bytes of its index.
const POINT: u128 = 68;
/// A slot on its own, and with a cap.
const SLOT: u128 = 32;
const CAPPED_SLOT: u128 = 96;
/// Comparing the claims of two nodes to a slot, and of two nodes of different weights.
const CLAIM: u128 = 2;
const WEIGHT: u128 = 16;

/// What a snapshot asks for, and what that costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    what: &'static str,
    count: u128,
    units: u128,
}

impl Work {
    /// The points of a ring, each of which is a hash of its node's identity.
    pub(crate) fn of_points<N>(virtual_nodes: u32, members: &[Entry<N>]) -> Self {
        let (mut count, mut units) = (0, 0);
        for member in members {
            let points = u128::from(virtual_nodes) * u128::from(member.weight);
            count += points;
            units += points * (POINT + member.identity.len() as u128);
        }
        Work {
            what: "points",
            count,
            units,
        }
    }

    /// The slots of a table, for each of which all nodes compete.
    pub(crate) fn of_slots<N>(slots: usize, capped: bool, members: &[Entry<N>]) -> Self {
        let mut weights: alloc::vec::Vec<u32> = members.iter().map(|m| m.weight).collect();
        weights.sort_unstable();
        weights.dedup();
        let slot = if capped { CAPPED_SLOT } else { SLOT };
        let others = weights.len().saturating_sub(1) as u128;
        let each = slot + CLAIM * members.len() as u128 + WEIGHT * others;
        Work {
            what: "slots",
            count: slots as u128,
            units: slots as u128 * each,
        }
    }

    /// Checks the work against a budget.
    pub(crate) fn within(self, max_work: u64) -> Result<(), RestoreError> {
        if self.units <= u128::from(max_work) {
            return Ok(());
        }
        Err(RestoreError::OverBudget {
            what: self.what,
            count: u64::try_from(self.count).unwrap_or(u64::MAX),
            work: u64::try_from(self.units).unwrap_or(u64::MAX),
            max_work,
        })
    }
}
