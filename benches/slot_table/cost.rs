//! What a route and a change cost, beside Maglev in the same run.

use crate::common::{
    CHUNK, Maglev, Table, alone, chunk, cold, nodes, populate, ratio, strings, sum,
};
use crate::names;
use clockwise::{Rendezvous, SlotTable, Token};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Passes of a race, and the chunks of a pass.
const PASSES: usize = 20;
const ALONE: usize = 32;
const COLD: usize = 16;

fn nanoseconds(time: Duration, keys: usize) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e9 / keys as f64)
}

/// The sizes of a Maglev table and of ours cannot be equal: one is a prime, the other a power of
/// two.
pub(crate) fn routes() {
    let columns = [
        "slot table",
        "Maglev",
        "ratio",
        "slot table, cold",
        "Maglev, cold",
        "ratio, cold",
    ];
    let table = Table::new("`route`, ns a key: nodes, slots", &columns);
    let keys = strings(ALONE * CHUNK);
    for (n, slots) in [
        (10, 1 << 10),
        (100, 1 << 13),
        (100, 1 << 16),
        (1000, 1 << 17),
        (1000, 1 << 20),
    ] {
        let ours: SlotTable<u64> = SlotTable::builder()
            .slots(slots)
            .from_nodes(nodes(n))
            .expect("distinct nodes");
        let maglev = Maglev::new(n, slots);
        assert_eq!(ours.route(&keys[0]), ours.preference(&keys[0]).next());
        let mut ours = |c: usize| sum(chunk(&keys, c), |key| *ours.route(key).expect("nodes"));
        let mut theirs = |c: usize| sum(chunk(&keys, c), |key| *maglev.route(key));
        let warm = alone(PASSES, ALONE, &mut [&mut ours, &mut theirs]);
        let cold = cold(PASSES / 4, COLD, &mut [&mut ours, &mut theirs]);
        let cells = |times: [Duration; 2], chunks: usize| {
            let [a, b] = times;
            let keys = chunks * CHUNK;
            [nanoseconds(a, keys), nanoseconds(b, keys), ratio(a, b)]
        };
        let cells = [cells(warm, ALONE), cells(cold, COLD)].concat();
        table.row(&format!("{n}, {slots}"), cells);
    }
}

pub(crate) fn rendezvous() {
    let columns = ["one weight", "4 weights", "all distinct"];
    let table = Table::new("`Rendezvous`, ns a node after the hash: nodes", &columns);
    let chunks = 4;
    let tokens: Vec<Token> = {
        let any: Rendezvous<u64> = Rendezvous::new();
        let keys = strings(chunks * CHUNK);
        keys.iter().map(|key| any.token(key)).collect()
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
        let run = |nodes: &Rendezvous<u32>, c: usize| {
            sum(chunk(&tokens, c), |&token| {
                let node = clockwise::Strategy::route_token(nodes, token);
                u64::from(*node.expect("there are nodes"))
            });
        };
        let times = alone(
            5,
            chunks,
            &mut [
                &mut |c| run(&sets[0], c),
                &mut |c| run(&sets[1], c),
                &mut |c| run(&sets[2], c),
            ],
        );
        let nodes = chunks * CHUNK * n as usize;
        table.row(&n.to_string(), times.map(|time| nanoseconds(time, nodes)));
    }
}

pub(crate) fn changes() {
    let columns = ["add, ms", "remove, ms", "Maglev rebuild, ms", "ratio"];
    let table = Table::new(
        "a change at 100 nodes on 65,536 slots (ratio: of a Maglev rebuild of 65,537)",
        &columns,
    );
    let mut nodes = names(0, 100);
    let build = |load_factor: Option<f64>, weight: fn(usize) -> u32| {
        let builder = SlotTable::builder();
        let builder = match load_factor {
            Some(c) => builder.load_factor(c),
            None => builder,
        };
        let mut slots = builder.build().expect("a working configuration");
        slots
            .extend_weighted(
                names(0, 100)
                    .into_iter()
                    .enumerate()
                    .map(|(i, node)| (node, weight(i))),
            )
            .expect("distinct nodes");
        slots
    };
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
        let mut round = |count: bool| {
            let times = [
                time(|| adds.insert(newcomer()).expect("it is new")),
                time(|| assert!(removes.remove("newcomer").is_some())),
                time(|| drop(black_box(populate(&nodes, 65_537)))),
            ];
            assert!(adds.remove("newcomer").is_some());
            removes.insert(newcomer()).expect("it is new");
            for (best, time) in best.iter_mut().zip(times) {
                *best = if count { time.min(*best) } else { *best };
            }
        };
        round(false);
        (0..10).for_each(|_| round(true));
        let [add, remove, rebuild] = best;
        let milliseconds = best.map(|time| format!("{:.3}", time.as_secs_f64() * 1e3));
        let ratio = ratio(add.max(remove), rebuild);
        table.row(name, milliseconds.into_iter().chain([ratio]));
    }
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
