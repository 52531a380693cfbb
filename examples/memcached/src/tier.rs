//! A contender: a client, the servers that it alone uses, and what it achieved.

use crate::cache::Cache;
use crate::process::Process;
use crate::server::{Server, Weighted};
use crate::tally::{Outcome, Tally};
use crate::timeline::Timeline;
use crate::trace;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

/// A name, a zone and a weight for each server. The first one has twice the memory.
pub(crate) const SERVERS: [(&str, char, u32); 5] = [
    ("cache-1", 'a', 2),
    ("cache-2", 'a', 1),
    ("cache-3", 'b', 1),
    ("cache-4", 'b', 1),
    ("cache-5", 'c', 1),
];
pub(crate) const ADDED: (&str, char, u32) = ("cache-6", 'c', 1);
pub(crate) const KILLED: &str = "cache-3";
pub(crate) const DRAINED: &str = "cache-2";

/// The client's half of a contender, which the reader threads share.
pub(crate) struct Tier {
    pub(crate) name: &'static str,
    pub(crate) cache: Box<dyn Cache>,
    pub(crate) tally: Tally,
}

impl Tier {
    pub(crate) fn new(name: &'static str, cache: impl Cache + 'static, timeline: Timeline) -> Self {
        Tier {
            name,
            cache: Box::new(cache),
            tally: Tally::new(timeline),
        }
    }

    /// Does what an application does: it asks the cache, then the origin, and stores the answer.
    pub(crate) fn ask(&self, request: usize, number: u32) {
        let key = trace::key(number);
        let outcome = match self.cache.get(&key) {
            Ok(Some(value)) => {
                if value != trace::value(&key) {
                    self.tally.note_wrong();
                }
                Outcome::Hit
            }
            Ok(None) => Outcome::Miss,
            Err(_) => Outcome::Error,
        };
        if outcome != Outcome::Hit && self.cache.set(&key, &trace::load(&key)).is_err() {
            self.tally.note_error();
        }
        self.tally.note(request, number, outcome);
    }
}

/// The machines' half: the processes, which the main thread kills and starts.
#[derive(Default)]
pub(crate) struct Rack {
    processes: BTreeMap<String, Process>,
    servers: BTreeMap<String, Arc<Server>>,
}

impl Rack {
    /// Starts the servers and returns them with their weights.
    pub(crate) fn start(
        &mut self,
        servers: &[(&str, char, u32)],
    ) -> Result<Vec<Weighted>, Box<dyn Error>> {
        let start = |&(name, zone, weight): &(&str, char, u32)| {
            let (process, address) = Process::memcached(None)?;
            let server = Arc::new(Server::new(name, zone, address));
            self.processes.insert(name.into(), process);
            self.servers.insert(name.into(), Arc::clone(&server));
            Ok((server, weight))
        };
        servers.iter().map(start).collect()
    }

    /// Kills a server with all that it has.
    pub(crate) fn kill(&mut self, name: &str) {
        self.processes.remove(name);
    }

    /// Starts a killed server again at its address. It is empty.
    pub(crate) fn restart(&mut self, name: &str) -> Result<(), Box<dyn Error>> {
        let address = self.server(name)?.address;
        let (process, _) = Process::memcached(Some(address.port()))?;
        self.processes.insert(name.into(), process);
        Ok(())
    }

    pub(crate) fn server(&self, name: &str) -> Result<&Arc<Server>, Box<dyn Error>> {
        Ok(self
            .servers
            .get(name)
            .ok_or_else(|| format!("there is no server {name}"))?)
    }
}
