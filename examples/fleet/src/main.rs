//! Routers in several processes that share their servers and the stages of a migration through
//! etcd. The README beside this workspace says what it shows.

mod audit;
mod child;
mod coordinator;
mod fleet;
mod leader;
mod load;
mod picture;
mod referee;
mod report;
mod router;
mod scenario;
mod server;
mod servers;
mod session;
mod steps;
mod store;
mod world;

use etcd_client::Client;
use fleet::{Broken, Fleet, Size};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Any error. It is printed, and the process ends.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One thread is enough for each process, and the kernel asks for it: it kills a child when the
/// thread that started it ends.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args: Result<Vec<String>, OsString> = std::env::args_os()
        .skip(1)
        .map(OsString::into_string)
        .collect();
    let ended = match args {
        Ok(args) => Box::pin(run(&args)).await,
        Err(arg) => Err(format!("the argument {} is not text", arg.display()).into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the role that the first argument names. Without a role this is the process that starts all
/// others.
async fn run(args: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match &words[..] {
        [child::ROLE, parent, program, ..] => child::become_child(parent, program, &args[3..]),
        ["router", etcd, slot, slots, keys, referee] => {
            let options = router::Options {
                slot: slot.parse()?,
                slots: slots.parse()?,
                keys: keys.parse()?,
                referee: referee.parse()?,
            };
            Box::pin(router::run(Client::connect([etcd], None).await?, options)).await
        }
        ["coordinator", etcd, servers, pause, broken @ ..] => {
            let options = coordinator::Options {
                servers: servers.parse()?,
                pause: Duration::from_millis(pause.parse()?),
                blind: broken.contains(&"blind"),
                hurry: broken.contains(&"hurry"),
            };
            Box::pin(coordinator::run(
                Client::connect([etcd], None).await?,
                options,
            ))
            .await
        }
        _ => {
            let mut terminated = signal(SignalKind::terminate())?;
            let interrupted = async {
                tokio::select! {
                    _ = terminated.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
            };
            Box::pin(lead(args, interrupted)).await
        }
    }
}

/// What the user asked for.
#[derive(Debug, Default)]
struct Options {
    short: bool,
    broken: Option<Broken>,
    picture: PathBuf,
}

fn options(args: &[String]) -> Result<Options, Failure> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut args_left = lexopt::Parser::from_args(args);
    while let Some(arg) = args_left.next()? {
        match arg {
            Long("short") => options.short = true,
            Long("picture") => options.picture = args_left.value()?.into(),
            Long("break") => {
                options.broken = Some(match args_left.value()?.string()?.as_str() {
                    "blind" => Broken::Blind,
                    "hurry" => Broken::Hurry,
                    other => return Err(format!("unknown rule `{other}`: blind or hurry").into()),
                });
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    Ok(options)
}

/// Runs everything, and ends what it started however it ends.
async fn lead(args: &[String], interrupted: impl Future<Output = ()>) -> Result<(), Failure> {
    let options = options(args)?;
    // If this is interrupted, everything in it is dropped, which kills the children.
    tokio::select! {
        ended = runs(&options) => ended,
        () = interrupted => Err("interrupted".into()),
    }
}

const BROKEN: Size = Size {
    keys: 12_000,
    pause: Duration::from_millis(180),
};

async fn runs(options: &Options) -> Result<(), Failure> {
    if let Some(rule) = options.broken {
        return report::caught(rule, &scenario::broken(BROKEN, rule).await?);
    }
    let (size, steady, reads) = if options.short {
        (BROKEN, Duration::from_secs(2), 0)
    } else {
        let (keys, pause) = (24_000, Duration::from_millis(180));
        (Size { keys, pause }, Duration::from_secs(8), 2_200_000)
    };
    let mut fleet = Fleet::start(size, None).await?;
    let outcome = scenario::changes(&mut fleet, steady, reads).await;
    if outcome.is_ok() {
        picture::draw(&options.picture, &fleet.samples, &fleet.events)?;
    }
    let logs = fleet.end().await?;
    let outcome = outcome.map_err(|error| format!("{error}\n{logs}"))?;
    report::print(&outcome);
    let mut caught = Ok(());
    if !options.short {
        for rule in [Broken::Blind, Broken::Hurry] {
            let counts = scenario::broken(BROKEN, rule).await?;
            caught = caught.and(report::caught(rule, &counts));
        }
    }
    let judged = report::judge(&outcome, reads.max(report::FEWEST));
    caught.and(judged)
}
