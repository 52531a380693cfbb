//! The caps that apply to one request, which `acquire`, `pick` and `cap` share.

use super::Bounded;
use super::caps::Caps;
use crate::hash::Token;
use crate::load::Counted;
use crate::strategy::Strategy;

/// One look at the caps, with the L that was read and the W that has been counted so far.
///
/// W is the weight of the nodes that can be offered. It depends on predicates that may change at
/// any time, so it is never kept beyond one look. It is counted only if that may matter: the
/// weight of all members that are not drained is at least W, so a node below its cap by the former
/// is below its cap by W too. Counting makes the bound smaller with each node that is refused, and
/// stops when the node in question is below its cap.
pub(super) struct Look<'a, S> {
    bounded: &'a Bounded<S>,
    /// L: the requests in flight.
    in_flight: u32,
    /// At least W. Exactly W once all members were asked.
    weight: u64,
    /// The weight of the members that were asked, in the order in which `count` asks them.
    asked: u64,
    /// Where to start to ask. It moves, so that refused nodes are found early on average,
    /// wherever in the list they are.
    token: Token,
}

impl<'a, S: Strategy<Node: Counted>> Look<'a, S> {
    /// `conditional` is `true` if the caller refuses nodes, besides the inner strategy.
    #[inline]
    pub(super) fn new(
        bounded: &'a Bounded<S>,
        in_flight: u32,
        token: Token,
        conditional: bool,
    ) -> Self {
        let exact = !conditional && !bounded.strategy.is_filtered();
        Look {
            bounded,
            in_flight,
            weight: bounded.total_weight.of(&bounded.strategy),
            asked: if exact { u64::MAX } else { 0 },
            token,
        }
    }

    /// The caps by what is known of W, without the floor.
    #[inline]
    pub(super) fn caps(&self) -> Caps {
        self.bounded.factor.caps(self.in_flight.into(), self.weight)
    }

    /// Makes `attempt` with caps that are not above the exact ones, until it succeeds or was made
    /// with the exact ones.
    #[inline]
    pub(super) fn attempt<T>(
        &mut self,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
        attempt: impl Fn(Caps) -> Option<T>,
    ) -> Option<T> {
        attempt(self.caps()).or_else(|| self.attempt_further(accept, &attempt))
    }

    #[cold]
    fn attempt_further<T>(
        &mut self,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
        attempt: &dyn Fn(Caps) -> Option<T>,
    ) -> Option<T> {
        attempt(self.bounded.floor()).or_else(|| self.count(accept, attempt))
    }

    /// Asks the members that were not asked yet, and subtracts the weight of those that cannot be
    /// offered.
    fn count<T>(
        &mut self,
        accept: &mut dyn FnMut(&'a S::Node) -> bool,
        attempt: &dyn Fn(Caps) -> Option<T>,
    ) -> Option<T> {
        if self.asked == u64::MAX {
            return None;
        }
        let strategy = &self.bounded.strategy;
        let start = self.start();
        let (mut seen, mut done) = (0, None);
        // First those from the start on, then those before it.
        for from_start in [true, false] {
            let mut place = 0;
            strategy.for_each_eligible(&mut |member| {
                if done.is_some() {
                    return;
                }
                let here = place;
                place += u64::from(member.weight);
                if (here >= start) != from_start {
                    return;
                }
                seen += u64::from(member.weight);
                if seen <= self.asked {
                    return;
                }
                self.asked = seen;
                if !(strategy.admits(member.node) && accept(member.node)) {
                    self.weight = self.weight.saturating_sub(member.weight.into());
                    done = attempt(self.caps());
                }
            });
            if done.is_some() {
                return done;
            }
        }
        self.asked = u64::MAX;
        None
    }

    fn start(&self) -> u64 {
        let mixed = self.token.get().wrapping_add(self.in_flight.into());
        let fraction = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let total = self.bounded.total_weight.of(&self.bounded.strategy);
        ((u128::from(fraction) * u128::from(total)) >> 64) as u64
    }

    /// The exact cap of a member of this weight. 0 if no node can be offered.
    pub(super) fn cap(mut self, weight: u32) -> u32 {
        self.count(&mut |_| true, &|_| None::<()>);
        if self.weight == 0 {
            return 0;
        }
        let floor = self.bounded.floor().cap(weight);
        self.caps().cap(weight).max(floor)
    }

    /// At least W, and exactly W if an attempt has failed.
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }
}
