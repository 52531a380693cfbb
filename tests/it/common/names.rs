//! Names as they occur: of nodes and of keys.

use super::random::Rng;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// `10.3.17.254:8080`
    Addresses,
    /// `cache-7d9c6bf84-x2k9q`
    Pods,
    /// `3f2b…-…`
    Uuids,
    /// `node-17`
    Counters,
}

pub const STYLES: [Style; 4] = [Style::Addresses, Style::Pods, Style::Uuids, Style::Counters];

/// What Kubernetes builds random suffixes from: no vowels, so no words.
const POD: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// `count` distinct names of nodes.
pub fn nodes(style: Style, count: usize, random: &mut Rng) -> Vec<String> {
    let (mut seen, mut names) = (BTreeSet::new(), Vec::new());
    let first = random.below(1000);
    let deployment = letters(random, 9);
    while names.len() < count {
        let name = match style {
            Style::Addresses => {
                format!(
                    "10.{}.{}.{}:8080",
                    random.below(4),
                    random.below(256),
                    random.below(256)
                )
            }
            Style::Pods => format!("cache-{deployment}-{}", letters(random, 5)),
            Style::Uuids => uuid(random),
            Style::Counters => format!("node-{}", first + names.len()),
        };
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    names
}

/// `count` keys of several shapes.
pub fn keys(count: usize, random: &mut Rng) -> Vec<String> {
    (0..count)
        .map(|i| match i % 4 {
            0 => format!("user:{i}"),
            1 => format!("session:{}", uuid(random)),
            2 => format!("/img/{}/{}.webp", letters(random, 2), random.below(1 << 30)),
            _ => letters(random, 16),
        })
        .collect()
}

fn letters(random: &mut Rng, len: usize) -> String {
    (0..len).map(|_| char::from(*random.pick(POD))).collect()
}

fn uuid(random: &mut Rng) -> String {
    let hex = format!("{:016x}{:016x}", random.next(), random.next());
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
