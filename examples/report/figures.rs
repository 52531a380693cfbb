//! The figures of the page: loads, moves, the plan, losses.

use super::input::{Node, Placement, Zone, zone_of};
use super::text::fraction;
use clockwise::error::PlanError;
use clockwise::migration::Loss;
use clockwise::{Migration, Move};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;

/// Before the change and after it.
pub(crate) type Both<T> = [T; 2];

/// Everything that the page shows.
pub(crate) struct Figures<'a> {
    /// The number of copies that each key has, if there are enough nodes.
    pub(crate) replicas: usize,
    pub(crate) has_zones: bool,
    /// Nodes by the copies that they hold, the one furthest above its fair share first.
    pub(crate) copies: Vec<Load<'a>>,
    /// The same by the keys that they own: the first copy of each.
    pub(crate) owners: Vec<Load<'a>>,
    pub(crate) migration: Migration<'a, Node>,
    pub(crate) schedule: Schedule,
    /// Losses of single nodes and of whole zones after the change, the worst first.
    pub(crate) nodes_lost: Vec<Loss<'a, Node>>,
    pub(crate) zones_lost: Vec<Loss<'a, Node>>,
}

/// A node on both sides of the change.
pub(crate) struct Load<'a> {
    /// As it is after the change, if it is still there.
    pub(crate) node: &'a Node,
    /// `None` where the node is not a member.
    pub(crate) held: Both<Option<Held<'a>>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Held<'a> {
    pub(crate) zone: &'a Zone,
    pub(crate) weight: u32,
    /// The fraction of all keys that it holds, 0 to 1.
    pub(crate) share: f64,
    /// The fraction that it should hold by its weight.
    pub(crate) expected: f64,
}

impl Held<'_> {
    /// Returns the share relative to the fair one.
    pub(crate) fn relative(&self) -> f64 {
        if self.expected > 0.0 {
            self.share / self.expected
        } else {
            1.0
        }
    }
}

/// The nodes of a zone together.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct ZoneLoad {
    pub(crate) nodes: Both<usize>,
    pub(crate) weight: Both<u64>,
    pub(crate) share: Both<f64>,
    /// The fraction of all keys that it would hold by weight alone. More than 1 is more than one
    /// copy of every key.
    pub(crate) expected: Both<f64>,
}

/// What the queue of the plan does if each copy takes as long as its range is large.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) limit: u32,
    /// Moves that copy something.
    pub(crate) copies: usize,
    /// The greatest number of moves under way at the same time.
    pub(crate) most_under_way: usize,
    /// How long the plan takes. The unit is the time in which one move could copy every key once.
    pub(crate) makespan: f64,
    /// How long the same moves take one after another.
    pub(crate) one_by_one: f64,
    /// No order of the moves can be faster than this.
    pub(crate) bound: f64,
}

impl<'a> Figures<'a> {
    pub(crate) fn new(
        [old, new]: Both<&'a Placement>,
        replicas: usize,
        limit: u32,
    ) -> Result<Self, Box<dyn Error>> {
        let (ring, new_ring) = (old.strategy(), new.strategy());
        let migration = ring.diff_replicas_across(new_ring, replicas, zone_of)?;
        let mut nodes_lost = new.losses_of(replicas);
        let mut zones_lost = new.losses_of_zones(replicas);
        let copies = loads([old, new], replicas);
        let owners = loads([old, new], 1);
        for losses in [&mut nodes_lost, &mut zones_lost] {
            losses.sort_by(|a, b| b.busiest.total_cmp(&a.busiest));
        }
        Ok(Figures {
            replicas,
            has_zones: new_ring.nodes().any(|node| node.zone.is_some()),
            copies,
            owners,
            schedule: schedule(&migration, limit)?,
            migration,
            nodes_lost,
            zones_lost,
        })
    }

    /// Returns the zones by name.
    pub(crate) fn zones(&self) -> BTreeMap<Zone, ZoneLoad> {
        let mut zones: BTreeMap<Zone, ZoneLoad> = BTreeMap::new();
        for load in &self.copies {
            for (side, held) in load.held.iter().enumerate() {
                let Some(held) = held else { continue };
                let zone = zones.entry(held.zone.clone()).or_default();
                zone.nodes[side] += 1;
                zone.weight[side] += u64::from(held.weight);
                zone.share[side] += held.share;
            }
        }
        for side in [0, 1] {
            let weight: u64 = zones.values().map(|zone| zone.weight[side]).sum();
            let of_weight = self.copies_stored(side) as f64 / weight.max(1) as f64;
            for zone in zones.values_mut() {
                zone.expected[side] = of_weight * zone.weight[side] as f64;
            }
        }
        zones
    }

