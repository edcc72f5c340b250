//! The plan: every item decided, none sent anywhere.
//!
//! Items that ask the same question, the same keys, contexts and algorithms, are decided once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::input::Mark;
use super::{FleetError, Item, Job};
use crate::authorize::{
    Authorized, Authorizer, CiphertextInspector, Denied, InspectError, Operation as _, Provenance,
    ReEncrypt, ResolveError,
};
use crate::compile::{Caller, Snapshot};
use crate::model::{CiphertextBlob, Decision, EncryptionContext, KeyArn, Timestamp};
use crate::report;

/// What the plan says of one item.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It may be moved.
    Allow(Arc<KeyPair>),
    /// It is not one of those to be moved.
    NotSelected,
    /// It may not be moved.
    Refuse(Arc<Refusal>),
}

/// The keys of a ReEncrypt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPair {
    /// The key that decrypts.
    pub source: KeyArn,
    /// The key that encrypts.
    pub destination: KeyArn,
}

/// Why an item may not be moved.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// AWS's error, `Undetermined` where the answer is not known.
    pub code: String,
    /// What decided.
    pub reason: String,
    /// The keys, if the names led to keys.
    pub pair: Option<KeyPair>,
}

impl Refusal {
    /// Whether the answer is open rather than no.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.code == UNDETERMINED
    }
}

/// The plan's numbers.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// All items of the input.
    pub total: u64,
    /// Those that were moved by an earlier run.
    pub done: u64,
    /// Those that may be moved.
    pub allowed: u64,
    /// Those that may not, or of which it is not known.
    pub refused: u64,
    /// Those of the refused of which it is not known.
    pub open: u64,
    /// Those that are not to be moved.
    pub not_selected: u64,
    /// How many distinct questions were decided.
    pub decisions: u64,
    /// Allowed and refused items of each pair of keys.
    pub pairs: BTreeMap<KeyPair, (u64, u64)>,
    /// Refused items by code and reason.
    pub reasons: BTreeMap<(String, String), u64>,
    /// Refused items whose reasons are too many to be told one by one.
    pub other_reasons: u64,
    pub(super) mark: Mark,
    pub(super) mark_of_rest: Mark,
}

/// Decides every item of a job. `refused` is told of each refusal, in the order of the input.
///
/// # Errors
/// When the input cannot be read or an item cannot be understood; nothing is decided half.
pub fn plan(
    job: &Job,
    snapshot: &Snapshot,
    caller: &Caller,
    inspector: &impl CiphertextInspector,
    refused: impl FnMut(&Item, &Refusal) -> Result<(), FleetError>,
) -> Result<Plan, FleetError> {
    plan_rest(job, snapshot, caller, inspector, |_| Ok(false), refused)
}

/// The same for a job of which some items are done.
pub(super) fn plan_rest(
    job: &Job,
    snapshot: &Snapshot,
    caller: &Caller,
    inspector: &impl CiphertextInspector,
    mut is_done: impl FnMut(u64) -> Result<bool, FleetError>,
    mut refused: impl FnMut(&Item, &Refusal) -> Result<(), FleetError>,
) -> Result<Plan, FleetError> {
    let mut judge = Judge::new(job, snapshot, caller, inspector)?;
    let mut reader = job.input.open()?;
    let mut plan = Plan::default();
    while let Some(raw) = reader.next()? {
        let (item, mark) = raw.item(job.input.path(), &job.defaults)?;
        plan.total += 1;
        plan.mark.add(mark);
        if is_done(item.position)? {
            plan.done += 1;
            continue;
        }
        plan.mark_of_rest.add(mark);
        match judge.verdict(&item) {
            Verdict::Allow(pair) => {
                plan.allowed += 1;
                plan.count(&pair, |(allowed, _)| *allowed += 1);
            }
            Verdict::NotSelected => plan.not_selected += 1,
            Verdict::Refuse(refusal) => {
                plan.refused += 1;
                plan.open += u64::from(refusal.is_open());
                if let Some(pair) = &refusal.pair {
                    plan.count(pair, |(_, refused)| *refused += 1);
                }
                plan.count_reason(&refusal);
                refused(&item, &refusal)?;
            }
        }
    }
    plan.decisions = judge.decisions;
    Ok(plan)
}

