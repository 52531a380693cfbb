//! Snapshots: the way back gives the same ring, and hostile ones are typed errors.
#![cfg(feature = "serde")]

use crate::common::random::Rng;
use crate::common::scaled;
use clockwise::{
    ConfigError, HashRing, KeyHasher, Mixed, NodeError, Rendezvous, Route, SipHash13, SlotTable,
    Snapshot, Strategy, Xxh3, error::RestoreError,
};
use serde_json::{Value, json};
use std::fmt::Write;

type Names = HashRing<String>;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Every kind of member: weights, drained ones, text that JSON escapes.
fn ring<H: KeyHasher>(hasher: H) -> HashRing<String, H> {
    let mut ring = HashRing::builder()
        .virtual_nodes(20)
        .hasher(hasher)
        .build()
        .unwrap();
    let names = [
        "cache-1",
        "10.0.0.7:8080",
        "quote\"and\\slash",
        "naïve",
        "nul\0",
    ];
    let weighted = names
        .into_iter()
        .zip(1..)
        .map(|(name, weight)| (name.to_string(), weight));
    ring.extend_weighted(weighted).unwrap();
    ring.drain("naïve").unwrap();
    ring
}

fn same<A: KeyHasher, B: KeyHasher>(a: &HashRing<String, A>, b: &HashRing<String, B>) {
    assert_eq!(a.fingerprint(), b.fingerprint());
    assert!(a.members().eq(b.members()));
    assert!(a.arcs().eq(b.arcs()));
    for key in 0..200u64 {
        assert!(a.preference(&key).eq(b.preference(&key)));
    }
}

#[test]
fn the_way_back_gives_the_same_ring() {
    let plain = ring(Xxh3::new());
    let json = serde_json::to_string(&plain).unwrap();
    same(&plain, &serde_json::from_str::<Names>(&json).unwrap());
    let packed = postcard::to_allocvec(&plain).unwrap();
    same(&plain, &postcard::from_bytes::<Names>(&packed).unwrap());
    same(
        &plain,
        &HashRing::restore(plain.snapshot(), Xxh3::new()).unwrap(),
    );
    // A ring and its snapshot are written alike, and again alike.
    assert_eq!(json, serde_json::to_string(&plain.snapshot()).unwrap());
    let again: Snapshot<String> = serde_json::from_str(&json).unwrap();
    assert_eq!(json, serde_json::to_string(&again).unwrap());
    // Whatever order the members stand in.
    let mut value: Value = serde_json::from_str(&json).unwrap();
    value["members"].as_array_mut().unwrap().reverse();
    same(&plain, &serde_json::from_value::<Names>(value).unwrap());

    // And its parameters, of which other kinds have several.
    let two = json.replace("\"virtual_nodes\":20", "\"virtual_nodes\":20,\"slots\":1");
    let two: Snapshot<String> = serde_json::from_str(&two).unwrap();
    let written = serde_json::to_string(&two).unwrap();
    assert!(
        written.contains("{\"slots\":1,\"virtual_nodes\":20}"),
        "{written}"
    );

    let empty: Names =
        serde_json::from_str(&serde_json::to_string(&Names::new()).unwrap()).unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.virtual_nodes(), 512);
}

#[test]
fn seeded_keyed_and_other_hashers_come_back_with_the_callers() {
    fn round<H: KeyHasher + Clone>(hasher: &H) -> String {
        let before = ring(hasher.clone());
        let json = serde_json::to_string(&before).unwrap();
        let snapshot: Snapshot<String> = serde_json::from_str(&json).unwrap();
        same(
            &before,
            &HashRing::restore(snapshot.clone(), hasher.clone()).unwrap(),
        );
        let error = HashRing::restore(snapshot, Xxh3::with_seed(99)).unwrap_err();
        assert!(
            matches!(error, RestoreError::HasherMismatch { .. }),
            "{error}"
        );
        assert!(
            serde_json::from_str::<Names>(&json).is_err(),
            "the default hasher is another"
        );
        json
    }
    round(&Xxh3::with_seed(7));
    round(&Mixed::from_fn(|bytes: &[u8]| {
        Xxh3::new().hash_bytes(bytes)
    }));
    let key = *b"0123456789abcdef";
    let json = round(&SipHash13::new(key));
    let hex = hex(&key);
    assert!(
        !json.contains("0123456789abcdef") && !json.contains(&hex),
        "the key shows nowhere"
    );
}

