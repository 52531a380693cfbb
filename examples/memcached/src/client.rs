//! The client: which servers a key is read from and written to, and what happens if one fails.
//!
//! This is the file to start from. The others run it beside two other placements and count.

mod restore;

use crate::protocol::TIME_TO_LIVE;
use crate::server::Server;
use clockwise::{Filtered, HashRing, NodeError, Shared, Zoned};
use std::io;
use std::sync::Arc;
use std::time::Duration;

type Node = Arc<Server>;

/// From the inside: a ring for the order, without the servers that are down, spread over zones.
/// Health is inside the zones, so the next server of the same zone takes the place of one that is
/// down. Both functions capture nothing, so the whole can be cloned, which `Shared` needs.
type Placement = Zoned<Filtered<HashRing<Node>, fn(&Node) -> bool>, fn(&Node) -> char>;

pub(crate) struct Client {
    servers: Shared<Placement>,
    copies: usize,
}

impl Client {
    pub(crate) fn new(
        servers: impl IntoIterator<Item = (Node, u32)>,
        copies: usize,
    ) -> Result<Self, NodeError> {
        let ring = HashRing::from_weighted(servers)?;
        let up: fn(&Node) -> bool = |server| server.is_up();
        let zone: fn(&Node) -> char = |server| server.zone;
        Ok(Client {
            servers: Shared::new(Zoned::new(Filtered::new(ring, up), zone)),
            copies,
        })
    }

    /// Asks the copies of the key in order, until one has the value.
    ///
    /// A server that fails is noted by itself as down, and the walk goes on to the next one. So an
    /// error means that none could be reached.
    pub(crate) fn get(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        // One snapshot for the whole request. `retire` waits until no request holds an old one.
        let servers = self.servers.load();
        let mut without = Vec::with_capacity(self.copies);
        let (mut found, mut failure) = (None, None);
        // A walk along the preference of the key, which ends when the closure returns `true`.
        let _ = servers.route_where(key, |server| {
            match server.ask(|connection| connection.get(key)) {
                Ok(Some(value)) => found = Some(value),
                Ok(None) => without.push(server),
                Err(error) => failure = Some(error),
            }
            found.is_some() || without.len() == self.copies
        });
        match &found {
            Some(value) => repair(key, value, &without),
            None if without.is_empty() => return Err(failure.unwrap_or_else(no_server)),
            None => {}
        }
        Ok(found)
    }

    /// Stores the value at the first servers of the key that can be reached.
    pub(crate) fn set(&self, key: &str, value: &[u8]) -> io::Result<()> {
        let servers = self.servers.load();
        let (mut stored, mut failure) = (0, None);
        let _ = servers.route_where(key, |server| {
            match server.ask(|connection| connection.set(key, value)) {
                Ok(()) => stored += 1,
                Err(error) => failure = Some(error),
            }
            stored == self.copies
        });
        match stored {
            0 => Err(failure.unwrap_or_else(no_server)),
            _ => Ok(()),
        }
    }

    pub(crate) fn copies(&self) -> usize {
        self.copies
    }

    /// Adds a server that is running. Its keys find it empty and are read from their second copy.
    pub(crate) fn add(&self, server: Node, weight: u32) -> Result<(), NodeError> {
        self.servers
            .try_update(|servers| servers.insert_weighted(server, weight))
    }

    /// Takes a server out of service. When this returns, no request can reach it any more.
    ///
    /// A request holds its snapshot until it ends, so waiting for the readers is enough here. An
    /// async client that drops the snapshot earlier counts its requests with `Tracked`.
    pub(crate) fn retire(&self, name: &str) -> Result<(), NodeError> {
        self.servers.try_update(|servers| servers.drain(name))?;
        let drained = self.servers.version();
        while !self
            .servers
            .wait_for_readers(drained, Duration::from_secs(1))
        {}
        self.servers.update(|servers| servers.remove(name));
        Ok(())
    }
}

/// Stores the value at the copies that were asked and had none.
fn repair(key: &str, value: &[u8], without: &[&Node]) {
    for server in without {
        // `add` never overwrites a value that another client has stored meanwhile. The caller has
        // its value, so a failure is no error; the server has noted that it is down.
        let _ = server.ask(|connection| connection.add(key, value, TIME_TO_LIVE));
    }
}

fn no_server() -> io::Error {
    io::Error::other("no server is up")
}
