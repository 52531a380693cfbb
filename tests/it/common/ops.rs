//! Histories: operations carried out on a ring and on the oracle side by side. The model test draws
//! them at random, the fuzz target reads them from bytes.

use super::hashers::Spoilt;
use super::node::Node;
use super::oracle::{Fault, Oracle, Row};
use super::random::Rng;
use clockwise::{Changes, HashRing, KeyHasher, Manage, Membership, NodeError, Strategy, Token};

/// Identities that are easy to confuse, by index: prefixes with digits, case, a space, a NUL, not
/// UTF-8, a long one, none.
pub const IDENTITIES: usize = 18;

pub fn identity(i: u8) -> Vec<u8> {
    match usize::from(i) % IDENTITIES {
        0 => b"node1".to_vec(),
        1 => b"node11".to_vec(),
        2 => b"node".to_vec(),
        3 => b"Node".to_vec(),
        4 => b"node ".to_vec(),
        5 => b"node\0".to_vec(),
        6 => vec![0xff, 0xfe],
        7 => vec![0],
        8 => vec![b'x'; 300],
        9 => Vec::new(),
        other => format!("10.0.0.{other}:80").into_bytes(),
    }
}

/// Weights by index: small, none, and such as no budget allows.
pub fn weight(i: u8) -> u32 {
    [1, 1, 1, 2, 2, 3, 5, 8, 0, 100, 1 << 30, u32::MAX][usize::from(i) % 12]
}

/// Identities and weights by index.
pub type Rows = Vec<(u8, u8)>;

#[derive(Clone, Debug)]
pub enum Op {
    Insert(u8),
    InsertWeighted(u8, u8),
    Extend(Rows),
    SetNodes(Rows),
    /// Through `dyn Membership`.
    SetMembers(Rows),
    Remove(u8),
    SetWeight(u8, u8),
    Drain(u8),
    Undrain(u8),
    /// Through `dyn Membership`.
    SetDrained(u8, bool),
    Replace(u8),
    Clear,
    /// Keeps a clone.
    Fork,
    /// Goes on with the clone; keeps this one.
    Swap,
}

impl Op {
    /// Reads an operation; missing bytes are 0.
    #[allow(dead_code)] // A fuzz target uses it.
    pub fn read(bytes: &mut impl Iterator<Item = u8>) -> Op {
        let mut next = || bytes.next().unwrap_or(0);
        match next() % 18 {
            0 | 1 => Op::Insert(next()),
            2 | 3 => Op::InsertWeighted(next(), next()),
            4 => Op::Extend((0..next() % 6).map(|_| (next(), next())).collect()),
            5 => Op::SetNodes((0..next() % 10).map(|_| (next(), next())).collect()),
            6 => Op::SetMembers((0..next() % 10).map(|_| (next(), next())).collect()),
            7 | 8 => Op::Remove(next()),
            9 | 10 => Op::SetWeight(next(), next()),
            11 | 12 => Op::Drain(next()),
            13 => Op::Undrain(next()),
            14 => Op::SetDrained(next(), next() % 2 == 0),
            15 => Op::Replace(next()),
            16 => [Op::Clear, Op::Fork, Op::Fork, Op::Fork][usize::from(next() % 4)].clone(),
            _ => Op::Swap,
        }
    }
}

/// A ring and the oracle, which must agree.
pub struct World {
    ring: HashRing<Node, Spoilt>,
    oracle: Oracle,
    kept: Option<(HashRing<Node, Spoilt>, Oracle)>,
    payload: u32,
    random: Rng,
}

impl World {
    pub const MAX_POINTS: u16 = 300;

    pub fn new(hasher: Spoilt, virtual_nodes: u8, seed: u64) -> World {
        let virtual_nodes = u32::from(virtual_nodes.clamp(1, 16));
        let ring = HashRing::builder()
            .virtual_nodes(virtual_nodes)
            .hasher(hasher)
            .max_points(usize::from(World::MAX_POINTS))
            .build();
        World {
            ring: ring.expect("1 to 16 virtual nodes fit"),
            oracle: Oracle::new(
                move |bytes| hasher.hash_bytes(bytes),
                virtual_nodes,
                World::MAX_POINTS.into(),
            ),
            kept: None,
            payload: 0,
            random: Rng::new(seed),
        }
    }

