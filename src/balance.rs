//! [`Balance`] measures how even a placement is, and [`Forecast`] predicts it.
//!
//! # Examples
//! ```
//! let ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
//! println!("{}", ring.balance()); // a table of the nodes and their shares
//! assert!(ring.balance().busiest() < 1.2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fair;
#[cfg(feature = "std")]
mod forecast;

#[cfg(feature = "std")]
pub use forecast::Forecast;

pub(crate) use fair::Fair;

use crate::error::readable;
use crate::nodes::Entry;
use alloc::{string::String, vec::Vec};
use core::fmt;

/// A measurement of how evenly keys, or copies of them, are spread over the eligible nodes,
/// relative to weight.
///
/// A relative load of 1.0 is exactly a node's fair share.
/// [`HashRing::balance`](crate::HashRing::balance) returns it for owners and
/// [`HashRing::balance_of`](crate::HashRing::balance_of) for copies.
/// [`SlotTable`](crate::SlotTable) has the same methods, and
/// [`Zoned::balance_of`](crate::Zoned::balance_of) is for copies over zones.
///
/// It prints as a table. If there are many nodes, only the busiest and the least loaded are shown.
///
/// # Examples
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
    /// The nodes, busiest first.
    rows: Vec<NodeBalance>,
    std_dev: f64,
}

/// The load of one node in a [`Balance`].
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_weighted([("a", 1), ("b", 3)])?;
/// let balance = ring.balance();
/// for node in balance.nodes() {
///     println!("{} owns {:.3}, {:.3} of its due", node.node, node.share, node.relative);
/// }
/// assert_eq!(balance.nodes()[1].expected, 0.75);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NodeBalance {
    /// The identity, in readable form.
    pub node: String,
    /// The weight.
    pub weight: u32,
    /// The fraction of all keys that it owns, or of which it holds a copy, 0 to 1.
    pub share: f64,
    /// Its fair share by weight, 0 to 1: n·w/W for n copies, weight w and total weight W. If that
    /// is more than 1 for a node, it should hold every key, and the others share the rest by
    /// weight.
    pub expected: f64,
    /// `share / expected`. 1.0 is exactly its fair share.
    pub relative: f64,
}

/// An eligible member and the number of tokens that it holds.
pub(crate) struct Row<'a> {
    identity: &'a [u8],
    weight: u32,
    held: u128,
}

impl<'a> Row<'a> {
    pub(crate) fn new<N>(entry: &'a Entry<N>, held: u128) -> Self {
        Row {
            identity: &entry.identity,
            weight: entry.weight,
            held,
        }
    }
}

impl Balance {
    /// Measures `copies` of each key, of which there must be no more than rows.
    pub(crate) fn of<'a>(rows: impl Iterator<Item = Row<'a>>, copies: usize) -> Balance {
        let rows: Vec<Row<'_>> = rows.collect();
        let mut weights: Vec<u32> = rows.iter().map(|row| row.weight).collect();
        weights.sort_unstable_by(|a, b| b.cmp(a));
        let total = weights.iter().map(|&weight| u64::from(weight)).sum();
        let fair = Fair::new(weights.into_iter(), total, copies);
        let of_row = |row: Row<'_>| {
            let (share, expected) = (share(row.held), fair.part(row.weight));
            let relative = if expected > 0.0 {
                share / expected
            } else {
                1.0
            };
            NodeBalance {
                node: readable(row.identity),
                weight: row.weight,
                share,
                expected,
                relative,
            }
        };
        let mut rows: Vec<NodeBalance> = rows.into_iter().map(of_row).collect();
        rows.sort_by(|a, b| b.relative.total_cmp(&a.relative));
        let std_dev = std_dev(rows.iter().map(|row| row.relative));
        Balance { rows, std_dev }
    }

    /// Returns the nodes, busiest first.
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_nodes(["a", "b", "c"])?;
    /// ring.drain("c")?;
    /// assert_eq!(ring.balance().nodes().len(), 2); // a drained node owns nothing
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nodes(&self) -> &[NodeBalance] {
        &self.rows
    }

    /// Returns the load of the busiest node relative to its fair share, 1.0 or more. Returns 1.0 if
    /// no node is eligible.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes((0..10u64).map(|i| format!("node-{i}")))?;
    /// assert!(ring.balance().busiest() < 1.15); // at most 15 % more than its fair share
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn busiest(&self) -> f64 {
        self.rows.first().map_or(1.0, |row| row.relative)
    }

    /// Returns the load of the least loaded node relative to its fair share, 0.0 to 1.0. Returns
    /// 1.0 if no node is eligible.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes((0..10u64).map(|i| format!("node-{i}")))?;
    /// assert!(ring.balance().least() > 0.85);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn least(&self) -> f64 {
        self.rows.last().map_or(1.0, |row| row.relative)
    }

    /// Returns the population standard deviation of the relative loads over all eligible nodes. 0.0
    /// is perfect.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes((0..100u64).map(|i| format!("node-{i}")))?;
    /// assert!(ring.balance().std_dev() < 0.06); // about 1/√512
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn std_dev(&self) -> f64 {
        self.std_dev
    }
}

/// Returns a measure as a fraction of all 2⁶⁴ tokens.
pub(crate) fn share(measure: u128) -> f64 {
    measure as f64 / 18_446_744_073_709_551_616.0
}

/// Returns the standard deviation, exact to 2⁻³². It takes the root of an integer, because `core`
/// has none for floats.
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
        /// The number of rows shown at either end if not all fit.
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
