//! Changes a store of 22 nodes while two clients read and write: three replicas of each key, moves
//! from a queue, and a crash of the coordinator in the middle. No read is old and no value is lost.
//!
//! ```sh
//! cargo run --example migrate
//! ```

use clockwise::migration::{EpochsProgress, Progress};
use clockwise::{Epochs, HashRing, Move, Stage, Token, TokenRange};
use std::collections::HashMap;
use std::error::Error;

const REPLICAS: usize = 3;
const KEYS: u64 = 5_000;

type Ring = HashRing<String>;
type Client<'a> = Epochs<&'a Ring>;

/// A value with its version. A delete is a version without a value.
type Versioned = (u64, Option<String>);

/// What every node stores, and what a correct store would answer.
#[derive(Default)]
struct Store {
    nodes: HashMap<String, HashMap<u64, Versioned>>,
    truth: HashMap<u64, Versioned>,
    clock: u64,
    reads: u64,
}

impl Store {
    /// A node keeps the newer version, of a write and of a copy alike.
    fn merge(&mut self, node: &str, key: u64, new: &Versioned) {
        let stored = self.nodes.entry(node.to_string()).or_default();
        let own = stored.entry(key).or_default();
        if own.0 < new.0 {
            *own = new.clone();
        }
    }

    /// Puts a key, or deletes it now and then. Acknowledged when all of `nodes` have it.
    fn write(&mut self, nodes: &[&String], key: u64) {
        self.clock += 1;
        let value = (self.clock % 5 > 0).then(|| format!("value {}", self.clock));
        let value = (self.clock, value);
        for node in nodes {
            self.merge(node, key, &value);
        }
        self.truth.insert(key, value);
    }

    /// Reads a key from each replica that a client may ask.
    fn read(&mut self, nodes: &[&String], key: u64) {
        for node in nodes {
            let stored = self.nodes.get(*node).and_then(|stored| stored.get(&key));
            let found = stored.and_then(|(_, value)| value.as_ref());
            assert_eq!(found, self.truth[&key].1.as_ref(), "key {key} on {node}");
            self.reads += 1;
        }
    }

    /// Some writes and reads by each client.
    fn traffic(&mut self, clients: &[&Client<'_>]) {
        for i in 0..60 {
            let client = clients[i % clients.len()];
            let key = self.clock.wrapping_mul(0x9e37_79b9) % KEYS;
            self.write(&client.writes(&key), key);
            for client in clients {
                self.read(&client.reads(&key), key);
                let other = (key + 1 + i as u64) % KEYS;
                self.read(&client.reads(&other), other);
            }
        }
    }

    /// Copies a range of tokens. Writes wait for all replicas, so any old one could give it.
    fn copy(&mut self, step: &Move<String>, token: impl Fn(u64) -> Token, client: &Client<'_>) {
        let Some(to) = &step.to else { return };
        for key in (0..KEYS).filter(|&key| step.range.contains(token(key))) {
            let from = step.from.as_ref().unwrap_or(client.old_replicas(&key)[0]);
            if let Some(value) = self.nodes[from].get(&key).cloned() {
                self.merge(to, key, &value);
            }
        }
    }
}

/// What the coordinator writes to disk. With the feature `serde` both can be serialised.
struct Disk {
    plan: Progress,
    epochs: EpochsProgress,
}

fn main() -> Result<(), Box<dyn Error>> {
    let nodes = (1..=22).map(|i| (format!("store-{i:02}"), 1 + i % 4));
    let old = HashRing::builder().virtual_nodes(32).from_weighted(nodes)?;
    // Two nodes join, one leaves, one gets twice the weight.
    let mut new = old.clone();
    new.insert_weighted("store-23".to_string(), 2)?;
    new.insert_weighted("store-24".to_string(), 3)?;
    new.drain("store-05")?;
    new.set_weight("store-08", 2)?;
    let migration = old.diff_replicas(&new, REPLICAS)?;
    println!("{migration}\n");

    let mut store = Store::default();
    for key in 0..KEYS {
        store.write(&old.replicas(&key, REPLICAS), key);
    }
    let token = |key: u64| old.token(&key);

    // Step 1: both clients know the epochs. Every range is in Copying.
    let fresh = || Epochs::new(&old, &new).with_replicas(REPLICAS);
    let (mut first, mut second) = (fresh(), fresh());
    let mut plan = migration.plan(4)?;
    let mut disk = Disk {
        plan: plan.progress(),
        epochs: first.progress(),
    };

    let (mut under_way, mut copies, mut crashed) = (Vec::new(), 0, false);
    loop {
        while let Some(step) = plan.start() {
            under_way.push(step);
        }
        let Some(step) = under_way.pop() else { break };
        store.copy(&step, token, &first);
        copies += 1;

        // The coordinator dies in the middle. The copy is made, but nothing says so.
        if !crashed && plan.fraction() > 0.5 {
            crashed = true;
            under_way.clear();
            plan = migration.plan(4)?;
            plan.resume(&disk.plan)?;
            first = fresh();
            first.resume(&disk.epochs)?;
            println!("crashed, and resumed: {plan}");
            continue;
        }

        assert!(plan.complete(&step));
        disk.plan = plan.progress();
        if plan.remaining() % 500 == 0 {
            let percent = 100.0 * plan.fraction();
            println!(
                "{percent:>5.1} % of the data copied, {} moves left",
                plan.remaining()
            );
        }
        // A step of the protocol: store it, apply it in one client after the other.
        if plan.remaining() % 50 == 0 {
            for range in plan.completed_ranges() {
                first.advance(range, Stage::Copied)?;
            }
            disk.epochs = first.progress();
            store.traffic(&[&first, &second]);
            for range in plan.completed_ranges() {
                second.advance(range, Stage::Copied)?;
            }
        }
        store.traffic(&[&first, &second]);
    }

    // The last steps: what did not move advances, too, and then everything is done.
    for stage in [Stage::Copied, Stage::Done] {
        first.advance(TokenRange::ALL, stage)?;
        store.traffic(&[&first, &second]);
        second.advance(TokenRange::ALL, stage)?;
        store.traffic(&[&first, &second]);
    }
    // Every client has acknowledged Done: drop the old data.
    for key in 0..KEYS {
        let stay = first.new_replicas(&key);
        for node in first.old_replicas(&key) {
            if !stay.contains(&node) {
                store.nodes.get_mut(node).ok_or("unknown")?.remove(&key);
            }
        }
        store.read(&stay, key);
    }
    let placed: usize = store.nodes.values().map(HashMap::len).sum();
    assert_eq!(placed, KEYS as usize * REPLICAS);
    assert_eq!(store.nodes["store-05"].len(), 0);
    first.into_new()?;
    println!(
        "{} moves, {copies} copies, {} reads: 0 old, 0 lost",
        migration.moves().len(),
        store.reads
    );
    Ok(())
}
