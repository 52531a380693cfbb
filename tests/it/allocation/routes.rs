//! What allocates, and how much: nothing in a route.
//!
//! The counting allocator is linked into this test alone and counts the thread that measures.

use crate::common::hashers::Spoilt;
use crate::common::names;
use crate::common::random::Rng;
use allocation_counter::{AllocationInfo, measure};
use clockwise::{HashRing, Key, Rendezvous, Route, SipHash13, SlotTable, Strategy, Token};
use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};

/// Runs `f` once, so that what is lazy has been set up, then counts.
fn counted<T>(mut f: impl FnMut() -> T) -> AllocationInfo {
    black_box(f());
    measure(|| {
        black_box(f());
    })
}

#[track_caller]
fn allocates_nothing<T>(what: &str, f: impl FnMut() -> T) {
    let info = counted(f);
    assert_eq!((info.count_total, info.bytes_total), (0, 0), "{what}");
}

/// Rings with a fine and with a coarse index, and with ties.
fn rings() -> Vec<(&'static str, HashRing<u64, Spoilt>)> {
    let of = |virtual_nodes, nodes, hasher| {
        let builder = HashRing::builder()
            .virtual_nodes(virtual_nodes)
            .hasher(hasher);
        let mut ring = builder.build().expect("it fits");
        ring.extend_weighted((0..nodes).map(|node| (node, 1)))
            .expect("distinct");
        ring
    };
    vec![
        ("fine", of(160, 100, Spoilt::Not)),
        ("coarse", of(700, 100, Spoilt::Not)),
        ("8 bits", of(20, 100, Spoilt::Top8)),
        ("constant", of(1, 40, Spoilt::Constant(3))),
    ]
}

#[test]
fn the_counter_counts() {
    let info = counted(|| vec![0u8; 1000]);
    assert_eq!((info.count_total, info.bytes_total), (1, 1000));
}

#[test]
fn routing_allocates_nothing() {
    let keys = names::keys(500, &mut Rng::new(1));
    for (name, ring) in rings() {
        allocates_nothing(name, || {
            keys.iter().filter_map(|key| ring.route(key)).sum::<u64>()
        });
        allocates_nothing(name, || {
            keys.iter()
                .filter_map(|key| ring.route_token(ring.token(key)))
                .sum::<u64>()
        });
        allocates_nothing(name, || {
            keys.iter()
                .filter_map(|key| ring.route_where(key, |_| true))
                .sum::<u64>()
        });
        let strategy: &dyn Strategy<Node = u64> = &ring;
        allocates_nothing(name, || {
            keys.iter()
                .filter_map(|key| strategy.route(key))
                .sum::<u64>()
        });
        allocates_nothing(name, || ring.route_token(Token::new(u64::MAX)).copied());
    }
}

#[test]
fn up_to_16_refusals_allocate_nothing() {
    let keys = names::keys(200, &mut Rng::new(2));
    for (name, ring) in rings() {
        for refusals in 0..=16 {
            allocates_nothing(&format!("{name}, {refusals} refusals"), || {
                for key in &keys {
                    let mut left = refusals;
                    let found = ring.route_where(key, |_| {
                        let accepted = left == 0;
                        left -= u32::from(!accepted);
                        accepted
                    });
                    assert!(found.is_some());
                }
            });
        }
    }
}

/// Rendezvous of one weight, of several and of ties; tables without and with a cap.
fn ranked() -> Vec<(&'static str, Box<dyn Strategy<Node = u64>>)> {
    let members = |weights: u32| (0..100u64).map(move |node| (node, 1 + node as u32 % weights));
    let rendezvous = |weights, hasher| {
        let mut nodes = Rendezvous::with_hasher(hasher);
        nodes.extend_weighted(members(weights)).expect("distinct");
        Box::new(nodes) as Box<dyn Strategy<Node = u64>>
    };
    let table = |weights, builder: clockwise::table::SlotTableBuilder<u64>| {
        let mut table = builder.slots(1024).build().expect("it works");
        table.extend_weighted(members(weights)).expect("distinct");
        Box::new(table) as Box<dyn Strategy<Node = u64>>
    };
    vec![
        ("rendezvous", rendezvous(1, Spoilt::Not)),
        ("weighted rendezvous", rendezvous(5, Spoilt::Not)),
        ("constant rendezvous", rendezvous(5, Spoilt::Constant(3))),
        ("table", table(1, SlotTable::builder())),
        ("weighted table", table(5, SlotTable::builder())),
        (
            "capped table",
            table(1, SlotTable::builder().load_factor(1.0)),
        ),
        (
            "capped weighted table",
            table(5, SlotTable::builder().load_factor(1.02)),
        ),
    ]
}

