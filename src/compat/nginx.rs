//! [`Nginx`]: `hash … consistent`.

use super::common::{
    Listed, Points32, default_and_debug, first_offered, listed, offer, points_a_weight, ranks,
    ring32, token32,
};
use super::error::CompatError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Changes, Draft, NodeSet, members_of_nodes, membership};
use crate::preference::Preference;
use crate::ring::points::Points;
use crate::strategy::{Strategy, construct_verbs, placement_verbs, routing_verbs};
use alloc::vec::Vec;
use core::cmp::Reverse;
use crc32fast::Hasher;

/// Points for each unit of weight.
const POINTS: u32 = 160;

/// Points that nginx looks at, from a key on, before it takes to round-robin.
const TRIES: usize = 21;

/// The token of the empty key, which nginx does not hash. Tokens of others have zeros in their lower half.
const ROUND_ROBIN: Token = Token::new(u64::MAX);

/// The placement of nginx's `hash <key> consistent` (1.22.1), which is also that of pingora-ketama and of Perl's
/// `Cache::Memcached::Fast`.
///
/// A node's text is what stands after `server` in the upstream block: `10.0.0.1:80`, `backend.example`, `[::1]:80`,
/// `unix:/run/a.sock`. Nginx keeps the brackets of an IPv6 address; pingora drops them, so for pingora write `::1:80`.
///
/// ```
/// use clockwise::{Route, compat::Nginx};
///
/// // upstream u { hash $k consistent; server 127.0.0.1:9001; … server 127.0.0.1:9005; }
/// let nodes = (9001..=9005).map(|port| (format!("127.0.0.1:{port}"), 1));
/// let nginx = Nginx::try_from_nodes(nodes)?;
/// assert_eq!(nginx.route("key:0000").unwrap(), "127.0.0.1:9004");
/// # Ok::<(), clockwise::compat::CompatError>(())
/// ```
///
/// # Definition
/// The text is split into host and port: the port is the digits after the last `:` if nothing else follows it; else it is empty
/// and the host is the whole; after `unix:` (in any case) the host is the rest. With prev₀ = 0 a node of weight w has the
/// points prevᵢ = CRC-32(host, a zero byte, port, prevᵢ₋₁ as four bytes, little-endian), i = 1 … 160·w. Of points that coincide
/// the first listed node's stays. A key belongs to the first point at or after its CRC-32.
///
/// # Failover
/// `drain` is `down`, and refusing a node is a failed one: its points stay, and the next point's node is taken. After 21
/// points, nginx takes to smooth weighted round-robin, and it does so at once for the empty key. Its choice then depends on the
/// requests before; a strategy has no such memory and answers as a worker that has just started: the greatest weight first,
/// then the first listed.
///
/// # Odd keys
/// All bytes count as they are, zero bytes too. (Nginx itself refuses a zero byte in an URI.)
///
/// # What it gets wrong, and when to leave
/// The 160 points of a unit of weight leave the busiest of 10 nodes 13 % above the mean, of 100 nodes 21 %. A node that fails
/// 21 points in a row sends its keys to one node after another, whoever they belong to. Two names for one address are two
/// nodes. Duplicate texts, which nginx puts at the same points, are an error here; give the text once. Weight 0, which nginx
/// refuses too, is an error. Leave when you next resize the tier anyway: [`guide`](super::guide).
///
/// # Cost
/// As a [`HashRing`](crate::HashRing) of 160 virtual nodes to route, plus the CRC-32. A change rebuilds the ring, O(P log P).
#[derive(Clone)]
pub struct Nginx<N> {
    nodes: NodeSet<N>,
    points: Points,
    /// Ranks as listed.
    order: Vec<u32>,
    /// Ranks in a fresh worker's round-robin order.
    fallback: Vec<u32>,
}

impl<N> Nginx<N> {
    /// No nodes yet.
    pub const fn new() -> Self {
        Nginx {
            nodes: NodeSet::new(points_a_weight(POINTS)),
            points: Points::new(),
            order: Vec::new(),
            fallback: Vec::new(),
        }
    }

    /// The servers of an upstream block with their weights, in the order of the block.
    ///
    /// # Errors
    /// [`CompatError::Node`]: a duplicate or empty text, weight 0, or more than 2²⁴ points together (a total weight above
    /// 104,857).
    pub fn try_from_nodes<I>(nodes: I) -> Result<Self, CompatError>
    where
        I: IntoIterator<Item = (N, u32)>,
        N: Key,
    {
        let mut nginx = Nginx::new();
        nginx.extend_weighted(nodes)?;
        Ok(nginx)
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        let list = listed(&self.nodes, &draft);
        let order = ranks(&list);
        if !draft.moves_nothing(&self.nodes) || order != self.order {
            self.points = points(&list);
            self.fallback = fallback(&list);
            self.order = order;
        }
        self.nodes.commit(draft)
    }
}

