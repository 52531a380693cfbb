//! What happens in a run: a server joins, another one leaves, and meanwhile processes are killed.

use crate::Failure;
use crate::audit::{Audit, audit};
use crate::fleet::{Broken, Fleet, Sample, Size};
use crate::referee::Counts;
use crate::session::LEASE;
use rustix::process::Signal;
use std::time::Duration;

/// A change that takes longer is an error.
const LIMIT: Duration = Duration::from_secs(120);

/// A suspended router sleeps longer than its lease lasts.
const SUSPENDED: Duration = LEASE.saturating_add(Duration::from_secs(1));

/// A killed router starts again after this time.
const DOWN: Duration = Duration::from_millis(500);

/// What a run has found.
pub struct Outcome {
    pub counts: Counts,
    pub audit: Audit,
    pub steps: u64,
    pub seconds: f64,
    /// Routers and coordinators that were killed, and routers that stopped by themselves.
    pub killed: usize,
    pub fenced: usize,
    /// Views of the servers that routers reported, and those with more than one fingerprint.
    pub views: usize,
    pub disagreements: usize,
    /// Keys that the server that left had when it was closed.
    pub left_on_closed: usize,
}

/// Runs the changes with failures, and goes on until there were `reads`.
pub async fn changes(fleet: &mut Fleet, steady: Duration, reads: u64) -> Result<Outcome, Failure> {
    start(fleet).await?;
    run_for(fleet, steady).await?;

    fleet.event("redis-5 joins");
    fleet.join(4).await?;
    copied(fleet, 5, 0.3).await?;
    restart_coordinator(fleet).await?;
    copied(fleet, 5, 0.6).await?;
    kill_router(fleet, 0).await?;
    settled(fleet, 5).await?;
    fleet.event("redis-5 has its data");
    run_for(fleet, steady).await?;

    fleet.event("redis-2 wants to leave");
    fleet.leave(1).await?;
    copied(fleet, 4, 0.2).await?;
    fleet.event("router 2 is suspended (SIGSTOP)");
    fleet.signal_router(1, Signal::STOP)?;
    copied(fleet, 4, 0.4).await?;
    restart_coordinator(fleet).await?;
    run_for(fleet, SUSPENDED).await?;
    fleet.event("router 2 continues (SIGCONT)");
    fleet.signal_router(1, Signal::CONT)?;
    copied(fleet, 4, 0.7).await?;
    kill_router(fleet, 2).await?;
    settled(fleet, 4).await?;
    fleet.event("redis-2 has nothing any more");
    let left_on_closed = fleet.close(1).await?;
    run_for(fleet, steady).await?;
    let enough = fleet.watch("there were enough reads", 5 * LIMIT, |now| {
        now.counts.reads >= reads
    });
    enough.await?;
    let outcome = end(fleet).await?;
    Ok(Outcome {
        killed: 4,
        left_on_closed,
        ..outcome
    })
}

/// Runs one change without failures, in which a rule of the protocol is broken.
pub async fn broken(size: Size, broken: Broken) -> Result<Counts, Failure> {
    println!("\nthe same with a broken rule: {}", describe(broken));
    let mut fleet = Fleet::start(size, Some(broken)).await?;
    let outcome = break_it(&mut fleet).await;
    let logs = fleet.end().await?;
    outcome.map_err(|error| format!("{error}\n{logs}").into())
}

fn describe(broken: Broken) -> &'static str {
    match broken {
        Broken::Blind => "copies overwrite newer versions",
        Broken::Hurry => "steps do not wait for acknowledgements",
    }
}

async fn break_it(fleet: &mut Fleet) -> Result<Counts, Failure> {
    start(fleet).await?;
    run_for(fleet, Duration::from_secs(1)).await?;
    fleet.event("redis-5 joins");
    fleet.join(4).await?;
    settled(fleet, 5).await?;
    fleet.event("redis-5 has its data");
    run_for(fleet, Duration::from_secs(1)).await?;
    Ok(end(fleet).await?.counts)
}

async fn start(fleet: &mut Fleet) -> Result<(), Failure> {
    for at in 0..4 {
        fleet.join(at).await?;
    }
    fleet.start_coordinator()?;
    fleet.seed().await?;
    fleet.event("3 routers start");
    let begun = fleet.watch("reads begin", LIMIT, |now| now.counts.reads > 0);
    begun.await.map(drop)
}

async fn end(fleet: &mut Fleet) -> Result<Outcome, Failure> {
    let last = fleet.watch("the end", LIMIT, |_| true).await?;
    fleet.end_load().await?;
    let audit = audit(fleet).await?;
    let seen = fleet.views.values();
    Ok(Outcome {
        counts: last.counts,
        audit,
        steps: last.step,
        seconds: last.seconds,
        killed: 0,
        fenced: fleet.fenced,
        views: fleet.views.len(),
        disagreements: seen.filter(|prints| prints.len() > 1).count(),
        left_on_closed: 0,
    })
}

async fn run_for(fleet: &mut Fleet, time: Duration) -> Result<(), Failure> {
    let end = std::time::Instant::now() + time;
    let over = move |_: &_| std::time::Instant::now() >= end;
    fleet.watch("time has passed", LIMIT, over).await.map(drop)
}

/// Waits until so much of the change to `members` is copied.
async fn copied(fleet: &mut Fleet, members: usize, fraction: f64) -> Result<(), Failure> {
    let over = |now: &Sample| !now.moving && now.members == members;
    let copied = fleet.watch("data is copied", LIMIT, |now| {
        over(now) || now.moving && now.fraction >= fraction
    });
    if over(&copied.await?) {
        return Err("the change was over before the next failure".into());
    }
    Ok(())
}

async fn settled(fleet: &mut Fleet, members: usize) -> Result<(), Failure> {
    let settled = fleet.watch("the change is done", LIMIT, |now| {
        !now.moving && now.members == members
    });
    settled.await.map(drop)
}

async fn restart_coordinator(fleet: &mut Fleet) -> Result<(), Failure> {
    fleet.event("the coordinator is killed, another one starts");
    fleet.kill_coordinator().await?;
    fleet.start_coordinator()
}

async fn kill_router(fleet: &mut Fleet, slot: usize) -> Result<(), Failure> {
    fleet.event(format!("router {} is killed, and starts again", slot + 1));
    fleet.kill_router(slot, DOWN).await
}
