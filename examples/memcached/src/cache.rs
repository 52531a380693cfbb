//! What the scenario asks of a cache client, however it places keys.

use crate::client::Client;
use crate::server::Server;
use std::error::Error;
use std::io;
use std::sync::Arc;

pub(crate) trait Cache: Sync {
    fn get(&self, key: &str) -> io::Result<Option<Vec<u8>>>;

    fn set(&self, key: &str, value: &[u8]) -> io::Result<()>;

    /// Adds a server that is running.
    fn add(&self, server: Arc<Server>, weight: u32) -> Result<(), Box<dyn Error>>;

    /// Takes a server out of service. The server is stopped afterwards.
    fn retire(&self, name: &str) -> Result<(), Box<dyn Error>>;

    /// Makes the copies that are missing, after a change.
    fn restore(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Cache for Client {
    fn get(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        self.get(key)
    }

    fn set(&self, key: &str, value: &[u8]) -> io::Result<()> {
        self.set(key, value)
    }

    fn add(&self, server: Arc<Server>, weight: u32) -> Result<(), Box<dyn Error>> {
        Ok(self.add(server, weight)?)
    }

    fn retire(&self, name: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.retire(name)?)
    }

    fn restore(&self) -> io::Result<()> {
        // With one copy there is none to restore from.
        if self.copies() > 1 {
            self.restore()
        } else {
            Ok(())
        }
    }
}
