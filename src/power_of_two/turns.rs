//! A pick of two choices while nodes are warming.

use super::PowerOfTwo;
use crate::load::Load;
use crate::load::turns::{Candidate, Turn};
use crate::random::{Random, Urn, below};

/// Draws that may meet a warming node before all nodes are looked at for the warm ones.
const TRIES: usize = 16;

impl<N: Load> PowerOfTwo<N> {
    /// Returns the node to offer next, of those in the urn, if some that were drawn are warming.
    /// `one` was drawn first. The urn is unchanged then.
    ///
    /// It is the node whose turn it is, or the least loaded of as many warm nodes as there are
    /// choices. If a warming node is drawn for those, there is another draw, which leaves the
    /// chances of the warm nodes as they are.
    #[cold]
    pub(super) fn choose_by_turns(
        &self,
        one: u32,
        urn: &mut Urn<'_>,
        random: &mut Random,
        turn: &mut Option<Turn>,
    ) -> u32 {
        let warming = self.is_warming(one);
        let is_new = turn.is_none();
        let turn = turn.get_or_insert_with(|| Turn {
            drawn: one,
            is_turn: self.candidate(one).draws_turn(random),
        });
        let first = if warming {
            self.draw_warm(urn, random)
        } else {
            Some(one)
        };
        let Some(first) = first else {
            // No node is warm.
            let draw = |urn: &Urn<'_>, random: &mut Random| urn.draw(random.draw());
            let load = |rank| self.candidate(rank).load_by_warmth();
            return self.least(one, urn, random, draw, load).0;
        };
        let draw = |urn: &Urn<'_>, random: &mut Random| self.draw_warm(urn, random);
        let (best, equal) = self.least(first, urn, random, draw, |rank| self.load(rank));
        if is_new && !warming && equal {
            turn.drawn = best;
        }
        let [drawn, other] = [turn.drawn, best].map(|rank| self.candidate(rank));
        let takes = turn.is_turn && drawn.may_take_turn(&other);
        if takes { turn.drawn } else { best }
    }

    /// Draws a warm node from the urn. Returns `None` if there is none.
    fn draw_warm(&self, urn: &Urn<'_>, random: &mut Random) -> Option<u32> {
        for _ in 0..TRIES {
            let rank = urn.draw(random.draw())?;
            if !self.is_warming(rank) {
                return Some(rank);
            }
        }
        // Few nodes are warm, or none. Each one that is met takes over with its part of the weight
        // so far.
        let (mut drawn, mut total) = (None, 0);
        for (rank, entry) in (0..).zip(self.nodes.entries()) {
            if urn.holds(rank) && !self.is_warming(rank) {
                let weight = u64::from(entry.weight);
                total += weight;
                if below(random.draw(), total) < weight {
                    drawn = Some(rank);
                }
            }
        }
        drawn
    }

    fn candidate(&self, rank: u32) -> Candidate<'_, N> {
        let entry = &self.nodes.entries()[rank as usize];
        Candidate {
            node: &entry.node,
            weight: entry.weight,
        }
    }
}
