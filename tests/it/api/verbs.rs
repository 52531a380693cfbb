//! Every strategy, placement and wrapper has the same verbs as methods of its own.
//!
//! No trait of the crate is imported here, so a verb that is missing does not compile.

#![cfg(all(feature = "shared", feature = "sticky"))]

use crate::common::random::Rng;
use clockwise::{
    AnyStrategy, Bounded, Changes, Edit, Failover, Filtered, HashRing, Key, KeyHasher, LeastLoaded,
    Load, Member, NodeError, PowerOfTwo, Rendezvous, RoundRobin, Shared, SlotTable, Spread, Sticky,
    Token, Tracked, WeightedRandom, Xxh3, Zoned,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A node with a name, an address that may change, and no load.
#[derive(Debug, Clone, PartialEq)]
struct Server {
    name: String,
    address: u32,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

type Node = Tracked<Server>;

fn server(name: &str, address: u32) -> Node {
    let name = name.to_owned();
    Tracked::new(Server { name, address })
}

fn named(names: &[&str]) -> Vec<Node> {
    names.iter().map(|name| server(name, 0)).collect()
}

fn names(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(|node| node.name.clone()).collect()
}

/// All verbs of routing and membership, in the order of use, on a strategy without members.
macro_rules! exercise {
    ($name:literal, $strategy:expr, weights: $weights:literal) => {{
        let mut s = $strategy;
        let name: &str = $name;
        // Nothing is there.
        assert!(s.is_empty(), "{name}");
        assert_eq!((s.len(), s.eligible()), (0, 0), "{name}");
        assert!(s.route("k").is_none() && s.replicas("k", 3).is_empty());
        assert!(s.route_where("k", |_| true).is_none());
        let token: Token = s.token("k");
        assert!(s.route_token(token).is_none());

        // Construct.
        s.insert(server("a", 0)).unwrap();
        s.insert_weighted(server("b", 0), if $weights { 2 } else { 1 }).unwrap();
        s.extend_weighted([(server("c", 0), 1), (server("d", 0), 1)]).unwrap();
        assert_eq!((s.len(), s.eligible()), (4, 4), "{name}");

        // Route.
        let owner = s.route("k").unwrap().name.clone();
        assert!(["a", "b", "c", "d"].contains(&&*owner));
        let other = s.route_where("k", |node| node.name != owner).unwrap();
        assert_ne!(other.name, owner, "{name}");
        let replicas = s.replicas("k", 9);
        assert_eq!(replicas.len(), 4, "{name}");
        let zone = |node: &Node| matches!(&*node.name, "a" | "b");
        let zones = s.replicas_across("k", 2, zone);
        assert_ne!(zone(zones[0]), zone(zones[1]), "{name}");
        assert_eq!(s.try_replicas_across("k", 2, zone).unwrap().len(), 2);
        let error = s.try_replicas_across("k", 3, zone).unwrap_err();
        assert_eq!((error.wanted, error.found), (3, 2), "{name}");

        // Look.
        assert!(s.contains("a") && !s.contains("x"));
        assert_eq!(s.get("b").map(|node| &*node.name), Some("b"));
        assert_eq!(s.weight("c"), Some(1));
        assert_eq!((s.is_drained("c"), s.is_drained("x")), (Some(false), None));

        // Change one by one.
        if $weights {
            s.set_weight("b", 3).unwrap();
            assert_eq!(s.weight("b"), Some(3));
        }
        s.drain("c").unwrap();
        s.drain("c").unwrap();
        assert_eq!((s.len(), s.eligible()), (4, 3), "{name}");
        s.undrain("c").unwrap();
        let request = s.get("d").unwrap().begin();
        let old = s.replace(server("d", 7)).unwrap();
        assert_eq!((old.address, s.get("d").unwrap().address), (0, 7));
        assert_eq!(s.get("d").unwrap().in_flight(), 1, "{name}: the count stays");
        drop(request);
        assert_eq!(s.get("d").unwrap().in_flight(), 0, "{name}");
        // The payload is reached through the count, and the identity that it came with counts.
        assert_eq!(s.get_mut("d").map(|node| node.address), Some(7));
        assert_eq!(s.remove("d").map(|node| node.address), Some(7));
        assert!(s.remove("d").is_none());

        // Change many at a time.
        assert_eq!(s.drain_where(|node| node.name != "a"), 2, "{name}");
        assert_eq!(s.drain_where(|node| node.name != "a"), 0, "{name}");
        assert_eq!(s.undrain_where(|node| node.name == "b"), 1, "{name}");
        assert_eq!((s.is_drained("b"), s.is_drained("c")), (Some(false), Some(true)));
        let gone = s.retain(|member: Member<'_, Node>| member.id != b"b");
        assert_eq!(names(&gone), ["b"]);
        let changes: Changes<Node> = s
            .apply([
                Edit::insert(server("e", 0), 1),
                Edit::remove("a"),
                Edit::undrain("c"),
                Edit::replace(server("c", 9)),
                Edit::drain("e"),
            ])
            .unwrap();
        assert_eq!(
            (changes.added(), changes.removed(), changes.undrained(), changes.replaced()),
            (1, 1, 1, 1),
            "{name}"
        );
        let (removed, replaced) = changes.into_parts();
        assert_eq!((names(&removed), names(&replaced)), (vec!["a".into()], vec!["c".into()]));
        assert_eq!(s.is_drained("e"), Some(true), "{name}");

        // Follow a list.
        let request = s.get("c").unwrap().begin();
        let list = || [(server("c", 1), 1), (server("f", 1), 1)];
        let changes = s.set_nodes(list()).unwrap();
        assert_eq!((changes.added(), changes.removed()), (1, 1), "{name}");
        assert_eq!(s.get("c").unwrap().address, 9, "{name}: a payload stays");
        s.set_nodes_with(list(), |present, listed| *present = listed).unwrap();
        assert_eq!(s.get("c").unwrap().address, 1, "{name}: or is merged");
        assert_eq!(s.get("c").unwrap().in_flight(), 1, "{name}: and keeps its count");
        drop(request);
        assert_eq!(s.get("c").unwrap().in_flight(), 0, "{name}");

        // Refused: a typed error that names the node, and nothing is changed.
        let before = s.len();
        let unknown = |result: Result<(), NodeError>| {
            let error = result.unwrap_err();
            assert!(matches!(&error, NodeError::Unknown { node, .. } if node == "x"), "{error}");
        };
        unknown(s.drain("x"));
        unknown(s.undrain("x"));
        unknown(s.set_weight("x", 1));
        unknown(s.replace(server("x", 0)).map(drop));
        unknown(s.apply([Edit::remove("c"), Edit::remove("x")]).map(drop));
        unknown(s.apply([Edit::insert(server("n", 0), 1), Edit::drain("x")]).map(drop));
        let twice = s.insert(server("c", 0)).unwrap_err();
        assert!(matches!(&twice, NodeError::Duplicate { node, .. } if node == "c"), "{twice}");
        let listed = s.set_nodes([(server("n", 0), 1), (server("n", 0), 1)]).unwrap_err();
        assert!(matches!(&listed, NodeError::Duplicate { node, .. } if node == "n"), "{listed}");
        let zero = s.insert_weighted(server("n", 0), 0).unwrap_err();
        assert!(matches!(&zero, NodeError::ZeroWeight { node, .. } if node == "n"), "{zero}");
        let empty = s.insert(server("", 0)).unwrap_err();
        assert_eq!(empty, NodeError::EmptyIdentity);
        assert_eq!((s.len(), s.contains("n"), s.contains("c")), (before, false, true), "{name}");

        // Leave.
        assert_eq!(names(&s.clear()), ["c", "f"], "{name}");
        assert!(s.is_empty() && s.route("k").is_none());
    }};
}

#[test]
fn every_strategy_and_placement_has_every_verb() {
    exercise!("hash ring", HashRing::new(), weights: true);
    exercise!("rendezvous", Rendezvous::new(), weights: true);
    exercise!("slot table", SlotTable::builder().slots(256).build().unwrap(), weights: true);
    exercise!("round-robin", RoundRobin::new(), weights: true);
    exercise!("weighted random", WeightedRandom::with_seed(1), weights: true);
    exercise!("least loaded", LeastLoaded::with_seed(1), weights: true);
    exercise!("two choices", PowerOfTwo::with_seed(1), weights: true);
    #[cfg(feature = "compat")]
    {
        use clockwise::compat::{EnvoyMaglev, EnvoyRing, HaproxyConsistent, Jump, Ketama, Nginx};
        exercise!("nginx", Nginx::new(), weights: true);
        exercise!("ketama", Ketama::new(), weights: true);
        exercise!("envoy ring", EnvoyRing::new(), weights: true);
        exercise!("envoy maglev", EnvoyMaglev::new(), weights: true);
        exercise!("haproxy", HaproxyConsistent::new(), weights: true);
        exercise!("jump", Jump::new(), weights: false);
    }
}

#[test]
fn every_wrapper_has_every_verb() {
    fn ring() -> HashRing<Node> {
        HashRing::builder().virtual_nodes(40).build().unwrap()
    }
    fn up(_: &Node) -> bool {
        true
    }
    let hour = Duration::from_secs(3600);
    exercise!("bounded", Bounded::new(ring(), 1.5).unwrap(), weights: true);
    exercise!("filtered", Filtered::new(ring(), up), weights: true);
    exercise!("failover", Failover::new(vec![ring(), ring()]), weights: true);
    exercise!("spread", Spread::new(ring(), |_: Token| 2), weights: true);
    exercise!("sticky", Sticky::new(ring(), 100, hour), weights: true);
    exercise!("any", AnyStrategy::new(ring()), weights: true);
    exercise!("zoned", Zoned::new(ring(), |node: &Node| node.name.len()), weights: true);
    exercise!(
        "a stack",
        Sticky::new(
            Bounded::new(
                Filtered::new(Failover::new(vec![AnyStrategy::new(ring())]), up),
                1.5
            )
            .unwrap(),
            100,
            hour
        ),
        weights: true
    );
}

#[test]
fn construction_from_nodes_is_the_same_everywhere() {
    macro_rules! construct {
        ($($Strategy:ty),*) => {$(
            let even = <$Strategy>::from_nodes(named(&["b", "a"])).unwrap();
            assert_eq!((even.len(), even.weight("a")), (2, Some(1)));
            let weighted = <$Strategy>::from_weighted([(server("a", 0), 1)]).unwrap();
            assert_eq!(weighted.weight("a"), Some(1));
            let error = <$Strategy>::from_nodes(named(&["a", "a"])).unwrap_err();
            assert!(matches!(&error, NodeError::Duplicate { node, .. } if node == "a"), "{error}");
            let mut order = names(&even.into_nodes());
            order.sort_unstable();
            assert_eq!(order, ["a", "b"]);
        )*};
    }
    construct!(
        HashRing<Node>,
        Rendezvous<Node>,
        SlotTable<Node>,
        RoundRobin<Node>,
        WeightedRandom<Node>,
        LeastLoaded<Node>,
        PowerOfTwo<Node>
    );
    let ring = HashRing::builder()
        .virtual_nodes(7)
        .from_weighted([("a", 2), ("b", 1)])
        .unwrap();
    assert_eq!(ring.point_count(), 21);
    let table = SlotTable::builder()
        .slots(16)
        .from_nodes(["a", "b"])
        .unwrap();
    assert_eq!(table.len(), 2);
    assert!(
        HashRing::builder()
            .virtual_nodes(0)
            .from_nodes(["a"])
            .is_err()
    );
    let twice = HashRing::builder().from_nodes(["a", "a"]).unwrap_err();
    assert!(twice.to_string().contains("`a`"), "{twice}");
}

#[test]
fn a_preference_begins_with_the_owner_and_lists_each_eligible_node_once() {
    macro_rules! preferences {
        ($($strategy:expr),*) => {$(
            let mut s = $strategy;
            s.extend_weighted(named(&["a", "b", "c", "d", "e"]).into_iter().map(|n| (n, 1))).unwrap();
            s.drain("c").unwrap();
            for key in 0..200u64 {
                let order: Vec<_> = s.preference(&key).map(|node| &*node.name).collect();
                assert_eq!(order.len(), 4);
                assert_eq!(s.preference(&key).len(), 4);
                assert_eq!(s.route(&key).map(|node| &*node.name), Some(order[0]));
                let replicas: Vec<_> = s.replicas(&key, 9).into_iter().map(|n| &*n.name).collect();
                assert_eq!(replicas, order);
                let token = s.token(&key);
                assert!(s.preference_token(token).eq(s.preference(&key)));
                let mut half = s.preference(&key);
                half.next();
                assert!(half.clone().eq(half));
                let mut asked = Vec::new();
                assert!(s.route_where(&key, |node| { asked.push(&*node.name); false }).is_none());
                assert_eq!(asked, order);
            }
        )*};
    }
    preferences!(
        HashRing::new(),
        Rendezvous::new(),
        SlotTable::builder().slots(64).build().unwrap()
    );
    #[cfg(feature = "compat")]
    {
        use clockwise::compat::{EnvoyMaglev, EnvoyRing, HaproxyConsistent, Jump, Ketama, Nginx};
        preferences!(
            Nginx::new(),
            Ketama::new(),
            EnvoyRing::new(),
            EnvoyMaglev::new(),
            HaproxyConsistent::new(),
            Jump::new()
        );
    }
}

// ---- apply equals its edits one by one ----------------------------------------------------------

fn edit(random: &mut Rng) -> Edit<&'static str> {
    const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", ""];
    let name = *random.pick(&NAMES);
    match random.below(6) {
        0 | 1 => Edit::insert(name, random.below(4) as u32),
        2 => Edit::remove(name),
        3 => Edit::set_weight(name, random.below(5) as u32),
        4 => Edit::drain(name),
        _ => Edit::undrain(name),
    }
}

/// The same edits, one `apply` each, up to the first that is refused.
fn one_by_one<H: KeyHasher>(
    ring: &mut HashRing<&'static str, H>,
    edits: &[Edit<&'static str>],
) -> Result<(), NodeError> {
    for edit in edits {
        ring.apply([edit.clone()])?;
    }
    Ok(())
}

#[test]
fn apply_equals_its_edits_one_by_one_or_changes_nothing() {
    let mut random = Rng::new(10);
    let (mut applied, mut refused) = (0, 0);
    for _ in 0..crate::common::scaled(300, 3000, 30_000) {
        let budget = HashRing::builder().virtual_nodes(3).max_points(40);
        let mut together = budget.build().unwrap();
        for _ in 0..random.below(6) {
            let edits: Vec<_> = (0..random.below(6)).map(|_| edit(&mut random)).collect();
            let before = together.clone();
            let mut single = together.clone();
            let expected = one_by_one(&mut single, &edits);
            let done = together.apply(edits.clone());
            assert_eq!(done.as_ref().err(), expected.as_ref().err(), "{edits:?}");
            let right = if done.is_ok() { &single } else { &before };
            assert_eq!(together.fingerprint(), right.fingerprint(), "{edits:?}");
            for key in 0..50u64 {
                assert_eq!(together.route(&key), right.route(&key), "{edits:?}");
            }
            if let Ok(changes) = done {
                applied += 1;
                let weights = |ring: &HashRing<&'static str>| -> Vec<_> {
                    ring.members()
                        .map(|m| (*m.node, m.weight, m.drained))
                        .collect()
                };
                let (old, new) = (weights(&before), weights(&together));
                let added = new.iter().filter(|n| !old.iter().any(|o| o.0 == n.0));
                let removed = old.iter().filter(|o| !new.iter().any(|n| o.0 == n.0));
                assert_eq!(changes.added(), added.count(), "{edits:?}");
                assert_eq!(changes.removed(), removed.count(), "{edits:?}");
            } else {
                refused += 1;
            }
        }
    }
    assert!(
        applied > 100 && refused > 100,
        "{applied} applied, {refused} refused"
    );
}

#[test]
fn many_edits_in_any_order_give_what_a_new_ring_has() {
    let mut ring = HashRing::from_nodes(0..200u64).unwrap();
    let edits = (0..100u64).map(|i| Edit::remove(&(2 * i)));
    let changes = ring.apply(edits).unwrap();
    assert_eq!(changes.removed(), 100);
    let fresh = HashRing::from_nodes((0..100u64).map(|i| 2 * i + 1)).unwrap();
    assert_eq!(ring.fingerprint(), fresh.fingerprint());
    assert!(ring.same_placement(&fresh));
    for key in 0..1000u64 {
        assert_eq!(ring.route(&key), fresh.route(&key));
    }
}

/// Panics at the n-th hash.
struct Fragile(std::cell::Cell<u32>);

impl KeyHasher for Fragile {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let left = self.0.get().checked_sub(1).expect("the hasher breaks");
        self.0.set(left);
        Xxh3::new().hash_bytes(bytes)
    }
}

#[test]
fn a_panic_in_the_hasher_leaves_everything_unchanged() {
    let mut ring = HashRing::builder()
        .virtual_nodes(8)
        .hasher(Fragile(u32::MAX.into()))
        .from_nodes(["a", "b", "c"])
        .unwrap();
    let before = ring.clone_members();
    for hashes in 0..16 {
        ring.hasher().0.set(hashes);
        let edits = [
            Edit::insert("d", 1),
            Edit::remove("a"),
            Edit::insert("e", 1),
        ];
        let done = catch_unwind(AssertUnwindSafe(|| ring.apply(edits)));
        ring.hasher().0.set(u32::MAX);
        assert!(done.is_err(), "16 points are hashed");
        assert_eq!(ring.clone_members(), before);
    }
    ring.apply([Edit::insert("d", 1), Edit::remove("a")])
        .unwrap();
    assert_eq!(ring.len(), 3);
}

trait Members {
    fn clone_members(&self) -> Vec<(&'static str, u32, bool)>;
}

impl<H: KeyHasher> Members for HashRing<&'static str, H> {
    fn clone_members(&self) -> Vec<(&'static str, u32, bool)> {
        self.members()
            .map(|m| (*m.node, m.weight, m.drained))
            .collect()
    }
}

#[test]
fn a_merge_that_panics_leaves_the_list_as_the_members() {
    let mut ring = HashRing::from_nodes(named(&["a", "b", "c"])).unwrap();
    let list = ["b", "c", "d"].map(|name| (server(name, 5), 1));
    let mut merged = 0;
    let done = catch_unwind(AssertUnwindSafe(|| {
        ring.set_nodes_with(list, |present, listed| {
            assert_eq!(merged, 0, "the second merge breaks");
            merged += 1;
            *present = listed;
        })
    }));
    assert!(done.is_err());
    let addresses: Vec<_> = ring
        .nodes()
        .map(|node| (&*node.name, node.address))
        .collect();
    assert_eq!(addresses, [("b", 5), ("c", 0), ("d", 5)]);
    let fresh = HashRing::from_nodes(named(&["b", "c", "d"])).unwrap();
    assert!(ring.same_placement(&fresh));
}

#[test]
fn a_node_whose_key_changes_remains_the_member_it_joined_as() {
    let mut stack = Bounded::new(HashRing::new(), 2.0).unwrap();
    stack
        .set_nodes(named(&["a", "b"]).into_iter().map(|node| (node, 1)))
        .unwrap();
    stack.get_mut("a").unwrap().name = "z".into();
    assert!(stack.contains("a") && !stack.contains("z"));
    assert_eq!((stack.weight("a"), stack.cap("a")), (Some(1), Some(1)));
    let mut sticky = Sticky::new(stack, 100, Duration::from_secs(60));
    let session = (0..100u64).find(|s| sticky.route(s).is_some_and(|node| node.name == "z"));
    let session = session.expect("one of 100 sessions is on `a`");
    sticky.insert(server("c", 0)).unwrap();
    assert_eq!(sticky.route(&session).map(|node| &*node.name), Some("z"));
    sticky.drain("a").unwrap();
    assert_eq!(sticky.route(&session).map(|node| &*node.name), Some("z"));
    sticky.remove("a").unwrap();
    assert_ne!(sticky.route(&session).map(|node| &*node.name), Some("z"));
}

#[test]
fn a_strategy_as_a_value_is_cloned_and_updated_in_shared() {
    let any: AnyStrategy<Node> = AnyStrategy::new(LeastLoaded::with_seed(3));
    let shared = Shared::new(Bounded::new(any, 2.0).unwrap());
    shared
        .try_update(|s| s.set_nodes(named(&["a", "b"]).into_iter().map(|node| (node, 1))))
        .unwrap();
    let snapshot = shared.load();
    let lease = snapshot.acquire("k").unwrap();
    let name = lease.node().name.clone();
    shared.update(|s| s.get_mut(&name).unwrap().address = 4);
    assert_eq!(shared.read(|s| s.get(&name).unwrap().in_flight()), 1);
    assert_eq!(
        (snapshot.get(&name).unwrap().address, shared.version()),
        (0, 2)
    );
    drop(lease);
    assert_eq!(shared.read(|s| s.get(&name).unwrap().load()), 1.0);
}

#[test]
fn the_order_of_a_slice_is_that_of_a_rendezvous_of_it() {
    let mut rng = Rng::new(4);
    for n in [0, 1, 2, 5, 30] {
        let nodes: Vec<u64> = (0..n).map(|_| rng.next()).collect();
        let strategy = Rendezvous::from_nodes(nodes.clone()).unwrap();
        for key in 0..100u64 {
            assert!(
                strategy
                    .preference(&key)
                    .eq(Rendezvous::order(&key, &nodes)),
                "{n}"
            );
        }
    }
}

#[test]
fn going_on_by_identity_offers_each_node_once_in_order() {
    let ring = HashRing::from_nodes(["a", "b", "c", "d"]).unwrap();
    for key in 0..100u64 {
        let mut tried: Vec<&str> = Vec::new();
        while let Some(node) = ring.route_except(&key, &tried) {
            tried.push(node);
        }
        assert!(ring.preference(&key).eq(&tried));
    }
    assert_eq!(ring.route_except("k", &["x"]), ring.route("k"));
}
