//! [`Referee`]: a Redis server that is not under test. It knows which write of each key was
//! acknowledged last, and counts the answers. Figures survive a router that is killed.
//!
//! The check: a client asks for the mark of a key *before* it begins to read the key. The answer
//! must be that version or a later one, because reads are regular. The writer of a key publishes
//! the mark after all replicas have the value. So an older answer is an error, no matter what else
//! is under way. What a version contains follows from the version.

use crate::Failure;
use crate::store::{Stores, Versioned};
use clockwise::Token;
use std::collections::HashMap;
use std::net::SocketAddr;

/// What the clients of a router have counted since they last told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub reads: u64,
    pub writes: u64,
    pub deletes: u64,
    /// Reads that found the key deleted.
    pub deleted: u64,
    /// An older value than the acknowledged one.
    pub stale: u64,
    /// Nothing, or an older delete, though a value was acknowledged.
    pub lost: u64,
    /// An older value, though a delete was acknowledged.
    pub resurrected: u64,
    /// A value that does not belong to its version.
    pub corrupt: u64,
    /// Operations that no server answered. They were repeated.
    pub unanswered: u64,
}

impl Counts {
    fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("reads", self.reads),
            ("writes", self.writes),
            ("deletes", self.deletes),
            ("deleted", self.deleted),
            ("stale", self.stale),
            ("lost", self.lost),
            ("resurrected", self.resurrected),
            ("corrupt", self.corrupt),
            ("unanswered", self.unanswered),
        ]
    }

    /// Returns the number of reads that returned what they must not return.
    pub fn wrong(&self) -> u64 {
        self.stale + self.lost + self.resurrected + self.corrupt
    }

    /// Counts a read of `key` that began when `mark` was acknowledged.
    pub fn judge(&mut self, key: u64, mark: u64, found: Option<&Versioned>) {
        let (version, value) =
            found.map_or((0, None), |found| (found.version, found.value.clone()));
        self.reads += 1;
        self.deleted += u64::from(value.is_none());
        if version > 0 && value != content(key, version) {
            self.corrupt += 1;
        } else if version < mark {
            match (content(key, mark), value) {
                (None, Some(_)) => self.resurrected += 1,
                (_, None) => self.lost += 1,
                (Some(_), Some(_)) => self.stale += 1,
            }
        }
    }
}

/// Returns what a version of a key contains. Every fourth version is a delete.
pub fn content(key: u64, version: u64) -> Option<String> {
    (!version.is_multiple_of(4)).then(|| format!("value {version} of key {key}"))
}

const TOTALS: &str = "totals";

#[derive(Clone)]
pub struct Referee {
    stores: Stores,
    address: SocketAddr,
}

impl Referee {
    pub fn new(address: SocketAddr) -> Referee {
        let stores = Stores::new(false);
        Referee { stores, address }
    }

    /// Adds `counts` to the totals and returns the marks of `keys`.
    pub async fn begin(&self, counts: Counts, keys: &[u64]) -> Result<Vec<u64>, Failure> {
        let mut connection = self.stores.connection(self.address).await?;
        let mut batch = redis::pipe();
        for (name, count) in counts.named() {
            if count > 0 {
                batch
                    .cmd("HINCRBY")
                    .arg(TOTALS)
                    .arg(name)
                    .arg(count)
                    .ignore();
            }
        }
        let names: Vec<String> = keys.iter().map(|&key| mark_name(key)).collect();
        batch.cmd("MGET").arg(names);
        let (marks,): (Vec<Option<String>>,) = batch.query_async(&mut connection).await?;
        let marks = marks.iter().map(|mark| match mark {
            Some(mark) => u64::from_str_radix(&mark[..16], 16),
            None => Ok(0),
        });
        Ok(marks.collect::<Result<_, _>>()?)
    }

    /// Publishes that a write is acknowledged. A mark never decreases.
    pub async fn acknowledge(&self, key: u64, version: u64) -> Result<(), Failure> {
        let value = None;
        let mark = Versioned { version, value };
        self.stores.write(self.address, MARKS, key, &mark).await
    }

    pub async fn totals(&self) -> Result<Counts, Failure> {
        let mut connection = self.stores.connection(self.address).await?;
        let totals: HashMap<String, u64> = redis::cmd("HGETALL")
            .arg(TOTALS)
            .query_async(&mut connection)
            .await?;
        let of = |name: &str| totals.get(name).copied().unwrap_or(0);
        Ok(Counts {
            reads: of("reads"),
            writes: of("writes"),
            deletes: of("deletes"),
            deleted: of("deleted"),
            stale: of("stale"),
            lost: of("lost"),
            resurrected: of("resurrected"),
            corrupt: of("corrupt"),
            unanswered: of("unanswered"),
        })
    }
}

/// The token under which the marks of all keys are stored.
const MARKS: Token = Token::new(0);

fn mark_name(key: u64) -> String {
    crate::store::stored_name(MARKS, key)
}
