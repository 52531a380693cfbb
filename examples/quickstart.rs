//! The main job: 20,000 real objects on a ring of cache nodes, three copies each; then a node joins, another leaves, and we see
//! exactly what moved.
//!
//! ```text
//! cargo run --release --example quickstart
//! ```

use clockwise::HashRing;
use std::collections::HashMap;

/// Paths and sizes of 20,000 packages of the Debian 12 archive, 32 GB.
const OBJECTS: &str = include_str!("data/debian-pool.tsv");

const COPIES: usize = 3;

struct Object {
    path: &'static str,
    bytes: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let objects = objects()?;
    let total: u64 = objects.iter().map(|object| object.bytes).sum();
    println!(
        "{} objects, {}, {COPIES} copies each, on a ring of 12 nodes with {} points each\n",
        objects.len(),
        gigabytes(total),
        HashRing::<&str>::new().virtual_nodes(),
    );

    let mut ring = HashRing::from_nodes((1..=12).map(|i| format!("cache-{i:02}")))?;
    print_placement(&ring, &objects);

    println!("\ncache-13 joins with weight 2:");
    let before = ring.clone();
    ring.insert_weighted("cache-13".into(), 2)?;
    print_moves(&before, &ring, &objects);

    println!("\ncache-07 leaves:");
    let before = ring.clone();
    ring.remove("cache-07");
    print_moves(&before, &ring, &objects);

    println!();
    print_placement(&ring, &objects);
    Ok(())
}

fn objects() -> Result<Vec<Object>, Box<dyn std::error::Error>> {
    OBJECTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (path, bytes) = line.split_once('\t').ok_or("a line without a tab")?;
            let bytes = bytes.parse()?;
            Ok(Object { path, bytes })
        })
        .collect()
}

/// What each node holds, beside its due by weight.
fn print_placement(ring: &HashRing<String>, objects: &[Object]) {
    let mut held: HashMap<&str, (usize, u64)> = HashMap::new();
    for object in objects {
        for node in ring.replicas(object.path, COPIES) {
            let (count, bytes) = held.entry(node).or_default();
            *count += 1;
            *bytes += object.bytes;
        }
    }
    let copies = (objects.len() * COPIES) as f64;
    let weights: u32 = ring.members().map(|member| member.weight).sum();
    println!("node      weight  objects      bytes     share  expected");
    for member in ring.members() {
        let (count, bytes) = held.get(member.node.as_str()).copied().unwrap_or_default();
        println!(
            "{:<9} {:>6} {count:>8} {:>10} {:>7.2} % {:>7.2} %",
            member.node,
            member.weight,
            gigabytes(bytes),
            100.0 * count as f64 / copies,
            100.0 * f64::from(member.weight) / f64::from(weights),
        );
    }
}

/// What a change moved, on the ring and under `hash(key) % nodes`.
fn print_moves(before: &HashRing<String>, after: &HashRing<String>, objects: &[Object]) {
    let (old_names, new_names) = (names(before), names(after));
    let (mut ring, mut modulo) = (Moves::default(), Moves::default());
    for object in objects {
        ring.count(
            &before.replicas(object.path, COPIES),
            &after.replicas(object.path, COPIES),
            |node| !before.contains(*node) || !after.contains(*node),
            object.bytes,
        );
        let token = after.token(object.path).get();
        modulo.count(
            &by_modulo(&old_names, token),
            &by_modulo(&new_names, token),
            |node| !before.contains(*node) || !after.contains(*node),
            object.bytes,
        );
    }
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
    let copies = objects.len() * COPIES;
    println!("                          ring   hash % nodes");
    for (what, of, count) in [
        (
            "owners changed",
            objects.len(),
            [ring.owners, modulo.owners],
        ),
        ("copies moved", copies, [ring.copies, modulo.copies]),
        ("needlessly", copies, [ring.needless, modulo.needless]),
    ] {
        let [ring, modulo] = count.map(|count| percent(count, of));
        println!("  {what:<16} {ring:>9.2} %    {modulo:>9.2} %");
    }
    let [ring, modulo] = [ring.bytes, modulo.bytes].map(gigabytes);
    println!("  bytes to copy    {ring:>11}    {modulo:>11}");
}

#[derive(Default)]
struct Moves {
    owners: usize,
    copies: usize,
    /// Copies that moved though the node that came or left has no part in it.
    needless: usize,
    bytes: u64,
}

impl Moves {
    fn count<N: PartialEq>(
        &mut self,
        old: &[N],
        new: &[N],
        changed: impl Fn(&N) -> bool,
        bytes: u64,
    ) {
        let moved = new.iter().filter(|node| !old.contains(node)).count();
        let needed = old.iter().chain(new).any(changed);
        self.owners += usize::from(old.first() != new.first());
        self.copies += moved;
        self.needless += moved.saturating_sub(usize::from(needed));
        self.bytes += moved as u64 * bytes;
    }
}

/// The nodes as a modulo hash sees them: a list, each node as often as it weighs.
fn names(ring: &HashRing<String>) -> Vec<&str> {
    ring.members()
        .flat_map(|member| vec![member.node.as_str(); member.weight as usize])
        .collect()
}

fn by_modulo<'a>(names: &[&'a str], token: u64) -> Vec<&'a str> {
    let first = (token % names.len() as u64) as usize;
    let mut nodes = Vec::new();
    for i in 0..names.len() {
        let node = names[(first + i) % names.len()];
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    nodes.truncate(COPIES);
    nodes
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.2} GB", bytes as f64 / 1e9)
}
