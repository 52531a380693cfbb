//! Any node with a counter can be bounded, and its watch is told exactly once how a request ended.

use clockwise::load::{Counted, Counter, InFlightOf, Watch};
use clockwise::{
    AnyStrategy, Bounded, Edit, HashRing, Key, LeastLoaded, Load, Membership, PowerOfTwo,
    Rendezvous, Strategy, Tracked, load::InFlight,
};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

/// A node of one's own: counts, and writes down what its watches are told.
#[derive(Clone, Debug)]
struct Probe {
    name: &'static str,
    address: &'static str,
    requests: Counter,
    told: Arc<Mutex<Vec<&'static str>>>,
}

impl Probe {
    fn new(name: &'static str) -> Self {
        Probe {
            name,
            address: "10.0.0.1",
            requests: Counter::default(),
            told: Arc::default(),
        }
    }

    fn told(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

impl Key for Probe {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name
    }

    fn take_over(&mut self, present: &Self) {
        self.requests = present.requests.clone();
        self.told = Arc::clone(&present.told);
    }
}

impl Load for Probe {
    fn load(&self) -> f64 {
        f64::from(self.requests.get()) + 1.0
    }
}

impl Counted for Probe {
    type Watch = Log;

    fn counter(&self) -> &Counter {
        &self.requests
    }

