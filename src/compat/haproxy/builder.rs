//! Configuring HAProxy's placement, and numbering its servers.

use super::keys::{HaproxyHash, Keys};
use super::{HaproxyConsistent, NODES_MAX};
use crate::compat::common::old_name;
use crate::error::ConfigError;
use crate::key::Key;
use alloc::{format, vec::Vec};
use core::fmt;
use core::marker::PhantomData;

/// A builder that configures a [`HaproxyConsistent`]; see [`HaproxyConsistent::builder`].
///
/// # Examples
/// ```
/// use clockwise::compat::{HaproxyConsistent, HaproxyHash};
///
/// // hash-type consistent djb2 avalanche
/// // server a … id 5    server b … id 9
/// let servers = HaproxyConsistent::builder()
///     .hash(HaproxyHash::Djb2)
///     .avalanche(true)
///     .ids([5, 9])
///     .from_nodes(["a", "b"])?;
/// assert_eq!(servers.id("b"), Some(9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `build`"]
#[derive(Clone)]
pub struct HaproxyConsistentBuilder<N> {
    hash: Option<HaproxyHash>,
    avalanche: Option<bool>,
    ids: Option<Vec<Option<u32>>>,
    nodes: PhantomData<fn() -> N>,
}

impl<N> HaproxyConsistentBuilder<N> {
    pub(super) const fn new() -> Self {
        HaproxyConsistentBuilder {
            hash: None,
            avalanche: None,
            ids: None,
            nodes: PhantomData,
        }
    }

