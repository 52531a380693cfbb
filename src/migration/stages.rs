//! [`Stage`], and the stage of every range of tokens.

use super::range;
use crate::error::AdvanceError;
use crate::hash::{Token, TokenRange};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

/// The progress of a range of tokens in a migration; see [`Epochs`](super::Epochs) for the
/// protocol.
///
/// # Examples
/// ```
/// use clockwise::Stage;
///
/// assert!(Stage::Copying < Stage::Copied && Stage::Copied < Stage::Done);
/// assert_eq!(Stage::Copied.to_string(), "Copied");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Stage {
    /// Writes go to both sides, reads to the old side alone. Each range begins here.
    Copying,
    /// Writes go to both sides, reads to the new side alone.
    Copied,
    /// Writes and reads go to the new side alone.
    Done,
}

/// The name of the variant.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Stage::Copying => "Copying",
            Stage::Copied => "Copied",
            Stage::Done => "Done",
        })
    }
}

/// The stage of every token.
#[derive(Debug, Clone)]
pub(super) struct Stages {
    /// Where a stage begins that the token before does not have. Before the first one it is
    /// `Copying`.
    begins: BTreeMap<u64, Stage>,
}

impl Stages {
    /// Everything is in `Copying`.
    pub(super) const fn new() -> Self {
        Stages {
            begins: BTreeMap::new(),
        }
    }

    pub(super) fn of(&self, token: Token) -> Stage {
        let begun = self.begins.range(..=token.get()).next_back();
        begun.map_or(Stage::Copying, |(_, &stage)| stage)
    }

    /// The parts of `whole` of one stage each, in ascending order without a gap.
    pub(super) fn parts(&self, whole: TokenRange) -> impl Iterator<Item = (TokenRange, Stage)> {
        let (first, last) = (whole.first().get(), whole.last().get());
        let mut begin = Some((first, self.of(whole.first())));
        let mut later = self.begins.range(first..=last);
        core::iter::from_fn(move || {
            let (first, stage) = begin?;
            begin = later
                .find(|&(&at, _)| at > first)
                .map(|(&at, &stage)| (at, stage));
            let last = begin.map_or(last, |(next, _)| next - 1);
            Some((range(first, last), stage))
        })
    }

    /// Advances the parts of `whole` that are one stage before `to`. Later ones stay.
    pub(super) fn advance(&mut self, whole: TokenRange, to: Stage) -> Result<(), AdvanceError> {
        let skips = |&(_, from): &(_, Stage)| (from, to) == (Stage::Copying, Stage::Done);
        if let Some((range, from)) = self.parts(whole).find(skips) {
            return Err(AdvanceError { range, from, to });
        }
        let behind: Vec<TokenRange> = self
            .parts(whole)
            .filter_map(|(part, stage)| (stage < to).then_some(part))
            .collect();
        for part in behind {
            self.set(part, to);
        }
        Ok(())
    }

    /// Puts all of `part` in `stage`.
    pub(super) fn set(&mut self, part: TokenRange, stage: Stage) {
        let (first, last) = (part.first().get(), part.last().get());
        let after = last
            .checked_add(1)
            .map(|next| (next, self.of(Token::new(next))));
        while let Some((&at, _)) = self.begins.range(first..=last).next() {
            self.begins.remove(&at);
        }
        // The token before has its stage still, as nothing before `first` was removed.
        for (at, stage) in [Some((first, stage)), after].into_iter().flatten() {
            let before = at.checked_sub(1).map(|before| self.of(Token::new(before)));
            if before.unwrap_or(Stage::Copying) == stage {
                self.begins.remove(&at);
            } else {
                self.begins.insert(at, stage);
            }
        }
    }

    /// Exchanges the sides.
    pub(super) fn reversed(&self) -> Self {
        let mut reversed = Stages::new();
        for (part, stage) in self.parts(TokenRange::ALL) {
            reversed.set(
                part,
                match stage {
                    Stage::Copying => Stage::Copied,
                    Stage::Copied | Stage::Done => Stage::Copying,
                },
            );
        }
        reversed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// 16 tokens that represent the circle: the first eight and the last eight.
    fn token(i: u64) -> u64 {
        if i < 8 { i } else { u64::MAX - 15 + i }
    }

    fn stages_of(stages: &Stages) -> Vec<Stage> {
        (0..16).map(|i| stages.of(Token::new(token(i)))).collect()
    }

    #[test]
    fn ranges_advance_like_single_tokens_and_neighbours_are_merged() {
        let mut state = 7u64;
        let mut below = |bound| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % bound
        };
        for _ in 0..500 {
            let mut stages = Stages::new();
            // The middle, which no token represents, follows token 7.
            let mut naive = vec![Stage::Copying; 16];
            for _ in 0..30 {
                let (a, b) = (below(16), below(16));
                let (first, last) = (a.min(b) as usize, a.max(b) as usize);
                let end = if last == 7 {
                    token(8) - 1
                } else {
                    token(last as u64)
                };
                let part = range(token(first as u64), end);
                let to = [Stage::Copying, Stage::Copied, Stage::Done][below(3) as usize];
                let skips = |&stage: &Stage| stage == Stage::Copying && to == Stage::Done;
                let skip = naive[first..=last].iter().position(skips);
                let result = stages.advance(part, to);
                match skip {
                    Some(at) => {
                        let error = result.expect_err("it skips");
                        assert_eq!(error.range.first().get(), token((first + at) as u64));
                        assert_eq!((error.from, error.to), (Stage::Copying, to));
                        assert!(part.contains(error.range.last()));
                    }
                    None => {
                        assert_eq!(result, Ok(()));
                        for stage in &mut naive[first..=last] {
                            *stage = to.max(*stage);
                        }
                    }
                }
                assert_eq!(stages_of(&stages), naive);
                let parts: Vec<_> = stages.parts(TokenRange::ALL).collect();
                assert!(
                    parts.windows(2).all(|pair| pair[0].1 != pair[1].1),
                    "merged"
                );
                let total: u128 = parts.iter().map(|(part, _)| part.len()).sum();
                assert_eq!(total, 1 << 64);
            }
            let reversed = stages_of(&stages.reversed());
            assert!(reversed.iter().zip(naive).all(|(&now, before)| {
                (now == Stage::Copied) == (before == Stage::Copying) && now != Stage::Done
            }));
        }
    }
}
