//! The membership verbs of a strategy that has a [`NodeSet`], written once.
//!
//! Each verb is a draft that is planned, carried out by the strategy, and committed.

use super::draft::Draft;
use super::{Changes, Edit, Member, NodeSet};
use crate::error::NodeError;
use crate::key::Key;
use alloc::vec::Vec;

/// A strategy with a [`NodeSet`].
pub(crate) trait OfNodes: Sized {
    type Node: Key;

    fn node_set(&self) -> &NodeSet<Self::Node>;

    fn node_set_mut(&mut self) -> &mut NodeSet<Self::Node>;

    /// Works out what the strategy derives from its members, then commits the draft.
    fn carry_out(&mut self, draft: Draft<Self::Node>) -> Changes<Self::Node>;

    fn apply(
        &mut self,
        edits: impl IntoIterator<Item = Edit<Self::Node>>,
    ) -> Result<Changes<Self::Node>, NodeError> {
        let draft = self.node_set().plan(edits)?;
        Ok(self.carry_out(draft))
    }

    fn set_nodes_with(
        &mut self,
        all: impl IntoIterator<Item = (Self::Node, u32)>,
        mut merge: impl FnMut(&mut Self::Node, Self::Node),
    ) -> Result<Changes<Self::Node>, NodeError> {
        let (draft, present) = self.node_set().plan_set(all)?;
        let changes = self.carry_out(draft);
        for (id, listed) in present {
            if let Some(node) = self.node_set_mut().get_mut(&id) {
                merge(node, listed);
            }
        }
        Ok(changes)
    }

    fn insert(&mut self, node: Self::Node) -> Result<(), NodeError> {
        self.insert_weighted(node, 1)
    }

    fn insert_weighted(&mut self, node: Self::Node, weight: u32) -> Result<(), NodeError> {
        self.extend_weighted([(node, weight)])
    }

    fn extend_weighted(
        &mut self,
        nodes: impl IntoIterator<Item = (Self::Node, u32)>,
    ) -> Result<(), NodeError> {
        let draft = self.node_set().plan_list(nodes)?;
        self.carry_out(draft);
        Ok(())
    }

    fn remove<Q: Key + ?Sized>(&mut self, id: &Q) -> Option<Self::Node> {
        let id = id.key_bytes();
        let draft = self
            .node_set()
            .plan_removal(|entry| *entry.identity == *id.as_ref());
        self.carry_out(draft).into_removed().pop()
    }

    fn retain(&mut self, mut keep: impl FnMut(Member<'_, Self::Node>) -> bool) -> Vec<Self::Node> {
        let draft = self.node_set().plan_removal(|entry| !keep(entry.member()));
        self.carry_out(draft).into_removed()
    }

    fn set_weight<Q: Key + ?Sized>(&mut self, id: &Q, weight: u32) -> Result<(), NodeError> {
        self.apply([Edit::set_weight(id, weight)]).map(drop)
    }

    fn drain<Q: Key + ?Sized>(&mut self, id: &Q) -> Result<(), NodeError> {
        self.apply([Edit::drain(id)]).map(drop)
    }

    fn undrain<Q: Key + ?Sized>(&mut self, id: &Q) -> Result<(), NodeError> {
        self.apply([Edit::undrain(id)]).map(drop)
    }

    fn drain_where(&mut self, drain: impl FnMut(&Self::Node) -> bool) -> usize {
        let draft = self.node_set().plan_drain(true, drain);
        self.carry_out(draft).drained()
    }

    fn undrain_where(&mut self, undrain: impl FnMut(&Self::Node) -> bool) -> usize {
        let draft = self.node_set().plan_drain(false, undrain);
        self.carry_out(draft).undrained()
    }

    fn replace(&mut self, mut node: Self::Node) -> Result<Self::Node, NodeError> {
        let id: alloc::boxed::Box<[u8]> = node.key_bytes().as_ref().into();
        let present = self.node_set_mut().get_mut(&id);
        let present = present.ok_or_else(|| NodeError::unknown(&id))?;
        node.take_over(present);
        Ok(core::mem::replace(present, node))
    }

    fn clear(&mut self) -> Vec<Self::Node> {
        let draft = self.node_set().plan_removal(|_| true);
        self.carry_out(draft).into_removed()
    }

    fn get_mut<Q: Key + ?Sized>(&mut self, id: &Q) -> Option<&mut Self::Node> {
        self.node_set_mut().get_mut(id.key_bytes().as_ref())
    }
}

/// Gives a strategy with the fields `nodes: NodeSet<N>` its membership verbs and
/// [`Membership`](crate::Membership). It has a method `carry_out(&mut self, Draft<N>)`.
///
/// The first list of generics is for changing members, the second for being a strategy. The text
/// ends the list of errors in the docs.
macro_rules! membership {
    (
        $Type:ty, example $Ex:ident, [$($generics:tt)*], strategy [$($strategy:tt)*],
        reading [$($reading:tt)*], $limits:literal
    ) => {
        impl<$($generics)*> $crate::nodes::OfNodes for $Type {
            type Node = N;

            fn node_set(&self) -> &$crate::nodes::NodeSet<N> {
                &self.nodes
            }

            fn node_set_mut(&mut self) -> &mut $crate::nodes::NodeSet<N> {
                &mut self.nodes
            }

            fn carry_out(&mut self, draft: $crate::nodes::Draft<N>) -> $crate::Changes<N> {
                self.carry_out(draft)
            }
        }

        $crate::strategy::managing_verbs! {
            impl[$($generics)*] $Type, N, example $Ex,
            via $crate::nodes::OfNodes, $crate::nodes::OfNodes, $limits
        }

        /// Membership: reading.
        impl<$($reading)*> $Type {
            /// Returns the number of members, drained ones too.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// strategy.drain("eu-1")?;
            /// assert_eq!(strategy.len(), 3);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn len(&self) -> usize {
                self.nodes.len()
            }

            /// Returns the number of members that are not drained.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// strategy.drain("eu-1")?;
            /// assert_eq!(strategy.eligible(), 2);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn eligible(&self) -> usize {
                self.nodes.eligible()
            }

            /// Returns `true` if there is no member.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// assert!(!strategy.is_empty());
            /// strategy.clear();
            /// assert!(strategy.is_empty());
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Returns `true` if a node with this identity is a member, drained or not. O(log N).
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// assert!(strategy.contains("eu-1"));
            /// assert!(!strategy.contains("us-2"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn contains<Q: $crate::Key + ?Sized>(&self, id: &Q) -> bool {
                self.get(id).is_some()
            }

