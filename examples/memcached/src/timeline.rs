//! The phases of the run. A second is a number of requests, which take at least that long: so a
//! slow machine sees the same trace against the same events.

use std::ops::Range;

pub(crate) const RATE: usize = 1500;

pub(crate) const PHASES: [&str; 5] = ["steady", "kill", "back", "add", "drain"];

pub(crate) const KILL: usize = 1;
pub(crate) const BACK: usize = 2;
pub(crate) const ADD: usize = 3;
pub(crate) const DRAIN: usize = 4;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeline {
    /// How many seconds a phase has.
    phase: usize,
}

impl Timeline {
    pub(crate) fn new(seconds_of_a_phase: usize) -> Self {
        Timeline {
            phase: seconds_of_a_phase.max(1),
        }
    }

    pub(crate) fn seconds(self) -> usize {
        self.phase * PHASES.len()
    }

    pub(crate) fn requests(self) -> usize {
        self.seconds() * RATE
    }

    pub(crate) fn seconds_of(self, phase: usize) -> Range<usize> {
        phase * self.phase..(phase + 1) * self.phase
    }

    pub(crate) fn requests_of(self, phase: usize) -> Range<usize> {
        let seconds = self.seconds_of(phase);
        seconds.start * RATE..seconds.end * RATE
    }

    pub(crate) fn second_of(self, request: usize) -> usize {
        (request / RATE).min(self.seconds() - 1)
    }

    pub(crate) fn phase_of(self, request: usize) -> usize {
        self.second_of(request) / self.phase
    }
}
