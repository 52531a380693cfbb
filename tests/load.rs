//! Loads over time: latency, reports, slow start. Time is run by hand.

#![cfg(feature = "std")]

use clockwise::{ConfigError, Key, LeastLoaded, Load, PeakEwma, PowerOfTwo, Reported, SlowStart};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A node with a number of requests in flight that the test sets.
#[derive(Debug, Clone)]
struct Server(&'static str, Rc<Cell<u32>>);

impl Server {
    fn new(name: &'static str) -> Self {
        Server(name, Rc::new(Cell::new(0)))
    }
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.0
    }
}

impl Load for Server {
    fn load(&self) -> f64 {
        f64::from(self.1.get()) + 1.0
    }
}

/// A clock and the hand that moves it.
fn clock() -> (Rc<Cell<Duration>>, impl Fn() -> Duration + Clone) {
    let time = Rc::new(Cell::new(Duration::ZERO));
    let hand = Rc::clone(&time);
    (hand, move || time.get())
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1e-9)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn latency_rises_at_once_and_falls_by_the_formula() {
    let (time, clock) = clock();
    let node = PeakEwma::with_clock(Server::new("a"), seconds(10.0), clock).unwrap();
    node.observe(seconds(0.1));
    assert!(near(node.load(), 0.1));

    // Reading decays as if a response of no time came.
    time.set(seconds(5.0));
    let mut cost = 0.1;
    assert!(near(node.load(), cost * (-0.5f64).exp()));

    node.observe(seconds(0.05)); // shorter: moves towards it
    cost = cost * (-0.5f64).exp() + 0.05 * (1.0 - (-0.5f64).exp());
    assert!(near(node.load(), cost));

    node.observe(seconds(3.0)); // longer: at once
    assert!(near(node.load(), 3.0));
    assert!(near(node.latency().as_secs_f64(), 3.0));

    node.1.set(4); // four in flight and the next
    assert!(near(node.load(), 15.0));
    time.set(seconds(15.0));
    assert!(near(node.load(), 15.0 * (-1.0f64).exp()));
}

#[test]
fn a_late_observation_decays_nothing_twice() {
    let (time, clock) = clock();
    let node = PeakEwma::with_clock(Server::new("a"), seconds(10.0), clock).unwrap();
    time.set(seconds(10.0));
    node.observe(seconds(4.0));
    time.set(seconds(5.0)); // another thread read the clock before, and comes after
    node.observe(seconds(1.0));
    assert!(near(node.load(), 4.0));
    time.set(seconds(10.0));
    assert!(near(node.load(), 4.0));
}

#[test]
fn a_node_without_history_is_tried_once_and_then_waited_for() {
    let (_, clock) = clock();
    let new = PeakEwma::with_clock(Server::new("new"), seconds(10.0), clock.clone()).unwrap();
    let slow = PeakEwma::with_clock(Server::new("slow"), seconds(10.0), clock).unwrap();
    slow.observe(seconds(60.0));
    let (new_inside, slow_inside) = (new.clone(), slow.clone());
    let mut nodes = LeastLoaded::with_seed(1);
    nodes.extend_weighted([(new, 1), (slow, 1)]).unwrap();
    assert_eq!(nodes.route("").unwrap().0, "new");
    new_inside.1.set(1); // in flight, not answered
    assert_eq!(nodes.route("").unwrap().0, "slow");
    slow_inside.1.set(100);
    assert_eq!(nodes.route("").unwrap().0, "slow");
    new_inside.observe(seconds(1.0));
    assert_eq!(nodes.route("").unwrap().0, "new");
}

#[test]
fn failures_do_not_look_fast() {
    let (_, clock) = clock();
    let broken = PeakEwma::with_clock(Server::new("broken"), seconds(10.0), clock.clone()).unwrap();
    let fine = PeakEwma::with_clock(Server::new("fine"), seconds(10.0), clock.clone()).unwrap();
    broken.observe_failure(Duration::from_micros(10)); // refused at once
    fine.observe(seconds(0.2));
    assert!(broken.load() > fine.load());
    assert!(near(broken.load(), 1.0));
    broken.observe_failure(seconds(7.0));
    assert!(near(broken.load(), 7.0));
    let cheap = PeakEwma::with_clock(Server::new("cheap"), seconds(10.0), clock).unwrap();
    let cheap = cheap.failure_cost(seconds(0.25));
    cheap.observe_failure(Duration::ZERO);
    assert!(near(cheap.load(), 0.25));
}

