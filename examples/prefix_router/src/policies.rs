//! The policies, each a few calls of clockwise.

use crate::trace::Request;
use clockwise::load::InFlight;
use clockwise::{
    Bounded, HashRing, Key, LeastLoaded, NodeError, PowerOfTwo, RoundRobin, Strategy, Tracked,
};
use std::error::Error;

/// The load factor of the bounded rings: 1 + 2/√n for about 16 requests in flight on each worker.
const LOAD_FACTOR: f64 = 1.5;

/// The least cap: half of a worker's slots. Below it a request waits for little but the prompts
/// before it.
const MIN_CAP: u32 = 24;

/// A worker's number. It is its identity and its place in the list of workers.
#[derive(Clone)]
pub struct WorkerId(u32);

impl Key for WorkerId {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}

type Node = Tracked<WorkerId>;

pub struct Policy {
    pub name: &'static str,
    choose: Box<dyn Fn(u64) -> Option<(usize, InFlight)>>,
}

impl Policy {
    /// Returns the worker for a request, and the guard that counts the request there.
    ///
    /// # Panics
    ///
    /// Panics if there are no workers.
    pub fn choose(&self, request: &Request) -> (usize, InFlight) {
        (self.choose)(request.key()).expect("there are workers")
    }

    /// Routes, and counts the request on the node.
    fn routed(name: &'static str, strategy: impl Strategy<Node = Node> + 'static) -> Self {
        let choose = Box::new(move |key: u64| {
            let node = strategy.route_token(strategy.token_of(&key.to_be_bytes()))?;
            Some((node.0 as usize, node.begin()))
        });
        Policy { name, choose }
    }

    /// Counts the request on a node below its cap, in one step.
    fn bounded(name: &'static str, bounded: Bounded<HashRing<Node>>) -> Self {
        let choose = Box::new(move |key: u64| {
            let lease = bounded.acquire(&key.to_be_bytes())?;
            Some((lease.node().0 as usize, lease.into_in_flight()))
        });
        Policy { name, choose }
    }
}

fn nodes(workers: u32) -> impl Iterator<Item = Node> {
    (0..workers).map(|id| Tracked::new(WorkerId(id)))
}

fn ring(workers: u32) -> Result<HashRing<Node>, NodeError> {
    HashRing::from_nodes(nodes(workers))
}

/// The names of the policies, as the limits refer to them.
pub const RING: &str = "ring";
pub const BOUNDED: &str = "bounded ring";
pub const MIN_CAPPED: &str = "bounded ring, min_cap";
pub const TWO: &str = "two choices";
pub const LEAST: &str = "least loaded";
pub const TURNS: &str = "round-robin";

/// Creates every policy, each with workers of its own.
pub fn all(workers: u32, seed: u64) -> Result<Vec<Policy>, Box<dyn Error>> {
    let mut two = PowerOfTwo::with_seed(seed);
    two.extend_weighted(nodes(workers).map(|node| (node, 1)))?;
    let mut least = LeastLoaded::with_seed(seed);
    least.extend_weighted(nodes(workers).map(|node| (node, 1)))?;
    Ok(vec![
        Policy::routed(RING, ring(workers)?),
        Policy::bounded(BOUNDED, Bounded::new(ring(workers)?, LOAD_FACTOR)?),
        Policy::bounded(
            MIN_CAPPED,
            Bounded::new(ring(workers)?, LOAD_FACTOR)?.min_cap(MIN_CAP),
        ),
        Policy::routed(TWO, two),
        Policy::routed(LEAST, least),
        Policy::routed(TURNS, RoundRobin::from_nodes(nodes(workers))?),
    ])
}
