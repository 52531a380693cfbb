//! Other rings, reproduced through `KeyHasher::hash_points`, and hashers that break its rules. The
//! oracle is a `BTreeSet` of points that uses none of the crate's code.

use crate::common::hashers::{fnv1a, good};
use crate::common::random::Rng;
use clockwise::{
    Bounded, HashRing, Key, KeyHasher, Mixed, Rendezvous, SlotTable, Token, Tracked, Xxh3,
    error::RestoreError,
};
use siphasher::sip::SipHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

// ---- the rings that are left --------------------------------------------------------------------

/// A vector database's: `SipHash-2-4` of (shard, index), and of the key.
#[derive(Clone, Copy, Debug, Default)]
struct Shards;

impl KeyHasher for Shards {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        SipHasher::new().hash(bytes)
    }

    fn hash_points(&self, shard: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
        for i in 0..count {
            point(self.hash_bytes(&[shard, &i.to_le_bytes()].concat()));
        }
    }
}

fn shard_points(shard: &[u8], count: u32) -> Vec<u64> {
    let shard = u32::from_le_bytes(shard.try_into().expect("4 bytes"));
    (0..count)
        .map(|i| SipHasher::new().hash(&(u64::from(shard) | u64::from(i) << 32).to_le_bytes()))
        .collect()
}

/// A cache's: a hash of the text `name#i`, one of its own for keys.
#[derive(Clone, Copy, Debug, Default)]
struct Names;

impl KeyHasher for Names {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        Xxh3::with_seed(7).hash_bytes(bytes)
    }

    fn hash_points(&self, name: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
        let mut text = name.to_vec();
        text.push(b'#');
        let prefix = text.len();
        for i in 0..count {
            text.truncate(prefix);
            text.extend(i.to_string().bytes());
            point(good(&text));
        }
    }
}

fn named_points(name: &[u8], count: u32) -> Vec<u64> {
    let name = std::str::from_utf8(name).expect("text");
    (0..count)
        .map(|i| good(format!("{name}#{i}").as_bytes()))
        .collect()
}

// ---- the oracle ---------------------------------------------------------------------------------

#[derive(Clone, Copy)]
struct Member {
    weight: u32,
    drained: bool,
}

struct Oracle {
    points_of: fn(&[u8], u32) -> Vec<u64>,
    virtual_nodes: u32,
    members: BTreeMap<Vec<u8>, Member>,
}

impl Oracle {
    fn points(&self) -> BTreeSet<(u64, &[u8])> {
        let eligible = self.members.iter().filter(|(_, member)| !member.drained);
        eligible
            .flat_map(|(id, member)| {
                let points = (self.points_of)(id, self.virtual_nodes * member.weight);
                points.into_iter().map(move |point| (point, &**id))
            })
            .collect()
    }

    /// The first `n` eligible identities in the order in which a walk from `token` meets them.
    fn preference<'a>(points: &BTreeSet<(u64, &'a [u8])>, token: u64, n: usize) -> Vec<&'a [u8]> {
        let start: (u64, &[u8]) = (token, &[]);
        let walk = points.range(start..).chain(points.range(..start));
        let mut met = BTreeSet::new();
        walk.map(|&(_, id)| id)
            .filter(|id| met.insert(*id))
            .take(n)
            .collect()
    }
}

fn id<N: Key>(node: &N) -> Vec<u8> {
    node.key_bytes().as_ref().to_vec()
}

