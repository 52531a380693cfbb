//! What holds for a single strategy at rest holds in every nesting, for clones, behind pointers,
//! and after refused changes.
#![cfg(all(feature = "std", feature = "sticky", feature = "shared"))]

use clockwise::load::{Counted, Counter};
use clockwise::wrappers::Lease;
use clockwise::{
    AnyStrategy, Bounded, Changes, Edit, Failover, Filtered, HashRing, Key, LeastLoaded, Load,
    Membership, NodeError, PeakEwma, PowerOfTwo, Rendezvous, RoundRobin, Shared, SlotTable, Spread,
    Sticky, Strategy, Token, Tracked, WeightedRandom, Zoned,
};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The groups of a failover check their parts group by group. The error is still that of the first
/// edit that is invalid, as on a ring.
#[test]
fn failover_names_the_first_edit_that_is_invalid() -> Outcome {
    let here = HashRing::from_nodes(["eu-1", "eu-2"])?;
    let there = HashRing::from_nodes(["us-1", "us-2"])?;
    let all = HashRing::from_nodes(["eu-1", "eu-2", "us-1", "us-2"])?;
    let groups = Failover::new(vec![here, there]);
    let bad: [&dyn Fn() -> Vec<Edit<&'static str>>; 4] = [
        &|| vec![Edit::set_weight("us-1", 0), Edit::set_weight("eu-1", 0)],
        &|| {
            vec![
                Edit::drain("eu-1"),
                Edit::set_weight("us-2", 0),
                Edit::remove("x"),
            ]
        },
        &|| vec![Edit::insert("y", 0), Edit::remove("x")],
        &|| {
            vec![
                Edit::remove("eu-1"),
                Edit::drain("eu-1"),
                Edit::set_weight("us-1", 0),
            ]
        },
    ];
    for edits in bad {
        let due = all.clone().apply(edits()).unwrap_err();
        let error = groups.clone().apply(edits()).unwrap_err();
        assert_eq!(error, due);
        let boxed: Vec<Box<dyn Membership<Node = &str>>> = vec![
            Box::new(groups.groups()[0].clone()),
            Box::new(groups.groups()[1].clone()),
        ];
        assert_eq!(Failover::new(boxed).apply(edits()).unwrap_err(), due);
    }
    Ok(())
}

/// Where a node finds the strategy that it is in.
type Place = Mutex<Option<Arc<Shared<HashRing<Chain>>>>>;

/// A node whose drop changes the membership that it was a copy in.
#[derive(Debug)]
struct Chain {
    name: &'static str,
    shared: Weak<Place>,
    drops: Arc<AtomicU64>,
}

impl Clone for Chain {
    fn clone(&self) -> Self {
        Chain {
            name: self.name,
            shared: self.shared.clone(),
            drops: Arc::clone(&self.drops),
        }
    }
}

impl Key for Chain {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        if self.drops.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let shared = shared.lock().unwrap().clone();
        if let Some(shared) = shared {
            shared.update(|ring| ring.drain_where(|_| true));
        }
    }
}

/// The copy that a failed or panicking change has left is dropped after the lock of the writers.
#[test]
fn the_drop_of_a_refused_copy_may_update() {
    for panics in [false, true] {
        let place = Arc::new(Mutex::new(None));
        let drops = Arc::new(AtomicU64::new(1));
        let node = Chain {
            name: "a",
            shared: Arc::downgrade(&place),
            drops: Arc::clone(&drops),
        };
        let ring = HashRing::from_nodes([node]).unwrap();
        let shared = Arc::new(Shared::new(ring));
        *place.lock().unwrap() = Some(Arc::clone(&shared));
        let (done, is_done) = mpsc::channel();
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let refused = panic::catch_unwind(AssertUnwindSafe(|| {
                    shared.try_update(|_| {
                        drops.store(0, Ordering::Relaxed);
                        assert!(!panics, "on purpose");
                        Err::<(), _>("refused")
                    })
                }));
                drops.store(1, Ordering::Relaxed);
                done.send(refused.is_err()).unwrap();
            }
        });
        let panicked = is_done.recv_timeout(Duration::from_secs(10));
        assert_eq!(panicked, Ok(panics), "a deadlock");
        thread.join().unwrap();
        assert_eq!(shared.version(), 1);
        assert_eq!(shared.read(HashRing::eligible), 0);
        *place.lock().unwrap() = None;
    }
}

