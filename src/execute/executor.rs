//! Resolve, judge, record, run, compare, record.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::audit::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
use super::backend::{
    ClassifyFailure as _, DataKey, Decrypted, Disagreement, Encrypted, KeyBackend, KmsBackend,
    ReEncrypted,
};
use super::live::{Freshness, KeyReader, LiveWorld, RefreshError, Run, age};
use crate::authorize::{
    Authorized, Authorizer, CiphertextInspector, Decrypt, DecryptRequest, Denied, DescribeKey,
    Encrypt, EncryptRequest, GenerateDataKey, LegResource, NoInspector, Operation, ReEncrypt,
    ReEncryptRequest, Request, ResolveError, Side, SideAnswer,
};
use crate::compile::{Caller, Epoch, Snapshot};
use crate::model::{Decision, Key, KeyArn, Region, Timestamp};

/// Tells the time, for the records and for the age of facts.
pub trait TimeSource: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Tells which state the world is in at this moment.
pub trait EpochSource: Send + Sync {
    /// The current epoch.
    ///
    /// # Errors
    /// When it cannot be told; nothing is executed then.
    fn epoch(&self) -> Result<Epoch, String>;
}

/// An operation did not run, or its result was discarded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<O: fmt::Debug, E: std::error::Error + 'static> {
    /// Occurs when the record could not be kept; when that was the intention, nothing ran.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Occurs when the backend failed.
    #[error("{0}")]
    Backend(#[source] E),
    /// Occurs when the caller may not, or a key cannot.
    #[error("{0}")]
    Denied(Box<Denied<O>>),
    /// Occurs when the backend, which judges callers itself, refuses what was allowed here.
    #[error("{}", disagreement(.side, .error))]
    Disagreement {
        /// Which key the backend named, where it named one.
        side: Option<Side>,
        /// The backend's refusal.
        #[source]
        error: E,
        /// The decision made here with its reasons, every side; empty where a proof was run whose
        /// decision was made elsewhere.
        sides: Vec<SideAnswer>,
    },
    /// Occurs when the facts of a key could not be read again before the decision.
    #[error("the facts of the keys could not be read again, and nothing was run: {0}")]
    NotRefreshed(String),
    /// Occurs when the facts of a key are older than the executor takes, or of unknown age.
    #[error("{}: read the world again", outdated(.age, .max_age))]
    Outdated {
        /// How old they are, in seconds; `None` when that is not known.
        age: Option<u64>,
        /// How old they may be, in seconds.
        max_age: u64,
    },
    /// Occurs when the answer cannot be what was asked for; it is discarded.
    #[error("the backend's answer is discarded: {reason}")]
    Discarded {
        /// What is wrong with it.
        reason: String,
    },
    /// Occurs when the backend does not answer in time; whether it ran is not known.
    #[error("the backend did not answer within {seconds} s")]
    NoAnswer {
        /// How long it was waited for.
        seconds: u64,
    },
    /// Occurs when the backend used other keys than those judged; its result is discarded.
    #[error(
        "the backend answered for {answered}, but {judged} was judged: the result is discarded"
    )]
    OtherKey {
        /// The key of the proof.
        judged: Box<KeyArn>,
        /// The key of the response.
        answered: Box<KeyArn>,
    },
    /// Occurs when a name does not lead to a key.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// Occurs when the world has changed since the decision: judge again.
    #[error("the world changed since the decision (epoch {judged}, now {now}): judge again")]
    Stale {
        /// The epoch of the proof.
        judged: Epoch,
        /// The current one.
        now: Epoch,
    },
    /// Occurs when it cannot be told whether the world has changed.
    #[error("whether the decision still holds cannot be told: {0}")]
    UnknownEpoch(String),
    /// Occurs when an operation is given up between its intention and its call.
    #[error("given up before it ran")]
    Withdrawn,
}

fn disagreement(side: &Option<Side>, error: &impl fmt::Display) -> String {
    let named = match side {
        Some(side) => format!("on the {side}"),
        None => "without naming a key".to_owned(),
    };
    format!(
        "the decision made here is allow, and the backend refuses {named}: the world differs from \
         what the backend knows, or its credentials are not the caller's: {error}"
    )
}

