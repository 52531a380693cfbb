//! What a change does: which tokens move from where to where, a plan to move them, both epochs side by side, and what the loss of
//! nodes would lead to.
//!
//! Works on ranges of tokens with the ranks of their owners, and on memberships. It knows no strategy: a ring passes what lies
//! between its points, a slot table its slots.

mod colouring;
mod epochs;
mod explain;
mod loss;
mod migration;
mod plan;
mod replicas;
mod sweep;
mod totals;
mod union;

pub use epochs::{Epochs, Transition};
pub use explain::{Explanation, Stop, Verdict};
pub use loss::{Heir, Loss};
pub use migration::{Migration, Move, Moves};
pub use plan::{Plan, Progress};
pub use totals::{Flow, NodeTotal};

pub(crate) use explain::Circle;
pub(crate) use loss::losses;
pub(crate) use replicas::{Domains, replica_set};
pub(crate) use union::{Places, Union};

/// All tokens there are, 2⁶⁴.
const CIRCLE: f64 = 18_446_744_073_709_551_616.0;

/// How many tokens `first` to `last` are, both included.
fn measure(first: u64, last: u64) -> u128 {
    u128::from(last - first) + 1
}
