//! The last check: what every server has when all routers have ended.

use crate::Failure;
use crate::fleet::Fleet;
use crate::referee::{Counts, content};
use crate::server::REPLICAS;
use futures_util::future::try_join_all;
use std::time::Duration;

/// What the servers have in the end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audit {
    pub keys: u64,
    /// Replicas that do not have the acknowledged version of a key, or a later one.
    pub missing: u64,
    /// Keys on servers that are not among their replicas.
    pub left_behind: usize,
}

/// Compares every replica of every key with the mark of the key.
pub async fn audit(fleet: &mut Fleet) -> Result<Audit, Failure> {
    // What a killed router has sent last arrives.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let ring = fleet.present_step().await?.ring;
    let (stores, referee) = (&fleet.stores, &fleet.referee);
    let mut audit = Audit::default();
    let keys: Vec<u64> = (0..fleet.size.keys).collect();
    for keys in keys.chunks(500) {
        let marks = referee.begin(Counts::default(), keys).await?;
        let replicas = keys.iter().zip(&marks).flat_map(|(&key, &mark)| {
            let token = ring.token(&key);
            let servers = ring.preference_token(token).take(REPLICAS);
            servers.map(move |server| (server.address, token, key, mark))
        });
        let checks = replicas.map(|(server, token, key, mark)| async move {
            let found = stores.read(server, token, key).await?;
            let found = found.is_some_and(|found| {
                found.version >= mark && found.value == content(key, found.version)
            });
            Ok::<bool, Failure>(found)
        });
        let found = try_join_all(checks).await?;
        audit.missing += found.iter().filter(|&&found| !found).count() as u64;
        audit.keys += keys.len() as u64;
    }
    let mut present = 0;
    for member in ring.members() {
        present += stores.len(member.node.address).await?;
    }
    let placed = usize::try_from(audit.keys)? * REPLICAS - usize::try_from(audit.missing)?;
    audit.left_behind = present.saturating_sub(placed);
    Ok(audit)
}
