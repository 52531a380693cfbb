//! Configuring a twemproxy pool.

use super::Ketama;
use super::rules::{KetamaHash, Rules};
use crate::compat::common::old_name;
use crate::error::{ConfigError, readable};
use crate::key::Key;
use crate::strategy::builder_verbs;
use alloc::{format, string::String};
use core::fmt;
use core::marker::PhantomData;

/// A builder that configures a [`Ketama`] of a twemproxy pool; see [`Ketama::twemproxy`].
///
/// # Examples
/// ```
/// use clockwise::compat::{Ketama, KetamaHash};
///
/// let pool = Ketama::twemproxy()
///     .hash(KetamaHash::Md5)
///     .hash_tag("{}")
///     .from_weighted([("10.0.0.1:11211", 1), ("10.0.0.2:11211", 2)])?;
/// assert_eq!(pool.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `build`"]
#[derive(Clone)]
pub struct KetamaBuilder<N> {
    hash: KetamaHash,
    tag: Option<String>,
    named: bool,
    nodes: PhantomData<fn() -> N>,
}

impl<N> KetamaBuilder<N> {
    pub(super) const fn new() -> Self {
        KetamaBuilder {
            hash: KetamaHash::Fnv1a64,
            tag: None,
            named: false,
            nodes: PhantomData,
        }
    }

    /// Sets the `hash:` of the pool, which is `fnv1a_64` by default.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::{Ketama, KetamaHash};
    ///
    /// // hash: md5
    /// let pool = Ketama::twemproxy().hash(KetamaHash::Md5).from_nodes(["10.0.0.1:11211"])?;
    /// assert!(pool.route("user:42").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hash(mut self, hash: KetamaHash) -> Self {
        self.hash = hash;
        self
    }

    /// Sets the `hash_tag:` of the pool, two ASCII characters. Only the part of a key between the
    /// first character and the next second one counts, unless it is empty.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Ketama;
    ///
    /// let nodes = ["10.0.0.1:11211", "10.0.0.2:11211"];
    /// let pool = Ketama::twemproxy().hash_tag("{}").from_nodes(nodes)?;
    /// assert_eq!(pool.route("orders{user:42}"), pool.route("user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hash_tag(mut self, tag: &str) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Sets whether the nodes' texts are the names that the `servers:` of the pool have, as in
    /// `- 10.0.0.1:11211:1 cache-a`, instead of addresses. A name that ends in `:11211` keeps that
    /// ending. [`Named`](crate::Named) gives an address a name.
    ///
    /// Names of more than 74 bytes are placed by all their bytes. Twemproxy reads past the end of
    /// its buffer for them.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Named, compat::Ketama};
    ///
    /// // servers: - 10.0.0.1:11211:1 cache-1
    /// let server = Named::new("cache-1", "10.0.0.1:11211");
    /// let pool = Ketama::twemproxy().named(true).from_nodes([server])?;
    /// assert!(pool.contains("cache-1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn named(mut self, named: bool) -> Self {
        self.named = named;
        self
    }

    /// Builds the strategy without nodes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Ketama;
    ///
    /// let mut pool = Ketama::twemproxy().build()?;
    /// pool.insert("10.0.0.1:11211")?;
    /// assert_eq!(pool.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] if the hash tag is not two ASCII characters.
    pub fn build(self) -> Result<Ketama<N>, ConfigError> {
        let tag = match self.tag {
            None => None,
            Some(tag) => match *tag.as_bytes() {
                [open, close] if tag.is_ascii() => Some((open, close)),
                _ => {
                    let must = "two ASCII characters, such as {}";
                    return Err(ConfigError::out_of_range(
                        "hash tag",
                        format!("`{}`", readable(tag.as_bytes())),
                        must,
                    ));
                }
            },
        };
        Ok(Ketama::configured(Rules {
            hash: self.hash,
            tag,
            named: self.named,
            twemproxy: true,
        }))
    }
}

builder_verbs!(impl[N: Key] KetamaBuilder<N>, Ketama<N>, N, example Ketama, "twemproxy()");
old_name!(KetamaBuilder, Ketama);

impl<N> fmt::Debug for KetamaBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KetamaBuilder")
            .field("hash", &self.hash)
            .field("hash_tag", &self.tag)
            .field("named", &self.named)
            .finish()
    }
}
