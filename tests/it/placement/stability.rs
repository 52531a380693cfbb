//! The set, not the order: a ring is what its members are, whatever way led there.

use crate::common::hashers::Spoilt;
use crate::common::names::{self, STYLES};
use crate::common::node::Node;
use crate::common::random::Rng;
use crate::common::scaled;
use clockwise::{HashRing, KeyHasher, Xxh3};

type Ring = HashRing<Node, Spoilt>;

/// A set that was wanted: each node with its weight and whether it is drained.
type Wanted = Vec<(String, u32, bool)>;

fn empty(hasher: Spoilt, virtual_nodes: u32) -> Ring {
    let builder = HashRing::builder().virtual_nodes(virtual_nodes);
    builder
        .hasher(hasher)
        .build()
        .expect("at least 1 virtual node")
}

fn node(name: &str) -> Node {
    Node::new(name, 0)
}

/// A quarter of the sets under hashers with ties: 8 bits, 16 bits, constant.
fn draw(random: &mut Rng, set: usize) -> (Spoilt, u32, Wanted) {
    let hasher = match set % 12 {
        0 => Spoilt::Top8,
        4 => Spoilt::Top16,
        8 => Spoilt::Constant(random.next()),
        _ => Spoilt::Not,
    };
    let (style, count) = (*random.pick(&STYLES), random.between(1, scaled(12, 64, 64)));
    let names = names::nodes(style, count, random).into_iter();
    let wanted = names
        .map(|name| (name, random.between(1, 8) as u32, random.chance(8)))
        .collect();
    (hasher, random.between(1, scaled(16, 64, 64)) as u32, wanted)
}

/// Inserted one by one or all at once, in this order.
fn in_order(ring: &mut Ring, wanted: &Wanted, at_once: bool) {
    if at_once {
        let rows = wanted.iter().map(|(name, weight, _)| (node(name), *weight));
        ring.extend_weighted(rows).expect("all names are distinct");
    } else {
        for (name, weight, _) in wanted {
            ring.insert_weighted(node(name), *weight)
                .expect("all names are distinct");
        }
    }
    for (name, _, drained) in wanted {
        if *drained {
            ring.drain(name).expect("it is a member");
        }
    }
}

/// Some way to the set: with guests that leave, members that flap, weights and drains that come and
/// go.
fn by_a_detour(ring: &mut Ring, wanted: &Wanted, random: &mut Rng) {
    let mut wanted = wanted.clone();
    random.shuffle(&mut wanted);
    let guests = ["guest-1", "guest-2", "guest-3"];
    for guest in guests {
        ring.insert_weighted(node(guest), random.between(1, 4) as u32)
            .expect("a new guest");
    }
    let (first, rest) = wanted.split_at(random.below(wanted.len() + 1));
    for (name, weight, _) in first {
        match random.below(4) {
            0 => {
                ring.insert(node(name)).expect("a new node");
                ring.set_weight(name, *weight).expect("it is a member");
            }
            1 => {
                ring.insert_weighted(node(name), 3).expect("a new node");
                ring.remove(name).expect("it is a member");
                ring.insert_weighted(node(name), *weight)
                    .expect("it has left");
            }
            2 => {
                ring.insert_weighted(node(name), *weight)
                    .expect("a new node");
                ring.drain(name).expect("it is a member");
                ring.undrain(name).expect("it is a member");
            }
            _ => ring
                .insert_weighted(node(name), *weight)
                .expect("a new node"),
        }
    }
    if random.chance(2) {
        for guest in guests {
            ring.remove(guest).expect("the guest is there");
        }
        in_order(ring, &rest.to_vec(), random.chance(2));
    } else {
        let all = wanted.iter().map(|(name, weight, _)| (node(name), *weight));
        let changes = ring.set_nodes(all).expect("all names are distinct");
        assert_eq!(
            (changes.added(), changes.removed()),
            (rest.len(), guests.len())
        );
    }
    for (name, _, drained) in &wanted {
        if *drained {
            ring.drain(name).expect("it is a member");
        }
    }
}

fn owners<'a>(ring: &'a Ring, keys: &[String]) -> Vec<Option<&'a [u8]>> {
    keys.iter()
        .map(|key| ring.route(key).map(|node| &*node.id))
        .collect()
}

#[test]
fn insertion_order_and_history_are_irrelevant() {
    let sets = scaled(12, 24, 2000);
    let mut random = Rng::new(1);
    let keys = names::keys(scaled(50, 200, 1000), &mut random);
    for set in 0..sets {
        let (hasher, virtual_nodes, wanted) = draw(&mut random, set);
        let mut one = empty(hasher, virtual_nodes);
        in_order(&mut one, &wanted, true);
        let expected = owners(&one, &keys);
        let assert_same = |other: &Ring, way: &str| {
            assert_eq!(other.fingerprint(), one.fingerprint(), "set {set}, {way}");
            assert!(owners(other, &keys) == expected, "set {set}, {way}");
        };
        for permutation in 0..5 {
            let mut wanted = wanted.clone();
            random.shuffle(&mut wanted);
            let mut other = empty(hasher, virtual_nodes);
            in_order(&mut other, &wanted, permutation % 2 == 0);
            assert_same(&other, "permuted");
        }
        for _ in 0..5 {
            let mut other = empty(hasher, virtual_nodes);
            by_a_detour(&mut other, &wanted, &mut random);
            assert_same(&other, "by a detour");
        }
    }
    println!(
        "{sets} sets, 5 permutations and 5 detours each, {} keys",
        keys.len()
    );
}

