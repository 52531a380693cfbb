//! A changed placement answers as a fresh one of the same list.
#![cfg(feature = "compat")]

use crate::common::is_long;
use clockwise::compat::{EnvoyMaglev, EnvoyRing, HaproxyConsistent, Jump, Ketama, Nginx};
use clockwise::{Edit, Manage, Membership, Named, NodeError, Route};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

#[derive(Debug, Clone)]
enum Change {
    Insert(u8, u32),
    Remove(u8),
    Weigh(u8, u32),
    Drain(u8),
    Undrain(u8),
    Replace(u8),
    Set(Vec<(u8, u32)>),
    Clear,
}

/// A line of the configuration of the other program.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    name: String,
    weight: u32,
    down: bool,
    id: u32,
}

fn name(n: u8) -> String {
    format!("10.0.0.{n}:80")
}

fn changes(greatest: u32) -> impl Strategy<Value = Vec<Change>> {
    let node = 0..10u8;
    let weight = 1..=greatest;
    let one = prop_oneof![
        4 => (node.clone(), weight.clone()).prop_map(|(n, w)| Change::Insert(n, w)),
        2 => node.clone().prop_map(Change::Remove),
        2 => (node.clone(), weight.clone()).prop_map(|(n, w)| Change::Weigh(n, w)),
        2 => node.clone().prop_map(Change::Drain),
        1 => node.clone().prop_map(Change::Undrain),
        1 => node.clone().prop_map(Change::Replace),
        2 => prop::collection::vec((node, weight), 0..8).prop_map(Change::Set),
        1 => Just(Change::Clear),
    ];
    prop::collection::vec(one, 1..20)
}

fn free_id(lines: &[Line]) -> u32 {
    (1..=u32::MAX)
        .find(|id| lines.iter().all(|line| line.id != *id))
        .unwrap()
}

/// Carries out a change on the list. Returns whether it is allowed.
fn change_list(lines: &mut Vec<Line>, change: &Change) -> bool {
    let place = |n: u8| lines.iter().position(|line| line.name == name(n));
    match change {
        Change::Insert(n, weight) => {
            if place(*n).is_some() {
                return false;
            }
            let id = free_id(lines);
            lines.push(Line {
                name: name(*n),
                weight: *weight,
                down: false,
                id,
            });
        }
        Change::Remove(n) => {
            let Some(at) = place(*n) else { return false };
            lines.remove(at);
        }
        Change::Weigh(n, weight) => {
            let Some(at) = place(*n) else { return false };
            lines[at].weight = *weight;
        }
        Change::Drain(n) | Change::Undrain(n) => {
            let Some(at) = place(*n) else { return false };
            lines[at].down = matches!(change, Change::Drain(_));
        }
        Change::Replace(n) => return place(*n).is_some(),
        Change::Set(list) => {
            let mut names: Vec<u8> = list.iter().map(|(n, _)| *n).collect();
            names.sort_unstable();
            if names.windows(2).any(|pair| pair[0] == pair[1]) {
                return false;
            }
            // Those that stay keep their ids first.
            let before = lines.clone();
            let stays = |n: u8| before.iter().find(|line| line.name == name(n)).cloned();
            *lines = list
                .iter()
                .map(|&(n, weight)| match stays(n) {
                    Some(line) => Line { weight, ..line },
                    None => Line {
                        name: name(n),
                        weight,
                        down: false,
                        id: 0,
                    },
                })
                .collect();
            for at in 0..lines.len() {
                if lines[at].id == 0 {
                    lines[at].id = free_id(lines);
                }
            }
        }
        Change::Clear => lines.clear(),
    }
    true
}

macro_rules! laws {
    ($($law:ident: $Placement:ident, $greatest:literal, $new:expr, $fresh:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig {
                cases: if is_long() { 1000 } else { 16 },
                rng_seed: RngSeed::Fixed(6),
                failure_persistence: None,
                ..ProptestConfig::default()
            })]
            $(#[test]
            fn $law(changes in changes($greatest)) {
                let mut placement: $Placement<String> = $new;
                let mut lines = Vec::new();
                for change in &changes {
                    let allowed = change_list(&mut lines, change);
                    let done = match change {
                        Change::Insert(n, weight) => placement.insert_weighted(name(*n), *weight),
                        Change::Remove(n) => placement
                            .remove(&name(*n))
                            .map(|_| ())
                            .ok_or_else(|| placement.drain("unknown").unwrap_err()),
                        Change::Weigh(n, weight) => placement.set_weight(&name(*n), *weight),
                        Change::Drain(n) => placement.drain(&name(*n)),
                        Change::Undrain(n) => placement.undrain(&name(*n)),
                        Change::Replace(n) => placement.replace(name(*n)).map(|_| ()),
                        Change::Set(list) => {
                            let list = list.iter().map(|&(n, weight)| (name(n), weight));
                            placement.set_nodes(list).map(|_| ())
                        }
                        Change::Clear => {
                            placement.clear();
                            Ok(())
                        }
                    };
                    prop_assert_eq!(done.is_ok(), allowed, "{:?}", change);
                    let mut fresh: $Placement<String> = $fresh(&lines);
                    for line in lines.iter().filter(|line| line.down) {
                        fresh.drain(&line.name).unwrap();
                    }
                    prop_assert!(placement.members().eq(fresh.members()));
                    for key in 0..20u64 {
                        let key = key.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
                        prop_assert_eq!(placement.route(&key), fresh.route(&key));
                        let order: Vec<&String> = placement.preference(&key).collect();
                        prop_assert_eq!(&order, &fresh.replicas(&key, 10));
                        prop_assert_eq!(order, picked(&placement, &key));
                    }
                }
            })*
        }
    };
}

