//! Hashers: the default, one under a secret key, and one of your own.

use clockwise::{HashRing, KeyHasher, Mixed, SipHash13, Xxh3};

/// A hasher of your own, taken as it is: here the first 8 bytes of a key that is random already.
struct Prefix;

impl KeyHasher for Prefix {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let mut first = [0; 8];
        let len = bytes.len().min(8);
        first[..len].copy_from_slice(&bytes[..len]);
        u64::from_be_bytes(first)
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn main() -> Result<(), clockwise::NodeError> {
    let nodes = ["cache-1", "cache-2", "cache-3"];

    // The default: XXH3, named by its algorithm, never changed.
    show("Xxh3", HashRing::with_hasher(Xxh3::new()), nodes)?;

    // Keys that an attacker chooses: without the secret nobody can aim them at one node.
    let secret = *b"from your vault!";
    show(
        "SipHash13",
        HashRing::with_hasher(SipHash13::new(secret)),
        nodes,
    )?;

    // A hash that you have already, made fit for placement by a fixed finaliser.
    show(
        "Mixed(FNV-1a)",
        HashRing::with_hasher(Mixed::from_fn(fnv1a)),
        nodes,
    )?;

    // Anything else: 64 bits that all depend on the key.
    let ring: HashRing<&str, Prefix> = HashRing::with_hasher(Prefix);
    assert_eq!(ring.token(&[0xff; 16]).get(), u64::MAX);
    Ok(())
}

fn show<H: KeyHasher>(
    name: &str,
    mut ring: HashRing<&'static str, H>,
    nodes: [&'static str; 3],
) -> Result<(), clockwise::NodeError> {
    ring.extend_weighted(nodes.map(|node| (node, 1)))?;
    let owner = ring.route("user:42").expect("the ring has nodes");
    println!(
        "{name:<14} user:42 -> {owner}   busiest {:.3} of its due",
        ring.balance().busiest()
    );
    Ok(())
}
