//! [`Server`]: a Redis server that holds data, as the rings know it.

use clockwise::{ConfigError, HashRing, Key};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The number of copies of each key.
pub const REPLICAS: usize = 2;

const VIRTUAL_NODES: u32 = 32;

pub type Ring = HashRing<Server>;

/// A server. Its name is its identity, so that it can move to another address with its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub name: String,
    pub address: SocketAddr,
    /// The server asks for its data to be moved away.
    pub leaving: bool,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

/// Returns a ring without members.
pub fn ring() -> Result<Ring, ConfigError> {
    HashRing::builder().virtual_nodes(VIRTUAL_NODES).build()
}
