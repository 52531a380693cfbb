//! The figures of a run, and the limits that they must hold.

use super::load::{Outcome, Sample};
use super::setup::{FALL, HEALTH_INTERVAL, HEALTH_TIMEOUT};
use super::{DRAINED, KILLED, Run};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

/// The plain ring's p99 must be at least so many times that with bounded load.
const LEAST_RATIO: f64 = 2.0;

/// Sessions may still begin on a server between the count and its drain.
const MOST_MOVED: f64 = 1.1;

/// Something that was done to a server.
pub struct Change {
    pub at: Duration,
    pub name: &'static str,
    pub what: &'static str,
    /// The sessions on it just before, of all.
    pub sessions: usize,
    pub of: usize,
}

/// The run in which servers die, return and drain.
pub struct Events {
    pub run: Run,
    /// Requests that were in flight on a dying server, and could not be done again.
    in_flight: usize,
    /// All other requests that were lost.
    beyond: Vec<String>,
    /// Sessions that moved, by the server that they left.
    moved: BTreeMap<String, usize>,
    detours: usize,
}

pub struct HotKey {
    pub plain: Run,
    pub bounded: Run,
}

impl Events {
    pub fn new(run: Run) -> Self {
        let mut events = Events {
            run,
            in_flight: 0,
            beyond: Vec::new(),
            moved: BTreeMap::new(),
            detours: 0,
        };
        for sample in &events.run.samples {
            match &sample.outcome {
                Outcome::Served { detour, moved_from } => {
                    events.detours += usize::from(*detour);
                    if let Some(from) = moved_from {
                        *events.moved.entry(from.clone()).or_default() += 1;
                    }
                }
                Outcome::Lost { on, why } => {
                    if was_on_the_dying(&events.run, sample, on.as_deref()) {
                        events.in_flight += 1;
                    } else {
                        let (at, on) = (sample.due.as_secs_f64(), on.as_deref());
                        events.beyond.push(format!("at {at:.3} s on {on:?}: {why}"));
                    }
                }
            }
        }
        events
    }
}

/// Returns `true` if the request was lost on a killed server, had begun before the checks could
/// find out, and could not be done again: it was a POST, or a part of the answer had been sent.
fn was_on_the_dying(run: &Run, sample: &Sample, on: Option<&str>) -> bool {
    let noticed = FALL * (HEALTH_INTERVAL + HEALTH_TIMEOUT);
    let killed = run
        .changes
        .iter()
        .find(|change| change.what == "killed" && Some(change.name) == on);
    killed.is_some_and(|killed| {
        let died_meanwhile = sample.due + sample.latency >= killed.at;
        let answered =
            matches!(&sample.outcome, Outcome::Lost { why, .. } if !why.starts_with("502"));
        sample.due <= killed.at + noticed && died_meanwhile && (sample.post || answered)
    })
}

/// The latencies of those requests that were served, in milliseconds.
pub fn latencies(samples: &[Sample]) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("3 digits are possible");
    for sample in samples {
        if matches!(sample.outcome, Outcome::Served { .. }) {
            let micros = u64::try_from(sample.latency.as_micros()).unwrap_or(u64::MAX);
            histogram.record(micros).expect("it resizes itself");
        }
    }
    histogram
}

fn millis(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1000.0
}

/// What was checked, and whether it holds.
struct Checks(Vec<(bool, String)>);

impl Checks {
    fn add(&mut self, holds: bool, what: String) {
        println!("{} {what}", if holds { "holds:" } else { "FAILS:" });
        self.0.push((holds, what));
    }
}

/// Prints the figures. Returns an error if one is beyond its limit.
pub fn check(events: &Events, hot_key: &HotKey) -> Result<(), Box<dyn Error>> {
    let mut checks = Checks(Vec::new());
    print_upstreams(events);
    println!();
    check_requests(&mut checks, events);
    let above = check_caps(&mut checks, events, hot_key);
    let shares = check_sessions(&mut checks, events);
    check_service(&mut checks, events);
    let ratio = check_hot_key(&mut checks, hot_key);

    let failed = checks.0.iter().filter(|(holds, _)| !holds).count();
    println!(
        "\n{} requests lost beyond the {} in flight on dying servers, {above} above a cap, {shares}, \
         p99 of a hot key {ratio:.1} times lower with bounded load",
        events.beyond.len(),
        events.in_flight
    );
    if failed > 0 {
        return Err(format!("{failed} figures are beyond their limits").into());
    }
    Ok(())
}

fn print_upstreams(events: &Events) {
    println!("\n| upstream | requests | most in flight | cap then | above its cap |");
    println!("|---|---|---|---|---|");
    for (name, row) in last_rows(&events.run) {
        let super::Row {
            served,
            highest,
            cap_then,
            above_cap,
            ..
        } = row;
        println!("| {name} | {served} | {highest} | {cap_then} | {above_cap} |");
    }
}

/// The last that was seen of each upstream.
fn last_rows(run: &Run) -> BTreeMap<&str, &super::Row> {
    let rows = run.looks.iter().flat_map(|look| &look.rows);
    rows.map(|row| (row.name.as_str(), row)).collect()
}

