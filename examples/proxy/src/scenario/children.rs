//! The processes of a run: servers that are killed and started again, and the proxy.

use super::setup::Setup;
use std::collections::BTreeMap;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};

/// Ports below the range from which outgoing connections take theirs, so that a killed server finds
/// its own free when it returns.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// Returns a loopback address with a port that is free now.
pub fn free_address() -> SocketAddr {
    loop {
        let address = SocketAddr::from(([127, 0, 0, 1], rand::random_range(PORTS)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Processes by name. All are killed when this is dropped.
pub struct Children(BTreeMap<String, Child>);

impl Children {
    pub fn new() -> Self {
        Children(BTreeMap::new())
    }

    pub fn start_proxy(&mut self, file: &Path) -> Result<(), Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        self.start("proxy", command.arg("serve").arg(file))
    }

    pub fn start_origin(&mut self, setup: &Setup, name: &str) -> Result<(), Box<dyn Error>> {
        let upstream = setup
            .upstreams
            .iter()
            .find(|upstream| upstream.name == name);
        let address = upstream.ok_or("it is no upstream")?.address.to_string();
        let mut command = Command::new(std::env::current_exe()?);
        self.start(name, command.args(["origin", name, &address]))
    }

    fn start(&mut self, name: &str, command: &mut Command) -> Result<(), Box<dyn Error>> {
        self.0.insert(name.to_owned(), command.spawn()?);
        Ok(())
    }

    /// Kills a process with SIGKILL, and returns when it is gone.
    pub fn kill(&mut self, name: &str) -> Result<(), Box<dyn Error>> {
        let mut child = self.0.remove(name).ok_or("it does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Returns the name of a process that ended although nobody killed it.
    pub fn ended(&mut self) -> Option<String> {
        let has_ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        let mut names = self
            .0
            .iter_mut()
            .filter_map(|(name, child)| has_ended(child).then_some(name));
        names.next().cloned()
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in self.0.values_mut() {
            // It may have ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
