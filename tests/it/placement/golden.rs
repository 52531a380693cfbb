//! The golden owners of `tests/golden/v1/`: made by the Python implementation of docs/SPEC.md, so
//! each line is agreed on by two programs that share no code. Append-only: an owner that changes is
//! a major release.

use crate::common::vectors::{lines, unhex};
use clockwise::{HashRing, Key, KeyHasher, Mixed, SipHash13, Xxh3};
use std::net::{IpAddr, SocketAddr};

const KEYS: &str = include_str!("../../golden/v1/keys.tsv");
const MORE_KEYS: &str = include_str!("../../golden/v1/keys_signed_tuples.tsv");
const RING: &str = include_str!("../../golden/v1/ring.tsv");
const OWN_POINTS: &str = include_str!("../../golden/v1/own_points.tsv");

fn bytes<K: Key + ?Sized>(key: &K) -> Vec<u8> {
    key.key_bytes().as_ref().to_vec()
}

fn typed(kind: &str, text: &str) -> Vec<u8> {
    let number = || text.parse::<u128>().expect("a number");
    let signed = || text.parse::<i128>().expect("a number");
    match kind {
        "text" => bytes(text),
        "bytes" => bytes(&unhex(text)),
        "u8" => bytes(&u8::try_from(number()).expect("in range")),
        "u16" => bytes(&u16::try_from(number()).expect("in range")),
        "u32" => bytes(&u32::try_from(number()).expect("in range")),
        "u64" => bytes(&u64::try_from(number()).expect("in range")),
        "u128" => bytes(&number()),
        "i8" => bytes(&i8::try_from(signed()).expect("in range")),
        "i16" => bytes(&i16::try_from(signed()).expect("in range")),
        "i64" => bytes(&i64::try_from(signed()).expect("in range")),
        "i128" => bytes(&signed()),
        "ip" => bytes(&text.parse::<IpAddr>().expect("an address")),
        "socket" => bytes(&text.parse::<SocketAddr>().expect("a socket address")),
        "pair" | "triple" | "quadruple" => {
            let parts: Vec<Vec<u8>> = text
                .split('|')
                .map(|part| part.split_once('=').expect("kind=text"))
                .map(|(kind, text)| typed(kind, text))
                .collect();
            match (kind, &parts[..]) {
                ("pair", [a, b]) => bytes(&(a, b)),
                ("triple", [a, b, c]) => bytes(&(a, b, c)),
                ("quadruple", [a, b, c, d]) => bytes(&(a, b, c, d)),
                _ => panic!("not a {kind}: {text}"),
            }
        }
        _ => panic!("unknown type {kind}"),
    }
}

#[test]
fn keys_have_their_recorded_bytes() {
    let mut checked = 0;
    for line in lines(KEYS).chain(lines(MORE_KEYS)) {
        assert_eq!(typed(line[0], line[1]), unhex(line[2]), "{line:?}");
        checked += 1;
    }
    assert!(checked >= 83, "{checked}");
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn crc32(bytes: &[u8]) -> u64 {
    let crc = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    u64::from(!crc)
}

struct Top8;

impl KeyHasher for Top8 {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        Xxh3::new().hash_bytes(bytes) & 0xff << 56
    }
}

struct Constant;

impl KeyHasher for Constant {
    fn hash_bytes(&self, _: &[u8]) -> u64 {
        0x1234_5678_9abc_def0
    }
}

/// XXH3 with points of its own.
enum OwnPoints {
    /// The index behind the identity, and one point more than is asked for.
    IndexLast,
    One,
    None,
}

impl KeyHasher for OwnPoints {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        Xxh3::new().hash_bytes(bytes)
    }

    fn hash_points(&self, identity: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
        match self {
            OwnPoints::IndexLast => (0..=count)
                .map(|i| [identity, &i.to_le_bytes()].concat())
                .for_each(|bytes| point(self.hash_bytes(&bytes))),
            OwnPoints::One => point(self.hash_bytes(identity)),
            OwnPoints::None => {}
        }
    }
}

fn hasher(name: &str, parameter: &str) -> Box<dyn KeyHasher> {
    let parameter = unhex(parameter);
    match name {
        "xxh3" => {
            let seed = u64::from_be_bytes(parameter.try_into().expect("8 bytes"));
            Box::new(Xxh3::with_seed(seed))
        }
        "siphash13" => Box::new(SipHash13::new(parameter.try_into().expect("16 bytes"))),
        "mixed-fnv1a" => Box::new(Mixed::from_fn(fnv1a)),
        "mixed-crc32" => Box::new(Mixed::from_fn(crc32)),
        "top8" => Box::new(Top8),
        "constant" => Box::new(Constant),
        "xxh3-index-last" => Box::new(OwnPoints::IndexLast),
        "xxh3-one" => Box::new(OwnPoints::One),
        "xxh3-none" => Box::new(OwnPoints::None),
        _ => panic!("unknown hasher {name}"),
    }
}

type Ring = HashRing<Vec<u8>, Box<dyn KeyHasher>>;

#[test]
fn rings_have_their_recorded_owners_and_fingerprints() {
    let mut lines = lines(RING).chain(lines(OWN_POINTS)).peekable();
    let (mut rings, mut keys) = (0, 0);
    while let Some(head) = lines.next() {
        assert_eq!(head[0], "ring");
        let mut ring: Ring = HashRing::builder()
            .virtual_nodes(head[3].parse().expect("a number"))
            .hasher(hasher(head[1], head[2]))
            .build()
            .expect("a valid configuration");
        let mut identities = Vec::new();
        while let Some(node) = lines.next_if(|line| line[0] == "node") {
            let identity = unhex(node[1]);
            let weight = node[2].parse().expect("a weight");
            ring.insert_weighted(identity.clone(), weight)
                .expect("a valid node");
            if node[3] == "1" {
                ring.drain(&identity).expect("a member");
            }
            identities.push(identity);
        }
        let fingerprint = lines.next().expect("a fingerprint");
        assert_eq!(
            format!("{:016x}", ring.fingerprint()),
            fingerprint[1],
            "{head:?}"
        );
        while let Some(line) = lines.next_if(|line| line[0] == "key") {
            let key = unhex(line[1]);
            let token = ring.token(&key);
            assert_eq!(
                format!("{:016x}", token.get()),
                line[2],
                "{head:?} {line:?}"
            );
            let first_three = ring.replicas(&key, 3);
            let numbers: Vec<String> = first_three
                .iter()
                .map(|node| identities.iter().position(|identity| identity == *node))
                .map(|number| number.expect("a node of this ring").to_string())
                .collect();
            assert_eq!(numbers.join(","), line[3], "{head:?} {line:?}");
            assert_eq!(
                ring.route(&key),
                first_three.first().copied(),
                "{head:?} {line:?}"
            );
            keys += 1;
        }
        rings += 1;
    }
    assert!(rings >= 72 && keys >= 11_700, "{rings} rings, {keys} keys");
}
