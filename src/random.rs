//! Random numbers from a seed, and nodes drawn in proportion to weight.

mod draws;
mod urn;

pub(crate) use draws::{Draws, GOLDEN, Random, below};
pub(crate) use urn::{Line, Urn};