#[test]
fn ten_thousand_flaps_restore_the_ring() {
    let flaps = scaled(500, 2_000, 10_000);
    for hasher in [Spoilt::Not, Spoilt::Top8] {
        let mut random = Rng::new(6);
        let nodes = names::nodes(STYLES[0], 6, &mut random);
        let keys = names::keys(500, &mut random);
        let mut ring = empty(hasher, 8);
        ring.extend_weighted(
            nodes
                .iter()
                .zip([1, 2, 3, 1, 2, 3])
                .map(|(name, w)| (node(name), w)),
        )
        .expect("all names are distinct");
        let before = ring.clone();
        for _ in 0..flaps {
            let name = random.pick(&nodes);
            let weight = ring.weight(name).expect("it is a member");
            let gone = ring.remove(name).expect("it is a member");
            assert_ne!(ring.fingerprint(), before.fingerprint());
            ring.insert_weighted(gone, weight).expect("it has left");
            assert_eq!(ring.fingerprint(), before.fingerprint());
        }
        assert_eq!(owners(&ring, &keys), owners(&before, &keys));
        assert!(ring.arcs().eq(before.arcs()));
        assert_eq!(ring.point_count(), before.point_count());
    }
}

/// The checksum as its documentation says it, so that another language can compute it.
#[test]
fn a_fingerprint_is_the_hash_of_what_it_says() {
    let mut ring = empty(Spoilt::Not, 7);
    ring.extend_weighted([
        (node("b"), 2),
        (node("a"), 1),
        (Node::new([0xff, 0], 0), 300),
    ])
    .expect("three nodes");
    ring.drain("a").expect("it is a member");
    let probe = Spoilt::Not.hash_bytes(b"clockwise probe");
    let expected = [
        &b"clockwise ring\0"[..],
        &[1],
        &7u64.to_le_bytes(),
        &probe.to_le_bytes(),
        &[&1u64.to_le_bytes()[..], b"a", &1u32.to_le_bytes(), &[1]].concat(),
        &[&1u64.to_le_bytes()[..], b"b", &2u32.to_le_bytes(), &[0]].concat(),
        &[
            &2u64.to_le_bytes()[..],
            &[0xff, 0],
            &300u32.to_le_bytes(),
            &[0],
        ]
        .concat(),
    ]
    .concat();
    assert_eq!(ring.fingerprint(), Xxh3::new().hash_bytes(&expected));
}

#[test]
fn a_fingerprint_tells_all_that_decides_owners_apart() {
    let mut seen = Vec::new();
    let mut note = |ring: &Ring, what: &str| {
        let fingerprint = ring.fingerprint();
        assert!(
            !seen.contains(&fingerprint),
            "{what} has the fingerprint of another ring"
        );
        seen.push(fingerprint);
    };
    let of = |hasher, virtual_nodes, rows: &[(&str, u32)]| {
        let mut ring = empty(hasher, virtual_nodes);
        ring.extend_weighted(rows.iter().map(|(name, w)| (node(name), *w)))
            .expect("distinct");
        ring
    };
    note(&of(Spoilt::Not, 8, &[]), "an empty ring");
    note(
        &of(Spoilt::Not, 9, &[]),
        "an empty ring of other virtual nodes",
    );
    note(&of(Spoilt::Not, 8, &[("ab", 1), ("c", 1)]), "a ring");
    note(
        &of(Spoilt::Not, 9, &[("ab", 1), ("c", 1)]),
        "one more virtual node",
    );
    note(
        &of(Spoilt::Top16, 8, &[("ab", 1), ("c", 1)]),
        "another hasher",
    );
    note(
        &of(Spoilt::Not, 8, &[("a", 1), ("bc", 1)]),
        "names cut elsewhere",
    );
    note(
        &of(Spoilt::Not, 8, &[("ab", 2), ("c", 1)]),
        "another weight",
    );
    note(
        &of(Spoilt::Not, 8, &[("ab", 1), ("c", 2)]),
        "weights exchanged",
    );
    let mut drained = of(Spoilt::Not, 8, &[("ab", 1), ("c", 1)]);
    drained.drain("ab").expect("it is a member");
    note(&drained, "one drained");
    drained.drain("c").expect("it is a member");
    note(&drained, "both drained");
}

#[test]
fn a_fingerprint_knows_neither_payload_nor_budget() {
    let mut one = empty(Spoilt::Not, 8);
    let mut other = HashRing::builder()
        .virtual_nodes(8)
        .hasher(Spoilt::Not)
        .max_points(9)
        .build()
        .expect("8 of 9 points");
    one.insert(Node::new("a", 1)).expect("a new node");
    other.insert(Node::new("a", 2)).expect("a new node");
    assert_eq!(one.fingerprint(), other.fingerprint());
    other.replace(Node::new("a", 3)).expect("it is a member");
    assert_eq!(one.fingerprint(), other.fingerprint());
}

/// A node's points depend on its own identity and weight, so no change of another node moves them.
#[test]
fn replacing_a_payload_moves_no_key() {
    let mut random = Rng::new(7);
    let keys = names::keys(1000, &mut random);
    let mut ring = empty(Spoilt::Not, 20);
    ring.extend_weighted((0..9).map(|i| (node(&format!("n{i}")), 1 + i % 3)))
        .expect("distinct");
    let before = ring.clone();
    for i in 0..9 {
        let old = ring.replace(Node::new(format!("n{i}"), 100 + i));
        assert_eq!(old.map(|node| node.payload), Ok(0));
    }
    assert_eq!(owners(&ring, &keys), owners(&before, &keys));
    assert!(ring.nodes().map(|node| node.payload).eq(100..109));
    assert!(
        before.nodes().all(|node| node.payload == 0),
        "a clone is independent"
    );
}
