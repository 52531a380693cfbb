//! The process of the coordinator: it changes the placement when a server joins or leaves.
//!
//! It may be killed at any moment. All that it must remember is the present step and the progress
//! of the plan, and both are in etcd.

use crate::Failure;
use crate::leader::{Leader, PlanState};
use crate::server::{REPLICAS, Ring, Server};
use crate::session::LEASE_LOST;
use crate::steps::{Change, Step};
use crate::store::Stores;
use crate::world::World;
use clockwise::migration::Plan;
use clockwise::{Epochs, Move, Stage, TokenRange};
use etcd_client::Client;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::net::SocketAddr;
use std::time::Duration;

/// The moves under way from a server, and to a server.
const LIMIT: u32 = 2;

/// How soon the coordinator looks again if the routers' views differ.
const AGAIN: Duration = Duration::from_millis(20);

/// The parts in which a plan advances.
const PARTS: usize = 10;

/// How a coordinator works.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The number of servers that the first ring waits for.
    pub servers: usize,
    /// How long a copy pauses between reading and writing a batch.
    pub pause: Duration,
    /// Breaks the protocol: copies do not compare versions.
    pub blind: bool,
    /// Breaks the protocol: steps do not wait.
    pub hurry: bool,
}

/// Runs the coordinator until it leads no more.
pub async fn run(etcd: Client, options: Options) -> Result<(), Failure> {
    let leader = Leader::begin(etcd, !options.hurry).await?;
    let session = leader.session.clone();
    tokio::select! {
        biased;
        () = session.lost() => {
            eprintln!("the lease could not be renewed");
            std::process::exit(LEASE_LOST);
        }
        ended = coordinate(leader, options) => ended,
    }
}

async fn coordinate(mut leader: Leader, options: Options) -> Result<(), Failure> {
    let stores = Stores::new(options.blind);
    let mut world = World::load(&mut leader.etcd.clone()).await?;
    let mut step = match world.step.take() {
        Some(step) => step,
        None => first(&mut leader, &mut world, options.servers).await?,
    };
    loop {
        if let Some(change) = &step.change {
            let ring = finish(&mut leader, &stores, &step, change, options.pause).await?;
            step = ring;
            continue;
        }
        leader.acknowledged(step.number).await?;
        let new = target(&step.ring, &world.view)?;
        if new.same_placement(&step.ring) {
            world.changed().await?;
            continue;
        }
        if !leader.agrees(world.view.fingerprint()).await? {
            // A router sees other servers, or this process does not see the newest list yet.
            if let Ok(changed) = tokio::time::timeout(AGAIN, world.changed()).await {
                changed?;
            }
            continue;
        }
        step = begin(&mut leader, &stores, step, new).await?;
    }
}

/// Publishes the first ring.
async fn first(leader: &mut Leader, world: &mut World, servers: usize) -> Result<Step, Failure> {
    while world.view.len() < servers {
        world.changed().await?;
    }
    let (number, ring, change) = (1, world.view.clone(), None);
    let step = Step {
        number,
        ring,
        change,
    };
    leader.publish_first(&step).await?;
    Ok(step)
}

/// Returns the ring that the servers ask for: with those that have joined, without those that
/// leave. A server that has only vanished stays, because its data is moved when it says so, and not
/// when its network fails.
fn target(present: &Ring, view: &Ring) -> Result<Ring, Failure> {
    let mut target = present.clone();
    for member in view.members() {
        if member.drained {
            target.remove(member.node);
        } else if !target.contains(member.node) {
            target.insert_weighted(member.node.clone(), member.weight)?;
        }
    }
    Ok(target)
}

/// Publishes the first step of a change: each range is in `Copying`.
async fn begin(
    leader: &mut Leader,
    stores: &Stores,
    step: Step,
    new: Ring,
) -> Result<Step, Failure> {
    // No process has the new placement yet, so anything that a taker has of a range is a leftover.
    for step in step.ring.diff_replicas(&new, REPLICAS)?.moves() {
        if let Some(taker) = step.to {
            stores.drop(taker.address, step.range).await?;
        }
    }
    let epochs = Epochs::new(&step.ring, &new).with_replicas(REPLICAS);
    let stages = epochs.progress();
    let step = Step {
        number: step.number + 1,
        ring: step.ring,
        change: Some(Change { new, stages }),
    };
    leader.publish_first(&step).await?;
    Ok(step)
}

