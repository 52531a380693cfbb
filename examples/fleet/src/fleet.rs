//! [`Fleet`]: the processes of a run, and what can be done to them.

use crate::Failure;
use crate::child;
use crate::referee::{Referee, content};
use crate::server::{REPLICAS, Server};
use crate::servers::{answers, etcd_args, redis_args};
use crate::session::{LEASE_LOST, Session};
use crate::steps::Step;
use crate::store::{Stores, Versioned};
use crate::world::{STEP, server_key};
use etcd_client::{Client, PutOptions};
use futures_util::future::try_join_all;
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::process::Child;

pub use watch::Sample;

mod watch;

const SERVERS: usize = 5;
pub const ROUTER_COUNT: u64 = 3;

/// How often the fleet is looked at.
const TICK: Duration = Duration::from_millis(200);

/// The size of a run.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub keys: u64,
    /// How long a copy pauses in each batch.
    pub pause: Duration,
}

/// A rule of the protocol that a run breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Copies do not compare versions.
    Blind,
    /// Steps do not wait for acknowledgements.
    Hurry,
}

struct Slot {
    child: Option<Child>,
    /// A router that is not running starts then.
    start_at: Instant,
}

/// A server and its registration.
pub struct Node {
    pub server: Server,
    child: Option<Child>,
    session: Option<Session>,
}

pub struct Fleet {
    directory: TempDir,
    etcd: Client,
    address: SocketAddr,
    pub nodes: Vec<Node>,
    others: Vec<Child>,
    routers: Vec<Slot>,
    coordinator: Option<Child>,
    pub referee: Referee,
    referee_address: SocketAddr,
    pub stores: Stores,
    pub size: Size,
    broken: Option<Broken>,
    begun: Instant,
    pub samples: Vec<Sample>,
    pub events: Vec<(f64, String)>,
    /// The fingerprints that routers reported, by revision.
    pub views: BTreeMap<i64, BTreeSet<u64>>,
    /// Routers that stopped because they could not renew their lease.
    pub fenced: usize,
}

impl Fleet {
    /// Starts etcd and the Redis servers.
    pub async fn start(size: Size, broken: Option<Broken>) -> Result<Fleet, Failure> {
        let directory = tempfile::Builder::new()
            .prefix("clockwise-fleet-")
            .tempdir()?;
        let ports = child::free_ports(SERVERS + 3)?;
        let path = |name: &str| directory.path().join(name);
        let logs = directory.path();
        let etcd_args = etcd_args(ports[0], ports[1], &path("etcd"));
        let mut others = vec![child::start(logs, "etcd", "etcd", &etcd_args)?];
        let redis = |name: &str, address: SocketAddr| {
            std::fs::create_dir(path(name))?;
            child::start(
                logs,
                name,
                "redis-server",
                &redis_args(address, &path(name)),
            )
        };
        others.push(redis("referee", ports[2])?);
        let mut nodes = Vec::new();
        for (number, &address) in (1..).zip(&ports[3..]) {
            let name = format!("redis-{number}");
            let child = Some(redis(&name, address)?);
            let (leaving, session) = (false, None);
            let server = Server {
                name,
                address,
                leaving,
            };
            nodes.push(Node {
                server,
                child,
                session,
            });
        }
        let stores = Stores::new(false);
        let etcd = answers(&stores, &ports).await?;
        let now = Instant::now();
        let slot = || Slot {
            child: None,
            start_at: now,
        };
        Ok(Fleet {
            directory,
            etcd,
            address: ports[0],
            nodes,
            others,
            routers: (0..ROUTER_COUNT).map(|_| slot()).collect(),
            coordinator: None,
            referee: Referee::new(ports[2]),
            referee_address: ports[2],
            stores,
            size,
            broken,
            begun: now,
            samples: Vec::new(),
            events: Vec::new(),
            views: BTreeMap::new(),
            fenced: 0,
        })
    }

    /// Notes that something happened.
    pub fn event(&mut self, what: impl Into<String>) {
        let (seconds, what) = (self.begun.elapsed().as_secs_f64(), what.into());
        println!("{seconds:>6.1} s  {what}");
        self.events.push((seconds, what));
    }

    /// Registers server `at`, or what it says of itself now.
    async fn register(&mut self, at: usize) -> Result<(), Failure> {
        let node = &mut self.nodes[at];
        let session = match &node.session {
            Some(session) => session,
            None => node.session.insert(Session::begin(&mut self.etcd).await?),
        };
        let options = PutOptions::new().with_lease(session.lease);
        let server = serde_json::to_vec(&node.server)?;
        let key = server_key(&node.server.name);
        self.etcd.put(key, server, Some(options)).await?;
        Ok(())
    }

    pub async fn join(&mut self, at: usize) -> Result<(), Failure> {
        self.register(at).await
    }

    pub async fn leave(&mut self, at: usize) -> Result<(), Failure> {
        self.nodes[at].server.leaving = true;
        self.register(at).await
    }

    /// Ends a server that has nothing any more.
    pub async fn close(&mut self, at: usize) -> Result<usize, Failure> {
        let node = &mut self.nodes[at];
        let left = self.stores.len(node.server.address).await?;
        self.etcd
            .delete(server_key(&node.server.name), None)
            .await?;
        if let Some(mut child) = node.child.take() {
            child.kill().await?;
        }
        Ok(left)
    }

