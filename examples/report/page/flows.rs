//! What moves from where to where: ribbons, and the same as a table.

use super::super::figures::Figures;
use super::super::input::Node;
use super::super::text::{escape, name, percent, short};
use super::{all, join, table};
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

/// A node that sends or receives, or what is said instead of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Node(String),
    /// Any member that stays sends a further copy.
    AnyCopy,
    /// The copy is dropped.
    Dropped,
}

impl End {
    fn of(node: Option<&Node>, otherwise: End) -> Self {
        node.map_or(otherwise, |node| End::Node(node.name.clone()))
    }

    /// Returns the name as HTML or, cut by `cut`, as a part of a picture.
    fn show(&self, cut: impl Fn(&str) -> String) -> String {
        match self {
            End::Node(name) => cut(name),
            End::AnyCopy => "any other copy".into(),
            End::Dropped => "dropped".into(),
        }
    }
}

/// A flow as a part of all that is stored.
struct Flow {
    ends: [End; 2],
    moves: usize,
    share: f64,
}

pub(super) fn section(figures: &Figures<'_>) -> String {
    let title = "What moves from where to where";
    let migration = &figures.migration;
    if migration.is_empty() {
        return super::section(title, "", "<p>Nothing moves.</p>");
    }
    let unit = migration.share() / migration.measure() as f64;
    let flows = migration.flows();
    let flows = flows.iter().map(|flow| Flow {
        ends: [
            End::of(flow.from, End::AnyCopy),
            End::of(flow.to, End::Dropped),
        ],
        moves: flow.moves,
        share: flow.measure as f64 * unit,
    });
    let flows: Vec<Flow> = flows.collect();
    let rows = flows.iter().map(|flow| {
        let [from, to] = flow.ends.each_ref().map(|end| end.show(name));
        let (moves, share) = (flow.moves, percent(flow.share));
        format!("<tr><td>{from}<td>{to}<td class=number>{moves}<td class=number>{share}")
    });
    let head = "<th>from<th>to<th class=number>moves<th class=number>share";
    let (table, all) = (table(head, rows), all(figures));
    match picture(&flows) {
        Some(picture) => {
            let about = format!(
                "All percentages are parts of {all}. A ribbon is as thick as what moves and has \
                 the colour of the node that receives it."
            );
            let body = format!("{picture}<details><summary>As a table</summary>{table}</details>");
            super::section(title, &about, &body)
        }
        None => {
            let about = format!("The largest flow is first. The share is a part of {all}.");
            super::section(title, &about, &table)
        }
    }
}

/// The ends of one side, by name: where each begins, its height, and how much of that is used.
struct Side(BTreeMap<End, [f64; 3]>);

impl Side {
    fn new(flows: &[Flow], side: usize, unit: f64) -> Self {
        let mut ends = BTreeMap::new();
        for flow in flows {
            ends.entry(flow.ends[side].clone()).or_insert([0.0; 3])[1] += flow.share * unit;
        }
        let mut top = 24.0;
        for [begin, height, _] in ends.values_mut() {
            *begin = top;
            top += height.max(LABEL) + GAP;
        }
        Side(ends)
    }

    fn bottom(&self) -> f64 {
        let ends = self.0.values();
        ends.map(|[begin, height, _]| begin + height.max(LABEL))
            .fold(0.0, f64::max)
    }

    /// Takes the next part of an end, and returns where it begins.
    fn take(&mut self, end: &End, height: f64) -> f64 {
        self.0.get_mut(end).map_or(0.0, |[begin, _, used]| {
            *used += height;
            *begin + *used - height
        })
    }

    /// Draws the ends with their labels.
    fn draw(&self, [edge, label]: [f64; 2], anchor: &str, sum: f64) -> String {
        join(self.0.iter().map(|(end, [begin, height, _])| {
            format!(
                "<rect x={edge} y={begin:.2} width=6 height={:.2} class=end />\
                 <text x={label} y={:.2} text-anchor={anchor}><tspan>{}</tspan> \
                 <tspan class=soft>{}</tspan></text>",
                height.max(1.0),
                begin + height.max(LABEL) / 2.0 + 4.0,
                end.show(cut),
                percent(height / HEIGHT * sum)
            )
        }))
    }
}

/// Draws senders on the left, receivers on the right. Returns `None` if there are too many.
fn picture(flows: &[Flow]) -> Option<String> {
    let sum: f64 = flows.iter().map(|flow| flow.share).sum();
    let mut from = Side::new(flows, 0, HEIGHT / sum);
    let mut to = Side::new(flows, 1, HEIGHT / sum);
    if from.0.len() > PICTURED || to.0.len() > PICTURED {
        return None;
    }
    let receivers = to.0.keys().cloned();
    let colours: BTreeMap<End, String> = receivers.zip((0..).map(colour)).collect();
    let mut order: Vec<&Flow> = flows.iter().collect();
    order.sort_by_key(|flow| &flow.ends);
    let ribbons = join(order.into_iter().map(|flow| {
        let thick = flow.share / sum * HEIGHT;
        let [sender, receiver] = &flow.ends;
        let (left, right) = (from.take(sender, thick), to.take(receiver, thick));
        let (left_end, right_end) = (left + thick, right + thick);
        let middle = f64::midpoint(LEFT, RIGHT);
        format!(
            "<path class=ribbon fill='{}' d='M{LEFT} {left:.2}C{middle} {left:.2} {middle} \
             {right:.2} {RIGHT} {right:.2}V{right_end:.2}C{middle} {right_end:.2} {middle} \
             {left_end:.2} {LEFT} {left_end:.2}Z'><title>{} → {}: {}, {} moves</title></path>",
            colours[receiver],
            sender.show(cut),
            receiver.show(cut),
            percent(flow.share),
            flow.moves
        )
    }));
    let height = from.bottom().max(to.bottom()) + 6.0;
    Some(format!(
        "<div class=scroll><svg viewBox='0 0 740 {height:.0}' role=img \
         aria-label='Flows from senders to receivers'>\
         <text x={} y=12 text-anchor=end class=soft>sends</text>\
         <text x={} y=12 text-anchor=start class=soft>receives</text>{ribbons}{}{}</svg></div>",
        LEFT - 12.0,
        RIGHT + 12.0,
        from.draw([LEFT - 6.0, LEFT - 12.0], "end", sum),
        to.draw([RIGHT, RIGHT + 12.0], "start", sum)
    ))
}

/// Returns a label that fits beside the ribbons.
fn cut(name: &str) -> String {
    let name = short(name);
    let count = name.chars().count();
    if count <= 16 {
        return escape(&name);
    }
    let head: String = name.chars().take(9).collect();
    let tail: String = name.chars().skip(count - 6).collect();
    escape(&format!("{head}…{tail}"))
}

/// Hues a golden angle apart, at a lightness that shows on white and on black.
fn colour(number: u32) -> String {
    let hue = (205.0 + 137.5 * f64::from(number)) % 360.0;
    let light = [50, 62, 40][number as usize % 3];
    format!("hsl({hue:.0} 60% {light}%)")
}