fn outdated(age: &Option<u64>, max_age: &u64) -> String {
    match age {
        Some(age) => format!("the facts of the keys are {age} s old, and may be {max_age} s old"),
        None => {
            format!("how old the facts of the keys are is not known; they may be {max_age} s old")
        }
    }
}

/// Runs authorized operations on a backend, and keeps the record.
#[derive(Debug)]
pub struct Executor<B, A, C> {
    backend: B,
    audit: A,
    clock: C,
    calls: AtomicU64,
    freshness: Freshness,
}

impl<B, A, C> Executor<B, A, C>
where
    B: KmsBackend + EpochSource,
    A: AuditLog,
    C: TimeSource,
{
    /// An executor over a backend.
    pub fn new(backend: B, audit: A, clock: C) -> Self {
        let freshness = Freshness::default();
        Self { backend, audit, clock, calls: AtomicU64::new(1), freshness }
    }

    /// The same executor with a policy of how old facts may be. Without one, any age will do.
    #[must_use]
    pub fn with_freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// The backend, for what needs no proof.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Resolves, judges and runs a request on the world as it is at this moment, which is read
    /// again as the executor's [`Freshness`] says: the paved path of a service.
    ///
    /// The caller is a value that whoever serves the request has to give; the credentials that the
    /// backend runs under say nothing of it. It cannot be left out:
    /// ```compile_fail,E0061
    /// # use keyproof::authorize::{NoInspector, ReEncryptRequest};
    /// # use keyproof::execute::*;
    /// async fn serve<B: KmsBackend + EpochSource, A: AuditLog, C: TimeSource>(
    ///     executor: &Executor<B, A, C>,
    ///     world: &LiveWorld<NoReader>,
    ///     request: ReEncryptRequest,
    /// ) {
    ///     let _ = executor.guarded(world, request, &NoInspector).await;
    /// }
    /// ```
    /// nor be a name that nobody has looked up:
    /// ```compile_fail,E0308
    /// # use keyproof::authorize::{NoInspector, ReEncryptRequest};
    /// # use keyproof::execute::*;
    /// async fn serve<B: KmsBackend + EpochSource, A: AuditLog, C: TimeSource>(
    ///     executor: &Executor<B, A, C>,
    ///     world: &LiveWorld<NoReader>,
    ///     request: ReEncryptRequest,
    /// ) {
    ///     let _ = executor.guarded(world, "tenant", request, &NoInspector).await;
    /// }
    /// ```
    /// nor be carried by the request:
    /// ```compile_fail,E0560
    /// # use keyproof::authorize::ReEncryptRequest;
    /// # fn with(other: ReEncryptRequest) -> ReEncryptRequest {
    /// ReEncryptRequest { caller: "tenant", ..other }
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a name leads to no key, any side is not a sure yes, a key cannot be used, facts are too
    /// old or cannot be read again, the world has changed since the decision, the record cannot be
    /// kept, or the backend fails, refuses or answers for other keys.
    pub async fn guarded<Q, R>(
        &self,
        world: &LiveWorld<R>,
        caller: &Caller,
        request: Q,
        inspector: &impl CiphertextInspector,
    ) -> Result<<Q::Operation as Run<B>>::Answer, ExecuteError<Q::Operation, B::Error>>
    where
        Q: Request,
        Q::Operation: Run<B>,
        R: KeyReader,
    {
        let mut snapshot = world.current();
        let region = request.region().clone();
        let operation = match request.resolve(&Authorizer::new(&snapshot), caller, inspector) {
            Ok(operation) => operation,
            Err(error) => return Err(self.unresolved(error, region, caller, snapshot.epoch())?),
        };
        let keys: Vec<KeyArn> = operation.keys().cloned().collect();
        match self.refresh(world, &snapshot, &keys).await {
            Ok(Some(fresh)) => snapshot = fresh,
            Ok(None) => {}
            Err(error) => {
                self.unjudged(&operation, caller, snapshot.epoch())?;
                return Err(ExecuteError::NotRefreshed(error.to_string()));
            }
        }
        self.judge_and_run(&snapshot, caller, operation).await
    }

    /// Reads the facts of these keys again if the executor's [`Freshness`] says so; the world with
    /// them, `None` when `snapshot` will do.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub async fn refresh<R: KeyReader>(
        &self,
        world: &LiveWorld<R>,
        snapshot: &Snapshot,
        keys: &[KeyArn],
    ) -> Result<Option<Arc<Snapshot>>, RefreshError> {
        let now = self.clock.now();
        if !self.freshness.is_due(snapshot, keys, now) {
            return Ok(None);
        }
        world.refresh(keys, now).await.map(Some)
    }

    /// How old the facts of keys may be.
    pub fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// Resolves, judges and runs a request on one snapshot.
    ///
    /// # Errors
    /// As [`Self::guarded`]; nothing is read again.
    pub async fn guarded_on<Q>(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: Q,
        inspector: &impl CiphertextInspector,
    ) -> Result<<Q::Operation as Run<B>>::Answer, ExecuteError<Q::Operation, B::Error>>
    where
        Q: Request,
        Q::Operation: Run<B>,
    {
        let region = request.region().clone();
        match request.resolve(&Authorizer::new(snapshot), caller, inspector) {
            Ok(operation) => self.judge_and_run(snapshot, caller, operation).await,
            Err(error) => Err(self.unresolved(error, region, caller, snapshot.epoch())?),
        }
    }

    async fn judge_and_run<O: Run<B>>(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        operation: O,
    ) -> Result<O::Answer, ExecuteError<O, B::Error>> {
        let authorizer = Authorizer::new(snapshot);
        match authorizer.authorize(operation, caller) {
            Ok(proof) => {
                let judged =
                    if B::JUDGES { authorizer.explain(&*proof, caller) } else { Vec::new() };
                match O::run(self, proof).await {
                    Err(ExecuteError::Disagreement { side, error, .. }) => {
                        Err(ExecuteError::Disagreement { side, error, sides: judged })
                    }
                    ended => ended,
                }
            }
            Err(denied) => Err(self.refused(denied, caller, snapshot.epoch())?),
        }
    }

    /// Resolves, judges and runs a ReEncrypt on one snapshot.
    ///
    /// # Errors
    /// As [`Self::guarded_on`].
    pub async fn guarded_re_encrypt(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: ReEncryptRequest,
        inspector: &impl CiphertextInspector,
    ) -> Result<ReEncrypted, ExecuteError<ReEncrypt, B::Error>> {
        self.guarded_on(snapshot, caller, request, inspector).await
    }

    /// Resolves, judges and runs an Encrypt on one snapshot.
    ///
    /// # Errors
    /// As [`Self::guarded_on`].
    pub async fn guarded_encrypt(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: EncryptRequest,
    ) -> Result<Encrypted, ExecuteError<Encrypt, B::Error>> {
        self.guarded_on(snapshot, caller, request, &NoInspector).await
    }

    /// Resolves, judges and runs a Decrypt on one snapshot.
    ///
    /// # Errors
    /// As [`Self::guarded_on`].
    pub async fn guarded_decrypt(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: DecryptRequest,
        inspector: &impl CiphertextInspector,
    ) -> Result<Decrypted, ExecuteError<Decrypt, B::Error>> {
        self.guarded_on(snapshot, caller, request, inspector).await
    }

    /// Runs a ReEncrypt that was authorized for `caller`.
    ///
    /// # Errors
    /// When the world has changed, the record cannot be kept, or the backend fails or answers for
    /// other keys.
    pub async fn re_encrypt(
        &self,
        proof: Authorized<'_, ReEncrypt>,
    ) -> Result<ReEncrypted, ExecuteError<ReEncrypt, B::Error>> {
        let source = proof.source().arn().clone();
        let destination = proof.destination().arn().clone();
        let call = self.intend(&proof)?;
        let answer = self.backend.re_encrypt(proof).await;
        self.conclude(call, answer, |answer| {
            same_key(&source, &answer.source_key)?;
            same_key(&destination, &answer.destination_key)?;
            Ok(materials_of(answer))
        })
    }

    /// Runs an Encrypt that was authorized for `caller`.
    ///
    /// # Errors
    /// As [`Self::re_encrypt`].
    pub async fn encrypt(
        &self,
        proof: Authorized<'_, Encrypt>,
    ) -> Result<Encrypted, ExecuteError<Encrypt, B::Error>> {
        let key = proof.key().arn().clone();
        let call = self.intend(&proof)?;
        let answer = self.backend.encrypt(proof).await;
        self.conclude(call, answer, |answer| {
            material_of(&key, &answer.key, answer.material.as_deref())
        })
    }

    /// Runs a Decrypt that was authorized for `caller`.
    ///
    /// # Errors
    /// As [`Self::re_encrypt`].
    pub async fn decrypt(
        &self,
        proof: Authorized<'_, Decrypt>,
    ) -> Result<Decrypted, ExecuteError<Decrypt, B::Error>> {
        let key = proof.key().arn().clone();
        let call = self.intend(&proof)?;
        let answer = self.backend.decrypt(proof).await;
        self.conclude(call, answer, |answer| {
            material_of(&key, &answer.key, answer.material.as_deref())
        })
    }

    /// Records that an operation is refused without a decision.
    fn unjudged<O: Operation>(
        &self,
        operation: &O,
        caller: &Caller,
        epoch: Epoch,
    ) -> Result<(), AuditError> {
        let sides = audit_sides(operation, std::iter::repeat(Decision::Undetermined));
        let region = operation.region().clone();
        let call = Call::new(self, O::NAME, region, caller, epoch, sides);
        self.record(&call, AuditOutcome::Denied { code: "AccessDeniedException" })
    }

    /// Records a refusal that came before any key was known; the error to return.
    fn unresolved<O: Operation + fmt::Debug>(
        &self,
        error: ResolveError,
        region: Region,
        caller: &Caller,
        epoch: Epoch,
    ) -> Result<ExecuteError<O, B::Error>, ExecuteError<O, B::Error>> {
        let call = Call::new(self, O::NAME, region, caller, epoch, Vec::new());
        // Without a code AWS's answer is not known, and neither is ours.
        let code = error.code().unwrap_or("AccessDeniedException");
        self.record(&call, AuditOutcome::Denied { code })?;
        Ok(ExecuteError::Resolve(error))
    }

    /// Records a refusal; the error to return.
    fn refused<O: Operation + fmt::Debug>(
        &self,
        denied: Box<Denied<O>>,
        caller: &Caller,
        epoch: Epoch,
    ) -> Result<ExecuteError<O, B::Error>, ExecuteError<O, B::Error>> {
        let decisions = denied.sides.iter().map(|side| side.explanation.decision);
        let sides = audit_sides(&denied.operation, decisions);
        let region = denied.operation.region().clone();
        let call = Call::new(self, O::NAME, region, caller, epoch, sides);
        self.record(&call, AuditOutcome::Denied { code: denied.code() })?;
        Ok(ExecuteError::Denied(denied))
    }

    /// Refuses a stale proof, and records the intention before anything runs.
    fn intend<'c, O: Operation + fmt::Debug>(
        &self,
        proof: &Authorized<'c, O>,
    ) -> Result<Call<'c>, ExecuteError<O, B::Error>> {
        let (judged, now) = (proof.epoch(), self.backend.epoch());
        let now = now.map_err(ExecuteError::UnknownEpoch)?;
        self.still_good(proof, now)?;
        let sides = allowed_sides(&**proof);
        let region = proof.region().clone();
        let call = Call::new(self, O::NAME, region, proof.caller(), judged, sides);
        self.record(&call, AuditOutcome::Intended)?;
        Ok(call)
    }

    /// Refuses, and records it, what was decided on another state of the world than `now`, or on
    /// facts that are too old by now.
    pub(super) fn still_good<O: Operation + fmt::Debug>(
        &self,
        proof: &Authorized<'_, O>,
        now: Epoch,
    ) -> Result<(), ExecuteError<O, B::Error>> {
        let judged = proof.epoch();
        let error = if judged == now {
            let Some(max_age) = self.freshness.max_age else { return Ok(()) };
            let max_age = max_age.as_secs();
            let age = age(proof.read_at(), self.clock.now());
            if age.is_some_and(|age| age <= max_age) {
                return Ok(());
            }
            ExecuteError::Outdated { age, max_age }
        } else {
            ExecuteError::Stale { judged, now }
        };
        self.unjudged(&**proof, proof.caller(), judged)?;
        Err(error)
    }

    /// Records what became of a call, and hands the answer out only if it is for the keys judged.
    fn conclude<T, O: fmt::Debug>(
        &self,
        call: Call<'_>,
        answer: Result<T, B::Error>,
        materials: impl FnOnce(&T) -> Result<Vec<(Side, String)>, Mismatch>,
    ) -> Result<T, ExecuteError<O, B::Error>> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let (outcome, error) = failed::<B, O>(error);
                self.record(&call, outcome)?;
                return Err(error);
            }
        };
        match materials(&answer) {
            Ok(key_materials) => {
                self.record(&call, AuditOutcome::Succeeded { key_materials })?;
                Ok(answer)
            }
            Err(Mismatch { judged, answered }) => {
                let message = format!("the backend answered for {answered} instead of {judged}");
                self.record(&call, AuditOutcome::Failed { code: None, message })?;
                Err(ExecuteError::OtherKey { judged, answered })
            }
        }
    }

    fn record(&self, call: &Call<'_>, outcome: AuditOutcome) -> Result<(), AuditError> {
        self.audit.record(&call.record(self.clock.now(), outcome))
    }

    pub(super) fn audit(&self) -> &A {
        &self.audit
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl<B, A, C> Executor<B, A, C>
where
    B: KeyBackend + EpochSource,
    A: AuditLog,
    C: TimeSource,
{
    /// Runs a GenerateDataKey that was authorized.
    ///
    /// # Errors
    /// As [`Self::re_encrypt`].
    pub async fn generate_data_key(
        &self,
        proof: Authorized<'_, GenerateDataKey>,
    ) -> Result<DataKey, ExecuteError<GenerateDataKey, B::Error>> {
        let key = proof.key().arn().clone();
        let call = self.intend(&proof)?;
        let answer = self.backend.generate_data_key(proof).await;
        self.conclude(call, answer, |answer| {
            material_of(&key, &answer.key, answer.material.as_deref())
        })
    }

    /// Runs a DescribeKey that was authorized.
    ///
    /// # Errors
    /// As [`Self::re_encrypt`].
    pub async fn describe_key(
        &self,
        proof: Authorized<'_, DescribeKey>,
    ) -> Result<Key, ExecuteError<DescribeKey, B::Error>> {
        let key = proof.key().arn().clone();
        let call = self.intend(&proof)?;
        let answer = self.backend.describe_key(proof).await;
        self.conclude(call, answer, |answer| {
            same_key(&key, &answer.arn)?;
            Ok(Vec::new())
        })
    }
}

/// What is recorded of one call, kept while the proof is with the backend.
pub(super) struct Call<'c> {
    id: u64,
    operation: &'static str,
    region: Region,
    caller: &'c Caller,
    epoch: Epoch,
    sides: Arc<[AuditSide]>,
}

