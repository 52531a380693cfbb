//! Explanations agree with the ring and name who was passed over.

use crate::common::random::Rng;
use crate::common::scaled;
use crate::common::zoned_nodes::{Node, Weak, random_ring};
use clockwise::{HashRing, KeyHasher, Xxh3, migration::Verdict};

fn agrees<H: KeyHasher + Clone>(ring: &HashRing<Node, H>, hasher: &H, key: u64, refused: u64) {
    let accept = |node: &Node| node.zone != refused;
    let why = ring.explain_where(&key, accept);
    assert_eq!(why.key(), key.to_le_bytes());
    assert_eq!(why.token(), ring.token(&key));
    assert_eq!(why.owner(), ring.route_where(&key, accept));
    let mut order = ring.preference(&key).filter(|node| accept(node));
    assert_eq!(order.next(), why.owner());
    assert!(why.next_preferences().eq(order.take(3)));
    let token = why.token().get();
    let mut before = 0;
    for stop in why.stops() {
        // The point is where Layout V1 puts that virtual node.
        let number = stop.virtual_node.unwrap();
        let bytes = [&number.to_le_bytes(), stop.node.name.as_bytes()].concat();
        assert_eq!(hasher.hash_bytes(&bytes), stop.point.get());
        assert!(number < stop.points);
        let distance = stop.point.get().wrapping_sub(token);
        assert!(distance >= before, "clockwise");
        before = distance;
        let drained = ring.is_drained(stop.node).unwrap();
        assert_eq!(stop.verdict == Verdict::Drained, drained);
        assert_eq!(
            stop.verdict == Verdict::Refused,
            !drained && !accept(stop.node)
        );
    }
    // The first of all, had nobody been drained or refused.
    let mut all = ring.clone();
    let drained: Vec<_> = ring
        .members()
        .filter(|m| m.drained)
        .map(|m| m.node.clone())
        .collect();
    for node in &drained {
        all.undrain(node).unwrap();
    }
    assert_eq!(why.stops().first().map(|stop| stop.node), all.route(&key));
    // And in general: those passed over are the preferences before the owner.
    let passed = why.passed_over().map(|stop| stop.node);
    let wanted = all
        .preference(&key)
        .take_while(|node| Some(*node) != why.owner());
    assert!(passed.eq(wanted));
}

#[test]
fn the_explanation_is_what_the_ring_does() {
    for run in 0..scaled(40, 40, 1000) as u64 {
        let mut random = Rng::new(run);
        let ring = random_ring(&mut random, 9, Xxh3::new());
        let weak = Weak([0, 3, 8][run as usize % 3]);
        let tied = random_ring(&mut random, 9, weak);
        for key in 0..20 {
            agrees(&ring, &Xxh3::new(), key, random.below_u64(4));
            agrees(&tied, &weak, key, random.below_u64(4));
        }
    }
}

/// The walk ends at the third preference after the owner. If there is none, it passes the whole
/// circle, and drained nodes behind the last preference are shown too.
#[test]
fn drained_nodes_are_shown_up_to_the_third_preference_after_the_owner() {
    let (mut shown_behind, mut hidden) = (0, 0);
    for eligible in [1, 3, 4, 5] {
        let nodes = (0..12u64).map(|i| (i, 1));
        let all = HashRing::builder().virtual_nodes(2);
        let all = all.from_weighted(nodes).unwrap();
        let mut ring = all.clone();
        ring.drain_where(|&node| node >= eligible);
        for key in 0..200u64 {
            let mut accepted = 0;
            let wanted = all.preference(&key).take_while(|&&node| {
                let more = accepted < 4;
                accepted += usize::from(node < eligible);
                more
            });
            let wanted: Vec<_> = wanted.collect();
            let why = ring.explain(&key);
            let stops = why.stops().iter().map(|stop| stop.node);
            assert_eq!(stops.collect::<Vec<_>>(), wanted, "{eligible} eligible");
            shown_behind += usize::from(*wanted[wanted.len() - 1] >= eligible);
            hidden += usize::from(wanted.len() < 12);
        }
    }
    assert!(shown_behind > 100 && hidden > 100);
}

#[test]
fn it_reads_well() {
    let mut ring = HashRing::from_nodes(["a", "b", "c", "d", "e"]).unwrap();
    let order: Vec<_> = ring.preference("user:42").copied().collect();
    ring.drain(order[0]).unwrap();
    let text = ring
        .explain_where("user:42", |node| *node != order[1])
        .to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("key `user:42`, 7 bytes, token 0x"),
        "{text}"
    );
    assert!(
        lines[1].starts_with(&format!(
            "passed over `{}`: drained; its virtual node",
            order[0]
        )),
        "{text}"
    );
    assert!(
        lines[2].starts_with(&format!(
            "passed over `{}`: refused by the caller; its",
            order[1]
        )),
        "{text}"
    );
    assert!(
        lines[3].starts_with(&format!("owner `{}`: its virtual node", order[2])),
        "{text}"
    );
    assert_eq!(lines[4], format!("next `{}`, `{}`", order[3], order[4]));

    let nobody = ring.explain_where("user:42", |_| false);
    assert_eq!(nobody.owner(), None);
    assert_eq!(nobody.passed_over().count(), 5);
    assert!(
        nobody
            .to_string()
            .ends_with("no owner: no node is eligible and accepted")
    );
    let empty = HashRing::<&str>::new().explain("").to_string();
    assert!(empty.starts_with("key ``, 0 bytes, token 0x"), "{empty}");
}
