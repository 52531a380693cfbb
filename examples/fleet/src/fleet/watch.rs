//! [`Sample`], and how a fleet is watched until something has happened.

use super::{Fleet, TICK};
use crate::Failure;
use crate::leader::{PLAN, PlanState};
use crate::referee::Counts;
use crate::router::{ROUTERS, Report};
use etcd_client::GetOptions;
use std::time::{Duration, Instant};

/// What is seen at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    pub seconds: f64,
    pub counts: Counts,
    pub step: u64,
    /// `true` while a change is under way.
    pub moving: bool,
    /// The members of the ring, before a change and after it.
    pub members: usize,
    pub fraction: f64,
}

impl Fleet {
    /// Looks at everything until `until` returns `true`, and starts routers that have ended.
    pub async fn watch(
        &mut self,
        what: &str,
        limit: Duration,
        until: impl Fn(&Sample) -> bool,
    ) -> Result<Sample, Failure> {
        let begun = Instant::now();
        loop {
            let sample = self.sample().await?;
            self.tend().await?;
            if until(&sample) {
                return Ok(sample);
            }
            if begun.elapsed() > limit {
                return Err(format!("waited for {limit:?} until {what}: {sample:?}").into());
            }
            tokio::time::sleep(TICK).await;
        }
    }

    async fn sample(&mut self) -> Result<Sample, Failure> {
        let counts = self.referee.totals().await?;
        let step = self.present_step().await?;
        let plan = self.etcd.get(PLAN, None).await?;
        let plan: Option<PlanState> = match plan.kvs().first() {
            Some(stored) => Some(serde_json::from_slice(stored.value())?),
            None => None,
        };
        let all = Some(GetOptions::new().with_prefix());
        for stored in self.etcd.get(ROUTERS, all).await?.kvs() {
            let report: Report = serde_json::from_slice(stored.value())?;
            let seen = self.views.entry(report.view).or_default();
            seen.insert(report.fingerprint);
        }
        let sample = Sample {
            seconds: self.begun.elapsed().as_secs_f64(),
            counts,
            step: step.number,
            moving: step.change.is_some(),
            members: step.ring.len(),
            fraction: plan.map_or(0.0, |plan| plan.fraction),
        };
        self.samples.push(sample);
        Ok(sample)
    }
}
