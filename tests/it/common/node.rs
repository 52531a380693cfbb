//! A node that carries something besides its identity.

use clockwise::Key;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub id: Vec<u8>,
    pub payload: u32,
}

impl Node {
    pub fn new(id: impl Into<Vec<u8>>, payload: u32) -> Node {
        Node {
            id: id.into(),
            payload,
        }
    }
}

impl Key for Node {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        &self.id
    }
}
