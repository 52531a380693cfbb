//! Documents that are no snapshots are refused, for the reason that docs/SPEC.md, section 8, has
//! first. `tests/spec/check_snapshots.py` made them, and refuses them too.
#![cfg(feature = "serde")]

use crate::common::vectors::lines;
use clockwise::error::RestoreError;
use clockwise::{HashRing, NodeError, Rendezvous, SlotTable, Snapshot, Xxh3};

const REFUSED: &str = include_str!("../../golden/v1/snapshots_refused.tsv");

fn refused_by(text: &str) -> &'static str {
    let Ok(snapshot) = serde_json::from_str::<Snapshot<String>>(text) else {
        return "shape";
    };
    let restored = match snapshot.kind() {
        "rendezvous" => Rendezvous::restore(snapshot, Xxh3::new()).map(drop),
        "slot_table" => SlotTable::restore(snapshot, Xxh3::new()).map(drop),
        _ => HashRing::restore(snapshot, Xxh3::new()).map(drop),
    };
    match restored.expect_err(text) {
        RestoreError::UnsupportedFormat { .. } => "format",
        RestoreError::KindMismatch { .. } => "kind",
        RestoreError::UnsupportedLayout { .. } => "layout",
        RestoreError::InvalidParameters | RestoreError::Config(_) => "parameters",
        RestoreError::HasherMismatch { .. } => "probe",
        RestoreError::IdentityMismatch { .. } => "node",
        RestoreError::Node(NodeError::EmptyIdentity) => "identity",
        RestoreError::Node(NodeError::ZeroWeight { .. }) => "weight",
        RestoreError::Node(NodeError::TooManyPoints { .. }) => "points",
        RestoreError::Node(NodeError::Duplicate { .. }) => "twice",
        RestoreError::FingerprintMismatch { .. } => "fingerprint",
        other => panic!("{other}: {text}"),
    }
}

#[test]
fn documents_are_refused_for_the_recorded_reason() {
    let mut checked = 0;
    for line in lines(REFUSED) {
        let [reason, text] = line[..] else {
            panic!("{line:?}")
        };
        assert_eq!(refused_by(text), reason, "{text}");
        checked += 1;
    }
    assert!(checked >= 109, "{checked}");
}
