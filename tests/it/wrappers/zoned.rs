//! Every zone is used once before any zone is used twice, and no change of one node moves more.

use crate::common::random::Rng;
use crate::common::scaled;
use clockwise::{
    AnyStrategy, Bounded, Failover, Filtered, HashRing, Key, LeastLoaded, Member, Membership,
    Rendezvous, Route, SlotTable, Strategy, Token, Tracked, Zoned,
};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A node with its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    id: u64,
    zone: u64,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.id.to_le_bytes()
    }
}

fn zone(server: &Server) -> u64 {
    server.zone
}

/// The definition: rank each node within its zone, and sort by rank.
fn by_definition<S: Strategy<Node = Server> + ?Sized>(strategy: &S, token: Token) -> Vec<u64> {
    let mut met = std::collections::BTreeMap::new();
    let mut ranked = Vec::new();
    strategy.pick(token, &mut |node| {
        let rank = met.entry(node.zone).or_insert(0);
        *rank += 1;
        ranked.push((*rank, node.id));
        false
    });
    ranked.sort_by_key(|&(rank, _)| rank);
    ranked.into_iter().map(|(_, id)| id).collect()
}

fn ids(nodes: &[&Server]) -> Vec<u64> {
    nodes.iter().map(|node| node.id).collect()
}

/// `Zoned` and `replicas_across` against the definition, for every n.
fn agrees<S: Strategy<Node = Server>>(strategy: S, keys: u64) {
    let zoned = Zoned::new(&strategy, zone);
    for key in 0..keys {
        let right = by_definition(&strategy, zoned.token(&key));
        let zone_of = |&id: &u64| {
            let member = strategy.member(&id.to_le_bytes());
            member.expect("offered by it").node.zone
        };
        let found = right.iter().map(zone_of).collect::<BTreeSet<_>>().len();
        for n in 0..right.len() + 2 {
            let wanted = &right[..n.min(right.len())];
            assert_eq!(ids(&zoned.replicas(&key, n)), wanted, "n = {n}");
            let across = strategy.replicas_across(&key, n, zone);
            assert_eq!(ids(&across), wanted, "n = {n}");
            match strategy.try_replicas_across(&key, n, zone) {
                Ok(replicas) => assert!(n <= found && ids(&replicas) == wanted),
                Err(error) => assert_eq!((error.wanted, error.found, n > found), (n, found, true)),
            }
        }
        assert_eq!(zoned.route(&key), strategy.route(&key));
    }
}

/// Up to `most` members in zones of random sizes, weights 1 to 3, some drained.
fn fill<S: Membership<Node = Server>>(strategy: &mut S, random: &mut Rng, most: u64) {
    let zones = 1 + random.below_u64(5);
    let nodes = random.below_u64(most + 1);
    let mut all = Vec::new();
    for id in 0..nodes {
        // Zones get rarer by half, so that many zones have one node.
        let zone = u64::from(random.next().trailing_zeros()).min(zones);
        all.push((Server { id, zone }, 1 + random.below_u64(3) as u32));
    }
    strategy.set_nodes(all).unwrap();
    let drained = clockwise::Manage::drain_where(strategy, |_| random.below_u64(5) == 0);
    assert!(drained as u64 <= nodes);
}

fn small_ring() -> HashRing<Server> {
    HashRing::builder().virtual_nodes(5).build().unwrap()
}

fn small_table() -> SlotTable<Server> {
    SlotTable::builder().slots(64).build().unwrap()
}

#[test]
fn the_order_is_the_definition_on_every_strategy() {
    for run in 0..scaled(40, 40, 1000) as u64 {
        let mut random = Rng::new(run);
        for most in [3, 12, 60] {
            let (mut ring, mut table) = (small_ring(), small_table());
            let mut rendezvous = Rendezvous::new();
            fill(&mut ring, &mut random, most);
            fill(&mut rendezvous, &mut random, most);
            fill(&mut table, &mut random, most);
            let mut other = small_ring();
            fill(&mut other, &mut random, most);
            agrees(Failover::new(vec![ring.clone(), other]), 4);
            agrees(ring, 4);
            agrees(rendezvous, 4);
            agrees(table, 4);
        }
    }
}

