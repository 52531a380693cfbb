//! Leaves twemproxy: first with its own placement, then to a `HashRing`, a part of the keys at a
//! time, while threads read and write. No read misses, and none returns an old value.

mod moving;
mod traffic;

use crate::process::Process;
use crate::server::{Server, Weighted};
use crate::tier::{Rack, SERVERS};
use clockwise::compat::Ketama;
use clockwise::{HashRing, Named, Shared, Token};
use moving::{Move, Stage};
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use traffic::Traffic;

/// The keys of each half: one written through twemproxy, one by the new client.
const HALF: u32 = 2500;

/// What was found, of [`keys`](Found::keys).
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) keys: u32,
    /// Written through twemproxy and found by the new client.
    pub(crate) by_client: u32,
    /// Written by the new client and found through twemproxy.
    pub(crate) through_proxy: u32,
    /// Found at the end by the ring alone, with the value that was written last.
    pub(crate) by_ring: u32,
    /// What the servers store at the end. More than the keys would be copies left behind.
    pub(crate) stored: usize,
    pub(crate) traffic: Traffic,
}

pub(crate) fn leave(folder: &Path) -> Result<Found, Box<dyn Error>> {
    let mut rack = Rack::default();
    let servers = rack.start(&SERVERS)?;
    let addresses: Vec<_> = servers
        .iter()
        .map(|(server, weight)| (server.address, *weight))
        .collect();
    let (proxy_process, address) = Process::nutcracker(&addresses, folder)?;
    let proxy = Server::new("twemproxy", '-', address);

    // The text of a node is what the configuration of twemproxy says.
    let texts = servers.iter().map(|(server, weight)| {
        (
            Named::new(server.address.to_string(), server.clone()),
            *weight,
        )
    });
    let old = Ketama::twemproxy().from_weighted(texts)?;
    let new = HashRing::from_weighted(servers.iter().cloned())?;
    let tier = Shared::new(Move {
        old,
        new,
        stage: Stage::Before,
    });

    let mut found = Found {
        keys: 2 * HALF,
        ..Found::default()
    };

    // 1. Both clients run beside each other. Each finds what the other has written.
    for number in 0..HALF {
        let (key, other) = (traffic::key(number), traffic::key(HALF + number));
        let value = traffic::value(0);
        proxy.ask(|connection| connection.set(&key, &value))?;
        found.by_client += u32::from(tier.load().get(&key)?.is_some());
        tier.load().set(&other, &value)?;
        let read = proxy.ask(|connection| connection.get(&other))?;
        found.through_proxy += u32::from(read.is_some());
    }

    // 2. The last user of twemproxy has gone. From here on the keys move.
    drop(proxy_process);
    let done = AtomicBool::new(false);
    let versions = thread::scope(|scope| {
        let threads = traffic::start(scope, &tier, 2 * HALF, &done);
        let moved = move_keys(&tier, &servers);
        done.store(true, Ordering::Relaxed);
        let mut versions = Vec::new();
        for thread in threads {
            let (traffic, own) = thread.join().map_err(|_| "a reader panicked")??;
            found.traffic.add(&traffic);
            versions.extend(own);
        }
        moved.map(|()| versions)
    })?;

    // 3. The ring alone finds everything, and nothing was left behind.
    let ring = &tier.load().new;
    for (number, version) in versions {
        let key = traffic::key(number);
        let owner = ring.route(&key).ok_or("the ring has no servers")?;
        let value = owner.ask(|connection| connection.get(&key))?;
        found.by_ring += u32::from(value == Some(traffic::value(version)));
    }
    for (server, _) in &servers {
        found.stored += server.items()?.len();
    }
    Ok(found)
}

/// Moves the keys, in parts that double.
fn move_keys(tier: &Shared<Move>, servers: &[Weighted]) -> Result<(), Box<dyn Error>> {
    for percent in [1, 2, 4, 8, 16, 32, 64, 100] {
        let until = (percent < 100).then(|| Token::new(u64::MAX / 100 * percent));
        set_stage(tier, Stage::Until(until));
        for (server, _) in servers {
            tier.load().copy_from(server, &server.items()?)?;
        }
        // In production, look at the hit rate here for longer.
        thread::sleep(Duration::from_millis(100));
    }
    set_stage(tier, Stage::After);
    for (server, _) in servers {
        tier.load().delete_from(server, &server.items()?)?;
    }
    Ok(())
}

/// Begins a stage. When this returns, no request follows an earlier one. Otherwise a write could
/// reach the old server after its value was copied.
fn set_stage(tier: &Shared<Move>, stage: Stage) {
    tier.update(|tier| tier.stage = stage);
    let version = tier.version();
    while !tier.wait_for_readers(version, Duration::from_secs(1)) {}
}
