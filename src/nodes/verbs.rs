//! The membership verbs, the same on every strategy, written once.
//!
//! A strategy has a field `nodes: NodeSet<N>` and a method `apply(&mut self, Edit<N>) -> Changes<N>`, which first works out what the
//! strategy derives from its members, then commits the edit. Each verb is a plan and an `apply`.

/// Gives a strategy its membership verbs and [`Membership`](crate::Membership). The text is an expression that makes an empty one,
/// for the example in the docs; a third argument is the public module the strategy is in, if not the root.
macro_rules! membership_verbs {
    ($Strategy:ident<N $(: $NodeBound:path)? $(, $H:ident: $HasherBound:path)?>, $new:literal $(, $module:ident)?) => {
        /// Membership: reading.
        impl<N $(, $H)?> $Strategy<N $(, $H)?> {
            /// How many nodes are members, drained ones too.
            pub fn len(&self) -> usize {
                self.nodes.len()
            }

            /// Whether there is no member.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether a node with this identity is a member. O(log N).
            pub fn contains<Q: $crate::Key + ?Sized>(&self, id: &Q) -> bool {
                self.get(id).is_some()
            }

            /// The member with this identity, drained or not. O(log N).
            pub fn get<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<&N> {
                self.nodes.get(id.key_bytes().as_ref()).map(|entry| &entry.node)
            }

            /// A member's weight; `None` where no member has this identity. O(log N).
            pub fn weight<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<u32> {
                self.nodes.get(id.key_bytes().as_ref()).map(|entry| entry.weight)
            }

            /// Whether a member is drained; `None` where no member has this identity. O(log N).
            pub fn is_drained<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<bool> {
                self.nodes.get(id.key_bytes().as_ref()).map(|entry| entry.drained)
            }

            /// All nodes, drained ones too, in order of identity.
            pub fn nodes(&self) -> $crate::Nodes<'_, N> {
                self.nodes.nodes()
            }

            /// All nodes with weight and drained state, in order of identity.
            pub fn members(&self) -> $crate::Members<'_, N> {
                self.nodes.members()
            }
        }

        /// Membership: changing. A refused change, or one in which a hasher or a node's key panics, leaves everything as it was. A batch
        /// costs one pass, as one node does.
        impl<N $(, $H: $HasherBound)?> $Strategy<N $(, $H)?> {
            /// Adds a node of weight 1.
            ///
            /// # Errors
            /// [`NodeError::Duplicate`](crate::NodeError::Duplicate) where its identity is a member already,
            /// [`NodeError::EmptyIdentity`](crate::NodeError::EmptyIdentity), and on a ring
            /// [`NodeError::TooManyPoints`](crate::NodeError::TooManyPoints). The node is then dropped.
            pub fn insert(&mut self, node: N) -> Result<(), $crate::NodeError>
            where
                N: $crate::Key,
            {
                self.insert_weighted(node, 1)
            }

            /// Adds a node of this weight.
            ///
            /// # Errors
            #[doc = concat!("As [`insert`](", stringify!($Strategy), "::insert), and [`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight).")]
            pub fn insert_weighted(&mut self, node: N, weight: u32) -> Result<(), $crate::NodeError>
            where
                N: $crate::Key,
            {
                self.extend_weighted([(node, weight)])
            }

            /// Adds nodes with their weights: all, or on error none.
            ///
            /// # Errors
            #[doc = concat!("As [`insert_weighted`](", stringify!($Strategy), "::insert_weighted); also where one identity stands twice in the list.")]
            pub fn extend_weighted<I>(&mut self, nodes: I) -> Result<(), $crate::NodeError>
            where
                I: IntoIterator<Item = (N, u32)>,
                N: $crate::Key,
            {
                let edit = self.nodes.plan_insert(nodes)?;
                let _ = self.apply(edit);
                Ok(())
            }

            /// Makes `nodes` the members, as service discovery hands over the whole list; only the difference is applied.
            ///
            /// A present identity keeps its payload (with its in-flight count, if it has one) and stays drained; only its weight
            /// follows. To take over what a present node now carries (its zone, its address), call `replace`. An empty list empties the
            /// strategy: whether to believe it is the caller's.
            ///
            /// # Errors
            #[doc = concat!("As [`extend_weighted`](", stringify!($Strategy), "::extend_weighted), but a present identity is no duplicate.")]
            ///
            /// ```
            #[doc = concat!("# use clockwise::", $(stringify!($module), "::",)? stringify!($Strategy), ";")]
            #[doc = concat!("let mut strategy = ", $new, ";")]
            /// strategy.extend_weighted([("a", 1), ("b", 1)])?;
            /// let changes = strategy.set_nodes([("b", 1), ("c", 1)])?;
            /// assert_eq!((changes.added(), changes.reweighted()), (1, 0));
            /// assert_eq!(changes.into_removed(), ["a"]);
            /// # Ok::<(), clockwise::NodeError>(())
            /// ```
            pub fn set_nodes<I>(&mut self, nodes: I) -> Result<$crate::Changes<N>, $crate::NodeError>
            where
                I: IntoIterator<Item = (N, u32)>,
                N: $crate::Key,
            {
                let edit = self.nodes.plan_set(nodes)?;
                Ok(self.apply(edit))
            }

            /// Removes a member and returns it; `None` where no member has this identity.
            pub fn remove<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Option<N> {
                let edit = self.nodes.plan_remove(id.key_bytes().as_ref());
                self.apply(edit).into_removed().pop()
            }

            /// Gives a member another weight.
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown), [`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight), and on a
            /// ring [`NodeError::TooManyPoints`](crate::NodeError::TooManyPoints).
            pub fn set_weight<Q: $crate::Key + ?Sized>(&mut self, id: &Q, weight: u32) -> Result<(), $crate::NodeError> {
                let edit = self.nodes.plan_weigh(id.key_bytes().as_ref(), weight)?;
                let _ = self.apply(edit);
                Ok(())
            }

            /// Takes a member out of service without removing it: it is offered for no key, and to the others' keys it is as if it
            /// were removed. Draining a drained member is fine.
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown).
            pub fn drain<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Result<(), $crate::NodeError> {
                let edit = self.nodes.plan_drain(id.key_bytes().as_ref(), true)?;
                let _ = self.apply(edit);
                Ok(())
            }

            /// Brings a drained member back, as it was. Fine where it is not drained.
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown).
            pub fn undrain<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Result<(), $crate::NodeError> {
                let edit = self.nodes.plan_drain(id.key_bytes().as_ref(), false)?;
                let _ = self.apply(edit);
                Ok(())
            }

            /// Exchanges what a member carries: the same identity, a new payload. Moves no key. Returns the old payload.
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown); `node` is then dropped.
            pub fn replace(&mut self, node: N) -> Result<N, $crate::NodeError>
            where
                N: $crate::Key,
            {
                self.nodes.replace(node)
            }

            /// Removes all members. The configuration stays.
            pub fn clear(&mut self) {
                let _ = self.apply(self.nodes.plan_clear());
            }
        }

        impl<N: $crate::Key $(+ $NodeBound)? $(, $H: $HasherBound)?> $crate::Membership<N> for $Strategy<N $(, $H)?> {
            fn set_members(
                &mut self,
                all: alloc::vec::Vec<(N, u32)>,
            ) -> Result<$crate::Changes<N>, $crate::NodeError> {
                self.set_nodes(all)
            }

            fn set_drained(&mut self, id: &[u8], drained: bool) -> Result<(), $crate::NodeError> {
                let edit = self.nodes.plan_drain(id, drained)?;
                let _ = self.apply(edit);
                Ok(())
            }
        }
    };
}
pub(crate) use membership_verbs;

/// What a [`Strategy`](crate::Strategy) with a field `nodes: NodeSet<N>` answers about its members.
macro_rules! members_of_nodes {
    ($N:ty) => {
        fn weight_of(&self, node: &$N) -> Option<u32> {
            self.nodes.entry_of(node).map(|entry| entry.weight)
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
