//! The events of a run, in virtual time: arrivals, first tokens, last tokens.

use crate::policies::Policy;
use crate::trace::Request;
use crate::worker::{Placed, Worker};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What a run measured.
pub struct Outcome {
    pub name: &'static str,
    /// The fraction of the prompts' tokens that were cached.
    pub hit_rate: f64,
    pub longest_queue: usize,
    /// Seconds to the first token, ascending.
    first_tokens: Vec<f64>,
}

impl Outcome {
    /// Returns the time that this percentage of the requests does not exceed.
    pub fn percentile(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.first_tokens.len() as f64).ceil() as usize;
        self.first_tokens[rank.clamp(1, self.first_tokens.len()) - 1]
    }
}

enum Event {
    FirstToken,
    LastToken(Placed),
}

/// The events to come. Those of the same moment keep the order in which they were added.
#[derive(Default)]
struct Agenda {
    /// The bits of positive numbers are in the numbers' order.
    times: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, (usize, Event)>,
    added: u64,
}

impl Agenda {
    fn add(&mut self, at: f64, worker: usize, event: Event) {
        self.added += 1;
        self.times.push(Reverse((at.to_bits(), self.added)));
        self.events.insert(self.added, (worker, event));
    }

    fn next_until(&mut self, until: f64) -> Option<(f64, usize, Event)> {
        let &Reverse((at, number)) = self.times.peek()?;
        if f64::from_bits(at) > until {
            return None;
        }
        self.times.pop();
        let (worker, event) = self.events.remove(&number)?;
        Some((f64::from_bits(at), worker, event))
    }
}

struct Run {
    workers: Vec<Worker>,
    agenda: Agenda,
    /// Requests before this moment only fill the caches.
    warm: f64,
    cached: u64,
    asked: u64,
    first_tokens: Vec<f64>,
    longest_queue: usize,
}

/// Sends the trace through a policy until every request is answered.
pub fn simulate(policy: &Policy, workers: usize, trace: &[Request]) -> Outcome {
    let mut run = Run {
        workers: (0..workers).map(|_| Worker::new()).collect(),
        agenda: Agenda::default(),
        warm: trace.last().map_or(0.0, |last| last.at) / 4.0,
        cached: 0,
        asked: 0,
        first_tokens: Vec::new(),
        longest_queue: 0,
    };
    for request in trace {
        run.advance(request.at);
        let (worker, in_flight) = policy.choose(request);
        let request = *request;
        run.workers[worker].enqueue(Placed { request, in_flight });
        run.longest_queue = run.longest_queue.max(run.workers[worker].queue());
        run.start(worker, request.at);
    }
    run.advance(f64::INFINITY);
    run.first_tokens.sort_by(f64::total_cmp);
    Outcome {
        name: policy.name,
        hit_rate: run.cached as f64 / run.asked as f64,
        longest_queue: run.longest_queue,
        first_tokens: run.first_tokens,
    }
}

impl Run {
    fn advance(&mut self, until: f64) {
        while let Some((now, worker, event)) = self.agenda.next_until(until) {
            match event {
                Event::FirstToken => {
                    if let Some((placed, takes)) = self.workers[worker].first_token() {
                        if placed.request.at >= self.warm {
                            self.first_tokens.push(now - placed.request.at);
                        }
                        self.agenda
                            .add(now + takes, worker, Event::LastToken(placed));
                    }
                }
                Event::LastToken(placed) => self.workers[worker].finish(placed),
            }
            self.start(worker, now);
        }
    }

    fn start(&mut self, worker: usize, now: f64) {
        if let Some(started) = self.workers[worker].start() {
            if started.request.at >= self.warm {
                self.cached += u64::from(started.cached_tokens);
                self.asked += u64::from(started.request.prompt);
            }
            self.agenda
                .add(now + started.takes, worker, Event::FirstToken);
        }
    }
}
