//! Any history of a ring agrees with the oracle: the model test's operations, read from bytes.
#![no_main]

#[allow(dead_code)] // A fuzz target uses a part.
#[path = "../../tests/it/common/mod.rs"]
mod common;

use common::hashers::Spoilt;
use common::ops::{Op, World};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.iter().copied();
    let hasher = match bytes.next().unwrap_or(0) % 8 {
        0 | 1 => Spoilt::Not,
        2 => Spoilt::Top8,
        3 => Spoilt::Low8,
        4 => Spoilt::Top16,
        5 => Spoilt::OneArc,
        6 => Spoilt::Ends,
        _ => Spoilt::Constant(0),
    };
    let virtual_nodes = bytes.next().unwrap_or(0) % 8 + 1;
    let mut world = World::new(hasher, virtual_nodes, u64::from(bytes.next().unwrap_or(0)));
    for _ in 0..60 {
        if bytes.len() == 0 {
            break;
        }
        world.step(&Op::read(&mut bytes));
    }
    world.step(&Op::Swap);
});
