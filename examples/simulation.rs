//! Strategies side by side on servers of unequal speed and heavy-tailed requests, in virtual time.
//!
//! `cargo run --release --example simulation -- [servers] [load %] [requests] [staleness] [seed]`
//!
//! Every other server is twice as fast, and has twice the weight. Requests come at random
//! (exponential gaps) and need a random time (bounded Pareto with exponent 1.5, mean 1 on a slow
//! server, up to 1000: 1 request in 100 needs more than 7). Each server works off its queue one by
//! one, first come, first served. Loads are the requests at a server as they were up to `staleness`
//! mean service times ago; 0 is exact. The bounded ring counts its own leases, so it always knows.
//!
//! Prints for each strategy the mean and longest queue that a request joins (itself counted) and
//! what a request takes, waiting included, in mean service times, and draws the tail of the latter
//! to `simulation.svg`.

use clockwise::{
    Bounded, HashRing, Key, LeastLoaded, Load, PowerOfTwo, Rendezvous, RoundRobin, Route,
    SlotTable, Strategy, Tracked, WeightedRandom, load::InFlight,
};
use plotters::prelude::*;
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::error::Error;

const PICTURE: &str = "simulation.svg";

/// A server as the balancer sees it.
struct Server {
    id: u32,
    /// Requests at the server, as last seen.
    seen: Cell<u32>,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.id.to_be_bytes()
    }
}

impl Load for Server {
    fn load(&self) -> f64 {
        f64::from(self.seen.get()) + 1.0
    }
}

struct Settings {
    servers: u32,
    load: f64,
    requests: u32,
    staleness: f64,
    seed: u64,
}

impl Settings {
    fn from_arguments() -> Result<Self, Box<dyn Error>> {
        let mut numbers = Vec::from([50.0, 80.0, 200_000.0, 0.0, 1.0]);
        for (i, argument) in std::env::args().skip(1).enumerate() {
            let place = numbers.get_mut(i).ok_or("at most 5 numbers")?;
            *place = argument
                .parse()
                .map_err(|error| format!("`{argument}`: {error}"))?;
        }
        let [servers, load, requests, staleness, seed] = numbers[..] else {
            return Err("5 numbers".into());
        };
        let in_range = (1.0..=100_000.0).contains(&servers)
            && (1.0..100.0).contains(&load)
            && (1000.0..=1e8).contains(&requests)
            && (0.0..=1e6).contains(&staleness)
            && (0.0..=1e15).contains(&seed);
        if !in_range {
            return Err(
                "servers 1 to 100000, load 1 to 99 %, requests 1000 to 1e8, \
                staleness 0 to 1e6 mean service times, seed 0 to 1e15"
                    .into(),
            );
        }
        Ok(Settings {
            servers: servers as u32,
            load: load / 100.0,
            requests: requests as u32,
            staleness,
            seed: seed as u64,
        })
    }

    fn weight(id: u32) -> u32 {
        1 + id % 2
    }

    fn nodes(&self) -> impl Iterator<Item = (Server, u32)> + use<> {
        (0..self.servers).map(|id| {
            let seen = Cell::new(0);
            (Server { id, seen }, Self::weight(id))
        })
    }
}

/// `SplitMix64`, as numbers above 0 and up to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    fn gap(&mut self, rate: f64) -> f64 {
        -self.next().ln() / rate
    }

    /// Bounded Pareto: exponent 1.5, from `low` to 1000, where `low` makes the mean 1.
    fn work(&mut self) -> f64 {
        const LOW: f64 = 0.339_6;
        const HIGH: f64 = 1000.0;
        let cut = 1.0 - (LOW / HIGH).powf(1.5);
        LOW * (1.0 - (1.0 - self.next()) * cut).powf(-1.0 / 1.5)
    }
}

/// What came of a run; times in mean service times.
struct Outcome {
    name: &'static str,
    mean_queue: f64,
    longest: usize,
    /// What each request took, ascending.
    took: Vec<f64>,
}

impl Outcome {
    fn percentile(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.took.len() as f64).ceil() as usize;
        self.took[rank.clamp(1, self.took.len()) - 1]
    }
}

/// Chooses a server for a request: its number, and what holds its place while the request is there.
type Choose<'a> = &'a dyn Fn(&u32) -> Option<(u32, Option<InFlight>)>;

/// By a strategy that knows the loads of its servers as they were last seen.
fn by_strategy(
    name: &'static str,
    settings: &Settings,
    strategy: &dyn Strategy<Node = Server>,
) -> Outcome {
    let mut servers = Vec::new();
    strategy.for_each_member(&mut |member| servers.push(member.node));
    simulate(name, settings, &servers, &|request| {
        Some((strategy.route(request)?.id, None))
    })
}

