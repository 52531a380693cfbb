//! Slow start by turns: what the load-driven strategies share.
//!
//! The share that a warming node should get is warmth × weight / total weight. A factor on its load
//! cannot give it: at small loads it is a switch, as a node of 10 times its load never wins against
//! an idle one. So a pick draws one node in proportion to weight. If that node is warming, the pick
//! is its turn with probability `warmth`. All other picks choose among the warm nodes.

use super::{Load, relative};
use crate::random::Random;

/// A node on its turn may have this many times the load of the warm node that it is compared with.
const BUSIER: f64 = 4.0;

/// Which node a pick has drawn, in proportion to weight, and whether the pick is its turn.
///
/// It stands until that node is refused, and then another one is drawn. If each refusal led to
/// another draw, the idle nodes that a filter refuses would give a warming node many chances.
///
/// To learn whether a node that was drawn is refused, it is preferred to its equals: a node that is
/// drawn and never offered is busier than the others, so it has been accepted before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) drawn: u32,
    pub(crate) is_turn: bool,
}

impl Turn {
    /// A warm node was drawn.
    #[inline]
    pub(crate) fn none_of(drawn: u32) -> Self {
        let is_turn = false;
        Turn { drawn, is_turn }
    }
}

/// A node with its weight, as a pick sees it.
pub(crate) struct Candidate<'a, N> {
    pub(crate) node: &'a N,
    pub(crate) weight: u32,
}

impl<N: Load> Candidate<'_, N> {
    /// Whether the pick is the turn of this node, which was drawn in proportion to weight.
    pub(crate) fn draws_turn(&self, random: &mut Random) -> bool {
        let warmth = self.node.warmth();
        // 53 random bits as a fraction of 1.
        warmth < 1.0 && ((random.draw() >> 11) as f64) < warmth * (1u64 << 53) as f64
    }

    /// Whether it may take its turn although the warm node `instead` would be picked otherwise. A
    /// node that hangs may not, since its load grows.
    pub(crate) fn may_take_turn(&self, instead: &Self) -> bool {
        let heavier = f64::from(self.weight) / f64::from(instead.weight);
        let [load, other] = [self, instead].map(|node| relative(node.node.load(), 1.0));
        load <= BUSIER * other * heavier.max(1.0)
    }

    /// Whether it is as busy as another warm node, and warm too.
    pub(crate) fn is_warm_equal_of(&self, other: &Self) -> bool {
        let [a, b] = [self, other].map(|node| relative(node.node.load(), f64::from(node.weight)));
        !is_warming(self.node) && a == b
    }

    /// Returns what warming nodes are compared by if no node is warm.
    pub(crate) fn load_by_warmth(&self) -> f64 {
        let warmth = self.node.warmth().min(1.0);
        relative(self.node.load(), f64::from(self.weight) * positive(warmth))
    }
}

/// Whether a node is warming. NaN is warm.
#[inline]
pub(crate) fn is_warming<N: Load>(node: &N) -> bool {
    node.warmth() < 1.0
}

/// A divisor must be above 0.
fn positive(warmth: f64) -> f64 {
    warmth.max(f64::MIN_POSITIVE)
}
