//! The application during the move. Each key belongs to one thread, which knows what it wrote last
//! and so can tell an old value from the present one.

use super::moving::Move;
use clockwise::Shared;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};

const THREADS: u32 = 4;

/// One request of this many is a write.
const WRITES: u32 = 10;

#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) reads: u64,
    pub(crate) misses: u64,
    /// Reads that returned another value than the one written last.
    pub(crate) stale: u64,
    pub(crate) writes: u64,
}

impl Traffic {
    pub(super) fn add(&mut self, other: &Traffic) {
        self.reads += other.reads;
        self.misses += other.misses;
        self.stale += other.stale;
        self.writes += other.writes;
    }
}

/// Keys with the version that was written last.
type Versions = Vec<(u32, u32)>;

pub(super) fn start<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    tier: &'env Shared<Move>,
    keys: u32,
    done: &'env AtomicBool,
) -> Vec<ScopedJoinHandle<'scope, io::Result<(Traffic, Versions)>>> {
    let spawn = |thread| {
        let own = (thread..keys)
            .step_by(THREADS as usize)
            .map(|number| (number, 0))
            .collect();
        scope.spawn(move || run(tier, own, u64::from(thread), done))
    };
    (0..THREADS).map(spawn).collect()
}

fn run(
    tier: &Shared<Move>,
    mut own: Versions,
    seed: u64,
    done: &AtomicBool,
) -> io::Result<(Traffic, Versions)> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut traffic = Traffic::default();
    while !done.load(Ordering::Relaxed) {
        let index = rng.random_range(0..own.len());
        let (number, version) = &mut own[index];
        // The snapshot is held until the request ends, so the mover can wait for it.
        let tier = tier.load();
        if rng.random_range(0..WRITES) == 0 {
            *version += 1;
            tier.set(&key(*number), &value(*version))?;
            traffic.writes += 1;
        } else {
            traffic.reads += 1;
            match tier.get(&key(*number))? {
                Some(found) => traffic.stale += u64::from(found != value(*version)),
                None => traffic.misses += 1,
            }
        }
    }
    Ok((traffic, own))
}

pub(super) fn key(number: u32) -> String {
    format!("user-{number}")
}

pub(super) fn value(version: u32) -> Vec<u8> {
    format!("version {version}").into_bytes()
}
