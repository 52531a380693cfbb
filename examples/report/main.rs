//! Writes one self-contained HTML page about a topology and a change of it: the ring, the load by node, who gives what to whom, the worst
//! single loss. No script, no font, no network; light and dark; narrow and wide.
//!
//! ```sh
//! cargo run --example report -- report.html
//! ```

use clockwise::{HashRing, Loss, Migration};
use std::collections::BTreeMap;
use std::error::Error;
use std::f64::consts::TAU;
use std::fmt::Write;

type Ring = HashRing<String>;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or("report.html".into());
    let mut old = HashRing::builder().virtual_nodes(64).build()?;
    let nodes = [
        "eu-1", "eu-2", "eu-3", "us-1", "us-2", "us-3", "ap-1", "ap-2",
    ];
    old.extend_weighted(nodes.map(|name| (name.to_string(), 1)))?;
    // The change that the page is about: one node comes, one is drained, one gets twice the weight.
    let mut new = old.clone();
    new.insert("ap-3".to_string())?;
    new.drain("us-2")?;
    new.set_weight("eu-1", 2)?;

    std::fs::write(&path, page(&old, &new)?)?;
    println!("{path}");
    Ok(())
}

fn page(old: &Ring, new: &Ring) -> Result<String, Box<dyn Error>> {
    let migration = old.diff(new)?;
    let colours = Colours::of(old, new);
    let mut losses = new.losses();
    losses.retain(|loss| loss.measure > 0);
    losses.sort_by(|a, b| b.busiest.total_cmp(&a.busiest));

    let mut html = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>What the change does</title>\
         <meta name=viewport content='width=device-width, initial-scale=1'>\
         <meta name=color-scheme content='light dark'><link rel=icon href='data:,'>\
         <style>{}</style></head><body><main><h1>What the change does</h1>",
        include_str!("page.css")
    );
    let worst = losses.first();
    let figures = [
        (percent(migration.share()), "of all keys move".to_string()),
        (
            migration.moves().len().to_string(),
            "ranges of tokens".to_string(),
        ),
        (
            format!(
                "{:.2} → {:.2}",
                old.balance().busiest(),
                new.balance().busiest()
            ),
            "load of the busiest node, relative to its due".to_string(),
        ),
        (
            worst.map_or("–".into(), |loss| format!("{:.2}", loss.busiest)),
            worst.map_or("no loss to fear".into(), |loss| {
                format!(
                    "the busiest after the worst single loss, {}",
                    escape(loss.lost[0])
                )
            }),
        ),
    ];
    html += "<section class=figures>";
    for (figure, what) in figures {
        write!(html, "<div><b>{figure}</b><span>{what}</span></div>")?;
    }
    html += "</section><div class=columns>";
    ring_section(&mut html, old, new, &migration, &colours)?;
    load_section(&mut html, old, new, &colours)?;
    flow_section(&mut html, &migration, &colours)?;
    loss_section(&mut html, &losses, &colours)?;
    html += "</div></main></body></html>\n";
    Ok(html)
}

/// Three circles: owners before (inside), owners after (outside), and between them what moves, in the colour of who takes it.
fn ring_section(
    html: &mut String,
    old: &Ring,
    new: &Ring,
    migration: &Migration<'_, String>,
    colours: &Colours,
) -> Result<(), Box<dyn Error>> {
    *html += "<section><h2>The ring</h2>\
        <p>Inside who owns the tokens now, outside who will; between them what moves, in the colour of who takes it. \
        Token 0 is at the top; clockwise.</p>\
        <svg viewBox='-110 -110 220 220' role=img aria-label='The ring before and after'>";
    let arcs = |ring: &Ring| -> Vec<(String, u64, u64)> {
        ring.arcs()
            .map(|arc| {
                (
                    arc.node.clone(),
                    arc.range.first().get(),
                    arc.range.last().get(),
                )
            })
            .collect()
    };
    let moving = migration
        .moves()
        .filter_map(|m| Some((m.to?.clone(), m.range.first().get(), m.range.last().get())));
    for (pieces, inner, outer) in [
        (arcs(old), 52.0, 70.0),
        (moving.collect(), 72.0, 84.0),
        (arcs(new), 86.0, 104.0),
    ] {
        // One path a node.
        let mut paths: BTreeMap<String, String> = BTreeMap::new();
        for (node, first, last) in pieces {
            *paths.entry(node).or_default() += &sector(first, last, inner, outer);
        }
        for (node, path) in paths {
            let (fill, name) = (colours.get(&node), escape(&node));
            write!(
                html,
                "<path fill='{fill}' d='{path}'><title>{name}</title></path>"
            )?;
        }
    }
    write!(
        html,
        "<text y=-2 class=centre>{}</text><text y=12 class=small>moves</text></svg><ul class=legend>",
        percent(migration.share())
    )?;
    for (node, colour) in &colours.0 {
        write!(
            html,
            "<li><i style='background:{colour}'></i>{}</li>",
            escape(node)
        )?;
    }
    *html += "</ul></section>";
    Ok(())
}

