//! Sessions keep their node while that is a member.
#![cfg(feature = "sticky")]

use clockwise::load::{Counted, Counter};
use clockwise::wrappers::Session;
use clockwise::{
    Bounded, Failover, Filtered, HashRing, Key, LeastLoaded, RoundRobin, Route, SipHash13, Sticky,
    Strategy, Token, Tracked,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn ring(nodes: &[&'static str]) -> HashRing<&'static str> {
    HashRing::from_nodes(nodes.iter().copied()).unwrap()
}

#[test]
fn a_session_stays_while_nodes_join_and_moves_only_when_its_node_leaves() {
    let mut sticky = Sticky::new(ring(&["a", "b", "c"]), 10_000, MINUTE);
    let mut homes: BTreeMap<u32, &str> = (0..1_000)
        .map(|session| (session, *sticky.route(&session).unwrap()))
        .collect();
    for name in ["d", "e", "f", "g"] {
        sticky.strategy_mut().insert(name).unwrap();
        assert!(
            homes
                .iter()
                .all(|(session, home)| sticky.route(session) == Some(home))
        );
    }
    // Drained: its sessions stay, new ones do not come.
    sticky.drain("a").unwrap();
    assert!(
        homes
            .iter()
            .all(|(session, home)| sticky.route(session) == Some(home))
    );
    assert!((1_000..2_000u32).all(|session| sticky.route(&session) != Some(&"a")));
    // Gone: just its sessions move, to where the strategy sends them, and stay there when it is
    // back.
    sticky.strategy_mut().remove("a").unwrap();
    let mut moved = 0;
    for (session, home) in &mut homes {
        let now = *sticky.route(session).unwrap();
        if *home == "a" {
            assert_eq!(Some(&now), sticky.strategy().route(session));
            moved += 1;
        } else {
            assert_eq!(now, *home);
        }
        *home = now;
    }
    assert!(moved > 200, "{moved}");
    sticky.strategy_mut().insert("a").unwrap();
    assert!(
        homes
            .iter()
            .all(|(session, home)| sticky.route(session) == Some(home))
    );
}

#[test]
fn a_new_session_goes_where_the_strategy_sends_it() {
    let sticky = Sticky::new(ring(&["a", "b", "c"]), 10_000, MINUTE);
    for session in 0..500u32 {
        assert_eq!(sticky.route(&session), sticky.strategy().route(&session));
    }
}

#[test]
fn sessions_stay_over_strategies_that_ignore_the_key() {
    let nodes = || (0..8u32).map(|i| (Tracked::new(i), 1));
    let mut turns = RoundRobin::new();
    turns.extend_weighted(nodes()).unwrap();
    let mut loads = LeastLoaded::with_seed(1);
    loads.extend_weighted(nodes()).unwrap();
    let boxed: [Box<dyn Strategy<Node = Tracked<u32>> + Send + Sync>; 2] =
        [Box::new(turns), Box::new(loads)];
    for strategy in boxed {
        let sticky = Sticky::new(strategy, 1_000, MINUTE);
        let mut used = BTreeSet::new();
        for session in 0..100u32 {
            let home = sticky.route(&session).unwrap();
            let _busy = home.begin();
            used.insert(**home);
            for _ in 0..10 {
                assert_eq!(sticky.route(&session), Some(home));
                assert_eq!(sticky.route_where(&session, |_| true), Some(home));
            }
        }
        assert_eq!(used.len(), 8);
    }
}

#[test]
fn a_refused_node_is_a_detour() {
    let down = Mutex::new(BTreeSet::new());
    let up = |node: &&'static str| !down.lock().unwrap().contains(node);
    let sticky = Sticky::new(ring(&["a", "b", "c"]), 100, MINUTE);
    let filtered = Sticky::new(Filtered::new(ring(&["a", "b", "c"]), up), 100, MINUTE);
    for session in 0..100u32 {
        let home = *sticky.route(&session).unwrap();
        assert_eq!(filtered.route(&session), Some(&home));
        down.lock().unwrap().insert(home);
        let mut offered = Vec::new();
        let detour = sticky.route_where(&session, |node| {
            offered.push(*node);
            up(node)
        });
        assert_eq!(offered, [home, *detour.unwrap()], "its own first, and once");
        assert_eq!(filtered.route(&session), detour);
        assert_ne!(detour, Some(&home));
        down.lock().unwrap().clear();
        assert_eq!(sticky.route(&session), Some(&home));
        assert_eq!(filtered.route(&session), Some(&home));
        assert_eq!(sticky.route_where(&session, |_| false), None);
    }
}

#[test]
fn route_where_binds_to_what_it_accepted() {
    let sticky = Sticky::new(ring(&["a", "b", "c"]), 100, MINUTE);
    for session in 0..50u32 {
        assert_eq!(
            sticky.route_where(&session, |node| *node == "b"),
            Some(&"b")
        );
        assert_eq!(sticky.route(&session), Some(&"b"));
    }
}

#[test]
fn pick_honours_a_session_and_binds_none() {
    let mut sticky = Sticky::new(ring(&["a", "b", "c"]), 100, MINUTE);
    let _ = sticky.replicas("new", 3);
    assert_eq!(
        sticky.session_count(),
        0,
        "the third replica is not the session's node"
    );
    assert_eq!(sticky.route_where("bound", |node| *node == "c"), Some(&"c"));
    let replicas = sticky.replicas("bound", 9);
    assert_eq!(replicas[0], &"c");
    assert_eq!(replicas.iter().collect::<BTreeSet<_>>().len(), 3);
    sticky.strategy_mut().drain("c").unwrap();
    assert_eq!(sticky.replicas("bound", 9).len(), 3);
    // Through the trait, `route` binds as well.
    let strategy: &dyn Strategy<Node = &str> = &sticky;
    strategy.route("by trait");
    assert_eq!(sticky.session_count(), 2);
}

#[test]
fn the_table_never_exceeds_its_capacity_and_the_least_recently_used_gives_way() {
    let sticky = Sticky::new(ring(&["a", "b", "c"]), 3, MINUTE);
    let bind = |session: &str| sticky.route_where(session, |node| *node == "a");
    let bound = |session: &str| {
        // The nodes that the ring prefers are not `a`, or this would show nothing.
        assert_ne!(sticky.strategy().route(session), Some(&"a"));
        sticky.replicas(session, 1) == [&"a"]
    };
    let sessions: Vec<String> = (0..)
        .map(|i| format!("s{i}"))
        .filter(|s| sticky.strategy().route(s) != Some(&"a"))
        .take(4)
        .collect();
    sessions[..3]
        .iter()
        .for_each(|s| assert!(bind(s).is_some()));
    assert!(bound(&sessions[0])); // used, so the second is the oldest
    bind(&sessions[3]);
    assert_eq!(sticky.session_count(), 3);
    assert_eq!(
        sessions.iter().map(|s| bound(s)).collect::<Vec<_>>(),
        [true, false, true, true]
    );
    sticky.forget(&sessions[0]);
    assert!(!bound(&sessions[0]));
    assert_eq!(sticky.session_count(), 2);
}

/// Small, odd and many-sharded tables, from 8 threads.
#[test]
fn the_capacity_holds_from_eight_threads() {
    for capacity in [0, 1, 2, 100, 1_023, 2_049, 10_000] {
        let sticky = Sticky::new(ring(&["a", "b", "c"]), capacity, MINUTE);
        let sessions = 16_000u64.max(capacity as u64 * 2);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let sticky = &sticky;
                scope.spawn(move || {
                    for i in 0..sessions / 8 {
                        let session = (i * 8 + thread) % sessions;
                        assert_eq!(sticky.route(&session), sticky.strategy().route(&session));
                        if i % 64 == 0 {
                            assert!(sticky.session_count() <= capacity);
                        }
                        if i % 7 == 0 {
                            sticky.forget(&(session / 2));
                        }
                    }
                });
            }
        });
        for session in 0..sessions {
            sticky.route(&session);
        }
        assert_eq!(sticky.session_count(), capacity, "full in the end");
    }
}

