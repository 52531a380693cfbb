//! Checks every answer against a linear scan over (token, owner), with points and keys in difficult
//! places.

use super::index::Shape;
use super::*;
use crate::hash::{KeyHasher, Xxh3};
use alloc::{collections::BTreeMap, vec};

/// An emulator runs fewer cases.
const FAST: bool = option_env!("CLOCKWISE_FAST").is_some();

/// Returns a number that looks random and is the same in every run.
fn mixed(i: u64) -> u64 {
    Xxh3::new().hash_bytes(&i.to_le_bytes())
}

/// Finds the answer by looking at every point.
struct Scan {
    /// Sorted by token, then owner.
    points: Vec<(u64, u32)>,
}

impl Scan {
    fn new(points: &[(u64, u32)]) -> Scan {
        let mut points = points.to_vec();
        points.sort_unstable();
        Scan { points }
    }

    fn successor(&self, token: u64) -> Option<usize> {
        let found = self.points.iter().position(|&(point, _)| point >= token);
        found.or((!self.points.is_empty()).then_some(0))
    }

    fn owner_of(&self, token: u64) -> Option<u32> {
        self.successor(token).map(|p| self.points[p].1)
    }
}

/// Returns points of owners 0, 1, 2, …, each with the tokens that were dealt to it.
fn points_of(points: &[(u64, u32)]) -> Points {
    let owners = points
        .iter()
        .map(|&(_, owner)| owner + 1)
        .max()
        .unwrap_or(0);
    let mut built = Points::new();
    built.change(&[], run_of(points, 0..owners), owners as usize);
    built
}

fn run_of(points: &[(u64, u32)], owners: impl IntoIterator<Item = u32>) -> Run {
    let mut by_owner: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for &(token, owner) in points {
        by_owner.entry(owner).or_default().push(token);
    }
    let (mut tokens, mut counts) = (Vec::new(), Vec::new());
    for owner in owners {
        let own = by_owner.remove(&owner).unwrap_or_default();
        counts.push((owner, own.len() as u32));
        tokens.extend(own);
    }
    Run::sorted(&tokens, &counts)
}

fn random(seed: u64) -> impl Iterator<Item = u64> {
    (1..).map(move |i: u64| mixed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i))
}

/// Turns a random number into a token.
type Place = fn(u64) -> u64;

/// Distributions of points.
const PLACES: [(&str, Place); 12] = [
    ("uniform", |r| r),
    ("all at 0", |_| 0),
    ("all at MAX", |_| u64::MAX),
    ("all in one place", |_| 0x1234_5678_9abc_def0),
    ("at 0 and MAX", |r| if r % 2 == 0 { 0 } else { u64::MAX }),
    ("around 0", |r| (r % 8).wrapping_sub(4)),
    ("adjacent", |r| 0x8000_0000_0000_0000 - 50 + r % 100),
    ("one high half", |r| 0xdead_beef_0000_0000 | r >> 32),
    ("the last high half", |r| 0xffff_ffff_0000_0000 | r >> 32),
    ("two high halves that meet", |r| {
        0x7fff_ffff_ffff_fff0 + r % 32
    }),
    ("one arc of 2^-20", |r| 0xabcd_e000_0000_0000 | r >> 20),
    ("8 bits", |r| r & 0xff << 56),
];

/// Returns tokens to ask for: at, before and after points, the ends, and halves and boundaries of
/// cells.
fn questions(points: &[(u64, u32)], seed: u64) -> Vec<u64> {
    let mut questions = vec![0, 1, u64::MAX, u64::MAX - 1, 1 << 63];
    for i in 0..points.len().min(40) {
        let token = points[i * points.len() / points.len().min(40)].0;
        questions.extend([token, token.wrapping_sub(1), token.wrapping_add(1)]);
        // Half a lap away, for laps of many sizes.
        let half = 1u64 << (63 - i % 20);
        questions.extend([
            token.wrapping_add(half),
            token.wrapping_sub(half),
            token ^ half,
        ]);
    }
    for cells in [points.len(), 2 * points.len(), 4 * points.len()] {
        let cells = cells.next_power_of_two().max(32) as u64;
        let width = u64::MAX / cells + 1;
        for cell in [1, cells / 2, cells - 1] {
            questions.extend([cell * width, cell * width - 1]);
        }
    }
    questions.extend(random(seed).take(20));
    questions
}

