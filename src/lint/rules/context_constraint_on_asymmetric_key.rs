//! Grants of what a key cannot do.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView};

declare_rule! {
    /// ## What it does
    /// Finds encryption context constraints in grants on keys that are not symmetric.
    ///
    /// ## Why is this bad?
    /// Only requests for symmetric keys have an encryption context. KMS refuses such a grant.
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
    ///       "KeyUsage": "ENCRYPT_DECRYPT",
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
    ///         "Operations": ["Decrypt"],
    ///         "Constraints": {"EncryptionContextEquals": {"app": "orders"}}
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
    ///       "KeyUsage": "ENCRYPT_DECRYPT",
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
    ///         "Operations": ["Decrypt"]
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static CONTEXT_CONSTRAINT_ON_ASYMMETRIC_KEY = {
        code: "GRT402",
        name: "context-constraint-on-asymmetric-key",
        summary: "an encryption context constraint on a key that takes no context",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let Some(spec) = subject.facts.spec.filter(|spec| !spec.is_symmetric()) else { return };
    if subject.grant.constraints.encryption_context.is_none() {
        return;
    }
    let message = format!("requests for a `{spec}` key have no encryption context");
    let help = "leave the constraint out; `SourceArn` works with every key";
    findings.push(Finding::at(subject.constraints, message).help(help));
}
