//! Epochs read one side and write both, never skip a stage and never go back, and can be stored.

use crate::common::random::Rng;
use crate::common::scaled;
use crate::common::zoned_nodes::{Node, names, node, random_ring};
use clockwise::error::{AdvanceError, NotDone, ResumeError};
use clockwise::{
    Epochs, Filtered, HashRing, Rendezvous, SlotTable, Stage, Strategy, Token, TokenRange, Xxh3,
};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

fn range(first: u64, last: u64) -> TokenRange {
    TokenRange::new(Token::new(first), Token::new(last)).unwrap()
}

const LOW: u64 = u64::MAX / 2;

fn low() -> TokenRange {
    range(0, LOW)
}

fn high() -> TokenRange {
    range(LOW + 1, u64::MAX)
}

fn add() -> Epochs<HashRing<&'static str>> {
    let old = HashRing::from_nodes(["a", "b", "c"]).unwrap();
    let mut new = old.clone();
    new.insert("d").unwrap();
    Epochs::new(old, new).with_replicas(2)
}

/// What each stage reads and writes, for any two strategies and numbers of replicas.
fn each_stage_is_right<Old, New>(old: &Old, new: &New, (old_n, new_n): (usize, usize))
where
    Old: Strategy<Node = Node>,
    New: Strategy<Node = Node>,
{
    let order = |strategy: &dyn Strategy<Node = Node>, token, n| {
        let mut nodes = Vec::new();
        strategy.pick(token, &mut |node| {
            nodes.push(node.name.clone());
            false
        });
        nodes.truncate(n);
        nodes
    };
    let mut epochs = Epochs::new(old, new).with_replicas_between(old_n, new_n);
    for stage in [Stage::Copying, Stage::Copied, Stage::Done] {
        epochs.advance(TokenRange::ALL, stage).unwrap();
        for key in 0..40u64 {
            let token = old.token_of(&key.to_le_bytes());
            assert_eq!(epochs.stage(token), stage);
            let (olds, news) = (
                order(old, token, old_n.max(1)),
                order(new, token, new_n.max(1)),
            );
            assert_eq!(names(epochs.old_replicas(&key)), olds);
            assert_eq!(names(epochs.new_replicas(&key)), news);
            let reads = if stage == Stage::Copying {
                &olds
            } else {
                &news
            };
            assert_eq!(names(epochs.reads(&key)), *reads);
            let mut writes = match stage {
                Stage::Done => Vec::new(),
                _ => olds.clone(),
            };
            let joining = news.iter().filter(|name| !writes.contains(name));
            let joining: Vec<String> = joining.cloned().collect();
            writes.extend(joining);
            assert_eq!(names(epochs.writes(&key)), writes);
            assert_eq!(epochs.reads_token(token), epochs.reads(&key));
            assert_eq!(epochs.writes_token(token), epochs.writes(&key));
            assert_eq!(epochs.old_replicas_token(token), epochs.old_replicas(&key));
            assert_eq!(epochs.new_replicas_token(token), epochs.new_replicas(&key));
        }
    }
}

#[test]
fn each_stage_reads_one_side_and_writes_what_the_table_says() {
    for run in 0..scaled(20, 20, 300) as u64 {
        let random = &mut Rng::new(run);
        let (old, new) = (
            random_ring(random, 8, Xxh3::new()),
            random_ring(random, 8, Xxh3::new()),
        );
        let replicas = (random.below_u64(4) as usize, random.below_u64(4) as usize);
        each_stage_is_right(&old, &new, replicas);
        each_stage_is_right(&old, &old, replicas);
        let some = |random: &mut Rng| {
            let chosen = (0..9).filter(|_| random.below_u64(2) == 0);
            chosen
                .map(|i| (node(i), 1 + i as u32 % 3))
                .collect::<Vec<_>>()
        };
        let rendezvous = Rendezvous::from_weighted(some(random)).unwrap();
        let table = SlotTable::builder()
            .slots(32)
            .from_weighted(some(random))
            .unwrap();
        // From one kind to another.
        each_stage_is_right(&rendezvous, &table, replicas);
        each_stage_is_right(&table, &old, replicas);
        each_stage_is_right(&Arc::new(old), &Box::new(rendezvous), replicas);
    }
}

