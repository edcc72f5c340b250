//! Laws on random worlds, and the engine held to the oracle.
//!
//! `KEYPROOF_CASES` is the number of worlds (each is asked several questions).

use std::collections::BTreeMap;

use keyproof::evaluate::{StatementFinding, decide, explain};
use keyproof::model::{Action, ContextValue, Decision, Operator, PolicyKind, Truth};
use proptest::prelude::*;
use serde_json::json;

use crate::oracle::{Answer, reached};
use crate::samples::{Dice, KEYS, LAYERS, Sample, ask, compiled, policy, sample, statement};

fn engine(sample: &Sample) -> Decision {
    ask(sample, &compiled(&sample.texts), &sample.context, decide)
}

/// Whether an answer given while something was unknown is kept by the one given when it is known.
fn stays(before: Decision, settled: Decision) -> bool {
    match before {
        Decision::Undetermined => true,
        // No Allow is left, but a Deny may still turn out to apply.
        Decision::ImplicitDeny => {
            matches!(settled, Decision::ImplicitDeny | Decision::ExplicitDeny)
        }
        Decision::Allow | Decision::ExplicitDeny => before == settled,
    }
}

pub fn cases() -> u32 {
    std::env::var("KEYPROOF_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(400)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_compiled_evaluator_agrees_with_the_oracle(seed: u64) {
        let sample = sample(seed);
        let slots = compiled(&sample.texts);
        let decided = ask(&sample, &slots, &sample.context, decide);
        let explanation = ask(&sample, &slots, &sample.context, explain);
        prop_assert_eq!(decided, explanation.decision, "decide and explain, seed {}", seed);
        let expected = match sample.world.decide() {
            Answer::Allow => Decision::Allow,
            Answer::ExplicitDeny => Decision::ExplicitDeny,
            Answer::ImplicitDeny => Decision::ImplicitDeny,
            Answer::Undetermined => Decision::Undetermined,
        };
        prop_assert_eq!(decided, expected, "seed {}: {:?} {:?} by {:?}: {:#?}", seed, sample.texts, sample.context, sample.world.principal, explanation.by);
    }

    #[test]
    fn an_added_deny_never_allows_and_an_added_allow_never_denies(seed: u64) {
        let mut sample = sample(seed);
        let before = engine(&sample);
        let mut dice = Dice(!seed);
        let layers: Vec<usize> = (0..LAYERS.len()).filter(|at| !sample.texts[LAYERS[*at].0].is_empty()).collect();
        let (layer, kind) = LAYERS[layers[usize::try_from(dice.roll(layers.len() as u64)).unwrap()]];
        let effect = if kind == PolicyKind::ResourceControl { "Deny" } else { dice.pick(&["Allow", "Deny"]) };
        let added = json!({"Version": "2012-10-17", "Statement": statement(&mut dice, kind, effect)});
        let Some(level) = sample.texts.get_mut(layer).unwrap().first_mut() else { return Ok(()) };
        level.push(Some(added));
        let after = engine(&sample);
        if effect == "Deny" {
            prop_assert!(after != Decision::Allow || before == Decision::Allow, "{seed}: {before} -> {after}");
            prop_assert!(before != Decision::ExplicitDeny || after == before, "{seed}: {before} -> {after}");
        } else {
            prop_assert!(before != Decision::Allow || after == Decision::Allow, "{seed}: {before} -> {after}");
            prop_assert!(before != Decision::ExplicitDeny || after == before, "{seed}: {before} -> {after}");
        }
    }

    #[test]
    fn an_unconditional_deny_beats_everything(seed: u64) {
        let mut sample = sample(seed);
        let mut dice = Dice(!seed);
        // E15, E16
        let on_key = sample.world.owner.is_some() && sample.world.action != Action::RetireGrant;
        let layers: Vec<usize> = (0..LAYERS.len())
            .filter(|at| !sample.texts[LAYERS[*at].0].is_empty() && (on_key || !matches!(LAYERS[*at].0, "key" | "rcps")))
            .collect();
        if layers.is_empty() {
            return Ok(());
        }
        let (layer, kind) = LAYERS[layers[usize::try_from(dice.roll(layers.len() as u64)).unwrap()]];
        let mut deny = json!({"Effect": "Deny", "Action": "kms:*", "Resource": "*"});
        if kind.has_principals() {
            deny["Principal"] = json!("*");
        }
        let deny = json!({"Version": "2012-10-17", "Statement": deny});
        sample.texts.get_mut(layer).unwrap()[0].push(Some(deny));
        prop_assert_eq!(engine(&sample), Decision::ExplicitDeny);
    }

    #[test]
    fn the_order_of_statements_policies_and_grants_is_irrelevant(seed: u64) {
        let mut sample = sample(seed);
        let before = engine(&sample);
        for policy in sample.texts.values_mut().flatten().flatten().flatten() {
            policy["Statement"].as_array_mut().unwrap().reverse();
        }
        sample.texts.values_mut().flatten().for_each(|level| level.reverse());
        sample.world.grants.reverse();
        prop_assert_eq!(before, engine(&sample));
    }

    #[test]
    fn what_is_decided_stays_so_whatever_an_unknown_key_turns_out_to_be(seed: u64) {
        // The next world of which something is unknown.
        let sample = (0..).map(|step| sample(seed.wrapping_add(step))).find(|it| !it.context.is_complete()).unwrap();
        let slots = compiled(&sample.texts);
        let before = ask(&sample, &slots, &sample.context, decide);
        let mut dice = Dice(!seed);
        let mut context = sample.context.clone();
        for (key, values) in KEYS {
            let value = match dice.roll(3) {
                0 => ContextValue::Absent,
                1 => ContextValue::Many(dice.some(2, |dice| dice.pick(values).to_owned())),
                _ => ContextValue::One(dice.pick(values).to_owned()),
            };
            // What was stated, or follows from the caller, stays as it was.
            if sample.world.context.iter().all(|(known, _)| *known != key.to_lowercase()) {
                context.set(key, value);
            }
        }
        let settled = ask(&sample, &slots, &context.complete(), decide);
        prop_assert!(stays(before, settled), "seed {seed}: {before} -> {settled}");
    }

    #[test]
    fn what_is_decided_stays_so_whatever_an_unreadable_policy_says(seed: u64) {
        let unreadable = |it: &Sample| it.texts.values().flatten().flatten().any(Option::is_none);
        let mut sample = (0..).map(|step| sample(seed.wrapping_add(step))).find(unreadable).unwrap();
        let before = engine(&sample);
        let mut dice = Dice(!seed);
        for (layer, kind) in LAYERS {
            for text in sample.texts.get_mut(layer).unwrap().iter_mut().flatten() {
                text.get_or_insert_with(|| policy(&mut dice, *kind));
            }
        }
        let settled = engine(&sample);
        prop_assert!(stays(before, settled), "seed {seed}: {before} -> {settled}");
    }
}