impl<'c> Call<'c> {
    pub(super) fn new<B, A, C>(
        executor: &Executor<B, A, C>,
        operation: &'static str,
        region: Region,
        caller: &'c Caller,
        epoch: Epoch,
        sides: impl Into<Arc<[AuditSide]>>,
    ) -> Self {
        Self {
            id: executor.calls.fetch_add(1, Ordering::Relaxed),
            operation,
            region,
            caller,
            epoch,
            sides: sides.into(),
        }
    }

    pub(super) fn record(&self, time: Timestamp, outcome: AuditOutcome) -> AuditRecord<'_> {
        AuditRecord {
            call: self.id,
            time,
            operation: self.operation,
            region: &self.region,
            principal: &self.caller.principal,
            epoch: self.epoch,
            sides: &self.sides,
            outcome,
        }
    }
}

pub(super) struct Mismatch {
    judged: Box<KeyArn>,
    answered: Box<KeyArn>,
}

impl<O: fmt::Debug, E: std::error::Error> From<Mismatch> for ExecuteError<O, E> {
    fn from(Mismatch { judged, answered }: Mismatch) -> Self {
        Self::OtherKey { judged, answered }
    }
}

pub(super) fn materials_of(answer: &ReEncrypted) -> Vec<(Side, String)> {
    let source = answer.source_material.clone().map(|id| (Side::Source, id));
    let destination = answer.destination_material.clone().map(|id| (Side::Destination, id));
    source.into_iter().chain(destination).collect()
}

