//! What happened to the requests, by second and by phase.

use crate::timeline::{PHASES, Timeline};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the application got from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Hit,
    Miss,
    /// An error, after which the application asks the origin itself.
    Error,
}

pub(crate) struct Tally {
    timeline: Timeline,
    seconds: Vec<Second>,
    /// The keys that missed, by phase.
    missed: [Mutex<HashSet<u32>>; PHASES.len()],
    wrong: AtomicU64,
    errors: AtomicU64,
}

#[derive(Default)]
struct Second {
    asked: AtomicU64,
    hit: AtomicU64,
}

impl Tally {
    pub(crate) fn new(timeline: Timeline) -> Self {
        Tally {
            timeline,
            seconds: (0..timeline.seconds()).map(|_| Second::default()).collect(),
            missed: Default::default(),
            wrong: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        }
    }

    pub(crate) fn note(&self, request: usize, key: u32, outcome: Outcome) {
        let second = &self.seconds[self.timeline.second_of(request)];
        second.asked.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Outcome::Hit => {
                second.hit.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Miss | Outcome::Error => {
                let phase = self.timeline.phase_of(request);
                self.missed[phase]
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(key);
            }
        }
        if outcome == Outcome::Error {
            self.note_error();
        }
    }

    /// Counts an error that the application saw.
    pub(crate) fn note_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a value that is not the origin's.
    pub(crate) fn note_wrong(&self) {
        self.wrong.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    pub(crate) fn wrong(&self) -> u64 {
        self.wrong.load(Ordering::Relaxed)
    }

    /// Returns the fraction of requests that hit, by second.
    pub(crate) fn hit_rates(&self) -> Vec<f64> {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        self.seconds
            .iter()
            .map(|second| count(&second.hit) / count(&second.asked))
            .collect()
    }

    /// Returns the lowest hit rate of a second of this phase.
    pub(crate) fn lowest(&self, phase: usize) -> f64 {
        let rates = self.hit_rates();
        rates[self.timeline.seconds_of(phase)]
            .iter()
            .copied()
            .fold(1.0, f64::min)
    }

    /// Returns how many keys missed in this phase.
    pub(crate) fn missed(&self, phase: usize) -> usize {
        self.missed[phase]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}
