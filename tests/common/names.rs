//! Names as they occur: of nodes and of keys.

use super::rng::Rng;
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
pub fn nodes(style: Style, count: usize, rng: &mut Rng) -> Vec<String> {
    let (mut seen, mut names) = (BTreeSet::new(), Vec::new());
    let first = rng.below(1000);
    let deployment = letters(rng, 9);
    while names.len() < count {
        let name = match style {
            Style::Addresses => {
                format!(
                    "10.{}.{}.{}:8080",
                    rng.below(4),
                    rng.below(256),
                    rng.below(256)
                )
            }
            Style::Pods => format!("cache-{deployment}-{}", letters(rng, 5)),
            Style::Uuids => uuid(rng),
            Style::Counters => format!("node-{}", first + names.len()),
        };
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    names
}

/// `count` keys of several shapes.
pub fn keys(count: usize, rng: &mut Rng) -> Vec<String> {
    (0..count)
        .map(|i| match i % 4 {
            0 => format!("user:{i}"),
            1 => format!("session:{}", uuid(rng)),
            2 => format!("/img/{}/{}.webp", letters(rng, 2), rng.below(1 << 30)),
            _ => letters(rng, 16),
        })
        .collect()
}

fn letters(rng: &mut Rng, len: usize) -> String {
    (0..len).map(|_| char::from(*rng.pick(POD))).collect()
}

fn uuid(rng: &mut Rng) -> String {
    let hex = format!("{:016x}{:016x}", rng.next(), rng.next());
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("{a}-{b}-{c}-{d}-{e}")
}
