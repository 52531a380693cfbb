//! Every placement has the owners that were recorded from the real program. The heads of the files in
//! `golden/compat` say which program it was and how it was configured.
#![cfg(feature = "compat")]

use clockwise::compat::{
    EnvoyMaglev, EnvoyRing, HaproxyConsistent, HaproxyHash, Jump, Ketama, KetamaHash, Nginx,
};
use clockwise::{Route, Strategy, Token};

const EQUAL: [u32; 5] = [1; 5];
const RISING: [u32; 5] = [1, 2, 3, 4, 5];

fn servers(weights: [u32; 5]) -> impl Iterator<Item = (String, u32)> {
    (9001..)
        .map(|port| format!("127.0.0.1:{port}"))
        .zip(weights)
}

fn bytes_of(hex: &str) -> Vec<u8> {
    if hex == "(empty)" {
        return Vec::new();
    }
    (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// Compares every cell of one column, but for those that say that the program cannot take the key.
fn check<S: Strategy<Node = String>>(table: &str, column: &str, cells: usize, strategy: &S) {
    let mut lines = table.lines().filter(|line| !line.starts_with('#'));
    let column = lines
        .next()
        .unwrap()
        .split('\t')
        .position(|name| name == column)
        .expect("the table has the column");
    let mut compared = 0;
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells[column].starts_with('-') {
            continue;
        }
        let key = bytes_of(cells[0]);
        let owner = strategy.route(&key).unwrap();
        assert_eq!(
            owner.rsplit(':').next(),
            Some(cells[column]),
            "key {}",
            cells[0]
        );
        let token = strategy.token_of(&key);
        assert_eq!(strategy.pick(token, &mut |_| true), Some(owner));
        compared += 1;
    }
    assert_eq!(compared, cells);
}

#[test]
fn nginx() {
    let table = include_str!("golden/compat/nginx.tsv");
    let mut nginx = Nginx::from_weighted(servers(EQUAL)).unwrap();
    check(table, "chash_eq", 1096, &nginx);
    nginx.drain("127.0.0.1:9003").unwrap();
    check(table, "chash_eq_9003down", 1096, &nginx);
    let nginx = Nginx::from_weighted(servers(RISING)).unwrap();
    check(table, "chash_w12345", 1096, &nginx);
}

/// The whole order of preference of every key.
#[test]
fn pingora() {
    let table = include_str!("golden/compat/pingora.tsv");
    let loopback = |nodes: u32| (9001..=9000 + nodes).map(|port| format!("127.0.0.1:{port}"));
    let ipv6 = (1..=5).map(|i| format!("[2001:db8::{i}]:{}", 9000 + i));
    let from = |nodes: Vec<String>| Nginx::pingora().from_nodes(nodes).unwrap();
    let rings = [
        from(loopback(5).collect()),
        Nginx::pingora().from_weighted(servers(RISING)).unwrap(),
        from(ipv6.collect()),
        from(loopback(40).collect()),
    ];
    let mut compared = [0; 4];
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    for line in lines.skip(1) {
        let mut cells = line.split('\t');
        let key = bytes_of(cells.next().unwrap());
        for (i, cell) in cells.enumerate().filter(|(_, cell)| *cell != "-") {
            let port = |node: &String| node.rsplit(':').next().unwrap().parse::<u32>().unwrap();
            let order = rings[i]
                .preference(&key)
                .map(|node| (port(node) - 9000).to_string());
            assert_eq!(order.collect::<Vec<_>>().join(","), cell, "key {key:x?}");
            assert_eq!(rings[i].route(&key), rings[i].preference(&key).next());
            compared[i] += 1;
        }
    }
    assert_eq!(compared, [1101, 1101, 1101, 201]);
}

#[test]
fn libmemcached() {
    let table = include_str!("golden/compat/libmemcached.tsv");
    let ketama = Ketama::from_weighted(servers(EQUAL)).unwrap();
    check(table, "ketama_weighted_eq", 1101, &ketama);
    let ketama = Ketama::from_weighted(servers(RISING)).unwrap();
    check(table, "ketama_weighted_w12345", 1101, &ketama);
}

#[test]
fn twemproxy() {
    let table = include_str!("golden/compat/twemproxy.tsv");
    let ketama = Ketama::twemproxy()
        .hash(KetamaHash::Md5)
        .from_weighted(servers(EQUAL))
        .unwrap();
    check(table, "ketama_md5_eq", 1101, &ketama);
    let ketama = Ketama::twemproxy().from_weighted(servers(EQUAL)).unwrap();
    check(table, "ketama_fnv1a_64_eq", 1101, &ketama);
}

#[test]
fn envoy() {
    let table = include_str!("golden/compat/envoy.tsv");
    let ring = EnvoyRing::from_weighted(servers(EQUAL)).unwrap();
    check(table, "ring_xx_eq", 1093, &ring);
    let ring = EnvoyRing::from_weighted(servers(RISING)).unwrap();
    assert_eq!(ring.point_count(), 1035);
    check(table, "ring_xx_w12345", 1093, &ring);
    let maglev = EnvoyMaglev::from_weighted(servers(EQUAL)).unwrap();
    check(table, "maglev_eq", 1093, &maglev);
    let maglev = EnvoyMaglev::from_weighted(servers(RISING)).unwrap();
    check(table, "maglev_w12345", 1093, &maglev);
}

#[test]
fn grpc() {
    let table = include_str!("golden/compat/grpc.tsv");
    let ring = EnvoyRing::builder()
        .max_ring_size(4096)
        .from_weighted(servers(EQUAL))
        .unwrap();
    check(table, "ring_default_eq", 1053, &ring);
}

#[test]
fn haproxy() {
    let table = include_str!("golden/compat/haproxy.tsv");
    let haproxy = HaproxyConsistent::from_weighted(servers(EQUAL)).unwrap();
    check(table, "sdbm_aval_eq1", 1101, &haproxy);
    let haproxy = HaproxyConsistent::from_weighted(servers(RISING)).unwrap();
    check(table, "sdbm_aval_w12345", 1101, &haproxy);
    let haproxy = HaproxyConsistent::builder()
        .hash(HaproxyHash::Crc32)
        .avalanche(true)
        .from_weighted(servers([100; 5]))
        .unwrap();
    check(table, "crc32_aval_eq100", 1101, &haproxy);
}

#[test]
fn jump() {
    let table = include_str!("golden/compat/jump.tsv");
    let mut lines = table.lines().filter(|line| !line.starts_with('#'));
    let shards: Vec<u64> = lines
        .next()
        .unwrap()
        .split('\t')
        .skip(1)
        .map(|count| count.parse().unwrap())
        .collect();
    let jumps: Vec<Jump<u64>> = shards
        .iter()
        .map(|&count| Jump::from_weighted((0..count).map(|number| (number, 1))).unwrap())
        .collect();
    let mut compared = 0;
    for line in lines {
        let mut cells = line.split('\t');
        let key: u64 = cells.next().unwrap().parse().unwrap();
        for (jump, cell) in jumps.iter().zip(cells) {
            let shard = *jump.route(&key).unwrap();
            assert_eq!(jump.route_token(Token::new(key)), Some(&shard));
            assert_eq!(format!("{shard}|{shard}"), cell, "key {key}");
            compared += 1;
        }
    }
    assert!(compared >= 6000, "only {compared} cells compared");
}
