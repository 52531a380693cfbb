//! What a configuration of another program's placement can get wrong.

use super::common::RING_SIZE_MAX;
use super::envoy_maglev::TABLE_SIZE_MAX;
use crate::error::NodeError;
use alloc::string::String;
use thiserror::Error;

/// A placement of another program that cannot be built. The program itself refuses the same, or does not survive it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CompatError {
    /// A node that is refused.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A ring needs a point, the minimum may not exceed the maximum, and neither may exceed 8,388,608.
    #[error(
        "a ring of at least {min} and at most {max} points: it must hold that 1 <= minimum <= maximum <= {RING_SIZE_MAX}"
    )]
    #[non_exhaustive]
    RingSize {
        /// The minimum.
        min: u64,
        /// The maximum.
        max: u64,
    },
    /// The size of a Maglev table is a prime, else a node's slots do not cover it, and at most 5,000,011.
    #[error(
        "a Maglev table of {table_size} slots: the size must be a prime of at most {TABLE_SIZE_MAX}"
    )]
    #[non_exhaustive]
    TableSize {
        /// The size.
        table_size: u64,
    },
    /// As many ids as nodes are needed.
    #[error("{ids} ids for {nodes} nodes")]
    #[non_exhaustive]
    IdCount {
        /// Ids given.
        ids: usize,
        /// Nodes given.
        nodes: usize,
    },
    /// Ids are 1 or more.
    #[error("id 0, but ids start at 1")]
    ZeroId,
    /// Two nodes would stand at the same points.
    #[error("id {id} is given twice")]
    #[non_exhaustive]
    DuplicateId {
        /// The id.
        id: u32,
    },
    /// A hash tag is the byte that opens it and the byte that closes it.
    #[error("hash tag `{tag}`: it must be two ASCII characters, as in `{{}}`")]
    #[non_exhaustive]
    HashTag {
        /// What was given.
        tag: String,
    },
}