    /// Sets the function of `hash-type consistent <function>`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::{HaproxyConsistent, HaproxyHash};
    ///
    /// // hash-type consistent wt6
    /// let servers = HaproxyConsistent::builder().hash(HaproxyHash::Wt6).from_nodes(["a", "b"])?;
    /// let default = HaproxyConsistent::from_nodes(["a", "b"])?;
    /// assert!((0..99u32).any(|key| servers.route(&key) != default.route(&key)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hash(mut self, hash: HaproxyHash) -> Self {
        self.hash = Some(hash);
        self
    }

    /// Sets whether the function is followed by the modifier `avalanche`. The default is that of
    /// HAProxy: yes if no function is named, no if one is.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::{HaproxyConsistent, HaproxyHash};
    ///
    /// // Without a function, HAProxy uses sdbm with avalanche.
    /// let named = HaproxyConsistent::builder().hash(HaproxyHash::Sdbm).avalanche(true);
    /// let named = named.from_nodes(["a", "b"])?;
    /// let default = HaproxyConsistent::from_nodes(["a", "b"])?;
    /// assert!((0..99u32).all(|key| named.route(&key) == default.route(&key)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn avalanche(mut self, avalanche: bool) -> Self {
        self.avalanche = Some(avalanche);
        self
    }

    /// Sets the ids of the servers, one for each in the order of the servers: `None` for a server
    /// without an `id`, which is numbered as HAProxy does. By default no server has an `id`.
    ///
    /// `from_nodes` and `from_weighted` require as many ids as nodes. After `build`, the first
    /// nodes that join take these ids in order, and later ones get the lowest that is free.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::HaproxyConsistent;
    ///
    /// // server a    server b id 1    server c
    /// let ids = [None, Some(1), None];
    /// let haproxy = HaproxyConsistent::builder().ids(ids).from_nodes(["a", "b", "c"])?;
    /// assert_eq!(haproxy.id("a"), Some(2));
    /// assert_eq!(haproxy.id("c"), Some(4)); // the counter went on to 3 for `b`, then to 4
    ///
    /// let mut haproxy = HaproxyConsistent::builder().ids([7, 3]).build()?;
    /// haproxy.insert("a")?;
    /// haproxy.extend_weighted([("b", 1), ("c", 1)])?;
    /// assert_eq!(["a", "b", "c"].map(|name| haproxy.id(name)), [Some(7), Some(3), Some(1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ids<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator<Item: Into<Option<u32>>>,
    {
        let ids = ids.into_iter().take(NODES_MAX + 1).map(Into::into);
        self.ids = Some(ids.collect());
        self
    }

    /// Builds the strategy without nodes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::HaproxyConsistent;
    ///
    /// assert!(HaproxyConsistent::<&str>::builder().ids([1, 2]).build().is_ok());
    /// assert!(HaproxyConsistent::<&str>::builder().ids([7, 7]).build().is_err()); // one id twice
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] for an id of 0, for an id that is given twice, and for more than
    /// 1,048,576 ids.
    pub fn build(self) -> Result<HaproxyConsistent<N>, ConfigError> {
        let mut haproxy = HaproxyConsistent::configured(Keys {
            hash: self.hash.unwrap_or(HaproxyHash::Sdbm),
            avalanche: self.avalanche.unwrap_or(self.hash.is_none()),
        });
        haproxy.waiting = numbered(&self.ids.unwrap_or_default())?;
        Ok(haproxy)
    }

    /// Builds a strategy of these servers in the order of the backend, each of weight 1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::HaproxyConsistent;
    ///
    /// let servers = HaproxyConsistent::builder().ids([7, 3]).from_nodes(["a", "b"])?;
    /// assert_eq!(servers.id("a"), Some(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As `build`, [`ConfigError::OutOfRange`] if there are not as many ids as nodes, and
    /// [`ConfigError::Node`] for a node that is refused.
    #[allow(
        clippy::wrong_self_convention,
        reason = "the same names as on the type"
    )]
    pub fn from_nodes<I>(self, nodes: I) -> Result<HaproxyConsistent<N>, ConfigError>
    where
        I: IntoIterator<Item = N>,
        N: Key,
    {
        self.from_weighted(nodes.into_iter().map(|node| (node, 1)))
    }

    /// Builds a strategy of these servers with their weights, in the order of the backend.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::HaproxyConsistent;
    ///
    /// let builder = HaproxyConsistent::builder().ids([7, 3]);
    /// let servers = builder.from_weighted([("a", 1), ("b", 10)])?;
    /// assert_eq!((servers.id("b"), servers.weight("b")), (Some(3), Some(10)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As `from_nodes`.
    #[allow(
        clippy::wrong_self_convention,
        reason = "the same names as on the type"
    )]
    pub fn from_weighted<I>(self, nodes: I) -> Result<HaproxyConsistent<N>, ConfigError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let must_match = self.ids.is_some();
        let mut haproxy = self.build()?;
        let ids = haproxy.waiting.len();
        // One more than there are ids proves that the numbers differ, so no more are read.
        let most = if must_match { ids + 1 } else { usize::MAX };
        let mut count = 0;
        let counted = nodes.into_iter().take(most).inspect(|_| count += 1);
        let draft = haproxy.nodes.plan_list(counted)?;
        if must_match && count != ids {
            let more = if count > ids { " or more" } else { "" };
            let value = format!("{ids} for {count}{more} nodes");
            return Err(ConfigError::out_of_range(
                "number of ids",
                value,
                "1 for each node",
            ));
        }
        haproxy.carry_out(draft);
        Ok(haproxy)
    }
}

old_name!(HaproxyConsistentBuilder, HaproxyConsistent);

/// Numbers the servers of a backend in order. The counter stops at the lowest id from it on that is
/// not given, if the server has none, and increases by one after each server.
fn numbered(ids: &[Option<u32>]) -> Result<Vec<u32>, ConfigError> {
    if ids.len() > NODES_MAX {
        let must = "at most 1048576";
        return Err(ConfigError::out_of_range("number of ids", ids.len(), must));
    }
    let mut given: Vec<u32> = ids.iter().copied().flatten().collect();
    given.sort_unstable();
    if given.first() == Some(&0) {
        return Err(ConfigError::out_of_range("id", 0, "at least 1"));
    }
    if let Some(pair) = given.windows(2).find(|pair| pair[0] == pair[1]) {
        let must = "given to one node only";
        return Err(ConfigError::out_of_range("id", pair[0], must));
    }
    let mut next = 1;
    let numbers = ids.iter().map(|id| {
        let id = id.unwrap_or_else(|| {
            while given.binary_search(&next).is_ok() {
                next += 1;
            }
            next
        });
        next += 1;
        id
    });
    Ok(numbers.collect())
}

impl<N> fmt::Debug for HaproxyConsistentBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HaproxyConsistentBuilder")
            .field("hash", &self.hash)
            .field("avalanche", &self.avalanche)
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}
