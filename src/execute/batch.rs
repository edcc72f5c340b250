//! Many ReEncrypts whose records are kept together: one write for all intentions, one for all
//! outcomes. The order is that of a single call: intention, call, outcome, answer.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::audit::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
use super::backend::{KmsBackend, ReEncrypted};
use super::executor::{Call, EpochSource, ExecuteError, Executor, TimeSource, allowed_sides};
use super::executor::{are_allowed_sides, failed, materials_of, same_key};
use crate::authorize::{Authorized, Operation, ReEncrypt};

/// Completes a backend's future, or gives it up.
pub trait Wait: Sync {
    /// What the future gives; `None` when it has not given it after `limit`.
    fn wait<F: Future>(&self, future: F, limit: Duration) -> Option<F::Output>;
}

/// A ReEncrypt whose intention is recorded. Made by [`Executor::intend_all`] alone.
#[must_use = "run it, or withdraw it, so that its outcome is recorded"]
pub struct Intended<'p> {
    call: Call<'p>,
    proof: Authorized<'p, ReEncrypt>,
}

impl<'p> Intended<'p> {
    /// Gives it up; nothing was run.
    pub fn withdraw<E: std::error::Error>(self) -> Answered<'p, E> {
        Answered { call: self.call, answer: Err(unanswered(ExecuteError::Withdrawn)) }
    }
}

impl fmt::Debug for Intended<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Intended").field(&self.proof).finish()
    }
}

/// A ReEncrypt that was run. What it gave is handed out by [`Executor::conclude_all`], when the
/// outcome is recorded.
#[must_use = "conclude it, so that its outcome is recorded"]
pub struct Answered<'p, E: std::error::Error + 'static> {
    call: Call<'p>,
    answer: Result<ReEncrypted, Unanswered<E>>,
}

/// What is recorded and what is told of an operation without an answer.
type Unanswered<E> = Box<(AuditOutcome, ExecuteError<ReEncrypt, E>)>;

impl<E: std::error::Error> Answered<'_, E> {
    /// Discards an answer that `check` finds fault with; the fault is recorded as the outcome.
    pub fn check(mut self, check: impl FnOnce(&ReEncrypted) -> Result<(), String>) -> Self {
        if let Ok(answer) = &self.answer
            && let Err(reason) = check(answer)
        {
            self.answer = Err(unanswered(ExecuteError::Discarded { reason }));
        }
        self
    }

    /// Why there is no answer.
    #[must_use]
    pub fn error(&self) -> Option<&ExecuteError<ReEncrypt, E>> {
        self.answer.as_ref().err().map(|unanswered| &unanswered.1)
    }
}

impl<E: std::error::Error> fmt::Debug for Answered<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered").field("is_ok", &self.answer.is_ok()).finish_non_exhaustive()
    }
}

/// What became of each of several operations.
pub type Concluded<E> = Vec<Result<ReEncrypted, ExecuteError<ReEncrypt, E>>>;

impl<B, A, C> Executor<B, A, C>
where
    B: KmsBackend + EpochSource,
    A: AuditLog,
    C: TimeSource,
{
    /// Records the intentions of all these operations together.
    ///
    /// # Errors
    /// When the world has changed since one of the decisions, or the records cannot be kept; none
    /// of them may run then.
    pub fn intend_all<'p>(
        &self,
        proofs: Vec<Authorized<'p, ReEncrypt>>,
    ) -> Result<Vec<Intended<'p>>, ExecuteError<ReEncrypt, B::Error>> {
        let now = self.backend().epoch().map_err(ExecuteError::UnknownEpoch)?;
        let mut intended = Vec::with_capacity(proofs.len());
        // Most of a fleet's items have the same.
        let mut last: Option<Arc<[AuditSide]>> = None;
        for proof in proofs {
            let judged = proof.epoch();
            self.still_good(&proof, now)?;
            let region = proof.region().clone();
            let sides = match &last {
                Some(sides) if are_allowed_sides(sides, &*proof) => Arc::clone(sides),
                _ => allowed_sides(&*proof).into(),
            };
            last = Some(Arc::clone(&sides));
            let call = Call::new(self, ReEncrypt::NAME, region, proof.caller(), judged, sides);
            intended.push(Intended { call, proof });
        }
        let calls = intended.iter().map(|one| (&one.call, AuditOutcome::Intended));
        self.record_calls(calls)?;
        Ok(intended)
    }

    /// Runs one of them, for as long as `limit`. An answer for other keys is discarded.
    pub fn run<'p>(
        &self,
        intended: Intended<'p>,
        waiter: &impl Wait,
        limit: Duration,
    ) -> Answered<'p, B::Error> {
        let Intended { call, proof } = intended;
        let answer = (|| {
            let now = self.backend().epoch();
            let now = now.map_err(|error| unanswered(ExecuteError::UnknownEpoch(error)))?;
            self.still_good(&proof, now).map_err(unanswered)?;
            let source = proof.source().arn().clone();
            let destination = proof.destination().arn().clone();
            let answer = waiter
                .wait(self.backend().re_encrypt(proof), limit)
                .ok_or_else(|| unanswered(ExecuteError::NoAnswer { seconds: limit.as_secs() }))?
                .map_err(|error| Box::new(failed::<B, _>(error)))?;
            same_key(&source, &answer.source_key)
                .and_then(|()| same_key(&destination, &answer.destination_key))
                .map_err(|mismatch| unanswered(mismatch.into()))?;
            Ok(answer)
        })();
        Answered { call, answer }
    }

    /// Records all outcomes together, and hands out the answers.
    ///
    /// # Errors
    /// When the records cannot be kept; no answer is handed out then.
    pub fn conclude_all(
        &self,
        answered: Vec<Answered<'_, B::Error>>,
    ) -> Result<Concluded<B::Error>, AuditError> {
        let outcomes = answered.iter().map(|one| {
            let outcome = match &one.answer {
                Ok(answer) => AuditOutcome::Succeeded { key_materials: materials_of(answer) },
                Err(unanswered) => unanswered.0.clone(),
            };
            (&one.call, outcome)
        });
        self.record_calls(outcomes)?;
        Ok(answered.into_iter().map(|one| one.answer.map_err(|unanswered| unanswered.1)).collect())
    }

    fn record_calls<'c>(
        &self,
        calls: impl Iterator<Item = (&'c Call<'c>, AuditOutcome)>,
    ) -> Result<(), AuditError> {
        let time = self.now();
        let records: Vec<AuditRecord<'_>> =
            calls.map(|(call, outcome)| call.record(time, outcome)).collect();
        if records.is_empty() { Ok(()) } else { self.audit().record_all(&records) }
    }
}

fn unanswered<E: std::error::Error>(error: ExecuteError<ReEncrypt, E>) -> Unanswered<E> {
    Box::new((AuditOutcome::Failed { code: None, message: error.to_string() }, error))
}