/// As many sessions as there is room for, in a table of many shards: none gives way before it is
/// full.
#[test]
fn a_table_is_used_to_its_last_place() {
    let sticky = Sticky::new(ring(&["a", "b", "c"]), 20_000, MINUTE);
    for session in 0..20_000u64 {
        sticky.route_where(&session, |node| *node == "a");
    }
    assert_eq!(sticky.session_count(), 20_000);
    assert!((0..20_000u64).all(|session| sticky.route(&session) == Some(&"a")));
}

#[test]
fn a_shard_that_is_empty_finds_room_in_another() {
    // All in the first shard, then one in the last, and the other way round.
    for (full, lonely) in [(0, u64::MAX), (u64::MAX - 4_095, 0)] {
        // Turns alternate, so only a session that is bound gets one node twice.
        let turns = RoundRobin::from_nodes(["a", "b"]).unwrap();
        let sticky = Sticky::new(turns, 4_096, MINUTE);
        for place in 0..4_096 {
            sticky.route_token(Token::new(full + place));
        }
        assert_eq!(sticky.session_count(), 4_096);
        let lonely = Token::new(lonely);
        let node = sticky.route_token(lonely);
        assert_eq!(sticky.session_count(), 4_096);
        assert_eq!(sticky.route_token(lonely), node);
    }
}

