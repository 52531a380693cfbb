//! A cluster in memory: what each node stores of each key, and what was written last.

use super::random::Rng;
use clockwise::{Epochs, HashRing, Move, Stage, Strategy, Token, TokenRange};

pub(crate) type Ring = HashRing<u32>;

/// A version times two, and one more unless it is a delete. So the greater one is the newer one,
/// and 0 is nothing.
pub(crate) type Value = u64;

fn visible(value: Value) -> Option<Value> {
    (value % 2 == 1).then_some(value)
}

/// Where a process reads and writes.
#[derive(Clone)]
pub(crate) enum Process<'a> {
    /// It has no epochs yet.
    Before(&'a Ring, usize),
    Forward(Epochs<&'a Ring>),
}

impl Process<'_> {
    /// The replicas that are read, in order.
    pub(crate) fn reads(&self, token: Token) -> Vec<u32> {
        match self {
            Process::Before(ring, n) => first(ring, token, *n),
            Process::Forward(epochs) => epochs.reads_token(token).into_iter().copied().collect(),
        }
    }

    /// The replicas that are written, all of them.
    pub(crate) fn writes(&self, token: Token) -> Vec<u32> {
        match self {
            Process::Before(ring, n) => first(ring, token, *n),
            Process::Forward(epochs) => epochs.writes_token(token).into_iter().copied().collect(),
        }
    }

    /// The sides that a write needs a quorum of.
    pub(crate) fn sides(&self, token: Token) -> Vec<Vec<u32>> {
        let owned = |nodes: Vec<&u32>| nodes.into_iter().copied().collect();
        match self {
            Process::Before(ring, n) => vec![first(ring, token, *n)],
            Process::Forward(epochs) => {
                let new = owned(epochs.new_replicas_token(token));
                match epochs.stage(token) {
                    Stage::Done => vec![new],
                    _ => vec![owned(epochs.old_replicas_token(token)), new],
                }
            }
        }
    }
}

pub(crate) fn first(ring: &Ring, token: Token, n: usize) -> Vec<u32> {
    ring.preference_token(token).take(n).copied().collect()
}

/// How many replicas an operation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A write for all, a read for any one.
    All,
    /// Both for more than half of a side.
    Quorum,
}

pub(crate) struct Cluster {
    /// In ascending order.
    pub(crate) tokens: Vec<Token>,
    /// What was written last, by key.
    truth: Vec<Value>,
    /// By node, by key.
    stores: Vec<Vec<Value>>,
    clock: u64,
    wait: Wait,
    pub(crate) reads: usize,
}

impl Cluster {
    /// A cluster of so many nodes, in which each key is stored on `n` nodes of `ring`.
    pub(crate) fn new(nodes: u32, keys: u64, ring: &Ring, n: usize, wait: Wait) -> Self {
        let mut tokens: Vec<Token> = (0..keys)
            .map(|key| ring.token_of(&key.to_le_bytes()))
            .collect();
        tokens.sort_unstable();
        let mut cluster = Cluster {
            truth: vec![0; tokens.len()],
            stores: vec![vec![0; tokens.len()]; nodes as usize],
            tokens,
            clock: 0,
            wait,
            reads: 0,
        };
        let mut random = Rng::new(1);
        for key in 0..cluster.tokens.len() {
            cluster.write(&mut random, &Process::Before(ring, n), key);
        }
        cluster
    }

    /// Puts the key, or deletes it one time in four.
    pub(crate) fn write(&mut self, random: &mut Rng, process: &Process<'_>, key: usize) {
        self.clock += 1;
        let value = self.clock * 2 + u64::from(random.below_u64(4) > 0);
        self.truth[key] = value;
        let token = self.tokens[key];
        match self.wait {
            Wait::All => {
                for node in process.writes(token) {
                    self.merge(node, key, value);
                }
            }
            Wait::Quorum => {
                for side in process.sides(token) {
                    for node in quorum(random, side) {
                        self.merge(node, key, value);
                    }
                }
            }
        }
    }

    /// Reads the key from each node that a read may ask, and asserts that it is what was written
    /// last.
    pub(crate) fn read(&mut self, random: &mut Rng, process: &Process<'_>, key: usize) {
        let nodes = process.reads(self.tokens[key]);
        assert!(!nodes.is_empty());
        let truth = visible(self.truth[key]);
        self.reads += 1;
        match self.wait {
            Wait::All => {
                for node in nodes {
                    let found = visible(self.stores[node as usize][key]);
                    assert_eq!(found, truth, "key {key} on node {node}");
                }
            }
            Wait::Quorum => {
                let asked = quorum(random, nodes);
                let answers = asked.iter().map(|&node| self.stores[node as usize][key]);
                assert_eq!(
                    visible(answers.max().unwrap()),
                    truth,
                    "key {key} on {asked:?}"
                );
            }
        }
    }

