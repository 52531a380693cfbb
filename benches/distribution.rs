//! How evenly a ring spreads: every hasher × virtual nodes × nodes, beside the theory, and the
//! README's picture of it.
//!
//! ```text
//! cargo bench --bench distribution                         # draws docs/distribution.svg anew
//! cargo bench --bench distribution -- --picture FILE       # draws FILE instead
//! ```

mod common;

use clockwise::{Balance, HashRing, KeyHasher, Mixed, SipHash13, Xxh3};
use common::{Picture, Table, report};
use plotters::prelude::*;
use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;

const NODES: [usize; 4] = [3, 10, 100, 1000];
const VIRTUAL_NODES: [u32; 4] = [40, 160, 512, 1024];
/// Sets of node names that each figure is the mean of.
const SETS: usize = 5;

fn main() -> ExitCode {
    report(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let picture = Picture::open("distribution.svg")?;
    let keys = keys();
    println!(
        "Loads relative to a node's fair share: means of {SETS} sets of node names. The keys are {} \
         realistic ones\n(paths, addresses, pods, UUIDs, counters); the other figures are exact, over \
         all tokens.",
        keys.len()
    );
    let columns = [
        "busiest", "theory", "least", "theory", "std dev", "theory", "of keys", "theory",
    ];
    let table = Table::new("hasher, nodes, virtual nodes", &columns);
    let mut measured = Vec::new();
    for nodes in NODES {
        for virtual_nodes in VIRTUAL_NODES {
            let rows = [
                ("Xxh3", spread(Xxh3::new(), nodes, virtual_nodes, &keys)),
                (
                    "SipHash13",
                    spread(SipHash13::new([7; 16]), nodes, virtual_nodes, &keys),
                ),
                (
                    "Mixed FNV-1a",
                    spread(Mixed::from_fn(fnv1a), nodes, virtual_nodes, &keys),
                ),
                (
                    "Mixed Fx",
                    spread(Mixed::from_fn(fx), nodes, virtual_nodes, &keys),
                ),
                (
                    "Mixed CRC-32",
                    spread(Mixed::from_fn(crc32), nodes, virtual_nodes, &keys),
                ),
            ];
            let theory = Balance::forecast(nodes, virtual_nodes);
            // Keys are drawn at random on top of it: their number on a node varies by its own root.
            let of_keys = (theory.std_dev.powi(2) + nodes as f64 / keys.len() as f64).sqrt();
            for (name, spread) in rows {
                let share = |value: f64| format!("{value:.3}");
                let deviation = |value: f64| format!("{value:.4}");
                table.row(
                    &format!("{name}, {nodes}, {virtual_nodes}"),
                    [
                        share(spread.busiest),
                        share(theory.busiest),
                        share(spread.least),
                        share(theory.least),
                        deviation(spread.std_dev),
                        deviation(theory.std_dev),
                        deviation(spread.of_keys),
                        deviation(of_keys),
                    ],
                );
                measured.push((nodes, virtual_nodes, spread.busiest));
            }
        }
    }
    picture.write(&draw(&measured)?)
}

struct Spread {
    busiest: f64,
    least: f64,
    std_dev: f64,
    of_keys: f64,
}

fn spread<H: KeyHasher + Copy>(
    hasher: H,
    nodes: usize,
    virtual_nodes: u32,
    keys: &[String],
) -> Spread {
    let mut mean = Spread {
        busiest: 0.0,
        least: 0.0,
        std_dev: 0.0,
        of_keys: 0.0,
    };
    for set in 0..SETS {
        let mut ring = HashRing::builder()
            .virtual_nodes(virtual_nodes)
            .hasher(hasher)
            .build()
            .expect("a valid configuration");
        ring.extend_weighted((0..nodes).map(|i| (name(set, i), 1)))
            .expect("distinct names");
        let balance = ring.balance();
        let part = 1.0 / SETS as f64;
        mean.busiest += balance.busiest() * part;
        mean.least += balance.least() * part;
        mean.std_dev += balance.std_dev() * part;
        let mut counts: HashMap<&str, u32> = ring.nodes().map(|node| (node.as_str(), 0)).collect();
        for key in keys {
            let owner = ring.route(key).expect("the ring has nodes");
            *counts.entry(owner).or_default() += 1;
        }
        let due = keys.len() as f64 / nodes as f64;
        let squares = counts
            .values()
            .map(|&count| (f64::from(count) / due - 1.0).powi(2));
        mean.of_keys += (squares.sum::<f64>() / nodes as f64).sqrt() * part;
    }
    mean
}

/// Node names as they are: addresses, pods, counters.
fn name(set: usize, i: usize) -> String {
    match set % 3 {
        0 => format!("10.{set}.{}.{}:6379", i / 250, i % 250),
        1 => format!("cache-{set}-{i}.cache.default.svc.cluster.local"),
        _ => format!("node-{set}-{i:04}"),
    }
}

fn keys() -> Vec<String> {
    let paths = include_str!("../examples/data/debian-pool.tsv");
    let paths = paths.lines().filter(|line| !line.starts_with('#'));
    let mut keys: Vec<String> = paths
        .filter_map(|line| line.split_once('\t'))
        .map(|(path, _)| path.to_owned())
        .collect();
    for i in 0..45_000u64 {
        let random = Xxh3::with_seed(1).hash_bytes(&i.to_le_bytes());
        let more = Xxh3::with_seed(2).hash_bytes(&i.to_le_bytes());
        keys.push(format!("user:{i}"));
        keys.push(format!("192.168.{}.{}:{}", i / 250, i % 250, 1024 + i));
        keys.push(format!(
            "web-{:08x}-{:05x}",
            random as u32,
            more as u32 >> 12
        ));
        keys.push(format!("{random:016x}-{more:016x}"));
    }
    keys
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The multiply-rotate hash of the Rust compiler's early years, a byte at a time.
fn fx(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0u64, |h, &b| {
        (h.rotate_left(5) ^ u64::from(b)).wrapping_mul(0x517c_c1b7_2722_0a95)
    })
}

fn crc32(bytes: &[u8]) -> u64 {
    let crc = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    u64::from(!crc)
}

/// The busiest node by virtual nodes: lines of theory, a dot for each hasher.
fn draw(measured: &[(usize, u32, f64)]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (760, 460)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "Busiest node by virtual nodes (lines: theory, dots: measured)",
            ("sans-serif", 20),
        )
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d((30f64..1500f64).log_scale(), 1.0..1.7)?;
    chart
        .configure_mesh()
        .x_labels(4)
        .x_desc("virtual nodes (log scale)")
        .y_desc("busiest / mean")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .light_line_style(WHITE)
        .draw()?;
    for (i, nodes) in NODES.into_iter().enumerate() {
        let color = Palette99::pick(i).to_rgba();
        let line = (30..=1500)
            .step_by(10)
            .map(|v| (f64::from(v), Balance::forecast(nodes, v as u32).busiest));
        chart
            .draw_series(LineSeries::new(line, color.stroke_width(2)))?
            .label(format!("{nodes} nodes, theory"))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        let dots = measured.iter().filter(|(n, ..)| *n == nodes);
        chart.draw_series(
            dots.map(|&(_, v, busiest)| Circle::new((f64::from(v), busiest), 3, color.filled())),
        )?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    drop(chart);
    drop(area);
    Ok(svg)
}