/// The material of the one key of an operation, if the backend used that key.
fn material_of(
    judged: &KeyArn,
    answered: &KeyArn,
    material: Option<&str>,
) -> Result<Vec<(Side, String)>, Mismatch> {
    same_key(judged, answered)?;
    Ok(material.map(|id| (Side::Key, id.to_owned())).into_iter().collect())
}

pub(super) fn same_key(judged: &KeyArn, answered: &KeyArn) -> Result<(), Mismatch> {
    if judged == answered {
        return Ok(());
    }
    Err(Mismatch { judged: Box::new(judged.clone()), answered: Box::new(answered.clone()) })
}

/// What is recorded of a backend's failure, and what is told of it.
pub(super) fn failed<B: KmsBackend, O: fmt::Debug>(
    error: B::Error,
) -> (AuditOutcome, ExecuteError<O, B::Error>) {
    match B::disagreement(&error) {
        Some(Disagreement { side, message, request_id }) => (
            AuditOutcome::Disagreed { side, message, request_id },
            ExecuteError::Disagreement { side, error, sides: Vec::new() },
        ),
        None => {
            let code = error.code().map(str::to_owned);
            let outcome = AuditOutcome::Failed { code, message: error.to_string() };
            (outcome, ExecuteError::Backend(error))
        }
    }
}

