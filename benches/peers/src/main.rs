//! The figures of COMPARE.md: other crates beside ours.
//!
//! ```text
//! cd benches/peers && cargo run --release                 # all sections, as Markdown
//! cd benches/peers && cargo run --release -- alone bad    # some of them
//! cd benches/peers && cargo run --release -- --write      # into COMPARE.md
//! ```
//!
//! Every contender has a process of its own, so that none warms another's caches. Those that are
//! timed take turns with ours, pass by pass, and the least pass of each counts. The profile is the
//! one that users have, without link-time optimization.

mod bad;
mod child;
#[path = "../../common/mod.rs"]
mod common;
mod facts;
mod parent;
mod peer;
mod peers;
mod sections;
mod timing;

use sections::{ALL_SECTIONS, Section};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("child", number)) = arguments.first().map(String::as_str).zip(arguments.get(1)) {
        let contender = peers::ALL.get(number.parse::<usize>()?);
        let contender = contender.ok_or("no such contender")?;
        return Ok((contender.answer)(&arguments[2..]));
    }
    let mut write = false;
    let mut names = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("write") => write = true,
            lexopt::Arg::Value(name) => names.push(name.to_string_lossy().into_owned()),
            other => return Err(other.unexpected().into()),
        }
    }
    for name in &names {
        if ALL_SECTIONS.iter().all(|section| section.name != name) {
            return Err(format!("there is no section `{name}`").into());
        }
    }
    let asked = |section: &&Section| names.is_empty() || names.iter().any(|n| n == section.name);
    for section in ALL_SECTIONS.iter().filter(asked) {
        let markdown = (section.markdown)();
        println!("## {}\n\n{markdown}", section.name);
        if write {
            replace(section.name, &markdown)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Replaces a section of COMPARE.md, which stands between two markers.
fn replace(name: &str, markdown: &str) -> Result<(), Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../COMPARE.md");
    let text = std::fs::read_to_string(&file)?;
    let begin = format!("<!-- begin {name} -->\n");
    let end = format!("<!-- end {name} -->");
    let missing = || format!("COMPARE.md has no markers for `{name}`");
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    std::fs::write(&file, format!("{before}{begin}{markdown}{end}{after}"))?;
    Ok(())
}
