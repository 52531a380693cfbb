//! What moves from where to where: ribbons, and the same as a table.

use super::super::figures::Figures;
use super::super::text::{escape, name, percent, short};
use super::{all, table};
use std::collections::BTreeMap;

/// The most nodes on one side of the picture.
const PICTURED: usize = 24;
/// The height of all ribbons together.
const HEIGHT: f64 = 300.0;
/// The height that a label needs, and the gap between two nodes.
const LABEL: f64 = 12.0;
const GAP: f64 = 6.0;
/// The edges of the ribbons. The labels are outside of them.
const LEFT: f64 = 170.0;
const RIGHT: f64 = 550.0;

/// A flow with names, as parts of all that is stored.
struct Flow {
    from: Option<String>,
    to: Option<String>,
    moves: usize,
    share: f64,
}

pub(super) fn section(figures: &Figures<'_>) -> String {
    let migration = &figures.migration;
    if migration.is_empty() {
        return super::section("What moves", "", "<p>Nothing moves.</p>");
    }
    let scale = migration.share() / migration.measure() as f64;
    let flows: Vec<Flow> = migration
        .flows()
        .iter()
        .map(|flow| Flow {
            from: flow.from.map(|node| node.name.clone()),
            to: flow.to.map(|node| node.name.clone()),
            moves: flow.moves,
            share: flow.measure as f64 * scale,
        })
        .collect();
    let rows = flows.iter().map(|flow| {
        format!(
            "<tr><td>{}<td>{}<td class=number>{}<td class=number>{}",
            flow.from
                .as_ref()
                .map_or("any other copy".into(), |from| name(from)),
            flow.to.as_ref().map_or("dropped".into(), |to| name(to)),
            flow.moves,
            percent(flow.share)
        )
    });
    let head = "<th>from<th>to<th class=number>moves<th class=number>share";
    let rows = table(head, rows);
    let about = format!(
        "All percentages are parts of {}. A ribbon is as thick as what moves and has the colour of \
         the node that receives it.",
        all(figures)
    );
    match picture(&flows) {
        Some(picture) => {
            let body = format!("{picture}<details><summary>As a table</summary>{rows}</details>");
            super::section("What moves from where to where", &about, &body)
        }
        None => {
            let about = format!(
                "The largest flow is first. The share is a part of {}.",
                all(figures)
            );
            super::section("What moves from where to where", &about, &rows)
        }
    }
}

/// The nodes of one side, by name: where each begins, its height, and how much of that is used.
struct Side(BTreeMap<Option<String>, [f64; 3]>);

impl Side {
    fn new<'f>(
        flows: &'f [Flow],
        end: impl Fn(&'f Flow) -> &'f Option<String>,
        scale: f64,
    ) -> Self {
        let mut side = BTreeMap::new();
        for flow in flows {
            side.entry(end(flow).clone()).or_insert([0.0; 3])[1] += flow.share * scale;
        }
        let mut top = 24.0;
        for [begin, height, _] in side.values_mut() {
            *begin = top;
            top += height.max(LABEL) + GAP;
        }
        Side(side)
    }

    fn bottom(&self) -> f64 {
        let ends = self
            .0
            .values()
            .map(|[begin, height, _]| begin + height.max(LABEL));
        ends.fold(0.0, f64::max)
    }

    /// Takes the next part of a node, and returns where it begins.
    fn take(&mut self, node: &Option<String>, height: f64) -> f64 {
        let Some([begin, _, used]) = self.0.get_mut(node) else {
            return 0.0;
        };
        *used += height;
        *begin + *used - height
    }

    /// Draws the nodes with their labels.
    fn draw(&self, [edge, label]: [f64; 2], anchor: &str, none: &str, sum: f64) -> String {
        let node = |(node, [begin, height, _]): (&Option<String>, &[f64; 3])| {
            let name = node.as_ref().map_or(none.into(), |node| cut(node));
            format!(
                "<rect x={edge} y={begin:.2} width=6 height={:.2} class=end />\
                 <text x={label} y={:.2} text-anchor={anchor}><tspan>{name}</tspan> \
                 <tspan class=soft>{}</tspan></text>",
                height.max(1.0),
                begin + height.max(LABEL) / 2.0 + 4.0,
                percent(height / HEIGHT * sum)
            )
        };
        self.0.iter().map(node).collect()
    }
}

/// Draws senders on the left, receivers on the right. Returns `None` if there are too many.
fn picture(flows: &[Flow]) -> Option<String> {
    let sum: f64 = flows.iter().map(|flow| flow.share).sum();
    let scale = HEIGHT / sum;
    let mut from = Side::new(flows, |flow| &flow.from, scale);
    let mut to = Side::new(flows, |flow| &flow.to, scale);
    if from.0.len() > PICTURED || to.0.len() > PICTURED {
        return None;
    }
    let colours: BTreeMap<Option<String>, String> =
        to.0.keys().cloned().zip((0..).map(colour)).collect();
    let mut order: Vec<&Flow> = flows.iter().collect();
    order.sort_by_key(|flow| (&flow.from, &flow.to));
    let ribbons: String = order
        .into_iter()
        .map(|flow| {
            let thick = flow.share * scale;
            let (a, b) = (from.take(&flow.from, thick), to.take(&flow.to, thick));
            let (a_end, b_end) = (a + thick, b + thick);
            let middle = f64::midpoint(LEFT, RIGHT);
            format!(
                "<path class=ribbon fill='{}' d='M{LEFT} {a:.2}C{middle} {a:.2} {middle} {b:.2} \
                 {RIGHT} {b:.2}V{b_end:.2}C{middle} {b_end:.2} {middle} {a_end:.2} {LEFT} \
                 {a_end:.2}Z'><title>{} → {}: {}, moves: {}</title></path>",
                colours[&flow.to],
                flow.from
                    .as_ref()
                    .map_or("any other copy".into(), |from| cut(from)),
                flow.to.as_ref().map_or("dropped".into(), |to| cut(to)),
                percent(flow.share),
                flow.moves
            )
        })
        .collect();
    let height = from.bottom().max(to.bottom()) + 6.0;
    Some(format!(
        "<div class=scroll><svg viewBox='0 0 740 {height:.0}' role=img aria-label='Flows from senders to receivers'>\
         <text x={} y=12 text-anchor=end class=soft>sends</text>\
         <text x={} y=12 text-anchor=start class=soft>receives</text>{ribbons}{}{}</svg></div>",
        LEFT - 12.0,
        RIGHT + 12.0,
        from.draw([LEFT - 6.0, LEFT - 12.0], "end", "any other copy", sum),
        to.draw([RIGHT, RIGHT + 12.0], "start", "dropped", sum)
    ))
}

/// Returns a label that fits beside the ribbons.
fn cut(name: &str) -> String {
    let name = short(name);
    if name.chars().count() <= 16 {
        return escape(&name);
    }
    let head: String = name.chars().take(9).collect();
    let tail: String = name.chars().skip(name.chars().count() - 6).collect();
    escape(&format!("{head}…{tail}"))
}

/// Hues a golden angle apart, at a lightness that shows on white and on black.
fn colour(number: u32) -> String {
    let hue = (205.0 + 137.5 * f64::from(number)) % 360.0;
    let light = [50, 62, 40][number as usize % 3];
    format!("hsl({hue:.0} 60% {light}%)")
}
