//! Inference workers with prefix caches, in virtual time: which policy sends a prompt to the worker
//! that has computed its beginning already, and how long it waits there.

mod cache;
mod limits;
mod picture;
mod policies;
mod simulation;
mod trace;
mod worker;

use policies::{MIN_CAPPED, RING};
use simulation::{Outcome, simulate};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use trace::Shape;

const WORKERS: u32 = 16;
const SEED: u64 = 13;

/// Requests a second at all workers together.
const NIGHT: f64 = 6.0;
const DAY: f64 = 17.0;

/// One load, and what each policy made of it.
struct Period {
    name: &'static str,
    rate: f64,
    shape: Shape,
    outcomes: Vec<Outcome>,
}

impl Period {
    fn run(name: &'static str, rate: f64, hours: f64) -> Result<Self, Box<dyn Error>> {
        let trace = trace::trace(hours * 3600.0, rate, SEED);
        let outcomes = policies::all(WORKERS, SEED)?
            .iter()
            .map(|policy| simulate(policy, WORKERS as usize, &trace))
            .collect();
        Ok(Period {
            name,
            rate,
            shape: Shape::of(&trace),
            outcomes,
        })
    }

    /// Returns what came of the policy with this name.
    ///
    /// # Panics
    ///
    /// Panics if there is no such policy.
    fn outcome(&self, policy: &str) -> &Outcome {
        let mut outcomes = self.outcomes.iter();
        outcomes
            .find(|outcome| outcome.name == policy)
            .expect("a policy of the run")
    }

    fn print(&self) {
        let shape = &self.shape;
        println!(
            "{}: {} requests/s at {WORKERS} workers; {} requests, median prompt {} tokens, median \
             answer {} tokens",
            self.name, self.rate, shape.requests, shape.median_prompt, shape.median_answer
        );
        println!(
            "one cache without a limit would hit {:.1} %; a tenth of the blocks has {:.0} % of the \
             reuses\n",
            shape.ceiling * 100.0,
            shape.top_tenth * 100.0
        );
        println!(
            "| {} | tokens cached | first token p50 | p99 | longest queue |",
            self.name
        );
        println!("|---|---|---|---|---|");
        for outcome in &self.outcomes {
            println!(
                "| {} | {:.1} % | {:.2} s | {:.2} s | {} |",
                outcome.name,
                outcome.hit_rate * 100.0,
                outcome.percentile(50.0),
                outcome.percentile(99.0),
                outcome.longest_queue,
            );
        }
        println!();
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (hours, picture) = arguments()?;
    let night = Period::run("night", NIGHT, hours)?;
    let day = Period::run("day", DAY, hours)?;
    night.print();
    day.print();
    picture::draw(&picture, &[&night, &day])?;
    println!("picture: {}\n", picture.display());
    let holds = limits::check(&night, &day);
    let (capped, ring) = (day.outcome(MIN_CAPPED), day.outcome(RING));
    println!(
        "prefix_router: {}; by day the bounded ring with min_cap finds {:.0} % of the ring's cached \
         tokens and has a p99 of {:.1} s instead of {:.0} s",
        if holds { "all limits hold" } else { "FAILED" },
        100.0 * capped.hit_rate / ring.hit_rate,
        capped.percentile(99.0),
        ring.percentile(99.0),
    );
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The hours of virtual time, and the file of the picture.
fn arguments() -> Result<(f64, PathBuf), Box<dyn Error>> {
    let mut short = false;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("short") => short = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let file = "prefix_router.svg";
    Ok(if short {
        (0.5, std::env::current_exe()?.with_file_name(file))
    } else {
        (2.0, PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file))
    })
}
