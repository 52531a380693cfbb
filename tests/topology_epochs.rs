//! Two epochs: nothing is lost while data moves.

mod topology_support;

use clockwise::{Epochs, HashRing, Route, Strategy, Token, Xxh3};
use std::collections::{BTreeSet, HashMap};
use topology_support::{Node, Random, count, names, node, random_ring};

/// A store on every node, run through a change: whatever was written last is read, at every moment.
#[test]
fn reads_find_the_last_write_at_every_step_of_a_move() {
    const KEYS: u64 = 60;
    let mut reads = 0;
    for run in 0..count(30, 400) as u64 {
        let mut random = Random(run);
        let (old, new) = (
            random_ring(&mut random, 8, Xxh3::new()),
            random_ring(&mut random, 8, Xxh3::new()),
        );
        if old.point_count() == 0 || new.point_count() == 0 {
            continue;
        }
        let n = 1 + random.below(3) as usize;
        let migration = old.diff_replicas(&new, n).unwrap();
        let mut epochs = Epochs::new(&old, &new);
        let mut stores: HashMap<(String, u64), u64> = HashMap::new();
        let mut truth = HashMap::new();
        for key in 0..KEYS {
            for owner in old.replicas(&key, n) {
                stores.insert((owner.name.clone(), key), 0);
            }
            truth.insert(key, 0);
        }
        // Ranges, each with the moves over it; finished in any order.
        let mut ranges: Vec<(Token, Token)> =
            migration.moves().map(|m| (m.first, m.last)).collect();
        ranges.dedup();
        for clock in 1.. {
            for _ in 0..10 {
                let key = random.below(KEYS);
                if random.below(2) == 0 {
                    let writes = epochs.writes(&key, n);
                    for owner in &writes {
                        stores.insert((owner.name.clone(), key), clock);
                    }
                    truth.insert(key, clock);
                }
                let key = random.below(KEYS);
                let found = epochs
                    .reads(&key, n)
                    .into_iter()
                    .find_map(|node| stores.get(&(node.name.clone(), key)));
                assert_eq!(found, truth.get(&key), "key {key} at {clock}");
                reads += 1;
            }
            if ranges.is_empty() {
                break;
            }
            let (first, last) = ranges.swap_remove(random.below(ranges.len() as u64) as usize);
            let mut gone = Vec::new();
            for key in (0..KEYS).filter(|key| (first..=last).contains(&old.token(key))) {
                for m in migration.all_of(old.token(&key)) {
                    // A set that only grows is copied from any member that stays.
                    let from = m.from.unwrap_or_else(|| old.replicas(&key, n)[0]);
                    let value = stores[&(from.name.clone(), key)];
                    if let Some(to) = m.to {
                        stores.insert((to.name.clone(), key), value);
                    }
                    gone.extend(m.from.map(|from| (from.name.clone(), key)));
                }
            }
            epochs.finish(first, last);
            // What was copied away is dropped at once.
            for gone in gone {
                stores.remove(&gone);
            }
        }
        for key in 0..KEYS {
            assert_eq!(epochs.reads(&key, n).len(), new.replicas(&key, n).len());
        }
    }
    println!("{reads} reads, each found the last write");
    assert!(reads > 0);
}

#[test]
fn owners_tell_the_move_and_whether_it_is_finished() {
    let old = HashRing::from_nodes((0..5).map(node)).unwrap();
    let mut new = old.clone();
    new.insert(node(5)).unwrap();
    let migration = old.diff(&new).unwrap();
    let mut epochs = Epochs::new(old.clone(), new.clone());
    for finished in [false, true] {
        for key in 0..500u64 {
            let owners = epochs.owners(&key);
            assert_eq!((owners.from, owners.to), (old.route(&key), new.route(&key)));
            let moves = migration.of(old.token(&key)).is_some();
            assert_eq!(owners.moves, moves);
            assert_eq!(owners.is_moving(), moves && !finished);
            let reads = epochs.reads(&key, 2);
            let mut wanted = old.replicas(&key, 2);
            wanted.extend(new.replicas(&key, 2));
            let distinct: BTreeSet<_> = names(wanted).into_iter().collect();
            if !finished {
                assert_eq!(
                    reads[0],
                    old.route(&key).unwrap(),
                    "the old owner has everything"
                );
                assert_eq!(
                    names(reads.clone()).into_iter().collect::<BTreeSet<_>>(),
                    distinct
                );
                assert_eq!(reads.len(), distinct.len());
                assert!(reads.len() <= 3, "one node came");
            }
            assert_eq!(epochs.writes(&key, 2), reads);
            let across = epochs.replicas_across(&key, 2, |node| node.zone);
            assert!(across.contains(&new.replicas_across(&key, 2, |node| node.zone)[1]));
        }
        for m in migration.moves() {
            epochs.finish(m.first, m.last);
        }
    }
    let (first, second) = epochs.into_inner();
    assert_eq!((first.len(), second.len()), (5, 6));
}

/// Strategies that do not even hash alike: the lists still hold both sides.
#[test]
fn any_two_strategies_with_a_fixed_order_will_do() {
    let old: Box<dyn Strategy<Node>> = Box::new(HashRing::from_nodes((0..5).map(node)).unwrap());
    let mut new = HashRing::with_hasher(Xxh3::with_seed(7));
    new.extend_weighted((0..5).map(|i| (node(i), 1))).unwrap();
    let epochs = Epochs::new(&old, &new);
    for key in 0..200u64 {
        let reads = names(epochs.reads(&key, 2));
        for node in old
            .replicas(&key, 2)
            .into_iter()
            .chain(new.replicas(&key, 2))
        {
            assert!(reads.contains(&node.name.as_str()));
        }
    }
    let empty = Epochs::new(HashRing::<Node>::new(), new);
    assert_eq!(empty.owners("k").from, None);
    assert!(empty.owners("k").is_moving());
    assert_eq!(empty.reads("k", 2).len(), 2);
}

#[test]
fn finished_ranges_are_a_set_of_tokens() {
    // 16 tokens at either end of the circle, as a bitmap.
    let place = |i: u64| Token::new(if i < 16 { i } else { u64::MAX - (31 - i) });
    for run in 0..200 {
        let mut random = Random(run);
        let mut epochs = Epochs::new((), ());
        let mut naive = [false; 32];
        for _ in 0..12 {
            let (a, b) = (random.below(32), random.below(32));
            epochs.finish(place(a), place(b));
            for i in a..=b {
                naive[i as usize] = true;
            }
            for i in 0..32 {
                assert_eq!(epochs.is_finished(place(i)), naive[i as usize]);
            }
        }
    }
    let mut epochs = Epochs::new((), ());
    for i in 0..10 {
        epochs.finish(Token::new(2 * i), Token::new(2 * i));
    }
    assert_eq!(format!("{epochs:?}"), "Epochs { finished_ranges: 10, .. }");
    epochs.finish(Token::new(1), Token::new(17));
    assert_eq!(
        format!("{epochs:?}"),
        "Epochs { finished_ranges: 1, .. }",
        "neighbours are merged"
    );
}