/// The sides of an operation that is allowed on all of them.
pub(super) fn allowed_sides<O: Operation>(operation: &O) -> Vec<AuditSide> {
    audit_sides(operation, std::iter::repeat(Decision::Allow))
}

/// Whether these are the [`allowed_sides`] of an operation.
pub(super) fn are_allowed_sides<O: Operation>(sides: &[AuditSide], operation: &O) -> bool {
    let legs = operation.legs();
    let mut about = legs.iter().filter_map(|leg| match leg.resource {
        LegResource::Key(key) => Some((leg, key)),
        _ => None,
    });
    let all = sides.iter().all(|side| {
        about.next().is_some_and(|(leg, key)| {
            let context = leg.facts.encryption_context;
            (side.side, side.action, side.decision) == (leg.side, leg.action, Decision::Allow)
                && side.encryption_algorithm == leg.facts.encryption_algorithm
                && side.key == *key
                && context.map_or(side.encryption_context.is_empty(), |context| {
                    side.encryption_context == *context
                })
        })
    });
    all && about.next().is_none()
}

fn audit_sides<O: Operation>(
    operation: &O,
    decisions: impl Iterator<Item = Decision>,
) -> Vec<AuditSide> {
    let legs = operation.legs();
    let sides = legs.iter().zip(decisions).filter_map(|(leg, decision)| {
        let LegResource::Key(key) = leg.resource else { return None };
        Some(AuditSide {
            side: leg.side,
            action: leg.action,
            key: key.clone(),
            decision,
            encryption_context: leg.facts.encryption_context.cloned().unwrap_or_default(),
            encryption_algorithm: leg.facts.encryption_algorithm,
        })
    });
    sides.collect()
}
