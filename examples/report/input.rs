//! Lists of nodes, read from text: one node on each line, with its weight and its zone.

use super::text::{quoted, visible};
use clockwise::{ConfigError, HashRing, Key, NodeError, Zoned};
use std::collections::HashMap;
use std::sync::Arc;

/// A node is told apart by its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) zone: Zone,
}

/// The zone, or `None` in lists without zones.
pub(crate) type Zone = Option<Arc<str>>;

impl Key for Node {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

/// A ring whose copies are spread over the zones. Without zones, all nodes share one zone `None`,
/// and the copies of a key are the same as on the plain ring.
pub(crate) type Placement = Zoned<HashRing<Node>, fn(&Node) -> Zone>;

pub(crate) fn zone_of(node: &Node) -> Zone {
    node.zone.clone()
}

/// One file.
#[derive(Debug)]
pub(crate) struct List {
    /// The name of the file, for messages.
    pub(crate) source: String,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    /// The number of the line, from 1.
    pub(crate) line: usize,
    pub(crate) node: Node,
    pub(crate) weight: u32,
}

impl List {
    /// Reads a list of nodes. An error names the file and the line.
    pub(crate) fn parse(source: &str, bytes: &[u8]) -> Result<Self, String> {
        let mut list = List {
            source: visible(source),
            rows: Vec::new(),
        };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes[..error.valid_up_to()].split(|&byte| byte == b'\n');
            let line = before.count();
            list.error(line, "the text is not UTF-8")
        })?;
        // Spreadsheets begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = (1..).zip(text.lines());
        let lines = lines.filter(|(_, line)| !line.trim().is_empty());
        let lines = lines.filter(|(_, line)| !line.trim_start().starts_with('#'));

        let separators = ['\t', ',', ';'];
        let is_used = |&separator: &char| lines.clone().any(|(_, line)| line.contains(separator));
        let separator = separators.into_iter().find(is_used);
        let mut seen = HashMap::new();
        for (line, text) in lines {
            let fields = fields(text, separator).map_err(|text| list.error(line, &text))?;
            let is_header = list.rows.is_empty() && fields.len() > 1;
            if is_header && fields.iter().zip(["name", "weight", "zone"]).all(is_title) {
                continue;
            }
            let row = row(line, &fields).map_err(|text| list.error(line, &text))?;
            if let Some(first) = seen.insert(row.node.name.clone(), line) {
                let name = quoted(&row.node.name);
                let text = format!("node {name} is listed twice, first on line {first}");
                return Err(list.error(line, &text));
            }
            list.rows.push(row);
        }
        if list.rows.is_empty() {
            return Err(format!("{}: the file lists no node", list.source));
        }
        Ok(list)
    }

    fn error(&self, line: usize, text: &str) -> String {
        format!("{}:{line}: {text}", self.source)
    }

    /// Builds the ring of these nodes, with its zones.
    pub(crate) fn placement(&self, virtual_nodes: u32) -> Result<Placement, String> {
        let nodes = self.rows.iter().map(|row| (row.node.clone(), row.weight));
        let builder = HashRing::builder().virtual_nodes(virtual_nodes);
        let ring = builder.from_weighted(nodes).map_err(|error| {
            let ConfigError::Node(NodeError::TooManyPoints { max_points, .. }) = error else {
                return format!("{}: {error}", self.source);
            };
            let mut points = 0;
            let line = self.rows.iter().find_map(|row| {
                points += u128::from(row.weight) * u128::from(virtual_nodes);
                (points > max_points as u128).then_some(row.line)
            });
            let text = format!(
                "with this node the ring needs {points} points, more than its budget of \
                 {max_points}; lower the weights or --virtual-nodes (a node has {virtual_nodes} \
                 points for each unit of its weight)"
            );
            self.error(line.unwrap_or(0), &text)
        })?;
        Ok(Zoned::new(ring, zone_of))
    }
}

/// Checks that either every node has a zone or none has.
pub(crate) fn check_zones(lists: &[List; 2]) -> Result<(), String> {
    let rows = || {
        lists
            .iter()
            .flat_map(|list| list.rows.iter().map(move |row| (list, row)))
    };
    let with = rows().find(|(_, row)| row.node.zone.is_some());
    let without = rows().find(|(_, row)| row.node.zone.is_none());
    let (Some((other_list, other)), Some((list, row))) = (with, without) else {
        return Ok(());
    };
    let (name, other_name) = (quoted(&row.node.name), quoted(&other.node.name));
    let text = format!(
        "node {name} has no zone, but node {other_name} has one ({}:{}); give every node a zone \
         or none",
        other_list.source, other.line
    );
    Err(list.error(row.line, &text))
}

fn is_title((field, title): (&String, &str)) -> bool {
    field.eq_ignore_ascii_case(title)
}

/// Splits a line. Fields may be quoted as in any CSV file.
fn fields(line: &str, separator: Option<char>) -> Result<Vec<String>, String> {
    if line.matches('"').count() % 2 == 1 {
        let text = "a quotation mark is not closed; in a quoted name write it twice";
        return Err(text.into());
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .terminator(csv::Terminator::Any(b'\n'))
        .delimiter(separator.map_or(b',', |separator| separator as u8))
        .from_reader(line.as_bytes());
    let fields = reader
        .records()
        .next()
        .transpose()
        .map_err(|error| error.to_string())?;
    let fields: Vec<String> = fields.iter().flatten().map(str::to_string).collect();
    if separator.is_none() && fields[0].contains(char::is_whitespace) {
        return Err(format!(
            "{} contains a space; separate name, weight and zone with commas or tabs",
            quoted(&fields[0])
        ));
    }
    Ok(fields)
}

fn row(line: usize, fields: &[String]) -> Result<Row, String> {
    let field = |number: usize| fields.get(number).map_or("", String::as_str);
    if fields.len() > 3 {
        return Err(format!(
            "the line has {} fields, but at most 3 are read: name, weight, zone",
            fields.len()
        ));
    }
    if field(0).is_empty() {
        return Err("the name of the node is empty".into());
    }
    let weight = match field(1) {
        "" => 1,
        text => text.parse().map_err(|_| {
            let (weight, most) = (quoted(text), u32::MAX);
            format!("the weight is {weight}, but must be a whole number from 1 to {most}")
        })?,
    };
    if weight == 0 {
        return Err(format!(
            "node {} has weight 0, but weights start at 1; to remove a node leave its line out",
            quoted(field(0))
        ));
    }
    Ok(Row {
        line,
        node: Node {
            name: field(0).into(),
            zone: Some(field(2))
                .filter(|zone| !zone.is_empty())
                .map(Arc::from),
        },
        weight,
    })
}
