//! The traits alone: a strategy puts the nodes in order of preference for a key.

use crate::error::{NodeError, NotEnoughDomains};
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Changes, Member};
use alloc::{boxed::Box, vec::Vec};

#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;

/// A way to choose a node: for each token, an order of preference over the eligible nodes. Object-safe.
///
/// Owner = the first. Replicas = the first n. Failover = the next one. Health, exclusion and bounded load = the first that the
/// caller accepts. Implement [`pick`](Strategy::pick) and the rest follows; [`Route`] brings the verbs for keys.
///
/// ```
/// use clockwise::{HashRing, Route, Strategy};
///
/// // Chosen at run time, used through the one trait.
/// let strategy: Box<dyn Strategy<&str> + Send + Sync> = Box::new(HashRing::from_nodes(["a", "b", "c"])?);
/// let owner = strategy.route("user:42").unwrap();
/// let next = strategy.route_where("user:42", |node| node != owner).unwrap();
/// assert_eq!(strategy.replicas("user:42", 2), [owner, next]);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
pub trait Strategy<N> {
    /// Offers the eligible nodes to `accept` in `token`'s order of preference, each at most once. Returns exactly the node for
    /// which `accept` said true and does not call it again, so `accept` may reserve or collect. `None`: none was accepted.
    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N>;

    /// The token of a key's bytes.
    fn token_of(&self, key: &[u8]) -> Token;

    /// The first node in `token`'s order; `None` only where no node is eligible.
    fn route_token(&self, token: Token) -> Option<&N> {
        self.pick(token, &mut |_| true)
    }

    /// Whether the strategy's own conditions would let it offer this member, drain apart: true, but for a filter. What comes back to
    /// a node by its identity, as a session does, asks here first. A wrapper passes the question on.
    fn admits(&self, node: &N) -> bool {
        let _ = node;
        true
    }

    /// The weight of a node that this strategy has handed out, where it can tell at once from the reference. `None`: ask
    /// [`member`](Strategy::member). A wrapper passes the question on.
    fn weight_of(&self, node: &N) -> Option<u32> {
        let _ = node;
        None
    }

    /// The member with this identity, drained or not.
    fn member(&self, id: &[u8]) -> Option<Member<'_, N>>;

    /// Passes every member to `f`, drained ones too, in order of identity.
    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, N>));
}

/// The verbs for keys, on every [`Strategy`].
pub trait Route<N>: Strategy<N> {
    /// The node for `key`; `None` only where no node is eligible.
    fn route<K: Key + ?Sized>(&self, key: &K) -> Option<&N> {
        self.route_token(self.token_of(key.key_bytes().as_ref()))
    }

    /// The first node in `key`'s order for which `accept` says true.
    fn route_where<'a, K, F>(&'a self, key: &K, mut accept: F) -> Option<&'a N>
    where
        K: Key + ?Sized,
        F: FnMut(&'a N) -> bool,
    {
        self.pick(self.token_of(key.key_bytes().as_ref()), &mut accept)
    }

    /// The first `n` nodes in `key`'s order, all distinct; fewer where fewer are eligible.
    fn replicas<'a, K: Key + ?Sized>(&'a self, key: &K, n: usize) -> Vec<&'a N> {
        let mut replicas = Vec::new();
        if n > 0 {
            self.route_where(key, |node| {
                replicas.push(node);
                replicas.len() == n
            });
        }
        replicas
    }

    /// `n` nodes in `key`'s order, spread over domains (zones, racks, regions): never two in one domain while another is unused.
    ///
    /// Ranks the nodes of each domain by preference and takes all first ones in order, then all second ones, until `n`. So
    /// a change of one node changes at most one member of the set.
    ///
    /// # Complexity
    /// O(n) nodes looked at (expected, domains of equal size) while `n` is at most the number of domains, all nodes beyond; each is
    /// compared with the domains seen.
    fn replicas_across<'a, K, Z, F>(&'a self, key: &K, n: usize, domain: F) -> Vec<&'a N>
    where
        K: Key + ?Sized,
        Z: PartialEq,
        F: FnMut(&'a N) -> Z,
    {
        across(self, key, n, domain).0
    }

    /// As [`replicas_across`](Route::replicas_across), but all in distinct domains.
    ///
    /// # Errors
    /// [`NotEnoughDomains`] where fewer than `n` domains have an eligible node.
    fn try_replicas_across<'a, K, Z, F>(
        &'a self,
        key: &K,
        n: usize,
        domain: F,
    ) -> Result<Vec<&'a N>, NotEnoughDomains>
    where
        K: Key + ?Sized,
        Z: PartialEq,
        F: FnMut(&'a N) -> Z,
    {
        let (replicas, found) = across(self, key, n, domain);
        if found < n {
            Err(NotEnoughDomains { wanted: n, found })
        } else {
            Ok(replicas)
        }
    }
}