/// `servers`: those that are told how many requests are at them.
fn simulate(
    name: &'static str,
    settings: &Settings,
    servers: &[&Server],
    choose: Choose<'_>,
) -> Outcome {
    // The same requests for every strategy.
    let mut random = Random(settings.seed);
    let capacity: f64 = (0..settings.servers)
        .map(|id| f64::from(Settings::weight(id)))
        .sum();
    // When the requests at each server will be done, and which server is done next.
    let mut queues: Vec<VecDeque<(f64, Option<InFlight>)>> = Vec::new();
    queues.resize_with(settings.servers as usize, VecDeque::new);
    let tell = |id: u32, requests: usize| {
        if let Some(server) = servers.get(id as usize) {
            server.seen.set(requests as u32);
        }
    };
    let mut done: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
    let (mut now, mut looked, mut sum, mut longest) = (0.0, 0.0, 0.0, 0);
    let mut took = Vec::new();
    for request in 0..settings.requests {
        now += random.gap(capacity * settings.load);
        while let Some(&Reverse((end, id))) = done.peek() {
            if f64::from_bits(end) > now {
                break;
            }
            done.pop();
            let queue = &mut queues[id as usize];
            queue.pop_front();
            if settings.staleness == 0.0 {
                tell(id, queue.len());
            }
        }
        if settings.staleness > 0.0 && now - looked > settings.staleness {
            looked = now;
            for (id, queue) in (0..).zip(&queues) {
                tell(id, queue.len());
            }
        }
        // Keys of unequal popularity would only burden the ring; here each request is a key of its
        // own.
        let Some((id, place)) = choose(&request) else {
            continue;
        };
        let queue = &mut queues[id as usize];
        let start = queue.back().map_or(now, |&(end, _)| end).max(now);
        let end = start + random.work() / f64::from(Settings::weight(id));
        queue.push_back((end, place));
        if settings.staleness == 0.0 {
            tell(id, queue.len());
        }
        // The bits of positive numbers are in the numbers' order.
        done.push(Reverse((end.to_bits(), id)));
        longest = longest.max(queue.len());
        sum += queue.len() as f64;
        // The first tenth is the start from empty.
        if request >= settings.requests / 10 {
            took.push(end - now);
        }
    }
    took.sort_by(f64::total_cmp);
    Outcome {
        name,
        mean_queue: sum / f64::from(settings.requests),
        longest,
        took,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_arguments()?;
    let seed = settings.seed;
    let mut ring = HashRing::new();
    ring.extend_weighted(settings.nodes())?;
    let mut rendezvous = Rendezvous::new();
    rendezvous.extend_weighted(settings.nodes())?;
    let mut table = SlotTable::builder().load_factor(1.02).build()?;
    table.extend_weighted(settings.nodes())?;
    let mut tracked = HashRing::new();
    let nodes = settings.nodes();
    tracked.extend_weighted(nodes.map(|(node, weight)| (Tracked::new(node), weight)))?;
    let bounded = Bounded::new(tracked, 1.25)?;
    let mut random = WeightedRandom::with_seed(seed);
    random.extend_weighted(settings.nodes())?;
    let mut turns = RoundRobin::new();
    turns.extend_weighted(settings.nodes())?;
    let mut two = PowerOfTwo::with_seed(seed);
    two.extend_weighted(settings.nodes())?;
    let mut three = PowerOfTwo::with_seed(seed).with_choices(3)?;
    three.extend_weighted(settings.nodes())?;
    let mut least = LeastLoaded::with_seed(seed);
    least.extend_weighted(settings.nodes())?;

    println!(
        "{} servers, half of them twice as fast, at {:.0} % load; {} requests; loads {}\n",
        settings.servers,
        settings.load * 100.0,
        settings.requests,
        if settings.staleness == 0.0 {
            "exact".to_owned()
        } else {
            format!("{} old", settings.staleness)
        }
    );
    println!(
        "{:<18}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "", "mean q", "longest q", "p50", "p90", "p99", "p99.9"
    );
    let strategies: [(&'static str, &dyn Strategy<Node = Server>); 8] = [
        ("hash ring", &ring),
        ("rendezvous", &rendezvous),
        ("slot table", &table),
        ("weighted random", &random),
        ("round-robin", &turns),
        ("two choices", &two),
        ("three choices", &three),
        ("least loaded", &least),
    ];
    let mut outcomes: Vec<Outcome> = strategies
        .iter()
        .map(|(name, strategy)| by_strategy(name, &settings, *strategy))
        .collect();
    let bound = simulate("bounded ring", &settings, &[], &|request| {
        let place = bounded.acquire(request)?;
        Some((place.node().id, Some(place.into_in_flight())))
    });
    outcomes.insert(3, bound);
    for outcome in &outcomes {
        println!(
            "{:<18}{:>10.1}{:>10}{:>10.2}{:>10.2}{:>10.1}{:>10.1}",
            outcome.name,
            outcome.mean_queue,
            outcome.longest,
            outcome.percentile(50.0),
            outcome.percentile(90.0),
            outcome.percentile(99.0),
            outcome.percentile(99.9),
        );
    }
    draw(&outcomes)?;
    println!("\nTimes in mean service times of a slow server. Tails: {PICTURE}.");
    Ok(())
}

/// Both axes logarithmic: how many requests take longer than a time.
fn draw(outcomes: &[Outcome]) -> Result<(), Box<dyn Error>> {
    let slowest = outcomes
        .iter()
        .map(|outcome| outcome.percentile(99.99))
        .fold(10.0, f64::max);
    let area = SVGBackend::new(PICTURE, (900, 560)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Requests that take longer than t", ("sans-serif", 24))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d((0.1..slowest).log_scale(), (0.0001..1.0).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("t, in mean service times")
        .y_desc("part of the requests")
        .light_line_style(WHITE)
        .draw()?;
    for (i, outcome) in outcomes.iter().enumerate() {
        let style = Palette99::pick(i).stroke_width(2);
        // 200 places along the logarithm of the part.
        let tail = (0..=200).map(|step| {
            let part = 10f64.powf(-4.0 * f64::from(step) / 200.0);
            (outcome.percentile(100.0 * (1.0 - part)).max(0.1), part)
        });
        chart
            .draw_series(LineSeries::new(tail, style))?
            .label(outcome.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}
