//! The table of sessions: which node each is bound to, since when, and when it was last used.
//!
//! The table consists of shards. Each is a least-recently-used table (of the crate `lru`) under a
//! lock of its own, and one count covers all of them. A session that is bound takes one lock. The
//! count changes only when a session is added or removed. No code of a caller runs under a lock:
//! no clock, no strategy and no node.

use super::session::Session;
use crate::clock::Clock;
use crate::hash::Token;
use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use lru::LruCache;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most shards that a table has. If 8 threads use it, two meet in one for every ninth use.
const MOST_SHARDS: usize = 64;

/// A table has one shard for each so many sessions. With fewer than twice as many it has one
/// shard, so that exactly the least recently used session is evicted.
const SESSIONS_A_SHARD: usize = 1024;

pub(super) struct Sessions<C> {
    shards: Box<[Mutex<Shard>]>,
    /// Sessions in all shards, or about to be in one: never more than the capacity.
    count: AtomicUsize,
    capacity: usize,
    ttl: i64,
    clock: C,
    /// The greatest generation of a view. A lock, because not every target with `std` has atomics
    /// of 64 bits, and a change of members costs far more.
    generation: Mutex<u64>,
}

type Shard = LruCache<Token, Entry>;

struct Entry {
    node: Arc<[u8]>,
    /// When the session was bound to this node.
    bound: i64,
    used: i64,
    /// The greatest generation of a view that has served the session, bound it or found its node
    /// missing.
    generation: u64,
}

/// What a view of the strategy brings to the table.
#[derive(Clone, Copy)]
pub(super) struct View {
    /// Greater than that of every view that was changed before.
    pub(super) generation: u64,
    pub(super) max_age: i64,
}

