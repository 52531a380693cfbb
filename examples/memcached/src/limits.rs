//! What must hold, and why it must.

use crate::leaving::Found;
use crate::scenario::THREADS;
use crate::server::{RETRY, Server};
use crate::tier::{ADDED, DRAINED, SERVERS, Tier};
use crate::timeline::{KILL, PHASES, Timeline};
use crate::trace::Trace;
use clockwise::HashRing;
use std::error::Error;

/// The default of `HashRing`. A share deviates from the fair one by 1/√(virtual nodes).
const VIRTUAL_NODES: f64 = 512.0;

/// The contenders, in their order.
pub(crate) struct Contenders<'a> {
    pub(crate) two_copies: &'a Tier,
    pub(crate) one_copy: &'a Tier,
    pub(crate) twemproxy: &'a Tier,
    pub(crate) modulo: &'a Tier,
}

/// Collects the limits that do not hold, and prints all.
#[derive(Default)]
pub(crate) struct Limits {
    broken: Vec<String>,
}

impl Limits {
    fn check(&mut self, holds: bool, line: String) {
        println!("{} {line}", if holds { "ok  " } else { "FAIL" });
        if !holds {
            self.broken.push(line);
        }
    }

    /// Checks that `measured` is from `least` to `most`.
    fn between(&mut self, what: &str, measured: f64, least: f64, most: f64) {
        let line = format!("{what}: {measured:.3}, must be from {least:.3} to {most:.3}");
        self.check((least..=most).contains(&measured), line);
    }

    fn zero(&mut self, what: &str, measured: u64) {
        self.check(measured == 0, format!("{what}: {measured}, must be 0"));
    }

    pub(crate) fn finish(self) -> Result<(), Box<dyn Error>> {
        match self.broken.len() {
            0 => Ok(()),
            count => Err(format!("{count} limits do not hold: {}", self.broken.join("; ")).into()),
        }
    }

    /// Checks the run. `killed` and `drained` are those servers of the client with two copies.
    pub(crate) fn check_run(
        &mut self,
        contenders: &Contenders<'_>,
        timeline: Timeline,
        trace: &Trace,
        killed: &Server,
        drained: &Server,
    ) {
        let Contenders {
            two_copies,
            one_copy,
            twemproxy,
            modulo,
        } = *contenders;
        for tier in [two_copies, one_copy, twemproxy, modulo] {
            self.zero(
                &format!("{}: values that are not the origin's", tier.name),
                tier.tally.wrong(),
            );
        }
        for tier in [two_copies, one_copy] {
            let what = format!("{}: errors that the application saw", tier.name);
            self.zero(&what, tier.tally.errors());
        }
        // `retire` returns when no request can reach the server, and it is stopped only then.
        self.zero(
            "requests that met the drained server stopped",
            drained.failures(),
        );
        // Each thread may meet the dead server once when it dies and once for each retry.
        let tries = timeline.seconds_of(KILL).len() as f64 / RETRY.as_secs_f64() + 2.0;
        let most = f64::from(THREADS) * tries;
        self.between(
            "requests that met the dead server",
            killed.failures() as f64,
            1.0,
            most,
        );

        // An event replaces at most one of a key's two copies, and the other one has the value,
        // because both are restored before the next event.
        for (phase, name) in PHASES.into_iter().enumerate() {
            let what = format!("two copies: keys that missed in the phase {name}");
            self.zero(&what, two_copies.tally.missed(phase) as u64);
        }

        // The killed server has weight 1 of 6. Its share deviates by its points, and what is seen
        // of it by the number of keys that were requested. Three standard deviations are allowed.
        let keys = trace.distinct(timeline.requests_of(KILL)) as f64;
        let missed = |tier: &Tier| tier.tally.missed(KILL) as f64 / keys;
        let share = 1.0 / total();
        let seen = 3.0 * (share * (1.0 - share) / keys).sqrt();
        let tolerance = 3.0 * share / VIRTUAL_NODES.sqrt() + seen;
        self.between(
            "one copy: part of the keys that missed after kill",
            missed(one_copy),
            share - tolerance,
            share + tolerance,
        );
        // From n to n − 1 servers a key keeps its server in 1 of n cases, so 0.8 should miss. When
        // the dead server is tried again, n is the old one for a moment, and some keys are found at
        // their old places. With less than a half the comparison would show nothing.
        self.between(
            "hash % n: part of the keys that missed after kill",
            missed(modulo),
            0.5,
            1.0,
        );
    }

    /// Checks which part of the keys a change moves. The points of a server are in the same places
    /// in every ring, so a ring of the names alone is that of the client.
    pub(crate) fn check_moves(&mut self) -> Result<f64, Box<dyn Error>> {
        let before = HashRing::from_weighted(SERVERS.map(|(name, _, weight)| (name, weight)))?;
        let (added, _, weight) = ADDED;
        let mut after = before.clone();
        after.insert_weighted(added, weight)?;
        let add = before.diff(&after)?;
        let mut drained = after.clone();
        drained.drain(DRAINED)?;
        let drain = after.diff(&drained)?;

        // Both servers have weight 1 of 7. What moves is their share, and nothing else.
        let fair = f64::from(weight) / (total() + f64::from(weight));
        let tolerance = 3.0 * fair / VIRTUAL_NODES.sqrt();
        self.between(
            "part of the keys that add moves",
            add.share(),
            fair - tolerance,
            fair + tolerance,
        );
        let others = add.moves().filter(|m| m.to != Some(&added)).count();
        self.zero("ranges that add moves elsewhere", others as u64);
        self.between(
            "part of the keys that drain moves",
            drain.share(),
            fair - tolerance,
            fair + tolerance,
        );
        let others = drain.moves().filter(|m| m.from != Some(&DRAINED)).count();
        self.zero("ranges that drain moves from elsewhere", others as u64);
        Ok(add.share())
    }

    pub(crate) fn check_leaving(&mut self, found: &Found) {
        let Found {
            keys,
            by_client,
            through_proxy,
            by_ring,
            stored,
            traffic,
        } = found;
        let missing = u64::from(keys - by_client - through_proxy);
        let all = format!("of {keys} keys");
        self.zero(&format!("not found by the other client, {all}"), missing);
        let during = format!("in {} reads while all keys moved", traffic.reads);
        self.zero(&format!("misses {during}"), traffic.misses);
        self.zero(
            &format!("old values {during}, beside {} writes", traffic.writes),
            traffic.stale,
        );
        self.zero(
            &format!("not found by the ring afterwards, {all}"),
            u64::from(keys - by_ring),
        );
        let line = format!("values stored afterwards: {stored}, must be {keys}");
        self.check(*stored == *keys as usize, line);
        self.check(
            traffic.reads > 0 && traffic.writes > 0,
            "reads and writes ran meanwhile".into(),
        );
    }
}

fn total() -> f64 {
    SERVERS
        .iter()
        .map(|(_, _, weight)| f64::from(*weight))
        .sum()
}
