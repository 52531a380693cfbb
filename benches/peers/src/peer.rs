//! What the tables ask of a contender. A peer has a file of its own in `peers`.

use std::net::{Ipv4Addr, SocketAddr};

/// A node to be placed. Peers that take names, addresses or numbers each get theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    pub id: u64,
    pub weight: u32,
}

impl Node {
    /// The identity of the node without a name.
    pub const NAMELESS: u64 = u64::MAX;

    pub fn new(id: u64) -> Self {
        Node { id, weight: 1 }
    }

    /// The name: eight digits, so that a route can read it as one number.
    pub fn name(&self) -> String {
        match self.id {
            Node::NAMELESS => String::new(),
            id => format!("{id:08}"),
        }
    }

    /// The address 10.a.b.c, which has the node's number.
    pub fn address(&self) -> SocketAddr {
        let address = Ipv4Addr::from_bits(10 << 24 | self.id as u32);
        SocketAddr::from((address, 80))
    }
}

/// Reads a name as a number, which stands for the node.
pub fn read_name(name: &str) -> u64 {
    let bytes = name.as_bytes().first_chunk();
    bytes.map_or(Node::NAMELESS, |bytes| u64::from_le_bytes(*bytes))
}

/// Why a change or a set of nodes did not take effect.
#[derive(Debug)]
pub enum Refused {
    /// The peer returned an error, `None` or `false`.
    Error,
    /// The peer has no such function: the user builds it anew from the changed list.
    NotOffered,
}

/// The virtual nodes of a node of weight 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Points {
    /// As many as the caller says.
    Given,
    /// A number that the peer does not let the caller change.
    Fixed(u32),
    /// The algorithm has none.
    None,
}

/// A contender. Keys live as long as the program, as one of the peers keeps their type.
pub trait Peer: Sized {
    /// The crate and its version.
    const NAME: &'static str;
    const POINTS: Points;
    /// The peer takes an integer weight with each node.
    const WEIGHTED: bool = false;
    /// Nodes are strings, so that a name can be empty.
    const NAMED: bool = false;
    /// The peer lists several nodes for a key.
    const REPLICAS: bool = false;

    /// Places the nodes, each with so many virtual nodes if the number can be given.
    fn build(nodes: &[Node], points: u32) -> Result<Self, Refused>;

    /// Places other nodes in the way that moves the fewest keys, for want of a change in place.
    fn rebuild(&self, nodes: &[Node], points: u32) -> Result<Self, Refused> {
        Self::build(nodes, points)
    }

    /// Routes, and reads the node.
    fn route(&self, key: &'static str) -> Option<u64>;

    /// Returns what `route` reads of this node.
    fn identity(node: &Node) -> u64 {
        node.id
    }

    /// Returns the first `n` nodes for a key.
    fn replicas(&self, _key: &'static str, _n: usize) -> Vec<u64> {
        Vec::new()
    }

    /// Returns the sum of the first three nodes of a key, in the way that costs the peer least.
    fn three(&self, key: &'static str) -> u64 {
        self.replicas(key, 3).into_iter().fold(0, u64::wrapping_add)
    }

    fn add(&mut self, _node: &Node) -> Result<(), Refused> {
        Err(Refused::NotOffered)
    }

    fn remove(&mut self, _node: &Node) -> Result<(), Refused> {
        Err(Refused::NotOffered)
    }

    fn set_weight(&mut self, _node: &Node) -> Result<(), Refused> {
        Err(Refused::NotOffered)
    }

    /// Gives the peer NaN as a weight or factor. `None` if it takes no such number.
    fn take_nan() -> Option<Result<(), Refused>> {
        None
    }
}