impl Plan {
    /// The keys of all items, each once.
    pub(super) fn keys(&self) -> impl Iterator<Item = &KeyArn> {
        let all = self.pairs.keys().flat_map(|pair| [&pair.source, &pair.destination]);
        all.collect::<BTreeSet<_>>().into_iter()
    }

    fn count(&mut self, pair: &KeyPair, add: impl FnOnce(&mut (u64, u64))) {
        match self.pairs.get_mut(pair) {
            Some(counts) => add(counts),
            None => add(self.pairs.entry(pair.clone()).or_default()),
        }
    }

    fn count_reason(&mut self, refusal: &Refusal) {
        let key = (refusal.code.clone(), refusal.reason.clone());
        let has_room = self.reasons.len() < MAX_REASONS;
        match self.reasons.get_mut(&key) {
            Some(count) => *count += 1,
            None if has_room => drop(self.reasons.insert(key, 1)),
            None => self.other_reasons += 1,
        }
    }
}

/// Decides items, each distinct question once.
pub(super) struct Judge<'a, I> {
    authorizer: Authorizer<'a>,
    job: &'a Job,
    caller: &'a Caller,
    inspector: &'a I,
    only_key: Option<KeyArn>,
    known: HashMap<Vec<u8>, Verdict>,
    question: Vec<u8>,
    decisions: u64,
}

impl<'a, I: CiphertextInspector> Judge<'a, I> {
    pub(super) fn new(
        job: &'a Job,
        snapshot: &'a Snapshot,
        caller: &'a Caller,
        inspector: &'a I,
    ) -> Result<Self, FleetError> {
        let authorizer = Authorizer::new(snapshot);
        let only_key = match &job.selection.key {
            Some(name) => {
                let resolved = authorizer.resolve_key(name.clone(), &job.defaults.region, caller);
                Some(resolved.map_err(|error| FleetError::Key(error.to_string()))?.arn().clone())
            }
            None => None,
        };
        let (known, question) = (HashMap::new(), Vec::new());
        Ok(Self { authorizer, job, caller, inspector, only_key, known, question, decisions: 0 })
    }

    pub(super) fn verdict(&mut self, item: &Item) -> Verdict {
        if self.is_young(item) {
            return Verdict::NotSelected;
        }
        let origin = Inspected(self.inspector.inspect(&item.ciphertext));
        let mut question = std::mem::take(&mut self.question);
        write_question(&mut question, item, &origin);
        let verdict = match self.known.get(&question) {
            Some(verdict) => verdict.clone(),
            None => {
                let verdict = self.decide(item, &origin);
                self.decisions += 1;
                if self.known.len() >= MAX_QUESTIONS {
                    self.known.clear();
                }
                self.known.insert(question.clone(), verdict.clone());
                verdict
            }
        };
        self.question = question;
        verdict
    }

    fn decide(&self, item: &Item, origin: &Inspected) -> Verdict {
        match self.authorize(item, origin) {
            Ok(proof) => Verdict::Allow(Arc::new(KeyPair::of(&proof))),
            Err(verdict) => verdict,
        }
    }

