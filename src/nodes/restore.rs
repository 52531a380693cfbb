//! Members that come back as they were, drained ones as such.

use super::plan::{check, in_order};
use super::{Edit, Entry, NodeSet};
use crate::error::NodeError;
use alloc::vec::Vec;

impl<N> NodeSet<N> {
    /// The members of another set into this one, which is empty.
    pub(crate) fn plan_restore(&self, entries: Vec<Entry<N>>) -> Result<Edit<N>, NodeError> {
        for entry in &entries {
            check(&entry.identity, entry.weight)?;
        }
        self.within_budget(0, 0, &entries)?;
        Ok(Edit {
            added: in_order(entries)?,
            touched: Vec::new(),
            places: None,
        })
    }
}

impl<N> Edit<N> {
    /// Newcomers, in order of identity.
    pub(crate) fn added(&self) -> &[Entry<N>] {
        &self.added
    }
}
