//! An older view of the members moves no session that a later view has bound.
#![cfg(feature = "sticky")]

use crate::common::random::Rng;
use clockwise::{HashRing, Rendezvous, Sticky};
use std::collections::BTreeMap;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
type View = Sticky<HashRing<&'static str>>;

fn view(nodes: &[&'static str], capacity: usize) -> View {
    let ring = HashRing::builder()
        .virtual_nodes(16)
        .from_nodes(nodes.iter().copied());
    Sticky::new(ring.unwrap(), capacity, MINUTE)
}

/// The sessions of `0..count` that are bound to each node, by one look at the table.
fn nodes(view: &View) -> BTreeMap<u64, Vec<u8>> {
    let sessions = view.sessions().into_iter();
    sessions
        .map(|session| (session.token.get(), session.node))
        .collect()
}

#[test]
fn a_request_through_an_older_view_is_a_detour() {
    for count in [1, 1_023, 4_000u32] {
        let old = view(&["a", "b"], 10_000);
        let mut now = old.clone();
        now.insert("c").unwrap();
        for session in 0..count {
            now.bind(&session, "c").unwrap();
        }
        for session in 0..count {
            // The older view answers as it would without a session, in each way to ask.
            let own = old.strategy().route(&session);
            assert_eq!(old.route(&session), own);
            assert_eq!(old.clone().route_where(&session, |_| true), own);
            assert_eq!(old.route_token(old.token(&session)), own);
            assert_eq!(old.replicas(&session, 1), [own.unwrap()]);
        }
        assert_eq!(now.sessions_on("c"), count as usize);
        assert!((0..count).all(|session| now.route(&session) == Some(&"c")));
    }
}

#[cfg(feature = "shared")]
#[test]
fn a_reader_with_an_older_snapshot_moves_no_session() {
    use clockwise::{NodeError, Shared};
    let shared = Shared::new(view(&["a", "b"], 10_000));
    let reader = shared.load();
    shared.try_update(|sticky| sticky.insert("c")).unwrap();
    for session in 0..1_023u32 {
        shared.read(|sticky| sticky.bind(&session, "c")).unwrap();
    }
    // A refused update, and one that changes no member, change nothing about that.
    let refused = shared.try_update(|sticky| sticky.insert("c"));
    assert!(matches!(refused, Err(NodeError::Duplicate { .. })));
    shared.update(|sticky| sticky.get_mut("a").map(drop));
    for session in 0..1_023u32 {
        assert_ne!(reader.route(&session), Some(&"c"));
        assert_eq!(
            shared.read(|sticky| sticky.route(&session).copied()),
            Some("c")
        );
    }
    // Sessions that the reader binds are sessions as any other.
    let node = *reader.route("new").unwrap();
    assert_eq!(shared.load().route("new"), Some(&node));
    shared.update(|sticky| sticky.remove(node));
    assert_ne!(shared.load().route("new"), Some(&node));
}

/// Readers with snapshots of all ages, while nodes join and sessions are bound to them.
#[cfg(feature = "shared")]
#[test]
fn no_reader_of_any_age_moves_a_session() {
    use clockwise::Shared;
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicBool, Ordering};
    const SESSIONS: u32 = 2_000;
    let ring = HashRing::builder()
        .virtual_nodes(4)
        .from_nodes([0, 1u32])
        .unwrap();
    let shared = Shared::new(Sticky::new(ring, 10_000, MINUTE));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..3u32 {
            let (shared, done) = (&shared, &done);
            scope.spawn(move || {
                let mut snapshots = VecDeque::new();
                for i in (reader..).step_by(3) {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    if i % 64 == reader {
                        snapshots.push_back(shared.load());
                        if snapshots.len() > 8 {
                            snapshots.pop_front();
                        }
                    }
                    for old in &snapshots {
                        let node = *old.route(&(i % SESSIONS)).unwrap();
                        assert!(old.contains(&node), "an answer of this snapshot");
                    }
                }
            });
        }
        for node in 2..102u32 {
            shared.try_update(|sticky| sticky.insert(node)).unwrap();
            for session in (0..SESSIONS).filter(|session| session % 100 == node - 2) {
                shared.read(|sticky| sticky.bind(&session, &node)).unwrap();
            }
            std::thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
    });
    let sticky = shared.load();
    for session in 0..SESSIONS {
        assert_eq!(sticky.route(&session), Some(&(session % 100 + 2)));
    }
}

#[cfg(target_has_atomic = "ptr")]
#[test]
fn acquiring_through_an_older_view_is_a_detour() {
    use clockwise::{Bounded, Tracked};
    let ring = HashRing::from_nodes(["a", "b"].map(Tracked::new)).unwrap();
    let old = Sticky::new(Bounded::new(ring, 1.5).unwrap(), 1_000, MINUTE);
    let mut now = old.clone();
    now.insert(Tracked::new("c")).unwrap();
    for session in 0..100u32 {
        now.bind(&session, "c").unwrap();
        assert_ne!(*old.acquire(&session).unwrap(), "c");
        assert_eq!(*now.acquire(&session).unwrap(), "c");
    }
    assert_eq!(now.sessions_on("c"), 100);
}