#[test]
fn one_replica_unless_it_is_set() {
    let ring = HashRing::from_nodes(["a", "b", "c"]).unwrap();
    let epochs = Epochs::new(&ring, &ring);
    assert_eq!(epochs.reads("k"), [ring.route("k").unwrap()]);
    assert_eq!(epochs.writes("k").len(), 1);
    let epochs = epochs.with_replicas(usize::MAX);
    assert_eq!(epochs.reads("k"), ring.replicas("k", 3));
    // With none, "write to all of them" would succeed with nobody.
    assert_eq!(epochs.with_replicas(0).writes("k").len(), 1);
}

#[test]
fn empty_sides_have_nothing_to_read() {
    let (empty, ring) = (HashRing::new(), HashRing::from_nodes(["a"]).unwrap());
    let mut epochs = Epochs::new(&empty, &ring);
    assert!(epochs.reads("k").is_empty());
    assert_eq!(epochs.writes("k"), [&"a"]);
    epochs.advance(TokenRange::ALL, Stage::Copied).unwrap();
    assert_eq!(epochs.reads("k"), [&"a"]);
    let back = epochs.reverse();
    assert_eq!(
        (back.reads("k"), back.writes("k")),
        (vec![&"a"], vec![&"a"])
    );
}

#[test]
fn a_range_advances_one_stage_at_a_time_and_the_error_names_the_part() {
    let mut epochs = add();
    epochs.advance(low(), Stage::Copied).unwrap();
    let before = epochs.progress();
    let error = epochs.advance(TokenRange::ALL, Stage::Done).unwrap_err();
    assert!(
        matches!(error, AdvanceError { range, from: Stage::Copying, to: Stage::Done, .. } if range == high())
    );
    assert_eq!(
        error.to_string(),
        "range 0x8000000000000000..=0xffffffffffffffff is in stage Copying and cannot skip to Done \
         (advance it to Copied first)"
    );
    assert_eq!(epochs.progress(), before, "all or nothing");

    epochs.advance(low(), Stage::Done).unwrap();
    let parts = |epochs: &Epochs<_>| epochs.stages().collect::<Vec<_>>();
    assert_eq!(
        parts(&epochs),
        [(low(), Stage::Done), (high(), Stage::Copying)]
    );
    // A step may be applied again, and an older one does nothing.
    for (range, stage) in [
        (low(), Stage::Done),
        (low(), Stage::Copied),
        (TokenRange::ALL, Stage::Copying),
    ] {
        epochs.advance(range, stage).unwrap();
        assert_eq!(
            parts(&epochs),
            [(low(), Stage::Done), (high(), Stage::Copying)]
        );
    }
    // Parts that are further stay, the others advance.
    epochs.advance(TokenRange::ALL, Stage::Copied).unwrap();
    assert_eq!(
        parts(&epochs),
        [(low(), Stage::Done), (high(), Stage::Copied)]
    );
    epochs.advance(TokenRange::ALL, Stage::Done).unwrap();
    assert_eq!(parts(&epochs), [(TokenRange::ALL, Stage::Done)]);
}

#[test]
fn only_a_migration_that_is_done_ends() {
    let mut epochs = add();
    epochs.advance(low(), Stage::Copied).unwrap();
    epochs.advance(low(), Stage::Done).unwrap();
    epochs
        .advance(range(LOW + 1, LOW + 10), Stage::Copied)
        .unwrap();
    assert!(!epochs.is_done());
    let error = epochs.clone().into_new().unwrap_err();
    assert!(
        matches!(error, NotDone { range: part, stage: Stage::Copied, .. } if part == range(LOW + 1, LOW + 10)),
        "{error}"
    );
    epochs.advance(TokenRange::ALL, Stage::Copied).unwrap();
    epochs.advance(TokenRange::ALL, Stage::Done).unwrap();
    assert!(epochs.is_done());
    assert!(epochs.clone().into_new().unwrap().contains("d"));
    let (old, new) = epochs.into_inner();
    assert_eq!((old.len(), new.len()), (3, 4));
}