    /// Does `op` on both, compares what they answer, then compares all that can be seen of them.
    pub fn step(&mut self, op: &Op) {
        self.apply(op);
        self.compare();
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Insert(id) => {
                let rows = self.rows(&[(*id, 0)]);
                let done = self.ring.insert(node(&rows[0]));
                agree(done, self.oracle.insert(&rows));
            }
            Op::InsertWeighted(id, w) => {
                let rows = self.rows(&[(*id, *w)]);
                let done = self.ring.insert_weighted(node(&rows[0]), rows[0].1);
                agree(done, self.oracle.insert(&rows));
            }
            Op::Extend(rows) => {
                let rows = self.rows(rows);
                agree(
                    self.ring.extend_weighted(weighted(&rows)),
                    self.oracle.insert(&rows),
                );
            }
            Op::SetNodes(rows) => {
                let rows = self.rows(rows);
                let done = self.ring.set_nodes(weighted(&rows)).map(seen);
                let expected = self.oracle.set_nodes(&rows);
                agree(done, expected.map(|d| (d.added, d.reweighted, d.removed)));
            }
            Op::SetMembers(rows) => {
                let rows = self.rows(rows);
                let ring: &mut dyn Membership<Node = Node> = &mut self.ring;
                let done = ring.set_nodes(weighted(&rows).collect()).map(seen);
                let expected = self.oracle.set_nodes(&rows);
                agree(done, expected.map(|d| (d.added, d.reweighted, d.removed)));
            }
            Op::Remove(id) => {
                let id = identity(*id);
                let removed = self.ring.remove(&id);
                let expected = self.oracle.remove(&id);
                assert_eq!(removed, expected.map(|payload| Node { id, payload }));
            }
            Op::SetWeight(id, w) => {
                let (id, weight) = (identity(*id), weight(*w));
                agree(
                    self.ring.set_weight(&id, weight),
                    self.oracle.set_weight(&id, weight),
                );
            }
            Op::Drain(id) => {
                let id = identity(*id);
                agree(self.ring.drain(&id), self.oracle.set_drained(&id, true));
            }
            Op::Undrain(id) => {
                let id = identity(*id);
                agree(self.ring.undrain(&id), self.oracle.set_drained(&id, false));
            }
            Op::SetDrained(id, drained) => {
                let id = identity(*id);
                let ring: &mut dyn Membership<Node = Node> = &mut self.ring;
                let done = if *drained {
                    ring.drain(&id)
                } else {
                    ring.undrain(&id)
                };
                agree(done, self.oracle.set_drained(&id, *drained));
            }
            Op::Replace(id) => {
                let (id, payload) = (identity(*id), self.next_payload());
                let old = self.ring.replace(Node::new(id.clone(), payload));
                agree(
                    old.map(|node| node.payload),
                    self.oracle.replace(&id, payload),
                );
            }
            Op::Clear => {
                self.ring.clear();
                self.oracle.clear();
            }
            Op::Fork => self.kept = Some((self.ring.clone(), self.oracle.clone())),
            Op::Swap => {
                if let Some((ring, oracle)) = &mut self.kept {
                    std::mem::swap(&mut self.ring, ring);
                    std::mem::swap(&mut self.oracle, oracle);
                }
            }
        }
    }

    /// All that can be seen of the ring is what the oracle says.
    pub fn compare(&mut self) {
        let World {
            ring,
            oracle,
            random,
            ..
        } = self;
        assert_eq!(ring.len(), oracle.members().len());
        assert_eq!(ring.is_empty(), oracle.members().is_empty());
        assert_eq!(ring.point_count(), oracle.point_count());
        let members = ring
            .members()
            .map(|m| (m.node.id.clone(), m.node.payload, m.weight, m.drained));
        let expected = oracle
            .members()
            .iter()
            .map(|(id, s)| (id.clone(), s.payload, s.weight, s.drained));
        assert!(members.eq(expected), "members");
        assert!(
            ring.nodes()
                .map(|node| &node.id)
                .eq(oracle.members().keys()),
            "nodes"
        );

        let id = identity(random.next() as u8);
        let state = oracle.members().get(&id);
        assert_eq!(ring.contains(&id), state.is_some());
        assert_eq!(
            ring.get(&id).map(|node| node.payload),
            state.map(|s| s.payload)
        );
        assert_eq!(ring.weight(&id), state.map(|s| s.weight));
        assert_eq!(ring.is_drained(&id), state.map(|s| s.drained));
        assert_eq!(ring.member(&id).map(|m| m.weight), state.map(|s| s.weight));

        let arcs = oracle.arcs();
        let seen = ring.arcs().map(|arc| {
            (
                arc.range.first().get(),
                arc.range.last().get(),
                &*arc.node.id,
            )
        });
        assert!(seen.eq(arcs.iter().copied()), "arcs");
        let measure = |id: &[u8]| -> u128 {
            let own = arcs.iter().filter(|arc| arc.2 == id);
            own.map(|&(first, last, _)| u128::from(last - first) + 1)
                .sum()
        };
        assert_eq!(ring.measure(&id), state.map(|_| measure(&id)));

        let tokens = oracle.tokens();
        let mut probes = vec![0, u64::MAX, random.next(), random.next()];
        for _ in 0..6.min(tokens.len()) {
            let token = *random.pick(&tokens);
            probes.extend([token.wrapping_sub(1), token, token.wrapping_add(1)]);
        }
        for &probe in &probes {
            let owner = ring.route_token(Token::new(probe));
            assert_eq!(
                owner.map(|node| &*node.id),
                oracle.owner(probe),
                "owner of {probe:#x}"
            );
        }
        for _ in 0..3 {
            let probe = *random.pick(&probes);
            let mut order = Vec::new();
            ring.pick(Token::new(probe), &mut |node| {
                order.push(&*node.id);
                false
            });
            assert_eq!(order, oracle.preference(probe), "preference of {probe:#x}");
        }

        let keys: Vec<Vec<u8>> = (0..4).map(|len| random.bytes(len * len)).collect();
        let mut owners = Vec::new();
        ring.route_batch(&keys, &mut owners);
        for (key, batched) in keys.iter().zip(owners) {
            let token = oracle.token(key);
            assert_eq!(ring.token(key).get(), token);
            assert_eq!(ring.route(key).map(|node| &*node.id), oracle.owner(token));
            assert_eq!(batched, ring.route(key));
            let order = oracle.preference(token);
            assert!(
                ring.preference(key)
                    .map(|node| &*node.id)
                    .eq(order.iter().copied())
            );
            let n = random.below(6);
            let replicas = ring.replicas(key, n);
            assert!(
                replicas
                    .iter()
                    .map(|node| &*node.id)
                    .eq(order.iter().copied().take(n))
            );
        }
    }

    fn rows(&mut self, rows: &[(u8, u8)]) -> Vec<Row> {
        let rows = rows.iter();
        rows.map(|&(id, w)| (identity(id), weight(w), self.next_payload()))
            .collect()
    }

    fn next_payload(&mut self) -> u32 {
        self.payload += 1;
        self.payload
    }
}