    /// One operation by each process on each of these keys.
    pub(crate) fn traffic(
        &mut self,
        random: &mut Rng,
        processes: &[Process<'_>],
        keys: impl Iterator<Item = usize>,
    ) {
        for key in keys {
            let writer = random.below_u64(processes.len() as u64 + 1) as usize;
            if let Some(writer) = processes.get(writer) {
                self.write(random, writer, key);
            }
            for process in processes {
                self.read(random, process, key);
            }
        }
    }

    fn merge(&mut self, node: u32, key: usize, value: Value) {
        let own = &mut self.stores[node as usize][key];
        *own = value.max(*own);
    }

    pub(crate) fn keys_of(&self, range: TokenRange) -> std::ops::Range<usize> {
        let begin = self.tokens.partition_point(|&token| token < range.first());
        begin..self.tokens.partition_point(|&token| token <= range.last())
    }

    /// Copies what a move says. Without a giver, what a quorum of the old side has.
    pub(crate) fn copy(&mut self, random: &mut Rng, m: &Move<u32>, old: &Ring, old_n: usize) {
        let Some(to) = m.to else { return };
        for key in self.keys_of(m.range) {
            let from = match m.from {
                Some(from) => vec![from],
                None => quorum(random, first(old, self.tokens[key], old_n)),
            };
            let newest = from
                .iter()
                .map(|&node| self.stores[node as usize][key])
                .max();
            self.merge(to, key, newest.unwrap());
        }
    }

    /// Copies what a quorum of the old replicas has to every new replica, also to those that stay.
    pub(crate) fn copy_to_all(
        &mut self,
        random: &mut Rng,
        (old, old_n): (&Ring, usize),
        (new, new_n): (&Ring, usize),
    ) {
        for key in 0..self.tokens.len() {
            let from = quorum(random, first(old, self.tokens[key], old_n));
            let newest = from
                .iter()
                .map(|&node| self.stores[node as usize][key])
                .max();
            for to in first(new, self.tokens[key], new_n) {
                self.merge(to, key, newest.unwrap());
            }
        }
    }

    /// Drops a range on the old replicas that are not new ones.
    pub(crate) fn drop_old(
        &mut self,
        range: TokenRange,
        (old, old_n): (&Ring, usize),
        (new, new_n): (&Ring, usize),
    ) {
        for key in self.keys_of(range) {
            let stay = first(new, self.tokens[key], new_n);
            for node in first(old, self.tokens[key], old_n) {
                if !stay.contains(&node) {
                    self.stores[node as usize][key] = 0;
                }
            }
        }
    }

    /// Asserts that nothing is stored outside of a ring's replicas, and that these have everything.
    pub(crate) fn is_placed_as(&self, ring: &Ring, n: usize) {
        for (key, &token) in self.tokens.iter().enumerate() {
            let replicas = first(ring, token, n);
            for (node, store) in self.stores.iter().enumerate() {
                let stored = visible(store[key]);
                if replicas.contains(&(node as u32)) {
                    if self.wait == Wait::All {
                        assert_eq!(stored, visible(self.truth[key]), "key {key} on {node}");
                    }
                } else {
                    assert_eq!(store[key], 0, "key {key} on {node}");
                }
            }
        }
    }
}

/// More than half of the nodes, at random.
fn quorum(random: &mut Rng, mut nodes: Vec<u32>) -> Vec<u32> {
    let wanted = nodes.len() / 2 + 1;
    while nodes.len() > wanted {
        nodes.swap_remove(random.below_u64(nodes.len() as u64) as usize);
    }
    nodes
}

/// Every kind of change of a ring of 16 nodes, 0 to 15, of weights 1 to 3. Others are 16 and above.
pub(crate) fn changes() -> Vec<(&'static str, Ring, Ring)> {
    let weighted = (0..16).map(|i| (i, 1 + i % 3));
    let mut old = HashRing::builder().virtual_nodes(16).build().unwrap();
    old.extend_weighted(weighted).unwrap();
    let change = |change: &dyn Fn(&mut Ring)| {
        let mut new = old.clone();
        change(&mut new);
        new
    };
    vec![
        ("add", old.clone(), change(&|ring| ring.insert(16).unwrap())),
        (
            "drain",
            old.clone(),
            change(&|ring| ring.drain(&3u32).unwrap()),
        ),
        (
            "replace",
            old.clone(),
            change(&|ring| {
                ring.remove(&5u32).unwrap();
                ring.insert_weighted(17, 2).unwrap();
            }),
        ),
        (
            "reweight",
            old.clone(),
            change(&|ring| {
                ring.set_weight(&7u32, 5).unwrap();
                ring.set_weight(&8u32, 1).unwrap();
            }),
        ),
    ]
}
