//! Every placement has the owners that were recorded from the real program. The heads of the files
//! in `golden/compat` say which program it was and how it was configured.
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

/// Compares the cells of one column, except those that say that the program cannot take the key.
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

/// Compares a table whose cells are positions in `servers`, from 1.
fn check_positions<S: Strategy<Node = String>>(
    table: &str,
    column: &str,
    servers: &[String],
    strategy: &S,
) {
    let mut lines = table.lines().filter(|line| !line.starts_with('#'));
    let names = lines.next().unwrap().split('\t');
    let (column, _) = names.enumerate().find(|(_, name)| *name == column).unwrap();
    let mut compared = 0;
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let position: usize = cells[column].parse().unwrap();
        let owner = strategy.route(&bytes_of(cells[0]));
        assert_eq!(owner, Some(&servers[position - 1]), "key {}", cells[0]);
        compared += 1;
    }
    assert!(compared > 1000, "only {compared} keys compared");
}

#[test]
fn nginx() {
    let table = include_str!("../../golden/compat/nginx.tsv");
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
    let table = include_str!("../../golden/compat/pingora.tsv");
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
    let table = include_str!("../../golden/compat/libmemcached.tsv");
    let ketama = Ketama::from_weighted(servers(EQUAL)).unwrap();
    check(table, "ketama_weighted_eq", 1101, &ketama);
    let ketama = Ketama::from_weighted(servers(RISING)).unwrap();
    check(table, "ketama_weighted_w12345", 1101, &ketama);
}

#[test]
fn twemproxy() {
    let table = include_str!("../../golden/compat/twemproxy.tsv");
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
    let table = include_str!("../../golden/compat/envoy.tsv");
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
    let table = include_str!("../../golden/compat/grpc.tsv");
    let ring = EnvoyRing::grpc().from_weighted(servers(EQUAL)).unwrap();
    check(table, "ring_default_eq", 1053, &ring);
}

#[test]
fn haproxy() {
    let table = include_str!("../../golden/compat/haproxy.tsv");
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
fn haproxy_ids_and_hashes() {
    let table = include_str!("../../golden/compat/haproxy_ids.tsv");
    let names: Vec<String> = (0..5).map(|i| format!("s{i}")).collect();
    for (column, ids) in [
        ("id7_none", vec![Some(7), None, None]),
        ("none_id1_none", vec![None, Some(1), None]),
        ("id2_none_id3_none", vec![Some(2), None, Some(3), None]),
        ("added_id9", vec![None, None, Some(9)]),
        // HAProxy places it as id 0. In 32 bits this id has the same points.
        ("added_none", vec![None, None, Some(1 << 20)]),
    ] {
        let servers = names[..ids.len()].to_vec();
        let haproxy = HaproxyConsistent::builder().ids(ids).from_nodes(servers);
        check_positions(table, column, &names, &haproxy.unwrap());
    }
    // A backup server counts for the ids of those behind it, and serves no key.
    let mut haproxy = HaproxyConsistent::from_nodes(names[..4].to_vec()).unwrap();
    haproxy.drain("s1").unwrap();
    check_positions(table, "backup_second", &names, &haproxy);

    for (column, hash, avalanche) in [
        ("djb2", HaproxyHash::Djb2, false),
        ("djb2_aval", HaproxyHash::Djb2, true),
        ("wt6", HaproxyHash::Wt6, false),
        ("wt6_aval", HaproxyHash::Wt6, true),
    ] {
        let haproxy = HaproxyConsistent::builder().hash(hash).avalanche(avalanche);
        let haproxy = haproxy.from_nodes(names.clone()).unwrap();
        check_positions(table, column, &names, &haproxy);
    }
}

#[test]
fn twemproxy_texts() {
    let table = include_str!("../../golden/compat/twemproxy_texts.tsv");
    let pool = || Ketama::twemproxy().hash(KetamaHash::Md5);
    let sockets = ["a", "b", "cc", "d"].map(|name| format!("/tmp/clockwise-{name}.sock:"));
    let ketama = pool().from_nodes(sockets.clone()).unwrap();
    check_positions(table, "sockets", &sockets, &ketama);
    let servers = [2, 3, 4, 5, 6].map(|i| format!("127.0.0.{i}:11211"));
    let ketama = pool().from_nodes(servers.clone()).unwrap();
    check_positions(table, "port_11211", &servers, &ketama);
    let ketama = pool().named(true).from_nodes(servers.clone()).unwrap();
    check_positions(table, "named_11211", &servers, &ketama);
}

#[test]
fn envoy_sizes() {
    let table = include_str!("../../golden/compat/envoy_sizes.tsv");
    let names: Vec<String> = servers(EQUAL).map(|(name, _)| name).collect();
    let maglev = EnvoyMaglev::builder().table_size(1009);
    let maglev = maglev.from_weighted(names.iter().cloned().zip([1, 1, 1, 10]));
    check_positions(table, "maglev_1009", &names, &maglev.unwrap());
    let ring = EnvoyRing::builder().min_ring_size(500).max_ring_size(500);
    let ring = ring.from_weighted(servers(RISING)).unwrap();
    assert_eq!(ring.point_count(), 500);
    check_positions(table, "ring_500_500", &names, &ring);
}

#[test]
fn grpc_cuts_both_sizes() {
    let table = include_str!("../../golden/compat/grpc_cap.tsv");
    let names: Vec<String> = (9101..=9105)
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    let ring = || {
        EnvoyRing::grpc()
            .min_ring_size(10_000)
            .max_ring_size(20_000)
    };
    let cut = ring().from_nodes(names.clone()).unwrap();
    assert_eq!(cut.point_count(), 4096);
    check_positions(table, "min_10000", &names, &cut);
    let raised = ring().ring_size_cap(8_388_608).from_nodes(names.clone());
    let raised = raised.unwrap();
    assert_eq!(raised.point_count(), 10_000);
    check_positions(table, "min_10000_cap_raised", &names, &raised);
}

#[test]
fn jump() {
    let table = include_str!("../../golden/compat/jump.tsv");
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