/// Returns the order in which `pick` offers the nodes if all are refused.
fn picked<'a, S: clockwise::Strategy>(strategy: &'a S, key: &[u8]) -> Vec<&'a S::Node> {
    let mut order = Vec::new();
    let none = strategy.pick(strategy.token_of(key), &mut |node| {
        order.push(node);
        false
    });
    assert!(none.is_none());
    order
}

fn pairs(lines: &[Line]) -> Vec<(String, u32)> {
    lines
        .iter()
        .map(|line| (line.name.clone(), line.weight))
        .collect()
}

laws! {
    nginx_depends_on_its_list_alone: Nginx, 3, Nginx::new(),
        |lines: &[Line]| Nginx::from_weighted(pairs(lines)).unwrap();
    pingora_depends_on_its_list_alone: Nginx, 3, Nginx::pingora().build().unwrap(),
        |lines: &[Line]| Nginx::pingora().from_weighted(pairs(lines)).unwrap();
    twemproxy_depends_on_its_list_alone: Ketama, 9, Ketama::twemproxy().build().unwrap(),
        |lines: &[Line]| Ketama::twemproxy().from_weighted(pairs(lines)).unwrap();
    ketama_depends_on_its_list_alone: Ketama, 9, Ketama::new(),
        |lines: &[Line]| Ketama::from_weighted(pairs(lines)).unwrap();
    envoy_ring_depends_on_its_list_alone: EnvoyRing, 9, EnvoyRing::new(),
        |lines: &[Line]| EnvoyRing::from_weighted(pairs(lines)).unwrap();
    envoy_maglev_depends_on_its_list_alone: EnvoyMaglev, 9,
        EnvoyMaglev::builder().table_size(251).build().unwrap(),
        |lines: &[Line]| EnvoyMaglev::builder()
            .table_size(251)
            .from_weighted(pairs(lines))
            .unwrap();
    haproxy_depends_on_its_list_and_ids_alone: HaproxyConsistent, 9, HaproxyConsistent::new(),
        |lines: &[Line]| HaproxyConsistent::builder()
            .hash(clockwise::compat::HaproxyHash::Sdbm)
            .avalanche(true)
            .ids(lines.iter().map(|line| line.id))
            .from_weighted(pairs(lines))
            .unwrap();
    jump_depends_on_its_list_alone: Jump, 1, Jump::new(),
        |lines: &[Line]| Jump::from_weighted(pairs(lines)).unwrap();
}

fn ids<const N: usize>(haproxy: &HaproxyConsistent<&str>, names: [&str; N]) -> [Option<u32>; N] {
    names.map(|name| haproxy.id(name))
}

#[test]
fn haproxys_nodes_keep_their_ids() {
    let mut haproxy = HaproxyConsistent::from_nodes(["a", "b", "c"]).unwrap();
    let owners = |haproxy: &HaproxyConsistent<&'static str>| -> Vec<&str> {
        let owner = |key: u32| *haproxy.route(&key).unwrap();
        (0..1000).map(owner).collect()
    };
    haproxy.drain("b").unwrap();
    let down = owners(&haproxy);
    haproxy.remove("b");
    assert_eq!(owners(&haproxy), down);
    assert_eq!(ids(&haproxy, ["a", "b", "c"]), [Some(1), None, Some(3)]);
    haproxy.insert("d").unwrap();
    haproxy.insert("e").unwrap();
    assert_eq!(ids(&haproxy, ["d", "e"]), [Some(2), Some(4)]);
    // A node that is removed and inserted again within one change has never left.
    let edits = [Edit::remove("d"), Edit::insert("d", 2)];
    haproxy.apply(edits).unwrap();
    assert_eq!(haproxy.id("d"), Some(2));
}

