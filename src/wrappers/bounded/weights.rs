//! The weights of a strategy's members, summed up once for each change of the membership.

use crate::atomic::{AtomicU32, AtomicUsize, Ordering};
use crate::key::Key;
use crate::nodes::Member;
use crate::strategy::Strategy;

/// What is remembered of the weights: O(N) to work out, so not for each request.
///
/// Worked out at first use and forgotten with each `&mut` to the strategy, the only way in which members change: no caller has to be
/// trusted to say that it is done. Threads that find nothing remembered all work out the same.
#[derive(Debug)]
pub(super) struct Weights {
    /// The eligible members' total; 0 while not known, or where it does not fit.
    total: AtomicUsize,
    /// The one weight that all members have, drained ones too; 0 where they differ. Read after `total`, stored before.
    each: AtomicU32,
}

/// The weights, known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The eligible members' total.
    pub(super) total: u64,
    each: u32,
}

impl Weights {
    pub(super) fn unknown() -> Self {
        Weights {
            total: AtomicUsize::new(0),
            each: AtomicU32::new(0),
        }
    }

    #[inline]
    pub(super) fn of<N>(&self, strategy: &impl Strategy<N>) -> Known {
        match self.total.load(Ordering::Acquire) {
            0 => self.work_out(strategy),
            total => Known {
                total: total as u64,
                each: self.each.load(Ordering::Relaxed),
            },
        }
    }

    #[cold]
    fn work_out<N>(&self, strategy: &impl Strategy<N>) -> Known {
        let (mut total, mut each) = (0, None);
        strategy.for_each_member(&mut |Member {
                                           weight, drained, ..
                                       }| {
            if !drained {
                total += u64::from(weight);
            }
            each = match each {
                None => Some(weight),
                Some(same) if same == weight => each,
                Some(_) => Some(0),
            };
        });
        let known = Known {
            total,
            each: each.unwrap_or(0),
        };
        if let Ok(total) = usize::try_from(total) {
            self.each.store(known.each, Ordering::Relaxed);
            self.total.store(total, Ordering::Release);
        }
        known
    }
}

impl Known {
    /// The weight of a member. O(log N) where weights differ, else O(1).
    #[inline]
    pub(super) fn weight<N: Key>(self, strategy: &impl Strategy<N>, node: &N) -> u32 {
        match self.each {
            0 => strategy
                .member(node.key_bytes().as_ref())
                .map_or(1, |member| member.weight.max(1)),
            each => each,
        }
    }
}
