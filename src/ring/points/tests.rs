//! Checks every answer against a linear scan over (token, owner), with points and keys in difficult
//! places.

use super::starts::*;
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
    Points::new().changed(&[], run_of(points, 0..owners))
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
    let mut questions = vec![
        0,
        1,
        u64::MAX,
        u64::MAX - 1,
        1 << 63,
        OWNER,
        OWNER + 1,
        !OWNER,
    ];
    for i in 0..points.len().min(40) {
        let token = points[i * points.len() / points.len().min(40)].0;
        questions.extend([token, token.wrapping_sub(1), token.wrapping_add(1)]);
        questions.extend([
            token & !OWNER,
            token | OWNER,
            (token | OWNER).wrapping_add(1),
        ]);
    }
    for cells in [points.len() * FINE_CELLS, points.len() * COARSE_CELLS].map(|n| n.max(1)) {
        for cell in [1, cells / 2, cells - 1] {
            // The first token of the cell: ceil(cell × 2⁶⁴ / cells).
            let first = ((cell as u64) << 32).div_ceil(cells as u64) << 32;
            questions.extend([first, first.wrapping_sub(1)]);
        }
    }
    questions.extend(random(seed).take(20));
    questions
}

fn assert_is_the_scan(points: &Points, expected: &[(u64, u32)], seed: u64, what: &str) {
    let scan = Scan::new(expected);
    assert_eq!(points.len(), expected.len(), "{what}");
    assert!(
        points.run.iter().eq(scan.points.iter().copied()),
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
        let mut owners = [u32::MAX; 3];
        points.owners_of(&[token, token, 0], &mut owners);
        let expected =
            [owner, owner, scan.owner_of(0)].map(|owner| owner.expect("there are points"));
        assert_eq!(owners, expected, "{what}: {token:#x}");
    }
}

