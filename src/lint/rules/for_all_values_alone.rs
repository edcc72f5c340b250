//! L20.

use crate::evaluate::{always_supplies, supplies};
use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView, identity};
use crate::model::{KnownKey, Operator, SetQualifier, Span};

declare_rule! {
    /// ## What it does
    /// Finds statements that allow something when all values of a key match, and nothing says that
    /// there has to be a value. Keys that every request of the actions has, such as
    /// `kms:GrantOperations`, and limits on the keys of tags are left alone. Of calls through services
    /// `for-all-values-through-service` speaks.
    ///
    /// ## Why is this bad?
    /// `ForAllValues:` is met when there is no value at all: requests without an encryption context,
    /// keys without an alias, callers outside of every organization.
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
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant", "stage"]}
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
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "Null": {"kms:EncryptionContextKeys": "false"},
    ///         "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant", "stage"]}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static FOR_ALL_VALUES_ALONE = {
        code: "CON020",
        name: "for-all-values-alone",
        summary: "an `Allow` under `ForAllValues:` alone",
        level: Warning,
        since: "0.1.0",
        covers: ["L20"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    report(view, findings, false);
}

/// Reports what is allowed through services, or everything else.
pub(super) fn report(view: &StatementView<'_>, findings: &mut Findings<'_>, through: bool) {
    if !view.is_allow() || through != identity::demands(view, SERVICE) {
        return;
    }
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        // A negated operator forbids some values: that there is none is as good.
        let is_limit = operator.qualifier == Some(SetQualifier::ForAllValues)
            && operator.operator != Operator::Null
            && !operator.operator.is_negated();
        for one in condition::on_keys_with(entry, true) {
            let Some(key) = one.key.value.known().filter(|_| is_limit) else { continue };
            let actions = view.actions();
            // What an action never supplies is another rule's.
            let mut supplying = actions.iter().filter(|action| supplies(*action, key)).peekable();
            if supplying.peek().is_none()
                || supplying.all(|action| always_supplies(action, key))
                || key == KnownKey::AwsTagKeys
                || condition::needs(view, said_by(key))
            {
                continue;
            }
            let name = &one.key.value;
            let message = format!("requests without `{name}` meet this condition and are allowed");
            let mut finding = Finding::at(entry.operator.span, message)
                .related(one.key.span, "nothing says that it has to be there")
                .help(format!("add `\"Null\": {{\"{name}\": \"false\"}}`"));
            let has_null = view.conditions().any(|(it, _)| it.value.operator == Operator::Null);
            if !has_null {
                let start = entry.operator.span.start();
                let text = format!("\"Null\": {{\"{name}\": \"false\"}}, ");
                let fix = condition::fix(view, Change::Fewer, "say that it has to be there");
                finding = finding.fix(fix.replace(Span::new(start, start), text));
            }
            findings.push(finding);
        }
    }
}

/// Keys that are in calls through services, and `kms:GrantIsForAWSResource` in those for grants.
const SERVICE: &[KnownKey] = &[
    KnownKey::AwsCalledViaFirst,
    KnownKey::AwsCalledViaLast,
    KnownKey::KmsGrantIsForAwsResource,
    KnownKey::KmsViaService,
];

/// The keys by which a request says that it has values of a key.
fn said_by(key: KnownKey) -> &'static [KnownKey] {
    use KnownKey as K;
    match key {
        K::AwsCalledVia => {
            &[K::AwsCalledVia, K::AwsCalledViaFirst, K::AwsCalledViaLast, K::KmsViaService]
        }
        K::AwsPrincipalOrgPaths => &[K::AwsPrincipalOrgId, K::AwsPrincipalOrgPaths],
        K::AwsPrincipalServiceNamesList => {
            &[K::AwsPrincipalServiceName, K::AwsPrincipalServiceNamesList]
        }
        K::AwsResourceOrgPaths => &[K::AwsResourceOrgId, K::AwsResourceOrgPaths],
        K::AwsSourceOrgPaths => &[K::AwsSourceOrgId, K::AwsSourceOrgPaths],
        K::AwsVpceOrgPaths => &[K::AwsVpceOrgId, K::AwsVpceOrgPaths],
        K::KmsEncryptionContextKeys => &[K::KmsEncryptionContext, K::KmsEncryptionContextKeys],
        K::KmsGrantOperations => &[K::KmsGrantOperations],
        // A key that was named by an alias has one.
        K::KmsResourceAliases => &[K::KmsRequestAlias, K::KmsResourceAliases],
        _ => &[],
    }
}
