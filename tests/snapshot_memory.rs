//! Law: a hostile snapshot costs memory in proportion to its size, at most twice as JSON with named
//! fields, 8 times as JSON arrays and 32 times in a binary format. Alone in its binary, because it
//! counts every allocation.
#![cfg(feature = "serde")]

use clockwise::{HashRing, Rendezvous, SlotTable, Snapshot, Xxh3};
use peak_alloc::PeakAlloc;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What an error or a parser holds besides: its text, a scratch buffer.
const SLACK: usize = 1024;

/// Bytes that `work` allocates at the most at once.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage();
    let result = work();
    (result, ALLOCATED.peak_usage() - before)
}

fn restored(json: &str) -> Result<HashRing<String>, String> {
    let snapshot: Snapshot<String> =
        serde_json::from_str(json).map_err(|error| error.to_string())?;
    HashRing::restore(snapshot, Xxh3::new()).map_err(|error| error.to_string())
}

fn refused(json: &str) {
    let (result, peak) = peak(|| restored(json));
    assert!(result.is_err());
    assert!(
        peak <= 2 * json.len() + SLACK,
        "{peak} bytes for {}",
        json.len()
    );
}

/// Members as short as a format can make them.
fn of_short_members() {
    let header = r#"{"format":1,"kind":"ring","layout":1,"parameters":{"virtual_nodes":1},"probe":"0000000000000000","fingerprint":"0000000000000000","members":"#;
    for count in [100, 1000, 50_000] {
        let members = vec![r#"["61","a",1,false]"#; count].join(",");
        let json = format!("{header}[{members}]}}");
        let (result, peak) = peak(|| restored(&json));
        assert!(result.is_err());
        assert!(
            peak <= 8 * json.len() + SLACK,
            "{peak} bytes for {}",
            json.len()
        );

        let empty: HashRing<String> = HashRing::new();
        let mut packed = postcard::to_allocvec(&empty).unwrap();
        assert_eq!(packed.pop(), Some(0));
        packed.extend(postcard::to_allocvec(&count).unwrap());
        // An identity and a name without a byte, a weight, not drained.
        packed.extend([0, 0, 1, 0].repeat(count));
        let (result, peak) = self::peak(|| {
            let snapshot = postcard::from_bytes::<Snapshot<String>>(&packed).unwrap();
            HashRing::restore(snapshot, Xxh3::new()).map_err(|error| error.to_string())
        });
        assert!(result.is_err());
        assert!(
            peak <= 32 * packed.len() + SLACK,
            "{peak} bytes for {}",
            packed.len()
        );
        let (result, peak) = self::peak(|| postcard::from_bytes::<HashRing<String>>(&packed));
        assert!(result.is_err());
        assert!(
            peak <= 32 * packed.len() + SLACK,
            "{peak} bytes for {}",
            packed.len()
        );
    }
}

/// What a point and a slot cost at the peak, so that the budget of work bounds memory too: 5
/// million points or 5 million capped slots. What is refused costs nothing.
fn of_large_strategies() {
    for virtual_nodes in [1 << 15, 1 << 16, 1 << 18] {
        let ring = HashRing::builder().virtual_nodes(virtual_nodes);
        let ring = ring.from_nodes([String::from("a")]).unwrap();
        let (restored, most) = peak(|| HashRing::restore(ring.snapshot(), Xxh3::new()));
        assert!(restored.is_ok());
        assert!(most < 32 * virtual_nodes as usize + SLACK, "{most} bytes");
        let builder = HashRing::builder().max_work(68 * u64::from(virtual_nodes));
        let (refused, most) = peak(|| builder.restore(ring.snapshot()));
        assert!(refused.is_err());
        assert!(most < SLACK, "{most} bytes");
    }
    for slots in [1 << 15, 1 << 16, 1 << 18] {
        let table = SlotTable::builder().slots(slots).load_factor(1.0);
        let table = table.from_nodes([String::from("a")]).unwrap();
        let (restored, most) = peak(|| SlotTable::restore(table.snapshot(), Xxh3::new()));
        assert!(restored.is_ok());
        assert!(most < 40 * slots + SLACK, "{most} bytes");
        let builder = SlotTable::builder().max_work(96 * slots as u64);
        let (refused, most) = peak(|| builder.restore(table.snapshot()));
        assert!(refused.is_err());
        assert!(most < SLACK, "{most} bytes");
    }
}

/// One test, so that no other thread allocates meanwhile.
#[test]
fn hostile_snapshots_cost_memory_in_proportion_to_their_size() {
    of_a_ring();
    of_short_members();
    of_large_strategies();
    let names = || (0..300).map(|i| (format!("10.0.0.{i}:8080"), 1));
    let mut nodes = Rendezvous::new();
    nodes.extend_weighted(names()).unwrap();
    of::<Rendezvous<String>>(&serde_json::to_value(&nodes).unwrap(), &[]);
    let mut table = SlotTable::builder().slots(64).build().unwrap();
    table.extend_weighted(names()).unwrap();
    let parameters = [
        // Up to 32 MB of slots, and more than there can be: refused before one is made.
        ("/parameters/slots", json!(1 << 24)),
        ("/parameters/slots", json!(1 << 28)),
        ("/parameters/slots", json!(1u64 << 31)),
        ("/parameters/slots", json!(1u64 << 63)),
        ("/parameters/max_load", json!(1u64 << 32)),
        ("/parameters/max_load", json!(u64::MAX)),
    ];
    of::<SlotTable<String>>(&serde_json::to_value(&table).unwrap(), &parameters);
}

/// A kind without points: truncated anywhere, with these changes, with members twice, heavy or
/// misnamed.
fn of<S: DeserializeOwned>(good: &Value, changes: &[(&str, Value)]) {
    let refused = |json: &str| {
        let (result, peak) = peak(|| serde_json::from_str::<S>(json).map_err(|e| e.to_string()));
        assert!(result.is_err());
        let most = 2 * json.len() + SLACK;
        assert!(peak <= most, "{peak} bytes for {}", json.len());
    };
    let text = good.to_string();
    assert!(serde_json::from_str::<S>(&text).is_ok());
    for end in (0..text.len()).step_by(97) {
        refused(&text[..end]);
    }
    let members = [
        ("/members/0/weight", json!(u32::MAX)),
        ("/members/299/identity", json!("00")),
        ("/members/299", good["members"][0].clone()),
    ];
    for (pointer, value) in changes.iter().chain(&members) {
        let mut hostile = good.clone();
        *hostile.pointer_mut(pointer).unwrap() = value.clone();
        refused(&hostile.to_string());
    }
}

fn of_a_ring() {
    let mut ring = HashRing::builder().virtual_nodes(10).build().unwrap();
    ring.extend_weighted((0..300).map(|i| (format!("10.0.0.{i}:8080"), 1)))
        .unwrap();
    let good = serde_json::to_value(&ring).unwrap();
    let text = serde_json::to_string(&good).unwrap();
    assert!(restored(&text).is_ok());

    // Truncated anywhere.
    for end in (0..text.len()).step_by(97) {
        refused(&text[..end]);
    }
    // Budgets that would need the memory of a planet.
    for (pointer, value) in [
        ("/members/0/weight", json!(u32::MAX)),
        ("/members/299/weight", json!(u32::MAX)),
        ("/parameters/virtual_nodes", json!(u32::MAX)),
        ("/parameters/virtual_nodes", json!(1u64 << 40)),
        // Within the budget, but the fingerprint is another: refused before anything is hashed.
        ("/parameters/virtual_nodes", json!(50_000)),
        ("/members/0/weight", json!(1_000_000)),
        ("/members/299/identity", json!("00")),
    ] {
        let mut hostile = good.clone();
        *hostile.pointer_mut(pointer).unwrap() = value;
        refused(&hostile.to_string());
    }
    // One member 5000 times, as short as can be.
    let member = r#"{"identity":"61","node":"a","weight":1,"drained":false}"#;
    let members = vec![member; 5000].join(",");
    let start = &text[..text.find("[{").unwrap()];
    refused(&format!("{start}[{members}]}}"));
    // Many parameters, a long kind, deep nesting where a node should be.
    let many: Vec<String> = (0..5000).map(|i| format!("\"{i}\":0")).collect();
    refused(&text.replace("\"virtual_nodes\":10", &many.join(",")));
    refused(&text.replace("\"ring\"", &format!("\"{}\"", "x".repeat(100_000))));
    refused(&format!("{start}{}", "[".repeat(100_000)));

    // Binary formats claim lengths: 2^40 members, an identity of 2^40 bytes. Without a quote or a
    // field's name a member is shorter there than in memory, where it has 48 bytes, its text, and
    // room to grow: so 4 times.
    let packed = postcard::to_allocvec(&ring).unwrap();
    let length = packed
        .windows(2)
        .position(|two| two == [0xac, 0x02])
        .unwrap(); // 300
    let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x20]; // 2^40
    let rest = &packed[length + 2..];
    for (claim, rest) in [
        (&packed[..length], &rest[..0]),
        (&packed[..length], &rest[..60]),
        (&packed[..length], rest),
        (&packed[..length + 2], rest),
    ] {
        let hostile = [claim, &huge, rest].concat();
        let (result, peak) = peak(|| postcard::from_bytes::<Snapshot<String>>(&hostile));
        assert!(result.is_err());
        assert!(
            peak <= 4 * hostile.len() + SLACK,
            "{peak} bytes for {}",
            hostile.len()
        );
    }
}
