//! One memcached server as a client sees it: its identity, its connections and its health.

use crate::protocol::{Connection, Item};
use clockwise::Key;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A server that failed is left alone for this time. Then the next requests try it.
pub(crate) const RETRY: Duration = Duration::from_millis(250);

/// A server and its weight.
pub(crate) type Weighted = (Arc<Server>, u32);

/// What a client routes to.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) zone: char,
    pub(crate) address: SocketAddr,
    /// Connections that no request uses now.
    idle: Mutex<Vec<Connection>>,
    /// The time, in milliseconds of [`now`], before which the server is not asked.
    down_until: AtomicU64,
    failures: AtomicU64,
}

/// The name is the identity. So a server can move to another address and keep its keys.
impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        &self.name
    }
}

impl Server {
    pub(crate) fn new(name: &str, zone: char, address: SocketAddr) -> Self {
        Server {
            name: name.into(),
            zone,
            address,
            idle: Mutex::default(),
            down_until: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// Returns `false` for a while after a request failed.
    pub(crate) fn is_up(&self) -> bool {
        self.down_until.load(Ordering::Relaxed) <= now()
    }

    /// Returns how many requests the server has failed.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Asks the server, and notes if it cannot be reached.
    pub(crate) fn ask<T>(
        &self,
        request: impl Fn(&mut Connection) -> io::Result<T>,
    ) -> io::Result<T> {
        let answer = self.try_ask(request);
        // An answer that is not the wanted one comes from a server that is alive.
        if answer.as_ref().is_err_and(|error| !is_answer(error)) {
            let until = now() + u64::try_from(RETRY.as_millis()).unwrap_or(u64::MAX);
            self.down_until.store(until, Ordering::Relaxed);
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    /// Returns what the server has. It makes one list at a time, those of its own housekeeping
    /// included, so this tries again while it is busy.
    pub(crate) fn items(&self) -> io::Result<Vec<Item>> {
        let mut tries = 0;
        loop {
            match self.ask(Connection::items) {
                Err(error) if tries < 100 && error.to_string().contains("BUSY") => {
                    tries += 1;
                    thread::sleep(Duration::from_millis(20));
                }
                items => return items,
            }
        }
    }

    fn try_ask<T>(&self, request: impl Fn(&mut Connection) -> io::Result<T>) -> io::Result<T> {
        let idle = self.idle().pop();
        if let Some(mut connection) = idle {
            match request(&mut connection) {
                Ok(value) => {
                    self.idle().push(connection);
                    return Ok(value);
                }
                Err(error) if is_answer(&error) => return Err(error),
                // The server may have been restarted since, and then a new connection works. The
                // other idle ones are as old.
                Err(_) => self.idle().clear(),
            }
        }
        let mut connection = Connection::open(self.address)?;
        let value = request(&mut connection)?;
        self.idle().push(connection);
        Ok(value)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_answer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    )
}

/// Returns the milliseconds since the first call.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}
