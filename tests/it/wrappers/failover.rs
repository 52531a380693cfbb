//! Failover with overprovisioning: each key has one home group, by the groups' health alone.

use crate::common::random::Rng;
use clockwise::{
    ConfigError, Edit, Failover, Filtered, HashRing, KeyHasher, Manage, Membership, Rendezvous,
    Strategy, Token, Tracked, Xxh3,
};
use std::collections::BTreeSet;
use std::sync::Mutex;

type Ring = HashRing<String>;

/// Groups of so many nodes, named by their group and number.
fn groups(sizes: &[usize]) -> Vec<Ring> {
    let name = |group, node| format!("{group}:{node}");
    let ring = |(group, &size)| {
        let names = (0..size).map(move |node| name(group, node));
        HashRing::builder()
            .virtual_nodes(16)
            .from_nodes(names)
            .unwrap()
    };
    sizes.iter().enumerate().map(ring).collect()
}

fn group_of(node: &str) -> usize {
    node.split(':').next().unwrap().parse().unwrap()
}

/// The fraction of keys that each group serves.
fn fractions<S: Strategy<Node = String>>(groups: &Failover<S>) -> Vec<f64> {
    const KEYS: u32 = 20_000;
    let mut counts = vec![0u32; groups.groups().len()];
    for key in 0..KEYS {
        counts[group_of(groups.route(&key).unwrap())] += 1;
    }
    counts
        .into_iter()
        .map(|n| f64::from(n) / f64::from(KEYS))
        .collect()
}

fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let off = |(a, b): (&f64, &f64)| (a - b).abs();
    let most = found.iter().zip(expected).map(off).fold(0.0, f64::max);
    assert!(most < 0.03, "{found:?} instead of {expected:?}");
}

#[test]
fn the_first_group_keeps_its_healthy_part_times_the_factor() {
    for (healthy, local) in [
        (10, 1.0),
        (8, 1.0),
        (7, 0.98),
        (5, 0.7),
        (3, 0.42),
        (1, 0.14),
        (0, 0.0),
    ] {
        let mut drained = Failover::new(groups(&[10, 10])).overprovision(1.4).unwrap();
        for node in healthy..10 {
            drained.drain(&format!("0:{node}")).unwrap();
        }
        near(&fractions(&drained), &[local, 1.0 - local]);
        // Filtered as drained, to the key.
        let up = |node: &String| {
            let (group, number) = node.split_once(':').unwrap();
            group == "1" || number.parse::<usize>().unwrap() < healthy
        };
        let inside = groups(&[10, 10])
            .into_iter()
            .map(|ring| Filtered::new(ring, up))
            .collect();
        let filtered = Failover::new(inside).overprovision(1.4).unwrap();
        for key in 0..2_000u32 {
            assert_eq!(filtered.route(&key), drained.route(&key));
            assert_eq!(filtered.replicas(&key, 99), drained.replicas(&key, 99));
        }
    }
}

#[test]
fn several_groups_share_what_is_left() {
    let health = |healthy: [usize; 3]| {
        let mut all = Failover::new(groups(&[10, 10, 10]))
            .overprovision(1.4)
            .unwrap();
        for (group, healthy) in healthy.into_iter().enumerate() {
            for node in healthy..10 {
                all.drain(&format!("{group}:{node}")).unwrap();
            }
        }
        fractions(&all)
    };
    near(&health([10, 10, 10]), &[1.0, 0.0, 0.0]);
    near(&health([5, 10, 10]), &[0.7, 0.3, 0.0]);
    near(&health([3, 2, 10]), &[0.42, 0.28, 0.3]);
    near(&health([0, 1, 10]), &[0.0, 0.14, 0.86]);
    // Less than 1 in all: scaled up to it.
    near(&health([2, 1, 1]), &[0.5, 0.25, 0.25]);
    near(&health([0, 0, 1]), &[0.0, 0.0, 1.0]);
    near(&health([1, 0, 0]), &[1.0, 0.0, 0.0]);
}

#[test]
fn health_is_a_fraction_of_the_weight_of_the_groups_own_members() {
    let mut all = groups(&[2, 3]);
    all[0].set_weight("0:1", 3).unwrap();
    // Members of the first group count there alone.
    all[1].insert_weighted("0:0".into(), 100).unwrap();
    all[1].insert_weighted("0:1".into(), 100).unwrap();
    let mut all = Failover::new(all).overprovision(1.0).unwrap();
    all.drain("0:1").unwrap();
    near(&fractions(&all), &[0.25, 0.75]);
    all.drain("1:0").unwrap();
    all.drain("1:1").unwrap();
    let health = [0.25, 1.0 / 3.0];
    near(
        &fractions(&all),
        &health.map(|h| h / (health[0] + health[1])),
    );
}

