//! [`Spread`]: several nodes for a hot key.

use super::few::Few;
use super::{forward_members, weight_of, wrapper};
use crate::hash::Token;
use crate::load::{Load, relative};
use crate::nodes::Member;
use crate::strategy::{Membership, Strategy, picking_verbs, routing_verbs};
use core::fmt;

/// A strategy that spreads a hot key over the first r nodes of its own order and takes the least loaded of them.
///
/// How many nodes a key needs is the caller's to say, by its token: 1 for all but the few that the caller has counted as hot, see
/// [`width_for`](Spread::width_for). A key of width r lives on r nodes and no others; growing or shrinking r adds or drops only the tail,
/// so r − 1 caches stay warm. The rest of the order follows those, as it is.
///
/// Loads are compared as `load() / weight`; equal ones in the key's own order.
///
/// ```
/// use clockwise::{HashRing, Spread, Tracked};
///
/// let ring = HashRing::from_nodes(["a", "b", "c", "d"].map(Tracked::new))?;
/// let hot = ring.token("front page");
/// let spread = Spread::new(ring, move |token| if token == hot { 2 } else { 1 });
///
/// let first = spread.route("front page").unwrap();
/// let _busy = first.begin();
/// let second = spread.route("front page").unwrap();
/// assert_eq!(spread.strategy().replicas("front page", 2), [first, second]);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Complexity
/// For width r: r nodes of the strategy inside, then a sort of r loads. Allocates nothing up to r = 16. A pick of width 1 is that of the strategy inside.
#[derive(Clone)]
pub struct Spread<S, W> {
    strategy: S,
    width: W,
}

impl<S, W> Spread<S, W> {
    /// `strategy`, with each key spread over as many nodes as `width` says of its [`Token`], 1 at least.
    pub const fn new(strategy: S, width: W) -> Self
    where
        W: Fn(Token) -> usize,
    {
        Spread { strategy, width }
    }

    /// The strategy inside.
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// The strategy inside, to change its members.
    pub const fn strategy_mut(&mut self) -> &mut S {
        &mut self.strategy
    }
}

impl Spread<(), ()> {
    /// How many nodes a key needs that makes up `share` of all requests (0 to 1), so that on none of `nodes` equal nodes it takes more
    /// than `part` of the node's even share: ⌈share · nodes / part⌉, from 1 to `nodes`.
    ///
    /// ```
    /// use clockwise::Spread;
    ///
    /// // A key with 3 % of the requests to 100 nodes alone would treble a node's load. Half of a node's share is to be its most:
    /// assert_eq!(Spread::width_for(0.03, 100, 0.5), 6);
    /// assert_eq!(Spread::width_for(0.0001, 100, 0.5), 1);
    /// ```
    #[must_use]
    pub fn width_for(share: f64, nodes: usize, part: f64) -> usize {
        let wanted = share * nodes as f64 / part;
        // core has no `ceil`. The cast cuts off, and makes 0 of NaN and of what is negative.
        let whole = wanted as usize;
        let ceiling = whole.saturating_add(usize::from((whole as f64) < wanted));
        ceiling.clamp(1, nodes.max(1))
    }
}

impl<S, W> Strategy for Spread<S, W>
where
    S: Strategy<Node: Load>,
    W: Fn(Token) -> usize,
{
    type Node = S::Node;

    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        let width = (self.width)(token);
        if width <= 1 {
            return self.strategy.pick(token, accept);
        }
        let mut head = Few::new();
        let mut chosen = None;
        self.strategy.pick(token, &mut |node| {
            if head.len() == width {
                chosen = accept(node).then_some(node);
            } else {
                let weight = f64::from(weight_of(&self.strategy, node));
                head.push((relative(node.load(), weight), head.len(), node));
                if head.len() == width {
                    chosen = least_loaded_first(&mut head, accept);
                }
            }
            chosen.is_some()
        });
        if head.len() < width {
            chosen = least_loaded_first(&mut head, accept);
        }
        chosen
    }

    fn admits(&self, node: &S::Node) -> bool {
        self.strategy.admits(node)
    }

    forward_members!(strategy);
}

fn least_loaded_first<'a, N>(
    head: &mut Few<(f64, usize, &'a N)>,
    accept: &mut dyn FnMut(&'a N) -> bool,
) -> Option<&'a N> {
    head.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    head.iter()
        .map(|(_, _, node)| node)
        .find(|&node| accept(node))
}

routing_verbs!(impl[S: Strategy<Node: Load>, W: Fn(Token) -> usize] Spread<S, W>, S::Node);
picking_verbs!(impl[S: Strategy<Node: Load>, W: Fn(Token) -> usize] Spread<S, W>, S::Node);
wrapper!(
    Spread<S, W>,
    S::Node,
    [S: Strategy<Node: Load>, W: Fn(Token) -> usize],
    [S: Membership + Strategy<Node: Load>, W: Fn(Token) -> usize]
);

impl<S: fmt::Debug, W> fmt::Debug for Spread<S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spread")
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}