fn assert_is_the_scan(points: &Points, expected: &[(u64, u32)], seed: u64, what: &str) {
    let scan = Scan::new(expected);
    assert_eq!(points.len(), expected.len(), "{what}");
    assert!(
        points.iter().eq(scan.points.iter().copied()),
        "{what}: in order"
    );
    for token in questions(expected, seed) {
        let owner = scan.owner_of(token);
        assert_eq!(points.owner_of(token), owner, "{what}: {token:#x}");
        let mut walk = points.walk(token);
        let Some(at) = scan.successor(token) else {
            assert_eq!((walk.next(), walk.next()), (None, None), "{what}");
            continue;
        };
        let round = scan.points[at..]
            .iter()
            .chain(&scan.points)
            .chain(&scan.points);
        let steps = (2 * expected.len() + 1).min(80);
        let met = walk.take(steps);
        assert!(
            met.eq(round.map(|&(_, owner)| owner).take(steps)),
            "{what}: walk from {token:#x}"
        );
    }
}

#[test]
fn no_points_have_no_owner() {
    let points = Points::new();
    assert_eq!((points.len(), points.iter().next()), (0, None));
    assert_eq!(points.owner_of(0), None);
    assert_eq!(points.owner_of(u64::MAX), None);
    assert_eq!(points.walk(7).next(), None);
    assert_eq!(points.start(7), None);
}

#[test]
fn successors_are_those_of_a_linear_scan() {
    for (place, at) in PLACES {
        for count in (1..=9).chain([15, 16, 17, 31, 64, 255, 256, 257, 600]) {
            for &owners in &[7, 1, 2][..if FAST { 1 } else { 3 }] {
                let seed = count + owners;
                let points: Vec<(u64, u32)> = random(seed)
                    .zip(random(!seed))
                    .map(|(r, o)| (at(r), (o % owners) as u32))
                    .take(count as usize)
                    .collect();
                let what = alloc::format!("{count} points {place}, {owners} owners");
                assert_is_the_scan(&points_of(&points), &points, seed, &what);
            }
        }
    }
}

/// Puts many points with few differences beside points before and after them, so that windows end
/// in ties.
#[test]
fn ties_between_other_points_are_settled_in_full() {
    for width in 1..24 {
        for before in 0..6 {
            let tie = (0..width).map(|i| 0x4000_0000_0000_0000 + i / 3);
            let others = (0..before).map(|i| 0x3fff_fff0_0000_0000 + (i << 32));
            let behind = (0..3).map(|i| 0x4000_0001_0000_0000 + (i << 32));
            let points: Vec<(u64, u32)> = tie
                .chain(others)
                .chain(behind)
                .zip((0..).map(|i| i % 5))
                .collect();
            assert_is_the_scan(&points_of(&points), &points, width, "ties");
        }
    }
}

/// The lost bits of a token differ, and those that a slot keeps are equal.
#[test]
fn points_a_whole_lap_apart_are_told_apart() {
    for owners in [1u32, 2, 3, 4, 5, 8, 100, 300] {
        let lap = u64::BITS - owners.next_power_of_two().trailing_zeros();
        let laps = 1u64.checked_shl(u64::BITS - lap).unwrap_or(1).min(64);
        for step in [1, 2, 3, 7] {
            let points: Vec<(u64, u32)> = (0..laps)
                .step_by(step)
                .map(|i| i.checked_shl(lap).unwrap_or(0) | 0x1234)
                .zip((0..owners).cycle())
                .chain([(0x1234, owners - 1)])
                .collect();
            assert_is_the_scan(&points_of(&points), &points, step as u64, "laps");
        }
    }
}

#[test]
fn large_rings_answer_as_a_linear_scan() {
    let owners = [300, 70_000, 2];
    for (&(place, at), owners) in [PLACES[0], PLACES[3], PLACES[7]].iter().zip(owners) {
        let count = if FAST { 10_000 } else { 70_000 };
        let all: Vec<(u64, u32)> = random(5)
            .map(at)
            .zip((0..).map(|i| i % owners))
            .take(count)
            .collect();
        assert_is_the_scan(&points_of(&all), &all, 5, place);
    }
}

/// Puts more than 255 points in a cell and in a group of cells, which are then searched.
#[test]
fn cells_that_hold_more_than_255_points_are_searched() {
    let heap = random(6)
        .map(|r| 0x5555_5555_0000_0000 | r >> 24)
        .take(50_000);
    let points: Vec<(u64, u32)> = heap
        .chain(random(7).take(20_000))
        .zip((0..).map(|i| i % 11))
        .collect();
    assert_is_the_scan(&points_of(&points), &points, 8, "a heap");
}