/// Every answer of `ring` is the oracle's.
fn agree<N, H>(ring: &HashRing<N, H>, oracle: &Oracle, hasher: &H)
where
    N: Key + Clone + std::fmt::Debug,
    H: KeyHasher + Clone,
{
    let points = oracle.points();
    let some = points.iter().map(|&(point, _)| point);
    let edges = some
        .take(200)
        .flat_map(|at| [at.wrapping_sub(1), at, at.wrapping_add(1)]);
    let keys = (0..500).map(|i| ring.token(&format!("user:{i}")).get());
    for token in edges.chain(keys).chain([0, u64::MAX]) {
        let expected = Oracle::preference(&points, token, 1);
        let owner = ring.route_token(Token::new(token)).map(id);
        assert_eq!(owner.as_deref(), expected.first().copied(), "{token:#x}");
    }
    let eligible = oracle
        .members
        .values()
        .filter(|member| !member.drained)
        .count();
    for i in 0..200 {
        let key = format!("user:{i}");
        let token = ring.token(&key);
        let expected = Oracle::preference(&points, token.get(), usize::MAX);
        let whole: Vec<_> = ring.preference(&key).map(id).collect();
        assert_eq!(whole, expected, "{key}");
        assert_eq!(whole.len(), eligible);
        assert_eq!(ring.replicas(&key, 3).len(), eligible.min(3));
        let second = ring.route_where(&key, |node| id(node) != expected[0]);
        assert_eq!(second.map(id).as_deref(), expected.get(1).copied());
    }
    // Drained members are passed over where their points are, so those are made anew.
    let why = ring.explain("user:0");
    assert_eq!(why.owner().map(id), ring.route("user:0").map(id));
    let owned: u128 = ring
        .members()
        .filter_map(|member| ring.measure(&id(member.node)))
        .sum();
    assert_eq!(owned, if eligible == 0 { 0 } else { 1 << 64 });
    assert_eq!(ring.losses().len(), ring.len());

    let again = HashRing::restore(ring.snapshot(), hasher.clone()).expect("its own hasher");
    assert_eq!(again.fingerprint(), ring.fingerprint());
    let arcs = |ring: &HashRing<N, H>| -> Vec<_> { ring.arcs().map(|arc| id(arc.node)).collect() };
    assert_eq!(arcs(&again), arcs(ring));
}

/// A history of changes, compared after each; and the difference that each makes.
fn is_reproduced<N, H>(
    hasher: &H,
    virtual_nodes: u32,
    points_of: fn(&[u8], u32) -> Vec<u64>,
    node: impl Fn(usize) -> N,
) where
    N: Key + Clone + std::fmt::Debug,
    H: KeyHasher + Clone,
{
    let mut ring = HashRing::builder()
        .virtual_nodes(virtual_nodes)
        .hasher(hasher.clone())
        .build()
        .expect("a valid configuration");
    let members = BTreeMap::new();
    let mut oracle = Oracle {
        points_of,
        virtual_nodes,
        members,
    };
    let mut random = Rng::new(u64::from(virtual_nodes));
    for _ in 0..30 {
        let (old, old_points) = (ring.clone(), to_owned(&oracle.points()));
        let new = node(random.below(12));
        let key = id(&new);
        let weight = random.between(1, 3) as u32;
        match oracle.members.get_mut(&key) {
            None => {
                ring.insert_weighted(new, weight).expect("a valid node");
                let drained = false;
                oracle.members.insert(key, Member { weight, drained });
            }
            Some(member) => match random.below(4) {
                0 => {
                    ring.set_weight(&key, weight).expect("a member");
                    member.weight = weight;
                }
                1 => {
                    ring.drain(&key).expect("a member");
                    member.drained = true;
                }
                2 => {
                    ring.undrain(&key).expect("a member");
                    member.drained = false;
                }
                _ => {
                    ring.remove(&key).expect("a member");
                    oracle.members.remove(&key);
                }
            },
        }
        agree(&ring, &oracle, hasher);

        let migration = old.diff(&ring).expect("one hasher");
        let new_points = to_owned(&oracle.points());
        for i in 0..500 {
            let token = ring.token(&format!("key:{i}"));
            let (from, to) = (owner(&old_points, token), owner(&new_points, token));
            let moved = migration.of(token).map(|m| (m.from.map(id), m.to.map(id)));
            assert_eq!(moved, (from != to).then_some((from, to)));
        }
        let replicas = old.diff_replicas(&ring, 2).expect("one hasher");
        let (old, new) = (borrow(&old_points), borrow(&new_points));
        let ends = old.iter().chain(&new).map(|&(point, _)| point);
        let some = ends.clone().step_by(1 + ends.count() / 200);
        for token in some.chain([u64::MAX]) {
            let first_two = |points| Oracle::preference(points, token, 2).into_iter();
            let before: BTreeSet<_> = first_two(&old).map(<[u8]>::to_vec).collect();
            let after: BTreeSet<_> = first_two(&new).map(<[u8]>::to_vec).collect();
            let moved = replicas.of(Token::new(token));
            let pair = moved.map(|m| (m.from.map(id), m.to.map(id)));
            let expected = (
                before.difference(&after).next().cloned(),
                after.difference(&before).next().cloned(),
            );
            assert_eq!(
                pair,
                (before != after).then_some(expected),
                "{token:#x}: {before:?} {after:?}"
            );
        }
    }
    assert!(oracle.members.len() > 3, "the history has become short");
}

