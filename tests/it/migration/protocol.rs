//! Processes at most one stage apart never read an old or a deleted value, and lose none.

use crate::common::cluster::{Cluster, Process, Ring, Wait, changes};
use crate::common::random::Rng;
use crate::common::scaled;
use clockwise::{Epochs, HashRing, Move, Stage, TokenRange};

const KEYS: u64 = 20_000;
const NODES: u32 = 18;
const STAGES: [Stage; 3] = [Stage::Copying, Stage::Copied, Stage::Done];

/// A process one step further: at first without epochs, then in each stage.
fn step<'a>(process: &mut Process<'a>, new: &'a Ring, new_n: usize, stage: Stage) {
    match process {
        Process::Before(old, n) => {
            let epochs = Epochs::new(*old, new).with_replicas_between(*n, new_n);
            *process = Process::Forward(epochs);
        }
        Process::Forward(epochs) => epochs.advance(TokenRange::ALL, stage).unwrap(),
    }
}

/// Runs a change with two processes, all ranges together. Returns the number of reads.
fn two_processes(old: &Ring, new: &Ring, (old_n, new_n): (usize, usize), wait: Wait) -> usize {
    let mut random = Rng::new(old_n as u64 * 10 + new_n as u64);
    let random = &mut random;
    let mut cluster = Cluster::new(NODES, KEYS, old, old_n, wait);
    let mut plan = old
        .diff_replicas_between(new, old_n, new_n)
        .unwrap()
        .plan(4)
        .unwrap();
    let mut processes = [Process::Before(old, old_n), Process::Before(old, old_n)];
    for stage in STAGES {
        if stage == Stage::Copied {
            // Both are in Copying: copy, while they go on.
            while let Some(m) = plan.start() {
                cluster.copy(random, &m, old, old_n);
                let keys = cluster.keys_of(m.range);
                let some = keys.filter(|key| key % 7 == 0).take(3);
                cluster.traffic(random, &processes, some);
                assert!(plan.complete(&m));
            }
            assert!(plan.is_complete());
            if wait == Wait::Quorum && new_n < old_n {
                cluster.copy_to_all(random, (old, old_n), (new, new_n));
            }
        }
        let ahead = random.below_u64(2) as usize;
        step(&mut processes[ahead], new, new_n, stage);
        cluster.traffic(random, &processes, 0..KEYS as usize);
        step(&mut processes[1 - ahead], new, new_n, stage);
        cluster.traffic(random, &processes, (0..KEYS as usize).step_by(10));
    }
    cluster.drop_old(TokenRange::ALL, (old, old_n), (new, new_n));
    cluster.traffic(random, &processes, 0..KEYS as usize);
    cluster.is_placed_as(new, new_n);
    cluster.reads
}

#[test]
fn no_pair_of_adjacent_stages_reads_an_old_value() {
    for (name, old, new) in changes() {
        for n in 1..=3 {
            let reads = two_processes(&old, &new, (n, n), Wait::All);
            println!("{name}, {n} replicas: {reads} reads, 0 stale");
        }
    }
}

#[test]
fn quorums_of_each_side_read_no_old_value_either() {
    for (name, old, new) in changes() {
        for n in [2, 3] {
            let reads = two_processes(&old, &new, (n, n), Wait::Quorum);
            println!("{name}, quorums of {n}: {reads} reads, 0 stale");
        }
    }
}

#[test]
fn nor_does_a_change_of_the_number_of_replicas() {
    for (name, old, new) in changes() {
        for (old_n, new_n) in [(2, 3), (3, 2), (1, 3)] {
            let reads = two_processes(&old, &new, (old_n, new_n), Wait::All);
            println!("{name}, {old_n} replicas to {new_n}: {reads} reads, 0 stale");
        }
        for between in [(2, 3), (3, 2), (3, 1)] {
            two_processes(&old, &new, between, Wait::Quorum);
        }
    }
}

