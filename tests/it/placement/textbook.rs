//! The ring of the textbooks: S1, S2, S3 at 25f3…, 67ab…, b93c…, and what clients find from where
//! they stand.

use crate::common::hashers::{Chosen, point_bytes};
use clockwise::HashRing;

const S1: u64 = 0x25f3_0000_0000_0000;
const S2: u64 = 0x67ab_0000_0000_0000;
const S3: u64 = 0xb93c_0000_0000_0000;
const S4: u64 = 0x4000_0000_0000_0000;

/// One point a server, where the textbook has it; and clients at chosen places.
fn textbook() -> HashRing<&'static str, Chosen> {
    let servers = [("S1", S1), ("S2", S2), ("S3", S3), ("S4", S4)];
    let clients = [
        ("client1", 0x53c4 << 48),
        ("client2", 0xc000 << 48),
        ("client3", S2),
        ("client4", S2 + 1),
    ];
    let servers = servers.map(|(server, place)| (point_bytes(0, server.as_bytes()), place));
    let clients = clients.map(|(client, place)| (client.as_bytes().to_vec(), place));
    let hasher = Chosen(servers.into_iter().chain(clients).collect());
    let mut ring = HashRing::builder()
        .virtual_nodes(1)
        .hasher(hasher)
        .build()
        .expect("1 point a node");
    ring.extend_weighted([("S1", 1), ("S2", 1), ("S3", 1)])
        .expect("three servers");
    ring
}

/// Every 2⁻¹⁶ of the circle, and both sides of every server.
fn places() -> impl Iterator<Item = clockwise::Token> {
    let servers = [S1, S2, S3, S4]
        .into_iter()
        .flat_map(|place| [place - 1, place, place + 1]);
    (0..=0xffff)
        .map(|i| i << 48)
        .chain(servers)
        .chain([u64::MAX])
        .map(clockwise::Token::new)
}

#[test]
fn a_client_goes_to_the_next_server_clockwise() {
    let ring = textbook();
    assert_eq!(ring.token("client1").get(), 0x53c4_0000_0000_0000);
    assert_eq!(ring.route("client1"), Some(&"S2"));
    assert_eq!(ring.replicas("client1", 3), [&"S2", &"S3", &"S1"]);
}

#[test]
fn past_the_last_server_the_circle_closes() {
    let ring = textbook();
    assert_eq!(ring.route("client2"), Some(&"S1"));
    assert_eq!(ring.replicas("client2", 2), [&"S1", &"S2"]);
}

#[test]
fn a_client_on_a_server_is_that_servers_and_just_past_it_the_nexts() {
    let ring = textbook();
    assert_eq!(ring.route("client3"), Some(&"S2"));
    assert_eq!(ring.route("client4"), Some(&"S3"));
}

#[test]
fn arcs_end_at_the_servers() {
    let ring = textbook();
    let arcs: Vec<_> = ring
        .arcs()
        .map(|arc| (arc.range.first().get(), arc.range.last().get(), *arc.node))
        .collect();
    let expected = [
        (0, S1, "S1"),
        (S1 + 1, S2, "S2"),
        (S2 + 1, S3, "S3"),
        (S3 + 1, u64::MAX, "S1"),
    ];
    assert_eq!(arcs, expected);
    assert_eq!(ring.measure("S2"), Some(u128::from(S2 - S1)));
    assert_eq!(
        ring.share("S1"),
        Some((S1.wrapping_sub(S3)) as f64 / 2f64.powi(64))
    );
}

#[test]
fn a_new_server_takes_only_the_keys_of_its_arc() {
    let before = textbook();
    let mut ring = textbook();
    ring.insert("S4").expect("a new server");
    for place in places() {
        let its_arc = (S1 + 1..=S4).contains(&place.get());
        let expected = if its_arc {
            Some(&"S4")
        } else {
            before.route_token(place)
        };
        assert_eq!(ring.route_token(place), expected, "{place:?}");
    }
}

#[test]
fn a_server_that_leaves_gives_its_keys_to_the_next_and_touches_no_others() {
    for (leaving, heir) in [("S1", "S2"), ("S2", "S3"), ("S3", "S1")] {
        let before = textbook();
        let mut ring = textbook();
        assert_eq!(ring.remove(leaving), Some(leaving));
        for place in places() {
            let was = *before.route_token(place).expect("three servers");
            let expected = if was == leaving { heir } else { was };
            assert_eq!(ring.route_token(place), Some(&expected), "{place:?}");
        }
    }
}