#[test]
fn rendezvous_and_slot_tables_allocate_nothing_up_to_16_refusals() {
    let keys = names::keys(50, &mut Rng::new(4));
    for (name, strategy) in ranked() {
        allocates_nothing(name, || {
            keys.iter()
                .filter_map(|key| strategy.route(key))
                .sum::<u64>()
        });
        for refusals in 0..=16 {
            allocates_nothing(&format!("{name}, {refusals} refusals"), || {
                for key in &keys {
                    let mut left = refusals;
                    let found = strategy.route_where(key, |_| {
                        let accepted = left == 0;
                        left -= u32::from(!accepted);
                        accepted
                    });
                    assert!(found.is_some());
                }
            });
        }
        // The whole order of up to 100 nodes needs no memory either.
        allocates_nothing(&format!("{name}, all refused"), || {
            assert!(strategy.route_where("key", |_| false).is_none());
        });
    }
}

#[test]
fn the_first_16_of_a_preference_allocate_nothing_and_all_of_it_one_bitmap() {
    for (name, ring) in rings() {
        allocates_nothing(name, || ring.preference("key").take(16).sum::<u64>());
        let info = counted(|| ring.preference("key").sum::<u64>());
        assert_eq!(info.count_total, 1, "{name}");
        assert_eq!(
            info.bytes_total,
            8 * (ring.len() as u64).div_ceil(64),
            "{name}: one bit a node"
        );
    }
}

#[test]
fn a_key_of_64_mib_is_hashed_where_it_stands() {
    let key = vec![b'k'; 64 << 20];
    let (_, ring) = rings().swap_remove(0);
    let unkeyed = measure(|| assert!(ring.route(&key).is_some()));
    let keyed = HashRing::<u64, SipHash13>::with_hasher(SipHash13::new([1; 16]));
    let keyed = measure(|| assert_ne!(keyed.token(&key).get(), 0));
    assert_eq!((unkeyed.count_total, keyed.count_total), (0, 0));
}

#[test]
fn keys_of_every_kind_are_encoded_without_allocating() {
    let ring = HashRing::<u64>::new();
    let v6: IpAddr = "2001:db8::1".parse().expect("an address");
    allocates_nothing("integers", || {
        (ring.token(&7u8), ring.token(&7u64), ring.token(&7u128))
    });
    allocates_nothing("addresses", || {
        (ring.token(&v6), ring.token(&SocketAddr::new(v6, 80)))
    });
    allocates_nothing("short pairs", || {
        ring.token(&("tenant-12345", ("user", 42u64)))
    });
    // 8 bytes of length and 56 more fit the stack; one more does not.
    allocates_nothing("56 bytes", || ring.token(&("a", [0u8; 55])));
    assert_eq!(counted(|| ring.token(&("a", [0u8; 56]))).count_total, 1);
    allocates_nothing("references", || ring.token(&&&"key"));
    assert_eq!(("a", [0u8; 55]).key_bytes().as_ref().len(), 64);
}

#[test]
fn replicas_allocate_for_what_they_return_however_many_are_asked_for() {
    for (name, ring) in rings() {
        assert_eq!(counted(|| ring.replicas("key", 3)).count_total, 1, "{name}");
        assert_eq!(counted(|| ring.replicas("key", 0)).count_total, 0, "{name}");
        for n in [1000, usize::MAX] {
            let info = counted(|| ring.replicas("key", n));
            let pointers = (ring.len() * size_of::<usize>()) as u64;
            assert!(
                info.bytes_total <= pointers + 8 * 2,
                "{name}, {n}: {} bytes",
                info.bytes_total
            );
            let info = counted(|| Route::replicas(&ring, "key", n));
            assert!(
                info.bytes_max <= 6 * pointers,
                "{name}, {n}: {} bytes",
                info.bytes_max
            );
            let info = counted(|| ring.replicas_across("key", n, |node| node % 3));
            assert!(
                info.bytes_max <= 16 * pointers,
                "{name}, {n}: {} bytes",
                info.bytes_max
            );
        }
    }
}

#[test]
fn a_batch_into_a_used_vec_allocates_nothing() {
    let keys = names::keys(1000, &mut Rng::new(3));
    for (name, ring) in rings() {
        let mut out = Vec::new();
        ring.route_batch(&keys, &mut out);
        allocates_nothing(name, || ring.route_batch(&keys, &mut out));
    }
}

#[test]
fn reading_allocates_nothing() {
    let (_, ring) = rings().swap_remove(0);
    allocates_nothing("reads", || {
        assert!(ring.contains(&5u64) && ring.get(&5u64).is_some() && ring.weight(&5u64) == Some(1));
        ring.nodes().sum::<u64>() + ring.members().map(|m| u64::from(m.weight)).sum::<u64>()
    });
    allocates_nothing("arcs", || {
        ring.arcs().map(|arc| arc.range.len()).sum::<u128>()
    });
}

#[test]
fn a_refused_weight_allocates_no_points() {
    let mut ring = HashRing::new();
    let info = counted(|| ring.insert_weighted("a", 4_000_000_000).is_err());
    assert!(info.bytes_total < 1000, "{} bytes", info.bytes_total);
    let mut ring = HashRing::builder()
        .virtual_nodes(1)
        .max_points(usize::MAX)
        .build()
        .expect("it fits");
    let info = counted(|| ring.extend_weighted([("a", u32::MAX), ("b", 1)]).is_err());
    assert!(info.bytes_total < 1000, "{} bytes", info.bytes_total);
}
