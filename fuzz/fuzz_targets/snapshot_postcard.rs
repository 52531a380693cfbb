//! Any bytes of postcard as a snapshot: an error, or the strategy that they describe, within the
//! budget. Half of the inputs are bytes, the others change a good snapshot here and there.
#![no_main]

mod snapshots;

use clockwise::{HashRing, Rendezvous, SlotTable, Snapshot};
use libfuzzer_sys::fuzz_target;
use snapshots::{Any, restored};
use std::sync::LazyLock;

static GOOD: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let nodes = || (1u32..6).map(|i| (format!("10.0.0.{i}:80"), i));
    let ring = HashRing::builder().virtual_nodes(8).from_weighted(nodes());
    let table = SlotTable::builder().slots(64).from_weighted(nodes());
    let rendezvous = Rendezvous::from_weighted(nodes());
    [
        postcard::to_allocvec(&ring.expect("it fits")).expect("plain"),
        postcard::to_allocvec(&table.expect("it fits")).expect("plain"),
        postcard::to_allocvec(&rendezvous.expect("distinct")).expect("plain"),
    ]
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let packed = match usize::from(choice) % 6 {
        good @ 0..=2 => {
            let mut packed = GOOD[good].clone();
            for change in rest.chunks_exact(4) {
                let [action, high, low, byte] = *change else { return };
                let at = usize::from(u16::from_be_bytes([high, low])) % packed.len().max(1);
                match action % 4 {
                    0 => packed.insert(at, byte),
                    1 if !packed.is_empty() => drop(packed.remove(at)),
                    2 => packed.truncate(at),
                    _ if !packed.is_empty() => packed[at] = byte,
                    _ => {}
                }
            }
            packed
        }
        _ => rest.to_vec(),
    };
    let snapshot = postcard::from_bytes::<Snapshot<String>>(&packed);
    restored(snapshot.ok(), |kind| match kind {
        "ring" => postcard::from_bytes(&packed).map(Any::Ring).ok(),
        "rendezvous" => postcard::from_bytes(&packed).map(Any::Rendezvous).ok(),
        _ => postcard::from_bytes(&packed).map(Any::Table).ok(),
    });
});
