//! The requests, and the origin that the cache spares.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Zipf};
use std::collections::HashSet;
use std::error::Error;
use std::ops::Range;
use std::thread;
use std::time::Duration;

pub(crate) const KEYS: u32 = 10_000;

/// The exponent of YCSB's request distribution, in which the most popular of 10,000 keys gets a
/// tenth of the requests.
const EXPONENT: f64 = 0.99;

/// The keys in the order in which they are requested, the same for each contender and in each run.
pub(crate) struct Trace(Vec<u32>);

impl Trace {
    pub(crate) fn new(requests: usize) -> Result<Self, Box<dyn Error>> {
        let zipf = Zipf::new(f64::from(KEYS), EXPONENT)?;
        let ranks = zipf.sample_iter(StdRng::seed_from_u64(13));
        // A rank is a whole number from 1 to KEYS.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(Trace(
            ranks.take(requests).map(|rank| rank as u32).collect(),
        ))
    }

    pub(crate) fn get(&self, request: usize) -> Option<u32> {
        self.0.get(request).copied()
    }

    /// Returns how many keys these requests name.
    pub(crate) fn distinct(&self, requests: Range<usize>) -> usize {
        self.0[requests].iter().collect::<HashSet<_>>().len()
    }
}

pub(crate) fn key(number: u32) -> String {
    format!("item-{number}")
}

/// Returns what the origin has for a key: a few hundred bytes that tell it from all others.
pub(crate) fn value(key: &str) -> Vec<u8> {
    format!("{key};").repeat(1 + key.len() * 5).into_bytes()
}

/// Asks the origin, which takes longer than a cache.
pub(crate) fn load(key: &str) -> Vec<u8> {
    thread::sleep(Duration::from_millis(1));
    value(key)
}
