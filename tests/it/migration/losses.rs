//! Every loss, of owners and of copies, is what the slow path finds: clone, drain, diff, balance.

use crate::common::random::Rng;
use crate::common::scaled;
use crate::common::zoned_nodes::{Node, Weak, names, node, random_ring};
use clockwise::{HashRing, Xxh3, Zoned, migration::Loss};
use std::collections::BTreeMap;

fn agrees<H: clockwise::KeyHasher + Clone>(ring: &HashRing<Node, H>, loss: &Loss<'_, Node>) {
    let mut after = ring.clone();
    for node in &loss.lost {
        after.drain(*node).unwrap();
    }
    let migration = ring.diff(&after).unwrap();
    assert_eq!(loss.measure, migration.measure());
    let mut heirs = BTreeMap::new();
    for m in migration.moves() {
        assert!(loss.lost.contains(&m.from.unwrap()));
        if let Some(to) = m.to {
            *heirs.entry(&to.name).or_insert(0) += m.range.len();
        }
    }
    let told: BTreeMap<_, _> = loss
        .heirs
        .iter()
        .map(|h| (&h.node.name, h.inherits))
        .collect();
    assert_eq!(told, heirs);
    assert!(
        loss.heirs
            .windows(2)
            .all(|pair| pair[0].inherits >= pair[1].inherits)
    );
    // Each is rounded a few times at 2⁻⁵³.
    let balance = after.balance();
    assert!((loss.busiest - balance.busiest()).abs() < 1e-9, "{loss}");
    assert_eq!(loss.busiest_node.is_none(), after.point_count() == 0);
    if let Some(busiest) = loss.busiest_node {
        let row = balance
            .nodes()
            .iter()
            .find(|row| row.node == busiest.name)
            .unwrap();
        assert!((row.relative - loss.busiest).abs() < 1e-9);
    }
}

#[test]
fn every_loss_is_what_draining_a_clone_does() {
    let mut checked = 0;
    for run in 0..scaled(40, 40, 500) as u64 {
        let mut random = Rng::new(run);
        let ring = random_ring(&mut random, 10, Xxh3::new());
        let losses = ring.losses();
        assert!(losses.iter().map(|loss| loss.lost[0]).eq(ring.nodes()));
        let zones = ring.losses_by(|node| node.zone);
        let lost: usize = zones.iter().map(|loss| loss.lost.len()).sum();
        assert_eq!(lost, ring.len());
        let (a, b) = (node(random.below_u64(20)), node(random.below_u64(20)));
        let pair = ring.loss_where(|node| *node == a || *node == b);
        for loss in losses.iter().chain(&zones).chain([&pair]) {
            agrees(&ring, loss);
            checked += 1;
        }
    }
    println!("{checked} losses agree");
}

#[test]
fn equal_tokens_are_inherited_in_order_of_identity() {
    for run in 0..40 {
        let mut random = Rng::new(run);
        let ring = random_ring(&mut random, 6, Weak([0, 2, 6][run as usize % 3]));
        for loss in ring
            .losses()
            .iter()
            .chain(&ring.losses_by(|node| node.zone))
        {
            agrees(&ring, loss);
        }
    }
}

#[test]
fn the_loss_of_nobody_and_of_everybody() {
    let ring = HashRing::from_nodes((0..3).map(node)).unwrap();
    let nobody = ring.loss_where(|_| false);
    agrees(&ring, &nobody);
    assert!(nobody.lost.is_empty() && nobody.measure == 0);
    let all = ring.loss_where(|_| true);
    agrees(&ring, &all);
    assert_eq!(
        (all.measure, all.heirs.len(), all.busiest_node),
        (1 << 64, 0, None)
    );
    assert_eq!(names(all.lost.iter().copied()), ["node0", "node1", "node2"]);
    assert!(HashRing::<Node>::new().losses().is_empty());
    assert!(
        all.to_string()
            .starts_with("loss of `node0`, `node1`, `node2`: 100.00 %"),
        "{all}"
    );
}