/// Counts in a counter, but says something else when it is asked.
struct Silent(&'static str, Counter);

impl Key for Silent {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.0
    }
}

impl Counted for Silent {
    type Watch = ();
    fn counter(&self) -> &Counter {
        &self.1
    }
    fn watch(&self) {}
    fn in_flight(&self) -> u32 {
        0
    }
}

/// The caps go by the counters. What a node says of them cannot make a request wait for ever.
#[test]
fn a_node_that_denies_its_requests_blocks_nobody() -> Outcome {
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let ring =
            HashRing::from_nodes(["a", "b"].map(|name| Silent(name, Counter::new()))).unwrap();
        let bounded = Bounded::new(ring, 1.25).unwrap();
        let guards: Vec<_> = (0..40)
            .map(|i| bounded.get(["a", "b"][i % 2]).unwrap().begin())
            .collect();
        let leases: Vec<_> = (0..10).filter_map(|_| bounded.acquire("key")).collect();
        done.send((guards.len(), leases.len())).unwrap();
    });
    assert_eq!(is_done.recv_timeout(Duration::from_secs(10))?, (40, 10));
    Ok(())
}

/// A small generator: the numbers need only differ.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(z ^ (z >> 31)) * u128::from(bound)) >> 64) as u64
    }
}

/// A server whose first byte is its zone, with an address that may change.
#[derive(Debug, Clone, PartialEq)]
struct Server {
    name: String,
    address: u64,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

type Node = PeakEwma<Tracked<Server>>;
type Boxed = Box<dyn Membership<Node = Node> + Send + Sync>;

fn node(id: u64, address: u64) -> Node {
    let name = format!("{}{id}", (b'a' + (id % 3) as u8) as char);
    PeakEwma::new(
        Tracked::new(Server { name, address }),
        Duration::from_secs(10),
    )
    .unwrap()
}

fn zone(node: &Node) -> u8 {
    node.name.as_bytes()[0]
}

fn ring() -> HashRing<Node> {
    HashRing::builder().virtual_nodes(4).build().unwrap()
}

/// Everything that has one membership, in several nestings.
fn nestings() -> Vec<(&'static str, Boxed)> {
    let hour = Duration::from_secs(3600);
    let up = |_: &Node| true;
    vec![
        ("ring", Box::new(ring())),
        ("rendezvous", Box::new(Rendezvous::new())),
        (
            "table",
            Box::new(
                SlotTable::builder()
                    .slots(64)
                    .load_factor(1.25)
                    .build()
                    .unwrap(),
            ),
        ),
        ("turns", Box::new(RoundRobin::new())),
        ("random", Box::new(WeightedRandom::with_seed(1))),
        ("least", Box::new(LeastLoaded::with_seed(1))),
        ("two", Box::new(PowerOfTwo::with_seed(1))),
        ("any", Box::new(AnyStrategy::new(ring()))),
        ("box in box", Box::new(Box::new(ring()) as Boxed)),
        ("failover", Box::new(Failover::new(vec![ring(), ring()]))),
        (
            "failover in failover",
            Box::new(Failover::new(vec![
                Failover::new(vec![ring()]).overprovision(1.5).unwrap(),
            ])),
        ),
        (
            "the whole stack",
            Box::new(Sticky::new(
                Bounded::new(
                    Zoned::new(
                        Filtered::new(
                            Failover::new(vec![
                                AnyStrategy::new(Spread::new(ring(), |_| 2)),
                                AnyStrategy::new(LeastLoaded::with_seed(2)),
                            ])
                            .overprovision(1.4)
                            .unwrap(),
                            up,
                        ),
                        zone,
                    ),
                    1.25,
                )
                .unwrap()
                .min_cap(2),
                1000,
                hour,
            )),
        ),
    ]
}

/// What a change tells: the counts, and who left and was replaced.
type Told = ([usize; 6], Vec<String>, Vec<String>);

fn told(changes: Changes<Node>) -> Told {
    let counts = [
        changes.added(),
        changes.removed(),
        changes.reweighted(),
        changes.drained(),
        changes.undrained(),
        changes.replaced(),
    ];
    let names = |nodes: Vec<Node>| {
        let mut names: Vec<_> = nodes
            .iter()
            .map(|node| format!("{}@{}", node.name, node.address))
            .collect();
        names.sort();
        names
    };
    let (removed, replaced) = changes.into_parts();
    (counts, names(removed), names(replaced))
}

/// Name, address, weight, drained, requests in flight.
fn members(strategy: &(impl Strategy<Node = Node> + ?Sized)) -> Vec<(String, u64, u32, bool, u32)> {
    let mut members = Vec::new();
    strategy.for_each_member(&mut |member| {
        let node = member.node;
        let counted = node.in_flight();
        members.push((
            node.name.clone(),
            node.address,
            member.weight,
            member.drained,
            counted,
        ));
    });
    members
}

/// The same edits and lists, good and bad, through every nesting: the same members, addresses,
/// counts of requests, changes and errors as on a ring.
#[test]
fn every_nesting_changes_as_a_ring_does() {
    let mut random = Numbers(1);
    for round in 0..30 {
        let mut all = nestings();
        let mut guards = Vec::new();
        for step in 0..20 {
            let address = round * 100 + step;
            let mut edit = || {
                let (id, weight) = (random.below(7), random.below(20).min(4) as u32);
                let weight = if weight == 0 && random.below(2) == 0 {
                    1
                } else {
                    weight
                };
                move || {
                    let name = node(id, 0).name.clone();
                    match (id + u64::from(weight) + step) % 8 {
                        0..=2 => Edit::insert(node(id, address), weight),
                        3 => Edit::remove(&name),
                        4 => Edit::set_weight(&name, weight),
                        5 => Edit::drain(&name),
                        6 => Edit::undrain(&name),
                        _ => Edit::replace(node(id, address)),
                    }
                }
            };
            let edits: Vec<_> = (0..=step % 4).map(|_| edit()).collect();
            let listed: Vec<_> = (0..6)
                .map(|_| (random.below(7), 1 + random.below(3)))
                .collect();
            let kind = random.below(4);
            let mut due: Option<(Result<Told, String>, Vec<_>)> = None;
            for (name, strategy) in &mut all {
                let result = match kind {
                    0 => {
                        let list = listed.iter().map(|&(id, w)| (node(id, address), w as u32));
                        let merge: &mut dyn FnMut(&mut Node, Node) = &mut |present, listed| {
                            *present = listed;
                        };
                        let mut list: Vec<_> = list.collect();
                        if step % 3 > 0 {
                            list.sort_by(|a, b| a.0.name.cmp(&b.0.name));
                            list.dedup_by(|a, b| a.0.name == b.0.name);
                        }
                        strategy.set_nodes_with(list, merge)
                    }
                    _ => {
                        let edits: Vec<Edit<Node>> = edits.iter().map(|edit| edit()).collect();
                        let checked = strategy.check(&edits.iter().collect::<Vec<_>>());
                        let result = strategy.apply(edits);
                        assert_eq!(checked.as_ref().err(), result.as_ref().err(), "{name}");
                        result
                    }
                };
                // Of several faults in a list any may be named.
                let result = result.map(told).map_err(|error| match kind {
                    0 => String::new(),
                    _ => error.to_string(),
                });
                if let Some(id) = listed.first().map(|&(id, _)| node(id, 0).name.clone()) {
                    // One more request on this node, if it is a member, for ever.
                    if let Some(member) = strategy.member(id.as_bytes()) {
                        guards.push(Counted::begin(member.node));
                    }
                }
                let now = (result, members(&**strategy));
                match &due {
                    None => due = Some(now),
                    Some(due) => assert_eq!(&now, due, "{name}, {kind}, {round}, {step}"),
                }
            }
        }
    }
}

/// Which nodes are down, by id.
type Down = Arc<AtomicU64>;

type Deep = Bounded<Zoned<Filtered<Failover<AnyStrategy<Node>>, Up>, fn(&Node) -> u8>>;
type Up = Box<dyn Fn(&Node) -> bool + Send + Sync>;

fn deep(factor: f64, min_cap: u32, overprovision: bool, down: &Down) -> Deep {
    let groups = vec![
        AnyStrategy::new(ring()),
        AnyStrategy::new(Rendezvous::new()),
        AnyStrategy::new(SlotTable::builder().slots(64).build().unwrap()),
    ];
    let mut groups = Failover::new(groups);
    if overprovision {
        groups = groups.overprovision(1.25).unwrap();
    }
    let down = Arc::clone(down);
    let up: Up = Box::new(move |node: &Node| {
        let id: u64 = node.name[1..].parse().unwrap();
        down.load(Ordering::Relaxed) >> id & 1 == 0
    });
    let zoned = Zoned::new(Filtered::new(groups, up), zone as fn(&Node) -> u8);
    Bounded::new(zoned, factor).unwrap().min_cap(min_cap)
}

/// A member as the caps see it: id, weight, whether it can be offered, requests in flight.
type Row = (String, u32, bool, u32);

struct Caps {
    rows: Vec<Row>,
    open: u32,
    factor: f64,
    min_cap: u32,
}

impl Caps {
    fn of(bounded: &Deep, min_cap: u32, accept: impl Fn(&Node) -> bool) -> Self {
        let mut rows = Vec::new();
        bounded.for_each_member(&mut |member| {
            if !member.drained {
                let offered = bounded.admits(member.node) && accept(member.node);
                let name = member.node.name.clone();
                rows.push((name, member.weight, offered, member.node.in_flight()));
            }
        });
        let (open, factor) = (bounded.open_leases(), bounded.load_factor());
        Caps {
            rows,
            open,
            factor,
            min_cap,
        }
    }