#[cfg(feature = "compat")]
#[test]
fn the_order_is_the_definition_on_the_placements_of_other_systems() {
    use clockwise::compat;
    fn name(server: &Server) -> String {
        format!("server-{}", server.id)
    }
    type Node = clockwise::Named<Server, String>;
    fn check<S: Membership<Node = Node>>(mut strategy: S, random: &mut Rng) {
        let mut ring = small_ring();
        fill(&mut ring, random, 20);
        let nodes = ring.members().map(|member| {
            let node = Node::new(name(member.node), member.node.clone());
            (node, 1)
        });
        strategy.set_nodes(nodes.collect()).unwrap();
        let zoned = Zoned::new(&strategy, |node: &Node| node.zone);
        for key in ["a", "b", "c", "d"] {
            for n in 0..22 {
                let across = strategy.replicas_across(key, n, |node| node.zone);
                let names = |nodes: &[&Node]| nodes.iter().map(|n| n.id).collect::<Vec<_>>();
                assert_eq!(names(&zoned.replicas(key, n)), names(&across));
            }
        }
    }
    for run in 0..10 {
        let random = &mut Rng::new(run);
        check(compat::Ketama::new(), random);
        check(compat::Nginx::new(), random);
        check(compat::EnvoyRing::new(), random);
        check(compat::EnvoyMaglev::new(), random);
        check(compat::HaproxyConsistent::new(), random);
        check(compat::Jump::new(), random);
    }
}

#[test]
fn a_filter_inside_passes_nodes_over_before_they_are_ranked() {
    for run in 0..scaled(60, 60, 1000) as u64 {
        let mut random = Rng::new(run);
        let mut ring = small_ring();
        fill(&mut ring, &mut random, [6, 100][run as usize % 2]);
        let refused: BTreeSet<u64> = (0..100).filter(|_| random.below_u64(3) == 0).collect();
        let down = random.below_u64(4);
        agrees(
            Filtered::new(ring, |server: &Server| {
                server.zone != down && !refused.contains(&server.id)
            }),
            3,
        );
    }
}

#[test]
fn a_filter_around_uses_up_the_turn_of_a_zone() {
    let mut ring = HashRing::new();
    let nodes = (0..6).map(|id| (Server { id, zone: id % 3 }, 1));
    ring.extend_weighted(nodes).unwrap();
    let zoned = Zoned::new(ring, zone);
    let copies = zoned.replicas("key", 6);
    let refused = copies[0].id;
    let up = |server: &Server| server.id != refused;

    let inside = Zoned::new(Filtered::new(zoned.strategy(), up), zone);
    let spread = |nodes: &[&Server]| nodes.iter().map(|n| n.zone).collect::<BTreeSet<_>>().len();
    assert_eq!(spread(&inside.replicas("key", 3)), 3);
    assert!(inside.is_filtered() && !inside.admits(copies[0]) && inside.admits(copies[1]));
    let around = Filtered::new(&zoned, up);
    assert_eq!(ids(&around.replicas("key", 3)), ids(&copies[1..4]));
}

// ---- one change ---------------------------------------------------------------------------------

fn one_change_changes_one_member<S>(strategy: S, seed: u64)
where
    S: Membership<Node = Server> + Clone,
{
    let mut random = Rng::new(seed);
    let mut zoned = Zoned::new(strategy, zone);
    fill(&mut zoned, &mut random, 14);
    for _ in 0..40 {
        let before = zoned.clone();
        let id = random.below_u64(16);
        let zone = random.below_u64(4);
        let weight = 1 + random.below_u64(3) as u32;
        match (zoned.is_drained(&id), random.below_u64(3)) {
            (None, _) => zoned.insert_weighted(Server { id, zone }, weight).unwrap(),
            (Some(_), 0) => drop(zoned.remove(&id).unwrap()),
            (Some(_), 1) => zoned.set_weight(&id, weight).unwrap(),
            (Some(true), _) => zoned.undrain(&id).unwrap(),
            (Some(false), _) => zoned.drain(&id).unwrap(),
        }
        for key in 0..10u64 {
            for n in 1..16 {
                let was: BTreeSet<_> = ids(&before.replicas(&key, n)).into_iter().collect();
                let is: BTreeSet<_> = ids(&zoned.replicas(&key, n)).into_iter().collect();
                assert!(was.difference(&is).count() <= 1, "{was:?} -> {is:?}");
                assert!(is.difference(&was).count() <= 1, "{was:?} -> {is:?}");
            }
        }
    }
}

