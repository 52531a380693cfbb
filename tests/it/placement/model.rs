//! Random histories against the oracle: every verb, also where it must fail, and clones, compared
//! after every operation.
//!
//! 20,000 histories with `CLOCKWISE_LONG=1` or `PROPTEST_CASES=20000`; over half of them under
//! hashers with ties.

use crate::common::hashers::Spoilt;
use crate::common::ops::{Op, World};
use crate::common::scaled;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// 2 of 10 with 8-bit tokens at the top, 1 with 8 bits at the bottom, 1 each with 16 bits, one arc,
/// both ends, one token.
fn hasher() -> impl Strategy<Value = Spoilt> {
    prop_oneof![
        3 => Just(Spoilt::Not),
        2 => Just(Spoilt::Top8),
        1 => Just(Spoilt::Low8),
        1 => Just(Spoilt::Top16),
        1 => Just(Spoilt::OneArc),
        1 => Just(Spoilt::Ends),
        1 => prop_oneof![Just(0), Just(u64::MAX), any::<u64>()].prop_map(Spoilt::Constant),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let rows = |most| proptest::collection::vec(any::<(u8, u8)>(), 0..most);
    prop_oneof![
        3 => any::<u8>().prop_map(Op::Insert),
        4 => any::<(u8, u8)>().prop_map(|(id, w)| Op::InsertWeighted(id, w)),
        2 => rows(6).prop_map(Op::Extend),
        1 => rows(10).prop_map(Op::SetNodes),
        1 => rows(10).prop_map(Op::SetMembers),
        3 => any::<u8>().prop_map(Op::Remove),
        3 => any::<(u8, u8)>().prop_map(|(id, w)| Op::SetWeight(id, w)),
        2 => any::<u8>().prop_map(Op::Drain),
        1 => any::<u8>().prop_map(Op::Undrain),
        1 => any::<(u8, bool)>().prop_map(|(id, drained)| Op::SetDrained(id, drained)),
        1 => any::<u8>().prop_map(Op::Replace),
        1 => prop_oneof![1 => Just(Op::Clear), 4 => Just(Op::Fork)],
        1 => Just(Op::Swap),
    ]
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        rng_seed: RngSeed::Fixed(2),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = scaled(24, 300, 20_000) as u32;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_history_agrees_with_the_oracle(
        hasher in hasher(),
        virtual_nodes in 1u8..=8,
        seed in any::<u64>(),
        ops in proptest::collection::vec(op(), 1..=60),
    ) {
        let mut world = World::new(hasher, virtual_nodes, seed);
        world.compare();
        for op in &ops {
            world.step(op);
        }
        world.step(&Op::Swap); // the clone that was kept did not follow
    }
}
