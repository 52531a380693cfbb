//! The tests of the crate from outside, one module for each law.
//!
//! Tests that need a process of their own are files beside this folder: they link an allocator that
//! measures the memory of the whole process.

mod common;

/// What callers can write: names, signatures and traits.
mod api {
    mod auto_traits;
    mod contract;
    mod shown;
    mod verbs;
}

/// Which node owns a key, and that it stays so.
mod placement {
    mod balance;
    mod forecast;
    mod golden;
    mod golden_orders;
    mod golden_rendezvous;
    mod hashers;
    mod model;
    mod movement;
    mod own_ring;
    mod rendezvous;
    mod scale;
    mod slot_table;
    mod slot_table_diff;
    mod stability;
    mod textbook;
}

/// Input that is wrong, hostile or too large.
mod input {
    mod attack;
    mod bad_identities;
    mod bad_input;
    mod bad_weights;
    mod budgets;
    mod others_failures;
    mod panics;
    mod printed_names;
}

/// Strategies that choose by turn, chance or load.
mod strategies {
    mod common_laws;
    mod least_loaded;
    mod power_of_two;
    mod queues;
    mod round_robin;
    mod shared_turns;
    mod weighted_random;
}

/// What nodes report: requests in flight, latency, warmth.
mod load {
    mod counted;
    mod over_time;
    mod peak_ewma;
    mod slow_start;
}

/// Wrappers around a strategy, alone, nested and in motion.
mod wrappers {
    mod attacks_in_motion;
    mod bounded;
    mod bounded_caps;
    mod bounded_offered;
    mod failover;
    mod leases;
    mod nesting;
    mod shared;
    mod stack;
    mod sticky;
    mod sticky_operations;
    mod sticky_views;
    mod zoned;
}

/// What a change moves, and how data follows without stale reads.
mod migration {
    mod diff;
    mod epochs;
    mod explain;
    mod losses;
    mod plan;
    mod protocol;
}

/// Stored memberships.
mod snapshot {
    mod kinds;
    mod refused;
    mod rings;
    mod work;
}

/// Other systems' placements.
mod compat {
    mod bad_input;
    mod golden;
    mod membership;
}

/// What allocates. The counts are those of the thread that measures.
mod allocation {
    mod memory;
    mod picks;
    mod routes;
    mod wrappers;
}
