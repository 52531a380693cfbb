//! Changing a placement while it is in use: what moves, in which order, and where to read and write
//! meanwhile.
//!
//! 1. `diff` on a [`HashRing`](crate::HashRing) or a [`SlotTable`](crate::SlotTable) returns a
//!    [`Migration`]: the ranges of tokens that move, each with its giver and its taker.
//! 2. [`Migration::plan`] makes a [`Plan`]: a queue that hands out the moves under a limit for each
//!    node.
//! 3. [`Epochs`] holds the old and the new placement and says where to read and write a key, range
//!    by range. It describes the protocol for many processes.
//!
//! The module works on ranges of tokens with the ranks of their owners, and on memberships. It
//! knows no ring and no table.
//!
//! # Examples
//! ```
//! use clockwise::{Epochs, HashRing};
//!
//! let old = HashRing::from_nodes(["a", "b", "c"])?;
//! let mut new = old.clone();
//! new.insert("d")?;
//! let mut plan = old.diff(&new)?.plan(4)?; // what to copy, in a good order
//! let epochs = Epochs::new(&old, &new); // where to read and write meanwhile
//! assert!(plan.start().is_some());
//! assert_eq!(epochs.reads("user:42"), old.replicas("user:42", 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod copies;
mod diff;
mod epochs;
mod epochs_progress;
mod explain;
mod loss;
mod moves;
mod plan;
mod plan_progress;
mod queue;
mod replicas;
mod stages;
mod sweep;
mod totals;
mod union;
mod verbs;

use crate::hash::{Token, TokenRange};

pub use diff::{Migration, Moves};
pub use epochs::Epochs;
pub use epochs_progress::EpochsProgress;
pub use explain::{Explanation, Stop, Verdict};
pub use loss::{Heir, Loss};
pub use moves::Move;
pub use plan::Plan;
pub use plan_progress::Progress;
pub use stages::Stage;
pub use totals::{Flow, NodeTotal};

pub(crate) use copies::{balance_of_copies, losses_of_copies};
pub(crate) use explain::Circle;
pub(crate) use loss::{Groups, losses};
pub(crate) use replicas::{Domains, replica_set};
pub(crate) use union::{Places, Union};
pub(crate) use verbs::{Pieces, between_replicas, diff_verbs};

/// The number of all tokens, 2⁶⁴.
const CIRCLE: f64 = 18_446_744_073_709_551_616.0;

/// Returns the range from `first` to `last`, which must not be less.
fn range(first: u64, last: u64) -> TokenRange {
    TokenRange::new(Token::new(first), Token::new(last)).expect("first <= last")
}

/// Returns the number of tokens from `first` to `last`, both included.
fn measure(first: u64, last: u64) -> u128 {
    u128::from(last - first) + 1
}
