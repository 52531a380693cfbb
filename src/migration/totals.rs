//! Sums of a migration: by node, by pair of nodes, and as text.

use super::diff::Migration;
use super::measure;
use super::sweep::{NOBODY, Step};
use crate::error::readable;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The sums of one node; see [`Migration::totals`].
///
/// # Examples
/// ```
/// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
/// let mut new = old.clone();
/// new.insert("c")?;
/// let migration = old.diff(&new)?;
/// let total = &migration.totals()[2];
/// assert_eq!((*total.node, total.gives, total.takes), ("c", 0, migration.measure()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeTotal<'a, N> {
    /// The node as the new side knows it, or as the old side does if it leaves.
    pub node: &'a N,
    /// The number of tokens that it gives.
    pub gives: u128,
    /// The number of tokens that it takes.
    pub takes: u128,
}

/// The sum of all moves from one node to another; see [`Migration::flows`].
///
/// # Examples
/// ```
/// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
/// let mut new = old.clone();
/// new.insert("c")?;
/// let migration = old.diff(&new)?;
/// let flow = &migration.flows()[0];
/// println!("{} ranges from {:?} to {:?}", flow.moves, flow.from, flow.to);
/// assert_eq!(flow.to, Some(&"c"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flow<'a, N> {
    /// The giver, or `None` if no node had the tokens.
    pub from: Option<&'a N>,
    /// The taker, or `None` if no node will have the tokens.
    pub to: Option<&'a N>,
    /// The number of moves.
    pub moves: usize,
    /// The number of tokens.
    pub measure: u128,
}

impl<N> Clone for NodeTotal<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for NodeTotal<'_, N> {}

impl<N> Clone for Flow<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Flow<'_, N> {}

impl<N> Migration<'_, N> {
    /// Returns what each node of either side gives and takes, in order of identity. Nodes that
    /// neither give nor take are included.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.remove("a");
    /// let migration = old.diff(&new)?;
    /// let gives: Vec<_> = migration.totals().iter().map(|total| total.gives > 0).collect();
    /// assert_eq!(gives, [true, false]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(N + moves).
    pub fn totals(&self) -> Vec<NodeTotal<'_, N>> {
        let mut totals: Vec<_> = self
            .nodes
            .iter()
            .map(|both| NodeTotal {
                node: both.node(),
                gives: 0,
                takes: 0,
            })
            .collect();
        for step in &self.steps {
            let measure = measure(step.first, step.last);
            if let Some(total) = totals.get_mut(step.from as usize) {
                total.gives += measure;
            }
            if let Some(total) = totals.get_mut(step.to as usize) {
                total.takes += measure;
            }
        }
        totals
    }

    /// Returns how much each node gives to each other one, the largest flow first.
    ///
    /// # Examples
    /// ```
    /// let old = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let migration = old.diff(&new)?;
    /// let sum: u128 = migration.flows().iter().map(|flow| flow.measure).sum();
    /// assert_eq!((migration.flows().len(), sum), (2, migration.measure()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(moves × log moves).
    pub fn flows(&self) -> Vec<Flow<'_, N>> {
        self.pairs()
            .into_iter()
            .map(|(from, to, moves, measure)| Flow {
                from: self.nodes.get(from as usize).and_then(|both| both.old),
                to: self.nodes.get(to as usize).and_then(|both| both.new),
                moves,
                measure,
            })
            .collect()
    }

    fn pairs(&self) -> Vec<(u32, u32, usize, u128)> {
        let step = |step: &Step| (step.from, step.to, measure(step.first, step.last));
        let mut steps: Vec<_> = self.steps.iter().map(step).collect();
        steps.sort_unstable();
        let mut pairs: Vec<_> = steps
            .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
            .map(|pair| {
                let sum = pair.iter().map(|&(.., measure)| measure).sum();
                (pair[0].0, pair[0].1, pair.len(), sum)
            })
            .collect();
        // Stable: equal flows stay in order of identity.
        pairs.sort_by_key(|&(.., sum)| core::cmp::Reverse(sum));
        pairs
    }

    fn name(&self, place: u32) -> String {
        if place == NOBODY {
            String::from("(none)")
        } else {
            readable(self.nodes[place as usize].identity)
        }
    }
}

/// The total, then the flows between nodes, the largest first, at most 20.
impl<N> fmt::Display for Migration<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ROWS: usize = 20;
        let (percent, moves) = (100.0 * self.share(), self.steps.len());
        if self.is_empty() {
            return write!(f, "nothing moves");
        }
        write!(f, "{percent:.2} % moves, in {moves} ranges")?;
        let pairs = self.pairs();
        let rows: Vec<_> = pairs
            .iter()
            .take(ROWS)
            .map(|&(from, to, moves, sum)| (self.name(from), self.name(to), moves, sum))
            .collect();
        let width = |name: fn(&(String, String, usize, u128)) -> &String| {
            let longest = rows.iter().map(|row| name(row).chars().count()).max();
            longest.unwrap_or(0).clamp(8, 40)
        };
        let (from_width, to_width) = (width(|row| &row.0), width(|row| &row.1));
        write!(
            f,
            "\n{:<from_width$}    {:<to_width$} {:>8} {:>9}",
            "from", "to", "ranges", "share"
        )?;
        for (from, to, moves, sum) in &rows {
            let percent = 100.0 * self.share_of(*sum);
            write!(
                f,
                "\n{from:<from_width$} -> {to:<to_width$} {moves:>8} {percent:>7.2} %"
            )?;
        }
        if pairs.len() > ROWS {
            let hidden = &pairs[ROWS..];
            let moves: usize = hidden.iter().map(|&(_, _, moves, _)| moves).sum();
            let percent = 100.0 * self.share_of(hidden.iter().map(|&(.., sum)| sum).sum());
            let count = hidden.len();
            write!(
                f,
                "\n… {count} more pairs with {moves} ranges, {percent:.2} %"
            )?;
        }
        Ok(())
    }
}
