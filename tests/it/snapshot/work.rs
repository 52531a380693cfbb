//! Law: a snapshot of 1 MB costs at most a second, in `Deserialize` and in `restore`, or is refused
//! with an error that names what it asks for.
#![cfg(feature = "serde")]

use clockwise::{
    HashRing, KeyHasher, Rendezvous, SipHash13, SlotTable, Snapshot, Xxh3, error::RestoreError,
};
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

/// Debug builds and loaded machines are slower than what the budget is measured on.
const SLOWER: u32 = if cfg!(debug_assertions) { 40 } else { 4 };

/// A snapshot as JSON, with the fingerprint that it must have, so that only its size speaks
/// against it.
fn hostile(kind: &str, parameters: &[(&str, u64)], members: &[(String, u32)]) -> String {
    let probe = Xxh3::new().hash_bytes(b"clockwise probe");
    let mut bytes = Vec::from(*b"clockwise ");
    bytes.extend(kind.as_bytes());
    bytes.extend([0, 1]);
    for (_, value) in parameters {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(probe.to_le_bytes());
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort();
    for (name, weight) in sorted {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(weight.to_le_bytes());
        bytes.push(0);
    }
    let hex = |name: &str| {
        let digits = b"0123456789abcdef";
        let halves = name.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
        halves
            .map(|half| char::from(digits[usize::from(half)]))
            .collect::<String>()
    };
    let members: Vec<String> = members
        .iter()
        .map(|(name, weight)| {
            let identity = hex(name);
            format!(
                r#"{{"identity":"{identity}","node":"{name}","weight":{weight},"drained":false}}"#
            )
        })
        .collect();
    let named: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    format!(
        r#"{{"format":1,"kind":"{kind}","layout":1,"parameters":{{{}}},"probe":"{probe:016x}","fingerprint":"{:016x}","members":[{}]}}"#,
        named.join(","),
        Xxh3::new().hash_bytes(&bytes),
        members.join(",")
    )
}

fn names(count: usize, length: usize) -> Vec<(String, u32)> {
    (0..count)
        .map(|i| {
            let digits = i.to_string();
            ("0".repeat(length - digits.len()) + &digits, 1)
        })
        .collect()
}

/// Restores from JSON and from postcard, in time. Returns the error, if there is one.
fn cost<S: DeserializeOwned>(
    json: &str,
    restore: impl Fn(Snapshot<String>) -> Result<S, RestoreError>,
) -> Option<RestoreError> {
    let limit = Duration::from_millis(1000 * (1 + json.len() as u64 / 1_000_000)) * SLOWER;
    let in_time = |what: &str, start: Instant| {
        let took = start.elapsed();
        assert!(
            took < limit,
            "{what} took {took:?} for {} bytes",
            json.len()
        );
    };
    let start = Instant::now();
    let whole = serde_json::from_str::<S>(json)
        .map(drop)
        .map_err(|error| error.to_string());
    in_time("Deserialize", start);

    let snapshot: Snapshot<String> = serde_json::from_str(json).unwrap();
    let packed = postcard::to_allocvec(&snapshot).unwrap();
    let start = Instant::now();
    assert_eq!(postcard::from_bytes::<S>(&packed).is_ok(), whole.is_ok());
    in_time("Deserialize of postcard", start);

    let start = Instant::now();
    let restored = restore(snapshot);
    in_time("restore", start);
    assert_eq!(restored.is_ok(), whole.is_ok());
    let error = restored.err()?;
    // JSON adds at which line.
    let whole = whole.expect_err("as `restore`");
    assert!(whole.starts_with(&error.to_string()), "{whole}");
    Some(error)
}

fn over_budget(error: Option<RestoreError>, kind: &str, expected: u64) {
    match error {
        Some(RestoreError::OverBudget {
            what,
            count,
            work,
            max_work,
            ..
        }) => {
            assert_eq!((what, count), (kind, expected));
            assert!(work > max_work);
        }
        other => panic!("{other:?}"),
    }
}

fn ring(virtual_nodes: u64, members: &[(String, u32)]) -> Option<RestoreError> {
    let json = hostile("ring", &[("virtual_nodes", virtual_nodes)], members);
    cost::<HashRing<String>>(&json, |snapshot| HashRing::restore(snapshot, Xxh3::new()))
}

#[test]
fn a_ring_that_hashes_long_names_often_is_refused() {
    // 30 KB, 300 KB and 3 MB, with as many points as a ring may have.
    for (count, length) in [(1, 10_000), (10, 10_000), (1000, 1000), (1, 1_000_000)] {
        let virtual_nodes = (1 << 24) / count as u64;
        let points = virtual_nodes * count as u64;
        over_budget(ring(virtual_nodes, &names(count, length)), "points", points);
    }
    // 2²⁴ points of 232 bytes.
    over_budget(ring(1 << 14, &names(1024, 232)), "points", 1 << 24);
    // As many points through weights.
    let heavy: Vec<_> = names(16, 12)
        .into_iter()
        .map(|(name, _)| (name, 1 << 11))
        .collect();
    over_budget(ring(512, &heavy), "points", 1 << 24);
}

#[test]
fn rings_of_usual_sizes_are_restored() {
    for (count, length) in [(1, 1000), (100, 12), (500, 64)] {
        assert_eq!(ring(512, &names(count, length)), None);
    }
}

fn table(slots: u64, max_load: u64, members: &[(String, u32)]) -> Option<RestoreError> {
    let json = hostile(
        "slot_table",
        &[("max_load", max_load), ("slots", slots)],
        members,
    );
    cost::<SlotTable<String>>(&json, |snapshot| SlotTable::restore(snapshot, Xxh3::new()))
}

#[test]
fn a_table_of_many_slots_and_nodes_is_refused() {
    // The reported one has 500 members and 2²⁴ slots in 31 KB.
    for (slots, count) in [
        (1 << 24, 500),
        (1 << 20, 1000),
        (1 << 24, 10),
        (1 << 16, 10_000),
    ] {
        for max_load in [0, 1 << 32] {
            over_budget(table(slots, max_load, &names(count, 8)), "slots", slots);
        }
    }
    // Comparing unequal weights takes a logarithm.
    let weights: Vec<_> = (1..1000).map(|i| (format!("{i:08}"), i)).collect();
    over_budget(table(1 << 16, 0, &weights), "slots", 1 << 16);
    let weights: Vec<_> = (1..200)
        .map(|i| (format!("{i:08}"), u32::MAX / i))
        .collect();
    over_budget(table(1 << 20, 1 << 32, &weights), "slots", 1 << 20);
}

#[test]
fn tables_of_usual_sizes_are_restored() {
    for (slots, count) in [(1 << 16, 100), (1 << 12, 1000), (1 << 8, 10_000), (1, 3)] {
        assert_eq!(table(slots, 1 << 32, &names(count, 8)), None);
    }
}

#[test]
fn rendezvous_costs_what_its_members_do() {
    for (count, length) in [(10_000, 8), (10, 50_000), (1, 500_000)] {
        let json = hostile("rendezvous", &[], &names(count, length));
        let restored = cost::<Rendezvous<String>>(&json, |snapshot| {
            Rendezvous::restore(snapshot, Xxh3::new())
        });
        assert_eq!(restored, None);
    }
}

#[test]
fn a_builder_has_the_budget_that_its_caller_sets() {
    let ring = HashRing::from_nodes((0..100).map(|i| format!("10.0.0.{i:03}"))).unwrap();
    // 51,200 points of 68 units, and 10 bytes each.
    let work = 51_200 * 78;
    let restored = |max_work| {
        let builder = HashRing::builder().max_work(max_work);
        builder.restore(ring.snapshot())
    };
    assert_eq!(restored(work).unwrap().fingerprint(), ring.fingerprint());
    let error = restored(work - 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the snapshot asks for 51200 points, which take 3993600 units of work to build, more than \
         the budget of 3993599 (if you trust it, restore it through a builder with a greater \
         `max_work`)"
    );

    let table = SlotTable::builder().slots(1024).load_factor(1.0);
    let mut table = table.hasher(SipHash13::new([3; 16])).build().unwrap();
    table
        .extend_weighted([("a", 1), ("b", 2), ("c", 2)])
        .unwrap();
    let work = 1024 * (96 + 2 * 3 + 16);
    let restored = |max_work| {
        let builder = SlotTable::builder()
            .max_work(max_work)
            .hasher(SipHash13::new([3; 16]));
        builder.restore(table.snapshot())
    };
    assert_eq!(restored(work).unwrap().to_array(), table.to_array());
    over_budget(restored(work - 1).err(), "slots", 1024);
    let trusted = HashRing::builder().max_work(u64::MAX);
    assert!(trusted.restore(ring.snapshot()).is_ok());
}
