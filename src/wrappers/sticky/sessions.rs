//! The table of sessions: which node each is bound to, and until when.
//!
//! Shards, each a least-recently-used table (of the crate `lru`) under a lock of its own, with one count over all of them. A session that is in use takes
//! one lock; the count is touched only when a session comes or goes. No code of a caller runs under a lock: neither clock, nor strategy, nor node.

use crate::clock::Clock;
use crate::hash::Token;
use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use lru::LruCache;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shards of a large table: with 8 threads at once, two meet in one for every ninth use.
const MOST_SHARDS: usize = 64;

/// A shard for each so many. A table of less than twice as many is one shard, so that exactly the least recently used session leaves it.
const SESSIONS_A_SHARD: usize = 1024;

pub(super) struct Sessions<C> {
    shards: Box<[Mutex<Shard>]>,
    /// Sessions in all shards, or about to be in one: never more than the capacity.
    count: AtomicUsize,
    capacity: usize,
    ttl: Duration,
    clock: C,
}

type Shard = LruCache<Token, Session>;

struct Session {
    node: Arc<[u8]>,
    expires: Duration,
}

impl<C> Sessions<C> {
    pub(super) fn new(capacity: usize, ttl: Duration, clock: C) -> Self {
        let shards = (capacity / SESSIONS_A_SHARD).clamp(1, MOST_SHARDS);
        Sessions {
            shards: (0..shards)
                .map(|_| Mutex::new(LruCache::unbounded()))
                .collect(),
            count: AtomicUsize::new(0),
            capacity,
            ttl,
            clock,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    fn shard_of(&self, token: Token) -> usize {
        ((u128::from(token.get()) * self.shards.len() as u128) >> 64) as usize
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        // Nothing that runs under the lock panics, and a table stays whole in any case.
        self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the session out of the table.
    pub(super) fn forget(&self, token: Token) {
        let mut shard = self.lock(self.shard_of(token));
        if shard.pop(&token).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<C: Clock> Sessions<C> {
    /// The node that the session is bound to. Its time to live begins anew.
    pub(super) fn get(&self, token: Token) -> Option<Arc<[u8]>> {
        let now = self.clock.now();
        let mut shard = self.lock(self.shard_of(token));
        let session = shard.get_mut(&token)?;
        if session.expires > now {
            session.expires = now.saturating_add(self.ttl);
            return Some(Arc::clone(&session.node));
        }
        shard.pop(&token);
        self.count.fetch_sub(1, Ordering::Relaxed);
        None
    }

    /// Binds the session to `node` where it is not bound, or is to `gone`. Returns what it is bound to then: the node of another thread,
    /// where that was faster.
    pub(super) fn bind(&self, token: Token, node: &[u8], gone: Option<&[u8]>) -> Arc<[u8]> {
        let now = self.clock.now();
        let expires = now.saturating_add(self.ttl);
        let new = Session {
            node: node.into(),
            expires,
        };
        let node = Arc::clone(&new.node);
        let home = self.shard_of(token);
        loop {
            let mut shard = self.lock(home);
            if let Some(session) = shard.get_mut(&token) {
                if session.expires > now && Some(&*session.node) != gone {
                    return Arc::clone(&session.node);
                }
                *session = new;
                return node;
            }
            if self.count_one() {
                shard.put(token, new);
                return node;
            }
            // Full. Its place in the count goes from the one to the other.
            if shard.pop_lru().is_some() {
                shard.put(token, new);
                return node;
            }
            // This shard is empty: another one gives way. Two locks at once could lock each other out.
            drop(shard);
            if !self.evict_one(home) {
                return node;
            }
        }
    }

    fn count_one(&self) -> bool {
        let more = |count| (count < self.capacity).then_some(count + 1);
        self.count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    /// Evicts from the next shard that has a session. Whether there was one.
    fn evict_one(&self, from: usize) -> bool {
        let shards = self.shards.len();
        let evicted = (0..shards).any(|i| self.lock((from + i) % shards).pop_lru().is_some());
        if evicted {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        evicted
    }
}