type Owned = BTreeSet<(u64, Vec<u8>)>;

fn to_owned(points: &BTreeSet<(u64, &[u8])>) -> Owned {
    points
        .iter()
        .map(|&(point, id)| (point, id.to_vec()))
        .collect()
}

fn borrow(points: &Owned) -> BTreeSet<(u64, &[u8])> {
    points.iter().map(|(point, id)| (*point, &**id)).collect()
}

fn owner(points: &Owned, token: Token) -> Option<Vec<u8>> {
    let at = points.range((token.get(), Vec::new())..).next();
    at.or_else(|| points.first()).map(|(_, id)| id.clone())
}

#[test]
fn a_ring_of_shards_under_siphash_is_reproduced() {
    is_reproduced(&Shards, 100, shard_points, |i| i as u32);
}

#[test]
fn a_ring_of_numbered_names_is_reproduced() {
    is_reproduced(&Names, 150, named_points, |i| format!("cache-{i}.example"));
}

#[test]
fn bounded_loads_follow_the_own_order() {
    const NODES: u32 = 8;
    let nodes = (0..NODES).map(|i| (Tracked::new(i), 1));
    let mut ring = HashRing::builder()
        .virtual_nodes(100)
        .hasher(Shards)
        .build()
        .expect("valid");
    ring.extend_weighted(nodes).expect("valid nodes");
    let members = (0..NODES).map(|i| {
        (
            id(&i),
            Member {
                weight: 1,
                drained: false,
            },
        )
    });
    let oracle = Oracle {
        points_of: shard_points,
        virtual_nodes: 100,
        members: members.collect(),
    };
    let points = oracle.points();
    let bounded = Bounded::new(ring, 1.25).expect("a valid factor");
    let mut loads: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let mut leases = Vec::new();
    for held in 0..200 {
        let key = format!("user:{}", held % 5);
        let token = Shards.hash_bytes(key.as_bytes());
        let cap = (1.25 * f64::from(held + 1) / f64::from(NODES)).ceil() as u32;
        let preference = Oracle::preference(&points, token, usize::MAX);
        let free = |id: &&&[u8]| loads.get(**id).is_none_or(|&load| load < cap);
        let expected = preference.iter().find(free).expect("room is left").to_vec();
        let lease = bounded.acquire(&key).expect("room is left");
        assert_eq!(id(lease.node()), expected, "{key}");
        *loads.entry(expected).or_default() += 1;
        leases.push(lease);
    }
}

/// Rings whose rule is another one, as the guide turns them into this one.
#[derive(Clone, Copy, Debug)]
enum Rule {
    After,
    AtOrBefore,
}

impl KeyHasher for Rule {
    fn hash_bytes(&self, key: &[u8]) -> u64 {
        let hash = u64::from_le_bytes(key.try_into().expect("8 bytes"));
        match self {
            Rule::After => hash,
            Rule::AtOrBefore => !hash,
        }
    }

    fn hash_points(&self, place: &[u8], _: u32, point: &mut dyn FnMut(u64)) {
        let place = u64::from_le_bytes(place.try_into().expect("8 bytes"));
        match self {
            Rule::After => point(place.wrapping_sub(1)),
            Rule::AtOrBefore => point(!place),
        }
    }
}

