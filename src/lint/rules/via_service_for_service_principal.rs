//! L27.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{KnownKey, Principal};

declare_rule! {
    /// ## What it does
    /// Finds conditions on `kms:ViaService` in statements of a key policy whose principals are
    /// services.
    ///
    /// ## Why is this bad?
    /// The key exists only in calls that a service forwards for a user or role. A service that
    /// calls as itself, which is what its service principal stands for, sends none: the statement
    /// never applies, or, under a negated operator or `IfExists`, the condition limits nothing.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "LetTrailEncrypt",
    ///       "Effect": "Allow",
    ///       "Principal": {"Service": "cloudtrail.amazonaws.com"},
    ///       "Action": "kms:GenerateDataKey*",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEquals": {
    ///           "kms:ViaService": "cloudtrail.eu-central-1.amazonaws.com",
    ///           "aws:SourceArn": "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
    ///         }
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "LetTrailEncrypt",
    ///       "Effect": "Allow",
    ///       "Principal": {"Service": "cloudtrail.amazonaws.com"},
    ///       "Action": "kms:GenerateDataKey*",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static VIA_SERVICE_FOR_SERVICE_PRINCIPAL = {
        code: "KEY027",
        name: "via-service-for-service-principal",
        summary: "`kms:ViaService` in a statement for a service principal",
        level: Error,
        since: "0.1.0",
        covers: ["L27"],
        analyzer: ["UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) {
        return;
    }
    let service = view.principals().iter().find_map(|one| match &one.value {
        Principal::Service(name) => Some((name, one.span)),
        _ => None,
    });
    let Some((service, span)) = service else { return };
    for (operator, condition) in view.conditions() {
        if condition.key.value.known() != Some(KnownKey::KmsViaService) {
            continue;
        }
        let effect = match key_policy::met_by_absence(operator.value, condition) {
            Some(false) => "its calls never meet this condition",
            Some(true) => "all of its calls meet this condition",
            None => continue,
        };
        let message = format!("`{service}` calls as itself, without `kms:ViaService`: {effect}");
        findings.push(
            Finding::at(condition.key.span, message)
                .related(span, "a service principal")
                .help("write `aws:SourceArn` or `aws:SourceAccount` instead"),
        );
    }
}