#[test]
fn latency_takes_any_time() {
    let (time, clock) = clock();
    let node =
        PeakEwma::with_clock(Server::new("a"), Duration::from_nanos(1), clock.clone()).unwrap();
    node.observe(Duration::ZERO);
    assert!(node.load() > 0.0 && node.load() < 1e-8);
    node.observe(Duration::MAX);
    assert!(node.load() > 1e18 && node.load().is_finite());
    assert!(node.latency() > Duration::from_secs(1 << 60));
    time.set(Duration::MAX);
    assert_eq!(node.load(), 0.0);
    assert_eq!(node.latency(), Duration::ZERO);
    time.set(Duration::ZERO); // a clock that goes back, against its contract
    assert!(node.load().is_finite());
    let error = PeakEwma::with_clock(Server::new("a"), Duration::ZERO, clock).unwrap_err();
    assert!(matches!(error, ConfigError::OutOfRange { .. }));
    assert_eq!(error.to_string(), "decay is 0, but must be above 0");
}

#[test]
fn the_system_clock_is_the_default() {
    fn shared<T: Send + Sync>(_: &T) {}
    let node: PeakEwma<&str> = PeakEwma::new("a", Duration::from_secs(3600)).unwrap();
    node.observe(seconds(1.0));
    assert!(node.latency() > seconds(0.9) && node.latency() <= seconds(1.0));
    let report: Reported<&str> = Reported::new("a", Duration::from_secs(3600));
    report.report(3.0);
    assert!(near(report.load(), 3.0));
    let slow: SlowStart<&str> = SlowStart::new("a", Duration::from_secs(3600));
    assert_eq!(slow.ramp(100), 10);
    shared(&node);
    shared(&report);
    shared(&slow);
}

#[test]
fn threads_observe_without_losing_the_peak() {
    let node: Arc<PeakEwma<&str>> =
        Arc::new(PeakEwma::new("a", Duration::from_secs(1_000_000)).unwrap());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let node = &node;
            scope.spawn(move || {
                for i in 0..1000 {
                    node.observe(Duration::from_millis(if thread == 2 && i == 500 {
                        900
                    } else {
                        1
                    }));
                }
            });
        }
    });
    // The test takes less than 10 s, which is e^(−0.00001) of the decay time.
    assert!(node.latency() > Duration::from_millis(899));
}

#[test]
fn reports_expire_and_silence_is_not_idleness() {
    let (time, clock) = clock();
    let node = |name: &'static str, load: Option<f64>| {
        let node = Reported::with_clock(name, seconds(5.0), clock.clone());
        if let Some(load) = load {
            node.report(load);
        }
        node
    };
    let mut nodes = LeastLoaded::with_seed(2);
    let (busy, silent) = (node("busy", Some(90.0)), node("silent", Some(1.0)));
    nodes
        .extend_weighted([
            (busy.clone(), 1),
            (silent.clone(), 1),
            (node("never", None), 1),
        ])
        .unwrap();
    assert_eq!(**nodes.route("").unwrap(), "silent");
    time.set(seconds(5.0));
    assert_eq!(silent.fresh(), Some(1.0)); // just in time
    busy.report(95.0);
    time.set(seconds(5.1));
    assert_eq!(**nodes.route("").unwrap(), "busy");
    assert_eq!(nodes.replicas("", 3).len(), 3); // last, but there
    time.set(seconds(50.0));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        seen.insert(**nodes.route("").unwrap());
    }
    assert_eq!(seen.len(), 3, "none reports: all are alike");
}

