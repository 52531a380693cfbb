//! The order over zones (racks, regions), for a single call and for [`Zoned`](crate::Zoned).

mod rounds;
mod waiting;
mod zones;

pub(crate) use zones::{Count, Zones};

use super::Strategy;
use crate::hash::Token;
use crate::key::Key;
use alloc::vec::Vec;
use core::ptr;
use rounds::Rounds;

/// Nodes that may wait for their round before the members are counted. Counting looks at every
/// member once, for about a tenth of what it costs to walk to all of them.
const PATIENCE: usize = 32;

/// Returns the replicas over zones, and how many zones were seen (all there are, if fewer than
/// `n`).
pub(super) fn across<'a, S, K, Z, F>(
    strategy: &'a S,
    key: &K,
    n: usize,
    mut zone: F,
) -> (Vec<&'a S::Node>, usize)
where
    S: Strategy + ?Sized,
    K: Key + ?Sized,
    Z: PartialEq,
    F: FnMut(&'a S::Node) -> Z,
{
    let mut replicas = Vec::with_capacity(n.min(8));
    if n == 0 {
        return (replicas, 0);
    }
    let token = strategy.token_of(key.key_bytes().as_ref());
    let mut walk = Walk::new(strategy, None, n.saturating_add(PATIENCE));
    walk.pick(token, &mut zone, &mut |node| {
        replicas.push(node);
        replicas.len() == n
    });
    (replicas, walk.rounds.zones())
}

/// Offers the nodes over zones, as a strategy does that knows its zones.
pub(crate) fn pick_across<'a, S, Z>(
    strategy: &'a S,
    token: Token,
    zones: &Zones,
    zone: &mut impl FnMut(&'a S::Node) -> Z,
    accept: &mut dyn FnMut(&'a S::Node) -> bool,
) -> Option<&'a S::Node>
where
    S: Strategy + ?Sized,
    Z: PartialEq,
{
    Walk::new(strategy, Some(zones), PATIENCE).pick(token, zone, accept)
}

/// A walk along a strategy's order that turns it into the order over zones.
struct Walk<'a, 'z, S: Strategy + ?Sized, Z> {
    strategy: &'a S,
    rounds: Rounds<&'a S::Node, Z>,
    /// The zones that were counted before.
    known: Option<&'z Zones>,
    /// The zones that were counted during the walk.
    counted: Option<Zones>,
    /// Nodes that may wait before the members are counted. The greatest number if the zones are
    /// known for certain.
    patience: usize,
    /// `true` if a node that is alone in its zone can still be found without a walk.
    may_jump: bool,
    /// A node that was found before the walk reached it.
    ahead: Option<&'a S::Node>,
}

impl<'a, 'z, S: Strategy + ?Sized, Z: PartialEq> Walk<'a, 'z, S, Z> {
    fn new(strategy: &'a S, known: Option<&'z Zones>, patience: usize) -> Self {
        // A filter inside may have emptied zones that were counted before.
        let certain = known.is_some() && !strategy.is_filtered();
        Walk {
            strategy,
            rounds: Rounds::new(),
            known,
            counted: None,
            patience: if certain { usize::MAX } else { patience },
            may_jump: known.is_some_and(|zones| zones.lone().is_some()),
            ahead: None,
        }
    }

    /// Returns the node that `accept` took.
    fn pick(
        &mut self,
        token: Token,
        zone: &mut impl FnMut(&'a S::Node) -> Z,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        let mut found = None;
        self.strategy.pick(token, &mut |node| {
            found = self.meet(node, zone, accept);
            found.is_some()
        });
        found.or_else(|| self.rounds.finish(accept))
    }

    #[inline]
    fn meet(
        &mut self,
        node: &'a S::Node,
        zone: &mut impl FnMut(&'a S::Node) -> Z,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        if self.ahead.is_some_and(|ahead| ptr::eq(ahead, node)) {
            return None;
        }
        let zones = self.counted.as_ref().or(self.known);
        let mut found = self.rounds.meet(node, zone(node), zones, accept);
        if found.is_none() && self.rounds.keep_waiting(self.patience) {
            found = self.count(zone, accept);
        }
        if found.is_none() && self.may_jump {
            found = self.jump(zone, accept);
        }
        found
    }

    /// Counts the members that are offered now, because too many nodes wait.
    #[cold]
    fn count(
        &mut self,
        zone: &mut impl FnMut(&'a S::Node) -> Z,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        let counted = Zones::of(self.strategy, zone, Count::Admitted);
        self.patience = usize::MAX;
        self.may_jump = counted.lone().is_some();
        let zones = self.counted.insert(counted);
        self.rounds.go_on(Some(zones), accept)
    }

    /// Takes the node that is alone in its zone, if that is the only zone missing: it is the next,
    /// however far it is.
    fn jump(
        &mut self,
        zone: &mut impl FnMut(&'a S::Node) -> Z,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> Option<&'a S::Node> {
        let zones = self.counted.as_ref().or(self.known)?;
        if !self.rounds.misses_one_zone(zones) {
            return None;
        }
        self.may_jump = false;
        let lone = self.strategy.member(zones.lone()?)?;
        let its_zone = zone(lone.node);
        if lone.drained || self.rounds.has_met(&its_zone) {
            return None;
        }
        if self.strategy.admits(lone.node) {
            self.ahead = Some(lone.node);
            self.rounds.meet(lone.node, its_zone, Some(zones), accept)
        } else {
            self.rounds.give_up_one();
            self.rounds.go_on(Some(zones), accept)
        }
    }
}