#[test]
fn the_format_is_as_written() {
    let mut ring = HashRing::builder().virtual_nodes(160).build().unwrap();
    ring.extend_weighted([("cache-2", 3), ("cache-1", 1)])
        .unwrap();
    ring.drain("cache-1").unwrap();
    assert_eq!(
        serde_json::to_value(&ring).unwrap(),
        json!({
            "format": 1,
            "kind": "ring",
            "layout": 1,
            "parameters": { "virtual_nodes": 160 },
            "probe": "b7477a1b31d3778a",
            "fingerprint": format!("{:016x}", ring.fingerprint()),
            "members": [
                { "identity": "63616368652d31", "node": "cache-1", "weight": 1, "drained": true },
                { "identity": "63616368652d32", "node": "cache-2", "weight": 3, "drained": false },
            ],
        })
    );
    let snapshot = ring.snapshot();
    assert_eq!((snapshot.kind(), snapshot.layout()), ("ring", 1));
    assert_eq!(snapshot.parameter("virtual_nodes"), Some(160));
    assert_eq!(snapshot.parameter("slots"), None);
    assert_eq!(snapshot.fingerprint(), ring.fingerprint());
    assert_eq!(snapshot.probe(), Xxh3::new().hash_bytes(b"clockwise probe"));
    assert!(snapshot.members().eq(ring.members()));
}

/// A golden snapshot as what it is of: its strategy, its fingerprint, and how it is written again.
fn golden(line: &str) -> (Box<dyn Strategy<Node = String>>, u64, String) {
    macro_rules! read {
        ($strategy:ident) => {{
            let strategy: $strategy<String> = serde_json::from_str(line).unwrap();
            let written = serde_json::to_string(&strategy).unwrap();
            let fingerprint = strategy.fingerprint();
            (Box::new(strategy), fingerprint, written)
        }};
    }
    let snapshot: Snapshot<String> = serde_json::from_str(line).unwrap();
    match snapshot.kind() {
        "ring" => read!(HashRing),
        "rendezvous" => read!(Rendezvous),
        "slot_table" => read!(SlotTable),
        other => panic!("{other}"),
    }
}

/// Another release or language reads this file: appended to, never changed.
#[test]
fn golden_snapshots_are_restored_for_ever() {
    let lines = include_str!("../../golden/v1/snapshots.jsonl");
    for line in lines.lines() {
        assert_eq!(golden(line).2, line);
    }
    assert_eq!(lines.lines().count(), 7);
    assert_eq!(
        lines.lines().next().unwrap(),
        serde_json::to_string(&ring(Xxh3::new())).unwrap()
    );
}