#[test]
fn a_full_table_evicts_from_the_shard_of_the_new_session() {
    let sticky = Sticky::new(ring(&["a", "b"]), 4_096, MINUTE);
    let quarter = 1 << 62;
    // Four shards. The oldest session of all is in the last one.
    for shard in (0..4).rev() {
        for place in 0..1_024 {
            sticky.route_token(Token::new(shard * quarter + place));
        }
    }
    sticky.route_token(Token::new(quarter + 5_000));
    let bound: BTreeSet<Token> = sticky
        .sessions()
        .iter()
        .map(|session: &Session| session.token)
        .collect();
    assert_eq!(bound.len(), 4_096);
    let gone = |token: u64| !bound.contains(&Token::new(token));
    assert!(gone(quarter) && !gone(3 * quarter) && !gone(quarter + 5_000));
}

#[test]
fn a_session_not_used_for_its_time_to_live_is_forgotten() {
    let time = AtomicU64::new(1_000);
    let clock = || Duration::from_secs(time.load(Ordering::Relaxed));
    let sticky = Sticky::with_clock(ring(&["a", "b", "c"]), 10, MINUTE, clock);
    let session = (0..100u32)
        .find(|s| sticky.strategy().route(s) != Some(&"a"))
        .unwrap();
    sticky.route_where(&session, |node| *node == "a");
    for _ in 0..5 {
        time.fetch_add(59, Ordering::Relaxed);
        assert_eq!(sticky.route(&session), Some(&"a"));
    }
    time.fetch_add(60, Ordering::Relaxed);
    assert_ne!(sticky.route(&session), Some(&"a"));
    assert_eq!(sticky.session_count(), 1);

    let never = Sticky::new(ring(&["a"]), 10, Duration::ZERO);
    assert_eq!(never.route("s"), Some(&"a"));
    let ever = Sticky::with_clock(ring(&["a"]), 10, Duration::MAX, || Duration::MAX);
    assert_eq!(ever.route("s"), Some(&"a"));
    time.store(0, Ordering::Relaxed); // a clock that goes back
    assert!(sticky.route(&session).is_some());
}

#[test]
fn sessions_survive_another_strategy() {
    let sticky = Sticky::new(ring(&["a", "b", "c"]), 1_000, MINUTE);
    let homes: Vec<&str> = (0..200u32).map(|s| *sticky.route(&s).unwrap()).collect();
    let next = sticky.with_strategy(ring(&["a", "b", "d", "e", "f"]));
    for (session, home) in (0..200u32).zip(&homes) {
        let now = next.route(&session).unwrap();
        assert!(now == home || *home == "c");
    }
    // Another kind of strategy, with the same hasher.
    let turns = next.with_strategy(RoundRobin::from_nodes(["a", "b", "d", "e", "f"]).unwrap());
    assert!((0..200u32).all(|s| turns.route(&s) == next.route(&s)));
    // With another hasher the sessions are new, and all the same there are answers.
    let mut keyed = HashRing::with_hasher(SipHash13::new([7; 16]));
    keyed.insert("z").unwrap();
    assert_eq!(next.with_strategy(keyed).route(&0u32), Some(&"z"));
    let clone = next.clone();
    assert!((0..200u32).all(|s| clone.route(&s) == next.route(&s)));
}