/// Each range in its own stage, one process one range behind the other, moves in the order of the
/// plan, with a crash of the first at every point: after a copy, after the plan was stored, after
/// the epochs were stored. Each move is copied once or twice, none is forgotten.
#[test]
fn a_crash_at_every_step_of_a_plan_of_2000_moves_is_harmless() {
    const N: usize = 2;
    let old: Ring = HashRing::builder()
        .virtual_nodes(200)
        .from_nodes(0..16)
        .unwrap();
    let mut new = old.clone();
    new.insert(16).unwrap();
    new.set_weight(&3u32, 10).unwrap();
    new.drain(&7u32).unwrap();
    let migration = old.diff_replicas(&new, N).unwrap();
    let total = migration.moves().len();
    assert!(total >= 2000, "{total} moves");

    let random = &mut Rng::new(3);
    let mut cluster = Cluster::new(17, KEYS, &old, N, Wait::All);
    let fresh = || Epochs::new(&old, &new).with_replicas(N);
    let (first_plan, mut epochs) = (migration.plan(4).unwrap(), fresh());
    let mut plan = first_plan.clone();
    let (mut stored_plan, mut stored_epochs) = (plan.progress(), epochs.progress());
    let mut other = Process::Forward(epochs.clone());
    let mut copied = vec![0; total];
    let number = |m: &Move<u32>| {
        let moves = migration.moves();
        let at = moves.map(Move::cloned).position(|other| other == *m);
        at.unwrap()
    };
    let mut crashes = 0;
    // What is left after a crash: what was stored.
    let restart = |stored_plan: &_, stored_epochs: &_| {
        let (mut plan, mut epochs) = (first_plan.clone(), fresh());
        plan.resume(stored_plan).unwrap();
        epochs.resume(stored_epochs).unwrap();
        assert_eq!(plan.in_flight(), 0);
        (plan, epochs)
    };
    while let Some(m) = plan.start() {
        copied[number(&m)] += 1;
        cluster.copy(random, &m, &old, N);
        let point = random.below_u64(4);
        crashes += usize::from(point < 3);
        if point == 0 {
            // The copy is made, but nothing says so: the move starts again.
            (plan, epochs) = restart(&stored_plan, &stored_epochs);
            assert!(!plan.complete(&m), "it is not under way");
            continue;
        }
        assert!(plan.complete(&m));
        stored_plan = plan.progress();
        if point == 1 {
            (plan, epochs) = restart(&stored_plan, &stored_epochs);
        }
        // Store the epochs, then advance, in one process after the other.
        if plan.completed_ranges().any(|range| range == m.range) {
            epochs.advance(m.range, Stage::Copied).unwrap();
            stored_epochs = epochs.progress();
        }
        let keys = cluster.keys_of(m.range);
        let one = Process::Forward(epochs.clone());
        cluster.traffic(random, &[one, other], keys);
        if point == 2 {
            (plan, epochs) = restart(&stored_plan, &stored_epochs);
        }
        assert_eq!(epochs.progress(), stored_epochs);
        other = Process::Forward(epochs.clone());
    }
    assert!(plan.is_complete() && crashes >= total);
    let once = copied.iter().filter(|&&times| times == 1).count();
    assert!(copied.iter().all(|&times| times > 0) && once > total / 2);
    let all = plan
        .completed_ranges()
        .all(|range| epochs.stage(range.first()) == Stage::Copied);
    assert!(all, "no range is forgotten");
    println!(
        "{total} moves, {crashes} crashes, {once} copied once, {} reads",
        cluster.reads
    );

    for stage in [Stage::Copied, Stage::Done] {
        epochs.advance(TokenRange::ALL, stage).unwrap();
        let both = [Process::Forward(epochs.clone()), other.clone()];
        cluster.traffic(random, &both, 0..KEYS as usize);
        other = both[0].clone();
    }
    cluster.drop_old(TokenRange::ALL, (&old, N), (&new, N));
    cluster.is_placed_as(&new, N);
    assert!(epochs.into_new().is_ok());
}

/// Ranges in every stage, then back. What was written since a range was `Done` is copied back.
#[test]
fn a_reversal_from_any_mixture_reads_no_old_value_and_restores_the_old_placement() {
    const KEYS: usize = 2000;
    for run in 0..scaled(24, 24, 200) as u64 {
        let random = &mut Rng::new(run);
        let (_, old, new) = changes().swap_remove(random.below_u64(4) as usize);
        let n = 1 + random.below_u64(3) as usize;
        let mut cluster = Cluster::new(NODES, KEYS as u64, &old, n, Wait::All);
        let mut plan = old.diff_replicas(&new, n).unwrap().plan(2).unwrap();
        let mut epochs = Epochs::new(&old, &new).with_replicas(n);
        while let Some(m) = plan.start() {
            if random.below_u64(3) == 0 {
                continue; // it stays under way for ever: this node died
            }
            cluster.copy(random, &m, &old, n);
            plan.complete(&m);
        }
        let mut was_done = Vec::new();
        for range in plan.completed_ranges() {
            for (stage, part) in [(Stage::Copied, 3), (Stage::Done, 2)] {
                if random.below_u64(part) == 0 {
                    break;
                }
                epochs.advance(range, stage).unwrap();
                if stage == Stage::Done {
                    was_done.push(range);
                    if random.below_u64(2) == 0 {
                        cluster.drop_old(range, (&old, n), (&new, n));
                    }
                }
            }
        }
        let forward = [Process::Forward(epochs.clone())];
        cluster.traffic(random, &forward, 0..KEYS);

        // The processes reverse one by one. For those that are ahead `old` is the new side.
        let mut back = epochs.clone().reverse();
        let both = [forward[0].clone(), Process::Forward(back.clone())];
        cluster.traffic(random, &both, 0..KEYS);
        let mut moves = new.diff_replicas(&old, n).unwrap().plan(4).unwrap();
        while let Some(m) = moves.start() {
            if was_done.contains(&m.range) {
                cluster.copy(random, &m, &new, n);
            }
            moves.complete(&m);
        }
        for stage in [Stage::Copied, Stage::Done] {
            let before = Process::Forward(back.clone());
            back.advance(TokenRange::ALL, stage).unwrap();
            let both = [before, Process::Forward(back.clone())];
            cluster.traffic(random, &both, 0..KEYS);
        }
        cluster.drop_old(TokenRange::ALL, (&new, n), (&old, n));
        cluster.is_placed_as(&old, n);
        assert_eq!(back.into_new().unwrap().fingerprint(), old.fingerprint());
    }
}