    /// Returns the fraction of what moves that goes from one zone to another.
    pub(crate) fn across_zones(&self) -> f64 {
        let flows = self.migration.flows();
        let crosses = flows.iter().filter(|flow| match (flow.from, flow.to) {
            (Some(from), Some(to)) => from.zone != to.zone,
            _ => false,
        });
        let measure: u128 = crosses.map(|flow| flow.measure).sum();
        measure as f64 / self.migration.measure().max(1) as f64
    }

    /// Returns the copies of each key that there are in fact, 0 to `replicas`.
    pub(crate) fn copies_stored(&self, side: usize) -> usize {
        let nodes = self.copies.iter().filter(|load| load.held[side].is_some());
        nodes.count().min(self.replicas)
    }
}

/// Returns what each node of either side holds with `n` copies of each key.
fn loads<'a>(sides: Both<&'a Placement>, n: usize) -> Vec<Load<'a>> {
    let mut loads: BTreeMap<&str, Load<'a>> = BTreeMap::new();
    for (side, placement) in sides.into_iter().enumerate() {
        // A balance names its nodes in a form that is cut, so it only says what a weight is due.
        let balance = placement.balance_of(n);
        let rows = balance.nodes().iter();
        let expected: HashMap<u32, f64> = rows.map(|row| (row.weight, row.expected)).collect();
        for loss in placement.losses_of(n) {
            let node = loss.lost[0];
            let weight = placement.weight(node).unwrap_or(1);
            let load = loads.entry(&node.name).or_insert(Load {
                node,
                held: [None; 2],
            });
            load.node = node;
            load.held[side] = Some(Held {
                zone: &node.zone,
                weight,
                share: fraction(loss.measure),
                expected: expected[&weight],
            });
        }
    }
    let mut loads: Vec<Load<'_>> = loads.into_values().collect();
    let relative = |load: &Load<'_>| load.held[1].map_or(-1.0, |held| held.relative());
    loads.sort_by(|a, b| relative(b).total_cmp(&relative(a)));
    loads
}

/// Runs the queue.
fn schedule(migration: &Migration<'_, Node>, limit: u32) -> Result<Schedule, PlanError> {
    let mut plan = migration.plan(limit)?;
    let copies = plan.remaining();
    // By the time of its end, and by number.
    let mut under_way: BTreeMap<(u128, usize), Move<Node>> = BTreeMap::new();
    let (mut now, mut started, mut most_under_way) = (0, 0, 0);
    loop {
        while let Some(step) = plan.start() {
            under_way.insert((now + step.range.len(), started), step);
            started += 1;
        }
        most_under_way = most_under_way.max(plan.in_flight());
        let Some(((end, _), step)) = under_way.pop_first() else {
            break;
        };
        now = end;
        plan.complete(&step);
    }

    let (mut gives, mut takes) = (HashMap::new(), HashMap::new());
    let (mut sum, mut bound) = (0, 0);
    for step in migration.moves() {
        let (Some(to), len) = (step.to, step.range.len()) else {
            continue;
        };
        sum += len;
        bound = bound.max(len);
        *takes.entry(&to.name).or_insert(0) += len;
        if let Some(from) = step.from {
            *gives.entry(&from.name).or_insert(0) += len;
        }
    }
    let busiest = gives.values().chain(takes.values()).max();
    bound = bound.max(busiest.map_or(0, |busiest| busiest.div_ceil(u128::from(limit))));
    Ok(Schedule {
        limit,
        copies,
        most_under_way,
        makespan: fraction(now),
        one_by_one: fraction(sum),
        bound: fraction(bound),
    })
}

/// Returns the worst of these losses that leaves a node. They are sorted.
pub(crate) fn worst<'l, 'a>(losses: &'l [Loss<'a, Node>]) -> Option<&'l Loss<'a, Node>> {
    losses
        .iter()
        .find(|loss| loss.measure > 0 && loss.busiest_node.is_some())
}

/// Returns the heirs of a loss, the largest first, each with its fraction of what is inherited.
pub(crate) fn heirs<'a>(loss: &Loss<'a, Node>) -> Vec<(&'a Node, f64)> {
    let sum: u128 = loss.heirs.iter().map(|heir| heir.inherits).sum();
    let part = |inherits: u128| inherits as f64 / sum.max(1) as f64;
    let mut heirs: Vec<_> = loss
        .heirs
        .iter()
        .map(|heir| (heir.node, heir.inherits))
        .collect();
    heirs.sort_by_key(|&(_, inherits)| Reverse(inherits));
    heirs
        .into_iter()
        .map(|(node, inherits)| (node, part(inherits)))
        .collect()
}
