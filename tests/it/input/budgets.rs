//! Law: what does not fit a budget is refused at the first node that does not, however long the
//! list, and no budget that a caller sets makes an allocation overflow, on 32-bit targets too.

use clockwise::{ConfigError, Edit, HashRing, NodeError, SlotTable};
use std::cell::Cell;

/// A ring with room for `nodes` nodes, of which it has one.
fn small(nodes: usize) -> HashRing<u64> {
    let builder = HashRing::builder().virtual_nodes(10).max_points(10 * nodes);
    builder.from_nodes([u64::MAX]).unwrap()
}

/// An endless list of nodes that counts how many were taken of it.
fn endless(taken: &Cell<u64>) -> impl Iterator<Item = u64> {
    (0..).inspect(|_| taken.set(taken.get() + 1))
}

/// Checks that one node more than fits was taken, and that nothing has changed.
fn refused<T: std::fmt::Debug>(
    ring: &HashRing<u64>,
    result: Result<T, NodeError>,
    (taken, room): (&Cell<u64>, u64),
) {
    match result {
        Err(NodeError::TooManyPoints {
            points, max_points, ..
        }) => {
            assert_eq!(points, max_points as u128 + 10);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(taken.get(), room + 1);
    assert_eq!(ring.len(), 1);
    assert!(ring.contains(&u64::MAX));
    assert_eq!(ring.point_count(), 10);
}

#[test]
fn endless_lists_are_refused_at_the_first_node_that_does_not_fit() {
    for nodes in [1, 2, 100, 5000] {
        let (mut ring, room) = (small(nodes), nodes as u64);

        let taken = Cell::new(0);
        let result = ring.extend_weighted(endless(&taken).map(|node| (node, 1)));
        refused(&ring, result, (&taken, room - 1));

        let taken = Cell::new(0);
        let result = ring.set_nodes(endless(&taken).map(|node| (node, 1)));
        refused(&ring, result, (&taken, room));

        let taken = Cell::new(0);
        let list = endless(&taken).map(|node| (node, 1));
        let result = ring.set_nodes_with(list, |_, _| panic!("nothing is merged"));
        refused(&ring, result, (&taken, room));

        let taken = Cell::new(0);
        let result = ring.apply(endless(&taken).map(|node| Edit::insert(node, 1)));
        refused(&ring, result, (&taken, room - 1));
    }
}

#[test]
fn an_endless_list_builds_no_ring() {
    for nodes in [1, 7, 1000] {
        let taken = Cell::new(0);
        let builder = HashRing::builder().virtual_nodes(10).max_points(10 * nodes);
        let error = builder.from_nodes(endless(&taken)).unwrap_err();
        assert!(matches!(
            error,
            ConfigError::Node(NodeError::TooManyPoints { .. })
        ));
        assert_eq!(taken.get(), nodes as u64 + 1);
    }
}

/// An endless list of edits that fit is refused at the first that is wrong, here a duplicate.
#[test]
fn an_endless_list_is_refused_at_its_first_fault() {
    for at in [0, 3, 50] {
        let mut ring = small(100);
        let taken = Cell::new(0);
        let edits = endless(&taken).map(|i| {
            if i < at {
                Edit::insert(i, 1)
            } else {
                Edit::remove(&i)
            }
        });
        let error = ring.apply(edits).unwrap_err();
        assert!(matches!(error, NodeError::Unknown { .. }));
        assert_eq!((taken.get(), ring.len()), (at + 1, 1));
    }
}

/// The greatest numbers that can be asked for. Each is built, or refused with an error.
#[test]
fn no_size_overflows_an_allocation() {
    for bits in [25, 26, 28, 31] {
        let virtual_nodes = 1 << bits;
        let builder = HashRing::<&str>::builder().virtual_nodes(virtual_nodes);
        let ring = builder.max_points(1 << bits).build();
        if usize::BITS > 32 || bits <= 25 {
            assert_eq!(ring.unwrap().max_points(), 1 << bits);
        } else {
            assert!(
                matches!(ring, Err(ConfigError::TooManyVirtualNodes { .. })),
                "{bits}"
            );
        }
    }
    for weight in [1 << 16, 1 << 26, u32::MAX] {
        let builder = HashRing::<&str>::builder().virtual_nodes(u32::MAX / 1024);
        let mut ring = builder.max_points(usize::MAX).build().unwrap();
        let error = ring.insert_weighted("a", weight).unwrap_err();
        assert!(matches!(error, NodeError::TooManyPoints { .. }));
        assert!(ring.is_empty());
    }
    for bits in [25, 26, 28, 29, 31] {
        let most = if usize::BITS > 32 { 28 } else { 25 };
        let builder = SlotTable::<&str>::builder().max_slots(usize::MAX);
        let table = builder.slots(1 << bits).load_factor(1.0).build();
        assert_eq!(table.is_ok(), bits <= most, "{bits}");
        if let Err(error) = table {
            assert!(matches!(error, ConfigError::TooManySlots { .. }));
        }
    }
}
