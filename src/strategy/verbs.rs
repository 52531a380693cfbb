//! The traits' methods as inherent ones, and through pointers: so that no import is needed.
//!
//! The traits [`Route`](super::Route) and [`Manage`](super::Manage) are the one source of what the
//! verbs do. These macros repeat their signatures on the concrete types.

mod construct;
mod examples;
mod inspecting;
mod managing;
mod routing;

pub(crate) use construct::{builder_verbs, construct_verbs};
pub(crate) use examples::{import, node, setup, weight};
pub(crate) use inspecting::inspecting_verbs;
pub(crate) use managing::managing_verbs;
pub(crate) use routing::{picking_verbs, placement_verbs, routing_verbs};

use super::{Membership, Strategy};
use crate::error::NodeError;
use crate::hash::Token;
use crate::nodes::{Changes, Edit, Member};
use crate::pointers::through_pointers;
use alloc::{boxed::Box, vec::Vec};

#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;

through_pointers! {
    impl[S: Strategy + ?Sized] Strategy {
        type Node = S::Node;

        fn pick<'a>(
            &'a self,
            token: Token,
            accept: &mut dyn FnMut(&'a S::Node) -> bool,
        ) -> Option<&'a S::Node> {
            (**self).pick(token, accept)
        }

        fn token_of(&self, key: &[u8]) -> Token {
            (**self).token_of(key)
        }

        fn member(&self, id: &[u8]) -> Option<Member<'_, S::Node>> {
            (**self).member(id)
        }

        fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, S::Node>)) {
            (**self).for_each_member(f);
        }

        fn for_each_eligible<'a>(&'a self, f: &mut dyn FnMut(Member<'a, S::Node>)) {
            (**self).for_each_eligible(f);
        }

        fn route_token(&self, token: Token) -> Option<&S::Node> {
            (**self).route_token(token)
        }

        fn admits(&self, node: &S::Node) -> bool {
            (**self).admits(node)
        }

        fn is_filtered(&self) -> bool {
            (**self).is_filtered()
        }

        fn weight_of(&self, node: &S::Node) -> Option<u32> {
            (**self).weight_of(node)
        }

        fn identity_of(&self, node: &S::Node) -> Option<&[u8]> {
            (**self).identity_of(node)
        }
    } for
        &S;
        Box<S>;
        #[cfg(target_has_atomic = "ptr")]
        Arc<S>;
}

through_pointers! {
    impl[S: Membership + ?Sized] Membership {
        fn apply(&mut self, edits: Vec<Edit<S::Node>>) -> Result<Changes<S::Node>, NodeError> {
            (**self).apply(edits)
        }

        fn check(&self, edits: &[&Edit<S::Node>]) -> Result<(), NodeError> {
            (**self).check(edits)
        }

        fn member_mut(&mut self, id: &[u8]) -> Option<&mut S::Node> {
            (**self).member_mut(id)
        }

        fn set_nodes_with(
            &mut self,
            all: Vec<(S::Node, u32)>,
            merge: &mut dyn FnMut(&mut S::Node, S::Node),
        ) -> Result<Changes<S::Node>, NodeError> {
            (**self).set_nodes_with(all, merge)
        }

        fn set_nodes(
            &mut self,
            all: Vec<(S::Node, u32)>,
        ) -> Result<Changes<S::Node>, NodeError> {
            (**self).set_nodes(all)
        }
    } for
        Box<S>;
}

/// Lists as iterators, over the object-safe core that takes vectors.
pub(crate) trait Lists: Membership + Sized {
    fn apply(
        &mut self,
        edits: impl IntoIterator<Item = Edit<Self::Node>>,
    ) -> Result<Changes<Self::Node>, NodeError> {
        Membership::apply(self, edits.into_iter().collect())
    }

    fn set_nodes_with(
        &mut self,
        all: impl IntoIterator<Item = (Self::Node, u32)>,
        mut merge: impl FnMut(&mut Self::Node, Self::Node),
    ) -> Result<Changes<Self::Node>, NodeError> {
        Membership::set_nodes_with(self, all.into_iter().collect(), &mut merge)
    }
}

impl<S: Membership> Lists for S {}
