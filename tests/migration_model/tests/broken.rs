//! Each broken rule has a counterexample. The tests print it.

use migration_model::config::Config;
use migration_model::model::Law;
use migration_model::rules::{Drain, Merge, Rules, Source};
use migration_model::search::search;

/// Asserts that `rules` break `law`, and that no shorter list of actions than `length` does.
#[track_caller]
fn breaks(law: Law, length: usize, config: Config, rules: Rules) {
    let found = search(config, rules).expect_err("the rule that is broken should matter");
    println!("{config}\n{found}");
    assert_eq!((found.law, found.actions.len()), (law, length));
}

/// The smallest change: one node takes over from another.
fn one() -> Config {
    Config::new(2, "a", "b").writes(1).copies(1)
}

#[test]
fn two_stages_are_one_too_few() {
    let rules = Rules {
        copied_stage: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 11, one().forward_only(), rules);
}

#[test]
fn two_stages_that_read_old_then_new_are_one_too_few() {
    let rules = Rules {
        copied_stage: false,
        absence_is_an_answer: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 9, one().writes(2).forward_only(), rules);
    breaks(Law::FreshReads, 11, one().forward_only(), rules);
}

#[test]
fn absence_is_not_a_miss() {
    let rules = Rules {
        absence_is_an_answer: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 15, one().forward_only(), rules);
}

#[test]
fn tombstones_are_kept_until_done() {
    let rules = Rules {
        keep_tombstones: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 13, one(), rules);
}

#[test]
fn tombstones_are_kept_until_old_data_is_dropped() {
    let rules = Rules {
        drop_before_purge: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 23, one(), rules);
}

#[test]
fn a_taker_is_empty() {
    let rules = Rules {
        empty_taker: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 9, one(), rules);
}

#[test]
fn a_process_stores_before_it_acknowledges() {
    let rules = Rules {
        store_first: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 12, one().forward_only(), rules);
}

#[test]
fn a_process_drains_before_it_acknowledges() {
    let rules = Rules {
        drain: Drain::Ignore,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 11, one().forward_only(), rules);
}

#[test]
fn the_coordinator_waits_for_every_process() {
    let rules = Rules {
        wait_for_all: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 12, one().forward_only(), rules);
}

#[test]
fn copies_begin_when_all_have_acknowledged() {
    let rules = Rules {
        copy_when_acknowledged: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 11, one(), rules);
}

#[test]
fn copies_under_quorums_do_not_read_any_one_replica() {
    let rules = Rules {
        source: Source::AnyMember,
        ..Rules::correct()
    };
    breaks(
        Law::FreshReads,
        10,
        Config::new(2, "abc", "bcd").writes(1).copies(1).quorum(),
        rules,
    );
}

#[test]
fn copies_are_not_blind() {
    let rules = Rules {
        merge: Merge::Blind,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 12, one(), rules);
}

#[test]
fn copies_overwrite_an_older_value() {
    let rules = Rules {
        merge: Merge::IfAbsent,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 13, one().writes(2), rules);
}

#[test]
fn a_quorum_is_counted_on_each_side() {
    let rules = Rules {
        quorum_of_each_side: false,
        ..Rules::correct()
    };
    breaks(
        Law::FreshReads,
        9,
        Config::new(2, "abc", "cde").writes(1).copies(1).quorum(),
        rules,
    );
}

#[test]
fn fewer_replicas_under_quorums_need_copies() {
    let rules = Rules {
        copy_to_fewer: false,
        ..Rules::correct()
    };
    breaks(
        Law::FreshReads,
        7,
        Config::new(2, "abc", "a").writes(1).copies(1).quorum(),
        rules,
    );
    breaks(
        Law::PlacedAtTheEnd,
        10,
        Config::new(2, "abc", "ab").writes(1).copies(1).quorum(),
        rules,
    );
}

#[test]
fn a_range_is_copied_after_all_its_moves() {
    let rules = Rules {
        copied_after_all_moves: false,
        ..Rules::correct()
    };
    let config = Config::new(2, "ab", "cd").writes(1).copies(1);
    breaks(Law::FreshReads, 9, config, rules);
}

#[test]
fn old_data_is_dropped_when_done_is_acknowledged() {
    let rules = Rules {
        drop_when_acknowledged: false,
        ..Rules::correct()
    };
    breaks(Law::NoLeftovers, 12, one().forward_only(), rules);
}

#[test]
fn old_members_that_stay_are_not_dropped() {
    let rules = Rules {
        drop_leavers_only: false,
        ..Rules::correct()
    };
    breaks(
        Law::PlacedAtTheEnd,
        13,
        Config::new(2, "ab", "bc")
            .writes(1)
            .copies(1)
            .forward_only(),
        rules,
    );
    breaks(
        Law::NoLostCopy,
        6,
        Config::new(2, "a", "ab").writes(1).copies(1),
        rules,
    );
}

#[test]
fn copies_end_before_old_data_is_dropped() {
    let rules = Rules {
        end_copies_first: false,
        ..Rules::correct()
    };
    breaks(Law::NoLeftovers, 12, one(), rules);
}

#[test]
fn a_reversal_copies_back_what_was_written_since_done() {
    let rules = Rules {
        copy_back: false,
        ..Rules::correct()
    };
    breaks(Law::FreshReads, 19, one(), rules);
}

#[test]
fn repeating_operations_does_not_replace_draining_before_old_data_is_dropped() {
    let rules = Rules {
        drain: Drain::RepeatOnly,
        ..Rules::correct()
    };
    breaks(Law::NoLeftovers, 10, one(), rules);
}
