//! The ring as the specification says it, naive, with none of the crate's code: a `BTreeMap` of
//! (token, identity), walked.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub weight: u32,
    pub drained: bool,
    pub payload: u32,
}

/// What may be wrong with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Duplicate(Vec<u8>),
    Unknown(Vec<u8>),
    ZeroWeight(Vec<u8>),
    EmptyIdentity,
    TooManyPoints,
}

/// What `set_nodes` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub added: usize,
    pub reweighted: usize,
    /// Identity and payload, in order of identity.
    pub removed: Vec<(Vec<u8>, u32)>,
}

/// Bytes to a token.
type Hash = Rc<dyn Fn(&[u8]) -> u64>;

/// Identity, weight, payload.
pub type Row = (Vec<u8>, u32, u32);

#[derive(Clone)]
pub struct Oracle {
    /// All that it is given: a function.
    hash: Hash,
    virtual_nodes: u32,
    max_points: u128,
    members: BTreeMap<Vec<u8>, State>,
    /// How many points of the identity have the token.
    points: BTreeMap<(u64, Vec<u8>), usize>,
}

impl Oracle {
    pub fn new(
        hash: impl Fn(&[u8]) -> u64 + 'static,
        virtual_nodes: u32,
        max_points: u128,
    ) -> Oracle {
        Oracle {
            hash: Rc::new(hash),
            virtual_nodes,
            max_points,
            members: BTreeMap::new(),
            points: BTreeMap::new(),
        }
    }

    // ---- answers --------------------------------------------------------------------------------

    pub fn token(&self, key: &[u8]) -> u64 {
        (self.hash)(key)
    }

    /// The identity at the first point at or after `token`, else at the first of all.
    pub fn owner(&self, token: u64) -> Option<&[u8]> {
        self.walk(token).next()
    }

    /// Every identity in the order in which the walk from `token` meets it.
    pub fn preference(&self, token: u64) -> Vec<&[u8]> {
        let mut met = BTreeSet::new();
        self.walk(token).filter(|id| met.insert(*id)).collect()
    }

    fn walk(&self, token: u64) -> impl Iterator<Item = &[u8]> {
        let from = (token, Vec::new());
        let (after, before) = (self.points.range(from.clone()..), self.points.range(..from));
        after.chain(before).map(|((_, id), _)| &**id)
    }

    /// First token, last token, owner: maximal, ascending, split at 0.
    pub fn arcs(&self) -> Vec<(u64, u64, &[u8])> {
        let mut arcs: Vec<(u64, u64, &[u8])> = Vec::new();
        let tokens: BTreeSet<u64> = self.points.keys().map(|&(token, _)| token).collect();
        let mut next = Some(0);
        for last in tokens.into_iter().chain([u64::MAX]) {
            let (Some(first), Some(owner)) = (next, self.owner(last)) else {
                break;
            };
            match arcs.last_mut() {
                Some(before) if before.2 == owner => before.1 = last,
                _ => arcs.push((first, last, owner)),
            }
            next = last.checked_add(1);
        }
        arcs
    }

    pub fn point_count(&self) -> usize {
        self.points.values().sum()
    }

    pub fn tokens(&self) -> Vec<u64> {
        self.points.keys().map(|&(token, _)| token).collect()
    }

    pub fn members(&self) -> &BTreeMap<Vec<u8>, State> {
        &self.members
    }

    // ---- changes: refused with everything that is wrong, or done --------------------------------

    pub fn insert(&mut self, rows: &[Row]) -> Result<(), Vec<Fault>> {
        let mut faults = Oracle::faults_of(rows);
        for (id, ..) in rows {
            if self.members.contains_key(id) {
                faults.push(Fault::Duplicate(id.clone()));
            }
        }
        self.check_budget(self.weight_without(None) + sum(rows), &mut faults);
        refuse(faults)?;
        for row in rows {
            self.put(row);
        }
        Ok(())
    }

