//! The traits' methods as inherent ones, and through pointers: so that no import is needed.
//!
//! The traits [`Route`](super::Route) and [`Manage`](super::Manage) are the one source of what the
//! verbs do. These macros repeat their signatures on the concrete types.

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

/// The constructors from nodes, for a type with `new` and `extend_weighted`.
macro_rules! construct_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty, $limits:literal) => {
        impl<$($generics)*> $Type {
            /// Creates a strategy of these nodes, each of weight 1, otherwise as `new` does.
            ///
            /// A tuple is a node too. For a list of nodes with weights use `from_weighted`.
            ///
            /// # Errors
            #[doc = concat!("[`NodeError::Duplicate`](crate::NodeError::Duplicate), [`NodeError::EmptyIdentity`](crate::NodeError::EmptyIdentity)", $limits, ".")]
            pub fn from_nodes<I>(nodes: I) -> Result<Self, $crate::NodeError>
            where
                I: IntoIterator<Item = $N>,
            {
                Self::from_weighted(nodes.into_iter().map(|node| (node, 1)))
            }

            /// Creates a strategy of these nodes with their weights, otherwise as `new` does.
            ///
            /// # Errors
            /// As `from_nodes`, and [`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight).
            pub fn from_weighted<I>(nodes: I) -> Result<Self, $crate::NodeError>
            where
                I: IntoIterator<Item = ($N, u32)>,
            {
                let mut strategy = Self::new();
                strategy.extend_weighted(nodes)?;
                Ok(strategy)
            }
        }
    };
}
pub(crate) use construct_verbs;

/// The last calls on a builder, for one with `build`.
macro_rules! builder_verbs {
    (impl[$($generics:tt)*] $Builder:ty, $Type:ty, $N:ty) => {
        #[allow(clippy::wrong_self_convention, reason = "the same names as on the type")]
        impl<$($generics)*> $Builder {
            /// Builds a strategy of these nodes, each of weight 1.
            ///
            /// # Errors
            /// As `build`, and [`ConfigError::Node`](crate::ConfigError::Node) for a node that is
            /// refused.
            pub fn from_nodes<I>(self, nodes: I) -> Result<$Type, $crate::ConfigError>
            where
                I: IntoIterator<Item = $N>,
            {
                self.from_weighted(nodes.into_iter().map(|node| (node, 1)))
            }

            /// Builds a strategy of these nodes with their weights.
            ///
            /// # Errors
            /// As `from_nodes`.
            pub fn from_weighted<I>(self, nodes: I) -> Result<$Type, $crate::ConfigError>
            where
                I: IntoIterator<Item = ($N, u32)>,
            {
                let mut strategy = self.build()?;
                strategy.extend_weighted(nodes)?;
                Ok(strategy)
            }
        }
    };
}
pub(crate) use builder_verbs;

/// The orders of a placement, for a type with `preference_of(token)` and `find(token, accept)`.
macro_rules! placement_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty) => {
        impl<$($generics)*> $Type {
            /// Returns the first node in `key`'s order of preference for which `accept` returns
            /// `true`. It is asked at most once for each node.
            #[inline]
            #[must_use]
            pub fn route_where<'a, K, F>(&'a self, key: &K, accept: F) -> Option<&'a $N>
            where
                K: $crate::Key + ?Sized,
                F: FnMut(&'a $N) -> bool,
            {
                self.find(self.token(key), accept)
            }

            /// Returns the first `n` nodes in `key`'s order of preference, all distinct, or fewer
            /// if fewer are eligible.
            #[must_use]
            pub fn replicas<K: $crate::Key + ?Sized>(&self, key: &K, n: usize) -> alloc::vec::Vec<&$N> {
                let mut replicas = alloc::vec::Vec::with_capacity(n.min(self.nodes.eligible()));
                if n > 0 {
                    self.find(self.token(key), |node| {
                        replicas.push(node);
                        replicas.len() == n
                    });
                }
                replicas
            }

            /// Returns all eligible nodes in `key`'s order of preference, lazily, each once.
            #[inline]
            pub fn preference<K: $crate::Key + ?Sized>(&self, key: &K) -> $crate::preference::Preference<'_, $N> {
                self.preference_of(self.token(key))
            }

            /// Returns all eligible nodes in a token's order of preference, lazily, each once.
            #[inline]
            pub fn preference_token(&self, token: $crate::Token) -> $crate::preference::Preference<'_, $N> {
                self.preference_of(token)
            }
        }
    };
}
pub(crate) use placement_verbs;

