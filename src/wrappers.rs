//! Strategies around a strategy. Each changes the order of preference of the inner strategy, and
//! nothing else.
//!
//! # Examples
//! ```
//! use clockwise::{Bounded, Filtered, HashRing, Tracked};
//!
//! // From the inside: a ring, without the nodes that are down, with a cap on each node.
//! let ring = HashRing::from_nodes(["a", "b", "c"].map(Tracked::new))?;
//! let healthy = Filtered::new(ring, |node: &Tracked<&str>| **node != "b");
//! let bounded = Bounded::new(healthy, 1.25)?;
//! assert_ne!(**bounded.acquire("user:42").unwrap(), "b");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod any_strategy;
#[cfg(target_has_atomic = "ptr")]
mod bounded;
mod failover;
mod few;
mod filtered;
mod spread;
#[cfg(feature = "sticky")]
mod sticky;
mod zoned;

pub use any_strategy::AnyStrategy;
#[cfg(target_has_atomic = "ptr")]
pub use bounded::{Bounded, Lease};
pub use failover::Failover;
pub use filtered::Filtered;
pub use spread::Spread;
#[cfg(feature = "sticky")]
pub use sticky::{Session, Sticky};
pub use zoned::Zoned;

use crate::key::Key;
use crate::strategy::Strategy;

/// Forwards the methods about members to the inner strategy, for wrappers that change none of them.
macro_rules! forward_members {
    ($strategy:ident) => {
        fn token_of(&self, key: &[u8]) -> Token {
            self.$strategy.token_of(key)
        }

        fn is_filtered(&self) -> bool {
            self.$strategy.is_filtered()
        }

        fn weight_of(&self, node: &Self::Node) -> Option<u32> {
            self.$strategy.weight_of(node)
        }

        fn identity_of(&self, node: &Self::Node) -> Option<&[u8]> {
            self.$strategy.identity_of(node)
        }

        fn member(&self, id: &[u8]) -> Option<Member<'_, Self::Node>> {
            self.$strategy.member(id)
        }

        fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, Self::Node>)) {
            self.$strategy.for_each_member(f);
        }

        fn for_each_eligible<'a>(&'a self, f: &mut dyn FnMut(Member<'a, Self::Node>)) {
            self.$strategy.for_each_eligible(f);
        }
    };
}
use forward_members;

/// Implements [`Membership`](crate::Membership) through `strategy_mut`, and the verbs of a wrapper
/// that do not route. The generics are listed twice: for any inner strategy, and for one whose
/// members can be changed.
macro_rules! wrapper {
    (
        $Type:ty, $N:ty, example $Ex:ident, [$($strategy:tt)*], [$($membership:tt)*]
        $(where [$($bounds:tt)*])?
    ) => {
        $crate::strategy::inspecting_verbs!(
            impl[$($strategy)*] $Type, $N, example $Ex $(, where [$($bounds)*])?
        );
        $crate::strategy::managing_verbs! {
            impl[$($membership)*] $Type, $N, example $Ex,
            via $crate::strategy::Lists, $crate::Manage,
            ", or a limit of the inner strategy" $(, where [$($bounds)*])?
        }

        impl<$($membership)*> $crate::Membership for $Type $(where $($bounds)*)? {
            fn apply(
                &mut self,
                edits: alloc::vec::Vec<$crate::Edit<$N>>,
            ) -> Result<$crate::Changes<$N>, $crate::NodeError> {
                $crate::Membership::apply(self.strategy_mut(), edits)
            }

            fn check(&self, edits: &[&$crate::Edit<$N>]) -> Result<(), $crate::NodeError> {
                self.strategy().check(edits)
            }

            fn member_mut(&mut self, id: &[u8]) -> Option<&mut $N> {
                self.strategy_mut().member_mut(id)
            }

            fn set_nodes_with(
                &mut self,
                all: alloc::vec::Vec<($N, u32)>,
                merge: &mut dyn FnMut(&mut $N, $N),
            ) -> Result<$crate::Changes<$N>, $crate::NodeError> {
                $crate::Membership::set_nodes_with(self.strategy_mut(), all, merge)
            }
        }
    };
}
use wrapper;

/// Returns the weight of a node that `strategy` has returned, at least 1.
fn weight_of<S: Strategy>(strategy: &S, node: &S::Node) -> u32 {
    let weight = strategy.weight_of(node).or_else(|| {
        let member = with_identity(strategy, node, |id| strategy.member(id))?;
        Some(member.weight)
    });
    weight.unwrap_or(1).max(1)
}

/// Calls `f` with the identity of a node that `strategy` has returned.
fn with_identity<S: Strategy, T>(strategy: &S, node: &S::Node, f: impl FnOnce(&[u8]) -> T) -> T {
    match strategy.identity_of(node) {
        Some(id) => f(id),
        None => f(node.key_bytes().as_ref()),
    }
}
