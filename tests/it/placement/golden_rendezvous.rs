//! Golden owners of rendezvous and of slot tables: what they say today is what they say in every
//! 1.x release.
//!
//! The files are append-only. `CLOCKWISE_BLESS=1` appends the cases that are missing at the end; a
//! line that differs is a broken promise, never a line to rewrite.
//! `tests/spec/check_rendezvous_slots.py` computes the same files from the written spec alone.

use clockwise::{KeyHasher, Mixed, Rendezvous, SipHash13, SlotTable, Strategy, Xxh3};
use std::fmt::Write;
use std::path::PathBuf;

pub(super) type Hasher = Box<dyn KeyHasher>;
pub(super) type MakeHasher = fn() -> Hasher;

pub(super) fn hashers() -> Vec<(&'static str, MakeHasher)> {
    vec![
        ("xxh3", || Box::new(Xxh3::new())),
        ("xxh3:seed=9e3779b97f4a7c15", || {
            Box::new(Xxh3::with_seed(0x9e37_79b9_7f4a_7c15))
        }),
        ("sip13:key=000102030405060708090a0b0c0d0e0f", || {
            Box::new(SipHash13::new(std::array::from_fn(|i| i as u8)))
        }),
        ("mixed:fnv1a", || Box::new(Mixed::from_fn(fnv1a))),
        ("mixed:constant=7", || {
            Box::new(Mixed::from_fn(|_: &[u8]| 7))
        }),
    ]
}

fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |h: u64, &b: &u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Identity, weight, drained.
type Node = (Vec<u8>, u32, bool);

fn sets() -> Vec<(&'static str, Vec<Node>)> {
    let of =
        |n: usize, name: &dyn Fn(usize) -> String, weight: &dyn Fn(usize) -> u32| -> Vec<Node> {
            (0..n)
                .map(|i| (name(i).into_bytes(), weight(i), false))
                .collect()
        };
    let drained = |mut nodes: Vec<Node>, every: usize| {
        for node in nodes.iter_mut().step_by(every) {
            node.2 = true;
        }
        nodes
    };
    let ip = |i: usize| format!("10.0.{}.{}:6379", i / 256, i % 256);
    let cache = |i: usize| format!("cache-{i}.example.org");
    vec![
        ("one", of(1, &ip, &|_| 1)),
        ("three", of(3, &cache, &|_| 1)),
        ("ten", of(10, &ip, &|_| 1)),
        ("ten-of-1-to-10", of(10, &ip, &|i| 1 + i as u32)),
        ("twenty-drained", drained(of(20, &cache, &|_| 1), 3)),
        (
            "twenty-weighted-drained",
            drained(of(20, &cache, &|i| 1 + i as u32 % 4), 4),
        ),
        ("all-drained", drained(of(4, &cache, &|_| 2), 1)),
        (
            "prefixes",
            of(
                24,
                &|i| "node".repeat(1 + i / 12) + &(i % 12).to_string(),
                &|_| 1,
            ),
        ),
        (
            "heavy",
            of(8, &cache, &|i| if i < 2 { u32::MAX } else { 1 << (4 * i) }),
        ),
        (
            "hundred-of-1-to-1000",
            of(100, &ip, &|i| 1 + (i as u32 * 7919) % 1000),
        ),
        (
            "odd-bytes",
            vec![
                (vec![0], 1, false),
                (vec![0, 0], 1, false),
                (vec![0xff, 0xfe], 2, false),
                (b"A".to_vec(), 1, false),
                (b"a".to_vec(), 1, false),
                (b"a ".to_vec(), 1, false),
                (vec![b'x'; 300], 3, false),
            ],
        ),
    ]
}

