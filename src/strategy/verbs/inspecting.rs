//! What a wrapper answers about its members, as methods.

/// What a strategy answers about a member, as methods of a wrapper.
macro_rules! inspecting_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty, example $Ex:ident $(, where [$($bounds:tt)*])?) => {
        /// Membership: reading.
        impl<$($generics)*> $Type $(where $($bounds)*)? {
            /// Returns the number of members, drained ones too. O(N).
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
                let mut count = 0;
                $crate::Strategy::for_each_member(self, &mut |_| count += 1);
                count
            }

            /// Returns the number of members that are not drained. O(N).
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
                let mut count = 0;
                $crate::Strategy::for_each_eligible(self, &mut |_| count += 1);
                count
            }

            /// Returns `true` if there is no member. O(N).
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

            /// Returns `true` if a node with this identity is a member, drained or not.
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

            /// Returns the node with this identity, drained or not.
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
            pub fn get<Q: $crate::Key + ?Sized>(&self, id: &Q) -> Option<&$N> {
                $crate::Strategy::member(self, id.key_bytes().as_ref()).map(|member| member.node)
            }

            /// Returns a member's weight. Returns `None` if no member has this identity.
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
                $crate::Strategy::member(self, id.key_bytes().as_ref()).map(|member| member.weight)
            }

            /// Returns all nodes, drained ones too, in order of identity. O(N).
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// assert_eq!(strategy.nodes().filter(|node| node.starts_with("eu")).count(), 2);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn nodes(&self) -> alloc::vec::IntoIter<&$N> {
                let mut nodes = alloc::vec::Vec::new();
                $crate::Strategy::for_each_member(self, &mut |member| nodes.push(member.node));
                nodes.into_iter()
            }

            /// Returns all members, drained ones too, in order of identity. O(N).
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
            pub fn members(&self) -> alloc::vec::IntoIter<$crate::Member<'_, $N>> {
                let mut members = alloc::vec::Vec::new();
                $crate::Strategy::for_each_member(self, &mut |member| members.push(member));
                members.into_iter()
            }

            /// Returns `true` if a member is drained. Returns `None` if no member has this
            /// identity.
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
                $crate::Strategy::member(self, id.key_bytes().as_ref()).map(|member| member.drained)
            }
        }
    };
}
pub(crate) use inspecting_verbs;
