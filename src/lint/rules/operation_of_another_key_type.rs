//! Grants of what a key cannot do.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView};
use crate::model::GrantOperation;

declare_rule! {
    /// ## What it does
    /// Finds grants with operations that keys of this spec and usage do not have, such as `Sign` on a
    /// symmetric key or `GenerateDataKey` on an RSA key.
    ///
    /// ## Why is this bad?
    /// KMS refuses such a grant with a `ValidationException`.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {"Arn": "arn:aws:iam::111122223333:role/orders", "RolePolicyList": []},
    ///       {"Arn": "arn:aws:iam::111122223333:role/admin", "RolePolicyList": []}
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/key.json": {
    ///     "KeyMetadata": {
    ///       "Arn": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "KeySpec": "RSA_2048",
    ///       "KeyUsage": "SIGN_VERIFY",
    ///       "KeyState": "Enabled",
    ///       "KeyManager": "CUSTOMER",
    ///       "Origin": "AWS_KMS",
    ///       "MultiRegion": false
    ///     }
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": [
    ///       {
    ///         "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///         "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///         "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///         "GranteePrincipal": "arn:aws:iam::111122223333:role/orders",
    ///         "RetiringPrincipal": "arn:aws:iam::111122223333:role/admin",
    ///         "Operations": ["Sign", "Decrypt"]
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {"Arn": "arn:aws:iam::111122223333:role/orders", "RolePolicyList": []},
    ///       {"Arn": "arn:aws:iam::111122223333:role/admin", "RolePolicyList": []}
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/key.json": {
    ///     "KeyMetadata": {
    ///       "Arn": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "KeySpec": "RSA_2048",
    ///       "KeyUsage": "SIGN_VERIFY",
    ///       "KeyState": "Enabled",
    ///       "KeyManager": "CUSTOMER",
    ///       "Origin": "AWS_KMS",
    ///       "MultiRegion": false
    ///     }
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": [
    ///       {
    ///         "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///         "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///         "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///         "GranteePrincipal": "arn:aws:iam::111122223333:role/orders",
    ///         "RetiringPrincipal": "arn:aws:iam::111122223333:role/admin",
    ///         "Operations": ["Sign", "Verify"]
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static OPERATION_OF_ANOTHER_KEY_TYPE = {
        code: "GRT401",
        name: "operation-of-another-key-type",
        summary: "a grant of an operation that the key cannot do",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let Some((spec, usage)) = subject.facts.spec.zip(subject.facts.usage) else { return };
    // What is told of the key does not fit together: nothing follows from it.
    if !spec.key_usages().contains(&usage) {
        return;
    }
    let can = GrantOperation::of_key(spec, usage);
    let wrong: Vec<String> = subject
        .grant
        .operations
        .iter()
        .filter(|action| !can.contains(*action))
        .map(|action| format!("`{}`", action.name()))
        .collect();
    if wrong.is_empty() {
        return;
    }
    let message = format!("a `{spec}` key for `{usage}` cannot do {}", wrong.join(", "));
    let names: Vec<&str> = can.iter().map(crate::model::Action::name).collect();
    let help = format!("grants on it allow `{}`", names.join("`, `"));
    findings.push(Finding::at(subject.operations, message).help(help));
}