#[test]
fn a_reversal_exchanges_the_sides_and_the_stages() {
    let (first, second, third) = (range(0, 9), range(10, 19), range(20, u64::MAX));
    let mut epochs = add().with_replicas_between(1, 3);
    epochs.advance(range(0, 19), Stage::Copied).unwrap();
    epochs.advance(first, Stage::Done).unwrap();
    let back = epochs.clone().reverse();
    assert_eq!(
        back.stages().collect::<Vec<_>>(),
        [(range(0, 19), Stage::Copying), (third, Stage::Copied)]
    );
    for token in [first, second, third].map(|range| range.last()) {
        assert_eq!(
            back.new_replicas_token(token),
            epochs.old_replicas_token(token)
        );
        assert_eq!(
            back.old_replicas_token(token),
            epochs.new_replicas_token(token)
        );
        // The sides that are read agree, unless data has to be copied back first.
        if epochs.stage(token) != Stage::Done {
            assert_eq!(back.reads_token(token), epochs.reads_token(token));
        }
    }
    assert_eq!(back.new_strategy().len(), 3);
    assert_eq!(back.old_strategy().len(), 4);
}

/// The ranges stay ranges of the first old side's tokens, also after a reversal.
#[test]
fn sides_that_hash_differently_keep_their_ranges() {
    let hashed = |seed| {
        let mut ring = HashRing::with_hasher(Xxh3::with_seed(seed));
        ring.extend_weighted((0..9).map(|i| (node(i), 1))).unwrap();
        ring
    };
    let (old, new) = (hashed(1), hashed(2));
    let mut epochs = Epochs::new(&old, &new).with_replicas(2);
    epochs.advance(low(), Stage::Copied).unwrap();
    let back = epochs.clone().reverse();
    for key in 0..200u64 {
        let copied = low().contains(old.token(&key));
        let reads = if copied { &new } else { &old }.replicas(&key, 2);
        assert_eq!(epochs.reads(&key), reads);
        assert_eq!(back.reads(&key), reads);
    }
}

#[test]
fn stored_stages_are_taken_up_again() {
    let random = &mut Rng::new(4);
    let mut epochs = add();
    for _ in 0..200 {
        let (a, b) = (random.next(), random.next() >> 8);
        let part = range(a, a.saturating_add(b));
        let stage = [Stage::Copied, Stage::Done][random.below_u64(2) as usize];
        let _may_skip = epochs.advance(part, stage);
        let mut again = add();
        again.resume(&epochs.progress()).unwrap();
        assert!(again.stages().eq(epochs.stages()));
        assert_eq!(again.progress(), epochs.progress());
    }
    let met: BTreeSet<Stage> = epochs.stages().map(|(_, stage)| stage).collect();
    assert_eq!(met.len(), 3);
    let back = epochs.clone().reverse();
    let mut again = add().reverse();
    again.resume(&back.progress()).unwrap();
    assert!(again.stages().eq(back.stages()));
    // Exchanged sides are the same migration as reversed ones.
    let (old, new) = add().into_inner();
    let mut exchanged = Epochs::new(new, old).with_replicas(2);
    exchanged.resume(&back.progress()).unwrap();
    assert!(exchanged.stages().eq(back.stages()));
}

#[test]
fn the_state_of_another_migration_is_refused() {
    let (old, new) = add().into_inner();
    let state = Epochs::new(&old, &new).with_replicas(2).progress();
    let change = |change: &dyn Fn(&mut HashRing<&'static str>)| {
        let mut ring = new.clone();
        change(&mut ring);
        ring
    };
    let hashed = |seed| {
        let mut ring = HashRing::with_hasher(Xxh3::with_seed(seed));
        let members = old.members().map(|member| (*member.node, member.weight));
        ring.extend_weighted(members).unwrap();
        ring
    };
    let refused = |error: ResumeError| {
        assert!(
            matches!(error, ResumeError::MigrationMismatch { .. }),
            "{error}"
        );
    };
    for other in [
        change(&|ring| ring.insert("e").unwrap()),
        change(&|ring| assert!(ring.remove("a").is_some())),
        change(&|ring| ring.drain("a").unwrap()),
        change(&|ring| ring.set_weight("a", 2).unwrap()),
        new.resized(100).unwrap(),
    ] {
        let mut epochs = Epochs::new(&old, &other).with_replicas(2);
        refused(epochs.resume(&state).unwrap_err());
        let mut epochs = Epochs::new(&other, &new).with_replicas(2);
        refused(epochs.resume(&state).unwrap_err());
    }
    for replicas in [(2, 3), (3, 2), (1, 1)] {
        let mut epochs = Epochs::new(&old, &new).with_replicas_between(replicas.0, replicas.1);
        refused(epochs.resume(&state).unwrap_err());
    }
    let mut reversed = Epochs::new(&old, &new).with_replicas(2).reverse();
    refused(reversed.resume(&state).unwrap_err());
    let mut seeded = Epochs::new(hashed(1), &new).with_replicas(2);
    refused(seeded.resume(&state).unwrap_err());
    let mut same = Epochs::new(hashed(0), &new).with_replicas(2);
    same.resume(&state).unwrap();
}

