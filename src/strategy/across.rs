//! The order over zones (racks, regions), for a single call and for [`Zoned`](crate::Zoned).

mod rounds;
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
    let mut replicas = Vec::new();
    if n == 0 {
        return (replicas, 0);
    }
    let token = strategy.token_of(key.key_bytes().as_ref());
    let walk = Walk {
        known: None,
        patience: n.saturating_add(PATIENCE),
    };
    let (_, zones) = walk.pick(strategy, token, &mut zone, &mut |node| {
        replicas.push(node);
        replicas.len() == n
    });
    (replicas, zones)
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
    let walk = Walk {
        known: Some(zones),
        patience: PATIENCE,
    };
    walk.pick(strategy, token, zone, accept).0
}

/// How to walk along a strategy's order.
struct Walk<'z> {
    /// What is known of the zones before.
    known: Option<&'z Zones>,
    /// Nodes that may wait before the zones are counted, if they are not known or a filter may
    /// have emptied some.
    patience: usize,
}

impl Walk<'_> {
    /// Returns the node that `accept` took, and how many zones were met.
    fn pick<'a, S, Z>(
        &self,
        strategy: &'a S,
        token: Token,
        zone: &mut impl FnMut(&'a S::Node) -> Z,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
    ) -> (Option<&'a S::Node>, usize)
    where
        S: Strategy + ?Sized,
        Z: PartialEq,
    {
        let may_count = self.known.is_none() || strategy.is_filtered();
        let mut counted = None;
        let mut rounds = Rounds::new();
        let mut chosen = None;
        let (mut lone_asked, mut lone) = (false, None::<&S::Node>);
        strategy.pick(token, &mut |node| {
            if lone.is_some_and(|lone| ptr::eq(lone, node)) {
                return false;
            }
            let zones = counted.as_ref().or(self.known);
            chosen = rounds.meet(node, zone(node), zones, accept);
            if chosen.is_some() {
                return true;
            }
            if may_count && counted.is_none() && rounds.waiting() > self.patience {
                counted = Some(Zones::of(strategy, zone, Count::Admitted));
                chosen = rounds.go_on(counted.as_ref(), accept);
                lone_asked = false;
            }
            if let Some(zones) = counted.as_ref().or(self.known) {
                if chosen.is_none() && !lone_asked && rounds.misses_one_zone(zones) {
                    lone_asked = true;
                    lone = lone_of(strategy, zones).filter(|&node| !rounds.has_met(&zone(node)));
                    chosen = match lone {
                        Some(node) if strategy.admits(node) => {
                            rounds.meet(node, zone(node), Some(zones), accept)
                        }
                        Some(_) => {
                            lone = None;
                            rounds.give_up_one();
                            rounds.go_on(Some(zones), accept)
                        }
                        None => None,
                    };
                }
            }
            chosen.is_some()
        });
        let zones = rounds.zones();
        (chosen.or_else(|| rounds.finish(accept)), zones)
    }
}

/// Returns the node that is alone in its zone, if there is one such zone.
fn lone_of<'a, S: Strategy + ?Sized>(strategy: &'a S, zones: &Zones) -> Option<&'a S::Node> {
    let member = strategy.member(zones.lone()?)?;
    (!member.drained).then_some(member.node)
}
