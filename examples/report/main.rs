//! Writes one HTML page about a change of a cluster: the load of each node and zone before and
//! after, what moves from where to where, how long that takes, and what the loss of a node or of a
//! zone would lead to. The page needs no script and no network.
//!
//! ```sh
//! cargo run --release --example report
//! cargo run --release --example report -- --replicas 3 --output change.html before.csv after.csv
//! cargo run --release --example report -- --help
//! ```

pub(crate) mod figures;
pub(crate) mod input;
mod options;
mod page;
pub(crate) mod text;
pub(crate) mod warnings;

use figures::Figures;
use input::List;
use options::{Options, Request};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use text::{count, percent, visible};

/// The lists that are used if the user gives none.
const SAMPLES: [(&str, &str); 2] = [
    (
        "examples/data/nodes-before.csv",
        include_str!("../data/nodes-before.csv"),
    ),
    (
        "examples/data/nodes-after.csv",
        include_str!("../data/nodes-after.csv"),
    ),
];

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(printed) => {
            // The reader of a pipe may be gone. The page is written all the same.
            let _ = std::io::stdout().write_all(printed.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Does what the arguments ask for, and returns what to print. After an error, nothing is written.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> Result<String, String> {
    let options = match options::parse(args)? {
        Request::Help => return Ok(options::HELP.into()),
        Request::Page(options) => options,
    };
    let lists = match &options.files {
        None => {
            let [before, after] = SAMPLES;
            [
                List::parse(before.0, before.1.as_bytes())?,
                List::parse(after.0, after.1.as_bytes())?,
            ]
        }
        Some([before, after]) => {
            for file in [before, after] {
                refuse_overwriting(&options.output, file)?;
            }
            [read(before)?, read(after)?]
        }
    };
    input::check_zones(&lists)?;
    let [old, new] = &lists;
    let old = old.placement(options.virtual_nodes)?;
    let new = new.placement(options.virtual_nodes)?;
    let figures = Figures::new([&old, &new], options.replicas as usize, options.limit)
        .map_err(|error| error.to_string())?;
    let warnings = warnings::warnings(&figures);
    let used = used(&options, &lists);
    let page = page::page(&figures, &warnings, &used);
    let output = visible(&options.output.display().to_string());
    fs::write(&options.output, page)
        .map_err(|error| format!("{output}: the page cannot be written: {error}"))?;

    let mut printed = String::new();
    for (what, value) in used {
        writeln!(printed, "{what:<14} {value}").expect("a String can be written to");
    }
    for warning in warnings {
        writeln!(printed, "warning: {warning}").expect("a String can be written to");
    }
    let moves = percent(figures.migration.share());
    writeln!(printed, "{moves} of the data moves; see {output}").expect("as above");
    Ok(printed)
}

/// Returns what the page is about, for the page and for the terminal.
fn used(options: &Options, lists: &[List; 2]) -> Vec<(&'static str, String)> {
    let copies = match options.replicas {
        1 => "1 copy".into(),
        more => format!("{more} copies"),
    };
    let list = |list: &List| format!("{}, {}", list.source, count(list.rows.len(), "node"));
    vec![
        ("Before", list(&lists[0])),
        ("After", list(&lists[1])),
        ("Placement", "a HashRing with the default hasher".into()),
        (
            "Virtual nodes",
            format!("{} for each unit of weight", options.virtual_nodes),
        ),
        (
            "Replicas",
            format!("{copies} of each key, the first one included"),
        ),
        (
            "Limit",
            format!(
                "at most {} at the same time from one node, and as many to one node",
                count(options.limit as usize, "move")
            ),
        ),
    ]
}

fn read(file: &Path) -> Result<List, String> {
    let name = visible(&file.display().to_string());
    let bytes =
        fs::read(file).map_err(|error| format!("{name}: the file cannot be read: {error}"))?;
    List::parse(&name, &bytes)
}

fn refuse_overwriting(output: &Path, input: &Path) -> Result<(), String> {
    match (fs::canonicalize(output), fs::canonicalize(input)) {
        (Ok(output), Ok(same)) if output == same => {
            let name = visible(&input.display().to_string());
            Err(format!(
                "{name}: --output would overwrite this list of nodes"
            ))
        }
        _ => Ok(()),
    }
}