/// The verbs of [`Route`](super::Route) as methods of a type, in the order of use.
macro_rules! routing_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty $(, where [$($bounds:tt)*])?) => {
        /// Routing.
        impl<$($generics)*> $Type $(where $($bounds)*)? {
            /// Returns the token of a key.
            #[inline]
            pub fn token<K: $crate::Key + ?Sized>(&self, key: &K) -> $crate::Token {
                $crate::Strategy::token_of(self, key.key_bytes().as_ref())
            }

            /// Returns the node for `key`. Returns `None` only if no node is eligible and passes
            /// the filters.
            #[inline]
            pub fn route<K: $crate::Key + ?Sized>(&self, key: &K) -> Option<&$N> {
                $crate::Strategy::route_token(self, self.token(key))
            }

            /// Returns the node for a token. Returns `None` only if no node is eligible and passes
            /// the filters.
            #[inline]
            pub fn route_token(&self, token: $crate::Token) -> Option<&$N> {
                $crate::Strategy::route_token(self, token)
            }

            /// Returns the first node in `key`'s order of preference whose identity is not in
            /// `tried`: the next one to ask after failures.
            ///
            /// See [`Route::route_except`](crate::Route::route_except).
            pub fn route_except<K, Q>(&self, key: &K, tried: &[Q]) -> Option<&$N>
            where
                K: $crate::Key + ?Sized,
                Q: $crate::Key,
            {
                $crate::Route::route_except(self, key, tried)
            }

            /// Returns `n` nodes in `key`'s order of preference, spread over domains (zones,
            /// racks): never two in one domain while another is unused.
            ///
            /// See [`Route::replicas_across`](crate::Route::replicas_across).
            #[must_use]
            pub fn replicas_across<'a, K, Z, F>(&'a self, key: &K, n: usize, domain: F) -> alloc::vec::Vec<&'a $N>
            where
                K: $crate::Key + ?Sized,
                Z: PartialEq,
                F: FnMut(&'a $N) -> Z,
            {
                $crate::Route::replicas_across(self, key, n, domain)
            }

            /// Returns what `replicas_across` returns, if all `n` nodes are in distinct domains.
            ///
            /// # Errors
            /// [`NotEnoughDomains`](crate::error::NotEnoughDomains) if fewer than `n` domains have
            /// an eligible node.
            pub fn try_replicas_across<'a, K, Z, F>(
                &'a self,
                key: &K,
                n: usize,
                domain: F,
            ) -> Result<alloc::vec::Vec<&'a $N>, $crate::error::NotEnoughDomains>
            where
                K: $crate::Key + ?Sized,
                Z: PartialEq,
                F: FnMut(&'a $N) -> Z,
            {
                $crate::Route::try_replicas_across(self, key, n, domain)
            }
        }
    };
}
pub(crate) use routing_verbs;

/// The verbs that pick, for a type that is no placement.
macro_rules! picking_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty $(, where [$($bounds:tt)*])?) => {
        impl<$($generics)*> $Type $(where $($bounds)*)? {
            /// Returns the first node in `key`'s order of preference for which `accept` returns
            /// `true`. It is asked at most once for each node.
            pub fn route_where<'a, K, F>(&'a self, key: &K, accept: F) -> Option<&'a $N>
            where
                K: $crate::Key + ?Sized,
                F: FnMut(&'a $N) -> bool,
            {
                $crate::Route::route_where(self, key, accept)
            }

            /// Returns the first `n` nodes in `key`'s order of preference, all distinct, or fewer
            /// if fewer are eligible.
            #[must_use]
            pub fn replicas<K: $crate::Key + ?Sized>(&self, key: &K, n: usize) -> alloc::vec::Vec<&$N> {
                $crate::Route::replicas(self, key, n)
            }
        }
    };
}
pub(crate) use picking_verbs;

