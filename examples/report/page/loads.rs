//! What each node and each zone holds, before and after.

use super::super::figures::{Both, Figures, Held, Load};
use super::super::text::{name, percent};
use super::{axis, scale, section, table};

const LEGEND: &str = "<ul class=legend><li><i class=before></i>before<li><i class=after></i>after\
    <li><i class=fair></i>fair share after</ul>";

/// The copies that each zone holds.
pub(super) fn zones(figures: &Figures<'_>) -> String {
    if !figures.has_zones {
        return String::new();
    }
    let zones = figures.zones();
    let most = zones
        .values()
        .flat_map(|zone| [zone.share[0], zone.share[1], zone.expected[1]]);
    let most = scale(most.fold(0.0, f64::max));
    let rows = zones.iter().map(|(zone, load)| {
        let [before, after] = load.share;
        format!(
            "<tr><td>{}<td class=number>{}<td class=number>{}<td>{}<td class=number>{}",
            name(zone.as_deref().unwrap_or("")),
            change(load.nodes.map(|nodes| nodes.to_string())),
            change(load.weight.map(|weight| weight.to_string())),
            bars([before, after], load.expected[1], most),
            change([before, after].map(percent)),
        )
    });
    let about = if figures.replicas > 1 {
        "The part of all keys of which a zone holds a copy. 100 % means one copy of every key. \
         The mark shows what the zone would hold if copies were spread by weight alone."
    } else {
        "The part of all keys that the nodes of a zone own together. The mark shows what the zone \
         should hold by its weight."
    };
    let titles = format!(
        "<th>zone<th class=number>nodes<th class=number>weight<th class=wide>{}<th class=number>\
         share",
        axis(most)
    );
    section(
        "Load of each zone",
        about,
        &format!("{LEGEND}{}", table(&titles, rows)),
    )
}

/// The copies that each node holds.
pub(super) fn copies(figures: &Figures<'_>) -> String {
    if figures.replicas == 1 {
        return String::new();
    }
    let about = "The part of all keys of which a node holds a copy. The busiest node relative to \
        its weight is first.";
    section(
        "Copies on each node",
        about,
        &of_nodes(figures, &figures.copies),
    )
}

/// The keys that each node owns.
pub(super) fn owners(figures: &Figures<'_>) -> String {
    let about = if figures.replicas == 1 {
        "The part of all keys that a node owns. The busiest node relative to its weight is first."
    } else {
        "The part of all keys that a node owns, which means that it holds the first copy. It \
         decides the load if clients ask the owner first."
    };
    section(
        "Keys owned by each node",
        about,
        &of_nodes(figures, &figures.owners),
    )
}

fn of_nodes(figures: &Figures<'_>, loads: &[Load<'_>]) -> String {
    let all = loads
        .iter()
        .flat_map(|load| load.held.into_iter().flatten());
    let most = all
        .flat_map(|held| [held.share, held.expected])
        .fold(0.0, f64::max);
    let most = scale(most);
    let rows = loads.iter().map(|load| {
        let held = load.held;
        let [before, after] = held.map(|held| held.map_or(0.0, |held| held.share));
        let fair = held[1].map_or(0.0, |held| held.expected);
        let zone = |held: Held<'_>| name(held.zone.as_deref().unwrap_or(""));
        let zone = match held {
            _ if !figures.has_zones => String::new(),
            [Some(before), Some(after)] => format!("<td>{}", change([before, after].map(zone))),
            [before, after] => format!("<td>{}", after.or(before).map_or(String::new(), zone)),
        };
        let relative = match held[1].map(|held| held.relative()) {
            Some(high) if high > 1.25 => format!("<td class='number high'>▲ {high:.2}"),
            Some(relative) => format!("<td class=number>{relative:.2}"),
            None => "<td class=number>–".into(),
        };
        format!(
            "<tr><td>{}{zone}<td class=number>{}<td>{}<td class=number>{}{relative}",
            name(&load.node.name),
            change(held.map(|held| held.map_or("–".into(), |held| held.weight.to_string()))),
            bars([before, after], fair, most),
            change(held.map(|held| held.map_or("–".into(), |held| percent(held.share)))),
        )
    });
    let zone = if figures.has_zones { "<th>zone" } else { "" };
    let titles = format!(
        "<th>node{zone}<th class=number>weight<th class=wide>{}<th class=number>share\
         <th class=number>times fair share",
        axis(most)
    );
    format!("{LEGEND}{}", table(&titles, rows))
}

/// Returns the bars of one row, as parts of the widest.
fn bars([before, after]: Both<f64>, fair: f64, most: f64) -> String {
    let [before_width, after_width, mark] =
        [before, after, fair].map(|share| 100.0 * share / most.max(f64::MIN_POSITIVE));
    let mark = if fair > 0.0 {
        format!(
            "<em style='left:{mark:.2}%' title='fair share {}'></em>",
            percent(fair)
        )
    } else {
        String::new()
    };
    format!(
        "<div class=bars><div class=before style='width:{before_width:.2}%' title='before: {}'>\
         </div><div class=after style='width:{after_width:.2}%' title='after: {}'></div>\
         {mark}</div>",
        percent(before),
        percent(after)
    )
}

/// Returns "before → after", or one of them if they are equal.
fn change([before, after]: Both<String>) -> String {
    if before == after {
        after
    } else {
        format!("{before} → {after}")
    }
}
