//! The upstreams: who serves a request, and how the list of them changes.

use super::config::{Config, Entry, Refused};
use super::upstream::{Node, Upstream};
use clockwise::load::InFlightOf;
use clockwise::wrappers::Lease;
use clockwise::{Bounded, Filtered, HashRing, NodeError, Shared, Sticky, Strategy};
use std::sync::Arc;
use std::time::Duration;

/// Sessions keep their upstream. The others go by key, to one that is up and below its cap.
pub type Stack = Sticky<Bounded<Filtered<HashRing<Node>, fn(&Node) -> bool>>>;

/// The ring's weight of an upstream of weight 1, so that slow start can raise it in tenths.
pub const WEIGHT: u32 = 10;
/// 520 points for each such upstream, about the ring's default.
const VIRTUAL_NODES: u32 = 52;

pub struct Pool {
    pub stack: Shared<Stack>,
    audit: bool,
}

/// A place on an upstream for one request.
pub struct Place {
    pub node: Node,
    pub in_flight: InFlightOf<Node>,
    /// The request's session is bound to another upstream, which has no room.
    pub detour: bool,
}

/// A session: its identifier, and whether its first request is this one.
pub struct Session {
    pub id: String,
    pub is_new: bool,
}

/// What a new list changes.
pub struct Changes {
    pub joined: Vec<Arc<str>>,
    pub draining: Vec<Arc<str>>,
}

impl Pool {
    pub fn new(config: &Config) -> Result<Self, Refused> {
        let ring = HashRing::builder().virtual_nodes(VIRTUAL_NODES).build()?;
        let up: fn(&Node) -> bool = |node| node.state.is_up();
        // The largest factor is no limit.
        let load_factor = config.load_factor.unwrap_or(f64::MAX);
        let bounded = Bounded::new(Filtered::new(ring, up), load_factor)?.min_cap(config.min_cap);
        let (capacity, idle) = match &config.session {
            Some(session) => (session.capacity, session.idle()),
            None => (0, Duration::ZERO),
        };
        Ok(Pool {
            stack: Shared::new(Sticky::new(bounded, capacity, idle)),
            audit: config.audit,
        })
    }

    /// Reserves a place for a request on an upstream that is none of `tried`. Returns `None` if no
    /// other one is up.
    pub fn acquire(
        &self,
        key: &str,
        session: Option<&Session>,
        tried: &[Arc<str>],
    ) -> Option<Place> {
        // One snapshot for one request. It is held until the request is counted.
        let stack = self.stack.load();
        let caps = if self.audit { caps(&stack) } else { Vec::new() };
        let untried = |node: &Node| !tried.contains(&node.name);
        let lease = match session {
            Some(session) if !session.is_new => stack.acquire_where(&session.id, untried)?,
            _ => stack.strategy().acquire_where(key, untried)?,
        };
        note(&caps, &lease);
        let mut detour = false;
        if let Some(session) = session {
            if session.is_new {
                // The name is a member's, so there is no error.
                let _ = stack.bind(&session.id, &*lease.name);
            } else {
                // Offers the session's own upstream first, and binds nothing.
                let home = stack.pick(stack.token(&session.id), &mut |_| true);
                detour = home.is_some_and(|home| home.name != lease.name);
            }
        }
        let (node, in_flight) = lease.into_parts();
        Some(Place {
            node,
            in_flight,
            detour,
        })
    }

    /// Makes the entries the members. Members that have left the list are drained like those that
    /// the list drains, and stay until their requests have ended.
    pub fn follow(&self, entries: &[Entry]) -> Result<Changes, NodeError> {
        self.stack.try_update(|stack| {
            let mut list = Vec::new();
            let mut joined = Vec::new();
            for entry in entries {
                let upstream = Node::new(Upstream::new(entry));
                let mut weight = entry.weight.saturating_mul(WEIGHT);
                match stack.get(&*entry.name) {
                    // It is out of service already.
                    None if entry.drain => continue,
                    None => joined.push(Arc::clone(&upstream.name)),
                    // It may be in slow start.
                    Some(present) if present.weight == entry.weight => {
                        weight = stack.weight(&*entry.name).unwrap_or(weight);
                    }
                    Some(_) => {}
                }
                list.push((upstream, weight));
            }
            let listed = |name: &str| entries.iter().find(|entry| entry.name == name);
            for member in stack
                .members()
                .filter(|member| listed(&member.node.name).is_none())
            {
                list.push((member.node.clone(), member.weight));
            }
            // The count of requests and the state stay.
            stack.set_nodes_with(list, |present, listed| {
                present.address = listed.address;
                present.weight = listed.weight;
            })?;
            stack.undrain_where(|node| listed(&node.name).is_some_and(|entry| !entry.drain));
            let mut draining = Vec::new();
            for member in stack.members().filter(|member| !member.drained) {
                if listed(&member.node.name).is_none_or(|entry| entry.drain) {
                    draining.push(Arc::clone(&member.node.name));
                }
            }
            stack.drain_where(|node| draining.contains(&node.name));
            Ok(Changes { joined, draining })
        })
    }

    /// Returns an upstream, if it is a member.
    pub fn get(&self, name: &str) -> Option<Node> {
        self.stack.read(|stack| stack.get(name).cloned())
    }

    /// Sends no more requests to an upstream until its checks pass again. Its sessions move.
    pub fn take_down(&self, node: &Node, reason: &str) {
        node.state
            .passed
            .store(0, std::sync::atomic::Ordering::Relaxed);
        if node.state.set_up(false) {
            let sessions = self.stack.read(|stack| stack.release(&*node.name));
            println!("{} is down ({reason}), {sessions} sessions move", node.name);
        }
    }
}

/// Returns the cap of each upstream for the next request.
fn caps(stack: &Stack) -> Vec<(Arc<str>, u32)> {
    let cap = |node: &Node| stack.strategy().cap(&*node.name).unwrap_or(0);
    stack
        .nodes()
        .map(|node| (Arc::clone(&node.name), cap(node)))
        .collect()
}

/// Notes the requests in flight on the lease's upstream against the cap before it.
fn note(caps: &[(Arc<str>, u32)], lease: &Lease<'_, Node>) {
    if let Some((_, cap)) = caps.iter().find(|(name, _)| *name == lease.name) {
        lease.state.audit.note(lease.in_flight(), *cap);
    }
}
