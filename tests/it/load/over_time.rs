//! Loads over time: latency, reports, slow start. Time is run by hand.

#![cfg(feature = "std")]

use clockwise::load::Counted;
use clockwise::{
    ConfigError, Edit, Key, LeastLoaded, Load, PeakEwma, PowerOfTwo, Reported, SlowStart, Tracked,
};
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
        (0.0, 1.0, 1.0, 1.0), // once warm, the clock is not read
    ] {
        time.set(seconds(age));
        assert!(near(node.part(), straight), "{age}");
        assert!(near(early.part(), root), "{age}");
        assert!(near(late.part(), square), "{age}");
        assert!(near(node.warmth(), straight));
        assert_eq!(node.load(), 1.0, "slow start leaves the load as it is");
        assert_eq!(node.ramp(100), (100.0 * straight).round() as u32);
    }
    let node = SlowStart::with_clock(Server::new("new"), seconds(100.0), clock.clone());
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
fn loads_and_warmths_nest_and_forward() {
    let (_, clock) = clock();
    let server = Server::new("a");
    let inner = server.clone();
    let node = SlowStart::with_clock(
        PeakEwma::with_clock(server, seconds(10.0), clock.clone()).unwrap(),
        seconds(10.0),
        clock.clone(),
    );
    node.observe(seconds(0.5));
    inner.1.set(1);
    assert!(near(node.load(), 1.0)); // 0.5 s × 2 in flight
    assert!(near(node.warmth(), 0.1));
    assert_eq!(node.key_bytes().as_ref(), b"a");
    let twice = SlowStart::with_clock(node.clone(), seconds(10.0), clock.clone());
    assert!(near(twice.warmth(), 0.01));
    let outside = PeakEwma::with_clock(twice.clone(), seconds(10.0), clock).unwrap();
    assert!(near(outside.warmth(), 0.01));
    let forwarded: [&dyn Load; 3] = [&&node, &Box::new(node.clone()), &Rc::new(node.clone())];
    for load in forwarded {
        assert!(near(load.load(), 1.0) && near(load.warmth(), 0.1));
    }
}

/// A payload of the same name that can be told apart.
#[derive(Debug)]
struct Address(&'static str, u16);

impl Key for Address {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.0
    }
}

#[test]
fn what_a_member_measures_carries_over_to_the_payload_that_replaces_it() {
    let (time, _) = clock();
    // Clocks that start at different moments, as those of the system do.
    let started = |at: f64| {
        let time = Rc::clone(&time);
        move || time.get().saturating_sub(seconds(at))
    };
    let peak = |port, clock| {
        PeakEwma::with_clock(Tracked::new(Address("a", port)), seconds(10.0), clock).unwrap()
    };
    let slow =
        |port, at| SlowStart::with_clock(peak(port, started(at)), seconds(100.0), started(at));

    let mut nodes = LeastLoaded::with_seed(1);
    nodes.insert(slow(1, 0.0)).unwrap();
    let node = nodes.get("a").unwrap();
    time.set(seconds(2.0));
    let request = node.begin();
    time.set(seconds(35.0));
    let open = node.begin();
    time.set(seconds(40.0));
    drop(request);
    let expected = (node.load(), node.warmth());
    assert!(near(expected.0, 38.0 * 2.0) && near(expected.1, 0.4));

    let old = nodes.replace(slow(2, 40.0)).unwrap();
    let node = nodes.get("a").unwrap();
    assert_eq!((old.1, node.1), (1, 2));
    assert_eq!(
        (node.load(), node.warmth(), node.in_flight()),
        (expected.0, expected.1, 1)
    );
    time.set(seconds(70.0));
    assert!(near(node.warmth(), 0.7));
    let kept = 38.0 * (-3f64).exp();
    assert!(near(node.load(), kept)); // `open` is older than 2τ and does not weigh
    drop(open); // began on the old payload
    assert_eq!((node.in_flight(), old.in_flight()), (0, 0));
    let cost = kept + 35.0 * (1.0 - (-3f64).exp());
    assert!(near(node.load(), cost));

    nodes
        .set_nodes_with([(slow(3, 70.0), 1)], |present, listed| *present = listed)
        .unwrap();
    let node = nodes.get("a").unwrap();
    assert_eq!(node.1, 3);
    assert!(near(node.load(), cost) && near(node.warmth(), 0.7));
    time.set(seconds(101.0));
    assert_eq!(node.warmth(), 1.0);

    // A report is measured by the clock that it was made with.
    let reported = |port, at| {
        Reported::with_clock(Tracked::new(Address("a", port)), seconds(5.0), started(at))
    };
    let mut nodes = PowerOfTwo::with_seed(1);
    nodes.insert(reported(1, 0.0)).unwrap();
    nodes.get("a").unwrap().report(7.0);
    let open = nodes.get("a").unwrap().begin();
    nodes.apply([Edit::replace(reported(2, 101.0))]).unwrap();
    let node = nodes.get("a").unwrap();
    assert_eq!((node.1, node.fresh(), node.in_flight()), (2, Some(7.0), 1));
    drop(open);
    assert_eq!(node.in_flight(), 0);
    time.set(seconds(107.0));
    assert_eq!(node.fresh(), None);
}

