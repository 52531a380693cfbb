//! [`Nginx`]: `hash … consistent`, and pingora's ketama.

use super::common::{
    Listed, Points32, debug_numbers, first_offered, listed, offer, old_name, placement,
    points_a_weight, ranks, ring32, token32,
};
use crate::error::ConfigError;
use crate::hash::Token;
use crate::key::Key;
use crate::nodes::{Changes, Draft, Limits, NodeSet, members_of_nodes};
use crate::ring::points::Points;
use crate::strategy::{Strategy, builder_verbs};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;
use core::marker::PhantomData;
use crc32fast::Hasher;

/// Points for each unit of weight.
const POINTS: u32 = 160;

/// The number of points that nginx tries for a key before it falls back to round-robin.
const TRIES: usize = 21;

/// The token of the empty key, which nginx does not hash. The tokens of all other keys end in 32
/// zero bits.
const ROUND_ROBIN: Token = Token::new(u64::MAX);

/// Pingora numbers its nodes with 16 bits: from here on two nodes have one number.
const PINGORA_NODES: usize = 1 << 16;

/// The placement of nginx's `hash <key> consistent` (1.22.1), which Perl's `Cache::Memcached::Fast`
/// shares, and in a variant of its own that of [pingora](Nginx::pingora).
///
/// A node's text is what follows `server` in the upstream block: `10.0.0.1:80`, `backend.example`,
/// `[::1]:80`, `unix:/run/a.sock`.
///
/// # Examples
/// ```
/// use clockwise::compat::Nginx;
///
/// // upstream u { hash $k consistent; server 127.0.0.1:9001; … server 127.0.0.1:9005; }
/// let nginx = Nginx::from_nodes((9001..=9005).map(|port| format!("127.0.0.1:{port}")))?;
/// assert_eq!(nginx.route("key:0000").unwrap(), "127.0.0.1:9004");
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Definition
/// The text is split into host and port. The port is the digits after the last `:`, if only digits
/// follow it. Otherwise the port is empty and the host is the whole text. After `unix:` (in upper
/// or lower case) the host is the rest and the port is empty.
///
/// With prev₀ = 0, a node of weight w has the points prevᵢ = CRC-32(host, a zero byte, port,
/// prevᵢ₋₁ as four little-endian bytes), for i from 1 to 160·w. If points coincide, only the one of
/// the node that is listed first is kept. A key belongs to the first point at or after its CRC-32.
///
/// # Failover
/// `drain` corresponds to `down`, and refusing a node to a failed server. The points of the node
/// stay, and the node of the next point is tried. After 21 points nginx falls back to smooth
/// weighted round-robin. It uses round-robin from the start for the empty key. Its choice then
/// depends on earlier requests. A strategy has no such memory, so it answers as a worker process
/// that has just started: the greatest weight first, and among equal weights the first listed.
///
/// # Odd keys
/// All bytes count, including zero bytes. (Nginx itself refuses a zero byte in a URI.)
///
/// # What it gets wrong, and when to leave
/// With 160 points for each unit of weight, the busiest of 10 nodes gets 13 % more than the mean,
/// and the busiest of 100 nodes 21 % more. If all 21 points belong to failed nodes, the keys move
/// to nodes that have nothing to do with them. Two names of one address are two nodes. Nginx puts
/// two servers with the same text at the same points. Here that is an error: list the text once.
/// Leave it when you resize the tier the next time: [`guide`](super::guide).
///
/// # Performance
/// Routing costs as much as on a [`HashRing`](crate::HashRing) with 160 virtual nodes, plus the
/// CRC-32 of the key. A change rebuilds the ring in O(P log P) for P points.
#[derive(Clone)]
pub struct Nginx<N> {
    nodes: NodeSet<N>,
    points: Points,
    /// Ranks in the order of the list.
    order: Vec<u32>,
    /// Ranks in the order in which they follow after the points.
    fallback: Vec<u32>,
    program: Program,
}

/// Two programs with the same points that differ in everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Nginx,
    Pingora,
}

impl<N> Nginx<N> {
    /// Creates a strategy without nodes that answers as nginx does.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Nginx;
    ///
    /// let mut upstream = Nginx::new();
    /// upstream.insert_weighted("10.0.0.1:80", 2)?;
    /// assert_eq!(upstream.route("/index.html"), Some(&"10.0.0.1:80"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        Nginx::configured(Program::Nginx)
    }

    /// Returns a builder of the placement of pingora (pingora-ketama 0.9.1), which is
    /// `Consistent` in pingora-load-balancing.
    ///
    /// The points are those of nginx. Everything else differs: pingora hashes the empty key like
    /// any other, it never falls back to round-robin but follows the points around the whole ring,
    /// and it hashes an IPv6 address without the brackets. `drain` and refusing a
    /// node correspond to a backend that is not ready.
    ///
    /// A node's text is what `SocketAddr` displays, such as `10.0.0.1:80` or `[2001:db8::1]:80`.
    /// Pingora does not place Unix sockets, and it numbers at most 65,536 nodes. The feature `v2`
    /// of pingora-ketama is not covered. If points of two nodes coincide, pingora keeps either;
    /// here the node that is listed first keeps it.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Nginx;
    ///
    /// let pingora = Nginx::pingora().from_nodes(["10.0.0.1:80", "[::1]:80"])?;
    /// let order: Vec<_> = pingora.preference("/video/42").collect();
    /// assert_eq!(order.len(), 2);
    /// # Ok::<(), clockwise::ConfigError>(())
    /// ```
    pub const fn pingora() -> NginxBuilder<N> {
        NginxBuilder {
            program: Program::Pingora,
            nodes: PhantomData,
        }
    }

    const fn configured(program: Program) -> Self {
        let nodes = match program {
            Program::Nginx => Limits::NONE.nodes,
            Program::Pingora => PINGORA_NODES,
        };
        let limits = Limits {
            nodes,
            ..Limits::NONE
        };
        Nginx {
            nodes: NodeSet::limited(points_a_weight(POINTS), limits),
            points: Points::new(),
            order: Vec::new(),
            fallback: Vec::new(),
            program,
        }
    }

    fn carry_out(&mut self, draft: Draft<N>) -> Changes<N> {
        let list = listed(&self.nodes, &draft);
        let order = ranks(&list);
        if !draft.moves_nothing(&self.nodes) || order != self.order {
            self.points = points(&list, self.program);
            self.fallback = match self.program {
                Program::Nginx => round_robin(&list),
                Program::Pingora => order.clone(),
            };
            self.order = order;
        }
        self.nodes.commit(draft)
    }

    /// Returns the ranks of a token's nodes in order, some more than once.
    fn ranks(&self, token: Token) -> impl Iterator<Item = u32> + Clone + '_ {
        let tries = match self.program {
            Program::Nginx if token == ROUND_ROBIN => 0,
            Program::Nginx => TRIES,
            Program::Pingora => self.points.len(),
        };
        let points = self.points.walk(token.get()).take(tries);
        points.chain(self.fallback.iter().copied())
    }
}