/// A filter is health, which is another one after a restart.
#[test]
fn a_filter_is_no_part_of_the_stored_state() {
    let (old, new) = add().into_inner();
    let sick = |name: &'static str| Filtered::new(old.clone(), move |node: &&str| *node != name);
    let mut epochs = Epochs::new(sick("a"), new.clone()).with_replicas(2);
    epochs.advance(low(), Stage::Copied).unwrap();
    let mut again = Epochs::new(sick("b"), new).with_replicas(2);
    again.resume(&epochs.progress()).unwrap();
    assert!(again.stages().eq(epochs.stages()));
}

/// A node whose key bytes changed after it joined is known by the identity that it joined with.
#[test]
fn nodes_are_told_apart_by_the_identities_that_they_joined_with() {
    struct Renamed(Cell<u64>);
    impl clockwise::Key for Renamed {
        fn key_bytes(&self) -> impl AsRef<[u8]> {
            self.0.get().to_le_bytes()
        }
    }
    let ring = || HashRing::from_nodes((0..4).map(|i| Renamed(Cell::new(i)))).unwrap();
    let (old, new) = (ring(), ring());
    let epochs = Epochs::new(&old, &new).with_replicas(4);
    let stored = epochs.progress();
    old.nodes().for_each(|node| node.0.set(77));
    assert_eq!(epochs.writes("k").len(), 4, "each of them once");
    assert_eq!(epochs.progress(), stored);
}

#[test]
fn debug_shows_how_far_it_is() {
    let mut epochs = add();
    epochs.advance(low(), Stage::Copied).unwrap();
    epochs.advance(low(), Stage::Done).unwrap();
    assert_eq!(
        format!("{epochs:?}"),
        "Epochs { old_replicas: 2, new_replicas: 2, ranges: 2, done: 0.5, .. }"
    );
}

#[cfg(feature = "serde")]
#[test]
fn stored_stages_survive_json_and_damage_is_noticed() {
    let mut epochs = add();
    epochs.advance(low(), Stage::Copied).unwrap();
    epochs.advance(range(5, 9), Stage::Done).unwrap();
    let json = serde_json::to_string(&epochs.progress()).unwrap();
    let mut again = add();
    again.resume(&serde_json::from_str(&json).unwrap()).unwrap();
    assert!(again.stages().eq(epochs.stages()));
    let bytes = postcard::to_allocvec(&epochs.progress()).unwrap();
    assert_eq!(postcard::from_bytes(&bytes), Ok(epochs.progress()));

    let end = json.rfind("]]").unwrap() + 1;
    let first = r#"["0000000000000000-0000000000000004","Copied"]"#;
    assert!(json.contains(first), "{json}");
    for damaged in [
        // Twice, overlapping, out of order.
        format!("{},{first}{}", &json[..end], &json[end..]),
        json.replacen("-0000000000000004", "-0000000000000005", 1),
        json.replacen(
            "0000000000000000-0000000000000004",
            "0000000000000020-0000000000000024",
            1,
        ),
    ] {
        let state = serde_json::from_str(&damaged).unwrap();
        let error = add().resume(&state).unwrap_err();
        assert!(matches!(error, ResumeError::RangeOrder { .. }), "{error}");
    }
    assert!(
        serde_json::from_str::<clockwise::migration::EpochsProgress>(&json.replace("Done", "Over"))
            .is_err()
    );
}
