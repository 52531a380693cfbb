//! [`Stores`]: versioned values on Redis servers. A server keeps the newest version of each key.

use crate::Failure;
use clockwise::{Token, TokenRange};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Script};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An operation on a server ends after this time, with an answer or without.
const TIMEOUT: Duration = Duration::from_millis(700);

/// How many keys a copy reads before it writes them.
const BATCH: usize = 100;

/// All keys of a server in order of their tokens, to find those of a range.
const INDEX: &str = "index";

/// Writes if newer. Values begin with their version in 16 digits, so they compare as text.
const WRITE: &str = "
    local stored = redis.call('GET', KEYS[1])
    if stored and string.sub(stored, 1, 16) >= string.sub(ARGV[1], 1, 16) then return 0 end
    redis.call('SET', KEYS[1], ARGV[1])
    redis.call('ZADD', KEYS[2], 0, KEYS[1])
    return 1";

/// What a copy does that forgets to compare versions.
const BLIND: &str = "
    redis.call('SET', KEYS[1], ARGV[1])
    redis.call('ZADD', KEYS[2], 0, KEYS[1])
    return 1";

/// Deletes some keys of a range and returns how many there were.
const DROP: &str = "
    local keys = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, 500)
    for _, key in ipairs(keys) do
        redis.call('DEL', key)
        redis.call('ZREM', KEYS[1], key)
    end
    return #keys";

/// A value with its version. A delete is a version without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    pub version: u64,
    pub value: Option<String>,
}

impl Versioned {
    fn encode(&self) -> String {
        match &self.value {
            Some(value) => format!("{:016x}={value}", self.version),
            None => format!("{:016x}-", self.version),
        }
    }

    fn decode(stored: &str) -> Result<Versioned, Failure> {
        let (version, rest) = stored.split_at_checked(16).ok_or("a value is too short")?;
        Ok(Versioned {
            version: u64::from_str_radix(version, 16)?,
            value: rest.strip_prefix('=').map(str::to_string),
        })
    }
}

/// The name of a key on its servers.
pub fn stored_name(token: Token, key: u64) -> String {
    format!("{:016x}/{key}", token.get())
}

/// The two ends of a range in the index. `0` is the character after `/`.
fn ends(range: TokenRange) -> (String, String) {
    let (first, last) = (range.first().get(), range.last().get());
    (format!("[{first:016x}/"), format!("({last:016x}0"))
}

/// Connections to servers, opened when they are needed.
#[derive(Clone)]
pub struct Stores {
    open: Arc<Mutex<HashMap<SocketAddr, MultiplexedConnection>>>,
    write: Arc<Script>,
    copy: Arc<Script>,
    drop: Arc<Script>,
}

impl Stores {
    /// Creates the connections of a process whose copies compare versions, unless they are `blind`.
    pub fn new(blind: bool) -> Stores {
        Stores {
            open: Arc::default(),
            write: Arc::new(Script::new(WRITE)),
            copy: Arc::new(Script::new(if blind { BLIND } else { WRITE })),
            drop: Arc::new(Script::new(DROP)),
        }
    }

    pub async fn connection(&self, server: SocketAddr) -> Result<MultiplexedConnection, Failure> {
        let known = self.lock().get(&server).cloned();
        if let Some(connection) = known {
            return Ok(connection);
        }
        let client = Client::open(format!("redis://{server}"))?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let opened = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        self.lock().insert(server, opened.clone());
        Ok(opened)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, MultiplexedConnection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a result on. After a failure the next operation opens another connection.
    fn check<T>(&self, server: SocketAddr, result: redis::RedisResult<T>) -> Result<T, Failure> {
        if result.is_err() {
            self.lock().remove(&server);
        }
        Ok(result?)
    }

    /// Reads a key from one server. `None` means that the server has neither a value nor a delete.
    pub async fn read(
        &self,
        server: SocketAddr,
        token: Token,
        key: u64,
    ) -> Result<Option<Versioned>, Failure> {
        let mut connection = self.connection(server).await?;
        let found = redis::cmd("GET")
            .arg(stored_name(token, key))
            .query_async(&mut connection)
            .await;
        let found: Option<String> = self.check(server, found)?;
        found.as_deref().map(Versioned::decode).transpose()
    }

    /// Writes a key on one server, unless that has a newer version.
    pub async fn write(
        &self,
        server: SocketAddr,
        token: Token,
        key: u64,
        value: &Versioned,
    ) -> Result<(), Failure> {
        let mut connection = self.connection(server).await?;
        let written = self
            .write
            .key(stored_name(token, key))
            .key(INDEX)
            .arg(value.encode())
            .invoke_async(&mut connection)
            .await;
        self.check(server, written)
    }

    /// Copies a range from one server to another, deletes included, and calls `pause` after each
    /// batch. Returns the number of keys.
    pub async fn copy(
        &self,
        from: SocketAddr,
        to: SocketAddr,
        range: TokenRange,
        pause: Duration,
    ) -> Result<usize, Failure> {
        let (mut giver, mut taker) = (self.connection(from).await?, self.connection(to).await?);
        let script = self.copy.load_async(&mut taker).await;
        self.check(to, script)?;
        let (mut begin, end) = ends(range);
        let mut copied = 0;
        loop {
            let names = redis::cmd("ZRANGEBYLEX")
                .arg(&[INDEX, &begin, &end, "LIMIT", "0"])
                .arg(BATCH)
                .query_async(&mut giver)
                .await;
            let names: Vec<String> = self.check(from, names)?;
            let Some(last) = names.last() else {
                return Ok(copied);
            };
            begin = format!("({last}");
            let values = redis::cmd("MGET").arg(&names).query_async(&mut giver).await;
            let values: Vec<String> = self.check(from, values)?;
            tokio::time::sleep(pause).await;
            let mut batch = redis::pipe();
            for (name, value) in names.iter().zip(&values) {
                let mut call = self.copy.key(name);
                batch.invoke_script(call.key(INDEX).arg(value)).ignore();
            }
            let written = batch.query_async(&mut taker).await;
            self.check::<()>(to, written)?;
            copied += names.len();
        }
    }

    /// Deletes all that a server has of a range, and returns the number of keys.
    pub async fn drop(&self, server: SocketAddr, range: TokenRange) -> Result<usize, Failure> {
        let mut connection = self.connection(server).await?;
        let (first, last) = ends(range);
        let mut dropped = 0;
        loop {
            let some = self
                .drop
                .key(INDEX)
                .arg(&first)
                .arg(&last)
                .invoke_async(&mut connection)
                .await;
            match self.check(server, some)? {
                0 => return Ok(dropped),
                some => dropped += some,
            }
        }
    }

    /// Returns the number of keys on a server.
    pub async fn len(&self, server: SocketAddr) -> Result<usize, Failure> {
        let mut connection = self.connection(server).await?;
        let count = redis::cmd("ZCARD")
            .arg(INDEX)
            .query_async(&mut connection)
            .await;
        self.check(server, count)
    }
}
