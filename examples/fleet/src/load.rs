//! The clients of a router: each reads any keys, and writes and deletes the keys that only it
//! writes.

use crate::referee::{Counts, Referee, content};
use crate::router::Router;
use crate::store::Versioned;
use futures_util::future::join_all;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The clients of each router.
pub const CLIENTS: u64 = 8;

/// The operations of one batch. They run side by side.
const READS: u64 = 56;
const WRITES: u64 = 8;

/// How long a client waits before it repeats what no server answered.
const AGAIN: Duration = Duration::from_millis(20);

/// The keys of all clients, and the share of one client.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub keys: u64,
    /// The number of clients of all routers.
    pub clients: u64,
    pub number: u64,
}

/// A xorshift generator. It draws the keys.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

impl Client {
    /// Reads and writes until the process stops.
    pub async fn run(self, router: &Router, referee: &Referee) {
        let mut random = Random((router.incarnation << 8 | self.number) * 2 + 1);
        let own = self.keys / self.clients;
        let mut counts = Counts::default();
        loop {
            let keys: Vec<u64> = (0..READS).map(|_| random.below(self.keys)).collect();
            // Neighbours among the keys of this client, so no key is written twice in a batch.
            let first = random.below(own);
            let writes = (0..WRITES).map(|i| (first + i) % own * self.clients + self.number);
            let marks = loop {
                router.may_work().await;
                match referee.begin(counts, &keys).await {
                    Ok(marks) => break marks,
                    Err(_) => tokio::time::sleep(AGAIN).await,
                }
            };
            counts = Counts::default();
            let reads = keys.iter().map(|&key| read(router, key));
            let writes = writes.map(|key| write(router, referee, key));
            let (reads, writes) = tokio::join!(join_all(reads), join_all(writes));
            for ((key, mark), (found, unanswered)) in keys.iter().zip(marks).zip(reads) {
                counts.judge(*key, mark, found.as_ref());
                counts.unanswered += unanswered;
            }
            for (is_value, unanswered) in writes {
                counts.writes += 1;
                counts.deletes += u64::from(!is_value);
                counts.unanswered += unanswered;
            }
        }
    }
}

/// Reads from one server of the side that has everything, and from the next one if that cannot be
/// reached. "Not there" is an answer. Returns how often no server answered, too.
async fn read(router: &Router, key: u64) -> (Option<Versioned>, u64) {
    let mut unanswered = 0;
    loop {
        router.may_work().await;
        // Held until the operation has ended, so that the router waits for it.
        let present = router.placement.load();
        let token = present.token(key);
        let mut servers = present.reads(token);
        // Any replica will do, as a write waits for all of them.
        let first = router.turn.fetch_add(1, Ordering::Relaxed) % servers.len().max(1);
        servers.rotate_left(first);
        for server in servers {
            match router.stores.read(server.address, token, key).await {
                Ok(found) => {
                    router.may_work().await;
                    return (found, unanswered);
                }
                Err(_) => unanswered += 1,
            }
        }
        drop(present);
        tokio::time::sleep(AGAIN).await;
    }
}

/// Writes or deletes on all servers that must have the key, and then acknowledges it. What failed
/// half-way is repeated with the same version. Returns `true` unless it is a delete, and how often
/// a server did not answer.
async fn write(router: &Router, referee: &Referee, key: u64) -> (bool, u64) {
    let version = router.next_version();
    let value = content(key, version);
    let is_value = value.is_some();
    let new = Versioned { version, value };
    let mut unanswered = 0;
    loop {
        router.may_work().await;
        let present = router.placement.load();
        let token = present.token(key);
        let servers = present.writes(token).into_iter();
        let writes = servers.map(|server| router.stores.write(server.address, token, key, &new));
        let failed = join_all(writes).await.iter().filter(|r| r.is_err()).count();
        if failed == 0 {
            break;
        }
        unanswered += failed as u64;
        drop(present);
        tokio::time::sleep(AGAIN).await;
    }
    loop {
        router.may_work().await;
        match referee.acknowledge(key, version).await {
            Ok(()) => return (is_value, unanswered),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}
