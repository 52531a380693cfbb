//! `hash % n`, as the crate `memcache` 0.21 places keys: the hash of the standard library, modulo
//! the number of servers. That crate keeps a dead server in the list and fails its keys. Here n is
//! the number of servers that are up, as in clients that eject.

use crate::cache::Cache;
use crate::server::Server;
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

pub(crate) struct Modulo {
    servers: RwLock<Vec<Arc<Server>>>,
}

impl Modulo {
    pub(crate) fn new(servers: impl IntoIterator<Item = Arc<Server>>) -> Self {
        Modulo {
            servers: RwLock::new(servers.into_iter().collect()),
        }
    }

    fn pick(&self, key: &str) -> Option<Arc<Server>> {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let up: Vec<_> = servers.iter().filter(|server| server.is_up()).collect();
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let index = hasher.finish().checked_rem(up.len() as u64)?;
        Some(Arc::clone(up[usize::try_from(index).ok()?]))
    }

    /// Asks until a server can be reached. One that cannot be is noted as down, and is not picked
    /// again.
    fn ask<T>(&self, key: &str, ask: impl Fn(&Server) -> io::Result<T>) -> io::Result<T> {
        while let Some(server) = self.pick(key) {
            if let Ok(answer) = ask(&server) {
                return Ok(answer);
            }
        }
        Err(io::Error::other("no server can be reached"))
    }
}

impl Cache for Modulo {
    fn get(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        self.ask(key, |server| server.ask(|connection| connection.get(key)))
    }

    fn set(&self, key: &str, value: &[u8]) -> io::Result<()> {
        self.ask(key, |server| {
            server.ask(|connection| connection.set(key, value))
        })
    }

    fn add(&self, server: Arc<Server>, _weight: u32) -> Result<(), Box<dyn Error>> {
        self.servers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(server);
        Ok(())
    }

    fn retire(&self, name: &str) -> Result<(), Box<dyn Error>> {
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        servers.retain(|server| server.name != name);
        Ok(())
    }
}
