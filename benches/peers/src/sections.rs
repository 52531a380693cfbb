//! The sections of COMPARE.md that this program measures, each as finished Markdown.

use crate::bad::{CASES, MANY_NODES};
use crate::parent::{Missing, Process};
use crate::peers::ALL;
use std::fmt::Write;

/// Seconds that a contender has to place its nodes, and to answer a question.
const LIMIT: u64 = 4;

/// Seconds that a contender has for bad input, and for 70,000 nodes.
const BAD_LIMIT: u64 = 2;
const MANY_NODES_LIMIT: u64 = 10;

const PASSES: usize = 4;

/// The measure of the others: `HashRing`.
const OURS: usize = 0;

/// The naive ring, which is no crate: it takes no bad input, and its nodes do not leave.
const NAIVE: usize = 3;

pub struct Section {
    /// The name, as an argument and in the markers of COMPARE.md.
    pub name: &'static str,
    pub markdown: fn() -> String,
}

pub const ALL_SECTIONS: [Section; 8] = [
    Section {
        name: "alone",
        markdown: || times("alone", &[10, 100, 1000, 10_000]),
    },
    Section {
        name: "cold",
        markdown: || times("cold", &[10, 100, 1000, 10_000]),
    },
    Section {
        name: "single",
        markdown: single,
    },
    Section {
        name: "three",
        markdown: || times("three", &[100, 1000]),
    },
    Section {
        name: "changes",
        markdown: changes,
    },
    Section {
        name: "balance",
        markdown: balance,
    },
    Section {
        name: "moves",
        markdown: moves,
    },
    Section {
        name: "bad",
        markdown: bad_input,
    },
];

type Figures = Result<Vec<f64>, Missing>;

/// Asks both processes in turns, and keeps the least of each.
fn race(question: &str, ours: &mut Process, other: &mut Process) -> Result<[f64; 2], Missing> {
    let mut least = [f64::MAX; 2];
    for _ in 0..PASSES {
        for (least, process) in least.iter_mut().zip([&mut *ours, &mut *other]) {
            *least = least.min(process.ask(question, LIMIT)?[0]);
        }
    }
    Ok(least)
}

fn cell<T>(figure: Result<T, Missing>, show: impl FnOnce(T) -> String) -> String {
    figure.map_or_else(|missing| missing.to_string(), show)
}

fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 0.001 => "< 0.001".to_owned(),
        ratio if ratio < 0.095 => format!("{ratio:.3}"),
        ratio if ratio < 9.95 => format!("{ratio:.2}"),
        ratio => format!("{ratio:.0}"),
    }
}

fn nanoseconds(time: f64) -> String {
    match time {
        time if time < 1e3 => format!("{time:.0} ns"),
        time if time < 1e6 => format!("{:.1} µs", time / 1e3),
        time if time < 1e9 => format!("{:.1} ms", time / 1e6),
        time => format!("{:.1} s", time / 1e9),
    }
}

fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 1024.0 => format!("{bytes:.0} B"),
        bytes => format!("{:.1} KB", bytes / 1024.0),
    }
}

fn percent(part: f64) -> String {
    match part * 100.0 {
        0.0 => "0".to_owned(),
        percent if percent < 0.095 => format!("{percent:.3} %"),
        percent => format!("{percent:.1} %"),
    }
}

/// A table with a row for each contender. Rows without a figure are left out.
fn table(columns: &[String], rows: &[(&str, Vec<String>)]) -> String {
    let mut text = format!("| | {} |\n|---|", columns.join(" | "));
    text.push_str(&"---|".repeat(columns.len()));
    for (name, cells) in rows {
        if cells.iter().any(|cell| cell != "–") {
            // Writing to a string does not fail.
            let _ = write!(text, "\n| {name} | {} |", cells.join(" | "));
        }
    }
    text.push('\n');
    text
}

/// One contender after the other in turns with ours, and the ratio for each number of nodes.
fn times(question: &str, sizes: &[usize]) -> String {
    let mut rows: Vec<(&str, Vec<String>)> = ALL
        .iter()
        .map(|contender| (contender.name, Vec::new()))
        .collect();
    // What is too slow for some nodes is too slow for more.
    let mut given_up = vec![None; ALL.len()];
    for &nodes in sizes {
        let mut ours = Process::holding(OURS, nodes, LIMIT).expect("ours is built");
        let mut least = f64::MAX;
        for (number, row) in rows.iter_mut().enumerate().skip(1) {
            if question == "three" && !ALL[number].replicas {
                given_up[number] = Some(Missing::NotOffered);
            }
            let times = match given_up[number].clone() {
                Some(missing) => Err(missing),
                None => Process::holding(number, nodes, LIMIT)
                    .and_then(|mut other| race(question, &mut ours, &mut other)),
            };
            given_up[number] = times.as_ref().err().cloned();
            least = times.as_ref().map_or(least, |times| times[0].min(least));
            row.1.push(cell(times, |[ours, other]| ratio(other / ours)));
        }
        rows[OURS].1.push(format!("1 ({})", nanoseconds(least)));
    }
    let columns: Vec<String> = sizes.iter().map(|nodes| format!("{nodes} nodes")).collect();
    table(&columns, &rows)
}

