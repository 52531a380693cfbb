//! The page as HTML: one file, without scripts, that needs no network.

mod flows;
mod loads;
mod losses;
mod plan;

use super::figures::{Figures, worst};
use super::text::{escape, name, percent};

/// The most rows of a table. The others are counted.
const ROWS: usize = 40;

/// Returns the whole page.
pub(crate) fn page(
    figures: &Figures<'_>,
    warnings: &[String],
    used: &[(&'static str, String)],
) -> String {
    let used = join(
        used.iter()
            .map(|(what, value)| format!("<dt>{what}<dd>{}", escape(value))),
    );
    let sections = [
        loads::zones(figures),
        loads::copies(figures),
        loads::owners(figures),
        flows::section(figures),
        plan::section(figures),
        losses::zones(figures),
        losses::nodes(figures),
        words(figures),
    ];
    format!(
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\
         <title>What the change of the cluster does</title>\
         <meta name=viewport content='width=device-width, initial-scale=1'>\
         <meta name=color-scheme content='light dark'><link rel=icon href='data:,'>\
         <style>{}</style></head>\n<body><main><h1>What the change of the cluster does</h1>\
         <dl class=used>{used}</dl>{}{}{}</main></body></html>\n",
        include_str!("page/page.css"),
        cards(figures),
        warning_list(warnings),
        sections.concat()
    )
}

fn warning_list(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return section("Warnings", "", "<p>There is nothing to warn about.");
    }
    let items = join(
        warnings
            .iter()
            .map(|warning| format!("<li>{}", escape(warning))),
    );
    let about = "They are about the cluster after the change.";
    section(
        "Warnings",
        about,
        &format!("<ul class=warnings>{items}</ul>"),
    )
}

/// The figures that matter most.
fn cards(figures: &Figures<'_>) -> String {
    let busiest = |side: usize| {
        let held = figures.copies.iter().filter_map(|load| load.held[side]);
        held.map(|held| held.relative()).fold(0.0, f64::max)
    };
    let schedule = &figures.schedule;
    let mut cards = vec![
        (
            percent(figures.migration.share()),
            format!("of {} move", all(figures)),
        ),
        (
            schedule.copies.to_string(),
            "moves, each of one range of keys from one node to another".into(),
        ),
        (
            format!("{:.2} → {:.2}", busiest(0), busiest(1)),
            "times its fair share on the busiest node, before → after".into(),
        ),
    ];
    if figures.has_zones {
        let what = "of what moves goes from one zone to another";
        cards.push((percent(figures.across_zones()), what.into()));
    }
    cards.push(match worst(&figures.nodes_lost) {
        Some(loss) => (
            format!("{:.2}", loss.busiest),
            format!(
                "times its fair share on the busiest node after the worst loss of one node, {}",
                name(&loss.lost[0].name)
            ),
        ),
        None => (
            "–".into(),
            "no other node can take over if one fails".into(),
        ),
    });
    let cards = join(
        cards
            .iter()
            .map(|(figure, what)| format!("<div><b>{figure}</b><span>{what}</span></div>")),
    );
    format!("<section class=cards>{cards}</section>")
}

/// The words that the page uses.
fn words(figures: &Figures<'_>) -> String {
    let copies = if figures.replicas > 1 {
        "<dt>Owner<dd>The node that holds the first copy of a key.\
         <dt>Copies<dd>Each key is stored on several nodes, never twice on one."
    } else {
        "<dt>Owner<dd>The node that a key belongs to."
    };
    let zones = if figures.has_zones && figures.replicas > 1 {
        "<dt>Zone<dd>Nodes that can fail together, such as a rack or a data centre. The copies of \
         a key are in different zones as long as there are enough."
    } else {
        ""
    };
    let body = format!(
        "<dl><dt>Share<dd>The part of all keys that a node holds. Keys are spread by their hash, \
         so it does not depend on how many keys there are.\
         <dt>Fair share<dd>What a node would hold if keys were spread exactly by weight. A node \
         with 1.20 times its fair share holds 20\u{a0}% more.{copies}{zones}\
         <dt>Range<dd>Keys whose hashes lie between two numbers. They move together.</dl>"
    );
    section("What the words mean", "", &body)
}

/// What all percentages of moves are parts of.
fn all(figures: &Figures<'_>) -> &'static str {
    if figures.replicas > 1 {
        "all copies"
    } else {
        "all keys"
    }
}

fn section(title: &str, about: &str, body: &str) -> String {
    let about = if about.is_empty() {
        String::new()
    } else {
        format!("<p>{about}</p>")
    };
    format!("\n<section><h2>{title}</h2>{about}{body}</section>")
}

/// Returns a table of at most [`ROWS`] rows. It scrolls by itself if it is wider than the page.
fn table(head: &str, rows: impl ExactSizeIterator<Item = String>) -> String {
    let more = match rows.len().saturating_sub(ROWS) {
        0 => String::new(),
        more => format!("<p>{more} more rows are not shown.</p>"),
    };
    let rows = join(rows.take(ROWS));
    format!(
        "<div class=scroll><table><thead><tr>{head}</thead><tbody>{rows}</tbody>\
         </table></div>{more}"
    )
}

/// Returns the end of an axis: the next round number.
fn scale(most: f64) -> f64 {
    let ten = 10f64.powf(most.max(1e-9).log10().floor());
    let ends = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    // A bar that ends at the axis may be a little longer by rounding.
    let fits = |end: &f64| end * ten * (1.0 + 1e-9) >= most;
    ten * ends.into_iter().find(fits).unwrap_or(10.0)
}

/// Returns the axis above bars: its begin, its middle and its end.
fn axis(end: f64) -> String {
    let mark = |share: f64| format!("<span>{}\u{a0}%</span>", (share * 1e6).round() / 1e4);
    format!(
        "<div class=axis>{}{}{}</div>",
        mark(0.0),
        mark(end / 2.0),
        mark(end)
    )
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().concat()
}
