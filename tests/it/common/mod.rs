//! What the tests share: an oracle that owes the crate nothing, realistic names, hashers that are
//! bad on purpose, a seeded generator, and how long to run.
//!
//! | variable | effect |
//! |---|---|
//! | `CLOCKWISE_FAST=1` | fewer cases, for emulated platforms |
//! | `CLOCKWISE_LONG=1` | the counts that a release is held to; figures are printed (`-- --nocapture`) |
//! | `PROPTEST_CASES=n` | sequences of the model test |
#![allow(unreachable_pub)]

pub mod caps;
pub mod cluster;
pub mod gauge;
pub mod hashers;
pub mod names;
pub mod node;
pub mod ops;
pub mod oracle;
pub mod random;
pub mod small;
pub mod tables;
pub mod vectors;
pub mod zoned_nodes;

fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| !matches!(&*value, "" | "0"))
}

/// Whether the counts of a release were asked for.
pub fn is_long() -> bool {
    is_set("CLOCKWISE_LONG")
}

/// Whether this run should be as short as it can be.
pub fn is_fast() -> bool {
    !is_long() && is_set("CLOCKWISE_FAST")
}

/// The count for this run.
pub fn scaled(fast: usize, usual: usize, long: usize) -> usize {
    if is_long() {
        long
    } else if is_fast() {
        fast
    } else {
        usual
    }
}
