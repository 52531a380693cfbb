//! A caller's code that panics: the hasher, a node's key, a predicate, `Clone`, `Drop`, the list
//! itself. Injected at the 1st to the 200th call: the ring is as it was before, every payload is
//! dropped exactly once, and the ring goes on working.

use crate::common::hashers::Spoilt;
use clockwise::{HashRing, Key, KeyHasher, NodeError};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

const CALLS: u32 = 200;

/// Counts down over the calls of one kind and panics at the last.
#[derive(Clone, Default)]
struct Fuse(Rc<Cell<u32>>);

impl Fuse {
    fn set(&self, calls: u32) {
        self.0.set(calls);
    }

    fn burn(&self) {
        match self.0.get() {
            0 => {}
            1 => {
                self.0.set(0);
                // As `panic!`, without a message and a backtrace for each of thousands.
                resume_unwind(Box::new("injected"));
            }
            left => self.0.set(left - 1),
        }
    }
}

/// What each payload's life came to, and where to panic.
#[derive(Clone, Default)]
struct World {
    drops: Rc<RefCell<BTreeMap<u64, u32>>>,
    born: Rc<Cell<u64>>,
    key: Fuse,
    clone: Fuse,
    drop: Fuse,
    hash: Fuse,
    list: Fuse,
}

impl World {
    fn payload(&self, id: &str) -> Payload {
        let serial = self.born.get();
        self.born.set(serial + 1);
        Payload {
            id: id.to_string(),
            serial,
            world: self.clone(),
        }
    }

    fn all_dropped_once(&self) {
        let drops = self.drops.borrow();
        for serial in 0..self.born.get() {
            assert_eq!(drops.get(&serial), Some(&1), "drops of payload {serial}");
        }
    }

    fn disarm(&self) {
        for fuse in [&self.key, &self.clone, &self.drop, &self.hash, &self.list] {
            fuse.set(0);
        }
    }
}

struct Payload {
    id: String,
    serial: u64,
    world: World,
}

impl Key for Payload {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.world.key.burn();
        self.id.as_bytes()
    }
}

impl Clone for Payload {
    fn clone(&self) -> Self {
        self.world.clone.burn();
        self.world.payload(&self.id)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        *self
            .world
            .drops
            .borrow_mut()
            .entry(self.serial)
            .or_default() += 1;
        self.world.drop.burn();
    }
}

#[derive(Clone)]
struct Hasher(Fuse);

impl KeyHasher for Hasher {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        self.0.burn();
        Spoilt::Not.hash_bytes(bytes)
    }
}

type Ring = HashRing<Payload, Hasher>;

/// Six nodes, one of them heavy, one drained.
fn ring(world: &World) -> Ring {
    let builder = HashRing::builder()
        .virtual_nodes(20)
        .hasher(Hasher(world.hash.clone()));
    let mut ring = builder.build().expect("20 points a node");
    let rows = [("a", 1), ("b", 2), ("c", 1), ("d", 3), ("e", 1), ("f", 1)];
    ring.extend_weighted(rows.map(|(id, weight)| (world.payload(id), weight)))
        .expect("distinct");
    ring.drain("e").expect("it is a member");
    ring
}

/// All there is to see, payloads included.
fn seen(ring: &Ring) -> impl PartialEq + std::fmt::Debug + use<> {
    let members: Vec<_> = ring
        .members()
        .map(|m| (m.node.id.clone(), m.node.serial, m.weight, m.drained))
        .collect();
    let arcs: Vec<_> = ring
        .arcs()
        .map(|arc| (arc.range.first(), arc.range.last(), arc.node.serial))
        .collect();
    (members, arcs, ring.point_count(), ring.fingerprint())
}

fn rows<'a>(
    world: &'a World,
    rows: &'a [(&str, u32)],
) -> impl Iterator<Item = (Payload, u32)> + use<'a> {
    rows.iter().map(|(id, weight)| {
        world.list.burn();
        (world.payload(id), *weight)
    })
}

type Change = fn(&mut Ring, &World) -> Result<(), NodeError>;

/// Every verb, and some that must fail.
const CHANGES: [(&str, Change); 15] = [
    ("insert", |ring, world| ring.insert(world.payload("x"))),
    ("insert_weighted", |ring, world| {
        ring.insert_weighted(world.payload("x"), 12)
    }),
    ("extend_weighted", |ring, world| {
        ring.extend_weighted(rows(
            world,
            &[("x", 1), ("0", 3), ("cc", 2), ("y", 4), ("z", 1)],
        ))
    }),
    ("set_nodes", |ring, world| {
        ring.set_nodes(rows(
            world,
            &[("f", 5), ("b", 2), ("z", 1), ("a", 3), ("e", 1), ("0", 2)],
        ))
        .map(drop)
    }),
    ("set_nodes, all others", |ring, world| {
        ring.set_nodes(rows(world, &[("x", 5), ("y", 2), ("z", 4)]))
            .map(drop)
    }),
    ("remove", |ring, _| {
        drop(ring.remove("d"));
        Ok(())
    }),
    ("set_weight up", |ring, _| ring.set_weight("a", 11)),
    ("set_weight down", |ring, _| ring.set_weight("d", 1)),
    ("drain", |ring, _| ring.drain("d")),
    ("undrain", |ring, _| ring.undrain("e")),
    ("replace", |ring, world| {
        ring.replace(world.payload("b")).map(drop)
    }),
    ("clear", |ring, _| {
        ring.clear();
        Ok(())
    }),
    ("refused: duplicate", |ring, world| {
        ring.extend_weighted(rows(world, &[("x", 1), ("y", 1), ("a", 1)]))
    }),
    ("refused: weight", |ring, world| {
        ring.set_nodes(rows(world, &[("x", 1), ("a", u32::MAX), ("y", 1)]))
            .map(drop)
    }),
    ("refused: unknown", |ring, world| {
        ring.replace(world.payload("x")).map(drop)
    }),
];