#[test]
fn haproxys_first_newcomers_take_the_given_ids() {
    let mut haproxy = HaproxyConsistent::builder().ids([7, 3, 9]).build().unwrap();
    assert!(haproxy.is_empty());
    haproxy.insert("z").unwrap();
    // Refused changes use up no id.
    assert!(haproxy.extend_weighted([("y", 1), ("z", 1)]).is_err());
    haproxy
        .extend_weighted([("y", 1), ("x", 1), ("w", 1)])
        .unwrap();
    assert_eq!(
        ids(&haproxy, ["z", "y", "x", "w"]),
        [Some(7), Some(3), Some(9), Some(1)]
    );
    // Fewer nodes than ids: the other ids wait for the next newcomers.
    let mut haproxy = HaproxyConsistent::builder().ids([1, 2]).build().unwrap();
    haproxy.insert("a").unwrap();
    haproxy.remove("a");
    haproxy.set_nodes([("c", 1), ("b", 1)]).unwrap();
    assert_eq!(ids(&haproxy, ["c", "b"]), [Some(2), Some(1)]);

    // The same owners as a strategy that is built in one step.
    let mut one_by_one = HaproxyConsistent::builder().ids([40, 2]).build().unwrap();
    one_by_one.insert("a").unwrap();
    one_by_one.insert("b").unwrap();
    let built = HaproxyConsistent::builder().ids([40, 2]);
    let built = built.from_nodes(["a", "b"]).unwrap();
    for key in 0..500u32 {
        assert_eq!(one_by_one.route(&key), built.route(&key));
    }
}

#[test]
fn haproxys_servers_without_an_id_are_numbered_in_order() {
    for (given, numbered) in [
        (vec![None, None, None], vec![1, 2, 3]),
        (vec![Some(7), None], vec![7, 2]),
        (vec![None, Some(1), None], vec![2, 1, 4]),
        (vec![Some(2), None, Some(3), None], vec![2, 4, 3, 6]),
        (vec![Some(1), Some(2), None, None], vec![1, 2, 3, 4]),
        (vec![None, Some(u32::MAX), None], vec![1, u32::MAX, 3]),
    ] {
        let haproxy = HaproxyConsistent::builder().ids(given.clone());
        let haproxy = haproxy.from_nodes(0..given.len() as u64).unwrap();
        let ids = (0..given.len() as u64).map(|node| haproxy.id(&node).unwrap());
        assert_eq!(ids.collect::<Vec<_>>(), numbered, "{given:?}");
    }
}

#[test]
fn jump_shards_are_numbered_as_listed() {
    let mut jump = Jump::from_weighted([("z", 1), ("y", 1), ("x", 1)]).unwrap();
    assert_eq!(
        (jump.number("z"), jump.number("x"), jump.number("w")),
        (Some(0), Some(2), None)
    );
    let before: Vec<&str> = (0..100u64).map(|key| *jump.route(&key).unwrap()).collect();
    jump.drain("y").unwrap();
    for (key, before) in (0..100u64).zip(before) {
        let now = *jump.route(&key).unwrap();
        assert!(if before == "y" {
            now != "y"
        } else {
            now == before
        });
    }
    jump.set_nodes([("x", 1), ("z", 1)]).unwrap().into_removed();
    assert_eq!((jump.number("x"), jump.number("z")), (Some(0), Some(1)));
}

#[test]
fn names_place_and_identify() {
    let named = [("b", 1u8), ("a", 2)].map(|(name, node)| (Named::new(name, node), 1));
    let plain = EnvoyRing::from_weighted([("b", 1), ("a", 1)]).unwrap();
    let mut named = EnvoyRing::from_weighted(named).unwrap();
    for key in 0..100u64 {
        assert_eq!(
            named.route(&key).unwrap().name(),
            plain.route(&key).unwrap()
        );
    }
    assert_eq!(named.remove("a").map(Named::into_node), Some(2));
    assert_eq!(**named.route("k").unwrap(), 1);
}

#[test]
fn they_are_strategies_like_any_other() {
    fn is<S: Membership<Node = String> + Send + Sync + Clone + std::fmt::Debug + Default>() {}
    is::<Nginx<String>>();
    is::<Ketama<String>>();
    is::<EnvoyRing<String>>();
    is::<EnvoyMaglev<String>>();
    is::<HaproxyConsistent<String>>();
    is::<Jump<String>>();

    let mut chosen: Box<dyn Membership<Node = &str>> = Box::new(Nginx::new());
    chosen
        .set_nodes(vec![("a", 1), ("b", 2)])
        .unwrap()
        .into_removed();
    chosen.drain("a").unwrap();
    assert_eq!(chosen.route("k"), Some(&"b"));
    let mut members = Vec::new();
    chosen
        .for_each_member(&mut |member| members.push((*member.node, member.weight, member.drained)));
    assert_eq!(members, [("a", 1, true), ("b", 2, false)]);
    assert_eq!(chosen.member(b"b").map(|member| member.weight), Some(2));
    assert!(matches!(chosen.drain("c"), Err(NodeError::Unknown { .. })));
}