    fn watch(&self) -> Log {
        assert!(self.requests.get() > 0, "counted before it is watched");
        Log(self.clone())
    }
}

struct Log(Probe);

impl Log {
    fn write(&self, what: &'static str) {
        assert!(self.0.requests.get() > 0, "still counted");
        self.0.told.lock().unwrap().push(what);
    }
}

impl Watch for Log {
    fn answered(&mut self) {
        self.write("answered");
    }
    fn failed(&mut self) {
        self.write("failed");
    }
    fn ended(&mut self) {
        self.write("ended");
    }
    fn expect_answer(&mut self) {
        self.write("expects an answer");
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn ring() -> HashRing<Probe> {
    HashRing::from_nodes(NAMES.map(Probe::new)).unwrap()
}

#[test]
fn a_guard_tells_its_watch() {
    let node = Probe::new("a");
    drop(node.begin());
    assert_eq!(node.told(), ["ended"]);
    let mut request = node.begin_async();
    assert_eq!(
        (node.told(), node.in_flight()),
        (vec!["expects an answer"], 1)
    );
    request.answered();
    request.failed();
    assert_eq!(
        (node.told(), node.in_flight()),
        (vec!["answered", "failed"], 1)
    );
    drop(request);
    assert_eq!((node.told(), node.in_flight()), (vec!["ended"], 0));

    let held: Vec<InFlightOf<Probe>> = (0..3).filter_map(|_| node.try_begin(2)).collect();
    assert_eq!((held.len(), node.in_flight()), (2, 2));
    assert!(node.told().is_empty(), "a refusal is not watched");
    drop(held);
    assert_eq!(node.told(), ["ended", "ended"]);
}

#[test]
fn a_lease_tells_its_watch_however_it_ends() {
    let bounded = Bounded::new(ring(), 1.25).unwrap();
    let node = bounded.route("key").unwrap().clone();
    let acquire = || bounded.acquire("key").unwrap();

    drop(acquire());
    assert_eq!(node.told(), ["ended"]);

    let mut lease = acquire();
    lease.expect_answer();
    lease.answered();
    lease.failed();
    assert_eq!(node.told(), ["expects an answer", "answered", "failed"]);
    drop(lease);
    assert_eq!(node.told(), ["ended"]);

    let mut request = acquire().into_in_flight();
    assert!(node.told().is_empty(), "handed over, not ended");
    request.answered();
    drop(request);
    assert_eq!(node.told(), ["answered", "ended"]);

    let (same, request) = acquire().into_parts();
    assert_eq!((same.name, same.in_flight()), (node.name, 1));
    assert_eq!(bounded.open_leases(), 1);
    std::thread::spawn(move || drop(request)).join().unwrap();
    assert_eq!(node.told(), ["ended"]);

    let panics = catch_unwind(AssertUnwindSafe(|| {
        let _lease = acquire();
        resume_unwind(Box::new("while it is held"));
    }));
    assert!(panics.is_err());
    assert_eq!(node.told(), ["ended"]);
    assert_eq!((node.in_flight(), bounded.open_leases()), (0, 0));
}

/// Holds 40 leases and checks that no node is above its part of them.
fn holds_its_caps<S>(strategy: S)
where
    S: Strategy<Node: Counted>,
{
    let bounded = Bounded::new(strategy, 1.25).unwrap();
    let held: Vec<_> = (0..40u32).filter_map(|_| bounded.acquire("hot")).collect();
    assert_eq!(held.len(), 40);
    bounded.for_each_member(&mut |member| assert!(member.node.in_flight() <= 13));
    assert_eq!(bounded.open_leases(), 40);
    drop(held);
    bounded.for_each_member(&mut |member| assert_eq!(member.node.in_flight(), 0));
    assert_eq!(bounded.open_leases(), 0);
}

/// Adds nodes of weight 1 to a strategy without members.
fn filled<S: Membership>(mut strategy: S, nodes: [S::Node; NAMES.len()]) -> S {
    strategy
        .set_nodes(nodes.into_iter().map(|node| (node, 1)).collect())
        .unwrap();
    strategy
}

#[test]
fn any_counted_node_can_be_bounded_in_any_strategy() {
    holds_its_caps(ring());
    holds_its_caps(filled(PowerOfTwo::with_seed(1), NAMES.map(Probe::new)));
    holds_its_caps(filled(
        LeastLoaded::with_seed(1),
        NAMES.map(|name| Box::new(Probe::new(name))),
    ));
    holds_its_caps(Rendezvous::from_nodes(NAMES.map(|name| Arc::new(Probe::new(name)))).unwrap());
    holds_its_caps(HashRing::from_nodes(NAMES.map(|name| Tracked::new(Arc::new(name)))).unwrap());
    let nodes = NAMES.map(Probe::new);
    holds_its_caps(HashRing::from_nodes(&nodes).unwrap());
    let boxed: Box<dyn Membership<Node = Probe> + Send + Sync> = Box::new(ring());
    holds_its_caps(boxed);
    holds_its_caps(AnyStrategy::new(ring()));
}

/// Twelve requests run while the node's address changes, in each way in which it can.
#[test]
fn a_cap_holds_while_the_payload_is_replaced() {
    let moved = || Probe {
        address: "10.0.9.9",
        ..Probe::new("a")
    };
    let replace: [fn(&mut HashRing<Probe>, Probe); 4] = [
        |ring, node| drop(ring.replace(node).unwrap()),
        |ring, node| drop(ring.apply([Edit::replace(node)]).unwrap()),
        |ring, node| {
            let others = NAMES[1..].iter().map(|name| (Probe::new(name), 1));
            let all = others.chain([(node, 1)]);
            ring.set_nodes_with(all, |present, listed| *present = listed)
                .unwrap();
        },
        |ring, node| {
            let all = NAMES[1..].iter().map(|name| (Probe::new(name), 1));
            let all = all.chain([(node, 1)]).collect();
            let ring: &mut dyn Membership<Node = Probe> = ring;
            ring.set_nodes_with(all, &mut |present, listed| *present = listed)
                .unwrap();
        },
    ];
    for replace in replace {
        let mut bounded = Bounded::new(ring(), 1.25).unwrap();
        let held: Vec<_> = (0..12).map(|_| bounded.get("a").unwrap().begin()).collect();
        replace(bounded.strategy_mut(), moved());
        let node = bounded.get("a").unwrap();
        assert_eq!((node.address, node.in_flight()), ("10.0.9.9", 12));
        let more: Vec<_> = (0..20).filter_map(|_| node.try_begin(20)).collect();
        assert_eq!(more.len(), 8);
        drop((held, more));
        assert_eq!(node.in_flight(), 0);
    }
}

#[test]
fn a_tracked_payload_is_changed_in_place_or_replaced_with_its_count() {
    let mut ring = HashRing::from_nodes(NAMES.map(|name| Tracked::new((name, 1u16)))).unwrap();
    let id = ("a", 1u16);
    let held: Vec<InFlight> = (0..12).map(|_| ring.get(&id).unwrap().begin()).collect();
    let old = ring.replace(Tracked::new(id)).unwrap();
    assert_eq!(
        (ring.get(&id).unwrap().in_flight(), old.in_flight()),
        (12, 12)
    );
    let node = ring.get(&id).unwrap();
    let more: Vec<InFlight> = (0..20).filter_map(|_| node.try_begin(20)).collect();
    assert_eq!(more.len(), 8, "a cap of 20 admits 20 in all");
    drop((held, more));
    assert_eq!(old.in_flight(), 0);

    let mut node = Tracked::new(Probe::new("a"));
    let request = Tracked::begin(&node);
    node.address = "10.0.9.9";
    assert_eq!((node.address, Tracked::in_flight(&node)), ("10.0.9.9", 1));
    // What is inside takes over, too.
    let mut next = Tracked::new(Probe::new("a"));
    let inside = Counted::begin(&*node);
    next.take_over(&node);
    assert_eq!((next.in_flight(), (*next).in_flight()), (1, 1));
    drop((request, inside));
    assert_eq!((next.in_flight(), (*next).in_flight()), (0, 0));
}

#[test]
fn a_counter_shows_its_count() {
    let node = Probe::new("a");
    let counter = node.requests.clone();
    let _request = node.begin();
    assert_eq!(counter.get(), 1);
    assert_eq!(format!("{counter:?}"), "Counter(1)");
    assert_eq!(Counter::new().get(), 0);
}
