//! The arguments of the command.

use super::text::{quoted, visible};
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Writes one HTML page about a change of a cluster: the load of each node before and after, what moves
from where to where, how long that takes, and what the loss of a node or a zone would lead to.

Usage: report [OPTIONS] [BEFORE AFTER]

BEFORE and AFTER are files that list the nodes, one on each line:

    name,weight,zone

The weight is a whole number, 1 unless given. The zone is a rack, a data centre or a region. Either
every node has one or none has. Commas, tabs or semicolons separate the fields. Lines that begin
with # are comments. Without files the sample files in examples/data are used.

Options:
  --virtual-nodes N  points on the ring for each unit of weight, as in your program [default: 512]
  --replicas N       copies of each key, the first one included [default: 1, with the samples 3]
  --limit N          moves at the same time from one node, and to one node [default: 4]
  --output FILE      where to write the page [default: report.html]
  --help             prints this text
";

/// What the user asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help,
    Page(Options),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// The files that list the nodes before and after, or `None` for the samples.
    pub(crate) files: Option<[PathBuf; 2]>,
    pub(crate) virtual_nodes: u32,
    pub(crate) replicas: u32,
    pub(crate) limit: u32,
    pub(crate) output: PathBuf,
}

pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    let mut files: Vec<PathBuf> = Vec::new();
    let (mut virtual_nodes, mut replicas, mut limit) = (512, None, 4);
    let mut output = PathBuf::from("report.html");
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next().map_err(hint)? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Long("virtual-nodes") => {
                virtual_nodes = number(&mut parser, "--virtual-nodes", 1_000_000)?;
            }
            Arg::Long("replicas") => replicas = Some(number(&mut parser, "--replicas", 16)?),
            Arg::Long("limit") => limit = number(&mut parser, "--limit", 1_000_000)?,
            Arg::Long("output") => output = parser.value().map_err(hint)?.into(),
            Arg::Value(file) => files.push(file.into()),
            other => return Err(hint(other.unexpected())),
        }
    }
    let files = match files.len() {
        0 => None,
        2 => files.try_into().ok(),
        1 => {
            return Err(hint(
                "one file is given, but two are needed: the nodes before and the nodes after",
            ));
        }
        more => {
            return Err(hint(format!(
                "{more} files are given, but two are needed: the nodes before and the nodes after"
            )));
        }
    };
    Ok(Request::Page(Options {
        replicas: replicas.unwrap_or(if files.is_none() { 3 } else { 1 }),
        files,
        virtual_nodes,
        limit,
        output,
    }))
}

/// Reads the value of an option, a number from 1 to `most`.
fn number(parser: &mut Parser, option: &str, most: u32) -> Result<u32, String> {
    let value = parser.value().map_err(hint)?.string().map_err(hint)?;
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| {
        format!(
            "{option} is {}, but must be a whole number from 1 to {most}",
            quoted(&value)
        )
    })
}

/// Returns an error of the command line with a way on.
fn hint(error: impl Display) -> String {
    format!(
        "{} (--help lists the options)",
        visible(&format!("{error}"))
    )
}
