//! [`Zoned`]: an order over zones.

mod copies;

use super::{forward_members, wrapper};
use crate::hash::Token;
use crate::nodes::Member;
use crate::strategy::{
    Count, Membership, Strategy, Zones, pick_across, picking_verbs, routing_verbs,
};
use core::fmt;

#[cfg(feature = "std")]
use std::sync::OnceLock;

/// A strategy whose order spreads over zones (racks, regions): no zone repeats while another is
/// unused.
///
/// The nodes of each zone are ranked by preference. All first nodes are first, in order of
/// preference, then all second nodes, and so on. So the first n nodes of a key are what
/// [`replicas_across`](crate::Route::replicas_across) returns for n, and a change of one node
/// changes at most one of them. The owner is the same as without zones.
///
/// Everything that works on an order of preference works over zones: `replicas`, failover to the
/// next node, [`Bounded`](crate::Bounded) around it, [`Failover`](crate::Failover) between groups.
///
/// # Examples
///
/// ```
/// use clockwise::{HashRing, Zoned};
///
/// let ring = HashRing::from_nodes(["a-1", "a-2", "b-1", "b-2", "c-1"])?;
/// let zoned = Zoned::new(ring, |node| node.as_bytes()[0]);
///
/// let copies = zoned.replicas("user:42", 3);
/// let zones: std::collections::BTreeSet<_> = copies.iter().map(|node| &node[..1]).collect();
/// assert_eq!(zones.len(), 3);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Zones
///
/// A zone is any value that can be compared. It must not borrow from the node: return a number, a
/// `&'static str` or an `Arc<str>`. The function is called for each node that is looked at, so it
/// should be cheap. It must return the same zone for a node until the node is changed through
/// `&mut`.
///
/// The sizes of the zones are counted at the first use after a change, in O(N × zones), as the
/// total weight of [`Bounded`](crate::Bounded) is. Changes through the membership verbs,
/// [`strategy_mut`](Zoned::strategy_mut) and `get_mut` are all noticed. If a strategy of your own
/// changes members behind `&self`, call `strategy_mut` afterwards. Until then each node is still
/// offered once, but a zone may repeat early.
///
/// # Health checks belong inside
///
/// Write `Zoned::new(Filtered::new(…), …)`. Then a refused node is skipped, and the next node
/// of its zone takes its rank. A filter around a `Zoned`, or the condition of `route_where`, is
/// too late: the refused node has used up its zone's turn, so the copies are spread over fewer
/// zones than they could be.
///
/// # Performance
///
/// A walk stops as soon as every zone that has a node of the wanted rank has shown it. In zones of
/// equal size that is a few nodes more than are asked for. A zone of s nodes among N is found
/// after N / (s + 1) nodes on average, because a strategy can only be asked for its next node. One
/// zone of a single node costs nothing: if it is the only zone missing, its node is the next.
///
/// If a filter inside has emptied a zone, a walk to a later rank looks at every member once.
///
/// Without the feature `std` the zones are counted at each pick.
#[derive(Clone)]
pub struct Zoned<S, D> {
    strategy: S,
    zone: D,
    /// Counted at first use, forgotten with each `&mut` to the strategy.
    #[cfg(feature = "std")]
    zones: OnceLock<Zones>,
}

impl<S, D> Zoned<S, D> {
    /// Creates a strategy with the nodes of `strategy`, spread over the zones that `zone` returns.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Zoned};
    ///
    /// let ring = HashRing::from_nodes(["eu-1", "eu-2", "us-1"])?;
    /// let zoned = Zoned::new(ring, |node: &&'static str| &node[..2]);
    /// let copies = zoned.replicas("user:42", 2);
    /// assert_ne!(copies[0][..2], copies[1][..2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new<V>(strategy: S, zone: D) -> Self
    where
        S: Strategy,
        D: Fn(&S::Node) -> V,
        V: PartialEq,
    {
        Zoned {
            strategy,
            zone,
            #[cfg(feature = "std")]
            zones: OnceLock::new(),
        }
    }

    /// Returns the inner strategy.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Zoned};
    ///
    /// let ring = HashRing::from_nodes(["eu-1", "us-1"])?;
    /// let zoned = Zoned::new(ring, |node: &&'static str| &node[..2]);
    /// assert_eq!(zoned.strategy().route("user:42"), zoned.route("user:42")); // the same owner
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// Returns a mutable reference to the inner strategy. The zones are counted again at the next
    /// use.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Zoned};
    ///
    /// let ring = HashRing::from_nodes(["eu-1"])?;
    /// let mut zoned = Zoned::new(ring, |node: &&'static str| &node[..2]);
    /// zoned.strategy_mut().insert("us-1")?;
    /// assert_eq!(zoned.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn strategy_mut(&mut self) -> &mut S {
        #[cfg(feature = "std")]
        {
            self.zones = OnceLock::new();
        }
        &mut self.strategy
    }
}

impl<S, D, V> Zoned<S, D>
where
    S: Strategy,
    D: Fn(&S::Node) -> V,
    V: PartialEq,
{
    #[cfg(feature = "std")]
    fn with_zones<T>(&self, f: impl FnOnce(&Zones) -> T) -> T {
        match self.zones.get() {
            Some(zones) => f(zones),
            // Counted before the cell is filled: a zone function that asks this strategy for a node
            // must not wait for itself.
            None => {
                let zones = self.count();
                f(self.zones.get_or_init(|| zones))
            }
        }
    }

    #[cfg(not(feature = "std"))]
    fn with_zones<T>(&self, f: impl FnOnce(&Zones) -> T) -> T {
        f(&self.count())
    }

    #[cold]
    fn count(&self) -> Zones {
        Zones::of(&self.strategy, &mut &self.zone, Count::Eligible)
    }
}

impl<S, D, V> Strategy for Zoned<S, D>
where
    S: Strategy,
    D: Fn(&S::Node) -> V,
    V: PartialEq,
{
    type Node = S::Node;

    fn pick<'a>(
        &'a self,
        token: Token,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        self.with_zones(|zones| pick_across(&self.strategy, token, zones, &mut &self.zone, accept))
    }

    fn route_token(&self, token: Token) -> Option<&S::Node> {
        self.strategy.route_token(token)
    }

    fn admits(&self, node: &S::Node) -> bool {
        self.strategy.admits(node)
    }

    forward_members!(strategy);
}

routing_verbs!(
    impl[S: Strategy, D: Fn(&S::Node) -> V, V: PartialEq] Zoned<S, D>, S::Node, example Zoned
);
picking_verbs!(
    impl[S: Strategy, D: Fn(&S::Node) -> V, V: PartialEq] Zoned<S, D>, S::Node, example Zoned
);
wrapper!(
    Zoned<S, D>,
    S::Node, example Zoned,
    [S: Strategy, D: Fn(&S::Node) -> V, V: PartialEq],
    [S: Membership, D: Fn(&S::Node) -> V, V: PartialEq]
);

impl<S: fmt::Debug, D> fmt::Debug for Zoned<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zoned")
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}
