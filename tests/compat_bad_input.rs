//! Nothing that is handed in makes a placement panic: there is the program's answer, or a typed error, and nothing has changed.
#![cfg(feature = "compat")]

use clockwise::compat::{
    CompatError, EnvoyMaglev, EnvoyRing, HaproxyConsistent, Jump, Ketama, Nginx,
};
use clockwise::{NodeError, Strategy, Token};

const MANY: u32 = 70_000;

/// Runs the block with `$Placement` standing for each placement.
macro_rules! for_each_placement {
    ($Placement:ident => $block:block) => {{
        {
            use Nginx as $Placement;
            $block
        }
        {
            use Ketama as $Placement;
            $block
        }
        {
            use EnvoyRing as $Placement;
            $block
        }
        {
            use EnvoyMaglev as $Placement;
            $block
        }
        {
            use HaproxyConsistent as $Placement;
            $block
        }
        {
            use Jump as $Placement;
            $block
        }
    }};
}

#[test]
fn without_nodes_nobody_owns() {
    for_each_placement!(P => {
        let mut none = P::<String>::try_from_nodes([]).unwrap();
        assert_eq!((none.len(), none.route("k"), none.route("")), (0, None, None));
        assert_eq!(none.route_token(Token::new(u64::MAX)), None);
        assert!(none.replicas("k", usize::MAX).is_empty());
        assert_eq!(none.remove("a"), None);
        none.clear();
    });
}

#[test]
fn one_node_owns_everything_unless_it_is_down() {
    for_each_placement!(P => {
        let mut one = P::try_from_nodes([("10.0.0.1:80", 1)]).unwrap();
        for token in [0, 1, u64::MAX >> 1, 1 << 32, u64::MAX - 1, u64::MAX] {
            assert_eq!(one.route_token(Token::new(token)), Some(&"10.0.0.1:80"));
        }
        assert_eq!(one.route(""), Some(&"10.0.0.1:80"));
        assert_eq!(one.route_where("k", |_| false), None);
        one.drain("10.0.0.1:80").unwrap();
        assert_eq!((one.route("k"), one.route("")), (None, None));
        one.undrain("10.0.0.1:80").unwrap();
        assert_eq!(one.route("k"), Some(&"10.0.0.1:80"));
    });
}

#[test]
fn bad_nodes_are_named_and_change_nothing() {
    for_each_placement!(P => {
        let twice = P::try_from_nodes([("a", 1), ("b", 1), ("a", 1)]);
        assert!(matches!(twice, Err(CompatError::Node(NodeError::Duplicate { node, .. })) if node == "a"));
        let zero = P::try_from_nodes([("a", 1), ("b", 0)]);
        assert!(matches!(zero, Err(CompatError::Node(NodeError::ZeroWeight { node, .. })) if node == "b"));
        let empty = P::try_from_nodes([("a", 1), ("", 1)]);
        assert!(matches!(empty, Err(CompatError::Node(NodeError::EmptyIdentity))));

        let mut placement = P::try_from_nodes([("a", 1), ("b", 1), ("c", 1)]).unwrap();
        let orders = |placement: &P<&'static str>| -> Vec<Vec<String>> {
            let order = |key: u64| placement.replicas(&key, 9).iter().map(ToString::to_string).collect();
            (0..50).map(order).collect()
        };
        let before = orders(&placement);
        assert!(placement.extend_weighted([("d", 1), ("a", 1)]).is_err());
        assert!(placement.insert_weighted("d", 0).is_err());
        assert!(placement.insert("").is_err());
        assert!(placement.set_nodes([("x", 1), ("x", 1)]).is_err());
        assert!(placement.set_weight("a", 0).is_err());
        assert!(placement.set_weight("nobody", 1).is_err());
        assert!(placement.drain("nobody").is_err());
        assert!(placement.replace("nobody").is_err());
        assert_eq!(placement.len(), 3);
        assert_eq!(orders(&placement), before);
    });
}