#[test]
fn the_latest_view_moves_a_session_whose_node_is_gone() {
    let old = view(&["a", "b", "c"], 1_000);
    let mut now = old.clone();
    for session in 0..300u32 {
        old.bind(&session, "c").unwrap();
    }
    now.remove("c");
    for session in 0..300u32 {
        // The older view served it last, and still the later one decides.
        assert_eq!(old.route(&session), Some(&"c"));
        let node = now.route(&session).unwrap();
        assert_eq!(Some(node), now.strategy().route(&session));
        assert_eq!(old.route(&session), Some(node), "the older one follows");
    }
    assert_eq!(now.sessions_on("c"), 0);
}

#[test]
fn a_node_that_left_and_came_back_keeps_what_a_later_view_bound() {
    let first = view(&["a", "b", "c"], 1_000);
    let mut without = first.clone();
    without.remove("c");
    let mut back = without.clone();
    back.insert("c").unwrap();
    back.bind("s", "c").unwrap();
    first.route("s"); // the oldest view has the node, and serves the session
    assert_ne!(without.route("s"), Some(&"c"));
    assert_eq!(back.route("s"), Some(&"c"));
}

/// Two clones, each with a node that the other does not have: a session ends up bound for good.
#[test]
fn clones_that_differ_do_not_move_sessions_to_and_fro() {
    let mut one = view(&["a", "b"], 1_000);
    let mut two = one.clone();
    one.insert("only one").unwrap();
    two.insert("only two").unwrap();
    for session in 0..300u32 {
        one.route(&session);
        two.route(&session);
    }
    let settled = nodes(&one);
    for _ in 0..3 {
        for session in 0..300u32 {
            one.route(&session);
            two.route(&session);
        }
    }
    assert_eq!(nodes(&one), settled);
}

#[test]
fn another_strategy_is_a_later_view() {
    let old = view(&["a", "b"], 1_000);
    let now = old.with_strategy(Rendezvous::from_nodes(["b", "c"]).unwrap());
    now.bind("s", "c").unwrap();
    old.route("s");
    assert_eq!(now.route("s"), Some(&"c"));
    old.bind("t", "a").unwrap();
    let node = *now.route("t").unwrap();
    assert_ne!(node, "a");
    let third = now.with_strategy(HashRing::from_nodes(["d"]).unwrap());
    assert_eq!(third.route("t"), Some(&"d"));
    now.route("t");
    assert_eq!(third.sessions_on("d"), 1);
}

/// The rule itself, written down without a table.
#[derive(Default)]
struct Model {
    /// For each session its node and the greatest generation that has used it.
    bound: BTreeMap<u32, (&'static str, u64)>,
    generation: u64,
}

impl Model {
    fn route(&mut self, session: u32, view: &View, generation: u64) -> Option<&'static str> {
        let own = view.strategy().route(&session).copied();
        if let Some((node, last)) = self.bound.get_mut(&session) {
            *last = generation.max(*last);
            if view.contains(*node) {
                return Some(node);
            }
            if *last > generation {
                return own;
            }
        }
        if let Some(own) = own {
            self.bound.insert(session, (own, generation));
        }
        own
    }
}

#[test]
fn any_history_of_views_agrees_with_the_rule() {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    for seed in 0..60u64 {
        let mut rng = Rng::new(seed);
        let mut random = |below| rng.below(below);
        let mut model = Model::default();
        let mut views = vec![(view(&["a", "b"], 1_000), 0)];
        for _ in 0..400 {
            let at = random(views.len());
            match random(12) {
                0 if views.len() < 6 => views.push(views[at].clone()),
                1 => {
                    let (view, generation) = &mut views[at];
                    model.generation += 1;
                    *generation = model.generation;
                    let _ = view.insert(NAMES[random(5)]);
                }
                2 => {
                    let (view, generation) = &mut views[at];
                    model.generation += 1;
                    *generation = model.generation;
                    view.remove(NAMES[random(5)]);
                }
                _ => {
                    let session = random(30) as u32;
                    let (view, generation) = &views[at];
                    let expected = model.route(session, view, *generation);
                    assert_eq!(view.route(&session).copied(), expected, "seed {seed}");
                }
            }
        }
        let table = nodes(&views[0].0);
        assert_eq!(table.len(), model.bound.len(), "seed {seed}");
        for (session, (node, _)) in model.bound {
            let token = views[0].0.token(&session).get();
            assert_eq!(table[&token], node.as_bytes(), "seed {seed}");
        }
    }
}
