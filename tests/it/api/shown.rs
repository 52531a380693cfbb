//! What `{:?}` shows of each type: its name and its counts, and never nothing.
#![cfg(all(feature = "compat", feature = "sticky", feature = "shared"))]

use clockwise::compat::{EnvoyMaglev, EnvoyRing, HaproxyConsistent, Jump, Ketama, Nginx};
use clockwise::{
    AnyStrategy, Bounded, Epochs, Failover, Filtered, HashRing, LeastLoaded, Mixed, PeakEwma,
    PowerOfTwo, Rendezvous, Reported, RoundRobin, Shared, SipHash13, SlotTable, SlowStart, Spread,
    Sticky, Token, Tracked, WeightedRandom, Zoned,
};
use std::fmt::Debug;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[track_caller]
fn shows(value: impl Debug, wanted: &str) {
    assert_eq!(format!("{value:?}"), wanted);
}

/// The beginning, of what has figures that depend on time or chance behind.
#[track_caller]
fn begins(value: impl Debug, wanted: &str) {
    let shown = format!("{value:?}");
    assert!(shown.starts_with(wanted), "{shown}");
}

#[test]
fn strategies_show_counts() {
    let nodes = ["a", "b", "c"];
    let tracked = || nodes.map(Tracked::new);
    let mut ring = HashRing::from_nodes(nodes).unwrap();
    ring.drain("a").unwrap();
    shows(
        &ring,
        "HashRing { nodes: 3, virtual_nodes: 512, points: 1024, .. }",
    );
    shows(ring.preference("k"), "Preference { left: 2, .. }");
    let mut scores = Rendezvous::from_nodes(nodes).unwrap();
    scores.drain("a").unwrap();
    shows(&scores, "Rendezvous { nodes: 3, eligible: 2, .. }");
    let builder = || SlotTable::builder().slots(8).load_factor(1.5);
    shows(
        builder(),
        "SlotTableBuilder { slots: 8, load_factor: Some(1.5), .. }",
    );
    let table = builder().from_nodes(nodes).unwrap();
    shows(
        table,
        "SlotTable { nodes: 3, slots: 8, load_factor: Some(1.5), .. }",
    );
    let random = WeightedRandom::<&str>::with_seed(7);
    shows(
        random,
        "WeightedRandom { nodes: 0, draws: Draws { seed: 7, .. }, .. }",
    );
    let mut least = LeastLoaded::with_seed(7);
    least.insert(Tracked::new("a")).unwrap();
    shows(
        least,
        "LeastLoaded { nodes: 1, draws: Draws { seed: 7, .. }, .. }",
    );
    let two = PowerOfTwo::<Tracked<&str>>::with_seed(7)
        .with_choices(3)
        .unwrap();
    shows(
        two,
        "PowerOfTwo { nodes: 0, choices: 3, draws: Draws { seed: 7, .. }, .. }",
    );
    begins(
        RoundRobin::from_nodes(tracked()).unwrap(),
        "RoundRobin { nodes: 3, start: ",
    );
}

#[test]
fn other_systems_placements_show_counts_and_options() {
    let nodes = ["a", "b", "c"];
    shows(
        Nginx::from_nodes(nodes).unwrap(),
        "Nginx { nodes: 3, pingora: false, points: 480, .. }",
    );
    shows(
        Nginx::<&str>::pingora(),
        "NginxBuilder { program: Pingora, .. }",
    );
    shows(
        Ketama::from_nodes(nodes).unwrap(),
        "Ketama { nodes: 3, points: 480, .. }",
    );
    shows(
        Ketama::<&str>::twemproxy().named(true),
        "KetamaBuilder { hash: Fnv1a64, hash_tag: None, named: true }",
    );
    shows(
        EnvoyRing::from_nodes(nodes).unwrap(),
        "EnvoyRing { nodes: 3, points: 1026, .. }",
    );
    shows(
        EnvoyRing::<&str>::grpc(),
        "EnvoyRingBuilder { min_ring_size: 1024, max_ring_size: 4096, ring_size_cap: 4096, .. }",
    );
    let maglev = || EnvoyMaglev::builder().table_size(101);
    shows(maglev(), "EnvoyMaglevBuilder { table_size: 101, .. }");
    shows(
        maglev().from_nodes(nodes).unwrap(),
        "EnvoyMaglev { nodes: 3, table_size: 101, .. }",
    );
    shows(
        HaproxyConsistent::<&str>::builder().ids([Some(7)]),
        "HaproxyConsistentBuilder { hash: None, avalanche: None, ids: Some([Some(7)]), .. }",
    );
    let haproxy = HaproxyConsistent::from_nodes(nodes).unwrap();
    begins(haproxy, "HaproxyConsistent { nodes: 3, points: ");
    shows(Jump::from_nodes(nodes).unwrap(), "Jump { nodes: 3, .. }");
}

