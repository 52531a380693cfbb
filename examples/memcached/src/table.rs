//! The figures as Markdown tables.

use crate::tier::Tier;
use crate::timeline::{PHASES, Timeline};
use crate::trace::Trace;

fn row(first: &str, cells: impl Iterator<Item = String>) {
    println!("| {first} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

fn heading(first: &str, tiers: &[Tier]) {
    println!();
    row(first, tiers.iter().map(|tier| tier.name.into()));
    println!("|---|{}", "--:|".repeat(tiers.len()));
}

/// Prints the fraction of requests that hit, by second. An event is named in its second.
pub(crate) fn by_second(tiers: &[Tier], timeline: Timeline) {
    heading("second", tiers);
    let rates: Vec<_> = tiers.iter().map(|tier| tier.tally.hit_rates()).collect();
    for second in 0..timeline.seconds() {
        let starts = |phase: &usize| timeline.seconds_of(*phase).start == second;
        let event = (0..PHASES.len())
            .find(starts)
            .map_or("", |phase| PHASES[phase]);
        let first = format!("{second} {event}");
        row(
            first.trim_end(),
            rates.iter().map(|rates| format!("{:.3}", rates[second])),
        );
    }
}

/// Prints for each phase the lowest hit rate of a second, and which part of the keys that were
/// requested missed.
pub(crate) fn by_phase(tiers: &[Tier], timeline: Timeline, trace: &Trace) {
    heading("phase: lowest second, keys that missed", tiers);
    for (phase, name) in PHASES.into_iter().enumerate() {
        let distinct = trace.distinct(timeline.requests_of(phase)) as f64;
        let cell = |tier: &Tier| {
            let missed = tier.tally.missed(phase) as f64 / distinct * 100.0;
            format!("{:.3}, {missed:.1} %", tier.tally.lowest(phase))
        };
        row(name, tiers.iter().map(cell));
    }
    row(
        "errors",
        tiers.iter().map(|tier| tier.tally.errors().to_string()),
    );
}
