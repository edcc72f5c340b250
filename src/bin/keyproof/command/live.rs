//! `--verify-live`: what KMS says of a decision made here.

use keyproof::authorize::{Preflight, PreflightAnswer};
use keyproof::backend::aws::{self, Clients, LiveAnswer, LiveQuestion, Verdict};
use keyproof::compile::Caller;
use keyproof::execute::ClassifyFailure as _;
use keyproof::model::{CallerPrincipal, CiphertextBlob, KeyArn, PrincipalArn, PrincipalArnKind};
use serde_json::{Value, json};

use super::guarded::block_on;
use crate::exit::Exit;
use crate::output::{CliError, Io, plain};

/// Clients with the credentials of a profile, or of the environment.
pub fn clients(profile: Option<&str>) -> Result<Clients, CliError> {
    Ok(Clients::new(block_on(aws::configuration(profile))?))
}

/// What KMS said, and of whom.
pub struct Live {
    identity: String,
    answer: LiveAnswer,
    verdict: Verdict,
}

/// Asks KMS what was decided here. The credentials must be the caller's own: an answer for another
/// would say nothing.
pub fn verify(
    profile: Option<&str>,
    question: &Preflight,
    answer: &PreflightAnswer,
    caller: &Caller,
    ciphertext: Option<&CiphertextBlob>,
) -> Result<Live, CliError> {
    let asked = LiveQuestion::new(question, answer).map_err(CliError::new)?;
    let key: Option<KeyArn> = answer.sides.first().and_then(|side| side.resource.parse().ok());
    let key = key.ok_or_else(|| CliError::new("the key's Region is not known"))?;
    let clients = clients(profile)?;
    let asking = async {
        let identity = clients.identity(key.region()).await.map_err(CliError::new)?.arn;
        if !is_of(&caller.principal, &identity) {
            return Err(CliError::new(format_args!(
                "the credentials are of {identity}, the caller judged is {}: KMS would answer for \
                 another; give the caller's own credentials, or judge their owner",
                caller.principal
            )));
        }
        let live = clients.verify(&asked, ciphertext).await.map_err(CliError::new)?;
        Ok((identity, live))
    };
    let (identity, live) = block_on(asking)??;
    let fault = answer.fault.as_ref().map(|fault| fault.code);
    let verdict = live.compare(answer.decision(), fault);
    Ok(Live { identity, answer: live, verdict })
}

/// Whether the credentials are the caller's; sessions of one role are alike.
fn is_of(principal: &CallerPrincipal, identity: &str) -> bool {
    let Ok(identity) = identity.parse::<PrincipalArn>() else { return false };
    match principal {
        CallerPrincipal::RoleSession { role, .. } => {
            identity.kind() == PrincipalArnKind::AssumedRole
                && identity.account() == role.account()
                && identity.role_name() == role.role_name()
        }
        CallerPrincipal::Root(arn)
        | CallerPrincipal::User { arn, .. }
        | CallerPrincipal::FederatedUser { arn, .. } => *arn == identity,
        CallerPrincipal::Anonymous | CallerPrincipal::Service { .. } => false,
    }
}

impl Live {
    /// What both answers together mean to a script.
    pub fn exit(&self, answer: &PreflightAnswer) -> Exit {
        match self.verdict {
            Verdict::Agree => super::explain::exit(answer),
            Verdict::Disagree => Exit::No,
            Verdict::Incomparable => Exit::NoAnswer,
        }
    }

    fn text(&self) -> String {
        let says = self.answer.outcome();
        let whom = &self.identity;
        let verdict = match self.verdict {
            Verdict::Agree => "agrees with",
            Verdict::Disagree => "DISAGREES with",
            Verdict::Incomparable => "cannot be compared with",
        };
        let mut text =
            format!("live: KMS says {says} to {whom}, which {verdict} the decision made here");
        if let Some(error) = self.answer.error() {
            if let Some(side) = error.side() {
                text.push_str(&format!("; it names the {side}"));
            }
            text.push_str(&format!(": {error}"));
        }
        text
    }

    /// As a member of an answer.
    pub fn json(&self) -> Value {
        let error = self.answer.error().map(|error| {
            json!({
                "code": error.code(),
                "message": error.message(),
                "requestId": error.request_id(),
                "side": error.side().map(|side| side.as_str()),
            })
        });
        json!({
            "answer": self.answer.outcome(),
            "verdict": self.verdict.as_str(),
            "identity": self.identity,
            "error": error,
        })
    }
}

/// Shows it as data.
pub fn show(live: &Live, io: &mut Io) -> Result<(), CliError> {
    Ok(writeln!(io.out, "{}", plain(&live.text()))?)
}

/// Shows it as a message.
pub fn show_aside(live: &Live, io: &mut Io) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io.err, "{}", plain(&live.text()));
}
