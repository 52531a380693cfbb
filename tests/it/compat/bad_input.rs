//! No input makes a placement panic: it answers as the program does, or returns a typed error that
//! names the offender and changes nothing.
#![cfg(feature = "compat")]

use crate::common::is_long;
use clockwise::compat::{EnvoyMaglev, EnvoyRing, HaproxyConsistent, Jump, Ketama, Nginx};
use clockwise::{ConfigError, NodeError, Strategy, Token};

const MANY: u32 = 70_000;

/// Runs the block with each placement in place of `$Placement`.
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
fn without_nodes_a_key_has_no_owner() {
    for_each_placement!(P => {
        let mut none = P::<String>::from_nodes([]).unwrap();
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
        let mut one = P::from_nodes(["10.0.0.1:80"]).unwrap();
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
        let twice = P::from_nodes(["a", "b", "a"]);
        assert!(matches!(twice, Err(NodeError::Duplicate { node, .. }) if node == "a"));
        let zero = P::from_weighted([("a", 1), ("b", 0)]);
        assert!(matches!(zero, Err(NodeError::ZeroWeight { node, .. }) if node == "b"));
        let empty = P::from_nodes(["a", ""]);
        assert!(matches!(empty, Err(NodeError::EmptyIdentity)));

        let mut placement = P::from_nodes(["a", "b", "c"]).unwrap();
        let orders = |placement: &P<&'static str>| -> Vec<Vec<&'static str>> {
            let order = |key: u64| placement.preference(&key).copied().collect();
            (0..50).map(order).collect()
        };
        let before = orders(&placement);
        assert!(placement.extend_weighted([("d", 1), ("a", 1)]).is_err());
        assert!(placement.insert_weighted("d", 0).is_err());
        assert!(placement.insert("").is_err());
        assert!(placement.set_nodes([("x", 1), ("x", 1)]).is_err());
        assert!(placement.set_weight("a", 0).is_err());
        assert!(placement.set_weight("unknown", 1).is_err());
        assert!(placement.drain("unknown").is_err());
        assert!(placement.replace("unknown").is_err());
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
        let placement = P::from_nodes(texts.iter().cloned()).unwrap();
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
        Nginx::from_weighted(heavy()),
        Err(NodeError::TooManyPoints { node, points: 4_800_000_160, .. }) if node == "b"
    ));
    // Old libketama clients weigh servers by their memory, so such weights occur. `a` has no point.
    let ketama = Ketama::from_weighted(heavy()).unwrap();
    assert!((0..1000u64).all(|key| ketama.route(&key) == Some(&"b")));
    assert_eq!(ketama.route_where("k", |node| *node == "a"), Some(&"a"));
    assert!(Ketama::twemproxy().from_weighted(heavy()).is_ok());
    // gRPC cuts the ring to 4096 points. Envoy itself builds 8,388,608.
    let ring = EnvoyRing::grpc().from_weighted(heavy()).unwrap();
    assert_eq!(ring.point_count(), 4096);
    let maglev = EnvoyMaglev::from_weighted(heavy()).unwrap();
    let light = (0..10_000u64).filter(|key| maglev.route(key) == Some(&"a"));
    assert!(light.count() <= 3);
}

/// Checks that a limit that only this placement has names the node, the limit and the value.
fn over<T>(result: Result<T, NodeError>, node: &str, limit: &str, value: u64, max: u64) {
    let Err(error) = result else {
        panic!("{limit} {value} is not refused")
    };
    let text = format!(
        "node `{node}` is refused because the {limit} would be {value} (the limit is {max})"
    );
    assert_eq!(error.to_string(), text);
    assert!(matches!(error, NodeError::OverLimit { .. }));
}

