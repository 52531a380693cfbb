//! The servers of a run: etcd and Redis, on free ports of the loopback interface.

use crate::Failure;
use crate::store::Stores;
use crate::world::STEP;
use etcd_client::Client;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// How soon a server that does not answer is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// Returns the arguments of an etcd that is alone.
pub fn etcd_args(clients: SocketAddr, peers: SocketAddr, directory: &Path) -> Vec<String> {
    let (clients, peers) = (format!("http://{clients}"), format!("http://{peers}"));
    let data = directory.display().to_string();
    let args = [
        ("--data-dir", data),
        ("--listen-client-urls", clients.clone()),
        ("--advertise-client-urls", clients),
        ("--listen-peer-urls", peers.clone()),
        ("--initial-advertise-peer-urls", peers.clone()),
        ("--initial-cluster", format!("default={peers}")),
    ];
    let pairs = args.into_iter();
    pairs
        .flat_map(|(name, value)| [name.to_string(), value])
        .collect()
}

/// Returns the arguments of a Redis server without persistence.
pub fn redis_args(address: SocketAddr, directory: &Path) -> Vec<String> {
    let args = [
        ("--bind", address.ip().to_string()),
        ("--port", address.port().to_string()),
        ("--dir", directory.display().to_string()),
        ("--save", String::new()),
        ("--appendonly", "no".to_string()),
    ];
    let pairs = args.into_iter();
    pairs
        .flat_map(|(name, value)| [name.to_string(), value])
        .collect()
}

/// Waits until all servers answer, and returns a connection to etcd.
pub async fn answers(stores: &Stores, ports: &[SocketAddr]) -> Result<Client, Failure> {
    let begun = Instant::now();
    loop {
        let asked = async {
            for &server in &ports[2..] {
                stores.len(server).await?;
            }
            let mut etcd = Client::connect([ports[0].to_string()], None).await?;
            etcd.get(STEP, None).await?;
            Ok::<_, Failure>(etcd)
        };
        match tokio::time::timeout(Duration::from_secs(2), asked).await {
            Ok(Ok(etcd)) => return Ok(etcd),
            failed if begun.elapsed() > Duration::from_secs(20) => {
                return Err(format!("the servers do not answer: {:?}", failed.err()).into());
            }
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}