    fn cap(&self, weight: u32) -> u32 {
        let sum = |all: bool| -> f64 {
            let rows = self.rows.iter().filter(|row| all || row.2);
            rows.map(|row| f64::from(row.1)).sum()
        };
        if sum(false) == 0.0 {
            return 0;
        }
        // All numbers are small and the factors dyadic, so products are exact.
        let fair = self.factor * f64::from((self.open + 1) * weight) / sum(false);
        let least = f64::from(self.min_cap * weight) * self.rows.len() as f64 / sum(true);
        fair.ceil().max(least.ceil()) as u32
    }

    /// The first node of the order that is below its cap.
    fn first<'a>(&self, mut order: impl Iterator<Item = &'a Node>) -> Option<&'a Node> {
        order.find(|node| {
            let row = self.rows.iter().find(|row| row.0 == node.name);
            row.is_some_and(|(_, weight, offered, n)| *offered && *n < self.cap(*weight))
        })
    }
}

/// With filters, zones, drained nodes, groups that share nodes, least caps, conditions, preferred
/// nodes and changes of members, each request goes where the formula says.
#[test]
fn caps_hold_in_any_stack_by_the_formula() {
    let mut random = Numbers(7);
    let mut checked = 0;
    for round in 0..100u64 {
        let down: Down = Arc::default();
        let (factor, min_cap) = (
            [1.25, 1.5, 2.0][(round % 3) as usize],
            [0, 0, 2, 8][(round % 4) as usize],
        );
        let mut bounded = deep(factor, min_cap, round % 2 == 0, &down);
        let groups = bounded
            .strategy_mut()
            .strategy_mut()
            .strategy_mut()
            .groups_mut();
        for (group, ids) in groups.iter_mut().zip([0..4, 3..9, 6..15]) {
            let weighted = ids.map(|id| (node(id, 0), 1 + random.below(3) as u32));
            group.extend_weighted(weighted).unwrap();
        }
        let mut leases = Vec::new();
        for step in 0..60u64 {
            let id = random.below(15);
            let name = node(id, 0).name.clone();
            match random.below(12) {
                0 => down.store(random.below(1 << 15), Ordering::Relaxed),
                1 => down.store(1 << id, Ordering::Relaxed),
                2 => drop(bounded.drain(&name)),
                3 => drop(bounded.undrain(&name)),
                4 => drop(bounded.remove(&name)),
                5 => drop(bounded.insert_weighted(node(id, step), 2)),
                6 => drop(bounded.set_weight(&name, 1 + random.below(4) as u32)),
                7 => drop(bounded.replace(node(id, step))),
                8 => leases.truncate(leases.len() / 2),
                _ => {}
            }
            for _ in 0..3 {
                let key = random.below(40);
                let inner = bounded.strategy();
                let order = || inner.replicas(&key, usize::MAX).into_iter();
                let odd =
                    |node: &Node| node.name.len() % 2 == 1 || node.name.as_bytes()[1] % 2 == 1;
                let kind = random.below(3);
                let caps = Caps::of(&bounded, min_cap, |node| kind != 1 || odd(node));
                let preferred = inner.member(name.as_bytes()).filter(|m| !m.drained);
                let preferred = preferred.map(|m| m.node);
                let due = match kind {
                    2 => caps.first(preferred.into_iter().chain(order())),
                    _ => caps.first(order()),
                };
                if kind != 1 {
                    for (name, weight, ..) in &caps.rows {
                        assert_eq!(bounded.cap(name), Some(caps.cap(*weight)), "{name}");
                    }
                    if kind == 0 {
                        let routed = bounded.route(&key).map(|node| &node.name);
                        let first = due.map(|node| &node.name);
                        // If all are full, those are ordered anew.
                        assert!(due.is_none() || routed == first, "{routed:?} {first:?}");
                    }
                }
                let any = caps.rows.iter().any(|row| row.2);
                let lease = match kind {
                    0 => bounded.acquire(&key),
                    1 => bounded.acquire_where(&key, odd),
                    _ => bounded.acquire_preferring(&name, &key),
                };
                assert_eq!(lease.is_some(), any, "{round} {step} {kind}");
                if let (Some(lease), Some(due)) = (&lease, due) {
                    assert_eq!(lease.name, due.name, "{round} {step} {kind}");
                    checked += 1;
                }
                leases.extend(lease.map(Lease::into_parts));
            }
        }
        assert_eq!(bounded.open_leases() as usize, leases.len());
        let nodes: Vec<Node> = leases.iter().map(|(node, _)| node.clone()).collect();
        drop(leases);
        assert!(nodes.iter().all(|node| node.in_flight() == 0));
        assert_eq!(bounded.open_leases(), 0);
    }
    assert!(checked > 7_000, "{checked}");
}

