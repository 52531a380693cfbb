//! [`Spread`]: several nodes for a hot key.

use super::few::Few;
use super::{forward_members, weight_of, wrapper};
use crate::hash::Token;
use crate::load::{Load, relative};
use crate::nodes::Member;
use crate::strategy::{Membership, Strategy, picking_verbs, routing_verbs};
use core::fmt;

/// A strategy that spreads a hot key over the first r nodes of its own order and picks the least
/// loaded of them.
///
/// You choose how many nodes a key needs, by its token: 1 for all keys except the few that you have
/// counted as hot. See [`width_for`](Spread::width_for). A key of width r uses only its first r
/// nodes. Changing r adds or drops only the last of them, so the caches of the others stay warm.
/// The rest of the key's order follows unchanged.
///
/// Loads are compared as `load() / weight`. Equal loads keep the key's own order.
///
/// # Examples
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
/// # Performance
/// A pick of width r takes r nodes of the inner strategy and sorts r loads. It allocates nothing up
/// to r = 16. A pick of width 1 is that of the inner strategy.
#[derive(Clone)]
pub struct Spread<S, W> {
    strategy: S,
    width: W,
}

impl<S, W> Spread<S, W> {
    /// Creates `strategy` with each key spread over as many nodes as `width` returns for its
    /// [`Token`], at least 1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Spread, Tracked};
    ///
    /// let ring = HashRing::from_nodes(["a", "b", "c"].map(Tracked::new))?;
    /// let hot = ring.token("front page");
    /// let spread = Spread::new(ring, move |token| if token == hot { 3 } else { 1 });
    /// assert!(spread.route("front page").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new(strategy: S, width: W) -> Self
    where
        W: Fn(Token) -> usize,
    {
        Spread { strategy, width }
    }

    /// Returns the inner strategy.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Spread, Tracked};
    ///
    /// let spread = Spread::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, |_| 2);
    /// assert_eq!(spread.strategy().point_count(), 1024);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// Returns a mutable reference to the inner strategy, to change its members.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Spread, Tracked};
    ///
    /// let mut spread = Spread::new(HashRing::from_nodes(["a", "b"].map(Tracked::new))?, |_| 2);
    /// spread.strategy_mut().insert(Tracked::new("c"))?;
    /// assert_eq!(spread.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn strategy_mut(&mut self) -> &mut S {
        &mut self.strategy
    }
}

impl Spread<(), ()> {
    /// Returns how many nodes a hot key needs: ⌈share · nodes / part⌉, from 1 to `nodes`.
    ///
    /// `share` is the key's fraction of all requests, 0 to 1, and `nodes` the number of equal
    /// nodes. Spread over as many as are returned, the key takes at most `part` of the fair share
    /// of each.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Spread;
    ///
    /// // A key with 3 % of the requests to 100 nodes would treble the load of a node.
    /// // It may take half of a node's fair share:
    /// assert_eq!(Spread::width_for(0.03, 100, 0.5), 6);
    /// assert_eq!(Spread::width_for(0.0001, 100, 0.5), 1);
    /// ```
    #[must_use]
    pub fn width_for(share: f64, nodes: usize, part: f64) -> usize {
        let wanted = share * nodes as f64 / part;
        // `core` has no `ceil`. The cast truncates, and returns 0 for NaN and for negative numbers.
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

routing_verbs!(
    impl[S: Strategy<Node: Load>, W: Fn(Token) -> usize] Spread<S, W>, S::Node, example Spread
);
picking_verbs!(
    impl[S: Strategy<Node: Load>, W: Fn(Token) -> usize] Spread<S, W>, S::Node, example Spread
);
wrapper!(
    Spread<S, W>,
    S::Node, example Spread,
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
