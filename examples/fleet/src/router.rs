//! The process of a router: it registers, follows the steps, and acknowledges each.

use crate::Failure;
use crate::load::{CLIENTS, Client};
use crate::referee::Referee;
use crate::session::{LEASE_LOST, Session};
use crate::steps::{Placement, Step};
use crate::store::Stores;
use crate::world::{STEP, World};
use clockwise::Shared;
use etcd_client::{Client as Etcd, Compare, CompareOp, PutOptions};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The routers that live, by slot. A slot is a lock: one router at a time has it.
pub const ROUTERS: &str = "fleet/routers/";

/// Each router takes a step so much later than the router in the slot before. So they are apart, as
/// they are on a network.
const LATER: Duration = Duration::from_millis(200);

/// What a router tells the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The step that it has acknowledged.
    pub step: u64,
    /// Which view of the servers it has, and the fingerprint of that.
    pub view: i64,
    pub fingerprint: u64,
}

/// What the clients of a router share.
pub struct Router {
    pub placement: Shared<Placement>,
    pub stores: Stores,
    pub turn: AtomicUsize,
    /// The revision at which this process took its slot. A later process has a greater one.
    pub incarnation: u64,
    versions: AtomicU64,
    session: Session,
}

impl Router {
    /// Returns a version that is greater than all that this slot has given before.
    pub fn next_version(&self) -> u64 {
        self.incarnation << 28 | self.versions.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns if the lease is valid. Otherwise it never returns: the process is about to stop.
    ///
    /// It is asked before an operation, and after it: what ends after the lease does not count.
    pub async fn may_work(&self) {
        if !self.session.is_alive() {
            std::future::pending::<()>().await;
        }
    }
}

/// The work of a router.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub slot: u64,
    pub slots: u64,
    pub keys: u64,
    pub referee: SocketAddr,
}

/// Runs a router until its lease is lost.
pub async fn run(mut etcd: Etcd, options: Options) -> Result<(), Failure> {
    let session = Session::begin(&mut etcd).await?;
    let own = format!("{ROUTERS}{}", options.slot);
    // It is counted from the moment at which it has the slot, and has the present step then. If
    // the step changes in between, or an earlier process of the slot is still counted, it tries
    // again.
    let (mut world, placement, incarnation) = loop {
        let world = World::load(&mut etcd).await?;
        if let Some(step) = &world.step {
            let placement = Placement::of(step)?;
            let present = Compare::mod_revision(STEP, CompareOp::Equal, world.step_revision);
            let report = serde_json::to_vec(&report(&world, step))?;
            let claimed = session
                .claim(&mut etcd, &own, report, vec![present])
                .await?;
            if let Some(revision) = claimed {
                break (world, placement, u64::try_from(revision)?);
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let router = Arc::new(Router {
        placement: Shared::new(placement),
        stores: Stores::new(false),
        turn: AtomicUsize::new(0),
        incarnation,
        versions: AtomicU64::new(1),
        session: session.clone(),
    });
    for client in 0..CLIENTS {
        let client = Client {
            keys: options.keys,
            clients: options.slots * CLIENTS,
            number: options.slot * CLIENTS + client,
        };
        let (router, referee) = (Arc::clone(&router), Referee::new(options.referee));
        tokio::spawn(async move { client.run(&router, &referee).await });
    }
    let own = Own {
        key: own,
        session,
        later: LATER * u32::try_from(options.slot)?,
    };
    tokio::select! {
        biased;
        () = own.session.lost() => {
            eprintln!("the lease could not be renewed");
            std::process::exit(LEASE_LOST);
        }
        followed = follow(&mut etcd, &mut world, &router, &own) => followed,
    }
}

struct Own {
    key: String,
    session: Session,
    later: Duration,
}

/// Takes each step and acknowledges it, and reports each change of the view.
async fn follow(
    etcd: &mut Etcd,
    world: &mut World,
    router: &Router,
    own: &Own,
) -> Result<(), Failure> {
    let mut taken = world.step.as_ref().map_or(0, |step| step.number);
    loop {
        world.changed().await?;
        let Some(step) = &world.step else { continue };
        if step.number != taken {
            tokio::time::sleep(own.later).await;
            router.placement.replace(Placement::of(step)?);
            // The operations that began before hold the placement that they began with.
            let version = router.placement.version();
            while router.placement.oldest_version_in_use() < version {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            taken = step.number;
        }
        let report = serde_json::to_vec(&report(world, step))?;
        let options = PutOptions::new().with_lease(own.session.lease);
        etcd.put(own.key.as_str(), report, Some(options)).await?;
    }
}

fn report(world: &World, step: &Step) -> Report {
    Report {
        step: step.number,
        view: world.view_revision,
        fingerprint: world.view.fingerprint(),
    }
}