#[test]
fn payloads_change_in_place_and_keep_what_is_measured() {
    let peak = PeakEwma::new(Tracked::new(Address("a", 1)), seconds(10.0)).unwrap();
    let mut nodes = LeastLoaded::with_seed(1);
    nodes.insert(SlowStart::new(peak, seconds(10.0))).unwrap();
    let request = nodes.get("a").unwrap().begin();
    nodes.get_mut("a").unwrap().1 = 2;
    let node = nodes.get("a").unwrap();
    assert_eq!((node.1, node.in_flight()), (2, 1));
    drop(request);
    let mut report = Reported::new(Tracked::new(Address("b", 1)), seconds(10.0));
    report.1 = 3;
    assert_eq!(report.1, 3);
}

#[test]
fn every_stack_counts_its_requests_through_the_trait() {
    fn held<N: Counted>(node: &N) -> [u32; 4] {
        let before = node.in_flight();
        let one = node.begin();
        let two = node.try_begin(2);
        let three = node.try_begin(2).is_some();
        let during = node.in_flight();
        drop((one, two));
        [before, during, u32::from(three), node.in_flight()]
    }
    let tracked = || Tracked::new("a");
    let peak = || PeakEwma::new(tracked(), seconds(10.0)).unwrap();
    let reported = || Reported::new(tracked(), seconds(10.0));
    let counts = [
        held(&tracked()),
        held(&peak()),
        held(&reported()),
        held(&SlowStart::new(tracked(), seconds(1.0))),
        held(&SlowStart::new(peak(), seconds(1.0))),
        held(&PeakEwma::new(reported(), seconds(10.0)).unwrap()),
        held(&SlowStart::new(
            PeakEwma::new(reported(), seconds(10.0)).unwrap(),
            seconds(1.0),
        )),
        held(&Arc::new(SlowStart::new(peak(), seconds(1.0)))),
    ];
    assert_eq!(counts, [[0, 2, 0, 0]; 8]);
}

#[test]
fn two_writers_never_put_an_older_number_under_a_newer_time() {
    // Each number is the time when it was reported.
    let start = std::time::Instant::now();
    let node = Reported::with_clock("a", Duration::MAX, move || start.elapsed());
    node.report(0.0);
    let nanos = |time: Duration| time.as_nanos() as f64;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    node.report(nanos(start.elapsed()));
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20_000 {
                let before = node.fresh().unwrap();
                assert!(before <= nanos(start.elapsed()));
            }
        });
    });
    let last = node.fresh().unwrap();
    node.report(-5.0);
    assert!(last > 0.0 && node.fresh() == Some(-5.0));
}
