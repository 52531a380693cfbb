//! Makes the copies that are missing after a change of the servers.
//!
//! Reads repair only the keys that are read. A key that is not read between two changes could
//! lose one copy by each. So a job runs this after every change, and before the next one.

use super::{Client, Node};
use crate::protocol::Item;
use crate::server::Server;
use clockwise::{Filtered, Zoned};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// A server that fails meanwhile changes what is missing, which the next pass sees.
const PASSES: usize = 10;

impl Client {
    /// Copies each value to those of its servers that lack it.
    pub(crate) fn restore(&self) -> io::Result<()> {
        for _ in 0..PASSES {
            if self.restore_once() == 0 {
                return Ok(());
            }
        }
        Err(io::Error::other("copies are still missing"))
    }

    /// Returns how many copies were made or could not be made.
    fn restore_once(&self) -> usize {
        let servers = self.servers.load();
        let mut lists = HashMap::new();
        for server in servers.nodes() {
            if let Ok(items) = server.items() {
                lists.insert(&server.name, (server, by_key(items)));
            }
        }
        // The same order, over the servers that gave a list. Who is up changes with each retry of a
        // dead server, and a pass must not change its mind.
        let listed = |server: &Node| lists.contains_key(&server.name);
        let ring = servers.strategy().strategy();
        let placement = Zoned::new(Filtered::new(ring, listed), |server: &Node| server.zone);

        let mut changes = 0;
        for (server, items) in lists.values() {
            for (key, expires) in items {
                let copies = placement.replicas(key, self.copies);
                // What a key left behind on another server may be old, so it is not copied.
                if !copies.iter().any(|copy| Arc::ptr_eq(copy, server)) {
                    continue;
                }
                let is_there = |copy: &Node| lists[&copy.name].1.contains_key(key);
                for copy in copies.into_iter().filter(|copy| !is_there(copy)) {
                    changes +=
                        usize::from(!matches!(copy_item(key, *expires, server, copy), Ok(false)));
                }
            }
        }
        changes
    }
}

/// Returns `true` if the item was copied, and `false` if there was nothing to copy.
fn copy_item(key: &str, expires: u64, from: &Server, to: &Server) -> io::Result<bool> {
    match from.ask(|connection| connection.get(key))? {
        Some(value) => to.ask(|connection| connection.add(key, &value, expires)),
        None => Ok(false),
    }
}

fn by_key(items: Vec<Item>) -> HashMap<String, u64> {
    items
        .into_iter()
        .map(|item| (item.key, item.expires))
        .collect()
}
