//! Replicas over domains (zones, racks, regions).

use super::Strategy;
use crate::key::Key;
use alloc::vec::Vec;

/// Returns the replicas over domains, and how many domains were seen (all there are, if fewer than
/// `n`).
pub(super) fn across<'a, S, K, Z, F>(
    strategy: &'a S,
    key: &K,
    n: usize,
    mut domain: F,
) -> (Vec<&'a S::Node>, usize)
where
    S: Strategy + ?Sized,
    K: Key + ?Sized,
    Z: PartialEq,
    F: FnMut(&'a S::Node) -> Z,
{
    let mut domains: Vec<(Z, usize)> = Vec::new();
    let mut ranked: Vec<(usize, &'a S::Node)> = Vec::new();
    if n > 0 {
        let token = strategy.token_of(key.key_bytes().as_ref());
        strategy.pick(token, &mut |node| {
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
    // The sort is stable: within a rank the order of preference stays.
    ranked.sort_by_key(|&(rank, _)| rank);
    (
        ranked.into_iter().take(n).map(|(_, node)| node).collect(),
        domains.len(),
    )
}
