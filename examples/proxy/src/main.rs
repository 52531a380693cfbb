//! An HTTP reverse proxy on `clockwise`, the servers behind it, and the load that tests it.
//!
//! - `proxy serve FILE`: the proxy, configured by a TOML file. This is what to start from.
//! - `proxy origin NAME ADDRESS`: a server with a realistic service time.
//! - `proxy scenario [--short] [PICTURE]`: starts both, kills and drains servers under load, checks
//!   the figures and draws them.

mod origin;
mod proxy;
mod scenario;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: proxy serve FILE | origin NAME ADDRESS | scenario [--short] PICTURE";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proxy: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    match *arguments {
        ["serve", file] => Ok(proxy::serve(Path::new(file))?),
        ["origin", name, address] => Ok(origin::serve(name, address)?),
        ["scenario", "--short", picture] => scenario::run(true, Path::new(picture)),
        ["scenario", picture] => scenario::run(false, Path::new(picture)),
        _ => Err(USAGE.into()),
    }
}