#[test]
fn other_rules_are_turned_into_this_one_as_the_guide_says() {
    for places in [
        vec![5, 9, 1 << 63],
        vec![0, 9],
        vec![3, u64::MAX],
        vec![0, 7, u64::MAX],
    ] {
        let ring = |rule| {
            let mut ring = HashRing::builder()
                .virtual_nodes(1)
                .hasher(rule)
                .build()
                .expect("valid");
            ring.extend_weighted(places.iter().map(|&place| (place, 1)))
                .expect("valid nodes");
            ring
        };
        let (after, before) = (ring(Rule::After), ring(Rule::AtOrBefore));
        let (first, last) = (places.first(), places.last());
        for key in (0..20).chain([
            u64::MAX - 1,
            u64::MAX,
            (1 << 63) - 1,
            1 << 63,
            (1 << 63) + 1,
        ]) {
            let next = places.iter().find(|&&place| place > key).or(first);
            assert_eq!(after.route(&key), next, "{places:?}, {key}");
            let former = places.iter().rfind(|&&place| place <= key).or(last);
            assert_eq!(before.route(&key), former, "{places:?}, {key}");
        }
    }
}

// ---- who the hasher is --------------------------------------------------------------------------

/// `Shards` with the points of layout V1.
#[derive(Clone, Copy, Debug, Default)]
struct V1;

impl KeyHasher for V1 {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        Shards.hash_bytes(bytes)
    }
}

/// Layout V1 in words of its own.
#[derive(Clone, Copy, Debug, Default)]
struct V1Again;

impl KeyHasher for V1Again {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        Shards.hash_bytes(bytes)
    }

    fn hash_points(&self, identity: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
        (0..count).for_each(|i| point(self.hash_bytes(&[&i.to_le_bytes(), identity].concat())));
    }
}

fn three<H: KeyHasher>(hasher: H) -> HashRing<u32, H> {
    let mut ring = HashRing::with_hasher(hasher);
    ring.extend_weighted([(1, 1), (2, 2), (3, 1)])
        .expect("valid nodes");
    ring
}

#[test]
fn other_points_are_another_hasher_and_the_same_points_are_not() {
    let own = three(Shards);
    let (v1, again) = (three(V1), three(V1Again));
    assert_eq!(v1.fingerprint(), again.fingerprint());
    assert_ne!(v1.fingerprint(), own.fingerprint());

    // The probe by the words of docs/SPEC.md, section 7.
    let probe = b"clockwise probe";
    assert_eq!(v1.snapshot().probe(), V1.hash_bytes(probe));
    let mut words = vec![Shards.hash_bytes(probe)];
    Shards.hash_points(probe, 2, &mut |point| words.push(point));
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(own.snapshot().probe(), Xxh3::new().hash_bytes(&bytes));

    let error = HashRing::restore(own.snapshot(), V1).expect_err("other points");
    let probes = match error {
        RestoreError::HasherMismatch {
            expected, found, ..
        } => (expected, found),
        other => panic!("{other}"),
    };
    assert_eq!(probes, (own.snapshot().probe(), v1.snapshot().probe()));
    assert!(HashRing::restore(v1.snapshot(), Shards).is_err());
    assert!(HashRing::restore(v1.snapshot(), V1Again).is_ok());
    // Keys have the same tokens, so the way from one's own points to layout V1 can be planned.
    let (way, mut moved) = (own.diff(&v1).expect("the same tokens"), 0);
    for key in 0..1000u64 {
        moved += u32::from(own.route(&key) != v1.route(&key));
    }
    assert!((way.share() - f64::from(moved) / 1000.0).abs() < 0.06);
    assert!(v1.diff(&again).is_ok_and(|migration| migration.is_empty()));
}

#[test]
fn pointers_to_a_hasher_have_its_points() {
    let own = three(Shards).fingerprint();
    assert_eq!(three(&Shards).fingerprint(), own);
    assert_eq!(three(Box::new(Shards)).fingerprint(), own);
    assert_eq!(three(Arc::new(Shards)).fingerprint(), own);
    assert_eq!(
        three(Box::new(Shards) as Box<dyn KeyHasher>).fingerprint(),
        own
    );
    assert_eq!(
        three(&Box::new(Shards) as &dyn KeyHasher).fingerprint(),
        own
    );
}

#[test]
fn mixed_has_the_points_of_layout_v1() {
    let mixed = Mixed::from_fn(fnv1a);
    let mut points = Vec::new();
    mixed.hash_points(b"a", 3, &mut |point| points.push(point));
    let expected = [0u32, 1, 2].map(|i| mixed.hash_bytes(&[&i.to_le_bytes()[..], b"a"].concat()));
    assert_eq!(points, expected);
}