#[test]
fn a_loss_is_shown_with_four_names_and_what_the_heirs_get() {
    let ring = HashRing::from_nodes((0..9).map(node)).unwrap();
    let first = |count: u64| {
        let loss = ring.loss_where(|lost| (0..count).any(|i| node(i) == *lost));
        let percent = 100.0 * loss.measure as f64 / 2f64.powi(64);
        let (heirs, busiest) = (loss.heirs.len(), loss.busiest);
        let rest = format!(
            ": {percent:.2} % go to {heirs} heirs, the busiest then has {busiest:.3} of its due"
        );
        (loss.to_string(), rest)
    };
    let (none, rest) = first(0);
    assert!(!rest.contains("to 1 heirs"));
    assert_eq!(
        none,
        "loss of no node: 0.00 % of the tokens, and no node inherits them"
    );
    let (one, rest) = first(1);
    assert_eq!(one, format!("loss of `node0`{rest}"));
    let (four, rest) = first(4);
    assert_eq!(
        four,
        format!("loss of `node0`, `node1`, `node2`, `node3`{rest}")
    );
    let (six, rest) = first(6);
    assert_eq!(
        six,
        format!("loss of `node0`, `node1`, `node2`, `node3` and 2 more{rest}")
    );
}

#[test]
fn another_number_of_virtual_nodes_keeps_the_members() {
    let mut ring = HashRing::from_nodes((0..5).map(node)).unwrap();
    ring.set_weight("node1", 3).unwrap();
    ring.drain("node2").unwrap();
    let planned = ring.resized(100).unwrap();
    assert_eq!((planned.virtual_nodes(), planned.point_count()), (100, 600));
    assert!(planned.members().eq(ring.members()));
    let mut built = HashRing::builder().virtual_nodes(100).build().unwrap();
    built
        .extend_weighted(ring.members().map(|m| (m.node.clone(), m.weight)))
        .unwrap();
    built.drain("node2").unwrap();
    assert_eq!(planned.fingerprint(), built.fingerprint());
    assert!(ring.resized(0).is_err() && ring.resized(u32::MAX).is_err());
    assert_eq!(ring.resized(512).unwrap().fingerprint(), ring.fingerprint());
}

// ---- copies -------------------------------------------------------------------------------------

type Zone = fn(&Node) -> u64;

/// A loss of copies against the slow path. `Some(zone)`: copies over zones.
fn copies_agree<H: clockwise::KeyHasher + Clone>(
    ring: &HashRing<Node, H>,
    n: usize,
    zone: Option<Zone>,
    loss: &Loss<'_, Node>,
) {
    let mut after = ring.clone();
    for node in &loss.lost {
        after.drain(*node).unwrap();
    }
    let migration = match zone {
        Some(zone) => ring.diff_replicas_across(&after, n, zone).unwrap(),
        None => ring.diff_replicas(&after, n).unwrap(),
    };
    assert_eq!(loss.measure, migration.measure());
    let mut heirs = BTreeMap::new();
    for m in migration.moves() {
        assert!(loss.lost.contains(&m.from.unwrap()));
        if let Some(to) = m.to {
            *heirs.entry(&to.name).or_insert(0) += m.range.len();
        }
    }
    let told: BTreeMap<_, _> = loss
        .heirs
        .iter()
        .map(|h| (&h.node.name, h.inherits))
        .collect();
    assert_eq!(told, heirs);
    let left = after.eligible();
    let balance = match zone {
        Some(zone) => Zoned::new(after, zone).balance_of(n),
        None => after.balance_of(n),
    };
    assert!((loss.busiest - balance.busiest()).abs() < 1e-9, "{loss}");
    assert_eq!(loss.busiest_node.is_none(), left == 0);
}

#[test]
fn every_loss_of_copies_is_what_draining_a_clone_does() {
    let zone: Zone = |node| node.zone;
    for run in 0..scaled(12, 12, 500) as u64 {
        let mut random = Rng::new(run);
        let mut ring = random_ring(&mut random, 9, Xxh3::new());
        if run % 4 == 0 {
            // One zone of a single node.
            ring.retain(|member| member.node.zone > 0);
            let lone = Node {
                name: "lone".into(),
                zone: 7,
            };
            ring.insert(lone).unwrap();
        }
        assert_eq!(ring.losses_of(1), ring.losses());
        for n in [0, 1, 2, 3, 5, 12] {
            for loss in ring.losses_of(n) {
                copies_agree(&ring, n, None, &loss);
            }
            let zoned = Zoned::new(ring.clone(), zone);
            let losses = zoned.losses_of(n);
            assert!(losses.iter().map(|loss| loss.lost[0]).eq(ring.nodes()));
            for loss in losses.iter().chain(&zoned.losses_of_zones(n)) {
                copies_agree(&ring, n, Some(zone), loss);
            }
        }
    }
}

#[test]
fn equal_tokens_keep_their_order_in_losses_of_copies() {
    for run in 0..20 {
        let mut random = Rng::new(run);
        let ring = random_ring(&mut random, 6, Weak([0, 2, 6][run as usize % 3]));
        for n in [2, 3] {
            for loss in ring.losses_of(n) {
                copies_agree(&ring, n, None, &loss);
            }
        }
    }
}
