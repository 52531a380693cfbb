//! Following a list with any strategy: from a list of nodes to edits.

use super::Membership;
use crate::error::NodeError;
use crate::key::Key;
use crate::nodes::Edit;
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

/// Edits that make a list the members, and the listed nodes that are members already.
pub(super) struct Listing<N> {
    pub(super) edits: Vec<Edit<N>>,
    /// Each with its identity.
    pub(super) present: Vec<(Box<[u8]>, N)>,
}

impl<N: Key> Listing<N> {
    pub(super) fn new<S: Membership<Node = N> + ?Sized>(
        strategy: &S,
        all: Vec<(N, u32)>,
    ) -> Result<Self, NodeError> {
        /// A member before.
        struct Before {
            weight: u32,
            listed: bool,
        }
        let mut members: BTreeMap<Box<[u8]>, Option<Before>> = BTreeMap::new();
        strategy.for_each_member(&mut |member| {
            let before = Before {
                weight: member.weight,
                listed: false,
            };
            members.insert(member.id.into(), Some(before));
        });
        let (mut lower, mut higher, mut present) = (Vec::new(), Vec::new(), Vec::new());
        for (node, weight) in all {
            let id: Box<[u8]> = node.key_bytes().as_ref().into();
            match members.get_mut(&id) {
                Some(Some(before)) if !before.listed => {
                    before.listed = true;
                    let change = if weight < before.weight {
                        Some(&mut lower)
                    } else {
                        Some(&mut higher).filter(|_| weight > before.weight)
                    };
                    if let Some(change) = change {
                        let id = id.clone();
                        change.push(Edit::SetWeight { id, weight });
                    }
                    present.push((id, node));
                }
                Some(_) => return Err(NodeError::duplicate(&id, true)),
                None => {
                    members.insert(id, None);
                    higher.push(Edit::insert(node, weight));
                }
            }
        }
        // Edits that free room are made before those that need it.
        let leaving = members
            .into_iter()
            .filter(|(_, before)| before.as_ref().is_some_and(|before| !before.listed));
        let mut edits: Vec<_> = leaving.map(|(id, _)| Edit::Remove { id }).collect();
        edits.extend(lower);
        edits.extend(higher);
        Ok(Listing { edits, present })
    }
}
