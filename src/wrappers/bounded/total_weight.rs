//! The total weight of a strategy's eligible members, summed up once for each change of the membership.

use crate::atomic::{AtomicUsize, Ordering};
use crate::strategy::Strategy;

/// The eligible members' total weight, W: O(N) to sum up, so not for each request.
///
/// Summed up at first use and forgotten with each `&mut` to the strategy, the only way in which members change: no caller has to be
/// trusted to say when it is done with one. Threads that find it forgotten all find the same sum.
#[derive(Debug)]
pub(super) struct TotalWeight(AtomicUsize);

/// Where it is not known, or is 0, or does not fit.
const UNKNOWN: usize = 0;

impl TotalWeight {
    pub(super) fn unknown() -> Self {
        TotalWeight(AtomicUsize::new(UNKNOWN))
    }

    #[inline]
    pub(super) fn of(&self, strategy: &impl Strategy) -> u64 {
        // Relaxed: the number says all there is to say.
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => self.sum_up(strategy),
            total => total as u64,
        }
    }

    #[cold]
    fn sum_up(&self, strategy: &impl Strategy) -> u64 {
        let mut total = 0;
        strategy.for_each_member(&mut |member| {
            if !member.drained {
                total += u64::from(member.weight);
            }
        });
        let known = usize::try_from(total).unwrap_or(UNKNOWN);
        self.0.store(known, Ordering::Relaxed);
        total
    }
}
