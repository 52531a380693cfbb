//! A sharded memcached client over real servers, while one dies, one joins and one leaves. It runs
//! beside twemproxy and `hash % n`, with the same requests.
//!
//! `client.rs` is the client, and the place to begin.

mod cache;
mod client;
mod leaving;
mod limits;
mod picture;
mod process;
mod protocol;
mod rivals;
mod scenario;
mod server;
mod table;
mod tally;
mod tier;
mod timeline;
mod trace;

use client::Client;
use limits::{Contenders, Limits};
use rivals::{Modulo, Twemproxy};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use tier::{DRAINED, KILLED, Rack, SERVERS, Tier};
use timeline::Timeline;
use trace::Trace;

const USAGE: &str = "usage: memcached --seconds OF_A_PHASE --folder FOR_FILES --picture FILE";

struct Options {
    seconds: usize,
    /// For the configuration files of twemproxy.
    folder: PathBuf,
    picture: PathBuf,
}

fn options() -> Result<Options, Box<dyn Error>> {
    use lexopt::{Arg::Long, ValueExt};
    let (mut seconds, mut folder, mut picture) = (None, None, None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("seconds") => seconds = Some(arguments.value()?.parse()?),
            Long("folder") => folder = Some(arguments.value()?.into()),
            Long("picture") => picture = Some(arguments.value()?.into()),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let found = seconds.zip(folder).zip(picture).ok_or(USAGE)?;
    let ((seconds, folder), picture) = found;
    Ok(Options {
        seconds,
        folder,
        picture,
    })
}

fn run() -> Result<String, Box<dyn Error>> {
    let options = options()?;
    let timeline = Timeline::new(options.seconds);
    let trace = Trace::new(timeline.requests())?;
    let mut limits = Limits::default();

    // Each contender has servers of its own. Dropping a rack kills its servers.
    let mut racks: [Rack; 4] = Default::default();
    let [two, one, proxy, modulo] = &mut racks;
    let tiers = [
        Tier::new(
            "clockwise, 2 copies",
            Client::new(two.start(&SERVERS)?, 2)?,
            timeline,
        ),
        Tier::new(
            "clockwise, 1 copy",
            Client::new(one.start(&SERVERS)?, 1)?,
            timeline,
        ),
        Tier::new(
            "twemproxy, ketama",
            Twemproxy::new(proxy.start(&SERVERS)?, &options.folder)?,
            timeline,
        ),
        Tier::new(
            "hash % n",
            Modulo::new(
                modulo
                    .start(&SERVERS)?
                    .into_iter()
                    .map(|(server, _)| server),
            ),
            timeline,
        ),
    ];
    scenario::warm(&tiers);
    scenario::run(&tiers, &mut racks, &trace, timeline)?;
    table::by_second(&tiers, timeline);
    table::by_phase(&tiers, timeline, &trace);
    picture::draw(&tiers, timeline, &options.picture)?;

    println!("\nlimits of the run");
    let [two_copies, one_copy, twemproxy, modulo] = &tiers;
    let contenders = Contenders {
        two_copies,
        one_copy,
        twemproxy,
        modulo,
    };
    let (killed, drained) = (racks[0].server(KILLED)?, racks[0].server(DRAINED)?);
    limits.check_run(&contenders, timeline, &trace, killed, drained);
    let moved = limits.check_moves()?;
    drop(racks);

    println!("\nlimits of leaving twemproxy");
    let found = leaving::leave(&options.folder)?;
    limits.check_leaving(&found);
    limits.finish()?;

    let lowest = |tier: &Tier| {
        let seconds = tier.tally.hit_rates();
        seconds.into_iter().fold(1.0, f64::min)
    };
    let [a, b, c, d] = tiers.each_ref().map(lowest);
    Ok(format!(
        "memcached: lowest hit rate of a second {a:.3} with 2 copies ({b:.3} with 1, \
         twemproxy {c:.3}, hash % n {d:.3}), {} errors, {:.1} % moved on add; \
         leaving twemproxy: {} of {} keys found, \
         {} misses in {} reads",
        two_copies.tally.errors(),
        moved * 100.0,
        found.by_ring,
        found.keys,
        found.traffic.misses,
        found.traffic.reads,
    ))
}

fn main() -> ExitCode {
    match run() {
        Ok(figure) => {
            println!("\n{figure}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}
