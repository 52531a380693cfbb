//! Plans look, commits do: what a preview foretells is what a commit leads to, and a refused plan leaves no trace.

use super::*;
use crate::hash::{KeyHasher, Xxh3};
use alloc::{format, string::String, vec};

/// A number that looks drawn at random, the same in every run.
fn mixed(i: u64) -> u64 {
    Xxh3::new().hash_bytes(&i.to_le_bytes())
}

const BUDGET: Budget = Budget {
    virtual_nodes: 10,
    max_points: 200,
};

fn set(nodes: &[(&'static str, u32)]) -> NodeSet<&'static str> {
    let mut set = NodeSet::new(BUDGET);
    let edit = set.plan_insert(nodes.iter().copied()).unwrap();
    assert_eq!(set.commit(edit).added(), nodes.len());
    set
}

fn rows<N>(set: &NodeSet<N>) -> Vec<(Vec<u8>, u32, bool)> {
    let entries = set.entries().iter();
    entries
        .map(|e| (e.identity.to_vec(), e.weight, e.drained))
        .collect()
}

/// Commits `edit`, having checked that its preview is what comes of it.
fn commit_as_foretold(
    set: &mut NodeSet<&'static str>,
    edit: Edit<&'static str>,
) -> Changes<&'static str> {
    let before = rows(set);
    let foretold: Vec<_> = set
        .preview(&edit)
        .map(|p| {
            (
                p.identity.to_vec(),
                p.weight,
                p.drained,
                p.before,
                p.unchanged(),
            )
        })
        .collect();
    let changes = set.commit(edit);
    let after = rows(set);
    assert!(after.is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(set.eligible(), after.iter().filter(|row| !row.2).count());
    assert_eq!(foretold.len(), after.len());
    for ((identity, weight, drained, was, unchanged), row) in foretold.into_iter().zip(&after) {
        assert_eq!((&identity, weight, drained), (&row.0, row.1, row.2));
        let place = before.iter().position(|old| old.0 == identity);
        assert_eq!(was, place);
        assert_eq!(unchanged, place.filter(|&place| before[place] == *row));
    }
    changes
}

#[test]
fn members_stand_in_order_of_identity() {
    let set = set(&[("c", 1), ("a", 2), ("b", 3)]);
    assert_eq!(set.nodes().collect::<Vec<_>>(), [&"a", &"b", &"c"]);
    assert_eq!(set.rank_of(b"b"), Some(1));
    assert_eq!(set.rank_of(b"bb"), None);
    assert_eq!(set.get(b"a").map(|entry| entry.weight), Some(2));
    assert_eq!((set.len(), set.eligible(), *set.node(2)), (3, 3, "c"));
}

#[test]
fn nodes_and_members_are_exact_double_ended_and_fused() {
    let set = set(&[("a", 1), ("b", 2), ("c", 3)]);
    let mut members = set.members();
    assert_eq!(members.len(), 3);
    assert_eq!(
        members.next_back().map(|m| (*m.node, m.weight)),
        Some(("c", 3))
    );
    let clone = members.clone();
    assert_eq!(members.next().map(|m| m.weight), Some(1));
    assert_eq!((members.len(), clone.len()), (1, 2));
    assert_eq!(members.size_hint(), (1, Some(1)));
    let mut nodes = set.nodes();
    assert_eq!(
        (nodes.len(), nodes.next_back(), nodes.clone().count()),
        (3, Some(&"c"), 2)
    );
    assert_eq!(
        (nodes.next(), nodes.next(), nodes.next(), nodes.next()),
        (Some(&"a"), Some(&"b"), None, None)
    );
}

#[test]
fn a_refused_plan_names_the_offender() {
    let set = set(&[("a", 1), ("b", 2)]);
    let before = rows(&set);
    let node = String::from;
    let insert =
        |nodes: &[(&'static str, u32)]| set.plan_insert(nodes.iter().copied()).unwrap_err();
    assert_eq!(
        insert(&[("c", 1), ("a", 1)]),
        NodeError::Duplicate { node: node("a") }
    );
    assert_eq!(
        insert(&[("c", 1), ("d", 1), ("c", 2)]),
        NodeError::Duplicate { node: node("c") }
    );
    assert_eq!(insert(&[("c", 1), ("", 1)]), NodeError::EmptyIdentity);
    assert_eq!(
        insert(&[("c", 1), ("d", 0)]),
        NodeError::ZeroWeight { node: node("d") }
    );
    let too_many = |weight, points| NodeError::TooManyPoints {
        node: node("d"),
        weight,
        points,
        max_points: 200,
    };
    assert_eq!(insert(&[("c", 1), ("d", 17)]), too_many(17, 210));
    assert_eq!(
        insert(&[("d", u32::MAX)]),
        too_many(u32::MAX, 42_949_672_980)
    );
    assert!(set.plan_insert([("d", 17)]).is_ok(), "200 points fit");

    let set_to = |nodes: &[(&'static str, u32)]| set.plan_set(nodes.iter().copied()).unwrap_err();
    assert_eq!(
        set_to(&[("a", 1), ("a", 1)]),
        NodeError::Duplicate { node: node("a") }
    );
    assert_eq!(
        set_to(&[("d", 0)]),
        NodeError::ZeroWeight { node: node("d") }
    );
    assert_eq!(set_to(&[("c", 20), ("d", 1)]), too_many(1, 210));
    assert!(
        set.plan_set([("c", 20)]).is_ok(),
        "what leaves does not count"
    );

    let unknown = NodeError::Unknown { node: node("x") };
    assert_eq!(set.plan_weigh(b"x", 1).unwrap_err(), unknown);
    assert_eq!(set.plan_weigh(b"x", 0).unwrap_err(), unknown);
    assert_eq!(set.plan_drain(b"x", true).unwrap_err(), unknown);
    assert_eq!(
        set.plan_weigh(b"a", 0).unwrap_err(),
        NodeError::ZeroWeight { node: node("a") }
    );
    assert!(
        set.plan_weigh(b"a", 18).is_ok(),
        "its old weight does not count"
    );
    assert_eq!(
        set.plan_weigh(b"a", 19).unwrap_err(),
        NodeError::TooManyPoints {
            node: node("a"),
            weight: 19,
            points: 210,
            max_points: 200
        }
    );
    assert!(set.plan_remove(b"x").is_empty());
    assert_eq!(rows(&set), before);
}

#[test]
fn a_plan_without_effect_is_empty() {
    let mut set = set(&[("a", 1), ("b", 2)]);
    assert!(set.plan_insert([]).unwrap().is_empty());
    assert!(set.plan_set([("b", 2), ("a", 1)]).unwrap().is_empty());
    assert!(set.plan_weigh(b"b", 2).unwrap().is_empty());
    assert!(set.plan_drain(b"b", false).unwrap().is_empty());
    let edit = set.plan_drain(b"b", true).unwrap();
    assert!(!edit.is_empty());
    let changes = set.commit(edit);
    assert!(changes.is_empty());
    assert!(set.plan_drain(b"b", true).unwrap().is_empty());
    assert!(NodeSet::<&str>::new(BUDGET).plan_clear().is_empty());
}

#[test]
fn a_payload_is_exchanged_only_where_it_is_known() {
    let mut set: NodeSet<(u8, u8)> = NodeSet::new(BUDGET);
    let edit = set.plan_insert([((1, 2), 1)]).unwrap();
    assert_eq!(set.commit(edit).added(), 1);
    assert_eq!(set.replace((1, 2)), Ok((1, 2)));
    assert!(matches!(
        set.replace((1, 3)),
        Err(NodeError::Unknown { .. })
    ));
}

#[test]
fn without_points_any_weights_fit() {
    let mut set: NodeSet<u64> = NodeSet::new(Budget::NO_POINTS);
    let edit = set
        .plan_insert((1..=1000).map(|node| (node, u32::MAX)))
        .unwrap();
    assert_eq!(set.commit(edit).added(), 1000);
    assert_eq!(set.total_weight(), 1000 * u64::from(u32::MAX));
    assert!(set.plan_insert([(0, u32::MAX)]).is_ok());
}

/// Sets of up to 8 nodes turned into one another: what is added, reweighted, removed, and who stays as it was.
#[test]
fn every_change_is_as_foretold() {
    const NAMES: [&str; 8] = ["a", "a1", "b", "b ", "ba", "c", "ä", "\u{0}"];
    for round in 0..500u64 {
        let draw = |salt: u64| -> Vec<(&'static str, u32)> {
            let choices = NAMES
                .iter()
                .zip(0..)
                .map(|(name, i)| (*name, mixed(round * 64 + salt + i)));
            let present = choices.filter(|(_, r)| r % 3 > 0);
            present
                .map(|(name, r)| (name, 1 + (r >> 8) as u32 % 2))
                .collect()
        };
        let (from, mut to) = (draw(0), draw(8));
        let mut set = set(&from);
        for (name, _) in &from {
            if mixed(round ^ name.len() as u64) % 3 == 0 {
                let edit = set.plan_drain(name.as_bytes(), true).unwrap();
                let _ = commit_as_foretold(&mut set, edit);
            }
        }
        let before = rows(&set);
        to.reverse();
        let edit = set.plan_set(to.iter().copied()).unwrap();
        let changes = commit_as_foretold(&mut set, edit);

        let known =
            |name: &str, nodes: &[(&str, u32)]| nodes.iter().find(|n| n.0 == name).map(|n| n.1);
        let added = to.iter().filter(|n| known(n.0, &from).is_none()).count();
        let reweighted = to
            .iter()
            .filter(|n| known(n.0, &from).is_some_and(|w| w != n.1))
            .count();
        let mut removed: Vec<_> = from
            .iter()
            .map(|n| n.0)
            .filter(|n| known(n, &to).is_none())
            .collect();
        removed.sort_unstable();
        assert_eq!(
            (changes.added(), changes.reweighted(), changes.removed()),
            (added, reweighted, removed.len())
        );
        assert_eq!(changes.into_removed(), removed);
        for (name, weight) in &to {
            let entry = set.get(name.as_bytes()).expect("it was wanted");
            assert_eq!(entry.weight, *weight);
            let was = before.iter().find(|row| row.0 == name.as_bytes());
            assert_eq!(
                entry.drained,
                was.is_some_and(|row| row.2),
                "it stays drained"
            );
        }
        assert_eq!(set.len(), to.len());

        let edit = set.plan_clear();
        let mut all: Vec<_> = to.iter().map(|n| n.0).collect();
        all.sort_unstable();
        assert_eq!(commit_as_foretold(&mut set, edit).into_removed(), all);
        assert_eq!((set.len(), set.eligible()), (0, 0));
    }
}

#[test]
fn single_changes_are_as_foretold() {
    let mut set = set(&[("b", 1), ("d", 1), ("f", 1)]);
    for name in ["a", "c", "e", "g"] {
        let edit = set.plan_insert([(name, 2)]).unwrap();
        let changes = commit_as_foretold(&mut set, edit);
        assert_eq!((changes.added(), changes.is_empty()), (1, false));
    }
    for name in ["a", "d", "g"] {
        let edit = set.plan_weigh(name.as_bytes(), 3).unwrap();
        assert_eq!(commit_as_foretold(&mut set, edit).reweighted(), 1);
        let edit = set.plan_drain(name.as_bytes(), true).unwrap();
        assert!(commit_as_foretold(&mut set, edit).is_empty());
        let edit = set.plan_drain(name.as_bytes(), false).unwrap();
        assert!(commit_as_foretold(&mut set, edit).is_empty());
    }
    for name in ["d", "a", "g"] {
        let edit = set.plan_remove(name.as_bytes());
        assert_eq!(
            commit_as_foretold(&mut set, edit).into_removed(),
            vec![name]
        );
    }
    assert_eq!(
        format!("{:?}", set.nodes().collect::<Vec<_>>()),
        r#"["b", "c", "e", "f"]"#
    );
}
