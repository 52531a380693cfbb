//! What the benchmarks share: keys, references to compare with, races and tables.

#![allow(dead_code, unreachable_pub, unused_imports)] // each benchmark uses a part

mod maglev;
mod naive;
mod picture;
mod race;
mod table;

pub use maglev::{Maglev, populate, prime_from};
pub use naive::Naive;
pub use picture::{Picture, report};
pub use race::{CHUNK, Run, alone, chunk, cold, sum};
pub use table::{Table, ratio};

pub type RandomKey = [u8; 16];

/// Numbers that look random and are the same in each run (the generator `SplitMix64`).
fn random() -> impl FnMut() -> u64 {
    let mut state = 0u64;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Random keys in the order in which they are visited, so that the memory of the keys is not what
/// is measured.
pub fn keys(count: usize) -> Vec<RandomKey> {
    let mut next = random();
    (0..count)
        .map(|_| {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&next().to_le_bytes());
            key[8..].copy_from_slice(&next().to_le_bytes());
            key
        })
        .collect()
}

/// Random keys of 16 bytes as an application has them. The compiler does not know their length.
pub fn strings(count: usize) -> Vec<String> {
    let mut next = random();
    (0..count).map(|_| format!("{:016x}", next())).collect()
}

/// The nodes of every benchmark: 0 to N − 1.
pub fn nodes(count: usize) -> impl Iterator<Item = u64> {
    0..count as u64
}

/// Where a reference points, as a number: consumes an answer without reading what it points to.
#[inline]
pub fn address<T>(answer: &T) -> u64 {
    std::ptr::from_ref(answer) as u64
}
