//! Any JSON as a snapshot: an error, or the strategy that it describes, within the budget.
//!
//! Half of the inputs are bytes. The others describe members and parameters, and get the
//! fingerprint that belongs to them, because no fuzzer guesses 64 bits of it.
#![no_main]

mod snapshots;

use clockwise::{KeyHasher, Snapshot, Xxh3};
use libfuzzer_sys::fuzz_target;
use snapshots::restored;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let json = if choice % 2 == 0 { rest.to_vec() } else { described(choice / 2, rest) };
    let snapshot = serde_json::from_slice::<Snapshot<String>>(&json);
    restored(snapshot.ok(), |kind| match kind {
        "ring" => serde_json::from_slice(&json).map(snapshots::Any::Ring).ok(),
        "rendezvous" => serde_json::from_slice(&json).map(snapshots::Any::Rendezvous).ok(),
        _ => serde_json::from_slice(&json).map(snapshots::Any::Table).ok(),
    });
});

/// A snapshot with a right fingerprint, of parameters and members that the bytes say.
fn described(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.iter().copied();
    let mut word = || {
        let mut next = || bytes.next().unwrap_or(0);
        // Small numbers and powers of two more often than others.
        match next() {
            small @ 0..=99 => u64::from(small),
            power @ 100..=163 => 1 << (power - 100),
            _ => u64::from_le_bytes([next(), next(), next(), next(), 0, 0, 0, 0]),
        }
    };
    let (kind, parameters) = match kind % 3 {
        0 => ("ring", vec![("virtual_nodes", word())]),
        1 => ("slot_table", vec![("max_load", word() << 28), ("slots", word())]),
        _ => ("rendezvous", vec![]),
    };
    let mut members: Vec<(String, u32, bool)> = Vec::new();
    for _ in 0..word() % 20 {
        let name = format!("{:x}", word()).repeat(word() as usize % 40);
        members.push((name, word() as u32, word() % 4 == 3));
    }
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort();
    let probe = Xxh3::new().hash_bytes(b"clockwise probe");
    let mut summed = [b"clockwise ", kind.as_bytes(), &[0, 1]].concat();
    summed.extend(parameters.iter().flat_map(|(_, value)| value.to_le_bytes()));
    summed.extend(probe.to_le_bytes());
    for (name, weight, drained) in sorted {
        summed.extend((name.len() as u64).to_le_bytes());
        summed.extend(name.as_bytes());
        summed.extend(weight.to_le_bytes());
        summed.push(u8::from(*drained));
    }
    let hex = |name: &str| name.bytes().map(|b| format!("{b:02x}")).collect::<String>();
    let members = members.iter().map(|(name, weight, drained)| {
        serde_json::json!({"identity": hex(name), "node": name, "weight": weight, "drained": drained})
    });
    let json = serde_json::json!({
        "format": 1,
        "kind": kind,
        "layout": 1,
        "parameters": parameters.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "probe": format!("{probe:016x}"),
        "fingerprint": format!("{:016x}", Xxh3::new().hash_bytes(&summed)),
        "members": members.collect::<Vec<_>>(),
    });
    json.to_string().into_bytes()
}
