//! A tier between two placements: where a key is read and written, and how it is copied.

use crate::protocol::Item;
use crate::server::Server;
use clockwise::compat::Ketama;
use clockwise::{HashRing, Named, Token};
use std::io;
use std::sync::Arc;

#[derive(Clone)]
pub(super) struct Move {
    pub(super) old: Ketama<Named<Arc<Server>, String>>,
    pub(super) new: HashRing<Arc<Server>>,
    pub(super) stage: Stage,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// The old placement alone.
    Before,
    /// The keys with a token below this one have two owners, or all keys if there is none.
    Until(Option<Token>),
    /// The new placement alone.
    After,
}

/// The servers of a key: the one that counts, and during the move the one that may still have it.
struct Places<'a> {
    first: &'a Server,
    second: Option<&'a Server>,
}

impl Move {
    fn places(&self, key: &str) -> io::Result<Places<'_>> {
        // The token of the new placement, so that a part of every server's keys moves.
        let token = self.new.token(key);
        let servers = self.old.route(key).zip(self.new.route_token(token));
        let (old, new) = servers.ok_or_else(|| io::Error::other("there are no servers"))?;
        let old: &Server = old;
        Ok(match self.stage {
            Stage::Before => Places {
                first: old,
                second: None,
            },
            Stage::Until(Some(until)) if token >= until => Places {
                first: old,
                second: None,
            },
            Stage::Until(_) if old.name != new.name => Places {
                first: new,
                second: Some(old),
            },
            Stage::Until(_) | Stage::After => Places {
                first: new,
                second: None,
            },
        })
    }

    /// Reads from the new owner, and if it has no value, from the old one.
    pub(super) fn get(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        let Places { first, second } = self.places(key)?;
        let value = first.ask(|connection| connection.get(key))?;
        match second {
            Some(second) if value.is_none() => second.ask(|connection| connection.get(key)),
            _ => Ok(value),
        }
    }

    /// Writes to the new owner, and then deletes at the old one, whose value is of no more use.
    pub(super) fn set(&self, key: &str, value: &[u8]) -> io::Result<()> {
        let Places { first, second } = self.places(key)?;
        first.ask(|connection| connection.set(key, value))?;
        match second {
            Some(second) => second.ask(|connection| connection.delete(key)),
            None => Ok(()),
        }
    }

    /// Copies the items of a server to their new owners, if they have two. A value keeps the time
    /// at which it expires, and never overwrites one that was written meanwhile.
    pub(super) fn copy_from(&self, server: &Server, items: &[Item]) -> io::Result<()> {
        for Item { key, expires } in items {
            let Places { first, second } = self.places(key)?;
            if second.is_none_or(|second| second.name != server.name) {
                continue;
            }
            // It may have been overwritten since it was listed. Then there is nothing to copy.
            if let Some(value) = server.ask(|connection| connection.get(key))? {
                first.ask(|connection| connection.add(key, &value, *expires))?;
            }
        }
        Ok(())
    }

    /// Deletes the items of a server that belong to another one.
    pub(super) fn delete_from(&self, server: &Server, items: &[Item]) -> io::Result<()> {
        for Item { key, .. } in items {
            if self.places(key)?.first.name != server.name {
                server.ask(|connection| connection.delete(key))?;
            }
        }
        Ok(())
    }
}
