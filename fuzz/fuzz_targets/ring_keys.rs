//! Any key and any predicate on rings with fine, coarse and tied points: every way to ask gives one
//! answer.
#![no_main]

#[allow(dead_code)] // A fuzz target uses a part.
#[path = "../../tests/it/common/mod.rs"]
mod common;

use clockwise::{HashRing, Route, Strategy, Token};
use common::hashers::Spoilt;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// A ring and its arcs: last token, owner.
type Ring = (HashRing<u64, Spoilt>, Vec<(Token, u64)>);

static RINGS: LazyLock<Vec<Ring>> = LazyLock::new(|| {
    let of = |hasher, virtual_nodes, nodes| {
        let builder = HashRing::builder().virtual_nodes(virtual_nodes).hasher(hasher);
        let mut ring = builder.build().expect("it fits");
        let all = (0..nodes).map(|node| (node, 1 + node as u32 % 3));
        ring.extend_weighted(all).expect("distinct");
        ring.drain(&0u64).expect("it is a member");
        let arcs = ring.arcs().map(|arc| (arc.range.last(), *arc.node)).collect();
        (ring, arcs)
    };
    vec![
        of(Spoilt::Not, 1, 2),
        of(Spoilt::Not, 100, 100),
        of(Spoilt::Not, 400, 100),
        of(Spoilt::Top8, 20, 40),
        of(Spoilt::Low8, 5, 20),
        of(Spoilt::OneArc, 40, 30),
        of(Spoilt::Ends, 3, 20),
        of(Spoilt::Constant(u64::MAX), 2, 70),
    ]
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, rest)) = bytes.split_first() else { return };
    let (ring, arcs) = &RINGS[usize::from(which) % RINGS.len()];
    // Refused are the nodes whose bit is set; the rest is the key.
    let (mask, key) = rest.split_at(rest.len().min(8));
    let up = |node: &u64| {
        let byte = mask.get((node / 8) as usize % 8).copied().unwrap_or(0);
        byte >> (node % 8) & 1 == 0
    };
    let token = ring.token(key);
    let owner = ring.route(key);
    let order: Vec<&u64> = ring.preference(key).collect();
    assert_eq!(order.len(), ring.len() - 1, "all but the drained one");
    assert_eq!(owner, order.first().copied());
    assert_eq!(ring.route_token(token), owner);
    let mut asked = 0;
    let found = ring.route_where(key, |node| {
        asked += 1;
        up(node)
    });
    let expected = order.iter().position(|node| up(node));
    assert_eq!(found, expected.map(|place| order[place]));
    assert_eq!(asked, expected.map_or(order.len(), |place| place + 1));
    let n = mask.len() * 3;
    assert!(ring.replicas(key, n).iter().eq(order.iter().take(n)));
    assert_eq!(Route::replicas(ring, key, n), ring.replicas(key, n));
    let mut out = Vec::new();
    let keys = [key; 65];
    ring.route_batch(&keys, &mut out);
    assert!(out.len() == 65 && out.iter().all(|batched| *batched == owner));
    // The key's bytes as a token: as near to points as the fuzzer likes.
    let mut place = [0; 8];
    place[..key.len().min(8)].copy_from_slice(&key[..key.len().min(8)]);
    let place = Token::new(u64::from_be_bytes(place));
    assert_eq!(ring.route_token(place), ring.pick(place, &mut |_| true));
    let (_, owner) = arcs[arcs.partition_point(|&(last, _)| last < place)];
    assert_eq!(ring.route_token(place), Some(&owner));
});