thread_local! {
    static RANDOM: RefCell<Numbers> = const { RefCell::new(Numbers(11)) };
}

fn any_of(values: &[f64]) -> f64 {
    RANDOM.with(|random| values[random.borrow_mut().below(values.len() as u64) as usize])
}

/// Says any number of itself, another one each time that it is asked.
#[derive(Debug, Clone)]
struct Fickle(u64);

impl Key for Fickle {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.0.to_le_bytes()
    }
}

const ODD: [f64; 9] = [
    0.0,
    -1.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.5,
    1.0,
    1e300,
    f64::MIN_POSITIVE,
];

impl Load for Fickle {
    fn load(&self) -> f64 {
        any_of(&ODD)
    }
    fn warmth(&self) -> f64 {
        any_of(&ODD)
    }
}

/// Checks that a pick offers so many nodes, each once, and that there is an owner.
fn offers_each_once(strategy: &dyn Strategy<Node = Fickle>, eligible: usize) {
    for place in 0..6 {
        let mut seen = BTreeSet::new();
        let token = Token::new(place << 60);
        let picked = strategy.pick(token, &mut |node| {
            assert!(seen.insert(node.0), "offered twice");
            false
        });
        assert_eq!((picked.is_none(), seen.len()), (true, eligible));
        assert_eq!(strategy.route_token(token).is_some(), eligible > 0);
    }
}

