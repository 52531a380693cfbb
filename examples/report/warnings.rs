//! What to look at before the change is made.

use super::figures::{Figures, Held, ZoneLoad, worst};
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
    warnings.extend(small_zones(figures));
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
    if figures.nodes_lost.len() == 1 {
        warnings.push("There is only one node, so no other can take over if it fails.".into());
    }
    if stored < replicas {
        warnings.push(format!(
            "With {} for {replicas} copies of each key, each key has {stored} only.",
            count(stored, "node")
        ));
    }
    if figures.has_zones && replicas > 1 && zones < replicas {
        warnings.push(format!(
            "With {} for {replicas} copies of each key, some copies of a key share a zone. \
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
    if !figures.has_zones || !others {
        return Vec::new();
    }
    let lone = figures.copies.iter().filter_map(|load| {
        let held = load.held[1]?;
        let above = match held.relative() {
            above if above > FAR_ABOVE => format!(" That is {above:.1} times its fair share."),
            _ => String::new(),
        };
        is_lone(&zones[held.zone]).then(|| {
            format!(
                "Zone {} has one node, {}, which holds a copy of every key.{above} More nodes in \
                 this zone would share the copies.",
                quoted(held.zone.as_deref().unwrap_or("")),
                quoted(&load.node.name),
            )
        })
    });
    named(lone.collect(), "zones of one node")
}

/// Zones with few nodes or little weight for the copies that they hold.
fn small_zones(figures: &Figures<'_>) -> Vec<String> {
    if !figures.has_zones || figures.replicas == 1 {
        return Vec::new();
    }
    let zones = figures.zones();
    let small = zones
        .iter()
        .filter(|(_, zone)| is_small(zone) && !is_lone(zone));
    let small = small.filter_map(|(name, zone)| {
        let mut nodes = figures.copies.iter();
        let in_zone = |held: &Held<'_>| held.zone == name;
        let busiest = nodes.find_map(|load| Some((load.node, load.held[1].filter(in_zone)?)));
        busiest.map(|(node, held)| {
            format!(
                "Zone {} would hold copies of {} of the keys by its weight, but it holds {}, \
                 because copies are spread over zones first. Its busiest node, {}, has {:.2} times \
                 its fair share.",
                quoted(name.as_deref().unwrap_or("")),
                percent(zone.expected[1]),
                percent(zone.share[1]),
                quoted(&node.name),
                held.relative()
            )
        })
    });
    named(small.collect(), "zones with little weight")
}

fn is_small(zone: &ZoneLoad) -> bool {
    zone.share[1] > FAR_ABOVE * zone.expected[1]
}

/// Returns `true` if the only node of the zone holds a copy of every key.
fn is_lone(zone: &ZoneLoad) -> bool {
    zone.nodes[1] == 1 && zone.share[1] >= 1.0
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
    let zones = figures.zones();
    let copies = figures.copies.iter().filter_map(|load| {
        let held = load.held[1].filter(|held| held.relative() > FAR_ABOVE)?;
        // The nodes of a small zone have one warning together.
        (!is_small(&zones[held.zone])).then(|| {
            format!(
                "Node {} holds a copy of {} of the keys, {:.2} times its fair share.",
                quoted(&load.node.name),
                percent(held.share),
                held.relative()
            )
        })
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
