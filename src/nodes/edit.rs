//! [`Edit`]: one wanted change of the members.

use crate::key::Key;
use alloc::boxed::Box;

/// One change of the members, for [`apply`](crate::HashRing::apply).
///
/// A list of edits is applied in order, all or nothing, in one pass over the strategy.
///
/// # Examples
///
/// ```
/// use clockwise::{Edit, HashRing};
///
/// let mut ring = HashRing::from_nodes(["a", "b", "c"])?;
/// let changes = ring.apply([
///     Edit::insert("d", 2),
///     Edit::remove("a"),
///     Edit::set_weight("b", 3),
///     Edit::drain("c"),
/// ])?;
/// assert_eq!((changes.added(), changes.reweighted(), changes.drained()), (1, 1, 1));
/// assert_eq!(changes.into_removed(), ["a"]);
///
/// let error = ring.apply([Edit::remove("b"), Edit::remove("x")]).unwrap_err();
/// assert_eq!(error.to_string(), "node `x` is not a member");
/// assert!(ring.contains("b")); // nothing has changed
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit<N> {
    /// Adds a node that is not a member yet.
    #[non_exhaustive]
    Insert {
        /// The node.
        node: N,
        /// Its weight, 1 or more.
        weight: u32,
    },
    /// Removes a member.
    #[non_exhaustive]
    Remove {
        /// The identity of the member.
        id: Box<[u8]>,
    },
    /// Changes the weight of a member.
    #[non_exhaustive]
    SetWeight {
        /// The identity of the member.
        id: Box<[u8]>,
        /// The new weight, 1 or more.
        weight: u32,
    },
    /// Drains a member. Does nothing if it is drained already.
    #[non_exhaustive]
    Drain {
        /// The identity of the member.
        id: Box<[u8]>,
    },
    /// Restores a drained member. Does nothing if it is not drained.
    #[non_exhaustive]
    Undrain {
        /// The identity of the member.
        id: Box<[u8]>,
    },
    /// Replaces the payload of the member with the identity of `node`.
    #[non_exhaustive]
    Replace {
        /// The node with the new payload.
        node: N,
    },
}

impl<N> Edit<N> {
    /// Creates an edit that adds `node` with this weight.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing};
    ///
    /// let mut ring = HashRing::from_nodes(["a"])?;
    /// ring.apply([Edit::insert("b", 2)])?;
    /// assert_eq!(ring.weight("b"), Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn insert(node: N, weight: u32) -> Self {
        Edit::Insert { node, weight }
    }

    /// Creates an edit that removes the member `id`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing};
    ///
    /// let mut ring = HashRing::from_nodes(["a", "b"])?;
    /// ring.apply([Edit::remove("a")])?;
    /// assert!(ring.apply([Edit::remove("a")]).is_err()); // not a member any more
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove<Q: Key + ?Sized>(id: &Q) -> Self {
        Edit::Remove { id: bytes(id) }
    }

    /// Creates an edit that changes the weight of the member `id`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing};
    ///
    /// let mut ring = HashRing::from_nodes(["a", "b"])?;
    /// ring.apply([Edit::set_weight("a", 3)])?;
    /// assert_eq!(ring.weight("a"), Some(3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_weight<Q: Key + ?Sized>(id: &Q, weight: u32) -> Self {
        let id = bytes(id);
        Edit::SetWeight { id, weight }
    }

    /// Creates an edit that drains the member `id`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing};
    ///
    /// let mut ring = HashRing::from_nodes(["a", "b"])?;
    /// ring.apply([Edit::drain("a")])?;
    /// assert_eq!(ring.route("user:42"), Some(&"b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drain<Q: Key + ?Sized>(id: &Q) -> Self {
        Edit::Drain { id: bytes(id) }
    }

    /// Creates an edit that restores the drained member `id`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing};
    ///
    /// let mut ring = HashRing::from_nodes(["a", "b"])?;
    /// ring.apply([Edit::drain("a"), Edit::undrain("a")])?;
    /// assert_eq!(ring.is_drained("a"), Some(false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn undrain<Q: Key + ?Sized>(id: &Q) -> Self {
        Edit::Undrain { id: bytes(id) }
    }

    /// Creates an edit that replaces the payload of the member with the identity of `node`.
    ///
    /// A count of requests in flight carries over ([`Key::take_over`]).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Edit, HashRing, Named};
    ///
    /// let mut ring = HashRing::from_nodes([Named::new("a", "10.0.0.1")])?;
    /// ring.apply([Edit::replace(Named::new("a", "10.0.0.9"))])?;
    /// assert_eq!(**ring.get("a").unwrap(), "10.0.0.9");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn replace(node: N) -> Self {
        Edit::Replace { node }
    }

    /// The same edit of a reference to the node.
    pub(crate) fn as_ref(&self) -> Edit<&N> {
        match self {
            Edit::Insert { node, weight } => Edit::insert(node, *weight),
            Edit::Remove { id } => Edit::Remove { id: id.clone() },
            Edit::SetWeight { id, weight } => Edit::SetWeight {
                id: id.clone(),
                weight: *weight,
            },
            Edit::Drain { id } => Edit::Drain { id: id.clone() },
            Edit::Undrain { id } => Edit::Undrain { id: id.clone() },
            Edit::Replace { node } => Edit::replace(node),
        }
    }

    /// Calls `f` with the identity that the edit is about.
    pub(crate) fn with_id<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T
    where
        N: Key,
    {
        match self {
            Edit::Insert { node, .. } | Edit::Replace { node } => f(node.key_bytes().as_ref()),
            Edit::Remove { id }
            | Edit::SetWeight { id, .. }
            | Edit::Drain { id }
            | Edit::Undrain { id } => f(id),
        }
    }
}

fn bytes<Q: Key + ?Sized>(id: &Q) -> Box<[u8]> {
    id.key_bytes().as_ref().into()
}
