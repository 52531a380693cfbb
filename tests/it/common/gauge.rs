//! A node whose load a test sets by hand.

use clockwise::{Key, Load};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub struct Gauge {
    pub id: u32,
    bits: AtomicU64,
}

impl Gauge {
    pub fn new(id: u32, load: f64) -> Self {
        Gauge {
            id,
            bits: AtomicU64::new(load.to_bits()),
        }
    }

    pub fn set(&self, load: f64) {
        self.bits.store(load.to_bits(), Ordering::Relaxed);
    }
}

impl Key for Gauge {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.id.to_be_bytes()
    }
}

impl Load for Gauge {
    fn load(&self) -> f64 {
        f64::from_bits(self.bits.load(Ordering::Relaxed))
    }
}

impl Clone for Gauge {
    fn clone(&self) -> Self {
        Gauge::new(self.id, self.load())
    }
}

/// Nodes 0, 1, … with these loads and weights.
pub fn gauges(loads: &[(f64, u32)]) -> Vec<(Gauge, u32)> {
    (0..)
        .zip(loads)
        .map(|(id, &(load, weight))| (Gauge::new(id, load), weight))
        .collect()
}