#[test]
fn a_run_is_sorted_whatever_came_first() {
    for (place, at) in PLACES {
        for count in [0, 1, 2, 511, 512, 1023, 1024, 5000] {
            let mut points: Vec<(u64, u32)> = random(9)
                .map(at)
                .zip((0..).map(|i| i % 13))
                .take(count)
                .collect();
            let forward = run_of(&points, 0..13);
            points.reverse();
            let backward = run_of(&points, (0..13).rev());
            let scan = Scan::new(&points);
            assert!(
                forward.iter().eq(scan.points.iter().copied()),
                "{count} {place}"
            );
            assert!(
                backward.iter().eq(scan.points.iter().copied()),
                "{count} {place}"
            );
        }
    }
}

/// Removes owners, renumbers others and adds some in one change.
#[test]
fn a_change_is_what_a_new_build_would_be() {
    for (place, at) in PLACES {
        for round in 0..if FAST { 4 } else { 40 } {
            let mut choice = random(round);
            let owners = 1 + choice.next().map_or(0, |r| r % 9) as u32;
            let count = choice.next().map_or(0, |r| r % 200) as usize;
            let old: Vec<(u64, u32)> = random(100 + round)
                .map(|r| (at(r), (mixed(r) % u64::from(owners)) as u32))
                .take(count)
                .collect();
            // Some of the new owners are old ones in the old order, and others are new.
            let (mut renumber, mut newcomers, mut next) =
                (vec![None; owners as usize], Vec::new(), 0);
            for place in &mut renumber {
                match choice.next().map_or(0, |r| r % 4) {
                    0 => {}
                    1 => {
                        newcomers.push(next);
                        *place = Some(next + 1);
                        next += 2;
                    }
                    _ => {
                        *place = Some(next);
                        next += 1;
                    }
                }
            }
            newcomers.push(next);
            let added: Vec<(u64, u32)> = random(200 + round)
                .map(at)
                .zip(newcomers.iter().copied().cycle())
                .take((round * 3) as usize)
                .collect();
            let kept = old
                .iter()
                .filter_map(|&(token, owner)| Some((token, renumber[owner as usize]?)));
            let expected: Vec<(u64, u32)> = kept.chain(added.iter().copied()).collect();
            let owners = newcomers[newcomers.len() - 1] + 1;
            let mut changed = points_of(&old);
            changed.change(&renumber, run_of(&added, newcomers), owners as usize);
            assert_is_the_scan(&changed, &expected, round, place);
            assert_is_as_built(&changed, &expected, owners as usize);
        }
    }
}

/// A change leaves what a build of the same points makes, in slots and in index.
fn assert_is_as_built(changed: &Points, points: &[(u64, u32)], owners: usize) {
    let mut built = Points::new();
    built.change(&[], run_of(points, 0..owners as u32), owners);
    assert_eq!(changed.slots, built.slots);
    assert_eq!(changed.index, built.index);
}

#[test]
fn an_index_grows_and_shrinks_with_the_points() {
    let count = if FAST { 8_000 } else { 80_000 };
    let all: Vec<(u64, u32)> = random(10).zip((0..).map(|i| i % 2)).take(count).collect();
    let own = |owner: u32| -> Vec<(u64, u32)> {
        all.iter().copied().filter(|&(_, of)| of == owner).collect()
    };
    let mut points = points_of(&all);
    let groups = points.index.groups.len();
    points.change(&[Some(0), None], Run::default(), 1);
    assert_is_the_scan(&points, &own(0), 1, "first");
    assert_is_as_built(&points, &own(0), 1);
    assert!(points.index.groups.len() < groups);
    assert!(points.slots.capacity() < count * 3 / 4, "gives back room");
    points.change(&[Some(0)], run_of(&own(1), [1]), 2);
    assert_is_the_scan(&points, &all, 2, "again");
    assert_is_as_built(&points, &all, 2);
    points.change(&[None, None], Run::default(), 0);
    assert_eq!((points.len(), points.owner_of(5)), (0, None));
}