#[test]
fn wrappers_show_the_strategy_inside() {
    const INSIDE: &str = "Rendezvous { nodes: 1, eligible: 1, .. }";
    let inside = || Rendezvous::from_nodes([Tracked::new("a")]).unwrap();
    let bounded = Bounded::new(inside(), 1.5).unwrap();
    let lease = bounded.acquire("k").unwrap();
    shows(&lease, "Lease(Tracked { node: \"a\", in_flight: 1, .. })");
    shows(
        &bounded,
        &format!(
            "Bounded {{ strategy: {INSIDE}, load_factor: 1.5, min_cap: 0, open_leases: 1, .. }}"
        ),
    );
    shows(
        Filtered::new(inside(), |_| true),
        &format!("Filtered {{ strategy: {INSIDE}, .. }}"),
    );
    shows(
        Spread::new(inside(), |_| 2),
        &format!("Spread {{ strategy: {INSIDE}, .. }}"),
    );
    shows(
        Zoned::new(inside(), |_| 0),
        &format!("Zoned {{ strategy: {INSIDE}, .. }}"),
    );
    let sticky = Sticky::new(inside(), 9, HOUR);
    shows(
        sticky,
        &format!("Sticky {{ strategy: {INSIDE}, capacity: 9, .. }}"),
    );
    shows(
        AnyStrategy::new(inside()),
        &format!("AnyStrategy({INSIDE})"),
    );
    let failover = Failover::new(vec![inside()]).overprovision(1.5).unwrap();
    let groups = format!("Failover {{ groups: [{INSIDE}], overprovision: Some(Overprovision(1.5))");
    begins(failover, &groups);
    let shared = Shared::new(inside());
    begins(
        &shared,
        &format!("Shared {{ version: 0, strategy: {INSIDE}"),
    );
}

#[test]
fn nodes_show_their_load() {
    let tracked = Tracked::new("a");
    let request = tracked.begin();
    shows(&tracked, "Tracked { node: \"a\", in_flight: 1, .. }");
    shows(&request, "InFlight { .. }");
    let reported = Reported::new("a", HOUR);
    begins(&reported, "Reported { node: \"a\", report: ");
    reported.report(2.5);
    assert!(format!("{reported:?}").contains("2.5"));
    let ewma = PeakEwma::new(Tracked::new("a"), HOUR).unwrap();
    begins(
        &ewma,
        "PeakEwma { node: Tracked { node: \"a\", in_flight: 0, .. }, seconds: ",
    );
    let warming = SlowStart::new(Tracked::new("a"), HOUR);
    begins(&warming, "SlowStart { node: Tracked { node: \"a\"");
}

#[test]
fn hashers_show_no_secret_and_migrations_show_how_far_they_are() {
    shows(SipHash13::new([7; 16]), "SipHash13 { .. }");
    shows(Mixed::from_fn(|_: &[u8]| 0), "Mixed { .. }");
    shows(Token::new(0xab), "Token(0x00000000000000ab)");
    let old = HashRing::from_nodes(["a"]).unwrap();
    let new = HashRing::from_nodes(["b"]).unwrap();
    let migration = old.diff(&new).unwrap();
    shows(
        &migration,
        "Migration { moves: 1, measure: 18446744073709551616, .. }",
    );
    shows(migration.moves(), "Moves { left: 1, .. }");
    let mut plan = migration.plan(3).unwrap();
    shows(
        &plan,
        "Plan { limit: 3, moves: 1, remaining: 1, in_flight: 0, .. }",
    );
    plan.start().unwrap();
    shows(
        &plan,
        "Plan { limit: 3, moves: 1, remaining: 1, in_flight: 1, .. }",
    );
    let epochs = Epochs::new(old, new);
    begins(
        &epochs,
        "Epochs { old_replicas: 1, new_replicas: 1, ranges: 1, done: 0.0, .. }",
    );
}
