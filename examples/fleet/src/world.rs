//! [`World`]: what etcd says of the servers and of the present step, loaded and then watched.

use crate::Failure;
use crate::server::{Ring, Server, ring};
use crate::steps::Step;
use etcd_client::{Client, EventType, GetOptions, KeyValue, WatchOptions, WatchStream};
use std::collections::BTreeMap;

pub const STEP: &str = "fleet/world/step";
const SERVERS: &str = "fleet/world/servers/";
const WORLD: &str = "fleet/world/";

/// Returns the key under which a server is registered.
pub fn server_key(name: &str) -> String {
    format!("{SERVERS}{name}")
}

/// The servers that are registered and the present step.
pub struct World {
    watch: WatchStream,
    servers: BTreeMap<String, Server>,
    /// The registered servers as a ring. Those that leave are drained.
    pub view: Ring,
    /// The revision of the last change of the servers, or of the load.
    pub view_revision: i64,
    pub step: Option<Step>,
    /// The revision of the last change of the step.
    pub step_revision: i64,
}

impl World {
    /// Loads everything, and watches what changes after that.
    pub async fn load(etcd: &mut Client) -> Result<World, Failure> {
        let everything = GetOptions::new().with_prefix();
        let found = etcd.get(WORLD, Some(everything)).await?;
        let revision = found
            .header()
            .map_or(0, etcd_client::ResponseHeader::revision);
        let later = WatchOptions::new()
            .with_prefix()
            .with_start_revision(revision + 1);
        let mut world = World {
            watch: etcd.watch(WORLD, Some(later)).await?,
            servers: BTreeMap::new(),
            view: ring()?,
            view_revision: 0,
            step: None,
            step_revision: 0,
        };
        for stored in found.kvs() {
            world.note(stored, true)?;
        }
        // A server may have been deleted after the last change that is still there.
        world.view_revision = revision;
        world.follow()?;
        Ok(world)
    }

    /// Waits for the next changes and applies them.
    pub async fn changed(&mut self) -> Result<(), Failure> {
        let message = self.watch.message().await?.ok_or("etcd ended the watch")?;
        if message.canceled() {
            return Err(format!("etcd cancelled the watch: {}", message.cancel_reason()).into());
        }
        for event in message.events() {
            if let Some(stored) = event.kv() {
                self.note(stored, event.event_type() == EventType::Put)?;
            }
        }
        self.follow()
    }

    fn note(&mut self, stored: &KeyValue, is_there: bool) -> Result<(), Failure> {
        let key = stored.key_str()?;
        if let Some(name) = key.strip_prefix(SERVERS) {
            self.view_revision = self.view_revision.max(stored.mod_revision());
            if is_there {
                let server = serde_json::from_slice(stored.value())?;
                self.servers.insert(name.to_string(), server);
            } else {
                self.servers.remove(name);
            }
        } else if key == STEP && is_there {
            self.step = Some(serde_json::from_slice(stored.value())?);
            self.step_revision = stored.mod_revision();
        }
        Ok(())
    }

    /// Makes the view follow the list.
    fn follow(&mut self) -> Result<(), Failure> {
        // An empty list is rather a fault of the registry than the end of all servers.
        if self.servers.is_empty() {
            return Ok(());
        }
        let listed = self.servers.values().map(|server| (server.clone(), 1));
        self.view
            .set_nodes_with(listed, |present, listed| *present = listed)?;
        for server in self.servers.values() {
            if server.leaving {
                self.view.drain(server)?;
            } else {
                self.view.undrain(server)?;
            }
        }
        Ok(())
    }
}
