//! A worker's prefix cache: blocks of keys and values, of which the least recently used one leaves.

use crate::trace::{BLOCK, Request};
use lru::LruCache;
use std::num::NonZeroUsize;

pub struct PrefixCache {
    blocks: LruCache<u64, ()>,
    capacity: usize,
}

impl PrefixCache {
    /// Creates an empty cache. It grows up to `capacity` blocks.
    pub fn new(capacity: usize) -> Self {
        PrefixCache {
            blocks: LruCache::unbounded(),
            capacity: NonZeroUsize::new(capacity).map_or(1, NonZeroUsize::get),
        }
    }

    /// Returns how many tokens of a prompt need no computation: those of the blocks from its start
    /// to the first block that is missing. The last token is always computed.
    pub fn cached_tokens(&self, request: &Request) -> u32 {
        let blocks = request
            .blocks(request.prompt)
            .take_while(|block| self.blocks.contains(block))
            .count() as u32;
        (blocks * BLOCK).min(request.prompt - 1)
    }

    /// Adds the whole blocks of the first `tokens` tokens, or marks them as used.
    pub fn insert(&mut self, request: &Request, tokens: u32) {
        // From the end, so that of one prompt the last blocks leave first: without the blocks
        // before it a block is of no use.
        for block in request.blocks(tokens).rev() {
            self.blocks.put(block, ());
        }
        while self.blocks.len() > self.capacity {
            self.blocks.pop_lru();
        }
    }
}
