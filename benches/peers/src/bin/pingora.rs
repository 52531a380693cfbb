//! Compares `Nginx::pingora` with pingora-ketama, by the whole order of preference.
//!
//! Lists with coinciding points are left out: pingora-ketama sorts them with an unstable sort and
//! keeps the point of either node.
//!
//! ```text
//! cd benches/peers && cargo run --release --bin pingora
//! ```

use clockwise::compat::Nginx;
use pingora_ketama::{Bucket, Continuum};
use std::net::SocketAddr;

const KEYS: u64 = 500;

fn main() {
    let mut compared = 0;
    for nodes in [1, 2, 3, 5, 10, 40, 100, 150] {
        for variant in 0..4 {
            compared += compare(&list(nodes, variant));
        }
    }
    assert!(compared > 10_000, "only {compared} orders are compared");
    println!("{compared} orders are equal");
}

/// Draws addresses, every third of them IPv6, and weights up to 4.
fn list(nodes: u16, variant: u16) -> Vec<(SocketAddr, u32)> {
    let address = |i: u16| match i % 3 {
        0 => format!("[2001:db8:{variant:x}::{i:x}]:{}", 1000 + i),
        _ => format!("10.{variant}.{}.{}:{}", i / 200, i % 200, 65_535 - i),
    };
    let weight = |i: u16| u32::from(i * variant % 4 + 1);
    (0..nodes)
        .map(|i| (address(i).parse().expect("an address"), weight(i)))
        .collect()
}

fn compare(list: &[(SocketAddr, u32)]) -> u64 {
    let buckets: Vec<Bucket> = list.iter().map(|&(node, w)| Bucket::new(node, w)).collect();
    let theirs = Continuum::new(&buckets);
    let ours = Nginx::pingora()
        .from_weighted(
            list.iter()
                .map(|(node, weight)| (node.to_string(), *weight)),
        )
        .expect("distinct");
    let weight: u32 = list.iter().map(|node| node.1).sum();
    if ours.point_count() < 160 * weight as usize {
        return 0;
    }
    let random = (1..KEYS).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes().to_vec());
    for key in random.chain([Vec::new()]) {
        let mut order: Vec<String> = Vec::new();
        for node in theirs.node_iter(&key) {
            let text = node.to_string();
            if !order.contains(&text) {
                order.push(text);
            }
            if order.len() == list.len() {
                break;
            }
        }
        let ours: Vec<String> = ours.preference(&key).cloned().collect();
        assert_eq!(ours, order, "key {key:x?} of {} nodes", list.len());
    }
    KEYS
}