fn load_section(
    html: &mut String,
    old: &Ring,
    new: &Ring,
    colours: &Colours,
) -> Result<(), Box<dyn Error>> {
    *html += "<section><h2>Load by node</h2>\
        <p>Share of all keys before and after. The mark is a node's due by weight.</p>\
        <table><tr><th>node<th>weight<th class=wide>before and after<th class=number>share";
    let shares = |ring: &Ring, node: &String| ring.share(node).unwrap_or(0.0);
    let due = |ring: &Ring, node: &String| {
        let eligible = |id: &String| ring.is_drained(id) == Some(false);
        let weight = |id: &String| f64::from(ring.weight(id).unwrap_or(0));
        let total: f64 = ring.nodes().filter(|id| eligible(id)).map(weight).sum();
        if eligible(node) {
            weight(node) / total
        } else {
            0.0
        }
    };
    let all = colours.0.keys();
    let most = all
        .clone()
        .flat_map(|node| [shares(old, node), shares(new, node), due(new, node)]);
    let most = most.fold(0.0, f64::max);
    for (node, colour) in &colours.0 {
        let (before, after) = (shares(old, node), shares(new, node));
        let weight = match (new.weight(node), new.is_drained(node)) {
            (_, Some(true)) => "drained".to_string(),
            (Some(weight), _) => weight.to_string(),
            _ => "gone".to_string(),
        };
        let [a, b, mark] = [before, after, due(new, node)].map(|share| 100.0 * share / most);
        write!(
            html,
            "<tr><td>{}<td>{weight}<td class=wide><div class=bars>\
             <div style='width:{a:.2}%;background:{colour};opacity:.45'></div>\
             <div style='width:{b:.2}%;background:{colour}'></div>\
             <em style='left:{mark:.2}%'></em></div><td class=number>{} → {}",
            escape(node),
            percent(before),
            percent(after),
        )?;
    }
    *html += "</table></section>";
    Ok(())
}

/// Givers on the left, takers on the right, ribbons as thick as what moves.
fn flow_section(
    html: &mut String,
    migration: &Migration<'_, String>,
    colours: &Colours,
) -> Result<(), Box<dyn Error>> {
    const HEIGHT: f64 = 300.0;
    *html += "<section><h2>Who gives what to whom</h2>\
        <p>As thick as what moves. Point at a ribbon for its numbers.</p>";
    if migration.is_empty() {
        *html += "<p>Nothing moves.</p></section>";
        return Ok(());
    }
    let nobody = "(nobody)".to_string();
    let flows = migration.flows();
    let gap = 6.0;
    let scale = (HEIGHT - gap * 16.0) / migration.measure() as f64;
    // Where each side's nodes begin, in order of name.
    let stack = |side: &dyn Fn(usize) -> String| {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for (i, flow) in flows.iter().enumerate() {
            *sums.entry(side(i)).or_default() += flow.measure as f64 * scale;
        }
        let mut top = 4.0;
        let place = |(node, height): (String, f64)| {
            let begin = top;
            // Room for the label.
            top += height.max(7.0) + gap;
            (node, (begin, height))
        };
        sums.into_iter().map(place).collect::<BTreeMap<_, _>>()
    };
    let giver = |i: usize| flows[i].from.unwrap_or(&nobody).clone();
    let taker = |i: usize| flows[i].to.unwrap_or(&nobody).clone();
    let (givers, takers) = (stack(&giver), stack(&taker));
    let height = [&givers, &takers]
        .map(|side| {
            side.values()
                .map(|(begin, height)| begin + height)
                .fold(0.0, f64::max)
        })
        .into_iter()
        .fold(0.0, f64::max);
    write!(
        html,
        "<svg viewBox='0 0 360 {:.0}' role=img aria-label='Flows between nodes'>",
        height + 6.0
    )?;
    let mut used: [BTreeMap<String, f64>; 2] = Default::default();
    let mut order: Vec<usize> = (0..flows.len()).collect();
    order.sort_by_key(|&i| (giver(i), taker(i)));
    for i in order {
        let thick = flows[i].measure as f64 * scale;
        let mut take = |side: usize, node: String, begin: f64| {
            let used = used[side].entry(node).or_default();
            *used += thick;
            begin + *used - thick
        };
        let (from, to) = (giver(i), taker(i));
        let (y0, y1) = (
            take(0, from.clone(), givers[&from].0),
            take(1, to.clone(), takers[&to].0),
        );
        let (b0, b1) = (y0 + thick, y1 + thick);
        write!(
            html,
            "<path class=ribbon fill='{}' d='M64 {y0:.2}C180 {y0:.2} 180 {y1:.2} 296 {y1:.2}V{b1:.2}C180 {b1:.2} 180 {b0:.2} 64 {b0:.2}Z'>\
             <title>{} → {}: {} in {} ranges</title></path>",
            colours.get(&to),
            escape(&from),
            escape(&to),
            percent(share(flows[i].measure)),
            flows[i].moves
        )?;
    }
    for (side, x, text, anchor) in [(&givers, 58, 52, "end"), (&takers, 296, 308, "start")] {
        for (node, (begin, height)) in side {
            write!(
                html,
                "<rect x={x} y={begin:.2} width=6 height={height:.2} fill='{}' /><text x={text} y={:.2} text-anchor={anchor} class=label>{}</text>",
                colours.get(node),
                begin + height / 2.0 + 4.0,
                escape(node)
            )?;
        }
    }
    *html += "</svg><details><summary>As a table</summary><table><tr><th>from<th>to<th class=number>ranges<th class=number>share";
    for (i, flow) in flows.iter().enumerate() {
        let (from, to) = (giver(i), taker(i));
        let (moves, share) = (flow.moves, percent(share(flow.measure)));
        write!(
            html,
            "<tr><td>{}<td>{}<td class=number>{moves}<td class=number>{share}",
            escape(&from),
            escape(&to)
        )?;
    }
    *html += "</table></details></section>";
    Ok(())
}