    pub fn start_coordinator(&mut self) -> Result<(), Failure> {
        let mut args = vec![
            "coordinator".to_string(),
            self.address.to_string(),
            (SERVERS - 1).to_string(),
            self.size.pause.as_millis().to_string(),
        ];
        args.extend(
            self.broken
                .map(|broken| format!("{broken:?}").to_lowercase()),
        );
        self.coordinator = Some(self.own("coordinator", &args)?);
        Ok(())
    }

    fn own(&self, name: &str, args: &[String]) -> Result<Child, Failure> {
        let own = std::env::current_exe()?;
        let own = own.to_str().ok_or("the path of this program is not text")?;
        child::start(self.directory.path(), name, own, args)
    }

    pub async fn kill_coordinator(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.coordinator.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Kills a router. It starts again after `pause`.
    pub async fn kill_router(&mut self, slot: usize, pause: Duration) -> Result<(), Failure> {
        let slot = &mut self.routers[slot];
        if let Some(mut child) = slot.child.take() {
            child.kill().await?;
        }
        slot.start_at = Instant::now() + pause;
        Ok(())
    }

    /// Stops all threads of a router for a while, or lets them continue.
    pub fn signal_router(&mut self, slot: usize, signal: Signal) -> Result<(), Failure> {
        match &self.routers[slot].child {
            Some(child) => child::signal(child, signal),
            None => Ok(()),
        }
    }

    /// Writes each key once, before the routers start.
    pub async fn seed(&mut self) -> Result<(), Failure> {
        let step = loop {
            if let Some(step) = self.step().await? {
                break step;
            }
            tokio::time::sleep(TICK / 4).await;
        };
        for first in (0..self.size.keys).step_by(500) {
            let keys = first..(first + 500).min(self.size.keys);
            let (stores, referee, ring) = (&self.stores, &self.referee, &step.ring);
            try_join_all(keys.map(|key| async move {
                let (version, value) = (1, content(key, 1));
                let value = Versioned { version, value };
                for server in ring.preference(&key).take(REPLICAS) {
                    let token = ring.token(&key);
                    stores.write(server.address, token, key, &value).await?;
                }
                referee.acknowledge(key, version).await
            }))
            .await?;
        }
        self.begun = Instant::now();
        Ok(())
    }

    async fn step(&mut self) -> Result<Option<Step>, Failure> {
        let found = self.etcd.get(STEP, None).await?;
        let stored = found.kvs().first();
        Ok(stored
            .map(|stored| serde_json::from_slice(stored.value()))
            .transpose()?)
    }

    pub async fn present_step(&mut self) -> Result<Step, Failure> {
        Ok(self.step().await?.ok_or("there is no step")?)
    }

    /// Starts again what has ended because it could not renew its lease, and what is due.
    async fn tend(&mut self) -> Result<(), Failure> {
        for number in 0..self.routers.len() {
            if ended(&mut self.routers[number].child)? {
                self.routers[number].start_at = Instant::now();
                self.fenced += 1;
                self.event(format!("router {} stops by itself", number + 1));
            }
            let slot = &self.routers[number];
            if slot.child.is_none() && slot.start_at <= Instant::now() {
                let child = self.start_router(number)?;
                self.routers[number].child = Some(child);
            }
        }
        if ended(&mut self.coordinator)? {
            self.event("the coordinator stops by itself");
            self.start_coordinator()?;
        }
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            let lapsed = node.session.take_if(|session| !session.is_alive());
            if lapsed.is_some() && node.child.is_some() {
                self.register(at).await?;
            }
        }
        Ok(())
    }

    fn start_router(&self, slot: usize) -> Result<Child, Failure> {
        let args = [
            "router".to_string(),
            self.address.to_string(),
            slot.to_string(),
            ROUTER_COUNT.to_string(),
            self.size.keys.to_string(),
            self.referee_address.to_string(),
        ];
        self.own(&format!("router-{slot}"), &args)
    }

    /// Ends all routers and the coordinator. The servers stay.
    pub async fn end_load(&mut self) -> Result<(), Failure> {
        self.kill_coordinator().await?;
        for slot in 0..self.routers.len() {
            self.kill_router(slot, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Ends everything and removes the directory. Returns the logs of this program's processes.
    pub async fn end(mut self) -> Result<String, Failure> {
        self.end_load().await?;
        let nodes = self.nodes.iter_mut().filter_map(|node| node.child.take());
        for mut child in nodes.chain(self.others.drain(..)) {
            child.kill().await?;
        }
        let mut logs = String::new();
        for entry in std::fs::read_dir(self.directory.path())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("router") || name.starts_with("coordinator") {
                logs += &std::fs::read_to_string(&path)?;
            }
        }
        self.directory.close()?;
        Ok(logs)
    }
}

/// Returns `true` if a process has ended because its lease was lost. Any other end is an error.
fn ended(process: &mut Option<Child>) -> Result<bool, Failure> {
    let Some(child) = process else {
        return Ok(false);
    };
    let Some(status) = child.try_wait()? else {
        return Ok(false);
    };
    *process = None;
    if status.code() == Some(LEASE_LOST) {
        Ok(true)
    } else {
        Err(format!("a process ended: {status}").into())
    }
}