/// What a strategy answers about a member, as methods of a wrapper.
macro_rules! inspecting_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty $(, where [$($bounds:tt)*])?) => {
        /// Membership: reading.
        impl<$($generics)*> $Type $(where $($bounds)*)? {
            /// Returns the number of members, drained ones too. O(N).
            pub fn len(&self) -> usize {
                let mut count = 0;
                $crate::Strategy::for_each_member(self, &mut |_| count += 1);
                count
            }

            /// Returns the number of members that are not drained. O(N).
            pub fn eligible(&self) -> usize {
                let mut count = 0;
                $crate::Strategy::for_each_eligible(self, &mut |_| count += 1);
                count
            }

            /// Returns `true` if there is no member. O(N).
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Returns `true` if a node with this identity is a member, drained or not.
            pub fn contains<Q: $crate::Key + ?Sized>(&self, id: &Q) -> bool {
                self.get(id).is_some()
            }

            /// Returns the node with this identity, drained or not.
            pub fn get<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<&$N> {
                $crate::Strategy::member(self, id.key_bytes().as_ref()).map(|member| member.node)
            }

            /// Returns a member's weight. Returns `None` if no member has this identity.
            pub fn weight<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<u32> {
                $crate::Strategy::member(self, id.key_bytes().as_ref()).map(|member| member.weight)
            }

            /// Returns all nodes, drained ones too, in order of identity. O(N).
            pub fn nodes(&self) -> alloc::vec::IntoIter<&$N> {
                let mut nodes = alloc::vec::Vec::new();
                $crate::Strategy::for_each_member(self, &mut |member| nodes.push(member.node));
                nodes.into_iter()
            }

            /// Returns all members, drained ones too, in order of identity. O(N).
            pub fn members(&self) -> alloc::vec::IntoIter<$crate::Member<'_, $N>> {
                let mut members = alloc::vec::Vec::new();
                $crate::Strategy::for_each_member(self, &mut |member| members.push(member));
                members.into_iter()
            }

            /// Returns `true` if a member is drained. Returns `None` if no member has this
            /// identity.
            pub fn is_drained<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<bool> {
                $crate::Strategy::member(self, id.key_bytes().as_ref()).map(|member| member.drained)
            }
        }
    };
}
pub(crate) use inspecting_verbs;

