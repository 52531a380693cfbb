//! A search of all states, breadth first, so that a counterexample is a shortest one.

use crate::config::Config;
use crate::model::{Action, Law, Model};
use crate::names::Names;
use crate::rules::Rules;
use crate::state::State;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use std::fmt;
use std::iter::successors;

/// What a search found, if every law holds in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many states there are. States that differ in names only count once.
    pub states: usize,
    /// How many actions it takes to reach the state that is farthest from the start.
    pub depth: usize,
    /// How many of the states are ends of the migration.
    pub ends: usize,
    /// How many of the states are ends of a reversed migration.
    pub reversed_ends: usize,
}

/// A shortest list of actions that breaks a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    pub law: Law,
    pub start: State,
    pub actions: Vec<Action>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:?} is broken in {} actions",
            self.law,
            self.actions.len()
        )?;
        writeln!(f, "   start: on nodes a to f {:?}", self.start.nodes)?;
        (self.actions.iter().enumerate())
            .try_for_each(|(at, action)| writeln!(f, "{:4}. {action:?}", at + 1))
    }
}

/// Explores all states of `config` under `rules`.
///
/// # Errors
///
/// Returns a shortest counterexample if a law is broken.
///
/// # Panics
///
/// Panics if there are more than 2^32 states.
pub fn search(config: Config, rules: Rules) -> Result<Explored, Box<Counterexample>> {
    let model = Model { config, rules };
    let names = Names::all(&config);
    // The set is the queue as well: a state has the place at which it was found.
    let mut found: IndexSet<State, FxBuildHasher> = IndexSet::default();
    let mut parents: Vec<u32> = Vec::new();
    for state in model.initial() {
        if found.insert(Names::canonical(&names, &state)) {
            parents.push(u32::MAX);
        }
    }
    let (mut at, mut depth, mut level_end) = (0, 0, found.len());
    let mut explored = Explored {
        states: 0,
        depth: 0,
        ends: 0,
        reversed_ends: 0,
    };
    while at < found.len() {
        if at == level_end {
            (depth, level_end) = (depth + 1, found.len());
        }
        let state = found[at];
        let mut broken = None;
        model.for_each_next(&state, &mut |action, next| match next {
            Ok(next) => {
                if found.insert(Names::canonical(&names, &next)) {
                    parents.push(u32::try_from(at).expect("fewer than 2^32 states fit in memory"));
                }
            }
            Err(law) => broken = broken.or(Some((action, law))),
        });
        if let Some((_, law)) = broken {
            let parent = |&place: &usize| Some(parents[place] as usize).filter(|&p| p < at);
            let path: Vec<usize> = successors(Some(at), parent).collect();
            let path: Vec<State> = path.into_iter().rev().map(|place| found[place]).collect();
            return Err(Box::new(replay(&model, &names, &path, law)));
        }
        match model.end(&state) {
            Some(false) => explored.ends += 1,
            Some(true) => explored.reversed_ends += 1,
            None => {}
        }
        at += 1;
    }
    Ok(Explored {
        states: found.len(),
        depth,
        ..explored
    })
}

/// Finds the actions along `path`, with the same names from the first to the last.
fn replay(model: &Model, names: &[Names], path: &[State], law: Law) -> Counterexample {
    let start = path[0];
    let (mut state, mut actions) = (start, Vec::new());
    for wanted in &path[1..] {
        let mut step = None;
        model.for_each_next(&state, &mut |action, next| {
            if let Ok(next) = next {
                if step.is_none() && Names::canonical(names, &next) == *wanted {
                    step = Some((action, next));
                }
            }
        });
        let (action, next) = step.expect("the path was found by the same actions");
        actions.push(action);
        state = next;
    }
    model.for_each_next(&state, &mut |action, next| {
        if next == Err(law) && actions.len() < path.len() {
            actions.push(action);
        }
    });
    Counterexample {
        law,
        start,
        actions,
    }
}
