//! One connection to a memcached server, in the text protocol.
//!
//! Written by hand, because the four commands take fewer lines than fitting a client crate would.
//! The crate `memcache` 0.21 pools its connections with r2d2, which reports a refused connection
//! only when the time to wait for one has passed. A client that has a second copy to ask wants to
//! know it immediately.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server on loopback that does not answer within this time has failed.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long a value stays, in seconds. A server keeps the values of keys that have left it, and
/// this is what removes them. Memcached takes more than 30 days as a date.
pub(crate) const TIME_TO_LIVE: u64 = 3600;

/// A key that a server has.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) key: String,
    /// When it expires, in seconds since 1970, or 0 for never.
    pub(crate) expires: u64,
}

#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Connection {
            stream: BufReader::new(stream),
            line: Vec::new(),
        })
    }

    pub(crate) fn get(&mut self, key: &str) -> io::Result<Option<Vec<u8>>> {
        self.send(&[b"get ", checked(key)?, b"\r\n"])?;
        let line = self.read_line()?;
        if line == "END" {
            return Ok(None);
        }
        // VALUE <key> <flags> <bytes>
        let length = match line.split(' ').collect::<Vec<_>>()[..] {
            ["VALUE", _, _, bytes] => bytes.parse().map_err(|_| unexpected(&line))?,
            _ => return Err(unexpected(&line)),
        };
        let mut value = vec![0; length];
        self.stream.read_exact(&mut value)?;
        for end in ["", "END"] {
            let line = self.read_line()?;
            if line != end {
                return Err(unexpected(&line));
            }
        }
        Ok(Some(value))
    }

    pub(crate) fn set(&mut self, key: &str, value: &[u8]) -> io::Result<()> {
        match self.store("set", key, value, TIME_TO_LIVE)?.as_str() {
            "STORED" => Ok(()),
            line => Err(unexpected(line)),
        }
    }

    /// Stores the value if the server has none for this key. Returns `true` if it stored it.
    pub(crate) fn add(&mut self, key: &str, value: &[u8], expires: u64) -> io::Result<bool> {
        match self.store("add", key, value, expires)?.as_str() {
            "STORED" => Ok(true),
            "NOT_STORED" => Ok(false),
            line => Err(unexpected(line)),
        }
    }

    pub(crate) fn delete(&mut self, key: &str) -> io::Result<()> {
        self.send(&[b"delete ", checked(key)?, b"\r\n"])?;
        match self.read_line()?.as_str() {
            "DELETED" | "NOT_FOUND" => Ok(()),
            line => Err(unexpected(line)),
        }
    }

    /// Returns what the server has. So a tier can be copied by a program that does not know the
    /// keys.
    ///
    /// It walks the hash table, which memcached can since 1.6.9. The older walk along its lists of
    /// recent use (`metadump all`) misses some items that are used meanwhile.
    pub(crate) fn items(&mut self) -> io::Result<Vec<Item>> {
        self.send(&[b"lru_crawler metadump hash\r\n"])?;
        let mut items = Vec::new();
        loop {
            let line = self.read_line()?;
            if line == "END" {
                return Ok(items);
            }
            // key=<key> exp=<time> la=<time> cas=<number> …
            let mut fields = line.split(' ').map_while(|field| field.split_once('='));
            match (fields.next(), fields.next()) {
                // The keys of this program need no escapes, so none are decoded.
                (Some(("key", key)), Some(("exp", time))) if !key.contains('%') => {
                    let expires = match time {
                        "-1" => 0,
                        time => time.parse().map_err(|_| unexpected(&line))?,
                    };
                    items.push(Item {
                        key: key.into(),
                        expires,
                    });
                }
                _ => return Err(unexpected(&line)),
            }
        }
    }

    /// Returns the process id of the server.
    pub(crate) fn pid(&mut self) -> io::Result<u32> {
        self.send(&[b"stats\r\n"])?;
        let mut pid = None;
        loop {
            let line = self.read_line()?;
            if line == "END" {
                return pid.ok_or_else(|| unexpected(&line));
            }
            if let Some(number) = line.strip_prefix("STAT pid ") {
                pid = number.parse().ok();
            }
        }
    }

    fn store(&mut self, verb: &str, key: &str, value: &[u8], expires: u64) -> io::Result<String> {
        let rest = format!(" 0 {expires} {}\r\n", value.len());
        let verb = format!("{verb} ");
        self.send(&[
            verb.as_bytes(),
            checked(key)?,
            rest.as_bytes(),
            value,
            b"\r\n",
        ])?;
        self.read_line()
    }

    /// Sends the parts with one write: a packet for each part would wait for the other side.
    fn send(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.stream.get_mut().write_all(&parts.concat())
    }

    fn read_line(&mut self) -> io::Result<String> {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line)?;
        // A listing of items ends its lines without the carriage return.
        match self.line.strip_suffix(b"\n") {
            Some(line) => {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                Ok(String::from_utf8_lossy(line).into_owned())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Returns the bytes of a key that the protocol can carry. A space or a line end in a key would be
/// a command of its own.
fn checked(key: &str) -> io::Result<&[u8]> {
    let bytes = key.as_bytes();
    let fits = (1..=250).contains(&bytes.len());
    if fits && bytes.iter().all(u8::is_ascii_graphic) {
        return Ok(bytes);
    }
    let message = format!("memcached takes keys of 1 to 250 visible characters, not {key:?}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// Returns the error of a server that answered, but not with what was asked for.
fn unexpected(line: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the server answered {line:?}"),
    )
}
