//! A commit leads to what its preview shows, and a refused plan changes nothing.

use super::*;
use crate::error::NodeError;
use crate::hash::{KeyHasher, Xxh3};
use alloc::{format, string::String, vec};

/// Returns a number that looks random and is the same in every run.
fn mixed(i: u64) -> u64 {
    Xxh3::new().hash_bytes(&i.to_le_bytes())
}

const BUDGET: Budget = Budget {
    virtual_nodes: 10,
    max_points: 200,
};

fn inserts<N>(nodes: impl IntoIterator<Item = (N, u32)>) -> impl Iterator<Item = Edit<N>> {
    let nodes = nodes.into_iter();
    nodes.map(|(node, weight)| Edit::insert(node, weight))
}

fn set(nodes: &[(&'static str, u32)]) -> NodeSet<&'static str> {
    let mut set = NodeSet::new(BUDGET);
    let edit = set.plan(inserts(nodes.iter().copied())).unwrap();
    assert_eq!(set.commit(edit).added(), nodes.len());
    set
}

fn rows<N>(set: &NodeSet<N>) -> Vec<(Vec<u8>, u32, bool)> {
    let entries = set.entries().iter();
    entries
        .map(|e| (e.identity.to_vec(), e.weight, e.drained))
        .collect()
}

/// Commits `edit` and checks that its preview shows the result.
fn commit_as_foretold(
    set: &mut NodeSet<&'static str>,
    edit: Draft<&'static str>,
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
    let insert = |nodes: &[(&'static str, u32)]| set.plan_list(nodes.iter().copied()).unwrap_err();
    assert_eq!(
        insert(&[("c", 1), ("a", 1)]),
        NodeError::duplicate(b"a", false)
    );
    assert_eq!(
        insert(&[("c", 1), ("d", 1), ("c", 2)]),
        NodeError::duplicate(b"c", true)
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
    assert!(set.plan(inserts([("d", 17)])).is_ok(), "200 points fit");

    let set_to = |nodes: &[(&'static str, u32)]| set.plan_set(nodes.iter().copied()).unwrap_err();
    assert_eq!(
        set_to(&[("a", 1), ("a", 1)]),
        NodeError::duplicate(b"a", true)
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
    assert_eq!(set.plan([Edit::set_weight(b"x", 1)]).unwrap_err(), unknown);
    assert_eq!(set.plan([Edit::set_weight(b"x", 0)]).unwrap_err(), unknown);
    assert_eq!(set.plan([Edit::drain(b"x")]).unwrap_err(), unknown);
    assert_eq!(
        set.plan([Edit::set_weight(b"a", 0)]).unwrap_err(),
        NodeError::ZeroWeight { node: node("a") }
    );
    assert!(
        set.plan([Edit::set_weight(b"a", 18)]).is_ok(),
        "its old weight does not count"
    );
    assert_eq!(
        set.plan([Edit::set_weight(b"a", 19)]).unwrap_err(),
        NodeError::TooManyPoints {
            node: node("a"),
            weight: 19,
            points: 210,
            max_points: 200
        }
    );
    assert_eq!(set.plan([Edit::remove(b"x")]).unwrap_err(), unknown);
    assert_eq!(rows(&set), before);
}

#[test]
fn a_plan_without_effect_moves_nothing() {
    let mut set = set(&[("a", 1), ("b", 2)]);
    let nothing = |set: &NodeSet<&'static str>, edits: Vec<Edit<&'static str>>| {
        set.plan(edits).unwrap().moves_nothing(set)
    };
    assert!(nothing(&set, vec![]));
    let (listed, _) = set.plan_set([("b", 2), ("a", 1)]).unwrap();
    assert!(listed.moves_nothing(&set));
    assert!(nothing(
        &set,
        vec![Edit::set_weight("b", 2), Edit::undrain("b")]
    ));
    assert!(nothing(&set, vec![Edit::replace("b")]));
    assert!(nothing(&set, vec![Edit::insert("c", 1), Edit::remove("c")]));
    assert!(nothing(&set, vec![Edit::drain("a"), Edit::undrain("a")]));
    assert!(!nothing(&set, vec![Edit::drain("b")]));
    let edit = set.plan([Edit::drain("b")]).unwrap();
    assert_eq!(set.commit(edit).drained(), 1);
    assert!(nothing(&set, vec![Edit::drain("b")]));
}

#[test]
fn what_left_or_was_replaced_on_the_way_is_returned() {
    let mut set: NodeSet<(u8, u8)> = NodeSet::new(BUDGET);
    let edit = set.plan(inserts([((1, 2), 1), ((3, 4), 1)])).unwrap();
    assert_eq!(set.commit(edit).added(), 2);
    // A pair is its own identity, so a replacement is equal here.
    let edits = [
        Edit::insert((5, 6), 1),
        Edit::remove(&(5u8, 6u8)),
        Edit::replace((1, 2)),
        Edit::replace((1, 2)),
        Edit::remove(&(3u8, 4u8)),
        Edit::insert((3, 4), 2),
    ];
    let edit = set.plan(edits).unwrap();
    let changes = set.commit(edit);
    assert_eq!((changes.added(), changes.removed()), (0, 0));
    assert_eq!((changes.replaced(), changes.reweighted()), (2, 1));
    assert!(!changes.is_empty());
    let (removed, replaced) = changes.into_parts();
    assert_eq!(
        (removed, replaced),
        (vec![(3, 4), (5, 6)], vec![(1, 2), (1, 2)])
    );
}

#[test]
fn without_points_any_weights_fit() {
    let mut set: NodeSet<u64> = NodeSet::new(Budget::NO_POINTS);
    let edit = set
        .plan(inserts((1..=1000).map(|node| (node, u32::MAX))))
        .unwrap();
    assert_eq!(set.commit(edit).added(), 1000);
    let weights = set.entries().iter().map(|entry| u64::from(entry.weight));
    assert_eq!(weights.sum::<u64>(), 1000 * u64::from(u32::MAX));
    assert!(set.plan(inserts([(0, u32::MAX)])).is_ok());
}

/// Changes sets of up to 8 nodes into one another, and checks which nodes are added, reweighted,
/// removed and unchanged.
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
                let edit = set.plan([Edit::drain(name)]).unwrap();
                let _ = commit_as_foretold(&mut set, edit);
            }
        }
        let before = rows(&set);
        to.reverse();
        let (edit, _) = set.plan_set(to.iter().copied()).unwrap();
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

        let edit = set.plan_removal(|_| true);
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
        let edit = set.plan(inserts([(name, 2)])).unwrap();
        let changes = commit_as_foretold(&mut set, edit);
        assert_eq!((changes.added(), changes.is_empty()), (1, false));
    }
    for name in ["a", "d", "g"] {
        let edit = set.plan([Edit::set_weight(name, 3)]).unwrap();
        assert_eq!(commit_as_foretold(&mut set, edit).reweighted(), 1);
        let edit = set.plan([Edit::drain(name)]).unwrap();
        assert_eq!(commit_as_foretold(&mut set, edit).drained(), 1);
        let edit = set.plan([Edit::undrain(name)]).unwrap();
        assert_eq!(commit_as_foretold(&mut set, edit).undrained(), 1);
    }
    for name in ["d", "a", "g"] {
        let edit = set.plan([Edit::remove(name)]).unwrap();
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
