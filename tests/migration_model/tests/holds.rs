//! The rules hold in every state of every configuration here. The tests print how many states.

use migration_model::config::Config;
use migration_model::rules::{Drain, Merge, Rules, Source};
use migration_model::search::search;

#[track_caller]
fn holds(config: Config, rules: Rules) {
    let found = search(config, rules).unwrap_or_else(|broken| panic!("{config}\n{broken}"));
    println!("| {config} | {} | {} |", found.states, found.depth);
    assert!(found.ends > 0, "the migration never ends");
    assert_eq!(
        found.reversed_ends > 0,
        config.reversal,
        "the reversal never ends"
    );
}

/// Returns `true` if the largest configurations are to be explored as well.
fn long() -> bool {
    std::env::var_os("MIGRATION_MODEL_LONG").is_some()
}

#[test]
fn one_replica_moves() {
    holds(Config::new(2, "a", "b"), Rules::correct());
}

#[test]
fn one_replica_moves_with_three_processes() {
    holds(Config::new(3, "a", "b").writes(1), Rules::correct());
    holds(Config::new(3, "a", "b").copies(1), Rules::correct());
}

#[test]
fn one_of_two_replicas_moves() {
    holds(Config::new(2, "ab", "bc").writes(1), Rules::correct());
    let two_writes = Config::new(2, "ab", "bc").copies(1);
    holds(two_writes.forward_only(), Rules::correct());
    if long() {
        holds(two_writes, Rules::correct());
    }
    holds(
        Config::new(2, "ab", "bc").writes(1).quorum(),
        Rules::correct(),
    );
}

#[test]
fn one_of_two_replicas_moves_with_three_processes() {
    holds(Config::new(3, "ab", "bc").writes(1), Rules::correct());
    holds(
        Config::new(3, "ab", "bc").writes(1).copies(1).quorum(),
        Rules::correct(),
    );
}

#[test]
fn both_replicas_move() {
    holds(Config::new(2, "ab", "cd").writes(1), Rules::correct());
    holds(
        Config::new(2, "ab", "cd").writes(1).copies(1).quorum(),
        Rules::correct(),
    );
}

#[test]
fn one_of_three_replicas_moves() {
    holds(Config::new(2, "abc", "bcd").writes(1), Rules::correct());
    holds(
        Config::new(2, "abc", "bcd").writes(1).quorum(),
        Rules::correct(),
    );
}

#[test]
fn one_of_three_replicas_moves_with_three_processes() {
    let config = Config::new(3, "abc", "bcd").writes(1).copies(1);
    holds(config, Rules::correct());
    holds(config.quorum().forward_only(), Rules::correct());
}

#[test]
fn all_three_replicas_move() {
    holds(
        Config::new(2, "abc", "def")
            .writes(1)
            .copies(1)
            .forward_only(),
        Rules::correct(),
    );
    holds(
        Config::new(2, "abc", "def")
            .writes(1)
            .copies(1)
            .forward_only()
            .quorum(),
        Rules::correct(),
    );
}

#[test]
fn two_of_three_replicas_move() {
    holds(
        Config::new(2, "abc", "cde").writes(1).copies(1),
        Rules::correct(),
    );
    holds(
        Config::new(2, "abc", "cde")
            .writes(1)
            .copies(1)
            .forward_only()
            .quorum(),
        Rules::correct(),
    );
}

#[test]
fn replicas_become_more() {
    holds(Config::new(2, "a", "abc").writes(1), Rules::correct());
    holds(Config::new(2, "ab", "abc").writes(1), Rules::correct());
    holds(
        Config::new(2, "a", "abc").writes(1).quorum(),
        Rules::correct(),
    );
    holds(
        Config::new(2, "ab", "abc").writes(1).copies(1).quorum(),
        Rules::correct(),
    );
    holds(
        Config::new(2, "ab", "bcd").writes(1).copies(1).quorum(),
        Rules::correct(),
    );
}

#[test]
fn replicas_become_fewer() {
    holds(Config::new(2, "abc", "a").writes(1), Rules::correct());
    holds(Config::new(2, "abc", "ab").writes(1), Rules::correct());
    holds(
        Config::new(2, "abc", "a").writes(1).copies(1).quorum(),
        Rules::correct(),
    );
    holds(
        Config::new(2, "abc", "ab").writes(1).copies(1).quorum(),
        Rules::correct(),
    );
}

#[test]
fn copies_may_always_be_quorum_reads() {
    let rules = Rules {
        source: Source::Quorum,
        ..Rules::correct()
    };
    let config = Config::new(2, "abc", "bcd").writes(1).copies(1).quorum();
    holds(config.forward_only(), rules);
    if long() {
        holds(config, rules);
    }
}

#[test]
fn a_lock_makes_blind_copies_without_tombstones_right() {
    let rules = Rules {
        merge: Merge::Blind,
        lock_while_copying: true,
        keep_tombstones: false,
        ..Rules::correct()
    };
    holds(Config::new(2, "a", "b"), rules);
    holds(Config::new(2, "ab", "bc").writes(1), rules);
}

#[test]
fn operations_may_be_repeated_if_done_waits_for_them() {
    let rules = Rules {
        drain: Drain::Repeat,
        ..Rules::correct()
    };
    holds(Config::new(2, "a", "b").writes(1), rules);
    holds(Config::new(2, "ab", "bc").writes(1).copies(1), rules);
}
