//! What is summed up over the eligible members, once for each change of the membership.

use crate::atomic::{AtomicUsize, Ordering};
use crate::nodes::Member;
use crate::strategy::Strategy;

/// A sum over the members that are not drained. It takes O(N), so it is not made for each request.
///
/// It is made at first use and forgotten with each `&mut` to the strategy, which is the only way
/// in which members change. Threads that find it forgotten all find the same sum.
#[derive(Debug)]
pub(super) struct Sum(AtomicUsize);

/// The sum is not known, or is 0, or does not fit.
const UNKNOWN: usize = 0;

impl Sum {
    fn unknown() -> Self {
        Sum(AtomicUsize::new(UNKNOWN))
    }

    #[inline]
    fn get<S: Strategy>(&self, strategy: &S, part: fn(Member<'_, S::Node>) -> u64) -> u64 {
        // Relaxed: the number says all there is to say.
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => self.sum_up(strategy, part),
            sum => sum as u64,
        }
    }

    #[cold]
    fn sum_up<S: Strategy>(&self, strategy: &S, part: fn(Member<'_, S::Node>) -> u64) -> u64 {
        let mut sum = 0;
        strategy.for_each_eligible(&mut |member| sum += part(member));
        let known = usize::try_from(sum).unwrap_or(UNKNOWN);
        self.0.store(known, Ordering::Relaxed);
        sum
    }
}

/// The eligible members' total weight, and their number.
#[derive(Debug)]
pub(super) struct TotalWeight {
    weight: Sum,
    count: Sum,
}

impl TotalWeight {
    pub(super) fn unknown() -> Self {
        TotalWeight {
            weight: Sum::unknown(),
            count: Sum::unknown(),
        }
    }

    /// The total weight of the members that are not drained.
    #[inline]
    pub(super) fn of(&self, strategy: &impl Strategy) -> u64 {
        self.weight.get(strategy, |member| member.weight.into())
    }

    /// How many members are not drained.
    pub(super) fn count(&self, strategy: &impl Strategy) -> u64 {
        self.count.get(strategy, |_| 1)
    }
}
