//! The proxy's configuration in a run, as the file that it reads.

use super::children::free_address;
use crate::origin::PARALLEL;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

pub const NAMES: [&str; 5] = ["web-1", "web-2", "web-3", "web-4", "web-5"];
/// The load factor c of the runs that have one.
pub const LOAD_FACTOR: f64 = 1.5;
pub const HEALTH_INTERVAL: Duration = Duration::from_millis(200);
/// Generous, so that a busy machine does not look like a dead server.
pub const HEALTH_TIMEOUT: Duration = Duration::from_millis(1500);
pub const FALL: u32 = 3;

pub struct Setup {
    pub file: PathBuf,
    pub listen: SocketAddr,
    pub admin: SocketAddr,
    pub upstreams: Vec<Upstream>,
    pub load_factor: Option<f64>,
    pub has_sessions: bool,
    pub slow_start: Duration,
    pub patience: Duration,
}

pub struct Upstream {
    pub name: &'static str,
    pub address: SocketAddr,
    pub drain: bool,
}

impl Setup {
    /// Creates a setup whose file is in `folder`.
    pub fn new(folder: &Path) -> Self {
        let mut upstreams: Vec<Upstream> = Vec::new();
        for name in NAMES {
            upstreams.push(Upstream {
                name,
                address: free_address(),
                drain: false,
            });
        }
        Setup {
            file: folder.join("proxy.toml"),
            listen: free_address(),
            admin: free_address(),
            upstreams,
            load_factor: Some(LOAD_FACTOR),
            has_sessions: true,
            slow_start: Duration::ZERO,
            patience: Duration::ZERO,
        }
    }

    /// Writes the file, as a whole.
    pub fn write(&self) -> io::Result<()> {
        self.write_text(&self.text())
    }

    /// Writes another text into the file.
    pub fn write_text(&self, text: &str) -> io::Result<()> {
        let new = self.file.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.file)
    }

    pub fn text(&self) -> String {
        let mut text = format!(
            "listen = \"{}\"\nadmin = \"{}\"\nkey = \"path\"\nmin_cap = {PARALLEL}\naudit = true\n\
             # One thread, so that a request and its cap are noted at one moment.\nworkers = 1\n",
            self.listen, self.admin
        );
        // Writing to a string does not fail.
        if let Some(factor) = self.load_factor {
            let _ = writeln!(text, "load_factor = {factor:?}");
        }
        if self.has_sessions {
            text += "session.cookie = \"sid\"\n";
        }
        let [interval, timeout] = [HEALTH_INTERVAL, HEALTH_TIMEOUT].map(|time| time.as_millis());
        let [slow_start, patience] = [self.slow_start, self.patience].map(|time| time.as_millis());
        let _ = writeln!(
            text,
            "health = {{ interval_ms = {interval}, timeout_ms = {timeout}, fall = {FALL}, \
             slow_start_ms = {slow_start} }}\ndrain.patience_ms = {patience}"
        );
        for Upstream {
            name,
            address,
            drain,
        } in &self.upstreams
        {
            let _ = writeln!(
                text,
                "\n[[upstream]]\nname = \"{name}\"\naddress = \"{address}\"\ndrain = {drain}"
            );
        }
        text
    }
}