#[test]
fn what_has_no_points_does_not_ask_for_them() {
    let keys = || (0..200).map(|i| format!("user:{i}"));
    let nodes = || (1u32..6).map(|i| (i, 1));
    let (mut own, mut v1) = (Rendezvous::with_hasher(Shards), Rendezvous::with_hasher(V1));
    own.extend_weighted(nodes()).expect("valid nodes");
    v1.extend_weighted(nodes()).expect("valid nodes");
    assert!(keys().all(|key| own.preference(&key).eq(v1.preference(&key))));
    let (mut own, mut v1) = (SlotTable::with_hasher(Shards), SlotTable::with_hasher(V1));
    own.extend_weighted(nodes()).expect("valid nodes");
    v1.extend_weighted(nodes()).expect("valid nodes");
    assert_eq!(own.to_array(), v1.to_array());
}

// ---- hashers that do not keep to the rules ------------------------------------------------------

/// Points that the rules do not foresee, by the first byte of the identity.
#[derive(Clone, Copy, Debug, Default)]
struct Odd;

fn odd_points(id: &[u8], count: u32) -> Vec<u64> {
    let mut points: Vec<u64> = (0..count)
        .map(|i| good(&[id, &i.to_le_bytes()].concat()))
        .collect();
    match id[0] % 7 {
        // As many as asked.
        0 => {}
        // One.
        1 => points.truncate(1),
        // None: the one that the ring makes.
        2 => points = vec![Xxh3::new().hash_bytes(id)],
        // Half, each twice.
        3 => points
            .iter_mut()
            .enumerate()
            .for_each(|(i, point)| *point = good(&[(i / 2) as u8])),
        // Constant, within and between nodes; at either end of the circle.
        4 => points.fill(0x1234_5678_9abc_def0),
        5 => points.fill(u64::MAX),
        _ => points.fill(0),
    }
    points
}

impl KeyHasher for Odd {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        good(bytes)
    }

    fn hash_points(&self, id: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
        if id[0] % 7 == 2 {
            return;
        }
        odd_points(id, count).into_iter().for_each(&mut *point);
        if matches!(id[0] % 7, 0 | 3 | 4) {
            // Too many.
            (0..1000).for_each(|i| point(good(&[i as u8])));
        }
    }
}

#[test]
fn too_many_too_few_no_and_equal_points_do_not_break_a_ring() {
    is_reproduced(&Odd, 20, odd_points, |i| [i as u8, 9]);
    is_reproduced(&Odd, 1, odd_points, |i| [i as u8, 9]);
}

/// No points at all, or one place for all.
#[derive(Clone, Copy, Debug)]
struct Nowhere(Option<u64>);

impl KeyHasher for Nowhere {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        good(bytes)
    }

    fn hash_points(&self, _: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
        (0..count).for_each(|_| self.0.into_iter().for_each(&mut *point));
    }
}

#[test]
fn every_eligible_node_is_found_on_a_ring_without_points() {
    for hasher in [
        Nowhere(None),
        Nowhere(Some(7)),
        Nowhere(Some(0)),
        Nowhere(Some(u64::MAX)),
    ] {
        let mut ring = three(hasher);
        let per_unit = if hasher.0.is_some() {
            ring.virtual_nodes() as usize
        } else {
            0
        };
        assert_eq!(ring.point_count(), (4 * per_unit).max(3));
        for i in 0..100 {
            let all: BTreeSet<_> = ring.preference(&format!("user:{i}")).collect();
            assert_eq!(all.len(), 3);
        }
        assert!(ring.losses().iter().all(|loss| loss.heirs.len() <= 2));
        assert_eq!(ring.loss_where(|_| true).heirs.len(), 0);
        if hasher.0.is_some() {
            // The smallest identity owns a place that all share.
            assert_eq!(ring.share(&1u32), Some(1.0));
        }
        ring.drain(&1u32).expect("a member");
        assert!(ring.route("user:1").is_some_and(|&node| node != 1));
        ring.remove(&2u32);
        assert_eq!(ring.share(&3u32), Some(1.0));
        let why = ring.explain("user:1").to_string();
        assert!(hasher.0.is_none() || why.contains("drained"), "{why}");
    }
}
