//! A node under another text than its own.

use crate::key::Key;
use core::ops::{Deref, DerefMut};

/// A node under a name: twemproxy's alias, Envoy's or gRPC's `hash_key`, or whatever text the other program places a node by,
/// where that is not the node's own key bytes. The name is then the node's identity.
///
/// ```
/// use clockwise::{Route, compat::{EnvoyRing, Named}};
///
/// // metadata: { filter_metadata: { envoy.lb: { hash_key: "cache-a" } } }
/// let ring = EnvoyRing::try_from_nodes([
///     (Named::new("cache-a", "10.0.0.1:80"), 1),
///     (Named::new("cache-b", "10.0.0.2:80"), 1),
/// ])?;
/// let node = ring.route("/video/42").expect("there are nodes");
/// assert!(node.starts_with("10.0.0."));
/// assert!(ring.contains("cache-a"));
/// # Ok::<(), clockwise::compat::CompatError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<N, K> {
    name: K,
    node: N,
}

impl<N, K> Named<N, K> {
    /// `node`, placed and identified by `name`.
    pub const fn new(name: K, node: N) -> Self {
        Named { name, node }
    }

    /// The name.
    pub const fn name(&self) -> &K {
        &self.name
    }

    /// The node.
    pub fn into_node(self) -> N {
        self.node
    }
}

impl<N, K: Key> Key for Named<N, K> {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.key_bytes()
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