/// The verbs that change members as methods of a type, in the order of use. `$Verbs` is the trait
/// that carries them out. `$limits` ends the list of errors.
macro_rules! managing_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty, via $Core:path, $Verbs:path, $limits:literal $(, where [$($bounds:tt)*])?) => {
        /// Membership: changing.
        ///
        /// Every change is all or nothing. Invalid changes return a typed error that names the
        /// node and leave the members unchanged, and so does a panic of a hasher or of a node's
        /// key. A batch costs one pass, as one node does.
        impl<$($generics)*> $Type $(where $($bounds)*)? {
            /// Adds a node of weight 1.
            ///
            /// # Errors
            #[doc = concat!("[`NodeError::Duplicate`](crate::NodeError::Duplicate), [`NodeError::EmptyIdentity`](crate::NodeError::EmptyIdentity)", $limits, ". The node is then dropped.")]
            pub fn insert(&mut self, node: $N) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::insert(self, node)
            }

            /// Adds a node with this weight.
            ///
            /// # Errors
            /// As `insert`, and [`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight).
            pub fn insert_weighted(&mut self, node: $N, weight: u32) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::insert_weighted(self, node, weight)
            }

            /// Adds nodes with their weights: all of them, or none if there is an error.
            ///
            /// # Errors
            /// As `insert_weighted`, for the first node that is refused. An identity that is
            /// listed twice is a duplicate. A strategy reads the list up to that node, a wrapper
            /// reads all of it first.
            pub fn extend_weighted<I>(&mut self, nodes: I) -> Result<(), $crate::NodeError>
            where
                I: IntoIterator<Item = ($N, u32)>,
            {
                <Self as $Verbs>::extend_weighted(self, nodes)
            }

            /// Makes `nodes` the members, such as the list that service discovery returns. Only
            /// the difference is applied.
            ///
            /// A node that is a member already keeps its payload, its count of requests in flight
            /// and its drained state. Its weight follows the list. To take over a new payload,
            /// such as a new address, use `set_nodes_with`. Passing an empty list removes all
            /// members: guard against empty discovery responses if that is not what you want. A
            /// node that is missing from one list leaves, and is a new member, in service and with
            /// a count of 0, when it is listed again.
            ///
            /// # Errors
            #[doc = concat!("[`NodeError::Duplicate`](crate::NodeError::Duplicate) if an identity is listed twice, [`NodeError::EmptyIdentity`](crate::NodeError::EmptyIdentity), [`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight)", $limits, ".")]
            pub fn set_nodes<I>(&mut self, nodes: I) -> Result<$crate::Changes<$N>, $crate::NodeError>
            where
                I: IntoIterator<Item = ($N, u32)>,
            {
                <Self as $Core>::set_nodes_with(self, nodes, |_, _| {})
            }

            /// Makes `nodes` the members, and calls `merge(present, listed)` for each node that
            /// was a member before, so that it can take over what the list says.
            ///
            /// The listed node has taken over the count of requests in flight, so
            /// `*present = listed` replaces the payload and loses no count
            /// ([`Key::take_over`](crate::Key::take_over) lists the exceptions). `merge` must not
            /// change the key bytes. It is called last: if it panics, the members are those of
            /// the list and some payloads are merged.
            ///
            /// # Errors
            /// As `set_nodes`. `merge` was not called then.
            pub fn set_nodes_with<I, F>(&mut self, nodes: I, merge: F) -> Result<$crate::Changes<$N>, $crate::NodeError>
            where
                I: IntoIterator<Item = ($N, u32)>,
                F: FnMut(&mut $N, $N),
            {
                <Self as $Core>::set_nodes_with(self, nodes, merge)
            }

            /// Applies edits in order, all or nothing, in one pass however many there are.
            ///
            /// # Errors
            /// The error of the first edit that is invalid after the ones before it.
            pub fn apply<I>(&mut self, edits: I) -> Result<$crate::Changes<$N>, $crate::NodeError>
            where
                I: IntoIterator<Item = $crate::Edit<$N>>,
            {
                <Self as $Core>::apply(self, edits)
            }

            /// Removes a member and returns it. Returns `None` if no member has this identity.
            pub fn remove<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Option<$N> {
                <Self as $Verbs>::remove(self, id)
            }

            /// Removes the members for which `keep` returns `false`, in one pass, and returns
            /// them.
            pub fn retain<F>(&mut self, keep: F) -> alloc::vec::Vec<$N>
            where
                F: FnMut($crate::Member<'_, $N>) -> bool,
            {
                <Self as $Verbs>::retain(self, keep)
            }

            /// Changes the weight of a member.
            ///
            /// # Errors
            #[doc = concat!("[`NodeError::Unknown`](crate::NodeError::Unknown), [`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight)", $limits, ".")]
            pub fn set_weight<Q: $crate::Key + ?Sized>(&mut self, id: &Q, weight: u32) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::set_weight(self, id, weight)
            }

            /// Takes a member out of service without removing it: it is offered for no key, and the
            /// keys of the other members have the owners that they would have if it were removed.
            /// Does nothing if the member is drained already.
            ///
            /// Under a [`Shared`](crate::Shared) readers of an older snapshot may still choose the
            /// node. Its docs list the steps after which the node can be removed safely.
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown).
            pub fn drain<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::drain(self, id)
            }

            /// Restores a drained member. Does nothing if the member is not drained.
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown).
            pub fn undrain<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::undrain(self, id)
            }

            /// Drains every member for which `drain` returns `true`, in one pass. Returns how many
            /// were not drained before.
            pub fn drain_where<F: FnMut(&$N) -> bool>(&mut self, drain: F) -> usize {
                <Self as $Verbs>::drain_where(self, drain)
            }

            /// Restores every drained member for which `undrain` returns `true`, in one pass.
            /// Returns how many there were.
            pub fn undrain_where<F: FnMut(&$N) -> bool>(&mut self, undrain: F) -> usize {
                <Self as $Verbs>::undrain_where(self, undrain)
            }

            /// Replaces the payload of the member with the identity of `node`, and returns the old
            /// one. Moves no key. A count of requests in flight carries over
            /// ([`Key::take_over`](crate::Key::take_over)).
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown). The node is then dropped.
            pub fn replace(&mut self, node: $N) -> Result<$N, $crate::NodeError> {
                <Self as $Verbs>::replace(self, node)
            }

            /// Removes all members and returns them. The configuration stays.
            pub fn clear(&mut self) -> alloc::vec::Vec<$N> {
                <Self as $Verbs>::clear(self)
            }

            /// Returns a mutable reference to the node with this identity, drained or not.
            ///
            /// The node must keep its key bytes. If it does not, it remains the member with the
            /// identity that it joined with. To exchange the whole node use `replace`: an
            /// assignment through this reference loses its count of requests in flight.
            pub fn get_mut<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Option<&mut $N> {
                <Self as $Verbs>::get_mut(self, id)
            }
        }
    };
}
pub(crate) use managing_verbs;
