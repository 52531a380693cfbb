//! [`Leader`]: the only coordinator. It keeps its state in etcd, and what it stores counts only
//! while it leads.

use crate::Failure;
use crate::router::{ROUTERS, Report};
use crate::session::Session;
use crate::steps::Step;
use crate::world::STEP;
use clockwise::migration::Progress;
use etcd_client::{Client, Compare, CompareOp, GetOptions, Txn, TxnOp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const LEADER: &str = "fleet/coordinator";
pub const PLAN: &str = "fleet/plan";

/// How often the leader looks.
const PAUSE: Duration = Duration::from_millis(20);

/// How far the copies of the present change are.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanState {
    pub progress: Progress,
    pub fraction: f64,
}

/// The coordinator that leads.
pub struct Leader {
    pub etcd: Client,
    pub session: Session,
    /// The revision at which it began to lead.
    since: i64,
    /// `false` breaks the protocol: no step waits for an acknowledgement.
    pub waits: bool,
}

impl Leader {
    /// Waits until no other coordinator leads, and leads.
    pub async fn begin(mut etcd: Client, waits: bool) -> Result<Leader, Failure> {
        let session = Session::begin(&mut etcd).await?;
        loop {
            let claimed = session.claim(&mut etcd, LEADER, Vec::new(), Vec::new());
            if let Some(since) = claimed.await? {
                return Ok(Leader {
                    etcd,
                    session,
                    since,
                    waits,
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Changes etcd if this process still leads.
    async fn store(&mut self, operations: Vec<TxnOp>) -> Result<(), Failure> {
        let leads = Compare::create_revision(LEADER, CompareOp::Equal, self.since);
        let change = Txn::new().when([leads]).and_then(operations);
        if self.etcd.txn(change).await?.succeeded() {
            Ok(())
        } else {
            Err("another coordinator leads".into())
        }
    }

    /// Publishes a step.
    pub async fn publish(&mut self, step: &Step) -> Result<(), Failure> {
        let step = serde_json::to_vec(step)?;
        self.store(vec![TxnOp::put(STEP, step, None)]).await
    }

    /// Publishes the first step of a change. The progress of the change before is forgotten at the
    /// same time, because the same change made twice has the same checksum.
    pub async fn publish_first(&mut self, step: &Step) -> Result<(), Failure> {
        let step = serde_json::to_vec(step)?;
        let operations = vec![TxnOp::put(STEP, step, None), TxnOp::delete(PLAN, None)];
        self.store(operations).await
    }

    pub async fn store_plan(&mut self, state: &PlanState) -> Result<(), Failure> {
        let state = serde_json::to_vec(state)?;
        self.store(vec![TxnOp::put(PLAN, state, None)]).await
    }

    pub async fn stored_plan(&mut self) -> Result<Option<PlanState>, Failure> {
        let found = self.etcd.get(PLAN, None).await?;
        let stored = found.kvs().first();
        Ok(stored
            .map(|stored| serde_json::from_slice(stored.value()))
            .transpose()?)
    }

    /// Returns what all routers report that are counted now.
    pub async fn reports(&mut self) -> Result<Vec<Report>, Failure> {
        let all = GetOptions::new().with_prefix();
        let found = self.etcd.get(ROUTERS, Some(all)).await?;
        let reports = found.kvs().iter();
        Ok(reports
            .map(|stored| serde_json::from_slice(stored.value()))
            .collect::<Result<_, _>>()?)
    }

    /// Returns `true` if every router that is counted has acknowledged step `number`.
    pub async fn is_acknowledged(&mut self, number: u64) -> Result<bool, Failure> {
        let waits = self.waits;
        let reports = self.reports().await?;
        Ok(!waits || reports.iter().all(|report| report.step >= number))
    }

    /// Waits until every router that is counted has acknowledged step `number`.
    pub async fn acknowledged(&mut self, number: u64) -> Result<(), Failure> {
        while !self.is_acknowledged(number).await? {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Returns `true` if all routers see the servers that have this fingerprint.
    pub async fn agrees(&mut self, fingerprint: u64) -> Result<bool, Failure> {
        let reports = self.reports().await?;
        let mut seen = reports.iter().map(|report| report.fingerprint);
        Ok(!self.waits || seen.all(|seen| seen == fingerprint))
    }
}
