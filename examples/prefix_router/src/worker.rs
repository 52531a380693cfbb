//! An inference worker: a queue, a batch with a limited number of slots, and a prefix cache.

use crate::cache::PrefixCache;
use crate::trace::Request;
use clockwise::load::InFlight;
use std::collections::VecDeque;

/// Requests that a worker decodes at a time.
pub const SLOTS: usize = 48;

/// Tokens of a prompt that a worker computes in a second.
const PREFILL_RATE: f64 = 10_000.0;

/// Seconds that a prompt takes besides its tokens.
const PREFILL_BASE: f64 = 0.01;

/// Seconds between two tokens of an answer.
const TOKEN_TIME: f64 = 0.025;

/// Blocks of 512 tokens in a worker's cache: 1,024,000 tokens.
const CACHE_BLOCKS: usize = 2_000;

/// A request at a worker. Its place in the balancer's count ends with it.
pub struct Placed {
    pub request: Request,
    pub in_flight: InFlight,
}

pub struct Worker {
    waiting: VecDeque<Placed>,
    /// The request whose prompt is computed: one at a time.
    prefilling: Option<Placed>,
    decoding: usize,
    cache: PrefixCache,
}

/// A prompt that a worker has begun to compute.
pub struct Started {
    pub takes: f64,
    pub cached_tokens: u32,
    pub request: Request,
}

impl Worker {
    pub fn new() -> Self {
        Worker {
            waiting: VecDeque::new(),
            prefilling: None,
            decoding: 0,
            cache: PrefixCache::new(CACHE_BLOCKS),
        }
    }

    pub fn enqueue(&mut self, placed: Placed) {
        self.waiting.push_back(placed);
    }

    /// Returns how many requests wait for their first token.
    pub fn queue(&self) -> usize {
        self.waiting.len() + usize::from(self.prefilling.is_some())
    }

    /// Starts the next prompt if no other one is computed and a slot is free.
    pub fn start(&mut self) -> Option<Started> {
        if self.prefilling.is_some() || self.decoding == SLOTS {
            return None;
        }
        let placed = self.waiting.pop_front()?;
        let request = placed.request;
        let cached_tokens = self.cache.cached_tokens(&request);
        self.prefilling = Some(placed);
        Some(Started {
            takes: PREFILL_BASE + f64::from(request.prompt - cached_tokens) / PREFILL_RATE,
            cached_tokens,
            request,
        })
    }

    /// Ends the prefill. Returns the request and how long its answer takes.
    pub fn first_token(&mut self) -> Option<(Placed, f64)> {
        let placed = self.prefilling.take()?;
        self.cache.insert(&placed.request, placed.request.prompt);
        self.decoding += 1;
        let takes = f64::from(placed.request.answer) * TOKEN_TIME;
        Some((placed, takes))
    }

    /// Ends a request. Its answer stays in the cache for the next turn.
    pub fn finish(&mut self, placed: Placed) {
        let request = placed.request;
        self.cache.insert(&request, request.prompt + request.answer);
        self.decoding -= 1;
        drop(placed.in_flight);
    }
}
