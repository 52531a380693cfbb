//! What a wrapper answers about its members, as methods.

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
