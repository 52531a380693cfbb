//! The table and the limits of a run.

use crate::Failure;
use crate::fleet::Broken;
use crate::referee::Counts;
use crate::scenario::Outcome;

/// The fewest reads that say anything.
pub const FEWEST: u64 = 100_000;

pub fn print(outcome: &Outcome) {
    let Outcome { counts, audit, .. } = outcome;
    let rows = [
        ("reads", counts.reads),
        ("  that found a deleted key", counts.deleted),
        ("writes", counts.writes),
        ("  of which deletes", counts.deletes),
        ("answers that did not come", counts.unanswered),
        ("steps", outcome.steps),
        ("processes killed", outcome.killed as u64),
        ("routers that stopped by themselves", outcome.fenced as u64),
        ("views of the servers", outcome.views as u64),
        (
            "views with different fingerprints",
            outcome.disagreements as u64,
        ),
        ("stale reads", counts.stale),
        ("lost values", counts.lost),
        ("resurrected values", counts.resurrected),
        ("corrupt values", counts.corrupt),
        ("keys in the end", audit.keys),
        ("replicas without the last version", audit.missing),
        ("keys left on other servers", audit.left_behind as u64),
        (
            "keys left on the server that left",
            outcome.left_on_closed as u64,
        ),
    ];
    println!("\n| | |\n|---|---:|");
    for (name, count) in rows {
        println!("| {name} | {count} |");
    }
}

/// Prints the figure, and returns an error that names each limit that does not hold.
pub fn judge(outcome: &Outcome, reads: u64) -> Result<(), Failure> {
    let Outcome { counts, audit, .. } = outcome;
    let limits = [
        ("too few reads", counts.reads >= reads),
        ("a read was wrong", counts.wrong() == 0),
        ("a replica is not up to date", audit.missing == 0),
        (
            "data was left behind",
            audit.left_behind + outcome.left_on_closed == 0,
        ),
        ("views differ", outcome.disagreements == 0),
        ("the suspended router did not stop", outcome.fenced >= 1),
    ];
    let broken: Vec<&str> = limits
        .iter()
        .filter_map(|&(name, holds)| (!holds).then_some(name))
        .collect();
    println!(
        "{} reads, {} writes, {} processes killed, {} steps in {:.0} s: {} stale, {} lost, {} \
         resurrected",
        counts.reads,
        counts.writes,
        outcome.killed,
        outcome.steps,
        outcome.seconds,
        counts.stale,
        counts.lost + audit.missing,
        counts.resurrected,
    );
    if broken.is_empty() {
        Ok(())
    } else {
        Err(broken.join(", ").into())
    }
}

/// Returns an error unless the check has found the broken rule.
pub fn caught(rule: Broken, counts: &Counts) -> Result<(), Failure> {
    println!(
        "{rule:?}: {} of {} reads are wrong: {} stale, {} lost, {} resurrected",
        counts.wrong(),
        counts.reads,
        counts.stale,
        counts.lost,
        counts.resurrected
    );
    if counts.wrong() > 0 {
        Ok(())
    } else {
        Err(format!("the check does not notice the broken rule {rule:?}").into())
    }
}
