//! An exhaustive model of the migration protocol of `clockwise`.
//!
//! The model has client processes, storage nodes, a coordinator and copies, for one key. A search
//! visits every state that their actions can reach in any order, and checks the laws in each one.
//! Under the correct rules it finds no violation. With one rule broken it finds a shortest list of
//! actions that returns an old value, loses a value or leaves one behind.
//!
//! - [`rules`] has the rules: what each stage reads and writes, and one switch for each rule.
//! - [`config`] has the placement that is changed, and the limits of a search.
//! - [`state`] has the state, [`model`] the actions and the laws.
//! - [`search`](mod@search) has the search, and [`names`] makes it smaller.
//!
//! # Why not `stateright`
//!
//! The search is about 60 lines, which a reader can check beside the rules. It runs on one thread,
//! so it always finds the same shortest counterexample, and the tests can assert its length.

pub mod config;
pub mod model;
pub mod names;
pub mod rules;
pub mod search;
pub mod state;