    /// The proof that an item may be moved, or what speaks against it.
    pub(super) fn prove(&self, item: &Item) -> Result<Authorized<'a, ReEncrypt>, Verdict> {
        if self.is_young(item) {
            return Err(Verdict::NotSelected);
        }
        self.authorize(item, self.inspector)
    }

    /// The keys that the decision on an item is about; none where a name leads nowhere.
    pub(super) fn keys(&self, item: &Item) -> Vec<KeyArn> {
        let request = item.request(&self.job.defaults);
        let resolved = self.authorizer.resolve_re_encrypt(request, self.caller, self.inspector);
        resolved.map_or_else(|_| Vec::new(), |operation| operation.keys().cloned().collect())
    }

    fn authorize(
        &self,
        item: &Item,
        inspector: &impl CiphertextInspector,
    ) -> Result<Authorized<'a, ReEncrypt>, Verdict> {
        let request = item.request(&self.job.defaults);
        let operation = self
            .authorizer
            .resolve_re_encrypt(request, self.caller, inspector)
            .map_err(|error| Verdict::Refuse(Arc::new(unresolved(&error))))?;
        if self.only_key.as_ref().is_some_and(|key| !key.is_related_to(operation.source().arn())) {
            return Err(Verdict::NotSelected);
        }
        self.authorizer.authorize(operation, self.caller).map_err(|denied| {
            Verdict::Refuse(Arc::new(refusal(&denied, KeyPair::of(&denied.operation))))
        })
    }

    fn is_young(&self, item: &Item) -> bool {
        let limit = self.job.selection.material_before.map(Timestamp::epoch_seconds);
        let made = || self.inspector.material_date(&item.ciphertext).map(Timestamp::epoch_seconds);
        limit.is_some_and(|limit| made().is_some_and(|made| made >= limit))
    }
}

impl KeyPair {
    pub(super) fn of(operation: &ReEncrypt) -> Self {
        Self {
            source: operation.source().arn().clone(),
            destination: operation.destination().arn().clone(),
        }
    }
}

/// What the inspector has said, for those who ask again.
struct Inspected(Result<Provenance, InspectError>);

impl CiphertextInspector for Inspected {
    fn inspect(&self, _: &CiphertextBlob) -> Result<Provenance, InspectError> {
        self.0.clone()
    }
}

/// Everything the decision depends on and that differs between items. Each part stands after its
/// length, so no two questions look alike.
fn write_question(question: &mut Vec<u8>, item: &Item, origin: &Inspected) {
    question.clear();
    let mut add = |part: &str| {
        question.extend_from_slice(&(part.len() as u64).to_be_bytes());
        question.extend_from_slice(part.as_bytes());
    };
    match &origin.0 {
        Ok(Provenance::Key(key)) => add(key.as_str()),
        Ok(Provenance::Opaque) => add("opaque"),
        Err(InspectError(message)) => {
            add("unreadable");
            add(message);
        }
    }
    match &item.source_key {
        Some(key) => add(&key.to_string()),
        None => add(""),
    }
    add(&item.destination_key.to_string());
    let mut context = |context: &EncryptionContext| {
        add(&context.len().to_string());
        for (name, value) in context.iter() {
            add(name);
            add(value);
        }
    };
    context(&item.source_context);
    context(&item.destination_context);
}

fn unresolved(error: &ResolveError) -> Refusal {
    let code = error.code().unwrap_or(UNDETERMINED).to_owned();
    let reason = match error {
        ResolveError::Opaque => "the ciphertext does not name its key: give the item a \
                                 `sourceKeyId`, or all of them one with --source-key-id"
            .to_owned(),
        other => other.to_string(),
    };
    Refusal { code, reason, pair: None }
}

fn refusal(denied: &Denied<ReEncrypt>, pair: KeyPair) -> Refusal {
    if let Some(fault) = &denied.fault {
        let reason = format!("{}: {}", fault.side, fault.message);
        return Refusal { code: fault.code.to_owned(), reason, pair: Some(pair) };
    }
    let code = match denied.decision() {
        Decision::Undetermined => UNDETERMINED,
        _ => denied.code(),
    };
    let mut reason = String::new();
    for side in denied.sides.iter().filter(|side| !side.explanation.decision.is_allow()) {
        let first = report::reasons(side).into_iter().next();
        let first = first.map_or_else(|| side.explanation.decision.to_string(), |it| it.text);
        if !reason.is_empty() {
            reason.push_str("; ");
        }
        reason.push_str(&format!("{}: {first}", side.side));
    }
    Refusal { code: code.to_owned(), reason, pair: Some(pair) }
}

const UNDETERMINED: &str = "Undetermined";
/// More questions than this are forgotten and decided again.
const MAX_QUESTIONS: usize = 4096;
const MAX_REASONS: usize = 1000;
