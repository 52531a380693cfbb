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

/// Passes on what a wrapper leaves as it is.
macro_rules! forward_members {
    ($strategy:ident, $N:ty) => {
        fn token_of(&self, key: &[u8]) -> Token {
            self.$strategy.token_of(key)
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