placement!(
    Nginx,
    ", [`NodeError::TooManyPoints`](crate::NodeError::TooManyPoints) if the weights sum to more \
     than 104,857, [`NodeError::OverLimit`](crate::NodeError::OverLimit) for the 65,537th node of \
     pingora"
);

impl<N> Nginx<N> {
    /// Returns the number of points on the ring.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Nginx;
    ///
    /// assert_eq!(Nginx::from_weighted([("10.0.0.1:80", 2)])?.point_count(), 320);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn point_count(&self) -> usize {
        self.points.len()
    }
}

impl<N: Key> Strategy for Nginx<N> {
    type Node = N;

    fn pick<'a>(&'a self, token: Token, accept: &mut dyn FnMut(&'a N) -> bool) -> Option<&'a N> {
        offer(&self.nodes, self.ranks(token), accept)
    }

    /// Returns the CRC-32 in the upper half; all ones for the empty key of nginx.
    #[inline]
    fn token_of(&self, key: &[u8]) -> Token {
        if key.is_empty() && self.program == Program::Nginx {
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

debug_numbers!(
    Nginx,
    pingora: |nginx: &Self| nginx.program == Program::Pingora,
    points: |nginx: &Self| nginx.points.len()
);

/// A builder that configures an [`Nginx`] as pingora has it; see [`Nginx::pingora`].
///
/// # Examples
/// ```
/// use clockwise::compat::Nginx;
///
/// let pingora = Nginx::pingora().from_nodes(["10.0.0.1:80", "10.0.0.2:80"])?;
/// assert!(pingora.route("user:42").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `build`"]
#[derive(Clone)]
pub struct NginxBuilder<N> {
    program: Program,
    nodes: PhantomData<fn() -> N>,
}

impl<N> NginxBuilder<N> {
    /// Builds the strategy without nodes.
    ///
    /// # Examples
    /// ```
    /// use clockwise::compat::Nginx;
    ///
    /// let mut pingora = Nginx::pingora().build()?;
    /// pingora.insert("10.0.0.1:80")?;
    /// assert_eq!(pingora.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// None: it returns a `Result` because all builders do.
    pub fn build(self) -> Result<Nginx<N>, ConfigError> {
        Ok(Nginx::configured(self.program))
    }
}

builder_verbs!(impl[N: Key] NginxBuilder<N>, Nginx<N>, N, example Nginx, "pingora()");
old_name!(NginxBuilder, Nginx);

impl<N> fmt::Debug for NginxBuilder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NginxBuilder")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

fn points(list: &[Listed<'_>], program: Program) -> Points {
    let weights = list.iter().map(|listed| listed.member.weight);
    let mut points = Points32::with_capacity((weights.sum::<u32>() * POINTS) as usize);
    for (position, Listed { member, .. }) in (0..).zip(list) {
        let (host, port) = program.host_and_port(member.identity);
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

/// Returns the ranks in the order in which smooth weighted round-robin of a worker that has just
/// started offers them: the greatest weight first, of equal ones the first listed. A node that has
/// failed takes no further part, and the others have gained in proportion to their weights, so the
/// order continues in the same way.
fn round_robin(list: &[Listed<'_>]) -> Vec<u32> {
    let mut by_weight: Vec<&Listed<'_>> = list.iter().collect();
    by_weight.sort_by_key(|listed| Reverse(listed.member.weight));
    by_weight.iter().map(|listed| listed.rank).collect()
}

impl Program {
    fn host_and_port(self, text: &[u8]) -> (&[u8], &[u8]) {
        let (host, port) = host_and_port(text);
        let bare = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]"));
        match (self, bare) {
            (Program::Pingora, Some(bare)) => (bare, port),
            _ => (host, port),
        }
    }
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

    #[test]
    fn pingora_drops_the_brackets_of_an_address() {
        for (text, host, port) in [
            ("[::1]:80", "::1", "80"),
            ("[2001:db8::1]:8080", "2001:db8::1", "8080"),
            ("::1:80", "::1", "80"),
            ("10.0.0.1:80", "10.0.0.1", "80"),
            ("[", "[", ""),
            ("[]", "", ""),
        ] {
            assert_eq!(
                Program::Pingora.host_and_port(text.as_bytes()),
                (host.as_bytes(), port.as_bytes()),
                "{text}"
            );
        }
        let text = b"[::1]:80";
        assert_eq!(
            Program::Nginx.host_and_port(text),
            (&b"[::1]"[..], &b"80"[..])
        );
    }
}
