//! An upstream, as the strategy holds it.

use super::config::Entry;
use clockwise::{Key, Tracked};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

/// A member of the ring. Clones share the count of requests and the state.
pub type Node = Tracked<Upstream>;

#[derive(Debug, Clone)]
pub struct Upstream {
    pub name: Arc<str>,
    pub address: SocketAddr,
    /// The weight in the file. The ring's is a part of it during slow start.
    pub weight: u32,
    pub state: Arc<State>,
}

/// What changes without a change of the membership.
#[derive(Debug, Default)]
pub struct State {
    up: AtomicBool,
    /// Checks that passed since the last failure of any kind.
    pub passed: AtomicU32,
    pub served: AtomicU64,
    pub audit: Audit,
}

/// Requests in flight against the cap that the upstream had when each of them began.
#[derive(Debug, Default)]
pub struct Audit {
    pub highest: AtomicU32,
    pub above_cap: AtomicU64,
    /// The cap when `highest` was reached.
    pub cap_then: AtomicU32,
}

impl Key for Upstream {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

impl Upstream {
    pub fn new(entry: &Entry) -> Self {
        Upstream {
            name: entry.name.as_str().into(),
            address: entry.address,
            weight: entry.weight,
            state: Arc::default(),
        }
    }
}

impl State {
    pub fn is_up(&self) -> bool {
        self.up.load(Relaxed)
    }

    /// Sets whether requests are sent here. Returns `true` if that is a change.
    pub fn set_up(&self, up: bool) -> bool {
        self.up.swap(up, Relaxed) != up
    }
}

impl Audit {
    /// Notes that a request began as the `in_flight`th here, under this cap.
    pub fn note(&self, in_flight: u32, cap: u32) {
        if in_flight > cap {
            self.above_cap.fetch_add(1, Relaxed);
        }
        if in_flight > self.highest.fetch_max(in_flight, Relaxed) {
            self.cap_then.store(cap, Relaxed);
        }
    }
}
