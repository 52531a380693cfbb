//! The hashers are the published algorithms, and forwarding changes nothing.

use crate::common::hashers::{Spoilt, good};
use clockwise::{KeyHasher, Mixed, SipHash13, Xxh3};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// The sanity buffer of xxHash's own tests: the values are those of its `XXH3_64b` vectors.
#[test]
fn xxh3_is_xxh3() {
    const SEED: u64 = 0x9e37_79b1_85eb_ca8d; // XXH_PRIME64_1
    let mut generator = 2_654_435_761u64;
    let buffer: Vec<u8> = std::iter::repeat_with(|| {
        let byte = (generator >> 56) as u8;
        generator = generator.wrapping_mul(11_400_714_785_074_694_797);
        byte
    })
    .take(2400)
    .collect();
    for (len, plain, seeded) in [
        (0, 0x2d06_8005_38d3_94c2, 0xa8a6_b918_b2f0_364a),
        (1, 0xc44b_dff4_074e_ecdb, 0x032b_e332_dd76_6ef8),
        (6, 0x27b5_6a84_cd2d_7325, 0x8458_9c11_6ab5_9ab9),
        (12, 0xa713_daf0_dfbb_77e7, 0xe730_3e1b_2336_de0e),
        (24, 0xa3fe_70bf_9d35_10eb, 0x850e_80fc_35bd_d690),
        (48, 0x397d_a259_ecba_1f11, 0xadc2_cbaa_44ac_c616),
        (80, 0xbcde_fbbb_2c47_c90a, 0xc6dd_0cb6_9953_2e73),
        (195, 0xcd94_217e_e362_ec3a, 0xba68_003d_370c_b3d9),
    ] {
        assert_eq!(Xxh3::new().hash_bytes(&buffer[..len]), plain, "{len} bytes");
        assert_eq!(
            Xxh3::with_seed(SEED).hash_bytes(&buffer[..len]),
            seeded,
            "{len} bytes, seeded"
        );
        assert_eq!(Xxh3::with_seed(0).hash_bytes(&buffer[..len]), plain);
    }
    assert_eq!(Xxh3::default(), Xxh3::new());
    assert_ne!(Xxh3::with_seed(1), Xxh3::new());
}

/// `SipHash` with 1 and 3 rounds, written from the paper (Aumasson, Bernstein 2012, section 2).
fn siphash13(key: [u8; 16], bytes: &[u8]) -> u64 {
    fn round(v: &mut [u64; 4]) {
        v[0] = v[0].wrapping_add(v[1]);
        v[2] = v[2].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[1]);
        v[0] = v[0].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].rotate_left(32);
    }
    let half = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("8 bytes"));
    let (k0, k1) = (half(&key[..8]), half(&key[8..]));
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len() / 8 * 8 + 7, 0);
    padded.push(bytes.len() as u8);
    for word in padded.chunks(8).map(half) {
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    (0..3).for_each(|_| round(&mut v));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[test]
fn siphash13_is_that_of_the_paper() {
    let bytes: Vec<u8> = (0..=255).cycle().take(1024).collect();
    for key in [
        [0; 16],
        [0xff; 16],
        *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
    ] {
        for len in (0..70).chain([255, 256, 257, 1024]) {
            let expected = siphash13(key, &bytes[..len]);
            assert_eq!(
                SipHash13::new(key).hash_bytes(&bytes[..len]),
                expected,
                "{len} bytes"
            );
        }
    }
}

/// `MurmurHash3`'s fmix64, step by step in 128 bits.
fn fmix64(h: u64) -> u64 {
    let times = |h: u64, by: u128| ((u128::from(h) * by) % (1 << 64)) as u64;
    let h = times(h ^ (h >> 33), 0xff51_afd7_ed55_8ccd);
    let h = times(h ^ (h >> 33), 0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

#[test]
fn mixed_is_fmix64_behind_one_write_of_the_bytes() {
    /// Remembers how it was fed.
    #[derive(Default)]
    struct Sum {
        writes: u64,
        sum: u64,
    }
    impl Hasher for Sum {
        fn write(&mut self, bytes: &[u8]) {
            self.writes += 1;
            self.sum = bytes.iter().map(|byte| u64::from(*byte)).sum();
        }
        fn finish(&self) -> u64 {
            self.writes << 32 | self.sum
        }
    }
    let build = Mixed::new(BuildHasherDefault::<Sum>::default());
    let function = Mixed::from_fn(|bytes: &[u8]| bytes.len() as u64);
    for bytes in [&b""[..], b"a", b"abc", &[255; 100]] {
        let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
        assert_eq!(build.hash_bytes(bytes), fmix64(1 << 32 | sum));
        assert_eq!(function.hash_bytes(bytes), fmix64(bytes.len() as u64));
    }
    assert_eq!(fmix64(0), 0);
    assert_eq!(
        Mixed::from_fn(|_: &[u8]| 1).hash_bytes(b""),
        0xb456_bcfc_34c2_cb2c
    );
}

#[test]
fn references_boxes_and_arcs_are_the_hasher_inside() {
    let hasher = Spoilt::Not;
    let hash = |hasher: &dyn KeyHasher| hasher.hash_bytes(b"key");
    assert_eq!(hash(&hasher), good(b"key"));
    assert_eq!(hash(&&hasher), good(b"key"));
    assert_eq!(hash(&Box::new(hasher)), good(b"key"));
    assert_eq!(hash(&Arc::new(hasher)), good(b"key"));
    let boxed: Box<dyn KeyHasher> = Box::new(hasher);
    assert_eq!(hash(&boxed), good(b"key"));
}