#[test]
fn no_points_have_no_owner() {
    let points = Points::new();
    assert_eq!((points.len(), points.is_coarse()), (0, false));
    assert_eq!(points.owner_of(0), None);
    assert_eq!(points.owner_of(u64::MAX), None);
    assert_eq!(points.walk(7).next(), None);
    let mut owners = [9; 2];
    points.owners_of(&[0, u64::MAX], &mut owners);
    assert_eq!(owners, [9; 2]);
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

/// Puts points of one high half beside points before and after it in one ring, so that windows end
/// in ties.
#[test]
fn ties_of_high_halves_between_other_points_are_settled_in_full() {
    for width in 1..24 {
        for before in 0..6 {
            let tie = (0..width).map(|i| 0x4000_0000_0000_0000 + i * 0x1000_0000);
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

#[test]
fn the_index_turns_coarse_beyond_65_535_points_and_answers_the_same() {
    for &(place, at) in &[PLACES[0], PLACES[3], PLACES[7]][..if FAST { 1 } else { 3 }] {
        let all: Vec<(u64, u32)> = random(5)
            .map(at)
            .zip((0..).map(|i| i % 300))
            .take(70_000)
            .collect();
        for count in [65_535, 65_536, 70_000] {
            let points = points_of(&all[..count]);
            assert_eq!(points.is_coarse(), count > 65_535);
            assert_is_the_scan(&points, &all[..count], count as u64, place);
        }
    }
}

/// Puts more than 255 points in a cell and in a group of cells. Offsets are then cut, and the rest
/// is searched.
#[test]
fn coarse_cells_that_hold_more_than_255_points_are_searched() {
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
            let changed = points_of(&old).changed(&renumber, run_of(&added, newcomers));
            assert_is_the_scan(&changed, &expected, round, place);
        }
    }
}

#[test]
fn points_go_back_and_forth_between_fine_and_coarse() {
    let all: Vec<(u64, u32)> = random(10).zip((0..).map(|i| i % 2)).take(80_000).collect();
    let own = |owner: u32| -> Vec<(u64, u32)> {
        all.iter().copied().filter(|&(_, of)| of == owner).collect()
    };
    let both = points_of(&all);
    assert!(both.is_coarse());
    let first = both.changed(&[Some(0), None], Run::default());
    assert!(!first.is_coarse());
    assert_is_the_scan(&first, &own(0), 1, "first");
    let again = first.changed(&[Some(0)], run_of(&own(1), [1]));
    assert_is_the_scan(&again, &all, 2, "again");
    let none = both.changed(&[None, None], Run::default());
    assert_eq!((none.len(), none.owner_of(5)), (0, None));
}

/// Adds and removes points in many places, a thousand of them in one cell. The groups that are not
/// counted again must still be right.
#[test]
fn an_index_after_a_change_is_the_one_of_a_new_build() {
    let clustered = |r: u64| 0x7000_0000_0000_0000 | r >> 40;
    let staying: Vec<(u64, u32)> = random(20).map(|token| (token, 0)).take(100_000).collect();
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
        let old = points_of(&[&staying[..], &going].concat());
        let changed = old.changed(&[Some(0), None], run_of(&coming, [1]));
        let anew = points_of(&[&staying[..], &coming].concat());
        let (
            Starts::Coarse { base, offset },
            Starts::Coarse {
                base: expected_base,
                offset: expected,
            },
        ) = (&changed.starts, &anew.starts)
        else {
            panic!("100,000 points are coarse");
        };
        let Starts::Coarse { offset: before, .. } = &old.starts else {
            panic!("100,000 points are coarse");
        };
        assert_eq!(
            before.len(),
            offset.len(),
            "the cells stay, so that the index is updated in place"
        );
        assert_eq!(base, expected_base, "round {round}");
        assert_eq!(offset, expected, "round {round}");
        assert_eq!(changed.run.slots, anew.run.slots, "round {round}");
        assert_eq!(changed.run.low, anew.run.low, "round {round}");
    }
}

/// The start of an answer is the number of points before the cell, so that only the cell's own
/// points are looked at.
#[test]
fn the_index_counts_the_points_before_each_cell() {
    for (place, at) in PLACES {
        for count in [1, 2, 9, 300] {
            let points: Vec<(u64, u32)> = random(11).map(at).map(|t| (t, 0)).take(count).collect();
            let Starts::Fine(starts) = points_of(&points).starts else {
                panic!("{count} points need no coarse index")
            };
            assert_eq!(starts.len(), FINE_CELLS * count);
            for (cell, &start) in starts.iter().enumerate() {
                let before = |&&(token, _): &&(u64, u32)| cell_of(token, starts.len()) < cell;
                assert_eq!(
                    usize::from(start),
                    points.iter().filter(before).count(),
                    "{place}"
                );
            }
        }
    }
    for at in [PLACES[0].1, PLACES[10].1, PLACES[11].1, |r| {
        if r % 2 == 0 { r } else { r >> 12 }
    }] {
        let points: Vec<(u64, u32)> = random(12).map(at).map(|t| (t, 0)).take(66_000).collect();
        let Starts::Coarse { base, offset } = points_of(&points).starts else {
            panic!("66,000 points need a coarse index")
        };
        let cells = coarse_cells(points.len());
        assert_eq!((offset.len(), base.len()), (cells, cells.div_ceil(GROUP)));
        let mut within = vec![0usize; cells];
        for &(token, _) in &points {
            within[cell_of(token, cells)] += 1;
        }
        let (mut before, mut group) = (0, 0);
        for cell in 0..cells {
            if cell % GROUP == 0 {
                assert_eq!(base[cell / GROUP] as usize, before);
                group = before;
            }
            assert_eq!(usize::from(offset[cell]), (before - group).min(255));
            let first = ((cell as u64) << 32).div_ceil(cells as u64) << 32;
            let start = group + (before - group).min(255);
            assert_eq!(coarse_start(&base, &offset, first), start);
            before += within[cell];
        }
    }
}

/// Neighbouring cells differ by at most one high half in size, and they cover everything in order.
#[test]
fn cells_cut_the_circle_evenly_whatever_their_number() {
    for cells in [1, 2, 3, 7, 160 * FINE_CELLS, 262_140, 1_000_003] {
        assert_eq!(cell_of(0, cells), 0);
        assert_eq!(cell_of(u64::MAX, cells), cells - 1);
        for cell in [1, cells / 3, cells / 2, cells - 1].map(|cell| cell.max(1)) {
            if cell < cells {
                let first = ((cell as u64) << 32).div_ceil(cells as u64) << 32;
                assert_eq!(
                    (cell_of(first - 1, cells), cell_of(first, cells)),
                    (cell - 1, cell)
                );
            }
        }
    }
}

/// Checks the claim beside the number of cells. Without the low halves a search finds no points and
/// answers with the first one's owner, so an answer that is still right was decided by the window.
#[test]
fn all_but_1_token_in_100_and_4_in_10_000_are_decided_by_the_window() {
    for (count, undecided) in [(20_000, 0.01), (80_000, 0.0004)] {
        let all: Vec<(u64, u32)> = random(13).zip(0..count).collect();
        let whole = points_of(&all);
        let mut cut = whole.clone();
        cut.run.low.clear();
        let asked = 20_000;
        let wrong = random(14)
            .take(asked)
            .filter(|&token| cut.owner_of(token) != whole.owner_of(token))
            .count();
        // Twice the claim, and 4 for chance: 8 are expected of the coarse index (points before a
        // token in its cell are Poisson, 0.5 on average).
        assert!(
            (wrong as f64) < 2.0 * undecided * asked as f64 + 4.0,
            "{wrong} of {asked}"
        );
    }
}
