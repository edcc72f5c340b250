//! Resolve, judge, record, run, compare, record.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::audit::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
use super::backend::{Decrypted, Encrypted, KmsBackend, ReEncrypted};
use crate::authorize::{
    Authorized, Authorizer, CiphertextInspector, Decrypt, DecryptRequest, Denied, Encrypt,
    EncryptRequest, LegResource, Operation, ReEncrypt, ReEncryptRequest, ResolveError, Side,
};
use crate::compile::{Caller, Epoch, Snapshot};
use crate::model::{Decision, KeyArn, Region, Timestamp};

/// Tells the time; the executor needs it for the audit alone.
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

/// Runs authorized operations on a backend, and keeps the record.
#[derive(Debug)]
pub struct Executor<B, A, C> {
    backend: B,
    audit: A,
    clock: C,
    calls: AtomicU64,
}

impl<B, A, C> Executor<B, A, C>
where
    B: KmsBackend + EpochSource,
    A: AuditLog,
    C: TimeSource,
{
    /// An executor over a backend.
    pub fn new(backend: B, audit: A, clock: C) -> Self {
        Self { backend, audit, clock, calls: AtomicU64::new(1) }
    }

    /// The backend, for what needs no proof.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Resolves, judges and runs a ReEncrypt: the paved path.
    ///
    /// # Errors
    /// When a name leads to no key, any side is not a sure yes, a key cannot be used, the world has
    /// changed, the record cannot be kept, or the backend fails or answers for other keys.
    pub async fn guarded_re_encrypt(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: ReEncryptRequest,
        inspector: &impl CiphertextInspector,
    ) -> Result<ReEncrypted, ExecuteError<ReEncrypt, B::Error>> {
        let authorizer = Authorizer::new(snapshot);
        let region = request.region.clone();
        let resolved = authorizer.resolve_re_encrypt(request, caller, inspector);
        let operation = match resolved {
            Ok(operation) => operation,
            Err(error) => return Err(self.unresolved(error, region, caller, snapshot.epoch())?),
        };
        match authorizer.authorize(operation, caller) {
            Ok(proof) => self.re_encrypt(proof).await,
            Err(denied) => Err(self.refused(denied, caller, snapshot.epoch())?),
        }
    }

    /// Resolves, judges and runs an Encrypt.
    ///
    /// # Errors
    /// As [`Self::guarded_re_encrypt`].
    pub async fn guarded_encrypt(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: EncryptRequest,
    ) -> Result<Encrypted, ExecuteError<Encrypt, B::Error>> {
        let authorizer = Authorizer::new(snapshot);
        let region = request.region.clone();
        let resolved = authorizer.resolve_encrypt(request, caller);
        let operation = match resolved {
            Ok(operation) => operation,
            Err(error) => return Err(self.unresolved(error, region, caller, snapshot.epoch())?),
        };
        match authorizer.authorize(operation, caller) {
            Ok(proof) => self.encrypt(proof).await,
            Err(denied) => Err(self.refused(denied, caller, snapshot.epoch())?),
        }
    }

    /// Resolves, judges and runs a Decrypt.
    ///
    /// # Errors
    /// As [`Self::guarded_re_encrypt`].
    pub async fn guarded_decrypt(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: DecryptRequest,
        inspector: &impl CiphertextInspector,
    ) -> Result<Decrypted, ExecuteError<Decrypt, B::Error>> {
        let authorizer = Authorizer::new(snapshot);
        let region = request.region.clone();
        let resolved = authorizer.resolve_decrypt(request, caller, inspector);
        let operation = match resolved {
            Ok(operation) => operation,
            Err(error) => return Err(self.unresolved(error, region, caller, snapshot.epoch())?),
        };
        match authorizer.authorize(operation, caller) {
            Ok(proof) => self.decrypt(proof).await,
            Err(denied) => Err(self.refused(denied, caller, snapshot.epoch())?),
        }
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
            same_key(&key, &answer.key)?;
            Ok(answer.material.iter().map(|id| (Side::Key, id.clone())).collect())
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
            same_key(&key, &answer.key)?;
            Ok(answer.material.iter().map(|id| (Side::Key, id.clone())).collect())
        })
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
        if judged != now {
            return Err(ExecuteError::Stale { judged, now });
        }
        let sides = allowed_sides(&**proof);
        let region = proof.region().clone();
        let call = Call::new(self, O::NAME, region, proof.caller(), judged, sides);
        self.record(&call, AuditOutcome::Intended)?;
        Ok(call)
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
                self.record(&call, AuditOutcome::Failed { message: error.to_string() })?;
                return Err(ExecuteError::Backend(error));
            }
        };
        match materials(&answer) {
            Ok(key_materials) => {
                self.record(&call, AuditOutcome::Succeeded { key_materials })?;
                Ok(answer)
            }
            Err(Mismatch { judged, answered }) => {
                let message = format!("the backend answered for {answered} instead of {judged}");
                self.record(&call, AuditOutcome::Failed { message })?;
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

/// What is recorded of one call, kept while the proof is with the backend.
pub(super) struct Call<'c> {
    id: u64,
    operation: &'static str,
    region: Region,
    caller: &'c Caller,
    epoch: Epoch,
    sides: Vec<AuditSide>,
}

impl<'c> Call<'c> {
    pub(super) fn new<B, A, C>(
        executor: &Executor<B, A, C>,
        operation: &'static str,
        region: Region,
        caller: &'c Caller,
        epoch: Epoch,
        sides: Vec<AuditSide>,
    ) -> Self {
        Self {
            id: executor.calls.fetch_add(1, Ordering::Relaxed),
            operation,
            region,
            caller,
            epoch,
            sides,
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

pub(super) fn same_key(judged: &KeyArn, answered: &KeyArn) -> Result<(), Mismatch> {
    if judged == answered {
        return Ok(());
    }
    Err(Mismatch { judged: Box::new(judged.clone()), answered: Box::new(answered.clone()) })
}

/// The sides of an operation that is allowed on all of them.
pub(super) fn allowed_sides<O: Operation>(operation: &O) -> Vec<AuditSide> {
    audit_sides(operation, std::iter::repeat(Decision::Allow))
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
            encryption_algorithm: leg.facts.encryption_algorithm?,
        })
    });
    sides.collect()
}