/// Nanoseconds, up to 292 years. Signed, as a restored session may be older than the clock.
pub(super) fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// The time since `then`.
fn since(then: i64, now: i64) -> Duration {
    Duration::from_nanos(u64::try_from(now.saturating_sub(then)).unwrap_or(0))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that runs under these locks panics, and what they protect is whole in any case.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            ttl: nanos(ttl),
            clock,
            generation: Mutex::new(0),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// A generation greater than all before.
    pub(super) fn next_generation(&self) -> u64 {
        let mut generation = lock(&self.generation);
        *generation += 1;
        *generation
    }

    fn shard_of(&self, token: Token) -> usize {
        ((u128::from(token.get()) * self.shards.len() as u128) >> 64) as usize
    }

    /// Returns `true` if a session that is bound by this view stays in the table at all.
    fn keeps(&self, view: View) -> bool {
        self.capacity > 0 && self.ttl > 0 && view.max_age > 0
    }

    fn is_live(&self, entry: &Entry, now: i64, view: View) -> bool {
        now.saturating_sub(entry.used) < self.ttl && now.saturating_sub(entry.bound) < view.max_age
    }

    /// Takes the session out of the table.
    pub(super) fn forget(&self, token: Token) {
        let mut shard = lock(&self.shards[self.shard_of(token)]);
        if shard.pop(&token).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Adds one to the count, unless the table is full.
    fn count_one(&self) -> bool {
        let more = |count| (count < self.capacity).then_some(count + 1);
        self.count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    /// Evicts a session from the next shard that has one. Returns `true` if there was one.
    fn evict_one(&self, from: usize) -> bool {
        let shards = self.shards.len();
        let evicted =
            (0..shards).any(|i| lock(&self.shards[(from + i) % shards]).pop_lru().is_some());
        if evicted {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        evicted
    }

    /// Puts the session into the table, unless it has an entry that `stays`. Returns the node of
    /// that one.
    fn put(&self, token: Token, new: Entry, stays: impl Fn(&Entry) -> bool) -> Option<Arc<[u8]>> {
        let home = self.shard_of(token);
        loop {
            let mut shard = lock(&self.shards[home]);
            if let Some(entry) = shard.get_mut(&token) {
                if stays(entry) {
                    return Some(Arc::clone(&entry.node));
                }
                *entry = new;
                return None;
            }
            // If the table is full, the place of another session in the count is taken over.
            if self.count_one() || shard.pop_lru().is_some() {
                shard.put(token, new);
                return None;
            }
            // This shard is empty, so another one must evict. Two locks held together could
            // block each other.
            drop(shard);
            if !self.evict_one(home) {
                return None;
            }
        }
    }

    /// Removes the entries for which `keep` returns `false`.
    fn retain(&self, mut keep: impl FnMut(&Entry) -> bool) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let before = shard.len();
            shard.retain(|_, entry| keep(entry));
            let removed = before - shard.len();
            self.count.fetch_sub(removed, Ordering::Relaxed);
        }
    }
}

impl<C: Clock> Sessions<C> {
    fn now(&self) -> i64 {
        nanos(self.clock.now())
    }

    /// Returns the node that the session is bound to. Its time to live starts again.
    pub(super) fn get(&self, token: Token, view: View) -> Option<Arc<[u8]>> {
        let now = self.now();
        let mut shard = lock(&self.shards[self.shard_of(token)]);
        let entry = shard.get_mut(&token)?;
        if self.is_live(entry, now, view) {
            entry.used = now;
            entry.generation = entry.generation.max(view.generation);
            return Some(Arc::clone(&entry.node));
        }
        shard.pop(&token);
        self.count.fetch_sub(1, Ordering::Relaxed);
        None
    }

    /// Binds the session to `node` if it is not bound, or if it is bound to `gone` and no later
    /// view has used it. Otherwise returns the node that it stays bound to.
    pub(super) fn bind(
        &self,
        token: Token,
        node: &[u8],
        gone: Option<&[u8]>,
        view: View,
    ) -> Option<Arc<[u8]>> {
        if !self.keeps(view) {
            return None;
        }
        let new = self.entry(node, view);
        let now = new.used;
        self.put(token, new, |entry| {
            let is_gone = Some(&*entry.node) == gone && entry.generation <= view.generation;
            self.is_live(entry, now, view) && !is_gone
        })
    }

    /// Binds the session to `node`, also if it is bound to another one.
    pub(super) fn rebind(&self, token: Token, node: &[u8], view: View) {
        if self.keeps(view) {
            self.put(token, self.entry(node, view), |_| false);
        }
    }

    fn entry(&self, node: &[u8], view: View) -> Entry {
        let now = self.now();
        Entry {
            node: node.into(),
            bound: now,
            used: now,
            generation: view.generation,
        }
    }

    /// Passes the sessions that have not expired to `f`, each at most once.
    fn for_each(&self, view: View, mut f: impl FnMut(Token, &Entry, i64)) {
        let now = self.now();
        for shard in &self.shards {
            for (token, entry) in lock(shard).iter() {
                if self.is_live(entry, now, view) {
                    f(*token, entry, now);
                }
            }
        }
    }

    pub(super) fn count(&self, view: View) -> usize {
        let mut count = 0;
        self.for_each(view, |_, _, _| count += 1);
        // One may be evicted from a shard that was counted, for one in a shard that was not yet.
        count.min(self.capacity)
    }

    pub(super) fn count_on(&self, node: &[u8], view: View) -> usize {
        let mut count = 0;
        self.for_each(view, |_, entry, _| {
            count += usize::from(*entry.node == *node);
        });
        count
    }

    pub(super) fn list(&self, view: View) -> Vec<Session> {
        let mut sessions = Vec::new();
        self.for_each(view, |token, entry, now| {
            let (idle, age) = (since(entry.used, now), since(entry.bound, now));
            sessions.push(Session::new(token, entry.node.to_vec(), idle, age));
        });
        sessions
    }

    /// Removes the sessions that are bound to `node`. Returns how many had not expired.
    pub(super) fn release(&self, node: &[u8], view: View) -> usize {
        let now = self.now();
        let mut released = 0;
        self.retain(|entry| {
            let is_on = *entry.node == *node;
            released += usize::from(is_on && self.is_live(entry, now, view));
            !is_on
        });
        released
    }

    /// Removes the sessions that have expired. Returns how many there were.
    pub(super) fn purge(&self, view: View) -> usize {
        let now = self.now();
        let mut expired = 0;
        self.retain(|entry| {
            let live = self.is_live(entry, now, view);
            expired += usize::from(!live);
            live
        });
        expired
    }

    /// Adds sessions that are not in the table and have not expired, until it is full. Returns how
    /// many were added.
    pub(super) fn restore(&self, mut sessions: Vec<Session>, view: View) -> usize {
        if !self.keeps(view) {
            return 0;
        }
        self.purge(view);
        let now = self.now();
        // The most recently used first, so that these are restored if there is no room for all.
        sessions.sort_by_key(|session| session.idle);
        let mut restored = 0;
        for Session {
            token,
            node,
            idle,
            age,
        } in sessions
        {
            let entry = Entry {
                node: node.into(),
                bound: now.saturating_sub(nanos(age)),
                used: now.saturating_sub(nanos(idle)),
                generation: view.generation,
            };
            let mut shard = lock(&self.shards[self.shard_of(token)]);
            if !self.is_live(&entry, now, view) || shard.contains(&token) {
                continue;
            }
            if !self.count_one() {
                break;
            }
            shard.put(token, entry);
            // Behind all that were used later.
            shard.demote(&token);
            restored += 1;
        }
        restored
    }
}
