//! The verbs of [`Manage`](crate::Manage) and of following a list, as methods of a type.

/// The verbs that change members as methods of a type, in the order of use. `$Verbs` is the trait
/// that carries them out. `$limits` ends the list of errors.
macro_rules! managing_verbs {
    (
        impl[$($generics:tt)*] $Type:ty, $N:ty, example $Ex:ident, via $Core:path, $Verbs:path,
        $limits:literal $(, where [$($bounds:tt)*])?
    ) => {
        /// Membership: changing.
        ///
        /// Every change is all or nothing. Invalid changes return a typed error that names the
        /// node and leave the members unchanged, and so does a panic of a hasher or of a node's
        /// key. A batch costs one pass, as one node does.
        impl<$($generics)*> $Type $(where $($bounds)*)? {
            /// Adds a node of weight 1.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            #[doc = concat!("strategy.insert(", $crate::strategy::node!($Ex, "us-2"), ")?;")]
            /// assert_eq!(strategy.weight("us-2"), Some(1));
            #[doc = concat!(
                "assert!(strategy.insert(", $crate::strategy::node!($Ex, "us-2"),
                ").is_err()); // a duplicate"
            )]
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            #[doc = concat!(
                "[`NodeError::Duplicate`](crate::NodeError::Duplicate), ",
                "[`NodeError::EmptyIdentity`](crate::NodeError::EmptyIdentity)", $limits,
                ". The node is then dropped."
            )]
            pub fn insert(&mut self, node: $N) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::insert(self, node)
            }

            /// Adds a node with this weight.
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
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// As `insert`, and [`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight).
            pub fn insert_weighted(
                &mut self,
                node: $N,
                weight: u32,
            ) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::insert_weighted(self, node, weight)
            }

            /// Adds nodes with their weights: all of them, or none if there is an error.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            #[doc = concat!(
                "strategy.extend_weighted([(", $crate::strategy::node!($Ex, "us-2"), ", ",
                $crate::strategy::weight!($Ex), "), (", $crate::strategy::node!($Ex, "us-3"),
                ", 1)])?;"
            )]
            /// assert_eq!(strategy.len(), 5);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
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
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            #[doc = concat!(
                "let listed = [(", $crate::strategy::node!($Ex, "us-1"), ", ",
                $crate::strategy::weight!($Ex), "), (", $crate::strategy::node!($Ex, "us-2"),
                ", 1)];"
            )]
            /// let changes = strategy.set_nodes(listed)?;
            /// assert_eq!((changes.added(), changes.removed()), (1, 2));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            #[doc = concat!(
                "[`NodeError::Duplicate`](crate::NodeError::Duplicate) if an identity is listed ",
                "twice, [`NodeError::EmptyIdentity`](crate::NodeError::EmptyIdentity), ",
                "[`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight)", $limits, "."
            )]
            pub fn set_nodes<I>(
                &mut self,
                nodes: I,
            ) -> Result<$crate::Changes<$N>, $crate::NodeError>
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
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            #[doc = concat!(
                "let listed = [(", $crate::strategy::node!($Ex, "eu-1"), ", 1), (",
                $crate::strategy::node!($Ex, "us-2"), ", 1)];"
            )]
            /// let changes = strategy.set_nodes_with(listed, |present, listed| *present = listed)?;
            /// assert_eq!((changes.added(), changes.removed()), (1, 2));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// As `set_nodes`. `merge` was not called then.
            pub fn set_nodes_with<I, F>(
                &mut self,
                nodes: I,
                merge: F,
            ) -> Result<$crate::Changes<$N>, $crate::NodeError>
            where
                I: IntoIterator<Item = ($N, u32)>,
                F: FnMut(&mut $N, $N),
            {
                <Self as $Core>::set_nodes_with(self, nodes, merge)
            }

            /// Applies edits in order, all or nothing, in one pass however many there are.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            /// use clockwise::Edit;
            ///
            #[doc = concat!(
                "let join = Edit::insert(", $crate::strategy::node!($Ex, "us-2"), ", 1);"
            )]
            /// let changes = strategy.apply([join, Edit::remove("us-1"), Edit::drain("eu-1")])?;
            /// assert_eq!((changes.added(), changes.removed(), changes.drained()), (1, 1, 1));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
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
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// assert!(strategy.remove("eu-1").is_some());
            /// assert!(strategy.remove("eu-1").is_none()); // not a member any more
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn remove<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Option<$N> {
                <Self as $Verbs>::remove(self, id)
            }

            /// Removes the members for which `keep` returns `false`, in one pass, and returns
            /// them.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// let removed = strategy.retain(|member| member.node.starts_with("eu"));
            /// assert_eq!((removed.len(), strategy.len()), (1, 2));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn retain<F>(&mut self, keep: F) -> alloc::vec::Vec<$N>
            where
                F: FnMut($crate::Member<'_, $N>) -> bool,
            {
                <Self as $Verbs>::retain(self, keep)
            }

            /// Changes the weight of a member.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            #[doc = concat!(
                "strategy.set_weight(\"us-1\", ", $crate::strategy::weight!($Ex), ")?;"
            )]
            #[doc = concat!(
                "assert_eq!(strategy.weight(\"us-1\"), Some(", $crate::strategy::weight!($Ex),
                "));"
            )]
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            #[doc = concat!(
                "[`NodeError::Unknown`](crate::NodeError::Unknown), ",
                "[`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight)", $limits, "."
            )]
            pub fn set_weight<Q: $crate::Key + ?Sized>(
                &mut self,
                id: &Q,
                weight: u32,
            ) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::set_weight(self, id, weight)
            }

            /// Takes a member out of service without removing it: it is offered for no key, and the
            /// keys of the other members have the owners that they would have if it were removed.
            /// Does nothing if the member is drained already.
            ///
            /// Under a [`Shared`](crate::Shared) readers of an older snapshot may still choose the
            /// node. Its docs list the steps after which the node can be removed safely.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// strategy.drain("eu-1")?;
            /// assert_eq!((strategy.len(), strategy.eligible()), (3, 2));
            /// assert!(!strategy.route("user:42").unwrap().starts_with("eu-1"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown).
            pub fn drain<Q: $crate::Key + ?Sized>(
                &mut self,
                id: &Q,
            ) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::drain(self, id)
            }

            /// Restores a drained member. Does nothing if the member is not drained.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// strategy.drain("eu-1")?;
            /// // … after the maintenance:
            /// strategy.undrain("eu-1")?;
            /// assert_eq!(strategy.is_drained("eu-1"), Some(false));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown).
            pub fn undrain<Q: $crate::Key + ?Sized>(
                &mut self,
                id: &Q,
            ) -> Result<(), $crate::NodeError> {
                <Self as $Verbs>::undrain(self, id)
            }

            /// Drains every member for which `drain` returns `true`, in one pass. Returns how many
            /// were not drained before.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// // A whole zone is in maintenance.
            /// assert_eq!(strategy.drain_where(|node| node.starts_with("eu")), 2);
            /// assert!(strategy.route("user:42").unwrap().starts_with("us"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn drain_where<F: FnMut(&$N) -> bool>(&mut self, drain: F) -> usize {
                <Self as $Verbs>::drain_where(self, drain)
            }

            /// Restores every drained member for which `undrain` returns `true`, in one pass.
            /// Returns how many there were.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// strategy.drain_where(|_| true);
            /// assert_eq!(strategy.undrain_where(|node| node.starts_with("eu")), 2);
            /// assert_eq!(strategy.eligible(), 2);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn undrain_where<F: FnMut(&$N) -> bool>(&mut self, undrain: F) -> usize {
                <Self as $Verbs>::undrain_where(self, undrain)
            }

            /// Replaces the payload of the member with the identity of `node`, and returns the old
            /// one. Moves no key. A count of requests in flight carries over
            /// ([`Key::take_over`](crate::Key::take_over)).
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// // A node may carry more than its name, such as an address that has changed.
            #[doc = concat!(
                "let old = strategy.replace(", $crate::strategy::node!($Ex, "eu-1"), ")?;"
            )]
            /// assert!(old.starts_with("eu-1"));
            #[doc = concat!(
                "assert!(strategy.replace(", $crate::strategy::node!($Ex, "us-2"),
                ").is_err()); // not a member"
            )]
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// [`NodeError::Unknown`](crate::NodeError::Unknown). The node is then dropped.
            pub fn replace(&mut self, node: $N) -> Result<$N, $crate::NodeError> {
                <Self as $Verbs>::replace(self, node)
            }

            /// Removes all members and returns them. The configuration stays.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// let nodes = strategy.clear();
            /// assert_eq!(nodes.len(), 3);
            /// assert!(strategy.is_empty() && strategy.route("user:42").is_none());
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn clear(&mut self) -> alloc::vec::Vec<$N> {
                <Self as $Verbs>::clear(self)
            }

            /// Returns a mutable reference to the node with this identity, drained or not.
            ///
            /// The node must keep its key bytes. If it does not, it remains the member with the
            /// identity that it joined with. To exchange the whole node use `replace`: an
            /// assignment through this reference loses its count of requests in flight.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let mut ")]
            ///
            /// if let Some(node) = strategy.get_mut("eu-1") {
            ///     // Change what the node carries, but not its key bytes.
            ///     assert!(node.starts_with("eu-1"));
            /// }
            /// assert!(strategy.get_mut("us-2").is_none());
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn get_mut<Q: $crate::Key + ?Sized>(&mut self, id: &Q) -> Option<&mut $N> {
                <Self as $Verbs>::get_mut(self, id)
            }
        }
    };
}
pub(crate) use managing_verbs;
