//! How evenly a ring spreads the tokens, measured and foretold.

use super::arcs::share;
use crate::error::readable;
use alloc::{string::String, vec::Vec};
use core::fmt;

/// How evenly the tokens are spread over the eligible nodes, relative to weight: 1.0 is exactly a node's due.
///
/// Prints as a table (the busiest and the least loaded nodes, where there are many):
///
/// ```
/// let mut ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
/// ring.set_weight("c", 2)?;
/// let balance = ring.balance();
/// assert!(balance.busiest() < 1.2 && balance.least() > 0.8);
/// println!("{balance}");
/// // node                        weight     share  expected  relative
/// // c                                2   51.31 %   50.00 %     1.026
/// // …
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    /// Busiest first.
    rows: Vec<NodeBalance>,
    std_dev: f64,
}

/// One node's part in a [`Balance`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NodeBalance {
    /// The identity, readable.
    pub node: String,
    /// The weight.
    pub weight: u32,
    /// The part of all tokens that it owns, 0 to 1.
    pub share: f64,
    /// Its share by weight, 0 to 1.
    pub expected: f64,
    /// `share / expected`: 1.0 is exactly its due.
    pub relative: f64,
}

impl Balance {
    pub(crate) fn of<'a>(nodes: impl Iterator<Item = (&'a [u8], u32, u128)> + Clone) -> Balance {
        let total: u64 = nodes.clone().map(|(_, weight, _)| u64::from(weight)).sum();
        let mut rows: Vec<NodeBalance> = nodes
            .map(|(identity, weight, measure)| {
                let (share, expected) = (share(measure), f64::from(weight) / total as f64);
                NodeBalance {
                    node: readable(identity),
                    weight,
                    share,
                    expected,
                    relative: share / expected,
                }
            })
            .collect();
        rows.sort_by(|a, b| b.relative.total_cmp(&a.relative));
        let std_dev = std_dev(rows.iter().map(|row| row.relative));
        Balance { rows, std_dev }
    }

    /// The nodes, busiest first.
    pub fn nodes(&self) -> &[NodeBalance] {
        &self.rows
    }

    /// The load of the busiest node relative to its due, 1.0 or more; 1.0 where there is no eligible node.
    pub fn busiest(&self) -> f64 {
        self.rows.first().map_or(1.0, |row| row.relative)
    }

    /// The load of the least loaded node relative to its due, 0.0 to 1.0; 1.0 where there is no eligible node.
    pub fn least(&self) -> f64 {
        self.rows.last().map_or(1.0, |row| row.relative)
    }

    /// The standard deviation of the relative loads over all eligible nodes (the population, not a sample); 0.0 is perfect.
    pub fn std_dev(&self) -> f64 {
        self.std_dev
    }
}

/// In integers as far as the root, because core has none for floats: exact to 2⁻³².
fn std_dev(relative: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = relative.clone().count();
    if n == 0 {
        return 0.0;
    }
    let mean = relative.clone().sum::<f64>() / n as f64;
    let variance = relative.map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
    let scale = (1u64 << 32) as f64;
    ((variance * scale * scale) as u128).isqrt() as f64 / scale
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Rows shown at either end where not all fit.
        const ENDS: usize = 5;
        let width = self
            .rows
            .iter()
            .map(|row| row.node.chars().count())
            .max()
            .unwrap_or(0)
            .clamp(8, 40);
        writeln!(
            f,
            "{:<width$} {:>7} {:>9} {:>9} {:>9}",
            "node", "weight", "share", "expected", "relative"
        )?;
        let hidden = if self.rows.len() > 4 * ENDS {
            ENDS..self.rows.len() - ENDS
        } else {
            0..0
        };
        for (i, row) in self.rows.iter().enumerate() {
            if hidden.contains(&i) {
                if i == hidden.start {
                    writeln!(f, "… {} more …", hidden.len())?;
                }
                continue;
            }
            let NodeBalance {
                node,
                weight,
                share,
                expected,
                relative,
            } = row;
            let (share, expected) = (100.0 * share, 100.0 * expected);
            writeln!(
                f,
                "{node:<width$} {weight:>7} {share:>7.2} % {expected:>7.2} % {relative:>9.3}"
            )?;
        }
        let (busiest, least, std_dev) = (self.busiest(), self.least(), self.std_dev());
        write!(
            f,
            "busiest {busiest:.3}, least {least:.3}, standard deviation {std_dev:.4}"
        )
    }
}
