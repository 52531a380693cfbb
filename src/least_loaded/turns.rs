//! What a pick does beyond one search: turns of warming nodes, and the rest after many refusals.

use super::LeastLoaded;
use super::scan::ABSENT;
use crate::load::Load;
use crate::load::turns::{Candidate, Turn, is_warming};
use crate::nodes::Entry;
use crate::random::{Line, Random, Urn, below};
use alloc::vec::Vec;

impl<N: Load> LeastLoaded<N> {
    /// Returns the node to offer next if some are warming: `least`, which is the least loaded of
    /// the warm ones that are not refused, or the node whose turn it is.
    #[cold]
    pub(super) fn choose_by_turns(
        &self,
        least: Option<u32>,
        refused: &[u32],
        random: &mut Random,
        turn: &mut Option<Turn>,
    ) -> Option<u32> {
        let Some(least) = least else {
            let number = random.draw();
            return self.least(refused, number, random, |entry| {
                if entry.drained {
                    ABSENT
                } else {
                    candidate(entry).load_by_warmth()
                }
            });
        };
        let turn = match *turn {
            Some(turn) if !refused.contains(&turn.drawn) => turn,
            _ => {
                let drawn = self.draw(refused, random)?;
                *turn.insert(self.turn_of(drawn, random))
            }
        };
        Some(self.by_turn(turn, least))
    }

    /// Draws a node that is neither drained nor refused, in proportion to weight.
    fn draw(&self, refused: &[u32], random: &mut Random) -> Option<u32> {
        let weights = || {
            (0..).zip(self.nodes.entries()).filter_map(|(rank, entry)| {
                let present = !entry.drained && !refused.contains(&rank);
                present.then_some((rank, u64::from(entry.weight)))
            })
        };
        let total = weights().map(|(_, weight)| weight).sum();
        let mut place = below(random.draw(), total);
        for (rank, weight) in weights() {
            match place.checked_sub(weight) {
                Some(rest) => place = rest,
                None => return Some(rank),
            }
        }
        None
    }

    fn turn_of(&self, drawn: u32, random: &mut Random) -> Turn {
        let is_turn = self.candidate(drawn).draws_turn(random);
        Turn { drawn, is_turn }
    }

    /// Returns the node that is offered if `least` is the least loaded of the warm ones.
    fn by_turn(&self, turn: Turn, least: u32) -> u32 {
        let [drawn, other] = [turn.drawn, least].map(|rank| self.candidate(rank));
        let prefers_drawn = if turn.is_turn {
            drawn.may_take_turn(&other)
        } else {
            drawn.is_warm_equal_of(&other)
        };
        if prefers_drawn { turn.drawn } else { least }
    }

    fn candidate(&self, rank: u32) -> Candidate<'_, N> {
        candidate(&self.nodes.entries()[rank as usize])
    }

    /// Offers the nodes that have not been refused yet: by load as it is now, the warm ones first,
    /// with turns of the warming ones in between.
    pub(super) fn pick_of_rest<'a>(
        &'a self,
        refused: &[u32],
        random: &mut Random,
        mut turn: Option<Turn>,
        accept: &mut dyn FnMut(&'a N) -> bool,
    ) -> Option<&'a N> {
        let entries = self.nodes.entries();
        let line = Line::of((0..).zip(entries).map(|(rank, entry)| {
            let out = entry.drained || refused.contains(&rank);
            if out { 0 } else { entry.weight }
        }));
        let mut urn = Urn::full(&line);
        // (warming, load, tie, rank)
        let mut rest: Vec<(bool, f64, u64, u32)> = (0..)
            .zip(entries)
            .filter(|&(rank, _)| urn.holds(rank))
            .map(|(rank, entry)| {
                let warming = is_warming(&entry.node);
                let load = candidate(entry).load_by_warmth();
                (warming, load, random.draw(), rank)
            })
            .collect();
        rest.sort_unstable_by(|a, b| {
            let by_load = a.1.total_cmp(&b.1).then(a.2.cmp(&b.2));
            a.0.cmp(&b.0).then(by_load)
        });
        let some_are_warming = rest.last().is_some_and(|last| last.0);
        let mut next = 0;
        while let Some(&(warming, _, _, least)) = rest.get(next) {
            if !urn.holds(least) {
                next += 1;
                continue;
            }
            let rank = if some_are_warming && !warming {
                let turn = match turn {
                    Some(turn) if urn.holds(turn.drawn) => turn,
                    _ => {
                        let drawn = urn.draw(random.draw())?;
                        *turn.insert(self.turn_of(drawn, random))
                    }
                };
                self.by_turn(turn, least)
            } else {
                least
            };
            let node = self.nodes.node(rank);
            if accept(node) {
                return Some(node);
            }
            urn.take(rank);
        }
        None
    }
}

fn candidate<N>(entry: &Entry<N>) -> Candidate<'_, N> {
    Candidate {
        node: &entry.node,
        weight: entry.weight,
    }
}
