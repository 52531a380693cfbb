//! The configuration: a TOML file, and what can be wrong with one.

use clockwise::{ConfigError, NodeError};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// What the file says. `proxy.toml` explains each setting.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    pub admin: SocketAddr,
    pub key: KeySource,
    pub load_factor: Option<f64>,
    #[serde(default = "min_cap")]
    pub min_cap: u32,
    #[serde(default = "retries")]
    pub retries: usize,
    #[serde(default = "answer_timeout_ms")]
    answer_timeout_ms: u64,
    #[serde(default = "max_body")]
    pub max_body: usize,
    #[serde(default)]
    pub workers: usize,
    #[serde(default)]
    pub audit: bool,
    pub session: Option<Sessions>,
    #[serde(default)]
    pub health: Health,
    #[serde(default)]
    pub drain: Drain,
    #[serde(rename = "upstream")]
    pub upstreams: Vec<Entry>,
}

/// What a request without a session is routed by.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    Path,
    Header(String),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub cookie: String,
    #[serde(default = "capacity")]
    pub capacity: usize,
    #[serde(default = "idle_ms")]
    idle_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    pub path: String,
    interval_ms: u64,
    timeout_ms: u64,
    pub fall: u32,
    pub rise: u32,
    slow_start_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Drain {
    patience_ms: u64,
}

/// An upstream. Its name is its identity, and its address may change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub name: String,
    pub address: SocketAddr,
    #[serde(default = "weight")]
    pub weight: u32,
    #[serde(default)]
    pub drain: bool,
}

fn min_cap() -> u32 {
    8
}
fn retries() -> usize {
    2
}
fn answer_timeout_ms() -> u64 {
    30_000
}
fn max_body() -> usize {
    1 << 20
}
fn capacity() -> usize {
    100_000
}
fn idle_ms() -> u64 {
    1_800_000
}
fn weight() -> u32 {
    1
}

impl Default for Health {
    fn default() -> Self {
        Health {
            path: "/healthz".into(),
            interval_ms: 500,
            timeout_ms: 400,
            fall: 2,
            rise: 2,
            slow_start_ms: 10_000,
        }
    }
}

impl Default for Drain {
    fn default() -> Self {
        Drain {
            patience_ms: 30_000,
        }
    }
}

impl Config {
    pub fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_timeout_ms)
    }
}

impl Sessions {
    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}

impl Health {
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms.max(1))
    }
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
    pub fn slow_start(&self) -> Duration {
        Duration::from_millis(self.slow_start_ms)
    }
}

impl Drain {
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }
}

/// Why a configuration cannot be used. The one before stays in use.
#[derive(Debug, Error)]
pub enum Refused {
    #[error("{}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: {source}", path.display())]
    Parse {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("no upstream is listed (set `drain = true` to take one out of service)")]
    NoUpstream,
    #[error("only upstreams can be changed while the proxy runs (restart it for other settings)")]
    NeedsRestart,
    #[error(transparent)]
    Setting(#[from] ConfigError),
    #[error(transparent)]
    Upstream(#[from] NodeError),
}

impl Config {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, Refused> {
        let path = path.to_owned();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(Refused::Read { path, source }),
        };
        let config: Config = match toml::from_str(&text) {
            Ok(config) => config,
            Err(source) => {
                let source = Box::new(source);
                return Err(Refused::Parse { path, source });
            }
        };
        // An empty list would empty the strategy, and is a mistake in most cases.
        if config.upstreams.is_empty() {
            return Err(Refused::NoUpstream);
        }
        Ok(config)
    }

    /// Returns `Ok` if only the upstreams differ from those of `running`.
    pub fn can_follow(&self, running: &Config) -> Result<(), Refused> {
        let upstreams = running.upstreams.clone();
        let same = Config {
            upstreams,
            ..self.clone()
        };
        if same == *running {
            Ok(())
        } else {
            Err(Refused::NeedsRestart)
        }
    }
}