/// The owners were recorded by `spec/check_snapshots.py`, which shares no code with the crate:
/// `check_snapshots.py snapshots.jsonl snapshot_keys.txt > snapshot_owners.tsv`.
#[test]
fn owners_are_those_that_another_language_reads() {
    let owners = include_str!("../../golden/v1/snapshot_owners.tsv");
    let mut lines = owners.lines();
    for snapshot in include_str!("../../golden/v1/snapshots.jsonl").lines() {
        let (strategy, fingerprint, _) = golden(snapshot);
        for key in include_str!("../../golden/v1/snapshot_keys.txt").lines() {
            let bytes: Vec<u8> = (0..key.len() / 2)
                .map(|i| u8::from_str_radix(&key[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            let owner = strategy
                .route(&bytes)
                .map_or("-".to_string(), |name| hex(name.as_bytes()));
            let shown = &key[..key.len().min(64)];
            let line = format!("{fingerprint:016x}\t{shown}\t{owner}");
            assert_eq!(lines.next(), Some(line.as_str()));
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn every_change_of_what_decides_owners_is_refused() {
    let good = serde_json::to_value(ring(Xxh3::new())).unwrap();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        let snapshot: Snapshot<String> = serde_json::from_value(value.clone()).unwrap();
        let error = HashRing::restore(snapshot, Xxh3::new()).unwrap_err();
        // Through `Deserialize` the same text comes out.
        let text = serde_json::from_value::<Names>(value)
            .unwrap_err()
            .to_string();
        assert!(text.contains(&error.to_string()), "{text}");
        error
    };
    macro_rules! assert_refused {
        ($pattern:pat, $change:expr) => {
            let error = refused(&$change);
            assert!(matches!(error, $pattern), "{error:?}");
        };
    }
    assert_refused!(
        RestoreError::UnsupportedFormat { found: 2, .. },
        |v| v["format"] = json!(2)
    );
    assert_refused!(RestoreError::KindMismatch { .. }, |v| v["kind"] =
        json!("table"));
    assert_refused!(
        RestoreError::UnsupportedLayout { found: 2, .. },
        |v| v["layout"] = json!(2)
    );
    assert_refused!(RestoreError::InvalidParameters, |v| v["parameters"] =
        json!({}));
    assert_refused!(
        RestoreError::InvalidParameters,
        |v| v["parameters"]["slots"] = json!(1)
    );
    assert_refused!(
        RestoreError::InvalidParameters,
        |v| v["parameters"]["virtual_nodes"] = json!(1u64 << 40)
    );
    assert_refused!(
        RestoreError::Config(_),
        |v| v["parameters"]["virtual_nodes"] = json!(0)
    );
    assert_refused!(
        RestoreError::FingerprintMismatch { .. },
        |v| v["parameters"]["virtual_nodes"] = json!(21)
    );
    assert_refused!(RestoreError::HasherMismatch { .. }, |v| v["probe"] =
        json!("0123456789abcdef"));
    assert_refused!(
        RestoreError::FingerprintMismatch { .. },
        |v| v["fingerprint"] = json!("0123456789abcdef")
    );
    assert_refused!(RestoreError::FingerprintMismatch { .. }, |v| v["members"]
        [0]["weight"] =
        json!(9));
    assert_refused!(RestoreError::FingerprintMismatch { .. }, |v| v["members"]
        [0]["drained"] =
        json!(true));
    assert_refused!(RestoreError::FingerprintMismatch { .. }, |v| drop(
        v["members"].as_array_mut().unwrap().pop()
    ));
    assert_refused!(RestoreError::IdentityMismatch { .. }, |v| v["members"][0]
        ["node"] =
        json!("other"));
    assert_refused!(RestoreError::IdentityMismatch { .. }, |v| v["members"][0]
        ["identity"] =
        json!("00"));
    assert_refused!(
        RestoreError::Node(NodeError::ZeroWeight { .. }),
        |v| v["members"][1]["weight"] = json!(0)
    );
    assert_refused!(RestoreError::Node(NodeError::TooManyPoints { .. }), |v| {
        v["members"][1]["weight"] = json!(u32::MAX);
    });
    assert_refused!(RestoreError::Node(NodeError::EmptyIdentity), |v| {
        v["members"][1]["node"] = json!("");
        v["members"][1]["identity"] = json!("");
    });
    assert_refused!(
        RestoreError::Node(NodeError::Duplicate { .. }),
        |v| v["members"][1] = v["members"][0].clone()
    );
}

#[test]
fn what_has_not_the_right_shape_is_an_error_of_the_reader() {
    let good = serde_json::to_value(ring(Xxh3::new())).unwrap();
    for (pointer, value) in [
        ("/members/0/weight", json!(1u64 << 40)),
        ("/members/0/weight", json!(-1)),
        ("/members/0/identity", json!("6")),
        ("/members/0/identity", json!("6G")),
        ("/probe", json!("B7477A1B31D3778A")),
        ("/probe", json!("2dbc")),
        ("/fingerprint", json!(7)),
        ("/layout", json!(256)),
        ("/members", json!({})),
    ] {
        let mut damaged = good.clone();
        *damaged.pointer_mut(pointer).unwrap() = value;
        assert!(
            serde_json::from_value::<Snapshot<String>>(damaged).is_err(),
            "{pointer}"
        );
    }
    for name in [
        "format",
        "kind",
        "layout",
        "parameters",
        "probe",
        "fingerprint",
        "members",
    ] {
        let mut damaged = good.clone();
        damaged.as_object_mut().unwrap().remove(name);
        assert!(
            serde_json::from_value::<Snapshot<String>>(damaged).is_err(),
            "{name}"
        );
    }
}

#[test]
fn the_budget_is_the_builders() {
    let great = HashRing::<String>::builder()
        .virtual_nodes(1 << 25)
        .max_points(1 << 25);
    let great = great.build().unwrap().snapshot();
    let error = HashRing::restore(great.clone(), Xxh3::new()).unwrap_err();
    assert!(
        matches!(
            error,
            RestoreError::Config(ConfigError::TooManyVirtualNodes { .. })
        ),
        "{error}"
    );
    let builder = HashRing::<String>::builder().max_points(1 << 25);
    assert_eq!(builder.restore(great).unwrap().virtual_nodes(), 1 << 25);

    let small = HashRing::<String>::builder().max_points(100);
    let error = small.restore(ring(Xxh3::new()).snapshot()).unwrap_err();
    assert!(
        matches!(error, RestoreError::Node(NodeError::TooManyPoints { .. })),
        "{error}"
    );
}

/// Truncated at every byte: an error. Every bit of every byte flipped: an error, or, where the flip
/// is in what does not decide owners, the same owners.
#[test]
fn truncated_and_flipped_bytes_never_change_an_owner() {
    let plain = ring(Xxh3::new());
    let json = serde_json::to_vec(&plain).unwrap();
    let packed = postcard::to_allocvec(&plain).unwrap();
    let (mut errors, mut equal) = (0, 0);
    let mut check = |result: Option<Names>| match result {
        None => errors += 1,
        Some(ring) => {
            assert_eq!(ring.fingerprint(), plain.fingerprint());
            assert!(ring.arcs().eq(plain.arcs()));
            equal += 1;
        }
    };
    for end in 0..json.len() {
        assert!(serde_json::from_slice::<Names>(&json[..end]).is_err());
    }
    for end in 0..packed.len() {
        assert!(postcard::from_bytes::<Names>(&packed[..end]).is_err());
    }
    for at in 0..json.len() * 8 {
        let mut flipped = json.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        check(serde_json::from_slice(&flipped).ok());
    }
    for at in 0..packed.len() * 8 {
        let mut flipped = packed.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        check(postcard::from_bytes(&flipped).ok());
    }
    println!("{errors} flips refused, {equal} without effect");
    assert!(errors > 0);
}

/// Rng damage of several bytes, and random bytes.
#[test]
fn noise_does_not_panic() {
    let json = serde_json::to_vec(&ring(Xxh3::new())).unwrap();
    let packed = postcard::to_allocvec(&ring(Xxh3::new())).unwrap();
    for run in 0..scaled(3_000, 3_000, 1_000_000) as u64 {
        let mut random = Rng::new(run);
        let (mut json, mut packed) = (json.clone(), packed.clone());
        for bytes in [&mut json, &mut packed] {
            for _ in 0..=random.below_u64(4) {
                let (a, b) = (
                    random.below_u64(bytes.len() as u64),
                    random.below_u64(bytes.len() as u64),
                );
                match random.below_u64(3) {
                    0 => bytes[a as usize] = random.next() as u8,
                    1 => drop(bytes.drain(a.min(b) as usize..a.max(b) as usize)),
                    _ => bytes.swap(a as usize, b as usize),
                }
                if bytes.is_empty() {
                    break;
                }
            }
        }
        let _ = serde_json::from_slice::<Names>(&json);
        let _ = postcard::from_bytes::<Names>(&packed);
    }
}