/// Clauses that the oracle does not speak of, with the reason.
const BESIDE_THE_ORACLE: &[(&str, &str)] = &[
    ("E9", "is how the oracle answers"),
    ("E13", "is about operations, which are made of questions"),
    ("G10", "is about what a request carries"),
    ("G11", "is about what KMS refuses before it asks"),
];

/// Clauses by which no request is allowed, with the reason.
const ONLY_REFUSE: &[(&str, &str)] = &[("E11", "what cannot be read may deny")];

/// How many random worlds are looked at before something counts as never reached.
const WORLDS: u64 = 40_000;

/// Counts what allows and what denies in random worlds, until all that is wanted was there.
fn reached<T: Ord>(
    wanted: &BTreeMap<T, [u32; 2]>,
    mut of: impl FnMut(&Sample) -> Option<(usize, Vec<T>)>,
) -> BTreeMap<T, [u32; 2]> {
    let mut counts: BTreeMap<T, [u32; 2]> = BTreeMap::new();
    for seed in 0..WORLDS {
        if let Some((side, all)) = of(&sample(seed)) {
            all.into_iter().for_each(|one| counts.entry(one).or_default()[side] += 1);
        }
        let met = |(one, least): (&T, &[u32; 2])| {
            counts.get(one).is_some_and(|had| had[0] >= least[0] && had[1] >= least[1])
        };
        if seed % 200 == 199 && wanted.iter().all(met) {
            break;
        }
    }
    counts
}

