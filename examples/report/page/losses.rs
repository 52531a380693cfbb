//! What the loss of a node or of a zone would lead to.

use super::super::figures::{Figures, heirs};
use super::super::input::Node;
use super::super::text::{count, fraction, name, percent};
use super::{section, table};
use clockwise::migration::Loss;

/// The most heirs that a row names.
const NAMED: usize = 3;

/// Losses of single nodes.
pub(super) fn nodes(figures: &Figures<'_>) -> String {
    let about = format!("{} The worst loss is first.", about(figures, "node"));
    let first = if figures.has_zones {
        "<th>lost node<th>zone"
    } else {
        "<th>lost node"
    };
    let rows = figures.nodes_lost.iter().map(|loss| {
        let zone = match &loss.lost[0].zone {
            Some(zone) => format!("<td>{}", name(zone)),
            None => String::new(),
        };
        row(&format!("<td>{}{zone}", name(&loss.lost[0].name)), loss)
    });
    section(
        "If one node fails",
        &about,
        &table(&head(figures, first), rows),
    )
}

/// Losses of whole zones.
pub(super) fn zones(figures: &Figures<'_>) -> String {
    if !figures.has_zones {
        return String::new();
    }
    let about = format!("{} The worst loss is first.", about(figures, "zone"));
    let rows = figures.zones_lost.iter().map(|loss| {
        let zone = loss.lost[0].zone.as_deref().unwrap_or("");
        let nodes = count(loss.lost.len(), "node");
        row(&format!("<td>{}<td>{nodes}", name(zone)), loss)
    });
    let first = "<th>lost zone<th>with";
    section(
        "If a whole zone fails",
        &about,
        &table(&head(figures, first), rows),
    )
}

fn about(figures: &Figures<'_>, what: &str) -> String {
    if figures.replicas > 1 {
        format!(
            "After the change: the copies that the {what} held, the nodes that receive a new copy \
             instead, and how busy the busiest node is then. 100 % means one copy of every key."
        )
    } else {
        format!(
            "After the change: the keys that the {what} owned, the nodes that take them over, and \
             how busy the busiest node is then."
        )
    }
}

fn head(figures: &Figures<'_>, first: &str) -> String {
    let held = if figures.replicas > 1 {
        "copies held"
    } else {
        "keys owned"
    };
    format!(
        "{first}<th class=number>{held}<th>taken over by<th>busiest then\
         <th class=number>times fair \
         share"
    )
}

fn row(first: &str, loss: &Loss<'_, Node>) -> String {
    let held = percent(fraction(loss.measure));
    let heirs = heirs(loss);
    let named = heirs.iter().take(NAMED);
    let mut taken: Vec<String> = named
        .map(|(node, part)| format!("{} {}", name(&node.name), percent(*part)))
        .collect();
    if heirs.len() > NAMED {
        taken.push(count(heirs.len() - NAMED, "other"));
    }
    if heirs.is_empty() {
        taken.push("no node: none is left that has no copy yet".into());
    }
    let busiest = match loss.busiest_node {
        Some(node) => format!(
            "<td>{}<td class=number>{:.2}",
            name(&node.name),
            loss.busiest
        ),
        None => "<td>no node is left<td class=number>–".into(),
    };
    format!(
        "<tr>{first}<td class=number>{held}<td class=wrap>{}{busiest}",
        taken.join(", ")
    )
}
