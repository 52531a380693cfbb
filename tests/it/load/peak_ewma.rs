//! A node that does not answer draws no traffic, and one that answers keeps its share. In virtual
//! time, with fixed seeds.

#![cfg(feature = "std")]

use crate::common::random::Rng;
use clockwise::load::{Counted, InFlightOf};
use clockwise::{LeastLoaded, Load, PeakEwma, PowerOfTwo, Route, Strategy, Tracked};
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// A clock that the test moves.
#[derive(Clone)]
struct Hand(Rc<Cell<Duration>>);

impl clockwise::load::Clock for Hand {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

type Node = PeakEwma<Tracked<u32>, Hand>;

const TAU: f64 = 10.0;
const NODES: u32 = 4;
/// Seconds from a request to its answer, or the first byte of it.
const LATENCY: f64 = 0.02;

fn hand() -> Hand {
    Hand(Rc::new(Cell::new(Duration::ZERO)))
}

fn node(id: u32, hand: &Hand) -> Node {
    let tau = Duration::from_secs_f64(TAU);
    PeakEwma::with_clock(Tracked::new(id), tau, hand.clone()).unwrap()
}

/// What becomes of a request.
enum Fate {
    /// It is dropped after so many seconds.
    Ends(f64),
    /// It fails after so many seconds.
    Fails(f64),
    /// It is answered after [`LATENCY`], and ends after so many seconds.
    Streams(f64),
    /// It stays open.
    Never,
}

/// Sends requests to four nodes for some seconds, `rate` a second to each of them on average, and
/// passes the time and the node of each to `seen`.
fn simulate(
    strategy: &dyn Strategy<Node = Node>,
    hand: &Hand,
    rate: f64,
    seconds: f64,
    begin: fn(&Node) -> InFlightOf<Node>,
    fate: impl Fn(f64, u32, &mut Rng) -> Fate,
    mut seen: impl FnMut(f64, u32),
) {
    let mut random = Rng::new(9);
    // What happens next, by time and number: the guard, and whether it ends, is answered, or fails.
    let mut events: BTreeMap<(Reverse<u64>, u64), (InFlightOf<Node>, Fate)> = BTreeMap::new();
    let at = |time: f64, number: u64| {
        (
            Reverse(Duration::from_secs_f64(time).as_nanos() as u64),
            number,
        )
    };
    let mut leaked = Vec::new();
    let (mut now, mut number) = (0.0, 0);
    while now < seconds {
        now += random.exponential() / (rate * f64::from(NODES));
        while let Some(entry) = events.last_entry() {
            let Reverse(time) = entry.key().0;
            if time > Duration::from_secs_f64(now).as_nanos() as u64 {
                break;
            }
            hand.0.set(Duration::from_nanos(time));
            let ((_, number), (mut guard, fate)) = events.pop_last().unwrap();
            match fate {
                Fate::Ends(_) | Fate::Never => drop(guard),
                Fate::Fails(_) => guard.failed(),
                Fate::Streams(rest) => {
                    guard.answered();
                    events.insert(
                        at(time as f64 * 1e-9 + rest, number),
                        (guard, Fate::Ends(rest)),
                    );
                }
            }
        }
        hand.0.set(Duration::from_secs_f64(now));
        let chosen = strategy.route("").unwrap();
        let id = ***chosen;
        let guard = begin(chosen);
        seen(now, id);
        number += 1;
        match fate(now, id, &mut random) {
            Fate::Never => leaked.push(guard),
            Fate::Ends(after) => {
                events.insert(at(now + after, number), (guard, Fate::Ends(after)));
            }
            Fate::Fails(after) => {
                events.insert(at(now + after, number), (guard, Fate::Fails(after)));
            }
            Fate::Streams(length) => {
                drop(events.insert(
                    at(now + LATENCY, number),
                    (guard, Fate::Streams(length - LATENCY)),
                ));
            }
        }
    }
}

fn strategies(hand: &Hand) -> [(&'static str, Box<dyn Strategy<Node = Node>>); 2] {
    let mut least = LeastLoaded::with_seed(1);
    let mut two = PowerOfTwo::with_seed(2);
    for id in 0..NODES {
        least.insert(node(id, hand)).unwrap();
        two.insert(node(id, hand)).unwrap();
    }
    [
        ("least loaded", Box::new(least)),
        ("two choices", Box::new(two)),
    ]
}

/// A latency of mean [`LATENCY`].
fn latency(random: &mut Rng) -> f64 {
    LATENCY * (0.5 + random.unit())
}

/// The share of node 0 in the requests after `from` seconds.
fn share_after(
    from: f64,
    rate: f64,
    seconds: f64,
    begin: fn(&Node) -> InFlightOf<Node>,
    fate: impl Fn(f64, u32, &mut Rng) -> Fate,
) -> [(&'static str, f64); 2] {
    [0, 1].map(|which| {
        let hand = hand();
        let [first, second] = strategies(&hand);
        let (name, strategy) = if which == 0 { first } else { second };
        let mut counts = [0u32; NODES as usize];
        simulate(&*strategy, &hand, rate, seconds, begin, &fate, |now, id| {
            if now >= from {
                counts[id as usize] += 1;
            }
        });
        let all: u32 = counts.iter().sum();
        (name, f64::from(counts[0]) / f64::from(all))
    })
}

#[test]
fn a_node_that_hangs_gets_at_most_3_requests_of_200() {
    for rate in [1.0, 10.0, 50.0] {
        let seconds = 100.0 + 10_000.0 / rate;
        for timeout in [Some(1.0), Some(10.0), Some(60.0), None] {
            // Node 0 answers for 100 s, and hangs from then on.
            let fate = |now: f64, id: u32, random: &mut Rng| match timeout {
                _ if id > 0 || now < 100.0 => Fate::Ends(latency(random)),
                Some(timeout) => Fate::Fails(timeout),
                None => Fate::Never,
            };
            for (name, share) in share_after(100.0, rate, seconds, Node::begin, fate) {
                println!("{name}, {rate}/s, timeout {timeout:?}: {share}");
                assert!(
                    share <= 0.015,
                    "{name}, {rate}/s, timeout {timeout:?}: {share}"
                );
            }
        }
    }
}

#[test]
fn a_hung_node_whose_requests_are_cancelled_draws_no_traffic() {
    // Given up after 50 ms, which looks like an answer unless the guard expects one.
    let fate = |_: f64, id: u32, random: &mut Rng| match id {
        0 => Fate::Ends(0.05),
        _ => Fate::Streams(latency(random).max(LATENCY)),
    };
    for rate in [1.0, 10.0, 50.0] {
        for (name, share) in share_after(0.0, rate, 10_000.0 / rate, Node::begin_async, fate) {
            println!("{name}, {rate}/s: {share}");
            assert!(share <= 0.015, "{name}, {rate}/s: {share}");
        }
    }
}

#[test]
fn long_streams_keep_their_share() {
    for rate in [0.01, 0.1, 1.0, 10.0] {
        for answered in [true, false] {
            let fate = |_: f64, _: u32, random: &mut Rng| {
                let length = 30.0 * (0.5 + random.unit());
                if answered {
                    Fate::Streams(length)
                } else {
                    Fate::Ends(length)
                }
            };
            for (name, share) in share_after(0.0, rate, 10_000.0 / rate, Node::begin, fate) {
                println!("{name}, {rate}/s, {answered}: {share}");
                assert!(
                    (share * 4.0 - 1.0).abs() <= 0.05,
                    "{name}, {rate}/s: {share}"
                );
            }
        }
    }
}

#[test]
fn streams_among_other_requests_keep_their_share() {
    let fate = |_: f64, _: u32, random: &mut Rng| {
        if random.unit() < 0.1 {
            Fate::Streams(30.0 * (0.5 + random.unit()))
        } else {
            Fate::Ends(latency(random))
        }
    };
    for rate in [0.1, 1.0, 10.0] {
        for (name, share) in share_after(0.0, rate, 40_000.0 / rate, Node::begin, fate) {
            println!("mixed {name}, {rate}/s: {share}");
            assert!(
                (share * 4.0 - 1.0).abs() <= 0.05,
                "{name}, {rate}/s: {share}"
            );
        }
    }
}

#[test]
fn streams_on_one_node_alone_leave_it_its_share() {
    let fate = |_: f64, id: u32, random: &mut Rng| {
        if id == 0 && random.unit() < 0.1 {
            Fate::Streams(30.0)
        } else {
            Fate::Ends(latency(random))
        }
    };
    for rate in [0.1, 1.0, 10.0, 100.0] {
        let seconds = 30.0 + 40_000.0 / rate;
        for (name, share) in share_after(30.0, rate, seconds, Node::begin, fate) {
            println!("one streams {name}, {rate}/s: {share}");
            assert!(share * 4.0 >= 0.95, "{name}, {rate}/s: {share}");
        }
    }
}

#[test]
fn leaked_guards_take_nothing_from_the_share_of_a_node_after_two_tau() {
    for rate in [1.0, 10.0, 100.0, 1000.0] {
        // One guard of the first request of node 0, or one of ten in its first seconds.
        for (most, leaky) in [(1, 1.0), (50, 0.1)] {
            // If time goes back, another run has begun.
            let (last, leaked) = (Cell::new(0.0), Cell::new(0));
            let fate = |now: f64, id: u32, random: &mut Rng| {
                if now < last.replace(now) {
                    leaked.set(0);
                }
                let leaks = id == 0 && now < 2.0 * TAU && leaked.get() < most;
                if leaks && random.unit() <= leaky {
                    leaked.set(leaked.get() + 1);
                    Fate::Never
                } else {
                    Fate::Ends(latency(random))
                }
            };
            let from = 4.0 * TAU;
            let seconds = from + 40_000.0 / rate;
            for (name, share) in share_after(from, rate, seconds, Node::begin, fate) {
                println!("leak {name}, {most}, {rate}/s: {share}");
                assert!(share * 4.0 >= 0.95, "{name}, {most}, {rate}/s: {share}");
                assert!((1..=most).contains(&leaked.get()), "{name}, {rate}/s");
            }
        }
    }
}

#[test]
fn a_request_weighs_until_it_is_answered_or_fails_and_for_two_tau_at_most() {
    let hand = hand();
    let node = node(0, &hand);
    let weigh = |seconds: f64| {
        hand.0.set(Duration::from_secs_f64(seconds));
        node.observe(Duration::from_secs(1000)); // not silent, and the cost is 1000 s
        node.load() / 1000.0 - 1.0
    };
    let clone = node.clone();
    let (old, mut answered, mut failed) = (clone.begin(), node.begin(), node.begin_async());
    let (dropped, cancelled) = (node.begin(), node.begin_async());
    let untimed = Tracked::begin(&node); // not through the guards of `PeakEwma`
    assert_eq!(weigh(9.0), 6.0);
    answered.answered();
    assert_eq!((weigh(9.0), node.in_flight()), (5.0, 6));
    failed.failed();
    answered.failed();
    assert_eq!((weigh(9.0), node.in_flight()), (4.0, 6));
    drop((answered, failed));
    assert_eq!((weigh(9.0), node.in_flight()), (4.0, 4));
    drop((dropped, cancelled));
    assert_eq!((weigh(9.0), node.in_flight()), (2.0, 2));
    hand.0.set(Duration::from_secs(15));
    let young = node.begin();
    assert_eq!([15.0, 19.9, 20.1, 29.9].map(weigh), [3.0, 3.0, 2.0, 2.0]);
    assert_eq!(weigh(30.1), 1.0);
    assert_eq!((node.in_flight(), clone.load()), (3, node.load()));
    drop((old, young)); // too old to lower a count
    let fresh = node.begin();
    assert_eq!((weigh(30.2), node.in_flight()), (2.0, 2));
    drop((fresh, untimed));
    assert_eq!((weigh(1e9), node.in_flight()), (0.0, 0));
}

#[test]
fn a_busy_node_weighs_exactly_what_is_in_flight() {
    let hand = hand();
    let node = node(0, &hand);
    let mut random = Rng::new(4);
    let mut open: Vec<(f64, InFlightOf<Node>)> = Vec::new();
    let mut now = 0.0;
    for _ in 0..20_000 {
        now += random.exponential() / 1600.0;
        hand.0.set(Duration::from_secs_f64(now));
        open.retain(|(end, _)| *end > now);
        // 32 on average, some for a fraction of τ.
        open.push((now + LATENCY * random.exponential(), node.begin()));
        node.observe(Duration::from_secs(1000));
        assert_eq!(node.load(), 1000.0 * (open.len() as f64 + 1.0));
    }
}

#[test]
fn a_load_inside_that_is_not_above_1_stays() {
    let hand = hand();
    for (inside, seen) in [(0.25, 0.25), (-3.0, -3.0), (1.5, 1.0), (7.0, 5.0)] {
        let node = clockwise::Reported::with_clock(Tracked::new(0), Duration::MAX, hand.clone());
        node.report(inside);
        let node = PeakEwma::with_clock(node, Duration::from_secs(1), hand.clone()).unwrap();
        let streams = [node.begin(), node.begin()].map(|mut stream| {
            stream.answered();
            stream
        });
        node.observe(Duration::from_secs(1000));
        assert_eq!(node.load(), 1000.0 * seen);
        node.report(f64::NAN);
        assert!(!node.load().is_finite());
        drop(streams);
        node.report(inside);
        assert_eq!(node.load(), 1000.0 * inside);
    }
}

#[test]
fn a_node_that_recovers_gets_its_share_back_in_the_time_that_the_docs_say() {
    for timeout in [1.0, 10.0, 60.0] {
        let fate = |now: f64, id: u32, random: &mut Rng| {
            if id > 0 || !(100.0..400.0).contains(&now) {
                Fate::Ends(latency(random))
            } else {
                Fate::Fails(timeout)
            }
        };
        // The last request that hangs may begin right before 400 s.
        let back = 400.0 + timeout + TAU * (timeout / LATENCY).ln();
        for (name, share) in share_after(back, 10.0, back + 500.0, Node::begin, fate) {
            println!("recover {name}, timeout {timeout}: {share}");
            assert!(
                (share * 4.0 - 1.0).abs() <= 0.1,
                "{name}, timeout {timeout}: {share}"
            );
        }
    }
}

/// Seconds on the clock, and what a load must be then.
fn load_at(hand: &Hand, node: &Node, seconds: f64) -> f64 {
    hand.0.set(Duration::from_secs_f64(seconds));
    node.load()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * b.abs().max(1e-6)
}

#[test]
fn silence_is_never_cheap_and_trials_come_after_tau_and_then_twice_as_long_each() {
    let hand = hand();
    let node = node(0, &hand);
    let first = node.begin();
    hand.0.set(Duration::from_millis(20));
    drop(first);
    let mut open: Vec<_> = (0..100).map(|_| node.begin()).collect();
    let start = 0.02;
    let mut begun = vec![start; 100];
    // Those of the present window of τ and the one before it weigh.
    let weigh = |begun: &[f64], now: f64| {
        let window = |seconds: f64| (seconds / TAU).floor();
        let young = begun.iter().filter(|&&at| window(at) >= window(now) - 1.0);
        young.count() as f64 + 1.0
    };
    let base = |seconds: f64| 0.02 * (-(seconds - start) / TAU).exp();
    let mut seconds = start;
    for (number, trial) in [10.0, 20.0, 40.0, 80.0, 160.0].into_iter().enumerate() {
        // Silent until right before it.
        for part in [0.3, 0.6, 0.999] {
            let now = seconds + (start + trial - seconds) * part;
            let due = (now - start).max(base(now)) * weigh(&begun, now);
            assert!(near(load_at(&hand, &node, now), due), "{now}");
        }
        // Right after it; the last trial came as late, and that counts twice.
        seconds = start + trial * (1.0 + 1e-6 * (number + 1) as f64);
        let load = load_at(&hand, &node, seconds);
        assert!(
            near(load, base(seconds) * weigh(&begun, seconds)),
            "{trial}: {load}"
        );
        open.push(node.begin());
        begun.push(seconds);
        assert!(load_at(&hand, &node, seconds) > trial, "{trial}");
    }
    // One answer ends the silence, although all others are still open.
    let mut last = open.pop().unwrap();
    last.answered();
    drop(last);
    hand.0.set(Duration::from_secs_f64(seconds + 5.0));
    assert!(node.load() < 0.03 * (open.len() as f64 + 1.0));
}

#[test]
fn a_cost_that_decays_to_nothing_is_not_the_same_as_no_answer() {
    let hand = hand();
    let node =
        PeakEwma::with_clock(Tracked::new(0u32), Duration::from_millis(10), hand.clone()).unwrap();
    node.begin().answered();
    node.observe(Duration::from_millis(3));
    for seconds in [8.0, 1e3, 1e9] {
        hand.0.set(Duration::from_secs_f64(seconds));
        assert_eq!(node.load(), 0.0);
        let request = node.begin();
        assert!(node.load() < 1.0, "{}", node.load());
        drop(request);
    }
    let new: Node = self::node(1, &hand);
    let request = new.begin();
    assert!(new.load() > 1e9);
    drop(request);
}

#[test]
fn a_node_without_an_answer_is_tried_once_after_tau() {
    let hand = hand();
    let node = node(0, &hand);
    assert_eq!(node.load(), 0.0);
    let hung = node.begin();
    assert!(load_at(&hand, &node, 9.9) > 1e9);
    assert_eq!(load_at(&hand, &node, 10.1), 0.0);
    let trial = node.begin();
    assert!(load_at(&hand, &node, 20.0) > 1e9);
    drop((hung, trial));
    assert!(load_at(&hand, &node, 20.0) <= 20.0);
}

#[test]
fn a_guard_tells_how_its_request_went() {
    let hand = hand();
    let after = |seconds: f64| hand.0.set(hand.0.get() + Duration::from_secs_f64(seconds));
    let fresh = || node(0, &hand).failure_cost(Duration::from_secs(5));
    let seconds = |node: &Node| node.latency().as_secs_f64();

    let node = fresh();
    let request = node.begin();
    after(0.5);
    drop(request);
    assert!(near(seconds(&node), 0.5));

    let node = fresh();
    let mut stream = node.begin();
    after(0.5);
    stream.answered();
    assert!(near(seconds(&node), 0.5));
    after(1.0);
    stream.answered(); // counts once
    drop(stream);
    assert!(near(seconds(&node), 0.5 * (-0.1f64).exp()));
    assert_eq!(node.in_flight(), 0);

    let node = fresh();
    let mut quick = node.begin();
    quick.failed();
    quick.failed(); // counts once
    after(20.0);
    drop(quick);
    assert!(near(seconds(&node), 5.0 * (-2.0f64).exp()));

    let node = fresh();
    let mut slow = node.begin();
    after(7.0);
    slow.failed();
    assert!(near(seconds(&node), 7.0));

    let node = fresh();
    let cancelled = node.begin_async();
    after(0.05);
    drop(cancelled);
    assert!(near(seconds(&node), 5.0));

    let node = fresh();
    let mut answered = node.begin_async();
    after(0.05);
    answered.answered();
    after(30.0);
    drop(answered);
    assert!(near(seconds(&node), 0.05 * (-3.0f64).exp()));

    // A stream that breaks costs the failure, not its length.
    let node = fresh();
    let mut broken = node.begin();
    broken.answered();
    after(3600.0);
    broken.failed();
    assert!(near(seconds(&node), 5.0));

    let node = fresh();
    assert!(node.try_begin(0).is_none());
    let begun = node.try_begin(1).unwrap();
    assert!(node.try_begin(1).is_none());
    after(2.0);
    drop(begun);
    assert!(near(seconds(&node), 2.0));
}

#[test]
fn the_trait_and_the_methods_of_a_wrapped_node_begin_the_same_request() {
    fn through_the_trait<N: Counted>(node: &N) -> InFlightOf<N> {
        node.begin()
    }
    let hand = hand();
    let node = node(0, &hand);
    let request = through_the_trait(&node);
    assert_eq!((node.in_flight(), node.counter().get()), (1, 1));
    hand.0.set(Duration::from_secs(1));
    drop(request);
    assert_eq!(node.in_flight(), 0);
    assert!(near(node.latency().as_secs_f64(), 1.0));
}
