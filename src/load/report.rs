//! [`Report`]: the last number of several writers, with its time.

use crate::atomic::{AtomicU8, AtomicU64, Ordering};

/// The places for numbers: one for the number that is read, the others for writers.
const PLACES: usize = 8;

/// The bits of a published word that name a place; the others are a time in steps of 8 ns.
const PLACE: u64 = PLACES as u64 - 1;

/// A number and the time when it was reported, written by several threads.
///
/// The time and the number are two words, so a writer that stalls between them must not put its
/// old number under a newer time. Therefore each writer takes a place that is its own, writes its
/// number there, and then publishes the time together with that place, in one word. It frees the
/// place that was published before. No thread waits for another.
///
/// A reader loads two words: the published one, then the number at its place. If the place is freed
/// in between and taken again, the writer that took it has a later time. So a number may be newer
/// than its time, and it is never older.
#[derive(Debug)]
pub(super) struct Report {
    /// A time, moved on by one step, and a place. No time, if there has been no report.
    published: AtomicU64,
    /// One bit for each place that is published or belongs to a writer.
    taken: AtomicU8,
    /// The bits of an f64 each.
    numbers: [AtomicU64; PLACES],
}

impl Report {
    pub(super) fn none() -> Self {
        Report {
            published: AtomicU64::new(0),
            taken: AtomicU8::new(1),
            numbers: core::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Makes `number` the last one, unless there is one of a later time.
    ///
    /// The number is dropped if seven other writers are in the middle of this call.
    pub(super) fn write(&self, number: f64, now: u64) {
        let time = now.saturating_add(PLACES as u64) & !PLACE;
        let Some(place) = self.take() else { return };
        let mut free = place;
        let mut last = self.published.load(Ordering::Acquire);
        while last & !PLACE <= time {
            self.numbers[place].store(number.to_bits(), Ordering::Relaxed);
            match self.published.compare_exchange_weak(
                last,
                time | place as u64,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    free = (last & PLACE) as usize;
                    break;
                }
                Err(newer) => last = newer,
            }
        }
        self.taken.fetch_and(!(1 << free), Ordering::Release);
    }

    /// Returns the last number and its time, in steps of 8 ns.
    #[inline]
    pub(super) fn read(&self) -> Option<(f64, u64)> {
        let published = self.published.load(Ordering::Acquire);
        let time = (published & !PLACE).checked_sub(PLACES as u64)?;
        let number = &self.numbers[(published & PLACE) as usize];
        Some((f64::from_bits(number.load(Ordering::Relaxed)), time))
    }

    /// Takes a place that is free.
    fn take(&self) -> Option<usize> {
        let mut taken = self.taken.load(Ordering::Relaxed);
        loop {
            let place = taken.trailing_ones() as usize;
            if place == PLACES {
                return None;
            }
            match self.taken.compare_exchange_weak(
                taken,
                taken | 1 << place,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(place),
                Err(now) => taken = now,
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_latest_time_stands_and_places_are_given_free() {
        let report = Report::none();
        assert_eq!(report.read(), None);
        for (number, now, stands) in [
            (1.0, 0, (1.0, 0)),
            (2.0, 16, (2.0, 16)),
            (3.0, 8, (2.0, 16)),
            (4.0, 16, (4.0, 16)),
            (5.0, u64::MAX, (5.0, u64::MAX - 15)),
            (6.0, 1 << 40, (5.0, u64::MAX - 15)),
        ] {
            report.write(number, now);
            assert_eq!(report.read(), Some(stands));
            assert_eq!(report.taken.load(Ordering::Relaxed).count_ones(), 1);
        }
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;

    /// Two writers and a reader. The numbers are the times.
    #[test]
    fn an_older_number_never_stands_under_a_newer_time() {
        loom::model(|| {
            let report = loom::sync::Arc::new(Report::none());
            report.write(8.0, 8);
            let writers = [16u32, 24].map(|time| {
                let report = report.clone();
                loom::thread::spawn(move || report.write(f64::from(time), u64::from(time)))
            });
            let (number, time) = report.read().unwrap();
            assert!(number >= time as f64, "{number} at {time}");
            for writer in writers {
                writer.join().unwrap();
            }
            assert_eq!(report.read(), Some((24.0, 24)));
            assert_eq!(report.taken.load(Ordering::Relaxed).count_ones(), 1);
        });
    }

    /// One writer reports three times, so that places are used again, while another reports once.
    #[test]
    fn a_place_that_is_used_again_holds_a_newer_number() {
        loom::model(|| {
            let report = loom::sync::Arc::new(Report::none());
            let often = {
                let report = report.clone();
                loom::thread::spawn(move || {
                    for time in [8u32, 24] {
                        report.write(f64::from(time), u64::from(time));
                    }
                })
            };
            let once = {
                let report = report.clone();
                loom::thread::spawn(move || report.write(16.0, 16))
            };
            if let Some((number, time)) = report.read() {
                assert!(number >= time as f64, "{number} at {time}");
            }
            often.join().unwrap();
            once.join().unwrap();
            assert_eq!(report.read(), Some((24.0, 24)));
        });
    }
}
