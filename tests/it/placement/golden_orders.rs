//! Whole orders of preference are as recorded: over domains, and of slot tables beyond the owner.
//! The files were made by `tests/spec/check_orders.py` from docs/SPEC.md alone.

use super::golden_rendezvous::hashers;
use crate::common::vectors::{Listed, lines, listed, unhex};
use clockwise::{
    HashRing, KeyHasher, Manage, Membership, Named, Rendezvous, Route, SlotTable, Strategy, Token,
    Zoned,
};
use std::collections::BTreeMap;

const DOMAINS: &str = include_str!("../../golden/v1/domains.tsv");
const SLOT_TABLES: &str = include_str!("../../golden/v1/slot_table_preference.tsv");

type Node = Named<String, Vec<u8>>;

fn fill(strategy: &mut dyn Membership<Node = Node>, nodes: &[Listed<'_>]) {
    for node in nodes {
        let named = Named::new(node.identity.clone(), node.domain.to_string());
        strategy.insert_weighted(named, node.weight).unwrap();
        if node.drained {
            strategy.drain(&node.identity).unwrap();
        }
    }
}

/// The numbers of these nodes in their `set` line, as the files write them.
fn written(order: &[&Node], nodes: &[Listed<'_>]) -> String {
    let number = |node: &&Node| {
        let found = nodes
            .iter()
            .position(|listed| listed.identity == *node.name());
        found.expect("a node of this set").to_string()
    };
    order.iter().map(number).collect::<Vec<_>>().join(",")
}

fn whole_order<S: Strategy>(strategy: &S, token: Token) -> Vec<&S::Node> {
    let mut order = Vec::new();
    strategy.pick(token, &mut |node| {
        order.push(node);
        false
    });
    order
}

fn domain(node: &Node) -> String {
    String::clone(node)
}

#[test]
fn orders_over_domains_are_as_recorded() {
    let (mut sets, mut checked) = (BTreeMap::new(), 0);
    for line in lines(DOMAINS) {
        let [_, kind, parameters, set, key, wanted] = line[..] else {
            sets.insert(line[1], listed(line[2]));
            continue;
        };
        let nodes = &sets[set];
        let numbers: Vec<u64> = parameters.split(',').flat_map(str::parse).collect();
        let mut strategy: Box<dyn Membership<Node = Node>> = match (kind, &numbers[..]) {
            ("ring", &[virtual_nodes]) => {
                let builder = HashRing::builder().virtual_nodes(virtual_nodes as u32);
                Box::new(builder.build().unwrap())
            }
            ("rendezvous", []) => Box::new(Rendezvous::new()),
            ("slot_table", &[load, slots]) => Box::new(table(load, slots, clockwise::Xxh3::new())),
            _ => panic!("{line:?}"),
        };
        fill(&mut *strategy, nodes);
        let key = unhex(key);
        let order = strategy.replicas_across(&key, usize::MAX, domain);
        assert_eq!(written(&order, nodes), wanted, "{line:?}");
        for n in 0..order.len() {
            let first = strategy.replicas_across(&key, n, domain);
            assert_eq!(
                written(&first, nodes),
                written(&order[..n], nodes),
                "{line:?}"
            );
        }
        let zoned = Zoned::new(strategy, domain);
        let order = whole_order(&zoned, zoned.token(&key));
        assert_eq!(written(&order, nodes), wanted, "{line:?}");
        checked += 1;
    }
    assert!(checked >= 432, "{checked}");
}

fn table<H: KeyHasher>(load: u64, slots: u64, hasher: H) -> SlotTable<Node, H> {
    let builder = SlotTable::builder().slots(slots as usize).hasher(hasher);
    match load {
        0 => builder.build().unwrap(),
        _ => builder
            .load_factor(load as f64 / 4_294_967_296.0)
            .build()
            .unwrap(),
    }
}

#[test]
fn slot_tables_have_their_recorded_orders() {
    let (mut sets, mut tables, mut checked) = (BTreeMap::new(), BTreeMap::new(), 0);
    for line in lines(SLOT_TABLES) {
        let [_, hasher, set, slots, load, token, wanted] = line[..] else {
            sets.insert(line[1], listed(line[2]));
            continue;
        };
        let nodes = &sets[set];
        let table = tables.entry((hasher, set, slots, load)).or_insert_with(|| {
            let (_, hasher) = hashers()
                .into_iter()
                .find(|&(name, _)| name == hasher)
                .unwrap();
            let load = if load == "-" {
                0
            } else {
                load.parse().unwrap()
            };
            let mut table = table(load, slots.parse().unwrap(), hasher());
            fill(&mut table, nodes);
            table
        });
        let token = Token::new(u64::from_str_radix(token, 16).unwrap());
        let order = whole_order(table, token);
        assert_eq!(written(&order, nodes), wanted, "{line:?}");
        assert!(table.preference_token(token).eq(order.iter().copied()));
        assert_eq!(table.route_token(token), order.first().copied(), "{line:?}");
        checked += 1;
    }
    assert!(checked >= 2052, "{checked}");
}