/// Every verb, with the 1st to the 200th call that this fuse counts panicking. Returns how many
/// panics there were.
fn inject(fuse: fn(&World) -> &Fuse, drops_may_panic: bool) -> u32 {
    let mut panics = 0;
    for (verb, change) in CHANGES {
        let world = World::default();
        let mut undisturbed = ring(&world);
        let done = change(&mut undisturbed, &world);
        assert_eq!(
            done.is_err(),
            verb.starts_with("refused"),
            "{verb}: {done:?}"
        );
        let after = seen(&undisturbed);
        for call in 1..=CALLS {
            let world = World::default();
            let mut ring = ring(&world);
            let before = seen(&ring);
            fuse(&world).set(call);
            let result = catch_unwind(AssertUnwindSafe(|| change(&mut ring, &world)));
            world.disarm();
            let now = seen(&ring);
            match &result {
                Ok(result) => assert!(now == after && *result == done, "{verb}, undisturbed"),
                // What is dropped after a change was made is the caller's affair: then it is made,
                // not half made.
                Err(_) if drops_may_panic => {
                    assert!(now == before || now == after, "{verb}, call {call}");
                }
                Err(_) => assert!(now == before, "{verb}, call {call}: {now:?}"),
            }
            ring.insert(world.payload("later")).expect("the ring works");
            assert!(ring.route("key").is_some());
            drop(ring);
            world.all_dropped_once();
            if result.is_ok() {
                break; // fewer calls than that
            }
            panics += 1;
        }
    }
    panics
}

#[test]
fn a_panicking_hasher_leaves_the_ring_as_it_was() {
    assert!(inject(|world| &world.hash, false) > 1000);
}

#[test]
fn a_panicking_key_leaves_the_ring_as_it_was() {
    assert!(inject(|world| &world.key, false) > 20);
}

#[test]
fn a_panicking_list_leaves_the_ring_as_it_was() {
    assert!(inject(|world| &world.list, false) > 15);
}

#[test]
fn a_panicking_drop_leaves_the_ring_as_it_was_or_as_it_was_to_be() {
    assert!(inject(|world| &world.drop, true) > 20);
}

#[test]
fn a_panicking_drop_of_the_ring_drops_the_other_payloads() {
    for call in 1..=6 {
        let world = World::default();
        let ring = ring(&world);
        world.drop.set(call);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(ring))).is_err());
        world.all_dropped_once();
    }
}

#[test]
fn a_panicking_clone_leaves_the_ring_as_it_was() {
    for call in 1..=CALLS {
        let world = World::default();
        let ring = ring(&world);
        let before = seen(&ring);
        world.clone.set(call);
        let clone = catch_unwind(AssertUnwindSafe(|| ring.clone()));
        world.disarm();
        assert!(seen(&ring) == before);
        if call <= 6 {
            assert!(clone.is_err(), "there are six payloads to clone");
        } else {
            let clone = clone.expect("there are six payloads to clone");
            assert_eq!(clone.fingerprint(), ring.fingerprint());
        }
        drop(ring);
        world.all_dropped_once();
    }
}

#[test]
fn a_panicking_predicate_or_domain_disturbs_nobody() {
    let world = World::default();
    let ring = ring(&world);
    let before = seen(&ring);
    for call in 1..=CALLS {
        let fuse = Fuse::default();
        fuse.set(call);
        let refuse = |_: &Payload| {
            fuse.burn();
            false
        };
        let result = catch_unwind(AssertUnwindSafe(|| {
            ring.route_where("key", refuse).is_none()
        }));
        assert_eq!(result.is_err(), call <= 5, "five nodes are eligible");
        fuse.set(call);
        let zone = |node: &Payload| {
            fuse.burn();
            node.serial % 2
        };
        let result = catch_unwind(AssertUnwindSafe(|| {
            ring.replicas_across("key", 5, zone).len()
        }));
        assert_eq!(result.ok(), (call > 5).then_some(5));
        assert!(seen(&ring) == before);
    }
    drop(ring);
    world.all_dropped_once();
}

/// A batch that panics in the middle leaves the output with the whole blocks so far, and the ring
/// alone.
#[test]
fn a_panicking_hasher_disturbs_no_routing() {
    let world = World::default();
    let ring = ring(&world);
    let keys: Vec<u64> = (0..CALLS.into()).collect();
    let expected: Vec<Option<u64>> = keys
        .iter()
        .map(|key| ring.route(key).map(|node| node.serial))
        .collect();
    let mut out = Vec::new();
    for call in 1..=CALLS {
        world.hash.set(call);
        assert!(catch_unwind(AssertUnwindSafe(|| ring.route_batch(&keys, &mut out))).is_err());
        assert_eq!(out.len(), (call as usize - 1) / 32 * 32);
    }
    world.disarm();
    ring.route_batch(&keys, &mut out);
    assert!(
        out.iter()
            .map(|owner| owner.map(|node| node.serial))
            .eq(expected)
    );
}
