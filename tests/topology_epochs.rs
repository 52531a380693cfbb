//! Two epochs: nothing is lost while data moves.

mod topology_support;

use clockwise::{Epochs, HashRing, Migration, Rendezvous, Route, SlotTable, Strategy, Token, Xxh3};
use std::collections::{BTreeSet, HashMap};
use topology_support::{Node, Random, count, names, node, random_ring};

/// A store on every node, run through a change: whatever was written last is read, at every moment. `ranges` are finished in any
/// order; `moves` says what is copied for a key: from whom, to whom. Returns how many reads there were.
fn run_through<'a, Old: Strategy<Node = Node>, New: Strategy<Node = Node>>(
    random: &mut Random,
    (old, new, n): (&'a Old, &'a New, usize),
    mut ranges: Vec<(Token, Token)>,
    moves: impl Fn(u64) -> Vec<(Option<&'a Node>, Option<&'a Node>)>,
) -> usize {
    const KEYS: u64 = 60;
    let mut reads = 0;
    let mut epochs = Epochs::new(old, new);
    let mut stores: HashMap<(String, u64), u64> = HashMap::new();
    let mut truth = HashMap::new();
    for key in 0..KEYS {
        for owner in old.replicas(&key, n) {
            stores.insert((owner.name.clone(), key), 0);
        }
        truth.insert(key, 0);
    }
    for clock in 1.. {
        for _ in 0..10 {
            let key = random.below(KEYS);
            if random.below(2) == 0 {
                for owner in epochs.writes(&key, n) {
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
        let token = |key: &u64| old.token_of(&key.to_le_bytes());
        for key in (0..KEYS).filter(|key| (first..=last).contains(&token(key))) {
            for (from, to) in moves(key) {
                // A set that only grows is copied from any member that stays.
                let source = from.unwrap_or_else(|| old.replicas(&key, n)[0]);
                let value = stores[&(source.name.clone(), key)];
                if let Some(to) = to {
                    stores.insert((to.name.clone(), key), value);
                }
                gone.extend(from.map(|from| (from.name.clone(), key)));
            }
        }
        epochs.finish(first, last);
        // What was copied away is dropped at once.
        for gone in gone {
            stores.remove(&gone);
        }
    }
    for key in 0..KEYS {
        // In the old order where only that differs, because such a range is no move.
        assert_eq!(sorted(epochs.reads(&key, n)), sorted(new.replicas(&key, n)));
    }
    reads
}

fn sorted(nodes: Vec<&Node>) -> Vec<&str> {
    let mut names = names(nodes);
    names.sort_unstable();
    names
}

/// Ranges, each with the moves over it.
fn ranges(migration: &Migration<'_, Node>) -> Vec<(Token, Token)> {
    let mut ranges: Vec<_> = migration.moves().map(|m| (m.first, m.last)).collect();
    ranges.dedup();
    ranges
}

#[test]
fn reads_find_the_last_write_at_every_step_of_a_move() {
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
        let of = |key: u64| {
            let moves = migration.all_of(old.token(&key));
            moves.map(|m| (m.from, m.to)).collect()
        };
        reads += run_through(&mut random, (&old, &new, n), ranges(&migration), of);
    }
    println!("{reads} reads, each found the last write");
    assert!(reads > 0);
}

#[test]
fn slot_tables_lose_nothing_either() {
    for run in 0..count(30, 400) as u64 {
        let mut random = Random(run);
        let [old, new] = [0, 1].map(|_| {
            let builder = SlotTable::builder().slots(32);
            let mut table = match random.below(2) {
                0 => builder.build().unwrap(),
                _ => builder.load_factor(1.0).build().unwrap(),
            };
            table.extend_weighted(some_nodes(&mut random)).unwrap();
            table
        });
        let n = 1 + random.below(3) as usize;
        let migration = old.diff_replicas(&new, n).unwrap();
        let of = |key: u64| {
            let moves = migration.all_of(old.token(&key));
            moves.map(|m| (m.from, m.to)).collect()
        };
        assert!(run_through(&mut random, (&old, &new, n), ranges(&migration), of) > 0);
    }
}

/// Also from one kind to another. Without ranges of tokens a part of the circle is copied key by key.
#[test]
fn rendezvous_loses_nothing_either() {
    let parts: Vec<_> = (0..8u64)
        .map(|i| (Token::new(i << 61), Token::new(i << 61 | !0 >> 3)))
        .collect();
    for run in 0..count(30, 400) as u64 {
        let mut random = Random(run);
        let [old, new] = [0, 1].map(|_| {
            let mut nodes = Rendezvous::new();
            nodes.extend_weighted(some_nodes(&mut random)).unwrap();
            nodes
        });
        let mut table = SlotTable::new();
        table.extend_weighted(some_nodes(&mut random)).unwrap();
        let n = 1 + random.below(3) as usize;
        let of = |key| key_moves(&old, &new, key, n);
        run_through(&mut random, (&old, &new, n), parts.clone(), of);
        let of = |key| key_moves(&old, &table, key, n);
        run_through(&mut random, (&old, &table, n), parts.clone(), of);
    }
}

fn some_nodes(random: &mut Random) -> Vec<(Node, u32)> {
    let count = 1 + random.below(6);
    let first = random.below(6);
    (first..first + count)
        .map(|i| (node(i), 1 + random.below(4) as u32))
        .collect()
}

/// Who of the key's replicas is replaced by whom.
fn key_moves<'a>(
    old: &'a impl Strategy<Node = Node>,
    new: &'a impl Strategy<Node = Node>,
    key: u64,
    n: usize,
) -> Vec<(Option<&'a Node>, Option<&'a Node>)> {
    let (old, new) = (old.replicas(&key, n), new.replicas(&key, n));
    let mut leaving = old.iter().filter(|node| !new.contains(node)).copied();
    let mut joining = new.iter().filter(|node| !old.contains(node)).copied();
    core::iter::from_fn(|| match (leaving.next(), joining.next()) {
        (None, None) => None,
        both => Some(both),
    })
    .collect()
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
    let old: Box<dyn Strategy<Node = Node>> =
        Box::new(HashRing::from_nodes((0..5).map(node)).unwrap());
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