impl<N, S: Strategy<N> + ?Sized> Route<N> for S {}

/// The replicas over domains, and how many domains were seen (all there are, if fewer than `n`).
fn across<'a, N, S, K, Z, F>(
    strategy: &'a S,
    key: &K,
    n: usize,
    mut domain: F,
) -> (Vec<&'a N>, usize)
where
    S: Strategy<N> + ?Sized,
    K: Key + ?Sized,
    Z: PartialEq,
    F: FnMut(&'a N) -> Z,
{
    let mut domains: Vec<(Z, usize)> = Vec::new();
    let mut ranked: Vec<(usize, &'a N)> = Vec::new();
    if n > 0 {
        strategy.route_where(key, |node| {
            let domain = domain(node);
            let rank = match domains.iter_mut().find(|(seen, _)| *seen == domain) {
                Some((_, count)) => {
                    *count += 1;
                    *count
                }
                None => {
                    domains.push((domain, 0));
                    0
                }
            };
            ranked.push((rank, node));
            domains.len() == n
        });
    }
    // Stable: within a rank the order of preference stays.
    ranked.sort_by_key(|&(rank, _)| rank);
    (
        ranked.into_iter().take(n).map(|(_, node)| node).collect(),
        domains.len(),
    )
}

/// A strategy whose members follow a list, such as service discovery's. Object-safe.
pub trait Membership<N>: Strategy<N> {
    /// Makes `all` the members; only the difference is applied. A present identity keeps its payload and stays drained, only its
    /// weight follows. An empty list empties the strategy: whether to believe it is the caller's.
    ///
    /// # Errors
    /// A duplicate or empty identity, weight 0, or more points than the budget; then nothing has changed.
    fn set_members(&mut self, all: Vec<(N, u32)>) -> Result<Changes<N>, NodeError>;

    /// Drains the member or takes that back. Doing it twice is fine.
    ///
    /// # Errors
    /// [`NodeError::Unknown`] where no member has this identity.
    fn set_drained(&mut self, id: &[u8], drained: bool) -> Result<(), NodeError>;
}

macro_rules! forward {
    ($($(#[$attr:meta])* [$($generics:tt)*] $wrapper:ty;)*) => {$(
        $(#[$attr])*
        impl<$($generics)*> Strategy<N> for $wrapper {
            fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
                (**self).pick(token, accept)
            }
            fn token_of(&self, key: &[u8]) -> Token {
                (**self).token_of(key)
            }
            fn route_token(&self, token: Token) -> Option<&N> {
                (**self).route_token(token)
            }
            fn admits(&self, node: &N) -> bool {
                (**self).admits(node)
            }
            fn weight_of(&self, node: &N) -> Option<u32> {
                (**self).weight_of(node)
            }
            fn member(&self, id: &[u8]) -> Option<Member<'_, N>> {
                (**self).member(id)
            }
            fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, N>)) {
                (**self).for_each_member(f);
            }
        }
    )*};
}
forward! {
    [N, S: Strategy<N> + ?Sized] &S;
    [N, S: Strategy<N> + ?Sized] Box<S>;
    #[cfg(target_has_atomic = "ptr")]
    [N, S: Strategy<N> + ?Sized] Arc<S>;
}

impl<N, S: Membership<N> + ?Sized> Membership<N> for Box<S> {
    fn set_members(&mut self, all: Vec<(N, u32)>) -> Result<Changes<N>, NodeError> {
        (**self).set_members(all)
    }

    fn set_drained(&mut self, id: &[u8], drained: bool) -> Result<(), NodeError> {
        (**self).set_drained(id, drained)
    }
}