impl<N> Nginx<N> {
    /// The ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let tries = if token == ROUND_ROBIN { 0 } else { TRIES };
        let points = self.points.walk(token.get()).take(tries);
        points.chain(self.fallback.iter().copied())
    }

    fn find<'a>(&'a self, token: Token, mut accept: impl FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), &mut accept)
    }

    fn preference_of(&self, token: Token) -> Preference<'_, N> {
        Preference::foreign(&self.nodes, self.ranks(token))
    }
}

construct_verbs!(impl[N: Key] Nginx<N>, N, ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)");
routing_verbs!(impl[N: Key] Nginx<N>, N);
placement_verbs!(impl[N: Key] Nginx<N>, N);
membership!(
    Nginx<N>,
    [N: Key],
    strategy [N: Key],
    reading [N],
    ", [`NodeError::OverLimit`](crate::NodeError::OverLimit)"
);

impl<N: Key> Strategy for Nginx<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// The CRC-32 in the upper half; all ones for the empty key.
    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        if key.is_empty() {
            ROUND_ROBIN
        } else {
            token32(crc32fast::hash(key))
        }
    }

    #[inline]
    fn route_token(&self, token: Token) -> Option<&N> {
        let owner = self.points.owner_of(token.get())?;
        let is_down = |rank: u32| self.nodes.entries()[rank as usize].drained;
        let some_are_down = self.nodes.eligible() < self.nodes.len();
        if token == ROUND_ROBIN || some_are_down && is_down(owner) {
            return first_offered(self, token);
        }
        Some(self.nodes.node(owner))
    }

    members_of_nodes!(N);
}

default_and_debug!(Nginx, points: |nginx: &Self| nginx.points.len());

fn points(list: &[Listed<'_>]) -> Points {
    let weights = list.iter().map(|listed| listed.member.weight);
    let mut points = Points32::with_capacity((weights.sum::<u32>() * POINTS) as usize);
    for (position, Listed { member, .. }) in (0..).zip(list) {
        let (host, port) = host_and_port(member.identity);
        let mut base = Hasher::new();
        base.update(host);
        base.update(&[0]);
        base.update(port);
        let mut place = 0u32;
        for _ in 0..member.weight * POINTS {
            let mut hasher = base.clone();
            hasher.update(&place.to_le_bytes());
            place = hasher.finalize();
            points.push(place, position);
        }
    }
    let mut points = points.sorted(list);
    points.dedup_by_key(|point| *point >> 32);
    ring32(&points)
}

/// In a fresh worker smooth weighted round-robin takes the greatest weight first, of equal ones the first listed. One that has
/// failed takes part no more, and the others have gained in proportion to their weights: so the order goes on.
fn fallback(list: &[Listed<'_>]) -> Vec<u32> {
    let mut by_weight: Vec<&Listed<'_>> = list.iter().collect();
    by_weight.sort_by_key(|listed| Reverse(listed.member.weight));
    by_weight.iter().map(|listed| listed.rank).collect()
}

fn host_and_port(text: &[u8]) -> (&[u8], &[u8]) {
    if let Some((scheme, path)) = text.split_at_checked(5) {
        if scheme.eq_ignore_ascii_case(b"unix:") {
            return (path, b"");
        }
    }
    match text.iter().rposition(|byte| !byte.is_ascii_digit()) {
        Some(colon) if text[colon] == b':' => (&text[..colon], &text[colon + 1..]),
        _ => (text, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_as_nginx_does() {
        for (text, host, port) in [
            ("10.0.0.1:80", "10.0.0.1", "80"),
            ("10.0.0.1", "10.0.0.1", ""),
            ("[::1]:80", "[::1]", "80"),
            ("[::1]", "[::1]", ""),
            ("::1:80", "::1", "80"),
            ("backend", "backend", ""),
            ("backend:", "backend", ""),
            ("backend:80x", "backend:80x", ""),
            ("a:b:7", "a:b", "7"),
            ("12345", "12345", ""),
            (":80", "", "80"),
            ("unix:/run/a:80", "/run/a:80", ""),
            ("UNIX:/run/a", "/run/a", ""),
            ("unix:", "", ""),
        ] {
            assert_eq!(
                host_and_port(text.as_bytes()),
                (host.as_bytes(), port.as_bytes()),
                "{text}"
            );
        }
    }
}
