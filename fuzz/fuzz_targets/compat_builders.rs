//! Any configuration and any list for the placements of other programs: an error that prints, or a
//! placement that finds a node for every key.
#![no_main]

use clockwise::compat::{EnvoyMaglev, EnvoyRing, HaproxyConsistent, HaproxyHash, Ketama, KetamaHash};
use clockwise::{Key, Strategy};
use libfuzzer_sys::fuzz_target;
use std::fmt::Display;

/// The text of a program's configuration, with a port or without.
type Node = String;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.iter().copied();
    let mut next = || bytes.next().unwrap_or(0);
    let program = next();
    let sizes = [size(&mut next), size(&mut next)];
    let tag: String = (0..next() % 4).map(|_| char::from(next())).collect();
    let (flag, hash) = (next() % 2 == 0, next());
    let ids: Vec<u32> = (0..next() % 8).map(|_| size(&mut next) as u32).collect();
    let mut nodes: Vec<(Node, u32)> = Vec::new();
    for _ in 0..next() % 8 {
        let name = match next() {
            name @ 0..=199 => format!("10.0.0.{name}:{}", next()),
            length => char::from(next()).to_string().repeat(usize::from(length - 200)),
        };
        nodes.push((name, size(&mut next) as u32));
    }
    let list = nodes.iter().cloned();
    match program % 5 {
        0 => {
            // Small enough to be built often.
            let max = if sizes[1] > 8_388_608 { sizes[1] } else { sizes[1] % 5000 };
            let builder = EnvoyRing::builder().min_ring_size(sizes[0]).max_ring_size(max);
            checked(&nodes, builder.try_from_nodes(list));
        }
        1 => {
            if sizes[0] <= 5000 || sizes[0] > 5_000_011 {
                let builder = EnvoyMaglev::builder().table_size(sizes[0]);
                checked(&nodes, builder.try_from_nodes(list));
            }
        }
        2 => {
            let hashes = [HaproxyHash::Sdbm, HaproxyHash::Djb2, HaproxyHash::Wt6, HaproxyHash::Crc32];
            let builder = HaproxyConsistent::builder().hash(hashes[usize::from(hash) % 4]).avalanche(flag);
            let builder = if sizes[1] % 2 == 0 { builder } else { builder.ids(ids) };
            checked(&nodes, builder.try_from_nodes(list));
        }
        _ => {
            let hashes = [KetamaHash::Md5, KetamaHash::Fnv1a64];
            let builder = Ketama::twemproxy().hash(hashes[usize::from(hash) % 2]).named(flag);
            let builder = if sizes[0] % 2 == 0 { builder } else { builder.hash_tag(&tag) };
            checked(&nodes, builder.try_from_nodes(list));
        }
    }
});

/// A number: small ones, powers of two and their neighbours more often than others.
fn size(next: &mut impl FnMut() -> u8) -> u64 {
    match next() {
        small @ 0..=127 => u64::from(small),
        power @ 128..=191 => 1 << (power - 128),
        below @ 192..=223 => (1 << (below - 190)) - 1,
        _ => u64::from(u16::from_le_bytes([next(), next()])),
    }
}

fn checked<S: Strategy<Node = Node>, E: Display>(nodes: &[(Node, u32)], built: Result<S, E>) {
    let strategy = match built {
        Ok(strategy) => strategy,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && text.len() < 2048, "{text}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
            return;
        }
    };
    for key in ["", "key", "a{b}c", "é"] {
        let token = strategy.token_of(key.key_bytes().as_ref());
        let owner = strategy.pick(token, &mut |_| true);
        match owner {
            Some(owner) => assert!(nodes.iter().any(|(node, _)| node == owner)),
            None => assert!(nodes.is_empty()),
        }
        assert_eq!(strategy.route_token(token), owner);
        let mut offered = 0;
        let none = strategy.pick(token, &mut |_| {
            offered += 1;
            false
        });
        assert!(none.is_none() && offered <= nodes.len());
    }
    for (node, weight) in nodes {
        let member = strategy.member(node.as_bytes()).expect("it was listed");
        assert_eq!((member.node, member.weight), (node, *weight));
    }
}