/// Threads that ask for the same new session at once agree.
#[test]
fn a_race_for_a_new_session_has_one_winner() {
    let turns = RoundRobin::from_nodes(0..16u32).unwrap();
    let sticky = Sticky::new(turns, 100_000, MINUTE);
    let sessions: Vec<u32> = (0..5_000).collect();
    let answers: Vec<Vec<u32>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| sessions.iter().map(|s| *sticky.route(s).unwrap()).collect()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[test]
fn sticky_over_bounded_reserves_and_detours() {
    let ring = HashRing::from_nodes((0..8u32).map(Tracked::new)).unwrap();
    let mut sticky = Sticky::new(Bounded::new(ring, 1.25).unwrap(), 10_000, MINUTE);
    let home = **sticky.acquire("one hot session").unwrap().node();
    let leases: Vec<_> = (0..80)
        .map(|_| sticky.acquire("one hot session").unwrap())
        .collect();
    assert_eq!(*leases[0], home);
    let most = 13; // ⌈1.25 · 80 / 8⌉
    assert!(leases.iter().all(|lease| lease.node().in_flight() <= most));
    assert!(
        leases.iter().any(|lease| **lease != home),
        "a full node is a detour"
    );
    assert_eq!(sticky.session_count(), 1);
    drop(leases);
    assert_eq!(*sticky.acquire("one hot session").unwrap(), home);

    // Drained: this session stays.
    sticky.strategy_mut().strategy_mut().drain(&home).unwrap();
    assert_eq!(*sticky.acquire("one hot session").unwrap(), home);
    assert_eq!(
        sticky.route("one hot session").map(|node| **node),
        Some(home)
    );
    let other = sticky
        .acquire_where("one hot session", |node| **node != home)
        .unwrap();
    assert_ne!(*other, home);
    drop(other);
    // Gone: it moves, and stays there.
    sticky.strategy_mut().strategy_mut().remove(&home).unwrap();
    let next = **sticky.acquire("one hot session").unwrap();
    assert_eq!(**sticky.acquire("one hot session").unwrap(), next);
    assert_eq!(sticky.strategy().open_leases(), 0);
    assert!(
        sticky
            .strategy()
            .strategy()
            .nodes()
            .all(|node| node.in_flight() == 0)
    );
    assert!(sticky.acquire_where("new", |_| false).is_none());
    assert_eq!(sticky.session_count(), 1);
}

/// Nodes of one's own that have a counter, behind a filter.
#[test]
fn acquiring_counts_on_any_counted_node() {
    struct Server {
        name: &'static str,
        requests: Counter,
    }
    impl Key for Server {
        fn key_bytes(&self) -> impl AsRef<[u8]> {
            self.name
        }
    }
    impl Counted for Server {
        type Watch = ();
        fn counter(&self) -> &Counter {
            &self.requests
        }
        fn watch(&self) {}
    }
    let down = Mutex::new("");
    let servers = ["a", "b", "c"].map(|name| Server {
        name,
        requests: Counter::new(),
    });
    let up = |server: &Server| server.name != *down.lock().unwrap();
    let ring = Filtered::new(HashRing::from_nodes(servers).unwrap(), up);
    let sticky = Sticky::new(Bounded::new(ring, 1.5).unwrap(), 100, MINUTE);
    for session in 0..50u32 {
        let home = sticky.acquire(&session).unwrap().node().name;
        let again = sticky.acquire(&session).unwrap();
        assert_eq!((again.name, again.node().in_flight()), (home, 1));
        drop(again);
        // Refused for the moment: a detour.
        *down.lock().unwrap() = home;
        assert_ne!(sticky.acquire(&session).unwrap().name, home);
        *down.lock().unwrap() = "";
        assert_eq!(sticky.acquire(&session).unwrap().name, home);
    }
    assert_eq!(sticky.strategy().open_leases(), 0);
}

#[test]
fn groups_of_sessions_and_sessions_over_groups() {
    let sticky = || Sticky::new(ring(&["a", "b", "c"]), 100, MINUTE);
    let mut over = Failover::new(vec![sticky(), sticky()]);
    let home = *over.route("s").unwrap();
    assert_eq!(over.groups()[0].session_count(), 1);
    assert_eq!(over.route("s"), Some(&home));
    // Each group has its own sessions. The second has the same nodes, which count as the first's
    // until that is emptied.
    over.groups_mut()[0].strategy_mut().clear();
    let home = over.route("s").copied();
    assert_eq!(over.groups()[1].session_count(), 1);
    assert_eq!(over.route("s").copied(), home);
    let mut under = Sticky::new(Failover::new(vec![ring(&["a"]), ring(&["b"])]), 100, MINUTE);
    assert_eq!(under.route("s"), Some(&"a"));
    under.drain("a").unwrap();
    assert_eq!(under.route("s"), Some(&"a"));
    assert_eq!(under.route("t"), Some(&"b"));
}

#[test]
fn debug_shows_no_session() {
    let sticky = Sticky::new(ring(&["a"]), 7, MINUTE);
    sticky.route("secret");
    let shown = format!("{sticky:?}");
    assert!(shown.contains('7') && !shown.contains("secret"));
}