/// Works off a change from where it is, and returns the step after it.
async fn finish(
    leader: &mut Leader,
    stores: &Stores,
    step: &Step,
    change: &Change,
    pause: Duration,
) -> Result<Step, Failure> {
    leader.acknowledged(step.number).await?;
    let migration = step.ring.diff_replicas(&change.new, REPLICAS)?;
    let mut published = Published {
        number: step.number,
        old: &step.ring,
        epochs: change.epochs(&step.ring)?,
    };
    let mut plan = migration.plan(LIMIT)?;
    if let Some(stored) = leader.stored_plan().await? {
        plan.resume(&stored.progress)?;
    }
    if !published.epochs.is_done() {
        copy_all(leader, stores, &mut plan, &mut published, pause).await?;
        // What did not move advances, too.
        for stage in [Stage::Copied, Stage::Done] {
            if published.epochs.stages().all(|(_, now)| now >= stage) {
                continue;
            }
            leader.acknowledged(published.number).await?;
            published.epochs.advance(TokenRange::ALL, stage)?;
            published.publish(leader).await?;
        }
    }
    leader.acknowledged(published.number).await?;
    // Every router writes and reads the new side alone, and no copy is under way.
    for step in migration.moves() {
        if let Some(giver) = step.from {
            stores.drop(giver.address, step.range).await?;
        }
    }
    let step = Step {
        number: published.number + 1,
        ring: published.epochs.into_new()?,
        change: None,
    };
    leader.publish(&step).await?;
    Ok(step)
}

/// The step that was published last.
struct Published<'a> {
    number: u64,
    old: &'a Ring,
    epochs: Epochs<Ring>,
}

impl Published<'_> {
    async fn publish(&mut self, leader: &mut Leader) -> Result<(), Failure> {
        self.number += 1;
        let (new, stages) = (self.epochs.new_strategy().clone(), self.epochs.progress());
        let step = Step {
            number: self.number,
            ring: self.old.clone(),
            change: Some(Change { new, stages }),
        };
        leader.publish(&step).await
    }
}

/// Copies all moves of the plan. Ranges of which all moves are complete advance to `Copied`.
async fn copy_all(
    leader: &mut Leader,
    stores: &Stores,
    plan: &mut Plan<Server>,
    published: &mut Published<'_>,
    pause: Duration,
) -> Result<(), Failure> {
    let mut under_way = FuturesUnordered::new();
    // Without waiting, one part for all shows the broken rule on a slow machine too.
    let part = plan
        .remaining()
        .div_ceil(if leader.waits { PARTS } else { 1 });
    let mut next = plan.remaining().saturating_sub(part);
    loop {
        while let Some(step) = plan.start() {
            let giver = published.epochs.old_replicas_token(step.range.first())[0].clone();
            under_way.push(copy(stores, step, giver.address, pause));
        }
        let Some((step, copied)) = under_way.next().await else {
            return Ok(());
        };
        match copied {
            Ok(_) => {
                plan.complete(&step);
            }
            Err(error) => {
                eprintln!("a copy is repeated: {error}");
                plan.retry(&step);
            }
        }
        let (progress, fraction) = (plan.progress(), plan.fraction());
        let state = PlanState { progress, fraction };
        leader.store_plan(&state).await?;
        // The next step of the protocol, if everyone has the one before. Copies continue.
        if plan.remaining() <= next && leader.is_acknowledged(published.number).await? {
            next = plan.remaining().saturating_sub(part);
            for range in plan.completed_ranges() {
                published.epochs.advance(range, Stage::Copied)?;
            }
            published.publish(leader).await?;
        }
    }
}

/// Copies the range of a move from the replica that is replaced, or from another one of the old
/// side: a write waits for all of them.
async fn copy(
    stores: &Stores,
    step: Move<Server>,
    other: SocketAddr,
    pause: Duration,
) -> (Move<Server>, Result<usize, Failure>) {
    let from = step.from.as_ref().map_or(other, |giver| giver.address);
    let copied = match &step.to {
        Some(taker) => stores.copy(from, taker.address, step.range, pause).await,
        None => Ok(0),
    };
    (step, copied)
}