/// The limits that the docs of the types name, and no others.
#[test]
fn limits_of_the_programs_are_over_limit_errors() {
    let weight = HaproxyConsistent::from_weighted([("a", 256), ("b", 257)]);
    over(weight, "b", "weight", 257, 256);
    let weight = Jump::from_weighted([("a", 1), ("b", 2)]);
    over(weight, "b", "weight", 2, 1);
    let mut pool = Ketama::twemproxy().build().unwrap();
    let weight = pool.insert_weighted("a", 1 << 31);
    over(weight, "a", "weight", 1 << 31, (1 << 31) - 1);
    pool.extend_weighted([("a", u32::MAX >> 1), ("b", u32::MAX >> 1)])
        .unwrap();
    let sum = 2 * u64::from(u32::MAX >> 1) + 2;
    over(
        pool.insert_weighted("c", 2),
        "c",
        "total weight",
        sum,
        u64::from(u32::MAX),
    );
    assert!(Ketama::from_weighted([("a", u32::MAX), ("b", u32::MAX)]).is_ok());

    let greatest = || [("a", u32::MAX), ("b", 1)];
    let (sum, max) = (1 << 32, u64::from(u32::MAX));
    over(
        EnvoyRing::from_weighted(greatest()),
        "b",
        "total weight",
        sum,
        max,
    );
    over(
        EnvoyMaglev::from_weighted(greatest()),
        "b",
        "total weight",
        sum,
        max,
    );
    // Weights that change count too.
    let mut ring = EnvoyRing::grpc().from_nodes(["a", "b"]).unwrap();
    over(
        ring.set_weight("a", u32::MAX),
        "a",
        "total weight",
        sum,
        max,
    );
    assert_eq!(ring.weight("a"), Some(1));
    assert!(ring.set_weight("a", u32::MAX - 1).is_ok());

    let number = |n: u32| n.to_string();
    let nodes = Ketama::from_nodes((0..104_858).map(number));
    over(nodes, "104857", "number of nodes", 104_858, 104_857);
    let mut pingora = Nginx::pingora().build().unwrap();
    let nodes = pingora.extend_weighted((0..).map(|n| (number(n), 1)));
    over(nodes, "65536", "number of nodes", 65_537, 65_536);
    assert!(pingora.is_empty());
}