/// Loads and warmths that change at every look, by NaN and infinity too, neither hide a node nor
/// offer one twice.
#[test]
fn nodes_that_change_while_they_are_compared_are_offered_once_each() {
    for round in 0..150 {
        let mut random = Numbers(round);
        let count = random.below(90);
        let mut all: Vec<Box<dyn Membership<Node = Fickle>>> = vec![
            Box::new(LeastLoaded::with_seed(round)),
            Box::new(PowerOfTwo::with_seed(round)),
            Box::new(
                PowerOfTwo::with_seed(round)
                    .with_choices(1 + round as u32 % 16)
                    .unwrap(),
            ),
            Box::new(Spread::new(Rendezvous::new(), |token| {
                token.get() as usize % 50
            })),
            Box::new(Zoned::new(PowerOfTwo::with_seed(round), |node: &Fickle| {
                node.0 % 7
            })),
            Box::new(Zoned::new(
                Filtered::new(LeastLoaded::with_seed(round), |_: &Fickle| true),
                |node: &Fickle| node.0.min(9) / 3,
            )),
        ];
        let list: Vec<_> = (0..count)
            .map(|id| (Fickle(id), 1 + random.below(2000) as u32))
            .collect();
        let drained: Vec<u64> = (0..count).filter(|_| random.below(5) == 0).collect();
        for strategy in &mut all {
            strategy.set_nodes(list.clone()).unwrap();
            strategy
                .apply(drained.iter().map(Edit::drain).collect())
                .unwrap();
            offers_each_once(&**strategy, count as usize - drained.len());
        }
        // A filter that changes its mind hides some, and offers none twice.
        let strategy = Filtered::new(&all[0], |_: &Fickle| any_of(&ODD) > 0.2);
        let zoned = Zoned::new(strategy, |node: &Fickle| node.0 % 5);
        let mut seen = BTreeSet::new();
        zoned.pick(Token::new(round), &mut |node| {
            assert!(seen.insert(node.0), "offered twice");
            false
        });
    }
}

