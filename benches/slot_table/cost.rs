//! What a route and a change cost, beside Maglev in the same run.

use crate::maglev::{Maglev, prime_from};
use crate::names;
use clockwise::{Rendezvous, SlotTable};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Times each contender in turn, over and over, and keeps the least of each: so that another process on the machine disturbs all alike.
pub(crate) fn least<const N: usize>(
    rounds: usize,
    contenders: &mut [&mut dyn FnMut(); N],
) -> [Duration; N] {
    let mut best = [Duration::MAX; N];
    for _ in 0..rounds {
        for (best, contender) in best.iter_mut().zip(contenders.iter_mut()) {
            let start = Instant::now();
            contender();
            *best = start.elapsed().min(*best);
        }
    }
    best
}

const KEYS: usize = 1 << 15;

/// Random keys of 16 bytes, in visiting order.
fn keys() -> Vec<[u8; 16]> {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state ^ (state >> 29))
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            .to_le_bytes()
    };
    (0..KEYS)
        .map(|_| {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&next());
            key[8..].copy_from_slice(&next());
            key
        })
        .collect()
}

pub(crate) fn routes() {
    println!("route, ns a key with hashing (ratio: of the Maglev load of as many slots)");
    println!(
        "{:>7} {:>9} {:>9} {:>9} {:>7}",
        "nodes", "slots", "table", "Maglev", "ratio"
    );
    let keys = keys();
    for (n, slots) in [
        (10, 1 << 10),
        (100, 1 << 13),
        (100, 1 << 16),
        (1000, 1 << 17),
        (1000, 1 << 20),
    ] {
        let nodes = names(0, n);
        let mut table = SlotTable::builder()
            .slots(slots)
            .build()
            .expect("a power of two");
        table
            .extend_weighted((0..n as u32).map(|i| (i, 1)))
            .expect("distinct nodes");
        let maglev = Maglev::new(&nodes, prime_from(slots));
        // Both name a node and do not read it: here by its address, there by its index.
        let (mut ours, mut theirs) = (0usize, 0u32);
        let [a, b] = least(
            60,
            &mut [
                &mut || {
                    for key in &keys {
                        let node = table.route(key).expect("there are nodes");
                        ours = ours.wrapping_add(std::ptr::from_ref(node).addr());
                    }
                },
                &mut || {
                    for key in &keys {
                        theirs = theirs.wrapping_add(maglev.route(key));
                    }
                },
            ],
        );
        black_box((ours, theirs));
        let ns = |d: Duration| d.as_nanos() as f64 / KEYS as f64;
        println!(
            "{n:>7} {slots:>9} {:>9.2} {:>9.2} {:>7.2}",
            ns(a),
            ns(b),
            ns(a) / ns(b)
        );
    }
}

pub(crate) fn rendezvous() {
    println!("\nrendezvous route, ns a node after the hash");
    println!(
        "{:>7} {:>12} {:>18} {:>18}",
        "nodes", "one weight", "4 weights", "all distinct"
    );
    let tokens: Vec<_> = {
        let any: Rendezvous<u64> = Rendezvous::new();
        keys().iter().take(4096).map(|key| any.token(key)).collect()
    };
    for n in [10u32, 100, 1000] {
        let of = |weight: fn(u32) -> u32| {
            let mut nodes = Rendezvous::new();
            nodes
                .extend_weighted((0..n).map(|i| (i, weight(i))))
                .expect("distinct nodes");
            nodes
        };
        let sets = [of(|_| 1), of(|i| 1 + i % 4), of(|i| 1 + i)];
        let run = |nodes: &Rendezvous<u32>| {
            let mut sum = 0u64;
            for &token in &tokens {
                sum += u64::from(
                    *clockwise::Strategy::route_token(nodes, token).expect("there are nodes"),
                );
            }
            black_box(sum);
        };
        let [a, b, c] = least(
            12,
            &mut [&mut || run(&sets[0]), &mut || run(&sets[1]), &mut || {
                run(&sets[2]);
            }],
        );
        let ns = |d: Duration| d.as_nanos() as f64 / (tokens.len() as f64 * f64::from(n));
        println!("{n:>7} {:>12.2} {:>18.2} {:>18.2}", ns(a), ns(b), ns(c));
    }
}

pub(crate) fn changes() {
    println!(
        "\none change at 100 nodes on 65,536 slots, ms (ratio: of a Maglev rebuild of 65,537 slots)"
    );
    let mut nodes = names(0, 100);
    let build = |load_factor: Option<f64>, weight: fn(usize) -> u32| {
        let builder = SlotTable::builder();
        let builder = match load_factor {
            Some(c) => builder.load_factor(c),
            None => builder,
        };
        let mut table = builder.build().expect("a working configuration");
        table
            .extend_weighted(
                names(0, 100)
                    .into_iter()
                    .enumerate()
                    .map(|(i, node)| (node, weight(i))),
            )
            .expect("distinct nodes");
        table
    };
    println!(
        "{:<28} {:>8} {:>8} {:>8} {:>8}",
        "", "add", "remove", "Maglev", "ratio"
    );
    for (name, load_factor, weight) in [
        ("uncapped", None, (|_| 1) as fn(usize) -> u32),
        ("uncapped, weights 1 to 4", None, |i| 1 + i as u32 % 4),
        ("c = 1.05", Some(1.05), |_| 1),
        ("c = 1.02", Some(1.02), |_| 1),
        ("c = 1.00", Some(1.0), |_| 1),
        ("c = 1.00, weights 1 to 4", Some(1.0), |i| 1 + i as u32 % 4),
    ] {
        let (mut adds, mut removes) = (build(load_factor, weight), build(load_factor, weight));
        let newcomer = || String::from("newcomer");
        removes.insert(newcomer()).expect("it is new");
        nodes.truncate(100);
        nodes.push(newcomer());
        let mut best = [Duration::MAX; 3];
        for _ in 0..15 {
            let [add, remove, rebuild] = least(
                1,
                &mut [
                    &mut || adds.insert(newcomer()).expect("it is new"),
                    &mut || drop(removes.remove("newcomer")),
                    &mut || drop(black_box(Maglev::new(&nodes, 65_537))),
                ],
            );
            adds.remove("newcomer");
            removes.insert(newcomer()).expect("it is new");
            for (best, now) in best.iter_mut().zip([add, remove, rebuild]) {
                *best = now.min(*best);
            }
        }
        let [add, remove, rebuild] = best.map(|d| d.as_secs_f64() * 1e3);
        println!(
            "{name:<28} {add:>8.3} {remove:>8.3} {rebuild:>8.3} {:>8.2}",
            add.max(remove) / rebuild
        );
    }
}