/// Budgets of points are `TooManyPoints`, as on a `HashRing`, and an endless list ends at them.
#[test]
fn endless_lists_are_refused_at_the_first_node_that_does_not_fit() {
    let endless = || (0..u64::MAX).map(|n| (n, 50));
    for (refused, points) in [
        (Nginx::from_weighted(endless()).err(), 16_784_000),
        (
            HaproxyConsistent::from_weighted(endless()).err(),
            16_777_600,
        ),
    ] {
        let Some(NodeError::TooManyPoints { points: found, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(found, points);
    }
    // With ids, one more node than ids is read.
    let mut read = 0;
    let nodes = (0..u64::MAX).inspect(|_| read += 1);
    let refused = HaproxyConsistent::builder().ids([3, 4]).from_nodes(nodes);
    assert_eq!(setting(refused).1, "2 for 3 or more nodes");
    assert_eq!(read, 3);
    // Endless ids are more than nodes can be.
    let refused = HaproxyConsistent::builder().ids(1u32..).from_nodes(["a"]);
    assert_eq!(setting(refused).0, "number of ids");
}

/// Returns the setting that is refused and its value.
fn setting<T>(built: Result<T, ConfigError>) -> (&'static str, String) {
    match built {
        Err(ConfigError::OutOfRange { setting, value, .. }) => (setting, value),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("not refused"),
    }
}

#[test]
fn options_that_cannot_work_are_refused() {
    let most = 8_388_608;
    for (min, max, cap, refused) in [
        (0, 1024, most, "minimum ring size"),
        (0, 0, most, "minimum ring size"),
        (1, 0, most, "maximum ring size"),
        (2, 1, most, "minimum ring size"),
        (1, most + 1, most, "maximum ring size"),
        (u64::MAX, u64::MAX, most, "minimum ring size"),
        (1, 1, 0, "ring size cap"),
        (1, 1, most + 1, "ring size cap"),
    ] {
        let sizes = || {
            EnvoyRing::<&str>::builder()
                .min_ring_size(min)
                .max_ring_size(max)
        };
        assert_eq!(
            setting(sizes().ring_size_cap(cap).build()).0,
            refused,
            "{min} {max} {cap}"
        );
    }
    let error = EnvoyRing::<&str>::builder().max_ring_size(7).build();
    assert_eq!(
        error.unwrap_err().to_string(),
        "minimum ring size is 1024, but must be at most the maximum ring size"
    );

    for size in [0, 1, 4, 65_536, 65_535, 5_000_000, 5_000_077, u64::MAX] {
        let maglev = EnvoyMaglev::<&str>::builder().table_size(size);
        assert_eq!(setting(maglev.build()), ("table size", size.to_string()));
    }
    for size in [2, 3, 65_537] {
        let maglev = EnvoyMaglev::builder().table_size(size);
        let maglev = maglev.from_nodes(["a", "b"]).unwrap();
        assert_eq!(maglev.table_size(), size);
        assert!(maglev.route("k").is_some());
    }

    for tag in ["", "{", "{}}", "ä", "äö"] {
        let pool = Ketama::<&str>::twemproxy().hash_tag(tag).build();
        assert_eq!(setting(pool), ("hash tag", format!("`{tag}`")));
    }

    let ids = |ids: &[u32]| HaproxyConsistent::<&str>::builder().ids(ids.to_vec());
    assert_eq!(setting(ids(&[0, 1]).build()), ("id", "0".into()));
    assert_eq!(setting(ids(&[7, 3, 7]).build()), ("id", "7".into()));
    assert_eq!(
        setting(ids(&[1]).from_nodes(["a", "b"])).1,
        "1 for 2 or more nodes"
    );
    assert_eq!(
        setting(ids(&[1, 2, 3]).from_nodes(["a", "b"])).1,
        "3 for 2 nodes"
    );
    assert_eq!(
        setting(ids(&[]).from_nodes(["a"])).1,
        "0 for 1 or more nodes"
    );
    assert!(ids(&[u32::MAX, 1 << 20]).from_nodes(["a", "b"]).is_ok());
    // A node that is refused is named, whether or not the numbers agree.
    let refused = ids(&[1, 2, 3]).from_nodes(["a", "a"]);
    assert!(matches!(
        refused,
        Err(ConfigError::Node(NodeError::Duplicate { .. }))
    ));
}

/// The name that constructors had before 0.1.
#[test]
fn the_old_name_of_the_constructors_still_works() {
    for_each_placement!(P => {
        let old: Result<P<&str>, ConfigError> = P::try_from_nodes([("a", 1), ("b", 1)]);
        assert_eq!(old.unwrap().route("k"), P::from_nodes(["a", "b"]).unwrap().route("k"));
        let refused: Result<P<&str>, ConfigError> = P::try_from_nodes([("a", 0)]);
        assert!(matches!(refused, Err(ConfigError::Node(NodeError::ZeroWeight { .. }))));
    });
    let nodes = || [("a", 1), ("b", 1)];
    assert_eq!(Nginx::pingora().try_from_nodes(nodes()).unwrap().len(), 2);
    assert_eq!(
        Ketama::twemproxy().try_from_nodes(nodes()).unwrap().len(),
        2
    );
    assert_eq!(EnvoyRing::grpc().try_from_nodes(nodes()).unwrap().len(), 2);
    assert_eq!(
        EnvoyMaglev::builder()
            .try_from_nodes(nodes())
            .unwrap()
            .len(),
        2
    );
    let haproxy = HaproxyConsistent::builder().ids(vec![7, 3]);
    assert_eq!(haproxy.try_from_nodes(nodes()).unwrap().id("b"), Some(3));
}

fn reached<S: Strategy<Node = [u8; 4]>>(strategy: &S, tokens: impl Iterator<Item = u64>) -> usize {
    let mut reached = vec![false; MANY as usize];
    for token in tokens {
        let node = strategy.route_token(Token::new(token)).unwrap();
        reached[u32::from_le_bytes(*node) as usize] = true;
    }
    reached.iter().filter(|reached| **reached).count()
}

/// Numbers of 16 bits would not do: nodes from the 65,537th on would never be chosen.
#[test]
fn seventy_thousand_nodes_are_all_reachable() {
    let nodes = || (0..MANY).map(|i| (i.to_le_bytes(), 1));
    let spread = || (0..1_300_000u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15));

    let jump = Jump::from_weighted(nodes()).unwrap();
    assert!(reached(&jump, spread()) == MANY as usize);
    // There are as many points as nodes.
    let ring = EnvoyRing::from_weighted(nodes()).unwrap();
    assert_eq!(ring.point_count(), MANY as usize);
    assert!(reached(&ring, spread()) > 65_536);
    // There are 65,537 slots, each of another node.
    let maglev = EnvoyMaglev::from_weighted(nodes()).unwrap();
    assert_eq!(reached(&maglev, 0..65_537), 65_537);
    if is_long() {
        // 11 million points each.
        let nginx = Nginx::from_weighted(nodes()).unwrap();
        assert_eq!(reached(&nginx, spread()), MANY as usize);
        let ketama = Ketama::from_weighted(nodes()).unwrap();
        assert_eq!(reached(&ketama, spread()), MANY as usize);
        let haproxy = HaproxyConsistent::from_weighted(nodes()).unwrap();
        assert!(reached(&haproxy, spread()) > 69_000);
    }
}

/// The table skips hosts that are not due in a round. Otherwise this would take hours.
#[test]
fn one_heavy_host_beside_many_is_built_in_time() {
    let hosts = (0..5_000u32).map(|i| (i, if i == 7 { 1_000_000 } else { 1 }));
    let maglev = EnvoyMaglev::from_weighted(hosts).unwrap();
    let heavy = (0..65_537).filter(|&token| maglev.route_token(Token::new(token)) == Some(&7));
    assert_eq!(heavy.count(), 65_537 - 4_999);
}
