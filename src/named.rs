//! [`Named`]: a node with a name.

use crate::key::Key;
use crate::load::Load;
use core::ops::{Deref, DerefMut};

/// A node with a name, which is its identity instead of the node's own key bytes.
///
/// The node can be of any type. Use it for a type that is not a [`Key`], for a name that outlives
/// the node's address, and for other programs' aliases and hash keys (twemproxy's alias, Envoy's
/// and gRPC's `hash_key`).
///
/// It passes [`Load`] on, but not [`Key::take_over`], because the node need not be a `Key`. If the
/// node counts, wrap the other way round: `Tracked<Named<Server, String>>`.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, Named};
/// use std::net::SocketAddr;
///
/// let address: SocketAddr = "10.0.0.1:80".parse()?;
/// let mut ring = HashRing::from_nodes([Named::new("cache-a", address)])?;
/// assert_eq!(ring.route("user:42").map(|node| node.port()), Some(80));
///
/// // A cache that moved has another address and the same keys.
/// ring.replace(Named::new("cache-a", "10.0.0.9:80".parse::<SocketAddr>()?))?;
/// assert!(ring.contains("cache-a"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<N, K> {
    name: K,
    node: N,
}

impl<N, K> Named<N, K> {
    /// Creates the node `node` with the name `name`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Named};
    ///
    /// let nodes = [Named::new("cache-1", 8081u16), Named::new("cache-2", 8082)];
    /// let ring = HashRing::from_nodes(nodes)?;
    /// assert_eq!(**ring.get("cache-1").unwrap(), 8081);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new(name: K, node: N) -> Self {
        Named { name, node }
    }

    /// Returns the name.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Named;
    ///
    /// assert_eq!(*Named::new("cache-1", 8081).name(), "cache-1");
    /// ```
    pub const fn name(&self) -> &K {
        &self.name
    }

    /// Returns the node.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Named;
    ///
    /// assert_eq!(Named::new("cache-1", 8081).into_node(), 8081);
    /// ```
    pub fn into_node(self) -> N {
        self.node
    }
}

impl<N, K: Key> Key for Named<N, K> {
    #[inline]
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.key_bytes()
    }
}

impl<N: Load, K> Load for Named<N, K> {
    #[inline]
    fn load(&self) -> f64 {
        self.node.load()
    }

    #[inline]
    fn warmth(&self) -> f64 {
        self.node.warmth()
    }
}

impl<N, K> Deref for Named<N, K> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}

impl<N, K> DerefMut for Named<N, K> {
    fn deref_mut(&mut self) -> &mut N {
        &mut self.node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Busy(f64);

    impl Load for Busy {
        fn load(&self) -> f64 {
            self.0
        }
    }

    #[test]
    fn a_named_node_has_the_bytes_of_its_name_and_the_load_of_its_node() {
        let mut node = Named::new(7u32, Busy(2.5));
        assert_eq!(node.key_bytes().as_ref(), 7u32.to_le_bytes());
        assert_eq!(node.load(), 2.5);
        node.0 = 3.5;
        assert_eq!((*node.name(), node.into_node().load()), (7, 3.5));
    }
}