fn check_requests(checks: &mut Checks, events: &Events) {
    let (sent, beyond) = (events.run.samples.len(), &events.beyond);
    for lost in beyond.iter().take(10) {
        println!("lost {lost}");
    }
    let in_flight = events.in_flight;
    checks.add(
        beyond.is_empty(),
        format!(
            "{} of {sent} requests lost beyond the {in_flight} in flight on dying servers (limit 0)",
            beyond.len()
        ),
    );
}

fn check_caps(checks: &mut Checks, events: &Events, hot_key: &HotKey) -> u64 {
    let rows = [last_rows(&events.run), last_rows(&hot_key.bounded)];
    let above = rows
        .iter()
        .flat_map(BTreeMap::values)
        .map(|row| row.above_cap)
        .sum();
    checks.add(
        above == 0,
        format!("{above} requests began above their server's cap (limit 0)"),
    );
    above
}

/// Sessions move only from servers that died or were drained.
fn check_sessions(checks: &mut Checks, events: &Events) -> String {
    let leaves = |change: &&Change| change.what != "restarted";
    let of = events
        .run
        .changes
        .iter()
        .map(|change| change.of)
        .max()
        .unwrap_or(1);
    let ideal: usize = events
        .run
        .changes
        .iter()
        .filter(leaves)
        .map(|change| change.sessions)
        .sum();
    let moved: usize = events.moved.values().sum();
    let share = |n: usize| 100.0 * n as f64 / of as f64;
    let text = format!(
        "{:.0} % of the sessions moved (all on the servers that left: {:.0} %)",
        share(moved),
        share(ideal)
    );
    let left = [KILLED[0], KILLED[1], DRAINED];
    let elsewhere: usize = events
        .moved
        .iter()
        .filter(|(name, _)| !left.contains(&name.as_str()))
        .map(|(_, moved)| moved)
        .sum();
    checks.add(
        moved > 0 && moved as f64 <= MOST_MOVED * ideal as f64,
        format!("{text}: {moved} of {of}, limit {MOST_MOVED} times the {ideal}"),
    );
    checks.add(
        elsewhere == 0,
        format!("{elsewhere} sessions moved from a server in service (limit 0)"),
    );
    let (detours, sent) = (events.detours, events.run.samples.len());
    println!(
        "       {detours} of {sent} requests took a detour, as their session's server was full"
    );
    text
}

/// The file was followed, and returning servers started slowly.
fn check_service(checks: &mut Checks, events: &Events) {
    let looks = &events.run.looks;
    let all = looks.first().map_or(0, |look| look.rows.len());
    let at_end = looks.last().map_or(&[][..], |look| &look.rows);
    let is_gone = at_end.iter().all(|row| row.name != DRAINED) && at_end.len() + 1 == all;
    checks.add(
        is_gone,
        format!("{DRAINED} was drained and removed, and the others stayed"),
    );
    for name in KILLED {
        let weights: Vec<u32> = looks
            .iter()
            .flat_map(|look| &look.rows)
            .filter(|row| row.name == name && row.state == "up")
            .map(|row| row.weight)
            .collect();
        let of = |weight: Option<&u32>| weight.copied().unwrap_or(0);
        let [least, most] = [weights.iter().min(), weights.iter().max()].map(of);
        checks.add(
            least < most && of(weights.last()) == most,
            format!("{name} returned at {least} of {most} of its weight, and got all of it"),
        );
    }
}

fn check_hot_key(checks: &mut Checks, hot_key: &HotKey) -> f64 {
    let runs = [
        ("plain ring", &hot_key.plain),
        ("bounded load", &hot_key.bounded),
    ];
    println!("\n| a hot key | requests | p50, ms | p99, ms | most in flight on one server |");
    println!("|---|---|---|---|---|");
    for (name, run) in runs {
        let latencies = latencies(&run.samples);
        let [p50, p99] = [0.5, 0.99].map(|quantile| millis(&latencies, quantile));
        let most = last_rows(run)
            .values()
            .map(|row| row.highest)
            .max()
            .unwrap_or(0);
        println!(
            "| {name} | {} | {p50:.0} | {p99:.0} | {most} |",
            latencies.len()
        );
    }
    println!();
    let [plain, bounded] = runs.map(|(_, run)| millis(&latencies(&run.samples), 0.99));
    let ratio = plain / bounded.max(0.001);
    checks.add(
        ratio >= LEAST_RATIO,
        format!(
            "the plain ring's p99 is {ratio:.1} times that with bounded load (limit {LEAST_RATIO})"
        ),
    );
    let lost = |run: &Run| {
        let is_lost = |sample: &&Sample| matches!(sample.outcome, Outcome::Lost { .. });
        run.samples.iter().filter(is_lost).count()
    };
    let lost = lost(&hot_key.plain) + lost(&hot_key.bounded);
    checks.add(
        lost == 0,
        format!("{lost} requests lost while no server dies (limit 0)"),
    );
    ratio
}
