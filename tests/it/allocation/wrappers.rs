//! No pick through a wrapper, and no lease, allocates, up to 16 nodes that are refused, full or put
//! aside; and none clones a node.

use clockwise::{
    Bounded, Failover, Filtered, HashRing, Key, Route, Spread, Strategy, Token, Tracked,
};

/// A node that cannot be cloned without being seen.
struct Unique(u32);

impl Clone for Unique {
    fn clone(&self) -> Self {
        panic!("a pick clones no node");
    }
}

impl Key for Unique {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}

type Node = Tracked<Unique>;

fn ring() -> HashRing<Node> {
    let mut ring = HashRing::new();
    let nodes = (0..16).map(|id| (Tracked::new(Unique(id)), 1 + id % 3));
    ring.extend_weighted(nodes).unwrap();
    ring
}

fn assert_no_allocation<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let mut done = None;
    let counted = allocation_counter::measure(|| done = Some(work()));
    assert_eq!(counted.count_total, 0, "{name}");
    done.unwrap()
}

#[test]
fn no_pick_allocates_up_to_16_refusals() {
    let strategies: Vec<(&str, Box<dyn Strategy<Node = Node>>)> = vec![
        ("bounded", Box::new(Bounded::new(ring(), 1.25).unwrap())),
        ("filtered", Box::new(Filtered::new(ring(), |_| true))),
        ("failover", Box::new(Failover::new(vec![ring(), ring()]))),
        ("spread over 3", Box::new(Spread::new(ring(), |_| 3))),
        ("spread over 16", Box::new(Spread::new(ring(), |_| 16))),
    ];
    for (name, strategy) in strategies {
        for refusals in 0..16 {
            for token in 0..50 {
                let token = Token::new(token << 58);
                let mut calls = 0;
                assert_no_allocation(name, || {
                    strategy.pick(token, &mut |_| {
                        calls += 1;
                        calls > refusals
                    });
                    strategy.route_token(token);
                    strategy.route("key");
                });
                assert_eq!(calls, refusals + 1, "{name}");
            }
        }
    }
}

#[test]
fn no_lease_allocates_up_to_16_full_nodes() {
    let mut bounded = Bounded::new(ring(), 1.01).unwrap();
    drop(bounded.acquire("the weights are summed up now"));
    let mut leases = Vec::with_capacity(2_000);
    for key in 0..2_000u32 {
        // One key only, so all but one node come to be full.
        leases.push(assert_no_allocation("acquire", || {
            bounded.acquire("hot").unwrap()
        }));
        assert_no_allocation("route", || bounded.route(&key));
    }
    assert_no_allocation("release", || leases.clear());
    drop(leases);
    assert_no_allocation("hand over", || {
        drop(bounded.acquire("key").unwrap().into_in_flight());
    });
    // Full in truth: two nodes, past the bound.
    let all: Vec<u32> = bounded.strategy().nodes().map(|node| node.0).collect();
    for id in &all[..14] {
        bounded.drain(&id.to_be_bytes()).unwrap();
    }
    let past: Vec<_> = (0..50)
        .flat_map(|_| bounded.strategy().nodes().map(Tracked::begin))
        .collect();
    drop(bounded.acquire("the weights are summed up now"));
    assert_no_allocation("past the bound", || drop(bounded.acquire("key").unwrap()));
    drop(past);
}

#[cfg(feature = "sticky")]
#[test]
fn no_bound_session_allocates() {
    use clockwise::Sticky;
    let hour = std::time::Duration::from_secs(3600);
    let sticky = Sticky::new(Bounded::new(ring(), 1.5).unwrap(), 10_000, hour);
    for session in 0..500u32 {
        sticky.route(&session);
    }
    for session in 0..500u32 {
        assert_no_allocation("route", || sticky.route(&session).is_some());
        assert_no_allocation("acquire", || drop(sticky.acquire(&session).unwrap()));
    }
}

/// With a filter inside, W is counted during the acquire. That takes no list of the groups'
/// members.
#[test]
fn no_lease_allocates_while_filtered_groups_are_counted() {
    let half = |odd: bool| {
        let mut half = ring();
        half.retain(|member| (member.node.0 % 2 == 1) == odd);
        half.insert(Tracked::new(Unique(7))).ok();
        Filtered::new(half, move |node: &Node| node.0 % 5 > 0)
    };
    let groups = Failover::new(vec![half(true), half(false)]);
    let bounded = Bounded::new(groups.overprovision(1.4).unwrap(), 1.25).unwrap();
    assert_eq!(bounded.eligible(), 16);
    drop(bounded.acquire("the weights are summed up now"));
    let mut leases = Vec::with_capacity(500);
    for _ in 0..500 {
        leases.push(assert_no_allocation("acquire", || {
            bounded.acquire("hot").unwrap()
        }));
        assert_no_allocation("cap", || bounded.cap(&3u32.to_be_bytes()).unwrap());
    }
}
