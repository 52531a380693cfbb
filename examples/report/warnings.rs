//! What to look at before the change is made.

use super::figures::{Figures, worst};
use super::text::{count, percent, quoted};

/// A node this far above its fair share is worth a warning.
const FAR_ABOVE: f64 = 1.25;
/// The same, for a node that takes over from a lost one.
const FAR_ABOVE_AFTER_LOSS: f64 = 1.5;
/// The most nodes or zones that one kind of warning names.
const NAMED: usize = 5;

/// Returns the warnings about the cluster after the change, the gravest first.
pub(crate) fn warnings(figures: &Figures<'_>) -> Vec<String> {
    let mut warnings = too_few(figures);
    warnings.extend(lone_nodes(figures));
    warnings.extend(overloaded(figures));
    warnings.extend(after_loss(figures));
    warnings
}

/// Fewer nodes than copies, or fewer zones.
fn too_few(figures: &Figures<'_>) -> Vec<String> {
    let replicas = figures.replicas;
    let (stored, zones) = (figures.copies_stored(1), figures.zones());
    let zones = zones.values().filter(|zone| zone.nodes[1] > 0).count();
    let mut warnings = Vec::new();
    if stored < replicas {
        warnings.push(format!(
            "There are {} for {replicas} copies of each key, so each key has {stored} only.",
            count(stored, "node")
        ));
    }
    if figures.has_zones && replicas > 1 && zones < replicas {
        warnings.push(format!(
            "There are {} for {replicas} copies of each key, so some copies of a key share a zone. \
             If that zone fails, the key loses more than one copy.",
            count(zones, "zone")
        ));
    }
    warnings
}

/// Zones whose only node holds a copy of every key.
fn lone_nodes(figures: &Figures<'_>) -> Vec<String> {
    let zones = figures.zones();
    let others = zones.values().map(|zone| zone.nodes[1]).sum::<usize>() > figures.replicas;
    if !figures.has_zones || !others || zones.len() < 2 {
        return Vec::new();
    }
    let lone = figures.copies.iter().filter_map(|load| {
        let held = load.held[1]?;
        let is_lone = zones[&load.node.zone].nodes[1] == 1 && held.share >= 1.0;
        is_lone.then(|| {
            format!(
                "Zone {} has one node, {}, which holds a copy of every key. That is {:.1} times \
                 its fair share. More nodes in this zone would share the copies.",
                quoted(load.node.zone.as_deref().unwrap_or("")),
                quoted(&load.node.name),
                held.relative()
            )
        })
    });
    named(lone.collect(), "zones of one node")
}

/// Nodes far above their fair share of the owned keys, or of the copies.
fn overloaded(figures: &Figures<'_>) -> Vec<String> {
    let owners = figures.owners.iter().filter_map(|load| {
        let held = load.held[1].filter(|held| held.relative() > FAR_ABOVE)?;
        Some(format!(
            "Node {} owns {} of the keys, {:.2} times its fair share. More virtual nodes make the \
             shares more even.",
            quoted(&load.node.name),
            percent(held.share),
            held.relative()
        ))
    });
    let mut warnings = named(owners.collect(), "nodes that own too much");
    if figures.replicas == 1 {
        return warnings;
    }
    let copies = figures.copies.iter().filter_map(|load| {
        // A node that holds every key has its own warning.
        let held = load.held[1].filter(|held| held.share < 1.0 && held.relative() > FAR_ABOVE)?;
        let why = match &load.node.zone {
            Some(zone) => format!(
                " Copies are spread over zones first and by weight second, so the nodes of a zone \
                 with little weight, here {}, hold more.",
                quoted(zone)
            ),
            None => String::new(),
        };
        Some(format!(
            "Node {} holds a copy of {} of the keys, {:.2} times its fair share.{why}",
            quoted(&load.node.name),
            percent(held.share),
            held.relative()
        ))
    });
    warnings.extend(named(copies.collect(), "nodes that hold too much"));
    warnings
}

/// A loss that overloads another node more than the cluster is now.
fn after_loss(figures: &Figures<'_>) -> Option<String> {
    let loss = worst(&figures.nodes_lost)?;
    let now = figures.copies.first()?.held[1]?.relative();
    let heir = loss.busiest_node?;
    let is_worse = loss.busiest > FAR_ABOVE_AFTER_LOSS && loss.busiest > 1.1 * now;
    is_worse.then(|| {
        format!(
            "If node {} fails, node {} has {:.2} times its fair share.",
            quoted(&loss.lost[0].name),
            quoted(&heir.name),
            loss.busiest
        )
    })
}

/// Keeps the first few warnings of a kind and counts the others.
fn named(mut warnings: Vec<String>, others: &str) -> Vec<String> {
    if warnings.len() > NAMED {
        let more = warnings.len() - NAMED;
        warnings.truncate(NAMED);
        warnings.push(format!("There are {more} more {others}."));
    }
    warnings
}