/// Asks each contender alone, and shows its figures.
fn each(
    nodes: usize,
    left_out: Option<usize>,
    columns: &[&str],
    show: impl Fn(&mut Process) -> Result<Vec<String>, Missing>,
) -> String {
    let rows: Vec<(&str, Vec<String>)> = ALL
        .iter()
        .enumerate()
        .filter(|(number, _)| Some(*number) != left_out)
        .map(|(number, contender)| {
            let cells = Process::holding(number, nodes, LIMIT)
                .and_then(|mut process| show(&mut process))
                .unwrap_or_else(|missing| vec![missing.to_string()]);
            let mut cells = cells;
            cells.resize(columns.len(), "–".to_owned());
            (contender.name, cells)
        })
        .collect();
    let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    table(&columns, &rows)
}

fn single() -> String {
    each(1000, None, &["p50", "p99"], |process| {
        let mut least = [f64::MAX; 2];
        for _ in 0..PASSES {
            let figures = process.ask("single", LIMIT)?;
            for (least, figure) in least.iter_mut().zip(figures) {
                *least = least.min(figure);
            }
        }
        Ok(least.map(nanoseconds).into())
    })
}

fn changes() -> String {
    let mut ours = Process::holding(OURS, 1000, LIMIT).expect("ours is built");
    let mut reference = |question: &str| ours.ask(question, LIMIT).expect("ours answers")[0];
    let (our_build, our_join) = (reference("build"), reference("join"));
    let columns = [
        "build",
        "of ours",
        "one node joins",
        "of ours",
        "bytes a node",
        "peak while it joins",
    ];
    each(1000, None, &columns, |process| {
        let build: Figures = process.ask("build", LIMIT);
        let join: Figures = process.ask("join", LIMIT);
        let memory: Figures = process.ask("memory", LIMIT);
        let of = |figures: &Figures, ours: f64| {
            cell(figures.clone(), |figures| ratio(figures[0] / ours))
        };
        let time = |figures: &Figures| cell(figures.clone(), |figures| nanoseconds(figures[0]));
        let held = |place: usize| cell(memory.clone(), |memory| bytes(memory[place]));
        Ok(vec![
            time(&build),
            of(&build, our_build),
            time(&join),
            of(&join, our_join),
            held(0),
            held(1),
        ])
    })
}

fn balance() -> String {
    let columns = ["busiest", "least busy", "standard deviation"];
    each(100, None, &columns, |process| {
        let figures = process.ask("balance", 2 * LIMIT)?;
        Ok(vec![
            format!("{:.2}", figures[0]),
            format!("{:.2}", figures[1]),
            format!("{:.1} %", figures[2] * 100.0),
        ])
    })
}

fn moves() -> String {
    let columns = [
        "joins",
        "needless",
        "leaves",
        "needless",
        "doubles its weight",
        "needless",
    ];
    each(100, Some(NAIVE), &columns, |process| {
        let figures = process.ask("moves", 2 * LIMIT)?;
        Ok(figures.into_iter().map(percent).collect())
    })
}

fn bad_input() -> String {
    let mut text = String::new();
    for (number, case) in CASES.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}. {case}", number + 1);
    }
    let columns: Vec<String> = (1..=CASES.len()).map(|number| number.to_string()).collect();
    let rows: Vec<(&str, Vec<String>)> = ALL
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != NAIVE)
        .map(|(number, contender)| {
            let limit = |case| match case {
                MANY_NODES => MANY_NODES_LIMIT,
                _ => BAD_LIMIT,
            };
            let verdict = |case| match Process::verdict(number, case, limit(case)) {
                Ok(verdict) => verdict,
                Err(Missing::TooSlow(seconds)) => format!("**> {seconds} s**"),
                Err(_) => "**abort**".to_owned(),
            };
            (contender.name, (0..CASES.len()).map(verdict).collect())
        })
        .collect();
    text + "\n" + &table(&columns, &rows)
}
