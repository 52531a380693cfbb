//! Any stored progress of a plan or of epochs: an error that changes nothing, or the state that it
//! describes.
//!
//! Half of the inputs are bytes. The others describe bits and ranges, and get the checksum that
//! belongs to them, because no fuzzer guesses 64 bits of it.
#![no_main]

use clockwise::migration::{EpochsProgress, Progress};
use clockwise::{Epochs, HashRing, Stage, TokenRange};
use libfuzzer_sys::fuzz_target;
use std::fmt::Write;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let old = HashRing::builder().virtual_nodes(3).from_nodes(["a", "b", "c"]).unwrap();
    let mut new = old.clone();
    new.insert("d").unwrap();
    let mut plan = old.diff(&new).unwrap().plan(2).unwrap();
    let mut epochs = Epochs::new(&old, &new);
    epochs.advance(TokenRange::ALL, Stage::Copied).unwrap();
    let (fresh_plan, fresh_epochs) = (plan.progress(), epochs.progress());
    let [mut of_plan, mut of_epochs] = [rest.to_vec(), rest.to_vec()];
    if choice % 2 == 1 {
        let checksum = |json: &str| json.split('"').nth(3).unwrap().to_string();
        let json = checksum(&serde_json::to_string(&fresh_plan).unwrap());
        let bits = rest.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        of_plan = format!(r#"{{"migration":"{json}","complete":"{bits}"}}"#).into_bytes();
        let json = checksum(&serde_json::to_string(&fresh_epochs).unwrap());
        let stages = rest.chunks_exact(3).map(|chunk| {
            let stage = ["Copying", "Copied", "Done"][chunk[2] as usize % 3];
            format!(r#"["{:02x}00000000000000-{:02x}ffffffffffffff","{stage}"]"#, chunk[0], chunk[1])
        });
        let stages = stages.collect::<Vec<_>>().join(",");
        of_epochs = format!(r#"{{"migration":"{json}","stages":[{stages}]}}"#).into_bytes();
    }
    let states = [
        serde_json::from_slice::<Progress>(&of_plan).ok(),
        postcard::from_bytes(&of_plan).ok(),
    ];
    for state in states.into_iter().flatten() {
        match plan.resume(&state) {
            Ok(()) => assert_eq!(plan.progress(), state),
            Err(_) => assert_eq!(plan.progress(), fresh_plan),
        }
        while let Some(step) = plan.start() {
            assert!(plan.complete(&step));
        }
        assert!(plan.is_complete());
        plan.resume(&fresh_plan).unwrap();
    }
    let states = [
        serde_json::from_slice::<EpochsProgress>(&of_epochs).ok(),
        postcard::from_bytes(&of_epochs).ok(),
    ];
    for state in states.into_iter().flatten() {
        match epochs.resume(&state) {
            // The same stages may be written in several ways.
            Ok(()) => {
                let stored = epochs.progress();
                epochs.resume(&stored).unwrap();
                assert_eq!(epochs.progress(), stored);
            }
            Err(_) => assert_eq!(epochs.progress(), fresh_epochs),
        }
        epochs.resume(&fresh_epochs).unwrap();
    }
});