#[test]
fn keys_and_texts_may_be_any_bytes() {
    let texts: Vec<Vec<u8>> = vec![
        b"cache".into(),
        b"cache:".into(),
        b":80".into(),
        b"cache:http".into(),
        b"[::1]:80".into(),
        b"::1".into(),
        b"unix:".into(),
        b"unix:/run/a:80".into(),
        b"a b\tc".into(),
        b"\0".into(),
        b"\xff\xfe:80".into(),
        vec![b'x'; 5_000],
        b":11211".into(),
    ];
    let keys: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\0".into(),
        b"\0\0".into(),
        (0..=255).collect(),
        vec![0xff; 100_000],
    ];
    for_each_placement!(P => {
        let placement = P::try_from_nodes(texts.iter().map(|text| (text.clone(), 1))).unwrap();
        for key in &keys {
            let order = placement.replicas(key, usize::MAX);
            assert_eq!(order.first().copied(), placement.route(key));
            let mut each: Vec<_> = order.into_iter().cloned().collect();
            each.sort();
            let mut all = texts.clone();
            all.sort();
            assert_eq!(each, all, "each once");
        }
    });
}

#[test]
fn great_weights_are_the_programs_answer_or_refused() {
    let heavy = || [("a", 1), ("b", 30_000_000)];
    // Nginx would need 77 GB for the points.
    assert!(matches!(
        Nginx::try_from_nodes(heavy()),
        Err(CompatError::Node(NodeError::TooManyPoints { node, points: 4_800_000_160, .. })) if node == "b"
    ));
    // Weighted by memory in the old libketama, so such weights are common: `a` has no point.
    let ketama = Ketama::try_from_nodes(heavy()).unwrap();
    assert!((0..1000u64).all(|key| ketama.route(&key) == Some(&"b")));
    assert_eq!(ketama.route_where("k", |node| *node == "a"), Some(&"a"));
    assert!(Ketama::twemproxy().try_from_nodes(heavy()).is_ok());
    // Cut to 4096 points, as gRPC does; Envoy itself builds 8,388,608.
    let ring = EnvoyRing::builder()
        .max_ring_size(4096)
        .try_from_nodes(heavy())
        .unwrap();
    assert_eq!(ring.point_count(), 4096);
    let maglev = EnvoyMaglev::try_from_nodes(heavy()).unwrap();
    assert!(
        (0..10_000u64)
            .filter(|key| maglev.route(key) == Some(&"a"))
            .count()
            <= 3
    );
    assert!(matches!(
        HaproxyConsistent::try_from_nodes([("a", 256), ("b", 257)]),
        Err(CompatError::Node(NodeError::OverLimit { node, limit: "weight", value: 257, max: 256, .. })) if node == "b"
    ));
    assert!(matches!(
        Jump::try_from_nodes([("a", 1), ("b", 2)]),
        Err(CompatError::Node(NodeError::OverLimit { max: 1, .. }))
    ));
}

#[test]
fn sums_of_weights_that_overflow_are_refused() {
    let greatest = || [("a", u32::MAX), ("b", 1)];
    for refused in [
        EnvoyRing::try_from_nodes(greatest()).err(),
        EnvoyMaglev::try_from_nodes(greatest()).err(),
    ] {
        assert!(matches!(
            refused,
            Some(CompatError::Node(NodeError::OverLimit { node, limit: "total weight", value: 0x1_0000_0000, .. })) if node == "b"
        ));
    }
    let sum = [("a", u32::MAX >> 1), ("b", u32::MAX >> 1), ("c", 2)];
    assert!(Ketama::twemproxy().try_from_nodes(sum).is_err());
    assert!(
        Ketama::twemproxy()
            .try_from_nodes([("a", 1 << 31)])
            .is_err()
    );
    assert!(Ketama::try_from_nodes([("a", u32::MAX), ("b", u32::MAX)]).is_ok());
    // Weights that change count too.
    let ring = EnvoyRing::builder().max_ring_size(4096);
    let mut ring = ring.try_from_nodes([("a", 1), ("b", 1)]).unwrap();
    assert!(ring.set_weight("a", u32::MAX).is_err());
    assert_eq!(ring.weight("a"), Some(1));
    assert!(ring.set_weight("a", u32::MAX - 1).is_ok());
}

