//! What holds of every snapshot, whatever the format that it was read from.

use clockwise::{HashRing, Rendezvous, SlotTable, Snapshot, Xxh3};

/// A strategy that was read.
pub enum Any {
    Ring(HashRing<String>),
    Rendezvous(Rendezvous<String>),
    Table(SlotTable<String>),
}

impl Any {
    fn snapshot(&self) -> Snapshot<String> {
        match self {
            Any::Ring(ring) => ring.snapshot(),
            Any::Rendezvous(rendezvous) => rendezvous.snapshot(),
            Any::Table(table) => table.snapshot(),
        }
    }

    fn route(&self) -> Option<&String> {
        match self {
            Any::Ring(ring) => ring.route("key"),
            Any::Rendezvous(rendezvous) => rendezvous.route("key"),
            Any::Table(table) => table.route("key"),
        }
    }
}

/// What the fuzzer may make a strategy cost: 1 ms, so that it runs often.
const WORK: u64 = 1 << 20;

/// Restores a snapshot within a small budget. If that succeeds, `Deserialize` must too, and both
/// must agree with the snapshot.
pub fn restored(snapshot: Option<Snapshot<String>>, deserialize: impl Fn(&str) -> Option<Any>) {
    let Some(snapshot) = snapshot else {
        for kind in ["ring", "rendezvous", "slot_table"] {
            assert!(deserialize(kind).is_none(), "a strategy of what is no snapshot");
        }
        return;
    };
    let rings = HashRing::builder().max_work(WORK);
    let tables = SlotTable::builder().max_work(WORK);
    let result = match snapshot.kind() {
        "ring" => rings.restore(snapshot.clone()).map(Any::Ring),
        "slot_table" => tables.restore(snapshot.clone()).map(Any::Table),
        _ => Rendezvous::restore(snapshot.clone(), Xxh3::new()).map(Any::Rendezvous),
    };
    let strategy = match result {
        Ok(strategy) => strategy,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && text.len() < 2048, "{text}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
            return;
        }
    };
    let whole = deserialize(snapshot.kind()).expect("it fits the smaller budget");
    assert_eq!(strategy.route(), whole.route());
    let again = strategy.snapshot();
    assert_eq!(again.fingerprint(), snapshot.fingerprint());
    assert_eq!(again.members().len(), snapshot.members().len());
    let eligible = snapshot.members().any(|member| !member.drained);
    assert_eq!(strategy.route().is_some(), eligible);
}