/// Each as written in the file (`hex` or `byte*count`) and as bytes.
fn keys() -> Vec<(String, Vec<u8>)> {
    let mut keys: Vec<(String, Vec<u8>)> = [0, 1, 2, 63, 64, 65, 128, 240, 241, 1024, 65_536]
        .into_iter()
        .flat_map(|n| {
            [
                (format!("61*{n}"), vec![b'a'; n]),
                (format!("ff*{n}"), vec![0xff; n]),
            ]
        })
        .collect();
    let texts = (0..24).map(|i| format!("user:{i}").into_bytes());
    let numbers = (0..12u64).map(|i| (i * i * i).to_le_bytes().to_vec());
    let nodes = ["cache-1.example.org", "10.0.0.1:6379"].map(|name| name.as_bytes().to_vec());
    keys.extend(
        texts
            .chain(numbers)
            .chain(nodes)
            .map(|key| (hex(&key), key)),
    );
    keys
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// `set`, its name, and in order of identity `identity in hex:weight`, with a `d` behind the weight
/// where drained.
fn set_lines() -> Vec<String> {
    let line = |(name, mut nodes): (&str, Vec<Node>)| {
        nodes.sort();
        let nodes: Vec<String> = nodes
            .iter()
            .map(|(id, weight, drained)| {
                format!("{}:{weight}{}", hex(id), if *drained { "d" } else { "" })
            })
            .collect();
        format!("set\t{name}\t{}", nodes.join(","))
    };
    sets().into_iter().map(line).collect()
}

fn index(set: &[Node], id: &[u8]) -> usize {
    let mut ids: Vec<&[u8]> = set.iter().map(|node| &*node.0).collect();
    ids.sort_unstable();
    ids.binary_search(&id).unwrap()
}

/// `route`, hasher, set, key, token, the first three in order of preference as indexes of the set's
/// nodes. Last `fingerprint`, hasher, set, value.
fn rendezvous_lines() -> Vec<String> {
    let (mut lines, mut fingerprints) = (set_lines(), Vec::new());
    for (hasher_name, hasher) in hashers() {
        for (name, set) in sets() {
            let mut nodes = Rendezvous::with_hasher(hasher());
            nodes
                .extend_weighted(set.iter().map(|(id, weight, _)| (id.clone(), *weight)))
                .unwrap();
            for (id, _, _) in set.iter().filter(|node| node.2) {
                nodes.drain(id).unwrap();
            }
            let fingerprint = nodes.fingerprint();
            fingerprints.push(format!(
                "fingerprint\t{hasher_name}\t{name}\t{fingerprint:016x}"
            ));
            for (written, key) in keys() {
                let token = nodes.token_of(&key).get();
                let first: Vec<String> = nodes
                    .replicas(&key, 3)
                    .into_iter()
                    .map(|id| index(&set, id).to_string())
                    .collect();
                lines.push(format!(
                    "route\t{hasher_name}\t{name}\t{written}\t{token:016x}\t{}",
                    first.join(",")
                ));
            }
        }
    }
    lines.extend(fingerprints);
    lines
}

/// `table`, hasher, set, slots, load factor × 2³² or `-`, owners: their indexes, or for more than
/// 256 slots XXH3 of the indexes as u32, little-endian. Last `fingerprint`, the same first five
/// fields, value.
fn table_lines() -> Vec<String> {
    let (mut lines, mut fingerprints) = (set_lines(), Vec::new());
    let small =
        [1, 2, 16, 256].map(|slots| (slots, &[None, Some(1.0), Some(1.02), Some(1.25)][..]));
    let large = [
        (4096, &[None, Some(1.0), Some(1.1)][..]),
        (65_536, &[None, Some(1.02)][..]),
    ];
    for (hasher_name, hasher) in hashers() {
        for (name, set) in sets() {
            for (slots, max_loads) in small.iter().chain(&large) {
                // A debug build and a script have to compute them too: the large ones for the
                // default hasher, the largest for few.
                if *slots > 256 && hasher_name != "xxh3"
                    || *slots > 4096 && !name.starts_with("ten")
                {
                    continue;
                }
                for max_load in *max_loads {
                    let table = table(hasher(), &set, *slots, *max_load);
                    let cap =
                        max_load.map_or("-".into(), |c| ((c * 4_294_967_296.0) as u64).to_string());
                    let config = format!("{hasher_name}\t{name}\t{slots}\t{cap}");
                    lines.push(format!("table\t{config}\t{}", owners(&table)));
                    if *slots == 256 {
                        fingerprints.push(format!(
                            "fingerprint\t{config}\t{:016x}",
                            table.fingerprint()
                        ));
                    }
                }
            }
        }
    }
    lines.extend(fingerprints);
    lines
}

fn table(
    hasher: Hasher,
    set: &[Node],
    slots: usize,
    max_load: Option<f64>,
) -> SlotTable<Vec<u8>, Hasher> {
    let builder = SlotTable::builder().slots(slots).hasher(hasher);
    let builder = match max_load {
        Some(c) => builder.load_factor(c),
        None => builder,
    };
    let mut table = builder.build().unwrap();
    table
        .extend_weighted(set.iter().map(|(id, weight, _)| (id.clone(), *weight)))
        .unwrap();
    for (id, _, _) in set.iter().filter(|node| node.2) {
        table.drain(id).unwrap();
    }
    table
}

fn owners(table: &SlotTable<Vec<u8>, Hasher>) -> String {
    let array = table.to_array();
    if array.len() <= 256 {
        let owners: Vec<String> = array.iter().map(u32::to_string).collect();
        return owners.join(",");
    }
    let bytes: Vec<u8> = array.iter().flat_map(|rank| rank.to_le_bytes()).collect();
    format!("{:016x}", Xxh3::new().hash_bytes(&bytes))
}

/// The lines of the file are the first of `lines`, and all of them.
fn check(file: &str, lines: &[String]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/v1")
        .join(file);
    let mut text = std::fs::read_to_string(&path).unwrap_or_default();
    let recorded = text.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for (i, (recorded, line)) in recorded.zip(lines).enumerate() {
        assert_eq!(
            recorded, line,
            "{file}, line {i} of the data: an owner has changed"
        );
        count += 1;
    }
    if std::env::var_os("CLOCKWISE_BLESS").is_some() {
        for line in &lines[count..] {
            text.push_str(line);
            text.push('\n');
        }
        std::fs::write(&path, &text).unwrap();
    }
    let recorded = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(
        recorded,
        lines.len(),
        "{file}: CLOCKWISE_BLESS=1 appends new cases"
    );
}

#[test]
fn rendezvous_owners_are_as_recorded() {
    check("rendezvous.tsv", &rendezvous_lines());
}

#[test]
fn slot_tables_are_as_recorded() {
    check("slot_table.tsv", &table_lines());
}