#[test]
fn a_change_of_one_node_changes_at_most_one_member_of_any_set() {
    for seed in 0..scaled(8, 8, 200) as u64 {
        one_change_changes_one_member(small_ring(), seed);
        one_change_changes_one_member(Rendezvous::new(), seed);
        one_change_changes_one_member(small_table(), seed);
    }
}

// ---- how far it looks ---------------------------------------------------------------------------

/// Zones of these sizes, and a counter of the nodes that the zone function was asked about.
fn counting(sizes: &[u64]) -> (HashRing<Server>, Arc<AtomicUsize>) {
    let mut ring = HashRing::builder().virtual_nodes(20).build().unwrap();
    let zones = (0..).zip(sizes);
    let zones = zones.flat_map(|(zone, &size)| (0..size).map(move |_| zone));
    let nodes = (0..).zip(zones).map(|(id, zone)| (Server { id, zone }, 1));
    ring.extend_weighted(nodes).unwrap();
    (ring, Arc::default())
}

#[test]
fn a_walk_stops_as_soon_as_it_can() {
    let all: [(&[u64], usize, f64); 6] = [
        (&[1000, 1000, 1000], 3, 8.0),
        (&[1000, 1000, 1000], 4, 8.0),
        (&[1000, 1000, 1000], 6, 14.0),
        // One zone of a single node is not walked to; the function is asked about it once more.
        (&[499, 500, 1], 3, 6.0),
        (&[499, 500, 1], 5, 10.0),
        // A zone of two nodes among 1000 is met after 1000 / 3.
        (&[499, 499, 2], 3, 450.0),
    ];
    for (sizes, n, most) in all {
        let (ring, asked) = counting(sizes);
        let counter = Arc::clone(&asked);
        let zoned = Zoned::new(ring, move |server: &Server| {
            counter.fetch_add(1, Ordering::Relaxed);
            server.zone
        });
        let _counts_the_zones = zoned.replicas("first", n);
        asked.store(0, Ordering::Relaxed);
        for key in 0..300u64 {
            assert_eq!(zoned.replicas(&key, n).len(), n);
        }
        let mean = asked.load(Ordering::Relaxed) as f64 / 300.0;
        assert!(mean <= most, "{sizes:?}, n = {n}: {mean}");
    }
}

/// A single call does not know the zones. It looks at each member once, but does not walk there.
#[test]
fn a_single_call_counts_the_members_once() {
    let (ring, _) = counting(&[300; 3]);
    let asked = Cell::new(0);
    let across = |n| {
        asked.set(0);
        let replicas = ring.replicas_across("key", n, |server| {
            asked.set(asked.get() + 1);
            server.zone
        });
        assert_eq!(replicas.len(), n);
        asked.get()
    };
    assert!(across(3) < 40);
    assert!((900..1000).contains(&across(4)));
}

#[test]
fn a_zone_that_a_filter_has_emptied_is_not_searched_for_to_the_end() {
    let (ring, _) = counting(&[300; 3]);
    let offered = AtomicUsize::new(0);
    let healthy = Filtered::new(ring, |server: &Server| {
        offered.fetch_add(1, Ordering::Relaxed);
        server.zone != 1
    });
    let zoned = Zoned::new(&healthy, zone);
    let mut seconds = 0;
    for key in 0..20u64 {
        offered.store(0, Ordering::Relaxed);
        let copies = zoned.replicas(&key, 4);
        seconds += copies.len();
        // Each member once to count, and few on the walk.
        assert!(offered.load(Ordering::Relaxed) < 1100);
    }
    assert_eq!(seconds, 80);
}

// ---- the zones follow the members ---------------------------------------------------------------

