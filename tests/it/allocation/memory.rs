//! What a ring weighs, and what it weighs while it changes, against the targets: 15 bytes a point,
//! and 1.3 times that in a change of 100 nodes or more.

use allocation_counter::measure;
use clockwise::HashRing;

/// The most that was held during a change, as a multiple of the ring before or after it, the larger
/// one; and the bytes after it.
fn peak_of(before: f64, change: impl FnOnce()) -> (f64, f64) {
    let info = measure(change);
    let after = before + info.bytes_current as f64;
    ((before + info.bytes_max as f64) / before.max(after), after)
}

/// Bytes a point, and the peak of adding and removing a node as a multiple of the ring. That of
/// exchanging all nodes is printed.
fn cost_of(virtual_nodes: u32, nodes: u64) -> (f64, f64) {
    let mut ring = None;
    let built = measure(|| {
        let builder = HashRing::builder()
            .virtual_nodes(virtual_nodes)
            .max_points(u32::MAX as usize);
        let mut new = builder.build().expect("it fits");
        new.extend_weighted((0..nodes).map(|node| (node, 1)))
            .expect("distinct");
        ring = Some(new);
    });
    let mut ring = ring.expect("it was built");
    let steady = built.bytes_current as f64;
    // Less the nodes themselves: an entry (identity, node, weight and drained) and the bytes of the
    // identity.
    let per_node = size_of::<(Box<[u8]>, u64, u32, bool)>() + size_of::<u64>();
    let a_point = (steady - (per_node as u64 * nodes) as f64) / ring.point_count() as f64;
    let (added, larger) = peak_of(steady, || ring.insert(u64::MAX).expect("a new node"));
    let (removed, smaller) = peak_of(larger, || assert!(ring.remove(&u64::MAX).is_some()));
    let all_others = (nodes..2 * nodes).map(|node| (node, 1));
    let (replaced, _) = peak_of(smaller, || {
        drop(ring.set_nodes(all_others).expect("distinct"));
    });
    let peak = added.max(removed);
    println!(
        "{nodes} × {virtual_nodes}: {a_point:.2} bytes a point, peak of a change {peak:.2} × steady, of the build {:.2} ×, of exchanging all {replaced:.2} ×",
        built.bytes_max as f64 / steady
    );
    (a_point, peak)
}

#[test]
fn memory_is_within_the_targets() {
    for (virtual_nodes, nodes) in [
        (160, 10),
        (512, 10),
        (512, 100),
        (160, 400),
        (65_535, 1),
        (65_537, 1),
        (160, 500),
        (512, 1000),
        (512, 1024),
        (512, 1025),
    ] {
        let (a_point, peak) = cost_of(virtual_nodes, nodes);
        assert!(
            a_point <= 15.0,
            "{nodes} × {virtual_nodes}: {a_point} bytes a point"
        );
        // If one more node is more than an eighth of a ring, the points move to other memory.
        let most = match nodes {
            1..8 => 2.4,
            8..100 => 1.4,
            _ => 1.3,
        };
        assert!(peak <= most, "{nodes} × {virtual_nodes}: {peak} × steady");
    }
}

/// A hundred million points: in memory, within the same figures. Long, because it takes 3 GB.
#[test]
fn a_hundred_million_points_keep_to_the_same_figures() {
    if crate::common::is_long() {
        let (a_point, peak) = cost_of(160, 625_000);
        assert!(
            a_point <= 15.0 && peak <= 1.3,
            "{a_point} bytes a point, {peak} × steady"
        );
    }
}
