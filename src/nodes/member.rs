//! [`Member`]: a node as its strategy knows it.

/// A node of a strategy, with its identity, its weight and whether it is drained.
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_weighted([("a", 1), ("b", 3)])?;
/// let member = ring.members().last().unwrap();
/// assert_eq!((member.id, *member.node), (&b"b"[..], "b"));
/// assert_eq!((member.weight, member.drained), (3, false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member<'a, N> {
    /// The identity: the node's key bytes when it joined.
    pub id: &'a [u8],
    /// The node.
    pub node: &'a N,
    /// The weight, 1 or more.
    pub weight: u32,
    /// `true` if the node is drained: a member that owns nothing.
    pub drained: bool,
}

impl<'a, N> Member<'a, N> {
    /// Creates a member, for a [`Strategy`](crate::Strategy) of your own.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Member;
    ///
    /// // From `Strategy::member` of a strategy of your own.
    /// let member = Member::new(b"a", &"a", 1, false);
    /// assert_eq!((*member.node, member.weight), ("a", 1));
    /// ```
    pub const fn new(id: &'a [u8], node: &'a N, weight: u32, drained: bool) -> Self {
        Member {
            id,
            node,
            weight,
            drained,
        }
    }
}

impl<N> Clone for Member<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Member<'_, N> {}
