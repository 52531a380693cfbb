//! No pick of a load-driven strategy allocates, up to 16 refusals, and none clones a node.

use clockwise::{
    Key, LeastLoaded, Load, Membership, PowerOfTwo, RoundRobin, Route, Token, WeightedRandom,
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

impl Load for Unique {
    fn load(&self) -> f64 {
        f64::from(self.0 % 5)
    }
}

#[test]
fn no_pick_allocates_up_to_16_refusals() {
    let strategies: Vec<(&str, Box<dyn Membership<Node = Unique>>)> = vec![
        ("round-robin", Box::new(RoundRobin::new())),
        ("weighted random", Box::new(WeightedRandom::with_seed(1))),
        ("least loaded", Box::new(LeastLoaded::with_seed(1))),
        ("two choices", Box::new(PowerOfTwo::with_seed(1))),
        (
            "16 choices",
            Box::new(PowerOfTwo::with_seed(1).with_choices(16).unwrap()),
        ),
    ];
    for (name, mut strategy) in strategies {
        // Weights that have a cycle, and weights that have none.
        for scale in [1, 98_765_431] {
            let nodes = (0..100).map(|id| (Unique(id), 1 + id % 3 * scale));
            let _ = strategy.set_nodes(nodes.collect()).unwrap();
            for refusals in 0..=16 {
                for token in 0..50 {
                    let mut calls = 0;
                    let counted = allocation_counter::measure(|| {
                        let token = Token::new(token << 58);
                        strategy.pick(token, &mut |_| {
                            calls += 1;
                            calls > refusals
                        });
                        strategy.route_token(token);
                        strategy.route("key");
                    });
                    assert_eq!(counted.count_total, 0, "{name}, {refusals} refusals");
                    assert_eq!(calls, refusals + 1, "{name}");
                }
            }
        }
    }
}
