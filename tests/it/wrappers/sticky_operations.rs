//! Operators count, end, pin, store and restore sessions, and an expired session is nowhere.
#![cfg(feature = "sticky")]

use clockwise::{HashRing, NodeError, RoundRobin, Sticky, Token, wrappers::Session};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ring(nodes: &[&'static str]) -> HashRing<&'static str> {
    HashRing::from_nodes(nodes.iter().copied()).unwrap()
}

/// A clock that is set by hand.
#[derive(Default)]
struct Time(AtomicU64);

impl Time {
    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn clock(&self) -> impl Fn() -> Duration {
        || secs(self.0.load(Ordering::Relaxed))
    }
}

#[test]
fn sessions_are_counted_and_ended_by_node() {
    for capacity in [1_000, 10_000] {
        let mut sticky = Sticky::new(ring(&["a", "b", "c"]), capacity, MINUTE);
        let mut on: BTreeMap<&str, usize> = BTreeMap::new();
        for session in 0..900u32 {
            *on.entry(sticky.route(&session).unwrap()).or_default() += 1;
        }
        for name in ["a", "b", "c", "x"] {
            assert_eq!(sticky.sessions_on(name), on.get(name).copied().unwrap_or(0));
        }
        assert_eq!(sticky.session_count(), 900);
        sticky.drain("a").unwrap();
        assert_eq!(sticky.sessions_on("a"), on["a"]);
        assert_eq!(sticky.release("a"), on["a"]);
        assert_eq!((sticky.release("a"), sticky.release("x")), (0, 0));
        assert_eq!(sticky.session_count(), 900 - on["a"]);
        // The released ones are bound anew, the others stay.
        let b = sticky.sessions_on("b");
        assert!((0..900u32).all(|session| sticky.route(&session) != Some(&"a")));
        assert_eq!((sticky.sessions_on("a"), sticky.session_count()), (0, 900));
        assert!(sticky.sessions_on("b") >= b);
        // Sessions of a removed node are counted until their next request.
        let b = sticky.sessions_on("b");
        sticky.remove("b");
        assert_eq!(sticky.sessions_on("b"), b);
        assert_eq!(sticky.release("b"), b);
    }
}

#[test]
fn bind_overrides_and_names_an_unknown_node() {
    let mut sticky = Sticky::new(ring(&["a", "b", "c"]), 100, MINUTE);
    for session in 0..30u32 {
        for node in ["a", "b", "c", "b"] {
            sticky.bind(&session, node).unwrap();
            assert_eq!(sticky.route(&session), Some(&node));
        }
        let error = sticky.bind(&session, "x").unwrap_err();
        assert!(matches!(&error, NodeError::Unknown { node, .. } if node == "x"));
        assert_eq!(sticky.route(&session), Some(&"b"));
        let token = sticky.token(&session);
        sticky.bind_token(token, "a").unwrap();
        assert!(sticky.bind_token(token, "x").is_err());
        assert_eq!(sticky.route_token(token), Some(&"a"));
    }
    assert_eq!(sticky.session_count(), 30);
    sticky.drain("c").unwrap();
    sticky.bind("drained", "c").unwrap();
    assert_eq!(sticky.route("drained"), Some(&"c"));
    assert!(sticky.bind("new", "x").is_err());
    assert_eq!(sticky.session_count(), 31);
    // In a full table the least recently used session makes room.
    for session in 100..200u32 {
        sticky.bind(&session, "a").unwrap();
    }
    assert_eq!(
        (sticky.session_count(), sticky.sessions_on("a")),
        (100, 100)
    );
}

#[test]
fn expired_sessions_are_counted_nowhere() {
    let time = Time::default();
    let sticky = Sticky::with_clock(ring(&["a"]), 100, MINUTE, time.clock());
    for session in 0..10u32 {
        sticky.route(&session);
    }
    time.pass(30);
    for session in 0..4u32 {
        sticky.route(&session);
    }
    time.pass(30);
    assert_eq!((sticky.session_count(), sticky.sessions_on("a")), (4, 4));
    assert_eq!(sticky.sessions().len(), 4);
    assert_eq!((sticky.purge(), sticky.purge()), (6, 0));
    assert_eq!(sticky.session_count(), 4);
    time.pass(30);
    assert_eq!((sticky.session_count(), sticky.release("a")), (0, 0));
    assert_eq!(sticky.purge(), 0, "release removes expired ones too");
    // Purged places can be used again, all of them.
    for session in 0..300u32 {
        sticky.route(&session);
    }
    assert_eq!(sticky.session_count(), 100);
}

#[test]
fn no_use_renews_a_session_beyond_its_maximum_age() {
    let time = Time::default();
    let sticky =
        Sticky::with_clock(ring(&["a", "b", "c"]), 100, MINUTE, time.clock()).max_age(secs(300));
    let sessions: Vec<u32> = (0..100)
        .filter(|s| sticky.strategy().route(s) != Some(&"a"))
        .take(5)
        .collect();
    for session in &sessions {
        sticky.bind(session, "a").unwrap();
    }
    for _ in 0..9 {
        time.pass(33);
        assert!(sessions.iter().all(|s| sticky.route(s) == Some(&"a")));
    }
    time.pass(2); // 299 s
    assert_eq!(sticky.clone().sessions_on("a"), 5);
    time.pass(1);
    assert_eq!((sticky.sessions_on("a"), sticky.session_count()), (0, 0));
    assert!(sessions.iter().all(|s| sticky.route(s) != Some(&"a")));
    assert_eq!(sticky.session_count(), 5);
    // Bound again, they begin a new life. One that is idle ends before.
    time.pass(59);
    assert_eq!(sticky.session_count(), 5);
    time.pass(1);
    assert_eq!(sticky.session_count(), 0);
}

#[test]
fn a_table_of_no_time_or_no_place_keeps_nothing() {
    let ring = || RoundRobin::from_nodes(["a", "b"]).unwrap();
    for sticky in [
        Sticky::new(ring(), 100, Duration::ZERO),
        Sticky::new(ring(), 0, MINUTE),
        Sticky::new(ring(), 100, MINUTE).max_age(Duration::ZERO),
        Sticky::new(ring(), 0, Duration::ZERO),
    ] {
        // Turns alternate, as no session is bound.
        let first = sticky.route("s").copied();
        assert_ne!(sticky.route("s").copied(), first);
        assert!(sticky.route_where("s", |_| true).is_some());
        sticky.bind("s", "a").unwrap();
        assert!(sticky.bind("s", "x").is_err());
        let token = sticky.token("s");
        let session = Session::new(token, "a", Duration::ZERO, Duration::ZERO);
        assert_eq!(sticky.restore_sessions([session]), 0);
        assert_eq!((sticky.session_count(), sticky.sessions().len()), (0, 0));
        assert_eq!(
            (sticky.purge(), sticky.release("a")),
            (0, 0),
            "not even expired"
        );
    }
}

#[test]
fn sessions_survive_a_restart_with_their_times() {
    let time = Time::default();
    let before = Sticky::with_clock(ring(&["a", "b", "c"]), 100, MINUTE, time.clock());
    for session in 0..20u32 {
        before
            .bind(&session, ["a", "b", "c"][session as usize % 3])
            .unwrap();
    }
    time.pass(40);
    for session in 0..10u32 {
        before.route(&session);
    }
    time.pass(10);
    let stored = before.sessions();
    assert_eq!(stored.len(), 20);
    for session in &stored {
        assert_eq!(session.age, secs(50));
        let recent = (0..10u32).any(|s| before.token(&s) == session.token);
        assert_eq!(session.idle, secs(if recent { 10 } else { 50 }));
    }

    // A clock that began later than the sessions.
    let time = Time::default();
    let after =
        || Sticky::with_clock(ring(&["a", "b", "c"]), 100, MINUTE, time.clock()).max_age(secs(70));
    let (restored, other) = (after(), after());
    assert_eq!(restored.restore_sessions(stored.clone()), 20);
    let by_token = |sessions: Vec<Session>| -> BTreeMap<Token, Session> {
        sessions.into_iter().map(|s| (s.token, s)).collect()
    };
    assert_eq!(by_token(restored.sessions()), by_token(stored.clone()));
    for session in 0..10u32 {
        let node = ["a", "b", "c"][session as usize % 3];
        assert_eq!(restored.route(&session), Some(&node));
    }
    time.pass(10); // idle for 60 s now, but for those just used
    assert_eq!(restored.session_count(), 10);
    time.pass(10); // 70 s old
    assert_eq!(restored.session_count(), 0);

    // What has expired is not restored, by idle time or by age.
    let session = |token, idle, age| Session::new(Token::new(token), "a", secs(idle), secs(age));
    let sessions = [session(1, 60, 60), session(2, 0, 70), session(3, 59, 69)];
    assert_eq!(other.restore_sessions(sessions), 1);
    assert_eq!(other.sessions(), [session(3, 59, 69)]);
}

#[test]
fn restoring_evicts_and_moves_no_session() {
    let time = Time::default();
    time.pass(1_000);
    let sticky = Sticky::with_clock(ring(&["a", "b"]), 4, MINUTE, time.clock());
    let token = |session: u64| sticky.token(&session);
    let session = |s: u64, node: &str, idle| Session::new(token(s), node, secs(idle), secs(50));
    sticky.bind(&0u64, "a").unwrap();
    let sessions = [
        session(1, "b", 30),
        session(0, "b", 0), // bound already
        session(2, "b", 40),
        session(3, "b", 10),
        session(3, "a", 20), // twice
        session(4, "b", 50), // no room
    ];
    assert_eq!(sticky.restore_sessions(sessions), 3);
    let bound = |s: u64| {
        sticky
            .sessions()
            .iter()
            .any(|session| session.token == token(s))
    };
    assert_eq!(
        (0..5).map(bound).collect::<Vec<_>>(),
        [true, true, true, true, false]
    );
    assert_eq!((sticky.sessions_on("a"), sticky.sessions_on("b")), (1, 3));
    // The longest idle gives way first, and the one that was bound here last.
    for (new, evicted) in [(10, 2), (11, 1), (12, 3), (13, 0)] {
        sticky.bind(&u64::from(new as u32), "a").unwrap();
        assert!(!bound(evicted), "{evicted}");
        assert_eq!(sticky.session_count(), 4);
    }
    // Expired sessions leave their places.
    time.pass(60);
    assert_eq!(
        sticky.restore_sessions((20..30).map(|s| session(s, "b", 1))),
        4
    );
}

/// It is restored too: its node may join before its next request.
#[test]
fn a_restored_session_waits_for_its_node_until_its_next_request() {
    let mut sticky = Sticky::new(ring(&["a", "b"]), 100, MINUTE);
    let session = |s: &str| Session::new(sticky.token(s), "c", Duration::ZERO, Duration::ZERO);
    let (early, late) = (session("early"), session("late"));
    assert_eq!(sticky.restore_sessions([early, late]), 2);
    assert_eq!(sticky.sessions_on("c"), 2);
    let node = *sticky.route("early").unwrap();
    assert_eq!(sticky.sessions_on("c"), 1);
    sticky.insert("c").unwrap();
    assert_eq!(sticky.route("early"), Some(&node));
    assert_eq!(sticky.route("late"), Some(&"c"));
}

/// Each is listed at most once, also while others are bound, ended and moved.
#[test]
fn a_listing_repeats_no_session() {
    let sticky = Sticky::new(ring(&["a", "b", "c"]), 5_000, MINUTE);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..3u64 {
            let (sticky, done) = (&sticky, &done);
            scope.spawn(move || {
                for i in 0..20_000u64 {
                    let session = (i * 7 + thread) % 6_000;
                    sticky.route(&session);
                    sticky
                        .bind(&(session / 2), ["a", "b", "c"][i as usize % 3])
                        .unwrap();
                    if i % 5 == 0 {
                        sticky.forget(&(session / 3));
                    }
                    if i % 4_000 == 0 {
                        sticky.release("b");
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        while done.load(Ordering::Relaxed) < 3 {
            let sessions = sticky.sessions();
            let tokens: BTreeSet<_> = sessions.iter().map(|session| session.token).collect();
            assert_eq!(tokens.len(), sessions.len());
            assert!(
                sessions
                    .iter()
                    .all(|s| ["a", "b", "c"].map(str::as_bytes).contains(&&*s.node))
            );
        }
    });
    // The count agrees with the table after all that.
    let count = sticky.session_count();
    assert_eq!(
        ["a", "b", "c"]
            .map(|node| sticky.release(node))
            .iter()
            .sum::<usize>(),
        count
    );
    for session in 0..6_000u64 {
        sticky.route(&session);
    }
    assert_eq!(sticky.session_count(), 5_000, "no place is lost");
}

#[cfg(feature = "serde")]
#[test]
fn a_session_is_stored_as_text() {
    let session = Session::new(Token::new(0xab), [0xff, 0x01], secs(3), secs(7));
    let json = serde_json::to_string(&session).unwrap();
    assert!(
        json.contains("\"00000000000000ab\"") && json.contains("\"ff01\""),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Session>(&json).unwrap(), session);
    let bytes = postcard::to_allocvec(&session).unwrap();
    assert_eq!(postcard::from_bytes::<Session>(&bytes).unwrap(), session);
    for bad in ["\"0ab\"", "\"00000000000000AB\"", "171"] {
        let json = json.replace("\"00000000000000ab\"", bad);
        assert!(serde_json::from_str::<Session>(&json).is_err(), "{json}");
    }
}