fn node((id, _, payload): &Row) -> Node {
    Node::new(id.clone(), *payload)
}

fn weighted(rows: &[Row]) -> impl Iterator<Item = (Node, u32)> {
    rows.iter().map(|row| (node(row), row.1))
}

fn seen(changes: Changes<Node>) -> (usize, usize, Vec<(Vec<u8>, u32)>) {
    let (added, reweighted, removed) = (changes.added(), changes.reweighted(), changes.removed());
    assert_eq!(changes.is_empty(), added + reweighted + removed == 0);
    let removed = changes.into_removed().into_iter();
    (
        added,
        reweighted,
        removed.map(|node| (node.id, node.payload)).collect(),
    )
}

/// Both did it with the same result, or the ring refused it for one of the faults there are.
fn agree<T: PartialEq + std::fmt::Debug>(
    done: Result<T, NodeError>,
    expected: Result<T, Vec<Fault>>,
) {
    match (done, expected) {
        (Ok(done), Ok(expected)) => assert_eq!(done, expected),
        (Err(error), Err(faults)) => {
            let named = faults.iter().any(|fault| names(&error, fault));
            assert!(named, "{error} does not say any of {faults:?}");
        }
        (done, expected) => panic!("the ring says {done:?}, the oracle {expected:?}"),
    }
}

fn names(error: &NodeError, fault: &Fault) -> bool {
    match (error, fault) {
        (NodeError::Duplicate { node, .. }, Fault::Duplicate(id))
        | (NodeError::Unknown { node, .. }, Fault::Unknown(id))
        | (NodeError::ZeroWeight { node, .. }, Fault::ZeroWeight(id)) => *node == shown(id),
        (NodeError::EmptyIdentity, Fault::EmptyIdentity) => true,
        (
            NodeError::TooManyPoints {
                points, max_points, ..
            },
            Fault::TooManyPoints,
        ) => *points > *max_points as u128 && *max_points == usize::from(World::MAX_POINTS),
        _ => false,
    }
}

/// How an error should show the identities above.
fn shown(id: &[u8]) -> String {
    match std::str::from_utf8(id) {
        Ok(text) if text.len() > 64 => format!("{}… ({} bytes)", &text[..64], text.len()),
        Ok(text) if !text.contains('\0') => text.to_string(),
        _ => id
            .iter()
            .fold("0x".to_string(), |hex, byte| format!("{hex}{byte:02x}")),
    }
}