#[test]
fn the_zones_follow_every_change_of_the_members() {
    let (ring, _) = counting(&[5, 5, 5]);
    let mut zoned = Zoned::new(ring, zone);
    let follows = |zoned: &Zoned<HashRing<Server>, fn(&Server) -> u64>, what: &str| {
        for key in 0..20u64 {
            let right = by_definition(zoned.strategy(), zoned.token(&key));
            let all = zoned.replicas(&key, usize::MAX);
            assert_eq!(ids(&all), right, "{what}");
        }
    };
    let mut zoned = Zoned::new(
        std::mem::take(zoned.strategy_mut()),
        zone as fn(&Server) -> u64,
    );
    follows(&zoned, "as built");
    zoned.insert(Server { id: 90, zone: 9 }).unwrap();
    follows(&zoned, "insert");
    let clone = zoned.clone();
    zoned.drain(&90u64).unwrap();
    follows(&zoned, "drain");
    follows(&clone, "a clone keeps its own");
    zoned.get_mut(&3u64).unwrap().zone = 7;
    follows(&zoned, "a node that moves to another zone");
    zoned.replace(Server { id: 4, zone: 8 }).unwrap();
    follows(&zoned, "replace");
    zoned.strategy_mut().remove(&5u64);
    follows(&zoned, "strategy_mut");
    let list = (0..9).map(|id| (Server { id, zone: id / 4 }, 1));
    zoned
        .set_nodes_with(list, |present, listed| *present = listed)
        .unwrap();
    follows(&zoned, "set_nodes_with");
    assert_eq!(zoned.drain_where(|server| server.zone == 0), 4);
    follows(&zoned, "drain_where");
    zoned.clear();
    assert!(zoned.replicas("key", 3).is_empty() && zoned.is_empty());
}

#[cfg(feature = "shared")]
#[test]
fn the_zones_follow_an_update_of_shared() {
    let (ring, _) = counting(&[3, 3]);
    let shared = clockwise::Shared::new(Zoned::new(ring, zone));
    let spread = |n| {
        shared.read(|zoned| {
            let zones = zoned.replicas("key", n).into_iter().map(zone);
            zones.collect::<BTreeSet<_>>().len()
        })
    };
    assert_eq!(spread(3), 2);
    shared
        .try_update(|zoned| zoned.insert(Server { id: 50, zone: 2 }))
        .unwrap();
    assert_eq!(spread(3), 3);
}

/// Its members change behind `&self`, which no wrapper can notice.
struct Own {
    nodes: Vec<Server>,
    shown: AtomicUsize,
}

impl Strategy for Own {
    type Node = Server;

    fn pick<'a>(
        &'a self,
        _: Token,
        accept: &mut dyn FnMut(&'a Server) -> bool,
    ) -> Option<&'a Server> {
        let shown = self.shown.load(Ordering::Relaxed);
        self.nodes[..shown].iter().find(|&node| accept(node))
    }

    fn token_of(&self, _: &[u8]) -> Token {
        Token::new(0)
    }

    fn member(&self, id: &[u8]) -> Option<Member<'_, Server>> {
        let shown = self.shown.load(Ordering::Relaxed);
        let mut nodes = self.nodes[..shown].iter();
        let node = nodes.find(|node| node.id.to_le_bytes() == id)?;
        Some(Member::new(&[], node, 1, false))
    }

    fn for_each_member<'a>(&'a self, f: &mut dyn FnMut(Member<'a, Server>)) {
        let shown = self.shown.load(Ordering::Relaxed);
        for node in &self.nodes[..shown] {
            f(Member::new(&[], node, 1, false));
        }
    }
}

#[test]
fn members_that_change_unnoticed_are_offered_once_each() {
    let nodes = |random: &mut Rng| {
        let zones = (0..40).map(|id| (id, random.below_u64(5)));
        zones.map(|(id, zone)| Server { id, zone }).collect()
    };
    for run in 0..200 {
        let random = &mut Rng::new(run);
        let own = Own {
            nodes: nodes(random),
            shown: AtomicUsize::new(random.below_u64(41) as usize),
        };
        let mut zoned = Zoned::new(own, zone);
        let _counts_the_zones = zoned.replicas("key", 1).len() + zoned.replicas("key", 40).len();
        let now = random.below_u64(41) as usize;
        zoned.strategy().shown.store(now, Ordering::Relaxed);
        let mut all = ids(&zoned.replicas("key", usize::MAX));
        all.sort_unstable();
        assert!(all.into_iter().eq(0..now as u64));

        zoned.strategy_mut();
        let right = by_definition(zoned.strategy(), Token::new(0));
        assert_eq!(ids(&zoned.replicas("key", usize::MAX)), right);
    }
}

