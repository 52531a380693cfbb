//! Places 20,000 real objects on a ring of cache nodes, with three copies each. Then a node joins
//! and another leaves, and the program prints what moved.
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
    let bytes = objects.iter().map(|object| object.bytes).sum();
    println!(
        "{} objects, {}, {COPIES} copies of each on different nodes",
        objects.len(),
        gigabytes(bytes),
    );

    let mut ring = HashRing::from_nodes((1..=12).map(|i| format!("cache-{i:02}")))?;
    println!("\n12 nodes, {} virtual nodes each:", ring.virtual_nodes());
    print_placement(&ring, &objects);

    println!("\ncache-13 joins with weight 2:");
    let before = ring.clone();
    ring.insert_weighted("cache-13".into(), 2)?;
    print_moves(&before, &ring, "cache-13", &objects);

    println!("\ncache-07 leaves:");
    let before = ring.clone();
    ring.remove("cache-07");
    print_moves(&before, &ring, "cache-07", &objects);

    println!("\nThe copies now:");
    print_placement(&ring, &objects);
    println!(
        "\ncache-13 weighs twice as much as any other node. It cannot hold twice as many copies,\n\
         because it never holds two copies of one object."
    );
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

/// Prints what each node holds, beside its ideal share of the copies.
fn print_placement(ring: &HashRing<String>, objects: &[Object]) {
    let mut held: HashMap<&str, (usize, u64)> = HashMap::new();
    for object in objects {
        for node in ring.replicas(object.path, COPIES) {
            let (count, bytes) = held.entry(node).or_default();
            *count += 1;
            *bytes += object.bytes;
        }
    }
    let copies = objects.len() * COPIES;
    println!("  node      weight   copies      bytes   share of copies   ideal share");
    for (member, ideal) in ring.members().zip(chances(ring, COPIES)) {
        let (count, bytes) = held.get(member.node.as_str()).copied().unwrap_or_default();
        println!(
            "  {:<9} {:>6} {count:>8} {:>10} {:>15.2} % {:>11.2} %",
            member.node,
            member.weight,
            gigabytes(bytes),
            percent(count, copies),
            100.0 * ideal / COPIES as f64,
        );
    }
}

/// Returns the ideal chance of each member to hold a copy of an object: each copy goes to one of
/// the nodes that are left, with a probability in proportion to weight.
fn chances(ring: &HashRing<String>, copies: usize) -> Vec<f64> {
    fn draw(left: &mut [f64], copies: usize, chance: f64, chances: &mut [f64]) {
        if copies == 0 {
            return;
        }
        let total: f64 = left.iter().sum();
        for i in 0..left.len() {
            let weight = std::mem::take(&mut left[i]);
            if weight > 0.0 {
                chances[i] += chance * weight / total;
                draw(left, copies - 1, chance * weight / total, chances);
            }
            left[i] = weight;
        }
    }
    let mut weights: Vec<f64> = ring
        .members()
        .map(|member| f64::from(member.weight))
        .collect();
    let mut chances = vec![0.0; weights.len()];
    draw(&mut weights, copies, 1.0, &mut chances);
    chances
}

/// Prints what moved when `node` joined or left: on the ring, ideally, and under `hash % nodes`.
fn print_moves(
    before: &HashRing<String>,
    after: &HashRing<String>,
    node: &str,
    objects: &[Object],
) {
    let (old_names, new_names) = (names(before), names(after));
    let (mut ring, mut modulo) = (Moves::default(), Moves::default());
    for object in objects {
        let (old, new) = (
            before.replicas(object.path, COPIES),
            after.replicas(object.path, COPIES),
        );
        ring.count(&old, &new, |held| *held == node, object.bytes);
        let token = after.token(object.path).get();
        let (old, new) = (by_modulo(&old_names, token), by_modulo(&new_names, token));
        modulo.count(&old, &new, |held| *held == node, object.bytes);
    }
    // Ideally, only what the node holds moves. It is a member of one of the two rings.
    let with = if before.contains(node) { before } else { after };
    let ideal = |copies| {
        let mut members = with.members().zip(chances(with, copies));
        members
            .find(|(member, _)| member.node == node)
            .map_or(0.0, |(_, chance)| chance / copies as f64)
    };
    let (owners, copies) = (objects.len(), objects.len() * COPIES);
    println!("                            ring       ideal   hash % nodes");
    for (what, of, ring, ideal, modulo) in [
        (
            "owners changed",
            owners,
            ring.owners,
            ideal(1),
            modulo.owners,
        ),
        (
            "copies moved",
            copies,
            ring.copies,
            ideal(COPIES),
            modulo.copies,
        ),
        (
            "moved needlessly",
            copies,
            ring.needless,
            0.0,
            modulo.needless,
        ),
    ] {
        println!(
            "  {what:<18} {:>9.2} % {:>9.2} % {:>12.2} %",
            percent(ring, of),
            100.0 * ideal,
            percent(modulo, of),
        );
    }
    let all: u64 = objects.iter().map(|object| object.bytes).sum();
    println!(
        "  {:<18} {:>11} {:>11} {:>14}",
        "bytes to copy",
        gigabytes(ring.bytes),
        gigabytes((ideal(COPIES) * (all * COPIES as u64) as f64) as u64),
        gigabytes(modulo.bytes),
    );
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

#[derive(Default)]
struct Moves {
    owners: usize,
    copies: usize,
    /// Copies that moved although the node that joined or left holds none of the object.
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

/// Returns the list of nodes for `hash % nodes`, in which each node occurs as often as it weighs.
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