#[test]
fn options_that_cannot_work_are_refused() {
    let nodes = || [("a", 1), ("b", 1)];
    for (min, max) in [
        (0, 1024),
        (0, 0),
        (2, 1),
        (1, 8_388_609),
        (u64::MAX, u64::MAX),
    ] {
        let ring = EnvoyRing::builder()
            .min_ring_size(min)
            .max_ring_size(max)
            .try_from_nodes(nodes());
        assert!(
            matches!(ring, Err(CompatError::RingSize { .. })),
            "{min} {max}"
        );
    }
    for size in [0, 1, 4, 65_536, 65_535, 5_000_000, 5_000_077, u64::MAX] {
        let maglev = EnvoyMaglev::builder()
            .table_size(size)
            .try_from_nodes(nodes());
        assert!(
            matches!(maglev, Err(CompatError::TableSize { table_size, .. }) if table_size == size)
        );
    }
    for size in [2, 3, 65_537] {
        let maglev = EnvoyMaglev::builder()
            .table_size(size)
            .try_from_nodes(nodes())
            .unwrap();
        assert_eq!(maglev.table_size(), size);
        assert!(maglev.route("k").is_some());
    }
    for tag in ["", "{", "{}}", "ä", "äö"] {
        let pool = Ketama::twemproxy().hash_tag(tag).try_from_nodes(nodes());
        assert!(matches!(pool, Err(CompatError::HashTag { tag: shown, .. }) if shown == tag));
    }
    let ids = |ids: Vec<u32>| {
        HaproxyConsistent::builder()
            .ids(ids)
            .try_from_nodes(nodes())
    };
    assert!(matches!(
        ids(vec![1]),
        Err(CompatError::IdCount {
            ids: 1,
            nodes: 2,
            ..
        })
    ));
    assert!(matches!(
        ids(vec![1, 2, 3]),
        Err(CompatError::IdCount { .. })
    ));
    assert!(matches!(ids(vec![0, 1]), Err(CompatError::ZeroId)));
    assert!(matches!(
        ids(vec![7, 7]),
        Err(CompatError::DuplicateId { id: 7, .. })
    ));
    assert!(ids(vec![u32::MAX, 1 << 20]).is_ok());
}

fn reached<S: Strategy<Node = [u8; 4]>>(strategy: &S, tokens: impl Iterator<Item = u64>) -> usize {
    let mut reached = vec![false; MANY as usize];
    for token in tokens {
        let node = strategy.route_token(Token::new(token)).unwrap();
        reached[u32::from_le_bytes(*node) as usize] = true;
    }
    reached.iter().filter(|reached| **reached).count()
}

/// 16 bits are not enough to number nodes: those beyond would never be chosen.
#[test]
fn seventy_thousand_nodes_are_all_reachable() {
    let nodes = || (0..MANY).map(|i| (i.to_le_bytes(), 1));
    let spread = || (0..1_300_000u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15));

    let jump = Jump::try_from_nodes(nodes()).unwrap();
    assert!(reached(&jump, spread()) == MANY as usize);
    // As many points as nodes: the ring owns what its points own.
    let ring = EnvoyRing::try_from_nodes(nodes()).unwrap();
    assert_eq!(ring.point_count(), MANY as usize);
    assert!(reached(&ring, spread()) > 65_536);
    // A slot each, for as many as there are.
    let maglev = EnvoyMaglev::try_from_nodes(nodes()).unwrap();
    assert_eq!(reached(&maglev, 0..65_537), 65_537);
    if std::env::var_os("CLOCKWISE_LONG").is_some() {
        // 11 million points each.
        assert_eq!(
            reached(&Nginx::try_from_nodes(nodes()).unwrap(), spread()),
            MANY as usize
        );
        assert_eq!(
            reached(&Ketama::try_from_nodes(nodes()).unwrap(), spread()),
            MANY as usize
        );
        let haproxy = HaproxyConsistent::try_from_nodes(nodes()).unwrap();
        assert!(reached(&haproxy, spread()) > 69_000);
        assert!(matches!(
            Ketama::try_from_nodes((0..104_858u32).map(|i| (i, 1))),
            Err(CompatError::Node(NodeError::OverLimit {
                limit: "number of nodes",
                max: 104_857,
                ..
            }))
        ));
    }
}

/// Rounds in which few of many hosts are due are passed over, so this does not take hours.
#[test]
fn one_heavy_host_beside_many_is_built_in_time() {
    let hosts = (0..5_000u32).map(|i| (i, if i == 7 { 1_000_000 } else { 1 }));
    let maglev = EnvoyMaglev::try_from_nodes(hosts).unwrap();
    let heavy = (0..65_537).filter(|&token| maglev.route_token(Token::new(token)) == Some(&7));
    assert_eq!(heavy.count(), 65_537 - 4_999);
}