#[test]
fn a_zone_function_that_panics_is_asked_again() {
    let (ring, asked) = counting(&[2, 2]);
    let zoned = Zoned::new(ring, |server: &Server| {
        assert!(asked.fetch_add(1, Ordering::Relaxed) > 2, "not yet");
        server.zone
    });
    let pick = || zoned.replicas("key", 2).len();
    let first = std::panic::catch_unwind(std::panic::AssertUnwindSafe(pick));
    assert!(first.is_err());
    asked.store(10, Ordering::Relaxed);
    assert_eq!(pick(), 2);
}

// ---- among other wrappers -----------------------------------------------------------------------

#[test]
fn bounded_load_takes_the_next_zone() {
    let nodes = (0..6).map(|id| Tracked::new(Server { id, zone: id % 3 }));
    let ring = HashRing::from_nodes(nodes).unwrap();
    let zoned = Zoned::new(ring, |server: &Tracked<Server>| server.zone);
    let mut bounded = Bounded::new(zoned, 1.1).unwrap();
    let order: Vec<u64> = bounded
        .strategy()
        .replicas("hot", 6)
        .iter()
        .map(|n| n.id)
        .collect();
    let first: Vec<_> = (0..3).filter_map(|_| bounded.acquire("hot")).collect();
    let taken: Vec<u64> = first.iter().map(|lease| lease.node().id).collect();
    assert_eq!(taken, order[..3], "one lease in each zone");
    drop(first);
    bounded.drain(&order[0]).unwrap();
    let lease = bounded.acquire("hot").unwrap();
    assert_eq!(
        lease.node().id,
        bounded.strategy().strategy().route("hot").unwrap().id
    );
}

#[test]
fn failover_goes_from_zoned_group_to_zoned_group() {
    let group = |from: u64| {
        let nodes = (from..from + 4).map(|id| Server { id, zone: id % 2 });
        let zone: fn(&Server) -> u64 = zone;
        Zoned::new(HashRing::from_nodes(nodes).unwrap(), zone)
    };
    let mut groups = Failover::new(vec![group(0), group(10)]);
    let both = [
        groups.groups()[0].replicas("key", 4),
        groups.groups()[1].replicas("key", 4),
    ];
    assert_eq!(ids(&groups.replicas("key", 8)), ids(&both.concat()));
    assert_eq!(groups.drain_where(|server| server.id < 10), 4);
    let two = groups.replicas("key", 2);
    assert!(two[0].id >= 10 && two[0].zone != two[1].zone);
}

#[test]
fn it_is_a_value_that_other_wrappers_take() {
    let zone: fn(&Tracked<Server>) -> u64 = |server| server.zone;
    let nodes = (0..4).map(|id| Tracked::new(Server { id, zone: id % 2 }));
    let strategy = LeastLoaded::with_seed(1);
    let mut any = AnyStrategy::new(Zoned::new(strategy, zone));
    any.extend_weighted(nodes.map(|node| (node, 1))).unwrap();
    let two = any.replicas("key", 2);
    assert_ne!(two[0].zone, two[1].zone);
    let boxed: Box<dyn Membership<Node = Tracked<Server>> + Send + Sync> = Box::new(any.clone());
    assert_eq!(boxed.replicas("key", 9).len(), 4);
    assert!(format!("{any:?}").contains("Zoned"));
}

#[test]
fn epochs_over_zones_need_nothing_of_their_own() {
    let zone: fn(&Server) -> u64 = zone;
    let old = Zoned::new(counting(&[4, 4, 4]).0, zone);
    let mut new = old.clone();
    new.insert(Server { id: 77, zone: 3 }).unwrap();
    let diff = old.strategy().diff_replicas_across(new.strategy(), 3, zone);
    let moves = diff.unwrap();
    let epochs = clockwise::Epochs::new(old.clone(), new.clone()).with_replicas(3);
    let mut count = 0;
    for key in 0..500u64 {
        let (was, is) = (old.replicas(&key, 3), new.replicas(&key, 3));
        assert_eq!(epochs.old_replicas(&key), was);
        assert_eq!(epochs.new_replicas(&key), is);
        let token = old.token(&key);
        let here = moves.moves().filter(|m| m.range.contains(token)).count();
        let joined = is.iter().filter(|node| !was.contains(node)).count();
        assert_eq!(here, joined);
        count += here;
    }
    assert!(count > 100);
}
