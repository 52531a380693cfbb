//! A model.
pub mod config;
pub mod model;
pub mod names;
pub mod rules;
pub mod search;
pub mod state;
