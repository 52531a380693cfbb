//! The child process: it holds one contender alone, and answers its parent's questions.
//!
//! A child is told the contender's number and what to do in its arguments. It prints one line for
//! each answer, `ready` first. Questions come one a line.

use crate::facts;
use crate::peer::{Node, Peer, Refused};
use crate::{bad, timing};
use std::io::{BufRead, Write};
use std::process::ExitCode;

pub type Answer = ExitCode;

/// The default of `HashRing`.
pub const POINTS: u32 = 512;

pub fn nodes(count: usize) -> Vec<Node> {
    (0..count as u64).map(Node::new).collect()
}

/// Makes a change, or builds the peer anew if it does not offer the change.
pub fn change<P: Peer>(
    peer: &mut P,
    after: &[Node],
    change: impl FnOnce(&mut P) -> Result<(), Refused>,
) -> Result<(), Refused> {
    match change(peer) {
        Err(Refused::NotOffered) => {
            *peer = peer.rebuild(after, POINTS)?;
            Ok(())
        }
        done => done,
    }
}

/// Answers questions about `P` until the parent closes the pipe.
///
/// # Panics
///
/// Panics if the arguments are not those that the parent gives.
pub fn answer<P: Peer>(arguments: &[String]) -> Answer {
    let number = |place: usize| -> usize {
        let text = arguments.get(place).expect("an argument");
        text.parse().expect("a number")
    };
    if arguments[0] == "bad" {
        println!("{}", bad::verdict::<P>(number(1)));
        return ExitCode::SUCCESS;
    }
    let count = number(1);
    let Ok(peer) = P::build(&nodes(count), POINTS) else {
        println!("refused");
        return ExitCode::SUCCESS;
    };
    let keys = timing::keys(timing::KEYS);
    println!("ready");
    for question in std::io::stdin().lock().lines().map_while(Result::ok) {
        let figures = match question.as_str() {
            "alone" => vec![timing::alone(&keys, |key| peer.route(key).unwrap_or(0))],
            "cold" => vec![timing::cold(&keys, |key| peer.route(key).unwrap_or(0))],
            "single" => timing::single(&keys, |key| peer.route(key).unwrap_or(0)).to_vec(),
            "three" if P::REPLICAS => vec![timing::alone(&keys, |key| peer.three(key))],
            "build" => vec![timing::build::<P>(count)],
            "join" => vec![timing::join::<P>(count)],
            "memory" => facts::memory::<P>(count).to_vec(),
            "balance" => facts::balance(&peer, count, &keys).to_vec(),
            "moves" => facts::moves::<P>(count, &keys[..1 << 16]),
            _ => Vec::new(),
        };
        let figures: Vec<String> = figures.iter().map(f64::to_string).collect();
        println!("{}", figures.join(" "));
        std::io::stdout().flush().expect("the parent reads");
    }
    ExitCode::SUCCESS
}