/// Adds and removes points in many places, a thousand of them in one cell. The groups that are not
/// counted again must still be right.
#[test]
fn an_index_after_a_change_is_the_one_of_a_new_build() {
    let clustered = |r: u64| 0x7000_0000_0000_0000 | r >> 40;
    let count = if FAST { 10_000 } else { 100_000 };
    let staying: Vec<(u64, u32)> = random(20).map(|token| (token, 0)).take(count).collect();
    for (round, count) in [(1u64, 0), (2, 1), (3, 150), (4, 1000)] {
        let few = |seed: u64| random(seed * 10 + round).take(count);
        let going: Vec<(u64, u32)> = few(1)
            .chain(few(2).map(clustered))
            .map(|token| (token, 1))
            .collect();
        let coming: Vec<(u64, u32)> = few(3)
            .chain(few(4).map(clustered))
            .chain([0, u64::MAX])
            .map(|token| (token, 1))
            .collect();
        let mut changed = points_of(&[&staying[..], &going].concat());
        changed.change(&[Some(0), None], run_of(&coming, [1]), 2);
        assert_is_as_built(&changed, &[&staying[..], &coming].concat(), 2);
    }
}

/// Owners with few points: most cells are further than half a lap from their first point.
#[test]
fn owners_with_few_points_are_found_and_changed() {
    for (owners, each) in [(1000u32, 1), (300, 2), (100, 8), (40, 20)] {
        let owners = if FAST { owners / 10 } else { owners };
        let points: Vec<(u64, u32)> = random(30)
            .zip((0..owners).cycle())
            .take((owners * each) as usize)
            .collect();
        let built = points_of(&points);
        assert_is_the_scan(&built, &points, 30, "few points");
        // Remove every third owner, one by one, from the last.
        let mut changed = built.clone();
        let mut left = points.clone();
        for gone in (0..owners).rev().step_by(3).take(8) {
            let now = left
                .iter()
                .map(|&(_, owner)| owner)
                .max()
                .map_or(0, |max| max + 1);
            let renumber: Vec<Option<u32>> = (0..now)
                .map(|i| (i != gone).then_some(if i > gone { i - 1 } else { i }))
                .collect();
            changed.change(&renumber, Run::default(), now as usize - 1);
            left = left
                .iter()
                .filter_map(|&(token, owner)| Some((token, renumber[owner as usize]?)))
                .collect();
            assert_is_as_built(&changed, &left, now as usize - 1);
        }
    }
}

/// The start of a cell is the number of points before it.
#[test]
fn the_index_counts_the_points_before_each_cell() {
    for (place, at) in PLACES {
        for count in [1, 2, 9, 300] {
            let points: Vec<(u64, u32)> = random(11).map(at).map(|t| (t, 0)).take(count).collect();
            let built = points_of(&points);
            let index = &built.index;
            let cells = (index.groups.len() - 1) * CELLS;
            assert!(cells >= 2 * count, "{place}");
            for cell in 0..cells {
                let group = index.groups[cell / CELLS];
                let before = |&&(token, _): &&(u64, u32)| index.cell_of(token) < cell;
                let before = points.iter().filter(before).count();
                match group.before[cell % CELLS] {
                    SEARCH => {}
                    start => assert_eq!(group.base as usize + usize::from(start), before),
                }
            }
        }
    }
}

#[test]
fn a_shape_has_groups_of_at_most_half_a_lap() {
    for owners in [1, 2, 3, 4, 5, 100, 1 << 16, (1 << 16) + 1] {
        for points in [1, owners, 16 * owners, 512 * owners] {
            let index = Index::blank(Shape::of(points, owners));
            let groups = index.groups.len() - 1;
            assert!(groups * CELLS >= 2 * points);
            assert!(groups >= 2 * owners, "{owners} owners, {points} points");
            assert!(index.owner_mask as usize >= owners - 1);
            if points >= 16 * owners {
                assert!(groups * CELLS <= (4 * points).max(32), "memory");
            }
        }
    }
}

/// Checks the claims beside the number of cells.
#[test]
fn two_slots_decide_all_but_1_token_in_30_with_2_cells_a_point_and_1_in_100_with_4() {
    for (count, undecided) in [(1 << 16, 0.033), ((1 << 15) + 1, 0.01)] {
        let all: Vec<(u64, u32)> = random(13).zip((0..100).cycle()).take(count).collect();
        let points = points_of(&all);
        let asked = 20_000;
        let searched = |&token: &u64| {
            let start = points.start(token).expect("there are points");
            start == FAR || is_before(points.slots[start + 1], points.index.slot(token, 0)) == 1
        };
        let searched = random(14).take(asked).filter(searched).count();
        assert!(
            (searched as f64) < 1.3 * undecided * asked as f64,
            "{searched} of {asked}"
        );
        assert!(
            (searched as f64) > 0.5 * undecided * asked as f64,
            "{searched} of {asked}"
        );
    }
}