/// Down and up again, one by one: each key leaves at one health, and comes back at the same.
#[test]
fn keys_leave_and_return_gradually_and_by_the_same_way() {
    let mut all = Failover::new(groups(&[20, 10, 10]))
        .overprovision(1.25)
        .unwrap();
    let homes = |all: &Failover<Ring>| -> Vec<usize> {
        (0..4_000u32)
            .map(|key| group_of(all.route(&key).unwrap()))
            .collect()
    };
    let mut down = vec![homes(&all)];
    for node in 0..20 {
        all.drain(&format!("0:{node}")).unwrap();
        let now = homes(&all);
        let before = down.last().unwrap();
        let moved = before.iter().zip(&now).filter(|(a, b)| a != b).count();
        // A node's part of the keys times the factor, 250, and no more.
        assert!(moved < 350, "{moved} keys move with node {node}");
        assert!(before.iter().zip(&now).all(|(before, now)| now >= before));
        down.push(now);
    }
    for node in (0..20).rev() {
        down.pop();
        all.undrain(&format!("0:{node}")).unwrap();
        assert_eq!(Some(&homes(&all)), down.last());
    }
}

/// Where the groups together have 1 or more after it.
#[test]
fn losing_a_node_moves_no_key_into_its_group_nor_to_an_earlier_one() {
    let mut checked = 0;
    for seed in 0..150u64 {
        let mut random = Rng::new(seed);
        let factor = 1.0 + random.below_u64(100) as f64 / 64.0; // exact in binary
        let sizes: Vec<usize> = (0..2 + random.below_u64(3))
            .map(|_| 1 + random.below_u64(6) as usize)
            .collect();
        let mut weights = Vec::new();
        let mut all: Vec<Rendezvous<String>> = Vec::new();
        for (group, &size) in sizes.iter().enumerate() {
            let mut nodes = Vec::new();
            for node in 0..size {
                let weight = 1 + random.below_u64(5) as u32;
                nodes.push((format!("{group}:{node}"), weight));
                weights.push((group, format!("{group}:{node}"), weight));
            }
            all.push(Rendezvous::from_weighted(nodes).unwrap());
        }
        let mut all = Failover::new(all).overprovision(factor).unwrap();
        // Whether the shares sum to 1, in exact arithmetic: over a common denominator.
        let enough = |all: &Failover<Rendezvous<String>>| {
            let (mut sum, mut whole) = (0u128, 1u128);
            for group in all.groups() {
                let weight = |drained: bool| -> u128 {
                    let members = group.members().filter(|m| drained || !m.drained);
                    members.map(|m| u128::from(m.weight)).sum()
                };
                let healthy = weight(false) * (factor * 64.0) as u128;
                sum = sum * weight(true) + healthy * whole;
                whole *= weight(true);
            }
            sum >= 64 * whole
        };
        while all.eligible() > 1 {
            let (group, node, _) = &weights[random.below_u64(weights.len() as u64) as usize];
            if all.is_drained(node) == Some(true) {
                continue;
            }
            let homes = |all: &Failover<Rendezvous<String>>| -> Vec<usize> {
                (0..200u32)
                    .map(|key| group_of(all.route(&key).unwrap()))
                    .collect()
            };
            let before = homes(&all);
            all.drain(node).unwrap();
            if !enough(&all) {
                break;
            }
            for (before, now) in before.iter().zip(homes(&all)) {
                assert!(
                    *before == now || (now > *group && now > *before),
                    "seed {seed}: {before} to {now} when {node} is lost"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}

#[test]
fn a_key_is_offered_its_home_then_the_later_groups_then_the_earlier_ones() {
    let mut inside = groups(&[4, 4, 4]);
    // A node of two groups belongs to the first, also if the second is the home.
    inside[2].insert("0:0".into()).unwrap();
    inside[2].insert("0:3".into()).unwrap();
    let mut all = Failover::new(inside).overprovision(1.0).unwrap();
    for node in ["0:2", "0:3", "1:1", "1:2", "1:3"] {
        all.drain(node).unwrap();
    }
    let mut homes = BTreeSet::new();
    for key in 0..500u32 {
        let order = all.replicas(&key, 99);
        let home = group_of(order[0]);
        homes.insert(home);
        let mut expected = Vec::new();
        for group in [0, 1, 2].map(|i| (home + i) % 3) {
            let nodes = all.groups()[group].replicas(&key, 99).into_iter();
            expected.extend(nodes.filter(|node| group_of(node) == group));
        }
        // From the home to the last group, then from the first.
        expected.sort_by_key(|node| (group_of(node) + 3 - home) % 3);
        assert_eq!(order, expected);
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), order.len());
        assert_eq!(order.len(), all.eligible());
        assert_eq!(all.route(&key), Some(order[0]));
        assert_eq!(all.replicas(&key, 3), order[..3]);
        // What a caller refuses is not unhealthy: the home stays.
        let second = all.route_where(&key, |node| node != order[0]);
        assert_eq!(second, Some(order[1]));
    }
    assert_eq!(homes, [0, 1, 2].into());
}

#[test]
fn health_follows_every_change_of_members() {
    fn check(all: &Failover<Ring>, what: &str) {
        // The same members, counted afresh.
        let fresh = Failover::new(all.groups().to_vec())
            .overprovision(1.4)
            .unwrap();
        for key in 0..500u32 {
            assert_eq!(all.replicas(&key, 9), fresh.replicas(&key, 9), "{what}");
        }
    }
    let mut all = Failover::new(groups(&[5, 5])).overprovision(1.4).unwrap();
    check(&all, "new");
    all.drain("0:0").unwrap();
    all.drain("0:1").unwrap();
    check(&all, "drain");
    all.groups_mut()[0].drain("0:2").unwrap();
    check(&all, "groups_mut");
    let before = all.clone();
    all.undrain("0:1").unwrap();
    check(&all, "undrain");
    check(&before, "a clone");
    all.remove("0:0").unwrap();
    check(&all, "remove");
    all.set_weight("0:2", 7).unwrap();
    check(&all, "set_weight");
    all.insert_weighted("0:9".into(), 4).unwrap();
    check(&all, "insert");
    all.get_mut("0:9").unwrap();
    check(&all, "get_mut");
    let list = ["0:1", "0:2", "0:7", "1:3"].map(|name| (String::from(name), 2));
    all.set_nodes(list).unwrap();
    check(&all, "set_nodes");
    all.groups_mut().reverse();
    check(&all, "another order of groups");
    assert!(all.insert("1:3".into()).is_err());
    check(&all, "a refused change");
}

#[test]
fn a_filter_that_changes_its_mind_moves_homes() {
    let down = Mutex::new(BTreeSet::new());
    let up = |node: &String| !down.lock().unwrap().contains(node);
    let inside = groups(&[10, 10])
        .into_iter()
        .map(|ring| Filtered::new(ring, up))
        .collect();
    let all = Failover::new(inside).overprovision(1.4).unwrap();
    near(&fractions(&all), &[1.0, 0.0]);
    down.lock()
        .unwrap()
        .extend((0..7).map(|node| format!("0:{node}")));
    near(&fractions(&all), &[0.42, 0.58]);
    down.lock().unwrap().clear();
    near(&fractions(&all), &[1.0, 0.0]);
    // One filtered group is enough to count anew.
    let some: Vec<Box<dyn Strategy<Node = String> + '_>> = vec![
        Box::new(groups(&[10]).remove(0)),
        Box::new(Filtered::new(groups(&[10, 10]).remove(1), up)),
    ];
    let mixed = Failover::new(some).overprovision(1.4).unwrap();
    near(&fractions(&mixed), &[1.0, 0.0]);
}

#[test]
fn a_pick_allocates_nothing() {
    let up = |node: &String| node != "0:3";
    let inside = |i: usize| Filtered::new(groups(&[10, 10]).remove(i), up);
    let filtered = Failover::new(vec![inside(0), inside(1)])
        .overprovision(1.01)
        .unwrap();
    let plain = Failover::new(groups(&[10, 10]))
        .overprovision(1.01)
        .unwrap();
    plain.route("the first pick after a change counts health");
    let picks = allocation_counter::measure(|| {
        for key in 0..100u32 {
            assert!(filtered.route(&key).is_some() && plain.route(&key).is_some());
        }
    });
    assert_eq!(picks.count_total, 0);
}

#[test]
fn without_a_healthy_node_the_order_is_that_of_priority() {
    let none = Failover::new(Vec::<Ring>::new())
        .overprovision(1.4)
        .unwrap();
    assert_eq!(none.route("key"), None);
    let empty = Failover::new(groups(&[0, 0])).overprovision(1.4).unwrap();
    assert_eq!(empty.route("key"), None);
    let mut drained = Failover::new(groups(&[2, 2])).overprovision(1.4).unwrap();
    assert_eq!(drained.drain_where(|_| true), 4);
    assert_eq!(drained.route("key"), None);
    // An empty group has no share.
    let gap = Failover::new(groups(&[0, 2])).overprovision(1.4).unwrap();
    assert!((0..100u32).all(|key| group_of(gap.route(&key).unwrap()) == 1));
}

#[test]
fn a_factor_that_cannot_work_is_refused() {
    for factor in [0.0, -1.0, 0.999, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = Failover::new(groups(&[1]))
            .overprovision(factor)
            .unwrap_err();
        assert!(matches!(
            &error,
            ConfigError::OutOfRange {
                setting: "overprovision",
                ..
            }
        ));
        assert!(
            error.to_string().contains("finite and at least 1"),
            "{error}"
        );
    }
    let shown = format!(
        "{:?}",
        Failover::new(groups(&[1])).overprovision(1.5).unwrap()
    );
    assert!(shown.contains("Overprovision(1.5)"), "{shown}");
    let mut greatest = Failover::new(groups(&[10, 1]))
        .overprovision(f64::MAX)
        .unwrap();
    for node in 0..9 {
        greatest.drain(&format!("0:{node}")).unwrap();
    }
    assert!((0..100u32).all(|key| greatest.route(&key).unwrap() == "0:9"));
}

type Boxed = Box<dyn Membership<Node = Tracked<String>> + Send + Sync>;

/// Two groups of two kinds, each with room for 6 virtual nodes: `0:0`, `0:1`, and `1:0`, `1:1`.
fn boxed() -> Failover<Boxed> {
    let ring = |group: u32| {
        let names = (0..2).map(move |node| Tracked::new(format!("{group}:{node}")));
        let small = HashRing::builder().virtual_nodes(1).max_points(6);
        small.from_nodes(names).unwrap()
    };
    let second = Failover::new(vec![ring(1)]);
    Failover::new(vec![Box::new(ring(0)) as Boxed, Box::new(second)])
}

fn members<S: Strategy<Node = Tracked<String>>>(all: &S) -> Vec<(String, u32, bool)> {
    let mut members = Vec::new();
    all.for_each_member(&mut |m| members.push(((**m.node).clone(), m.weight, m.drained)));
    members
}

#[test]
fn a_bad_edit_in_any_group_changes_none() {
    let mut all = boxed();
    let before = members(&all);
    let good = || {
        vec![
            Edit::drain("0:0"),
            Edit::set_weight("0:1", 2),
            Edit::remove("1:1"),
        ]
    };
    let bad = [
        Edit::set_weight("1:0", 7),
        Edit::set_weight("1:0", 0),
        Edit::drain("x"),
        Edit::remove("1:1"), // twice
        Edit::insert(Tracked::new("1:0".into()), 1),
        Edit::insert(Tracked::new("new".into()), 4), // joins the first, which has no room
        Edit::replace(Tracked::new("x".into())),
        Edit::insert(Tracked::new(String::new()), 1),
    ];
    for bad in bad {
        for at in 0..=3 {
            let mut edits = good();
            edits.insert(at, bad.clone());
            if let (Edit::Remove { .. }, 3) = (&bad, at) {
                edits.push(Edit::drain("1:1"));
            }
            assert!(all.apply(edits).is_err(), "{bad:?} at {at}");
            assert_eq!(members(&all), before, "{bad:?} at {at}");
        }
    }
    let changes = all.apply(good()).unwrap();
    let counts = (changes.drained(), changes.reweighted(), changes.removed());
    assert_eq!(counts, (1, 1, 1));
    let after = [("0:0", 1, true), ("0:1", 2, false), ("1:0", 1, false)];
    assert_eq!(
        members(&all),
        after.map(|(name, w, drained)| (name.into(), w, drained))
    );
}

#[test]
fn a_list_leaves_nodes_in_their_groups_and_newcomers_join_the_first() {
    let mut all = boxed();
    let list = |names: &[(&str, u32)]| -> Vec<(Tracked<String>, u32)> {
        names
            .iter()
            .map(|&(name, w)| (Tracked::new(name.into()), w))
            .collect()
    };
    let before = members(&all);
    for bad in [
        list(&[("0:0", 1), ("new", 2), ("1:0", 7)]),
        list(&[("0:0", 1), ("new", 2), ("1:0", 0)]),
        list(&[("0:0", 1), ("1:0", 1), ("1:0", 1)]),
    ] {
        assert!(all.set_nodes(bad).is_err());
        assert_eq!(members(&all), before);
    }
    let request = all.get("1:0").unwrap().begin();
    all.set_nodes(list(&[("0:1", 2), ("1:0", 3), ("new", 1)]))
        .unwrap();
    let of = |group: &Boxed| {
        members(group)
            .into_iter()
            .map(|(name, w, _)| (name, w))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&all.groups()[0]), [("0:1".into(), 2), ("new".into(), 1)]);
    assert_eq!(of(&all.groups()[1]), [("1:0".into(), 3)]);
    assert_eq!(all.get("1:0").unwrap().in_flight(), 1);
    drop(request);
}

