//! Rendezvous has the order of its formula, and moves only the keys that must move.
//!
//! `CLOCKWISE_LONG=1` runs the full counts (figures with `-- --nocapture`), and `CLOCKWISE_FAST=1`
//! runs fewer than usual.

use crate::common::random::Rng;
use crate::common::scaled;
use clockwise::{
    KeyHasher, Mixed, NodeError, Rendezvous, Route, SipHash13, SlotTable, Strategy, Token, Xxh3,
};
use std::cell::Cell;
use std::collections::BTreeMap;

type Weighted = BTreeMap<String, u32>;

fn random_set(random: &mut Rng, nodes: usize, weights: usize) -> Weighted {
    (0..=random.below(nodes))
        .map(|i| {
            let name = format!("10.0.{}.{i}:8080", random.below(200));
            (name, 1 + random.below(weights) as u32)
        })
        .collect()
}

fn of<H: KeyHasher>(set: &Weighted, hasher: H) -> Rendezvous<String, H> {
    let mut nodes = Rendezvous::with_hasher(hasher);
    nodes
        .extend_weighted(set.iter().map(|(name, &weight)| (name.clone(), weight)))
        .unwrap();
    nodes
}

/// Returns the order by the formula, in floating point: −ln(u)/w ascending. Returns `None` if two
/// nodes are too close for floats to tell. The lesser name is first if hash and weight are equal.
fn oracle(set: &Weighted, hasher: &impl KeyHasher, token: u64) -> Option<Vec<String>> {
    let cost = |(name, &weight): (&String, &u32)| {
        let mut y = token ^ hasher.hash_bytes(&[&[0; 4], name.as_bytes()].concat());
        y = (y ^ (y >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        y = (y ^ (y >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        // 1 − u is exact enough near u = 1, where u itself is not.
        let rest = (u64::MAX - y) as f64 / 18_446_744_073_709_551_616.0;
        (
            -(-rest).ln_1p() / f64::from(weight),
            y,
            weight,
            name.clone(),
        )
    };
    let mut costs: Vec<_> = set.iter().map(cost).collect();
    costs.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.3.cmp(&b.3)));
    let unclear = costs.windows(2).any(|pair| {
        let ((a, ay, aw, _), (b, by, bw, _)) = (&pair[0], &pair[1]);
        b - a < 1e-12 * b && (ay, aw) != (by, bw)
    });
    (!unclear).then(|| costs.into_iter().map(|cost| cost.3).collect())
}

/// Random histories of all verbs, including calls that must fail, against a map and the formula.
#[test]
fn random_histories_agree_with_a_model() {
    fn check<H: KeyHasher + Copy>(random: &mut Rng, hasher: H) -> usize {
        let mut nodes = Rendezvous::with_hasher(hasher);
        let mut model: BTreeMap<String, (u32, bool)> = BTreeMap::new();
        let mut compared = 0;
        for _ in 0..random.below(60) {
            let name = format!("n{}", random.below(12));
            let weight = random.below(4) as u32;
            let known = model.contains_key(&name);
            match random.below(8) {
                0 | 1 => {
                    let fine = nodes.insert_weighted(name.clone(), weight).is_ok();
                    assert_eq!(fine, !known && weight > 0);
                    if fine {
                        model.insert(name, (weight, false));
                    }
                }
                2 => assert_eq!(nodes.remove(&name).is_some(), model.remove(&name).is_some()),
                3 => {
                    assert_eq!(nodes.set_weight(&name, weight).is_ok(), known && weight > 0);
                    if let (Some(entry), 1..) = (model.get_mut(&name), weight) {
                        entry.0 = weight;
                    }
                }
                4 | 5 => {
                    let drain = weight > 0;
                    let done = if drain {
                        nodes.drain(&name)
                    } else {
                        nodes.undrain(&name)
                    };
                    assert_eq!(done.is_ok(), known);
                    if let Some(entry) = model.get_mut(&name) {
                        entry.1 = drain;
                    }
                }
                6 => {
                    let all =
                        [("n1", 1), ("n2", 2), (&*name, weight)].map(|(n, w)| (n.to_string(), w));
                    let distinct = name != "n1" && name != "n2";
                    let result = nodes.set_nodes(all.clone());
                    assert_eq!(result.is_ok(), distinct && weight > 0);
                    if result.is_ok() {
                        let drained = |name: &String| model.get(name).is_some_and(|entry| entry.1);
                        let after = all.into_iter().map(|(n, w)| (n.clone(), (w, drained(&n))));
                        model = after.collect();
                    }
                }
                _ => nodes = nodes.clone(),
            }
            let members = nodes
                .members()
                .map(|m| (m.node.clone(), (m.weight, m.drained)));
            assert!(members.eq(model.clone()));
            let eligible = model.iter().filter(|(_, entry)| !entry.1);
            let eligible: Weighted = eligible.map(|(n, entry)| (n.clone(), entry.0)).collect();
            let token = random.next();
            if let Some(expected) = oracle(&eligible, &hasher, token) {
                let mut order = Vec::new();
                nodes.pick(Token::new(token), &mut |node| {
                    order.push(node.clone());
                    false
                });
                assert_eq!(order, expected);
                compared += 1;
            }
        }
        compared
    }
    let mut random = Rng::new(6);
    let mut compared = 0;
    let histories = scaled(20, 150, 20_000);
    for history in 0..histories {
        compared += match history % 4 {
            0 => check(
                &mut random,
                Mixed::from_fn(|b: &[u8]| Xxh3::new().hash_bytes(b) & 3),
            ),
            _ => check(&mut random, Xxh3::new()),
        };
    }
    assert!(compared > histories * 20);
}

#[test]
fn the_order_is_that_of_the_formula() {
    let mut random = Rng::new(1);
    let (mut compared, sets) = (0, scaled(100, 600, 20_000));
    for case in 0..sets {
        let set = random_set(&mut random, 40, [1, 2, 8, 1000][case % 4]);
        let nodes = of(&set, Xxh3::new());
        for _ in 0..5 {
            let token = random.next();
            let Some(expected) = oracle(&set, &Xxh3::new(), token) else {
                continue;
            };
            compared += 1;
            let mut order = Vec::new();
            let none = nodes.pick(Token::new(token), &mut |node| {
                order.push(node.clone());
                false
            });
            assert_eq!((none, &order), (None, &expected));
            assert_eq!(nodes.route_token(Token::new(token)), expected.first());
        }
    }
    assert!(compared > sets * 4);
}

/// −log₂((score + 1) / 2⁶⁴) in units of 2⁻⁵⁷, as the layout defines it.
fn cost(score: u64) -> u128 {
    let x = u128::from(score) + 1;
    if x == 1 << 64 {
        return 0;
    }
    let n = (x as u64).leading_zeros();
    let (mut m, mut f) = (x << n, 0);
    for _ in 0..57 {
        let bit = (m * m) >> 127;
        m = (m * m) >> (63 + bit);
        f = f << 1 | bit;
    }
    (u128::from(1 + n) << 57) - f
}

/// The order by scores and a sort, in exact arithmetic.
fn scores_and_a_sort(set: &Weighted, hasher: &impl KeyHasher, token: u64) -> Vec<String> {
    let mut claims: Vec<_> = set
        .iter()
        .map(|(name, &weight)| {
            let y = token ^ hasher.hash_bytes(&[&[0; 4], name.as_bytes()].concat());
            let y = (y ^ (y >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
            let score = (y ^ (y >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
            (cost(score), u128::from(weight), score, name)
        })
        .collect();
    claims.sort_by(|a, b| {
        let by_cost = (a.0 * b.1).cmp(&(b.0 * a.1));
        by_cost.then(b.2.cmp(&a.2)).then(a.3.cmp(b.3))
    });
    claims.into_iter().map(|claim| claim.3.clone()).collect()
}

/// Sizes on both sides of each limit at which nodes are found in another way, and weights and
/// hashes with many close claims and ties. Tokens near 0 make scores that are alike.
#[test]
fn the_order_is_that_of_scores_and_a_sort_with_no_exception() {
    fn check<H: KeyHasher + Copy>(random: &mut Rng, hasher: H, size: usize, kind: usize) {
        let weight = |i: usize, random: &mut Rng| match kind {
            0 => 1,
            1 => 1 + i as u32 % 5,
            2 => 100 + i as u32,
            3 => 10u32.pow(random.below(10) as u32),
            4 => u32::MAX - i as u32 % 2,
            _ => 1 + random.below(3_000_000_000) as u32,
        };
        let set: Weighted = (0..size)
            .map(|i| (format!("n{i}"), weight(i, random)))
            .collect();
        let nodes = of(&set, hasher);
        for _ in 0..scaled(1, 3, 100) {
            let token = random.next() >> (random.below(3) * 30);
            let expected = scores_and_a_sort(&set, &hasher, token);
            let mut order = Vec::new();
            nodes.pick(Token::new(token), &mut |node| {
                order.push(node.clone());
                false
            });
            assert_eq!(order, expected, "{size} nodes, weights {kind}, {token}");
            let key = token.to_le_bytes();
            let preference = nodes.preference(&key);
            let expected = scores_and_a_sort(&set, &hasher, nodes.token(&key).get());
            // A clone continues from any place.
            for taken in [0, 1, 2, 3, 4, 17, 18, size - 1] {
                let mut rest = preference.clone();
                assert!(rest.by_ref().take(taken).eq(expected.iter().take(taken)));
                assert!(rest.clone().eq(expected.iter().skip(taken)));
                assert!(rest.eq(expected.iter().skip(taken)));
            }
        }
    }
    let mut random = Rng::new(7);
    for size in [1, 2, 3, 4, 5, 9, 10, 17, 18, 20, 21, 40, 99, 100, 101, 150] {
        for kind in 0..6 {
            let masked = |mask| Mixed::from_fn(move |b: &[u8]| Xxh3::new().hash_bytes(b) & mask);
            check(&mut random, Xxh3::new(), size, kind);
            check(&mut random, masked(0), size, kind);
            check(&mut random, masked(3), size, kind);
            check(&mut random, masked(0xff), size, kind);
            check(&mut random, masked(0xff << 56), size, kind);
        }
    }
}

/// A slot table has the order of the slot's number, but for an owner that a cap has chosen.
#[test]
fn a_slot_table_has_the_same_order_after_its_owner() {
    for (size, weights) in [(3, 1), (10, 1), (20, 30), (100, 5), (130, 1), (130, 50)] {
        let mut random = Rng::new(size);
        let set: Weighted = (0..size)
            .map(|i| (format!("n{i}"), 1 + random.below(weights) as u32))
            .collect();
        let members = || set.iter().map(|(name, &weight)| (name.clone(), weight));
        let builder = || SlotTable::builder().slots(256);
        let free = builder().from_weighted(members()).unwrap();
        let capped = builder().load_factor(1.0).from_weighted(members()).unwrap();
        for slot in (0..256u64).step_by(9) {
            let token = Token::new(slot << 56);
            let mut expected = scores_and_a_sort(&set, &Xxh3::new(), slot);
            for table in [&free, &capped] {
                let mut order = Vec::new();
                table.pick(token, &mut |node| {
                    order.push(node.clone());
                    false
                });
                let owner = table.route_token(token).unwrap();
                expected.retain(|node| node != owner);
                expected.insert(0, owner.clone());
                assert_eq!(order, expected, "{size} nodes, slot {slot}");
            }
        }
    }
}

#[test]
fn order_of_insertion_and_history_are_irrelevant() {
    fn check<H: KeyHasher + Copy>(random: &mut Rng, hasher: H, keys: usize) {
        let set = random_set(random, 64, 8);
        let reference = of(&set, hasher);
        for path in 0..5 {
            let mut entries: Vec<_> = set.iter().collect();
            random.shuffle(&mut entries);
            let mut nodes = Rendezvous::with_hasher(hasher);
            for (i, (name, weight)) in entries.iter().enumerate() {
                if (path + i) % 3 == 0 {
                    nodes.insert(format!("gone-{i}")).unwrap();
                }
                if (path + i) % 2 == 0 {
                    nodes.insert((*name).clone()).unwrap();
                    nodes.set_weight(*name, **weight).unwrap();
                } else {
                    nodes.insert_weighted((*name).clone(), **weight).unwrap();
                    nodes.drain(*name).unwrap();
                }
            }
            for (i, (name, _)) in entries.iter().enumerate() {
                assert_eq!(
                    nodes.remove(&format!("gone-{i}")).is_some(),
                    (path + i) % 3 == 0
                );
                nodes.undrain(*name).unwrap();
            }
            assert_eq!(nodes.fingerprint(), reference.fingerprint());
            for _ in 0..keys {
                let key = random.next();
                assert_eq!(nodes.route(&key), reference.route(&key));
                assert_eq!(nodes.replicas(&key, 3), reference.replicas(&key, 3));
            }
        }
    }
    let mut random = Rng::new(2);
    let (sets, keys) = (scaled(16, 60, 2000), scaled(10, 20, 1000));
    for set in 0..sets {
        match set % 8 {
            0 => check(
                &mut random,
                Mixed::from_fn(|b: &[u8]| Xxh3::new().hash_bytes(b) & 0xff),
                keys,
            ),
            1 => check(
                &mut random,
                Mixed::from_fn(|b: &[u8]| Xxh3::new().hash_bytes(b) & 0xffff),
                keys,
            ),
            2 => check(&mut random, Mixed::from_fn(|_: &[u8]| 7), keys),
            3 => check(&mut random, SipHash13::new([9; 16]), keys),
            _ => check(&mut random, Xxh3::with_seed(set as u64 / 16), keys),
        }
    }
}

#[test]
fn only_the_changed_node_gains_or_loses() {
    let mut random = Rng::new(3);
    let (changes, keys) = (scaled(20, 60, 500), scaled(300, 1500, 100_000));
    let tokens: Vec<Token> = (0..keys).map(|_| Token::new(random.next())).collect();
    let mut set = random_set(&mut random, 12, 5);
    let mut nodes = of(&set, Xxh3::new());
    let owners = |nodes: &Rendezvous<String>| -> Vec<Option<String>> {
        tokens
            .iter()
            .map(|&t| nodes.route_token(t).cloned())
            .collect()
    };
    let mut before = owners(&nodes);
    for change in 0..changes {
        let names: Vec<String> = set.keys().cloned().collect();
        let any = names[random.below(names.len())].clone();
        let (gains, name) = match change % 5 {
            0 | 1 if set.len() < 30 => {
                let (name, weight) = (format!("new-{change}"), 1 + random.below(5) as u32);
                set.insert(name.clone(), weight);
                nodes.insert_weighted(name.clone(), weight).unwrap();
                (true, name)
            }
            2 if set.len() > 2 => {
                set.remove(&any);
                nodes.remove(&any);
                (false, any)
            }
            3 => {
                let drained = nodes.is_drained(&any).unwrap();
                if drained {
                    nodes.undrain(&any).unwrap();
                } else {
                    nodes.drain(&any).unwrap();
                }
                (drained, any)
            }
            _ => {
                let (old, new) = (set[&any], 1 + random.below(9) as u32);
                set.insert(any.clone(), new);
                nodes.set_weight(&any, new).unwrap();
                (new > old, any)
            }
        };
        let after = owners(&nodes);
        for (old, new) in before.iter().zip(&after) {
            if old != new {
                let moved = if gains { new } else { old };
                assert_eq!(moved.as_ref(), Some(&name), "{old:?} {new:?}");
            }
        }
        before = after;
    }
}

#[test]
fn flaps_restore_everything() {
    let mut nodes = of(&random_set(&mut Rng::new(4), 20, 4), Xxh3::new());
    let (fingerprint, owner) = (nodes.fingerprint(), nodes.route("key").cloned().unwrap());
    let weight = nodes.weight(&owner).unwrap();
    for _ in 0..scaled(50, 300, 10_000) {
        assert!(nodes.remove(&owner).is_some());
        assert_ne!(nodes.fingerprint(), fingerprint);
        nodes.insert_weighted(owner.clone(), weight).unwrap();
        assert_eq!(nodes.fingerprint(), fingerprint);
    }
    assert_eq!(nodes.route("key"), Some(&owner));
}

/// Returns Σ (observed − expected)²/expected as a standard normal deviate (Wilson and Hilferty).
fn chi_squared(observed: &[u64], expected: &[f64], freedom: usize) -> f64 {
    let terms = observed.iter().zip(expected);
    let chi: f64 = terms.map(|(&o, e)| (o as f64 - e).powi(2) / e).sum();
    let k = freedom as f64;
    ((chi / k).cbrt() - (1.0 - 2.0 / (9.0 * k))) / (2.0 / (9.0 * k)).sqrt()
}

/// p = 10⁻⁶, one-sided, is 4.75 standard deviations. Over 100 sets the greatest of fair deviates is
/// expected near 2.5.
const P_ONE_IN_A_MILLION: f64 = 4.75;

#[test]
fn first_and_second_choices_are_uniform() {
    let (sets, keys) = (scaled(4, 8, 100), scaled(4000, 20_000, 1_000_000));
    let (mut worst_first, mut worst_second) = (f64::MIN, f64::MIN);
    for set in 0..sets {
        let n = 2 + set % 15;
        let nodes = Rendezvous::from_nodes((0..n as u64).map(|i| i + 1000 * set as u64)).unwrap();
        let index = |node: &u64| (node % 1000) as usize;
        let mut first = vec![0; n];
        let mut second = vec![0; n * n];
        for key in 0..keys as u64 {
            let both = nodes.replicas(&key, 2);
            first[index(both[0])] += 1;
            second[index(both[0]) * n + index(both[1])] += 1;
        }
        let share = keys as f64 / n as f64;
        worst_first = worst_first.max(chi_squared(&first, &vec![share; n], n - 1));
        // Given the first, each of the others: cells off the diagonal.
        if n > 2 {
            let cells: Vec<u64> = (0..n * n)
                .filter(|cell| cell / n != cell % n)
                .map(|cell| second[cell])
                .collect();
            let expected: Vec<f64> = (0..cells.len())
                .map(|cell| first[cell / (n - 1)] as f64 / (n - 1) as f64)
                .collect();
            worst_second = worst_second.max(chi_squared(&cells, &expected, n * (n - 2)));
        }
    }
    println!(
        "{sets} sets x {keys} keys: first {worst_first:.2} sigma, second {worst_second:.2} sigma"
    );
    assert!(worst_first < P_ONE_IN_A_MILLION && worst_second < P_ONE_IN_A_MILLION);
}

#[test]
fn shares_follow_weights_within_five_sigma() {
    let keys = scaled(4000, 30_000, 1_000_000);
    let mut worst: f64 = 0.0;
    for weights in [
        vec![1, 2],
        vec![1, 1, 1, 7],
        vec![1, 10, 100, 1000],
        (1..=20).collect(),
        vec![5; 9],
    ] {
        let total: u32 = weights.iter().sum();
        let mut nodes = Rendezvous::new();
        nodes
            .extend_weighted(weights.iter().enumerate().map(|(i, &w)| (i as u64, w)))
            .unwrap();
        let mut first = vec![0u64; weights.len()];
        // The second is each of the others by weight, given the first.
        let (mut second, mut expected) = (vec![0u64; weights.len()], vec![0.0; weights.len()]);
        let mut variance = vec![0.0; weights.len()];
        for key in 0..keys as u64 {
            let both = nodes.replicas(&key, 2);
            let (a, b) = (*both[0] as usize, *both[1] as usize);
            first[a] += 1;
            second[b] += 1;
            for i in (0..weights.len()).filter(|&i| i != a) {
                let p = f64::from(weights[i]) / f64::from(total - weights[a]);
                expected[i] += p;
                variance[i] += p * (1.0 - p);
            }
        }
        for (i, &weight) in weights.iter().enumerate() {
            let p = f64::from(weight) / f64::from(total);
            let (mean, sigma) = (p * keys as f64, (keys as f64 * p * (1.0 - p)).sqrt());
            let off = (first[i] as f64 - mean) / sigma;
            worst = worst.max(off.abs());
            assert!(
                off.abs() < 5.0,
                "{weights:?}: node {i} is {off:.1} sigma off"
            );
            // Two nodes: the second is certain, without variance.
            let off = (second[i] as f64 - expected[i]) / variance[i].sqrt().max(1e-9);
            assert!(
                off.abs() < 5.0,
                "{weights:?}: node {i} as second is {off:.1} sigma off"
            );
        }
    }
    println!("{keys} keys: worst share {worst:.2} sigma off");
}

/// A removal shows which node is next, through the passes over the field and the sorted rest.
#[test]
fn the_next_in_preference_is_the_owner_once_the_first_is_gone() {
    let mut random = Rng::new(5);
    for weights in [1, 3, 50] {
        let set: Weighted = (0..40)
            .map(|i| (format!("n{i}"), 1 + random.below(weights) as u32))
            .collect();
        let full = of(&set, Xxh3::new());
        for key in ["", "a", "user:42"] {
            let order: Vec<&String> = full.preference(key).collect();
            assert_eq!(order.len(), 40);
            let mut nodes = full.clone();
            for (i, &node) in order.iter().enumerate() {
                assert_eq!(nodes.route(key), Some(node), "{i}");
                assert_eq!(full.preference(key).nth(i), Some(node));
                if i % 2 == 0 {
                    nodes.remove(node);
                } else {
                    nodes.drain(node).unwrap();
                }
            }
            assert_eq!(nodes.route(key), None);
        }
    }
}

#[test]
fn a_predicate_is_asked_once_for_each_node() {
    let nodes = Rendezvous::from_nodes(0..100u32).unwrap();
    let mut asked = Vec::new();
    let none = nodes.route_where("key", |node| {
        asked.push(*node);
        // Re-entering is fine.
        assert!(nodes.route("other").is_some());
        false
    });
    assert_eq!((none, asked.len()), (None, 100));
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), 100);

    let mut left = nodes.preference("key");
    assert_eq!(left.len(), 100);
    assert_eq!(left.by_ref().take(30).count(), 30);
    assert_eq!((left.len(), left.clone().count()), (70, 70));
    assert_eq!(left.by_ref().count(), 70);
    assert_eq!((left.next(), left.len()), (None, 0));
}

#[test]
fn replicas_are_distinct_and_never_more_than_there_are() {
    let mut nodes = Rendezvous::from_nodes(["a", "b", "c"]).unwrap();
    nodes.drain("b").unwrap();
    assert!(nodes.replicas("key", 0).is_empty());
    for n in [2, 3, usize::MAX] {
        let mut replicas = nodes.replicas("key", n);
        replicas.sort_unstable();
        assert_eq!(replicas, [&"a", &"c"]);
    }
    assert_eq!(nodes.get("b"), Some(&"b"));
}

#[test]
fn bad_input_is_refused_by_name_and_changes_nothing() {
    let mut nodes: Rendezvous<&str> = Rendezvous::new();
    assert_eq!(
        (nodes.route("key"), nodes.preference("key").next()),
        (None, None)
    );
    nodes
        .extend_weighted([("a", 1), ("b", u32::MAX), ("c", u32::MAX)])
        .unwrap();
    let before = nodes.fingerprint();
    let named = |error: NodeError| error.to_string();
    assert!(named(nodes.insert("a").unwrap_err()).contains("`a`"));
    assert!(named(nodes.extend_weighted([("d", 1), ("d", 2)]).unwrap_err()).contains("`d`"));
    assert!(named(nodes.extend_weighted([("d", 1), ("e", 0)]).unwrap_err()).contains("`e`"));
    assert!(matches!(nodes.insert(""), Err(NodeError::EmptyIdentity)));
    assert!(matches!(
        nodes.set_weight("z", 1),
        Err(NodeError::Unknown { .. })
    ));
    assert!(matches!(
        nodes.set_weight("a", 0),
        Err(NodeError::ZeroWeight { .. })
    ));
    assert!(matches!(nodes.drain("z"), Err(NodeError::Unknown { .. })));
    assert_eq!(nodes.remove("z"), None);
    assert_eq!(nodes.fingerprint(), before);
    let same = nodes
        .set_nodes([("c", u32::MAX), ("b", u32::MAX), ("a", 1)])
        .unwrap();
    assert!(same.is_empty());
    assert_eq!(nodes.fingerprint(), before);
    for _ in 0..3 {
        nodes.drain("a").unwrap();
    }
    assert_ne!(nodes.fingerprint(), before);
    nodes.clear();
    assert_eq!((nodes.len(), nodes.route("key")), (0, None));
}

#[test]
fn equal_hashes_go_by_identity() {
    let mut nodes = Rendezvous::with_hasher(Mixed::from_fn(|_: &[u8]| 1));
    nodes
        .extend_weighted([("b", 1), ("a", 1), ("c", 1)])
        .unwrap();
    assert_eq!(nodes.replicas("key", 3), [&"a", &"b", &"c"]);
    // One score for all: the greater weight has the lesser cost.
    nodes.set_weight("c", 2).unwrap();
    assert_eq!(nodes.replicas("key", 3), [&"c", &"a", &"b"]);
}

/// Panics at the n-th hash.
struct Fuse<'a>(&'a Cell<u32>);

impl KeyHasher for Fuse<'_> {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        self.0
            .set(self.0.get().checked_sub(1).expect("the fuse has blown"));
        Xxh3::new().hash_bytes(bytes)
    }
}

#[test]
fn a_panicking_hasher_leaves_everything_as_it_was() {
    for at in 0..6 {
        let fuse = Cell::new(u32::MAX);
        let mut nodes = Rendezvous::with_hasher(Fuse(&fuse));
        nodes
            .extend_weighted((0..5u32).map(|i| (i, 1 + i)))
            .unwrap();
        let (before, owner) = (nodes.fingerprint(), *nodes.route("key").unwrap());
        fuse.set(at);
        let change = std::panic::AssertUnwindSafe(|| {
            nodes.extend_weighted((5..11u32).map(|i| (i, 1))).unwrap();
        });
        assert!(std::panic::catch_unwind(change).is_err());
        fuse.set(u32::MAX);
        assert_eq!((nodes.len(), nodes.fingerprint()), (5, before));
        assert_eq!(nodes.route("key"), Some(&owner));
    }
}

#[test]
fn many_nodes_are_all_reachable() {
    let nodes = Rendezvous::from_nodes(0..70_000u32).unwrap();
    let last = nodes.preference("key").last().unwrap();
    assert!(nodes.route_where("key", |node| node == last).is_some());
    assert_eq!(nodes.preference("key").count(), 70_000);
}

#[test]
fn it_is_shared_and_boxed() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    let nodes = Rendezvous::from_nodes(["a", "b"]).unwrap();
    shared(&nodes);
    let owner = nodes.route("key").copied();
    let boxed: Box<dyn Strategy<Node = &str> + Send + Sync> = Box::new(nodes);
    assert_eq!(boxed.route("key").copied(), owner);
    let mut members = Vec::new();
    boxed.for_each_member(&mut |member| members.push(*member.node));
    assert_eq!(members, ["a", "b"]);
    assert_eq!(boxed.member(b"b").map(|member| member.weight), Some(1));
}
