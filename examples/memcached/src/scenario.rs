//! The run: threads that read by one trace, while the main thread changes the servers under them.

use crate::server::RETRY;
use crate::tier::{ADDED, DRAINED, KILLED, Rack, Tier};
use crate::timeline::{ADD, BACK, DRAIN, KILL, RATE, Timeline};
use crate::trace::{self, KEYS, Trace};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const THREADS: u32 = 4;

/// Fills the caches, so that a later miss is due to an event alone.
pub(crate) fn warm(tiers: &[Tier]) {
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in (1 + thread..=KEYS).step_by(THREADS as usize) {
                    let key = trace::key(number);
                    for tier in tiers {
                        if tier.cache.set(&key, &trace::value(&key)).is_err() {
                            tier.tally.note_error();
                        }
                    }
                }
            });
        }
    });
}

pub(crate) fn run(
    tiers: &[Tier],
    racks: &mut [Rack],
    trace: &Trace,
    timeline: Timeline,
) -> Result<(), Box<dyn Error>> {
    let (next, start) = (AtomicUsize::new(0), Instant::now());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| read(tiers, trace, &next, start));
        }
        let done = direct(tiers, racks, &next, timeline);
        if done.is_err() {
            next.store(timeline.requests(), Ordering::Relaxed);
        }
        done
    })
}

/// Asks the next keys of the trace, each of every tier.
fn read(tiers: &[Tier], trace: &Trace, next: &AtomicUsize, start: Instant) {
    loop {
        let request = next.fetch_add(1, Ordering::Relaxed);
        let Some(key) = trace.get(request) else {
            return;
        };
        let due = Duration::from_secs_f64(request as f64 / RATE as f64);
        thread::sleep(due.saturating_sub(start.elapsed()));
        for tier in tiers {
            tier.ask(request, key);
        }
    }
}

/// Makes the events, each when its phase begins.
fn direct(
    tiers: &[Tier],
    racks: &mut [Rack],
    next: &AtomicUsize,
    timeline: Timeline,
) -> Result<(), Box<dyn Error>> {
    let wait_for = |phase| {
        while next.load(Ordering::Relaxed) < timeline.requests_of(phase).start {
            thread::sleep(Duration::from_millis(1));
        }
    };
    let restore = || tiers.iter().try_for_each(|tier| tier.cache.restore());
    wait_for(KILL);
    for rack in &mut *racks {
        rack.kill(KILLED);
    }
    restore()?;
    wait_for(BACK);
    for rack in &mut *racks {
        rack.restart(KILLED)?;
    }
    thread::sleep(RETRY);
    restore()?;
    wait_for(ADD);
    for (tier, rack) in tiers.iter().zip(&mut *racks) {
        for (server, weight) in rack.start(&[ADDED])? {
            tier.cache.add(server, weight)?;
        }
    }
    restore()?;
    wait_for(DRAIN);
    for (tier, rack) in tiers.iter().zip(&mut *racks) {
        tier.cache.retire(DRAINED)?;
        rack.kill(DRAINED);
    }
    Ok(restore()?)
}
