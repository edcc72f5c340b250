//! Which statements of a policy can matter for a caller, an action and a resource.
//!
//! Only answers that nobody watches use it: a trace shows every statement that names the action.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::FixedState;

use super::{CallerKeys, CompiledStatement};
use crate::model::{Action, ActionSet, Effect, fingerprint};

/// Policies of up to this many statements are read from end to end: looking things up is no faster.
const SMALL: usize = 8;

/// The statements of one effect, by what they need to apply.
#[derive(Clone, Debug)]
pub(super) struct StatementIndex {
    /// Every action that one of them names.
    actions: ActionSet,
    found: Found,
}

#[derive(Clone, Debug)]
enum Found {
    /// Those of a large policy.
    By(Box<Places>),
    /// Those of a small policy, each with its actions: what does not name the action is not touched.
    Few(Box<[(ActionSet, u32)]>),
}

// Whoever writes a policy can make its statements meet in one place of these tables; as much would
// come of writing them all for one principal.
type Table<K> = HashMap<K, Box<[u32]>, FixedState>;

#[derive(Clone, Debug)]
struct Places {
    /// Statements that can speak to any caller, of any resource: for each action.
    open: Table<Action>,
    /// Statements that name principals alone: by the numbers of these.
    by_caller: Table<u64>,
    /// Other statements on resources that are named in full: by the fingerprints of these.
    by_resource: Table<u64>,
}

/// What statements are looked up by; asked for where a policy is large enough.
pub trait Numbers {
    /// The numbers of the caller.
    fn caller(&self) -> CallerKeys<'_>;
    /// The fingerprint of the resource.
    fn resource(&self) -> u64;
}

impl StatementIndex {
    pub(super) fn new(statements: &[CompiledStatement], effect: Effect) -> Self {
        let live = || {
            let numbered = statements.iter().zip(0_u32..);
            numbered.filter(move |(one, _)| one.effect == effect && one.inert.is_none())
        };
        let actions = live().fold(ActionSet::NONE, |all, (one, _)| all.union(one.actions));
        if statements.len() <= SMALL {
            let few = live().map(|(one, place)| (one.actions, place)).collect();
            return Self { actions, found: Found::Few(few) };
        }
        let mut open = HashMap::<Action, Vec<u32>>::new();
        let mut by_caller = HashMap::<u64, Vec<u32>>::new();
        let mut by_resource = HashMap::<u64, Vec<u32>>::new();
        for (statement, place) in live() {
            if let Some(keys) = statement.principal.as_ref().and_then(|matcher| matcher.keys()) {
                put(&mut by_caller, keys, place);
            } else if let Some(literals) = statement.resource.literals() {
                put(&mut by_resource, literals.map(fingerprint), place);
            } else {
                put(&mut open, statement.actions.iter(), place);
            }
        }
        let places = Places {
            open: frozen(open),
            by_caller: frozen(by_caller),
            by_resource: frozen(by_resource),
        };
        Self { actions, found: Found::By(Box::new(places)) }
    }

    /// Calls `visit` with every statement of the index's effect that names the action and can apply
    /// to the caller and the resource, until it says stop; some are visited twice.
    pub(super) fn visit<'p>(
        &self,
        statements: &'p [CompiledStatement],
        action: Action,
        numbers: &impl Numbers,
        mut visit: impl FnMut(&'p CompiledStatement) -> bool,
    ) {
        if !self.actions.contains(action) {
            return;
        }
        let mut at = |place: u32| statements.get(place as usize).is_some_and(&mut visit);
        let places = match &self.found {
            Found::Few(few) => {
                few.iter().any(|(actions, place)| actions.contains(action) && at(*place));
                return;
            }
            Found::By(places) => places,
        };
        let mut all = |places: Option<&Box<[u32]>>| {
            let mut places = places.into_iter().flatten().copied();
            places.any(|place| {
                let names = |one: &CompiledStatement| one.actions.contains(action);
                statements.get(place as usize).is_some_and(names) && at(place)
            })
        };
        if all(places.open.get(&action)) {
            return;
        }
        if !places.by_caller.is_empty()
            && numbers.caller().iter().any(|key| all(places.by_caller.get(&key)))
        {
            return;
        }
        if !places.by_resource.is_empty() {
            all(places.by_resource.get(&numbers.resource()));
        }
    }
}

fn put<K: Eq + Hash>(
    table: &mut HashMap<K, Vec<u32>>,
    keys: impl IntoIterator<Item = K>,
    place: u32,
) {
    for key in keys {
        let places = table.entry(key).or_default();
        if places.last() != Some(&place) {
            places.push(place);
        }
    }
}

fn frozen<K: Eq + Hash>(table: HashMap<K, Vec<u32>>) -> Table<K> {
    table.into_iter().map(|(key, places)| (key, places.into())).collect()
}
