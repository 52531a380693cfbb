//! Keys chosen by an attacker: what an unkeyed hasher allows, and what a key prevents.

use crate::common::hashers::Spoilt;
use crate::common::random::Rng;
use crate::common::scaled;
use clockwise::{ConfigError, HashRing, KeyHasher, NodeError, SipHash13};
use std::fmt::Debug;

fn ring<H: KeyHasher>(hasher: H) -> HashRing<String, H> {
    let builder = HashRing::builder().virtual_nodes(160).hasher(hasher);
    let mut ring = builder.build().expect("it fits");
    ring.extend_weighted((0..10).map(|i| (format!("cache-{i}"), 1)))
        .expect("distinct");
    ring
}

/// Keys that all fall on `cache-0`, found by trying.
fn aimed<H: KeyHasher>(ring: &HashRing<String, H>, count: usize) -> Vec<String> {
    let target = "cache-0";
    let tried = (0u64..).map(|i| format!("key-{i}"));
    tried
        .filter(|key| ring.route(key).is_some_and(|node| node == target))
        .take(count)
        .collect()
}

/// χ² of where the keys fall against what each node owns of the circle.
fn chi_square<H: KeyHasher>(ring: &HashRing<String, H>, keys: &[String]) -> f64 {
    ring.nodes()
        .map(|node| {
            let due = ring.share(node).expect("it is a member") * keys.len() as f64;
            let count = keys
                .iter()
                .filter(|key| ring.route(*key) == Some(node))
                .count() as f64;
            (count - due).powi(2) / due
        })
        .sum()
}

/// With 9 degrees of freedom χ² exceeds 45 in 1 of 10⁶ cases; there are 20.
const CHI_SQUARE: f64 = 45.0;

#[test]
fn keys_aimed_under_one_secret_are_uniform_under_others() {
    let mut random = Rng::new(11);
    let secret = |random: &mut Rng| -> [u8; 16] { random.bytes(16).try_into().expect("16 bytes") };
    let victim = ring(SipHash13::new(secret(&mut random)));
    let keys = aimed(&victim, scaled(400, 2_000, 50_000));
    assert!(chi_square(&victim, &keys) > 1000.0, "they are aimed");
    let mut most = 0.0f64;
    for _ in 0..20 {
        let chi_square = chi_square(&ring(SipHash13::new(secret(&mut random))), &keys);
        assert!(chi_square < CHI_SQUARE, "{chi_square}");
        most = most.max(chi_square);
    }
    println!(
        "{} aimed keys under 20 other secrets: χ² at most {most:.1} of {CHI_SQUARE}",
        keys.len()
    );
}

/// One bit of the secret is as good as another secret.
#[test]
fn a_secret_that_differs_in_one_bit_is_another_secret() {
    let victim = ring(SipHash13::new([0; 16]));
    let keys = aimed(&victim, 400);
    for bit in [0, 7, 63, 64, 127] {
        let mut secret = [0; 16];
        secret[bit / 8] |= 1 << (bit % 8);
        let chi_square = chi_square(&ring(SipHash13::new(secret)), &keys);
        assert!(chi_square < CHI_SQUARE, "{bit}: {chi_square}");
    }
}

/// What the documentation warns of: under an unkeyed hasher the same keys hit the same node
/// everywhere.
#[test]
fn keys_aimed_under_an_unkeyed_hasher_hit_everyone() {
    let keys = aimed(&ring(Spoilt::Not), 200);
    let elsewhere = ring(Spoilt::Not);
    assert!(
        keys.iter()
            .all(|key| elsewhere.route(key).is_some_and(|node| node == "cache-0"))
    );
}

/// The secret's bytes are such that any form of them would stand out: 0xE7 is 231 and `ç`.
#[test]
fn no_byte_of_a_secret_is_shown() {
    const SECRET: [u8; 16] = [0xe7; 16];
    let hidden = |what: &dyn Debug, shown: String| {
        let shown = shown.to_lowercase();
        for form in ["e7", "231", "ç", "16710579925595711463"] {
            assert!(!shown.contains(form), "{what:?} shows {form}");
        }
    };
    let hasher = SipHash13::new(SECRET);
    let mut ring = ring(hasher);
    hidden(&"the hasher", format!("{hasher:?} {hasher:#?}"));
    hidden(&"the ring", format!("{ring:?} {ring:#?}"));
    hidden(
        &"the builder",
        format!("{:?}", HashRing::<&str>::builder().hasher(hasher)),
    );
    hidden(
        &"a preference",
        format!("{:?} {:?}", ring.preference("key"), ring.arcs()),
    );
    hidden(
        &"the balance",
        format!(
            "{:?}",
            ring.balance()
                .nodes()
                .iter()
                .map(|row| &row.node)
                .collect::<Vec<_>>()
        ),
    );
    let errors: [NodeError; 3] = [
        ring.insert("cache-1".into()).expect_err("a duplicate"),
        ring.set_weight("absent", 1).expect_err("unknown"),
        ring.set_weight("cache-1", u32::MAX).expect_err("too many"),
    ];
    for error in errors {
        hidden(&error, format!("{error:?} {error}"));
    }
    let error: ConfigError = HashRing::<&str>::builder()
        .virtual_nodes(0)
        .hasher(hasher)
        .build()
        .expect_err("none");
    hidden(&error, format!("{error:?} {error}"));
}

/// A fingerprint depends on the secret, so that two processes see that they disagree, but no half
/// of the secret stands in it.
#[test]
fn a_fingerprint_tells_secrets_apart_and_shows_none() {
    let mut seen = Vec::new();
    for i in 0..=255u8 {
        let secret = [i; 16];
        let fingerprint = ring(SipHash13::new(secret)).fingerprint();
        assert!(!seen.contains(&fingerprint));
        let own = fingerprint.to_le_bytes();
        assert!(
            own.windows(4).all(|part| part != [i; 4]),
            "{fingerprint:#x} of {i:#x}"
        );
        seen.push(fingerprint);
    }
}