            /// Returns the node with this identity, drained or not. O(log N).
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// // For a cookie or a URL that names a node.
            /// let node = strategy.get("eu-1").expect("unknown node");
            /// assert!(node.starts_with("eu-1"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn get<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<&N> {
                self.nodes.get(id.key_bytes().as_ref()).map(|entry| &entry.node)
            }

            /// Returns a member's weight. Returns `None` if no member has this identity. O(log N).
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            #[doc = concat!(
                "strategy.insert_weighted(", $crate::strategy::node!($Ex, "us-2"), ", ",
                $crate::strategy::weight!($Ex), ")?;"
            )]
            #[doc = concat!(
                "assert_eq!(strategy.weight(\"us-2\"), Some(", $crate::strategy::weight!($Ex),
                "));"
            )]
            /// assert_eq!(strategy.weight("us-3"), None);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn weight<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<u32> {
                self.nodes.get(id.key_bytes().as_ref()).map(|entry| entry.weight)
            }

            /// Returns `true` if a member is drained. Returns `None` if no member has this
            /// identity. O(log N).
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// strategy.drain("eu-1")?;
            /// assert_eq!(strategy.is_drained("eu-1"), Some(true));
            /// assert_eq!(strategy.is_drained("us-2"), None);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn is_drained<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<bool> {
                self.nodes.get(id.key_bytes().as_ref()).map(|entry| entry.drained)
            }

            /// Returns all nodes, drained ones too, in order of identity.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// assert_eq!(strategy.nodes().filter(|node| node.starts_with("eu")).count(), 2);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn nodes(&self) -> $crate::nodes::Nodes<'_, N> {
                self.nodes.nodes()
            }

            /// Returns all members, drained ones too, in order of identity.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// strategy.drain("us-1")?;
            /// for member in strategy.members() {
            ///     println!("{} {} {}", &**member.node, member.weight, member.drained);
            /// }
            /// assert_eq!(strategy.members().filter(|member| !member.drained).count(), 2);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn members(&self) -> $crate::nodes::Members<'_, N> {
                self.nodes.members()
            }

            /// Returns the nodes themselves, drained ones too, in order of identity.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let nodes = strategy.into_nodes();
            /// assert!(nodes[0].starts_with("eu-1")); // in order of identity
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn into_nodes(self) -> alloc::vec::Vec<N> {
                self.nodes.into_nodes()
            }
        }

        impl<$($strategy)*> $crate::Membership for $Type {
            fn apply(
                &mut self,
                edits: alloc::vec::Vec<$crate::Edit<N>>,
            ) -> Result<$crate::Changes<N>, $crate::NodeError> {
                $crate::nodes::OfNodes::apply(self, edits)
            }

            fn check(&self, edits: &[&$crate::Edit<N>]) -> Result<(), $crate::NodeError> {
                self.nodes.check(edits)
            }

            fn member_mut(&mut self, id: &[u8]) -> Option<&mut N> {
                self.nodes.get_mut(id)
            }

            fn set_nodes_with(
                &mut self,
                all: alloc::vec::Vec<(N, u32)>,
                merge: &mut dyn FnMut(&mut N, N),
            ) -> Result<$crate::Changes<N>, $crate::NodeError> {
                $crate::nodes::OfNodes::set_nodes_with(self, all, merge)
            }
        }
    };
}
pub(crate) use membership;

/// What a [`Strategy`](crate::Strategy) with a field `nodes: NodeSet<N>` answers about its members.
macro_rules! members_of_nodes {
    ($N:ty) => {
        fn weight_of(&self, node: &$N) -> Option<u32> {
            self.nodes.entry_of(node).map(|entry| entry.weight)
        }

        fn identity_of(&self, node: &$N) -> Option<&[u8]> {
            self.nodes.entry_of(node).map(|entry| &*entry.identity)
        }

        fn member(&self, id: &[u8]) -> Option<$crate::Member<'_, $N>> {
            self.nodes.get(id).map(|entry| entry.member())
        }

        fn for_each_member<'a>(&'a self, f: &mut dyn FnMut($crate::Member<'a, $N>)) {
            self.nodes.members().for_each(f);
        }
    };
}
pub(crate) use members_of_nodes;