#[test]
fn a_removed_node_leaves_every_group() {
    let mut all = boxed();
    for group in 0..2 {
        all.groups_mut()[group]
            .insert(Tracked::new("both".into()))
            .unwrap();
    }
    let request = all.get("both").unwrap().begin();
    let removed = all.remove("both").unwrap();
    assert_eq!(
        removed.in_flight(),
        1,
        "the payload of the group that it belonged to"
    );
    drop(request);
    assert!(!all.contains("both"));
    assert!(all.remove("both").is_none());
    // Removed and added, it is in the first group alone.
    for group in 0..2 {
        all.groups_mut()[group]
            .insert(Tracked::new("both".into()))
            .unwrap();
    }
    let edits = [
        Edit::remove("both"),
        Edit::insert(Tracked::new("both".into()), 2),
    ];
    all.apply(edits).unwrap();
    assert_eq!(all.weight("both"), Some(2));
    let has = |group: &Boxed| group.member(b"both").is_some();
    assert_eq!([0, 1].map(|i| has(&all.groups()[i])), [true, false]);
    all.groups_mut()[1]
        .insert(Tracked::new("both".into()))
        .unwrap();
    assert_eq!(all.clear().len(), 6);
    assert!(all.is_empty());
}

/// Made by `tests/spec/check_failover.py`, which shares no code with the crate.
#[test]
fn homes_are_the_recorded_ones() {
    let mut checked = 0;
    let file = include_str!("../../golden/v1/failover.tsv");
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let hex = |cell: &str| u64::from_str_radix(cell, 16).unwrap();
        let ["home", factor, groups, token, hashed, home] = cells[..] else {
            panic!("{line}");
        };
        let token = Token::new(hex(token));
        let bytes = [&b"failover"[..], &token.get().to_le_bytes()].concat();
        assert_eq!(Xxh3::new().hash_bytes(&bytes), hex(hashed), "{line}");
        let group = |(i, weights): (usize, &str)| {
            let (healthy, whole) = weights.split_once('/').unwrap();
            let [healthy, whole] = [healthy, whole].map(|n| n.parse::<u64>().unwrap());
            let mut group = Rendezvous::new();
            for (name, weight) in [("up", healthy), ("down", whole - healthy)] {
                if let Ok(weight @ 1..) = u32::try_from(weight) {
                    group
                        .insert_weighted(format!("{i}:{name}"), weight)
                        .unwrap();
                }
            }
            let _ = group.drain(&format!("{i}:down"));
            group
        };
        let groups = groups.split(',').enumerate().map(group).collect();
        let factor = hex(factor) as f64 / (1u64 << 32) as f64;
        let all = Failover::new(groups).overprovision(factor).unwrap();
        let node = all.route_token(token).unwrap();
        assert_eq!(group_of(node), home.parse::<usize>().unwrap(), "{line}");
        checked += 1;
    }
    assert!(checked >= 700, "{checked}");
}

#[test]
fn a_node_that_is_removed_and_inserted_keeps_its_count_in_another_group() {
    for home in 0..2 {
        let names = [["a", "b"], ["c", "d"]];
        let ring = |names: [&'static str; 2]| HashRing::from_nodes(names.map(Tracked::new));
        let mut failover = Failover::new(names.map(|names| ring(names).unwrap()).into());
        let name = names[home][1];
        let request = failover.get(name).unwrap().begin();
        let edits = [Edit::remove(name), Edit::insert(Tracked::new(name), 3)];
        let removed = failover.apply(edits).unwrap().into_removed();
        assert_eq!(*removed[0], name);
        // An insertion joins the first group.
        assert_eq!(failover.groups()[0].weight(name), Some(3));
        assert_eq!(failover.get(name).unwrap().in_flight(), 1);
        drop(request);
        assert_eq!(failover.get(name).unwrap().in_flight(), 0);
    }
}
