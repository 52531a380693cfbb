//! Strategies around a strategy: each changes the order of preference of the one inside, and nothing else.

#[cfg(target_has_atomic = "ptr")]
mod bounded;
mod failover;
mod few;
mod filtered;
mod spread;
#[cfg(feature = "sticky")]
mod sticky;

#[cfg(target_has_atomic = "ptr")]
pub use bounded::{Bounded, Lease};
pub use failover::Failover;
pub use filtered::Filtered;
pub use spread::Spread;
#[cfg(feature = "sticky")]
pub use sticky::Sticky;

use crate::key::Key;
use crate::strategy::Strategy;

/// Passes on what a wrapper leaves as it is.
macro_rules! forward_members {
    ($strategy:ident, $N:ty) => {
        fn token_of(&self, key: &[u8]) -> Token {
            self.$strategy.token_of(key)
        }

        fn weight_of(&self, node: &$N) -> Option<u32> {
            self.$strategy.weight_of(node)
        }

        fn member(&self, id: &[u8]) -> Option<Member<'_, $N>> {
            self.$strategy.member(id)
        }

        fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, $N>)) {
            self.$strategy.for_each_member(f);
        }
    };
}
use forward_members;

/// Passes changes of the membership on, through `strategy_mut`.
macro_rules! forward_membership {
    ($N:ty) => {
        fn set_members(&mut self, all: Vec<($N, u32)>) -> Result<Changes<$N>, NodeError> {
            self.strategy_mut().set_members(all)
        }

        fn set_drained(&mut self, id: &[u8], drained: bool) -> Result<(), NodeError> {
            self.strategy_mut().set_drained(id, drained)
        }
    };
}
use forward_membership;

/// The weight of a node that `strategy` has handed out, 1 at least.
fn weight_of<N: Key>(strategy: &impl Strategy<N>, node: &N) -> u32 {
    let weight = strategy.weight_of(node).or_else(|| {
        let member = strategy.member(node.key_bytes().as_ref())?;
        Some(member.weight)
    });
    weight.unwrap_or(1).max(1)
}
