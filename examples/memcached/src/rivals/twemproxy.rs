//! twemproxy (nutcracker) with `distribution: ketama`: a system in use, with a placement and a
//! failover of its own. It cannot change its servers while it runs, so a change starts a second
//! proxy, sends the requests there, and stops the first one.

use crate::cache::Cache;
use crate::process::Process;
use crate::server::{Server, Weighted};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

pub(crate) struct Twemproxy {
    folder: PathBuf,
    pool: Mutex<Pool>,
    /// The proxy, to which the requests go as to a server.
    proxy: RwLock<Arc<Server>>,
}

struct Pool {
    servers: Vec<Weighted>,
    process: Process,
}

impl Twemproxy {
    pub(crate) fn new(
        servers: impl IntoIterator<Item = Weighted>,
        folder: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let servers: Vec<_> = servers.into_iter().collect();
        let (process, address) = start(&servers, folder)?;
        Ok(Twemproxy {
            folder: folder.into(),
            pool: Mutex::new(Pool { servers, process }),
            proxy: RwLock::new(proxy(address)),
        })
    }

    fn proxy(&self) -> Arc<Server> {
        Arc::clone(&self.proxy.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Weighted>)) -> Result<(), Box<dyn Error>> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut pool.servers);
        let (process, address) = start(&pool.servers, &self.folder)?;
        let mut current = self.proxy.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, proxy(address));
        drop(current);
        // A request holds its proxy until it ends.
        while Arc::strong_count(&before) > 1 {
            thread::sleep(Duration::from_millis(1));
        }
        pool.process = process;
        Ok(())
    }
}

impl Cache for Twemproxy {
    fn get(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        self.proxy().ask(|connection| connection.get(key))
    }

    fn set(&self, key: &str, value: &[u8]) -> io::Result<()> {
        self.proxy().ask(|connection| connection.set(key, value))
    }

    fn add(&self, server: Arc<Server>, weight: u32) -> Result<(), Box<dyn Error>> {
        self.change(|servers| servers.push((server, weight)))
    }

    fn retire(&self, name: &str) -> Result<(), Box<dyn Error>> {
        self.change(|servers| servers.retain(|(server, _)| server.name != name))
    }
}

fn proxy(address: SocketAddr) -> Arc<Server> {
    Arc::new(Server::new("twemproxy", '-', address))
}

fn start(servers: &[Weighted], folder: &Path) -> Result<(Process, SocketAddr), Box<dyn Error>> {
    let list: Vec<_> = servers
        .iter()
        .map(|(server, weight)| (server.address, *weight))
        .collect();
    Process::nutcracker(&list, folder)
}
