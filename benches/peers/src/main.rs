//! Other crates beside ours: a route, as a multiple of ours in the same run. Each with XXH3 where it takes a hasher, and with 160 virtual nodes where it
//! has them.
//!
//! ```text
//! cd benches/peers && cargo run --release
//! ```

#[path = "../../common/mod.rs"]
mod common;

use common::{Naive, RandomKey, address, keys, nodes, race};
use std::hint::black_box;
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3Builder;

const KEYS: usize = 1 << 16;
const CHUNK: usize = 1 << 10;
const ROUNDS: usize = 5;
const VIRTUAL_NODES: u32 = 160;
const NAMES: [&str; 7] = [
    "clockwise",
    "naive",
    "pingora-ketama 0.9 (crc32, 32-bit points)",
    "consistent_hash_ring 0.8",
    "hashring 0.3",
    "hash-rings 1.1",
    "anchorhash 0.2 (no virtual nodes, no weights)",
];

fn main() {
    let keys = keys(KEYS);
    let columns = [10, 100, 1000].map(|n| (n, measure(n, &keys)));
    print!("{:<46}", "route, as a multiple of clockwise's");
    columns
        .iter()
        .for_each(|(n, _)| print!(" {:>10}", format!("{n} nodes")));
    println!();
    for (i, name) in NAMES.iter().enumerate() {
        print!("{name:<46}");
        for (_, times) in &columns {
            print!(" {:>10.2}", times[i].as_secs_f64() / times[0].as_secs_f64());
        }
        println!();
    }
}

fn measure(n: usize, keys: &[RandomKey]) -> [Duration; NAMES.len()] {
    let mut ours = clockwise::HashRing::builder()
        .virtual_nodes(VIRTUAL_NODES)
        .build()
        .expect("valid");
    ours.extend_weighted(nodes(n).map(|node| (node, 1)))
        .expect("distinct");
    let naive = Naive::new(n, VIRTUAL_NODES);

    let buckets: Vec<_> = nodes(n)
        .map(|i| {
            let address = ([10, 0, (i >> 8) as u8, i as u8], 80);
            pingora_ketama::Bucket::new(address.into(), 1)
        })
        .collect();
    let pingora = pingora_ketama::Continuum::new(&buckets);

    let ring = consistent_hash_ring::RingBuilder::new(Xxh3Builder::new())
        .vnodes(VIRTUAL_NODES as usize)
        .nodes_iter(nodes(n))
        .build();

    let mut copies = hashring::HashRing::with_hasher(Xxh3Builder::new());
    copies.batch_add(
        nodes(n)
            .flat_map(|node| (0..VIRTUAL_NODES).map(move |i| (node, i)))
            .collect(),
    );

    let names: Vec<u64> = nodes(n).collect();
    let mut tree = hash_rings::consistent::Ring::with_hasher(Xxh3Builder::new());
    names
        .iter()
        .for_each(|node| tree.insert_node(node, VIRTUAL_NODES as usize));

    let anchor = anchorhash::Builder::with_hasher(Xxh3Builder::new())
        .with_resources(nodes(n))
        .build::<&RandomKey>(2 * n as u16);

    for key in keys {
        assert_eq!(ours.route(key), Some(naive.route(key)));
    }
    let chunk = |c: usize| &keys[c * CHUNK..(c + 1) * CHUNK];
    race(
        ROUNDS,
        KEYS / CHUNK,
        &mut [
            &mut |c| sum(chunk(c), |key| ours.route(key).map_or(0, address)),
            &mut |c| sum(chunk(c), |key| address(naive.route(key))),
            &mut |c| {
                sum(chunk(c), |key| {
                    u64::from(pingora.node(key).expect("nodes").port())
                })
            },
            &mut |c| sum(chunk(c), |key| address(ring.get(key))),
            &mut |c| sum(chunk(c), |key| copies.get(key).map_or(0, address)),
            &mut |c| sum(chunk(c), |key| address(tree.get_node(key))),
            &mut |c| sum(chunk(c), |key| anchor.get_resource(key).map_or(0, address)),
        ],
    )
}

#[inline]
fn sum(keys: &[RandomKey], answer: impl Fn(&RandomKey) -> u64) {
    black_box(
        keys.iter()
            .fold(0u64, |sum, key| sum.wrapping_add(answer(key))),
    );
}
