//! Every check of a change, once, for all strategies: from what is wanted to an [`Edit`], or the error that names the offender.

use super::edit::{Edit, Touch};
use super::{Budget, Entry, NodeSet};
use crate::error::{NodeError, readable};
use crate::key::Key;
use alloc::{boxed::Box, vec::Vec};

impl<N> NodeSet<N> {
    pub(crate) fn plan_insert(
        &self,
        nodes: impl IntoIterator<Item = (N, u32)>,
    ) -> Result<Edit<N>, NodeError>
    where
        N: Key,
    {
        let last = self.entries.iter().map(|entry| entry.place).max();
        let added = checked(nodes, last.map_or(0, |last| last + 1))?;
        if let Some(entry) = added
            .iter()
            .find(|entry| self.rank_of(&entry.identity).is_some())
        {
            return Err(NodeError::Duplicate {
                node: readable(&entry.identity),
            });
        }
        self.within_budget(self.total_weight(), self.len(), &added)?;
        Ok(Edit {
            added: in_order(added)?,
            touched: Vec::new(),
            places: None,
        })
    }

    pub(crate) fn plan_set(
        &self,
        nodes: impl IntoIterator<Item = (N, u32)>,
    ) -> Result<Edit<N>, NodeError>
    where
        N: Key,
    {
        let wanted = checked(nodes, 0)?;
        self.within_budget(0, 0, &wanted)?;
        let mut edit = Edit::nothing();
        let mut places = Vec::new();
        let mut wanted = in_order(wanted)?.into_iter().peekable();
        for (rank, entry) in self.entries.iter().enumerate() {
            while let Some(new) = wanted.next_if(|new| new.identity < entry.identity) {
                edit.added.push(new);
            }
            match wanted.next_if(|new| new.identity == entry.identity) {
                None => edit.touched.push((rank, Touch::Remove)),
                Some(same) => {
                    places.push(same.place);
                    if same.weight != entry.weight {
                        edit.touched.push((rank, Touch::Weigh(same.weight)));
                    }
                }
            }
        }
        edit.added.extend(wanted);
        edit.places = Some(places);
        Ok(edit)
    }

    pub(crate) fn plan_remove(&self, identity: &[u8]) -> Edit<N> {
        self.rank_of(identity)
            .map_or_else(Edit::nothing, |rank| Edit::touch(rank, Touch::Remove))
    }

    pub(crate) fn plan_clear(&self) -> Edit<N> {
        Edit {
            added: Vec::new(),
            touched: (0..self.len()).map(|rank| (rank, Touch::Remove)).collect(),
            places: None,
        }
    }

    pub(crate) fn plan_weigh(&self, identity: &[u8], weight: u32) -> Result<Edit<N>, NodeError> {
        let (rank, entry) = self.known(identity)?;
        if weight == 0 {
            return Err(NodeError::ZeroWeight {
                node: readable(identity),
            });
        }
        if weight == entry.weight {
            return Ok(Edit::nothing());
        }
        self.fits(
            self.total_weight() - u64::from(entry.weight),
            identity,
            weight,
        )?;
        Ok(Edit::touch(rank, Touch::Weigh(weight)))
    }

    pub(crate) fn plan_drain(&self, identity: &[u8], drained: bool) -> Result<Edit<N>, NodeError> {
        let (rank, entry) = self.known(identity)?;
        Ok(if entry.drained == drained {
            Edit::nothing()
        } else {
            Edit::touch(rank, Touch::Drain(drained))
        })
    }

    pub(super) fn total_weight(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| u64::from(entry.weight))
            .sum()
    }

    pub(super) fn within_budget(
        &self,
        mut weight: u64,
        members: usize,
        newcomers: &[Entry<N>],
    ) -> Result<(), NodeError> {
        let max_nodes = self.limits.nodes;
        if let Some(entry) = newcomers.get(max_nodes.saturating_sub(members)) {
            return Err(NodeError::TooManyNodes {
                node: readable(&entry.identity),
                max_nodes,
            });
        }
        for entry in newcomers {
            weight = self.fits(weight, &entry.identity, entry.weight)?;
        }
        Ok(())
    }

    /// Adds `weight` to `others`, if the points of both fit the budget.
    fn fits(&self, others: u64, identity: &[u8], weight: u32) -> Result<u64, NodeError> {
        let total = others + u64::from(weight);
        let (max_weight, max_total) = (self.limits.weight, self.limits.total_weight);
        if weight > max_weight {
            return Err(NodeError::WeightTooGreat {
                node: readable(identity),
                weight,
                max_weight,
            });
        }
        if total > max_total {
            return Err(NodeError::TotalWeightTooGreat {
                node: readable(identity),
                total,
                max_total,
            });
        }
        let Budget {
            virtual_nodes,
            max_points,
        } = self.budget;
        let points = u128::from(total) * u128::from(virtual_nodes);
        if points > max_points as u128 {
            return Err(NodeError::TooManyPoints {
                node: readable(identity),
                weight,
                points,
                max_points,
            });
        }
        Ok(total)
    }
}

pub(super) fn check(identity: &[u8], weight: u32) -> Result<(), NodeError> {
    if identity.is_empty() {
        return Err(NodeError::EmptyIdentity);
    }
    if weight == 0 {
        return Err(NodeError::ZeroWeight {
            node: readable(identity),
        });
    }
    Ok(())
}

/// Newcomers, placed from `first` on, with the checks that concern each alone.
fn checked<N: Key>(
    nodes: impl IntoIterator<Item = (N, u32)>,
    first: u64,
) -> Result<Vec<Entry<N>>, NodeError> {
    nodes
        .into_iter()
        .zip(first..)
        .map(|((node, weight), place)| {
            let identity: Box<[u8]> = node.key_bytes().as_ref().into();
            check(&identity, weight)?;
            Ok(Entry {
                identity,
                node,
                weight,
                drained: false,
                place,
            })
        })
        .collect()
}

/// Newcomers by identity, none twice.
pub(super) fn in_order<N>(mut entries: Vec<Entry<N>>) -> Result<Vec<Entry<N>>, NodeError> {
    entries.sort_by(|a, b| a.identity.cmp(&b.identity));
    match entries
        .windows(2)
        .find(|pair| pair[0].identity == pair[1].identity)
    {
        Some(pair) => Err(NodeError::Duplicate {
            node: readable(&pair[0].identity),
        }),
        None => Ok(entries),
    }
}