/// Requests through every wrapper while nodes, addresses, weights, sessions and snapshots change
/// and conditions panic: all members stay, and no count is left.
#[test]
fn no_count_is_left_by_a_storm_over_every_wrapper() {
    let groups = vec![
        AnyStrategy::new(ring()),
        AnyStrategy::new(PowerOfTwo::with_seed(1)),
        AnyStrategy::new(RoundRobin::new()),
    ];
    let mut groups = Failover::new(groups).overprovision(1.4).unwrap();
    for (group, ids) in groups.groups_mut().iter_mut().zip([0..6, 4..9, 8..14]) {
        group
            .extend_weighted(ids.map(|id| (node(id, 0), 1 + id as u32 % 3)))
            .unwrap();
    }
    let up: fn(&Node) -> bool = |node| node.load() < 1e9;
    let zoned = Zoned::new(Filtered::new(groups, up), zone as fn(&Node) -> u8);
    let bounded = Bounded::new(zoned, 1.25).unwrap().min_cap(2);
    let shared = Shared::new(Sticky::new(bounded, 500, Duration::from_secs(60)));
    let (stop, served) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for seed in 0..3 {
            let (shared, stop, served) = (&shared, &stop, &served);
            scope.spawn(move || {
                let mut random = Numbers(seed);
                let mut held = VecDeque::new();
                while !stop.load(Ordering::Relaxed) {
                    let (view, key) = (shared.load(), random.below(800));
                    let lease = match random.below(4) {
                        0 => view.acquire(&key),
                        1 => view.acquire_where(&key, |node| node.address % 2 == 0),
                        2 => {
                            let preferred = node(key % 14, 0).name.clone();
                            view.strategy().acquire_preferring(&preferred, &key)
                        }
                        _ => {
                            let panics = |_: &Node| panic::resume_unwind(Box::new("on purpose"));
                            let call = || drop(view.acquire_where(&key, panics));
                            assert!(panic::catch_unwind(AssertUnwindSafe(call)).is_err());
                            None
                        }
                    };
                    if let Some(mut lease) = lease {
                        served.fetch_add(1, Ordering::Relaxed);
                        match random.below(4) {
                            0 => lease.answered(),
                            1 => lease.failed(),
                            2 => lease.expect_answer(),
                            _ => {}
                        }
                        let (node, in_flight) = lease.into_parts();
                        assert!(node.in_flight() > 0);
                        held.push_back(in_flight);
                    }
                    held.drain(..held.len().saturating_sub(random.below(12) as usize));
                }
            });
        }
        let mut random = Numbers(99);
        let end = Instant::now() + Duration::from_secs(2);
        for address in 1.. {
            let id = random.below(14);
            let name = node(id, 0).name.clone();
            let changed = shared.try_update(|stack| {
                match random.below(8) {
                    0 => stack.drain(&name)?,
                    1 => stack.undrain(&name)?,
                    2 => stack.set_weight(&name, 1 + random.below(4) as u32)?,
                    3 => drop(stack.replace(node(id, address))?),
                    4 => {
                        let refused = [Edit::replace(node(id, address)), Edit::remove("x")];
                        assert!(stack.apply(refused).is_err());
                        return Err(NodeError::EmptyIdentity);
                    }
                    5 => {
                        let list = (0..14).map(|id| (node(id, address), 1 + id as u32 % 2));
                        stack.set_nodes_with(list, |present, listed| *present = listed)?;
                    }
                    6 => stack.get_mut(&name).unwrap().address = address,
                    _ => drop((stack.release(&name), stack.undrain_where(|_| true))),
                }
                Ok(())
            });
            assert!(changed.is_ok() || changed == Err(NodeError::EmptyIdentity));
            if Instant::now() > end {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let stack = shared.load();
    assert_eq!((stack.strategy().open_leases(), stack.len()), (0, 14));
    assert!(members(&*stack).iter().all(|member| member.4 == 0));
    assert!(served.load(Ordering::Relaxed) > 1000);
}