#[test]
fn odd_reports_have_their_place() {
    let (_, clock) = clock();
    for (report, first) in [
        (f64::NAN, "other"),
        (f64::INFINITY, "other"),
        (u64::MAX as f64, "other"),
        (-1.0, "odd"),
        (f64::NEG_INFINITY, "odd"),
    ] {
        let odd = Reported::with_clock("odd", Duration::MAX, clock.clone());
        odd.report(report);
        let other = Reported::with_clock("other", Duration::MAX, clock.clone()).stale_load(7.0);
        let mut nodes = PowerOfTwo::with_seed(3);
        nodes.extend_weighted([(odd, 1), (other, 1)]).unwrap();
        for _ in 0..10 {
            assert_eq!(**nodes.route("").unwrap(), first, "{report}");
        }
    }
}

#[test]
fn a_new_node_starts_slowly() {
    let (time, clock) = clock();
    let node = SlowStart::with_clock(Server::new("new"), seconds(100.0), clock.clone());
    let early = node.clone().aggression(2.0).unwrap();
    let late = node.clone().aggression(0.5).unwrap().floor(0.01).unwrap();
    for (age, straight, root, square) in [
        (0.0, 0.1, 0.1, 0.01),
        (5.0, 0.1, 0.05f64.sqrt(), 0.01),
        (25.0, 0.25, 0.5, 0.0625),
        (64.0, 0.64, 0.8, 0.4096),
        (100.0, 1.0, 1.0, 1.0),
        (1e9, 1.0, 1.0, 1.0),
    ] {
        time.set(seconds(age));
        assert!(near(node.part(), straight), "{age}");
        assert!(near(early.part(), root), "{age}");
        assert!(near(late.part(), square), "{age}");
        assert!(near(node.load(), 1.0 / straight));
        assert_eq!(node.ramp(100), (100.0 * straight).round() as u32);
    }
    time.set(Duration::ZERO);
    assert_eq!(
        [node.ramp(0), node.ramp(1), node.ramp(u32::MAX)],
        [0, 1, 429_496_730]
    );
    assert!(near(
        SlowStart::with_clock("x", Duration::ZERO, clock).part(),
        1.0
    ));
}

#[test]
fn a_warming_node_takes_its_part_of_the_requests() {
    let (time, clock) = clock();
    let new = SlowStart::with_clock(Server::new("new"), seconds(100.0), clock.clone());
    let old = SlowStart::with_clock(Server::new("old"), Duration::ZERO, clock);
    let mut nodes = LeastLoaded::with_seed(4);
    nodes.extend_weighted([(new, 1), (old, 1)]).unwrap();
    for (age, due) in [(0.0, 100), (25.0, 220), (50.0, 367), (100.0, 550)] {
        time.set(seconds(age));
        for node in nodes.nodes() {
            node.1.set(0);
        }
        for _ in 0..1100 {
            let node = nodes.route("").unwrap();
            node.1.set(node.1.get() + 1);
        }
        // Requests that stay divide as the parts do: 1:10, 1:4, 1:2, 1:1 of 1100.
        let taken = nodes.get("new").unwrap().1.get();
        assert!(taken.abs_diff(due) <= 1, "{taken} at {age}");
    }
}

#[test]
fn slow_start_settings_out_of_range_are_refused_by_name() {
    let node = || SlowStart::new("a", Duration::from_secs(1));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = node().aggression(bad).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("aggression is {bad}")),
            "{error}"
        );
    }
    for bad in [0.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        let error = node().floor(bad).unwrap_err().to_string();
        assert!(error.starts_with(&format!("floor is {bad}")), "{error}");
    }
}

#[test]
fn loads_nest_and_forward() {
    let (_, clock) = clock();
    let server = Server::new("a");
    let inner = server.clone();
    let node = SlowStart::with_clock(
        PeakEwma::with_clock(server, seconds(10.0), clock.clone()).unwrap(),
        seconds(10.0),
        clock,
    );
    node.observe(seconds(0.5));
    inner.1.set(1);
    assert!(near(node.load(), 10.0)); // 0.5 s × 2 in flight, at a tenth of its weight
    assert_eq!(node.key_bytes().as_ref(), b"a");
    let forwarded: [&dyn Load; 3] = [&&node, &Box::new(node.clone()), &Rc::new(node.clone())];
    assert!(forwarded.iter().all(|load| near(load.load(), 10.0)));
}