fn missing<T: Ord + std::fmt::Debug>(
    wanted: &BTreeMap<T, [u32; 2]>,
    counts: &BTreeMap<T, [u32; 2]>,
) -> Vec<String> {
    wanted
        .iter()
        .map(|(one, least)| (one, least, counts.get(one).copied().unwrap_or_default()))
        .filter(|(_, least, had)| had.iter().zip(*least).any(|(had, least)| had < least))
        .map(|(one, _, had)| format!("{one:?}: {had:?}"))
        .collect()
}

/// Every clause of evaluation has a part in some allow and in some denial of the random worlds.
#[test]
fn every_clause_is_reached_by_an_allow_and_by_a_deny() {
    let clauses = crate::coverage::clauses();
    let excepted = |list: &[(&str, &str)], clause: &str| list.iter().any(|(one, _)| *one == clause);
    let wanted: BTreeMap<String, [u32; 2]> = clauses
        .into_iter()
        .filter(|clause| clause.starts_with(['A', 'R', 'N', 'C', 'E', 'G']))
        .filter(|clause| !excepted(BESIDE_THE_ORACLE, clause))
        .map(|clause| {
            let allows = !excepted(ONLY_REFUSE, &clause);
            (clause, [u32::from(allows), 1])
        })
        .collect();
    let counts = reached(&wanted, |sample| {
        reached::take();
        let side = match sample.world.decide() {
            Answer::Allow => 0,
            Answer::ExplicitDeny | Answer::ImplicitDeny => 1,
            Answer::Undetermined => return None,
        };
        Some((side, reached::take().into_iter().map(str::to_owned).collect()))
    });
    let missing = missing(&wanted, &counts);
    assert!(missing.is_empty(), "allows and denials by clause: {missing:?}");
    for (clause, why) in BESIDE_THE_ORACLE {
        assert!(!counts.contains_key(*clause), "{clause} {why}, but is reached");
    }
    for (clause, why) in ONLY_REFUSE {
        assert_eq!(counts[*clause][0], 0, "{clause} only refuses: {why}");
    }
}

/// Every operator, qualifier and layer has a part in some decision, both ways.
#[test]
fn every_operator_and_layer_is_reached_by_an_allow_and_by_a_deny() {
    let mut wanted: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for operator in Operator::ALL {
        for truth in ["True", "False"] {
            wanted.insert(format!("{truth} {operator}"), [1, 1]);
        }
    }
    for layer in ["key-policy", "identity", "boundary", "session", "scp", "rcp", "vpc-endpoint"] {
        wanted.insert(format!("layer {layer}"), [1, 1]);
    }
    for outcome in ["Applies", "Context", "Grantee", "NotPropagated", "Operation", "SourceArn"] {
        wanted.insert(format!("grant {outcome}"), [u32::from(outcome == "Applies"), 1]);
    }
    let counts = reached(&wanted, |sample| {
        let explanation = ask(sample, &compiled(&sample.texts), &sample.context, explain);
        let side = match explanation.decision {
            Decision::Allow => 0,
            Decision::ExplicitDeny | Decision::ImplicitDeny => 1,
            Decision::Undetermined => return None,
        };
        let mut all = Vec::new();
        for finding in &explanation.trace.statements {
            all.push(format!("layer {}", finding.layer));
            for (holds, operator) in conditions(finding) {
                all.push(format!("{holds:?} {operator}"));
            }
        }
        for grant in &explanation.trace.grants {
            all.push(format!("grant {:?}", grant.outcome));
        }
        Some((side, all))
    });
    let missing = missing(&wanted, &counts);
    assert!(missing.is_empty(), "allows and denials: {missing:?}");
}

fn conditions(finding: &StatementFinding) -> Vec<(Truth, Operator)> {
    let statement = finding.statement().unwrap();
    finding
        .conditions
        .iter()
        .map(|condition| (condition.holds, statement.conditions[condition.index].operator.operator))
        .collect()
}