    pub fn set_nodes(&mut self, rows: &[Row]) -> Result<Difference, Vec<Fault>> {
        let mut faults = Oracle::faults_of(rows);
        self.check_budget(sum(rows), &mut faults);
        refuse(faults)?;
        let mut difference = Difference {
            added: 0,
            reweighted: 0,
            removed: Vec::new(),
        };
        let old: Vec<(Vec<u8>, State)> = self
            .members
            .iter()
            .map(|(id, s)| (id.clone(), *s))
            .collect();
        for (id, state) in old {
            match rows.iter().find(|(wanted, ..)| *wanted == id) {
                None => {
                    difference.removed.push((id.clone(), state.payload));
                    self.change(&id, |_| None);
                }
                Some(&(_, weight, _)) if weight != state.weight => {
                    difference.reweighted += 1;
                    self.change(&id, |state| Some(State { weight, ..state }));
                }
                Some(_) => {}
            }
        }
        for row in rows {
            if !self.members.contains_key(&row.0) {
                difference.added += 1;
                self.put(row);
            }
        }
        Ok(difference)
    }

    pub fn remove(&mut self, id: &[u8]) -> Option<u32> {
        let payload = self.members.get(id)?.payload;
        self.change(id, |_| None);
        Some(payload)
    }

    pub fn set_weight(&mut self, id: &[u8], weight: u32) -> Result<(), Vec<Fault>> {
        let mut faults = self.unless_known(id);
        if weight == 0 {
            faults.push(Fault::ZeroWeight(id.to_vec()));
        }
        self.check_budget(
            self.weight_without(Some(id)) + u128::from(weight),
            &mut faults,
        );
        refuse(faults)?;
        self.change(id, |state| Some(State { weight, ..state }));
        Ok(())
    }

    pub fn set_drained(&mut self, id: &[u8], drained: bool) -> Result<(), Vec<Fault>> {
        refuse(self.unless_known(id))?;
        self.change(id, |state| Some(State { drained, ..state }));
        Ok(())
    }

    pub fn replace(&mut self, id: &[u8], payload: u32) -> Result<u32, Vec<Fault>> {
        refuse(self.unless_known(id))?;
        let state = self.members.get_mut(id).expect("it is known");
        Ok(std::mem::replace(&mut state.payload, payload))
    }

    pub fn clear(&mut self) {
        self.members.clear();
        self.points.clear();
    }

    fn put(&mut self, (id, weight, payload): &Row) {
        self.members.insert(
            id.clone(),
            State {
                weight: 0,
                drained: false,
                payload: *payload,
            },
        );
        self.change(id, |state| {
            Some(State {
                weight: *weight,
                ..state
            })
        });
    }

    /// Takes the member's points off the ring, changes it, and puts its new points on.
    fn change(&mut self, id: &[u8], how: impl FnOnce(State) -> Option<State>) {
        let old = self.members.remove(id).expect("only members are changed");
        self.points.retain(|(_, owner), _| owner != id);
        let Some(new) = how(old) else { return };
        if !new.drained {
            for index in 0..self.virtual_nodes * new.weight {
                let token = (self.hash)(&[&index.to_le_bytes()[..], id].concat());
                *self.points.entry((token, id.to_vec())).or_default() += 1;
            }
        }
        self.members.insert(id.to_vec(), new);
    }

    fn unless_known(&self, id: &[u8]) -> Vec<Fault> {
        let unknown = !self.members.contains_key(id);
        unknown
            .then(|| Fault::Unknown(id.to_vec()))
            .into_iter()
            .collect()
    }

    fn faults_of(rows: &[Row]) -> Vec<Fault> {
        let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
        for (id, weight, _) in rows {
            if id.is_empty() {
                faults.push(Fault::EmptyIdentity);
            }
            if *weight == 0 {
                faults.push(Fault::ZeroWeight(id.clone()));
            }
            if !seen.insert(id) {
                faults.push(Fault::Duplicate(id.clone()));
            }
        }
        faults
    }

    fn weight_without(&self, id: Option<&[u8]>) -> u128 {
        let others = self
            .members
            .iter()
            .filter(|(other, _)| Some(&***other) != id);
        others.map(|(_, state)| u128::from(state.weight)).sum()
    }

    fn check_budget(&self, weight: u128, faults: &mut Vec<Fault>) {
        if weight * u128::from(self.virtual_nodes) > self.max_points {
            faults.push(Fault::TooManyPoints);
        }
    }
}

fn sum(rows: &[Row]) -> u128 {
    rows.iter().map(|&(_, weight, _)| u128::from(weight)).sum()
}

fn refuse(faults: Vec<Fault>) -> Result<(), Vec<Fault>> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}