fn loss_section(
    html: &mut String,
    losses: &[Loss<'_, String>],
    colours: &Colours,
) -> Result<(), Box<dyn Error>> {
    *html += "<section><h2>If one node dies</h2>\
        <p>After the change, the worst first: what the lost node had, and who would then be busiest, relative to its due.</p>\
        <table><tr><th>lost<th class=number>share<th class=wide>its heirs<th>busiest then";
    for (i, loss) in losses.iter().enumerate() {
        let class = if i == 0 { " class=worst" } else { "" };
        write!(
            html,
            "<tr{class}><td>{}<td class=number>{}<td class=wide><div class=stack>",
            escape(loss.lost[0]),
            percent(share(loss.measure))
        )?;
        for heir in &loss.heirs {
            let part = 100.0 * heir.inherits as f64 / loss.measure as f64;
            write!(
                html,
                "<div style='width:{part:.2}%;background:{}' title='{} {part:.1} %'></div>",
                colours.get(heir.node),
                escape(heir.node)
            )?;
        }
        let busiest = loss
            .busiest_node
            .map_or("nobody".into(), |node| escape(node));
        write!(html, "</div><td>{busiest} {:.2}", loss.busiest)?;
    }
    *html += "</table></section>";
    Ok(())
}

struct Colours(BTreeMap<String, String>);

impl Colours {
    /// Hues a golden angle apart, at a lightness that shows on white and on black.
    fn of(old: &Ring, new: &Ring) -> Self {
        let names: Vec<_> = old.nodes().chain(new.nodes()).cloned().collect();
        let mut colours: BTreeMap<String, String> =
            names.into_iter().map(|n| (n, String::new())).collect();
        for (i, colour) in colours.values_mut().enumerate() {
            let (hue, light) = ((205.0 + 137.5 * i as f64) % 360.0, [50, 60, 42][i % 3]);
            *colour = format!("hsl({hue:.0} 60% {light}%)");
        }
        Colours(colours)
    }

    fn get(&self, node: &String) -> &str {
        self.0.get(node).map_or("#888", String::as_str)
    }
}

/// A piece of a circle between two radii, as an SVG path; token 0 at the top.
fn sector(first: u64, last: u64, inner: f64, outer: f64) -> String {
    let angle = |token: f64| token / 2f64.powi(64) * TAU - TAU / 4.0;
    // A path cannot go all the way round to where it began.
    let (a, b) = (
        angle(first as f64),
        angle(last as f64).min(angle(first as f64) + TAU - 1e-4),
    );
    let large = u8::from(b - a > TAU / 2.0);
    let at = |angle: f64, radius: f64| {
        format!("{:.2} {:.2}", angle.cos() * radius, angle.sin() * radius)
    };
    format!(
        "M{}A{outer} {outer} 0 {large} 1 {}L{}A{inner} {inner} 0 {large} 0 {}Z",
        at(a, outer),
        at(b, outer),
        at(b, inner),
        at(a, inner)
    )
}

fn share(measure: u128) -> f64 {
    measure as f64 / 2f64.powi(64)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('\'', "&#39;").replace('"', "&quot;")
}
