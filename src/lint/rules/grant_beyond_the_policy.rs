//! L51.

use crate::evaluate::{CreatedGrant, OperationFacts};
use crate::lint::rule::declare_rule;
use crate::lint::{
    Check, DocumentView, Finding, Findings, GrantView, StatementView, ask, key_policy,
};
use crate::model::{Action, CallerPrincipal, Decision, KnownKey, PolicyKind, PrincipalArn};

declare_rule! {
    /// ## What it does
    /// Finds grants that nobody could make any more: a `Deny` of the key's policy says of every new grant
    /// what it must not be, and this one is that.
    ///
    /// ## Why is this bad?
    /// Grants stay when a policy is narrowed. What the policy keeps out is in by an older grant, until
    /// somebody revokes it.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": []
    ///       },
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/admin",
    ///         "RolePolicyList": []
    ///       }
    ///     ]
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
    ///       },
    ///       {
    ///         "Sid": "Limit",
    ///         "Effect": "Deny",
    ///         "Principal": "*",
    ///         "Action": "kms:CreateGrant",
    ///         "Resource": "*",
    ///         "Condition": {
    ///           "ForAnyValue:StringNotEquals": {"kms:GrantOperations": ["Decrypt", "DescribeKey"]}
    ///         }
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
    ///         "Operations": ["Decrypt", "Encrypt"],
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
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": []
    ///       },
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/admin",
    ///         "RolePolicyList": []
    ///       }
    ///     ]
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
    ///       },
    ///       {
    ///         "Sid": "Limit",
    ///         "Effect": "Deny",
    ///         "Principal": "*",
    ///         "Action": "kms:CreateGrant",
    ///         "Resource": "*",
    ///         "Condition": {
    ///           "ForAnyValue:StringNotEquals": {"kms:GrantOperations": ["Decrypt", "DescribeKey"]}
    ///         }
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
    pub(in crate::lint) static GRANT_BEYOND_THE_POLICY = {
        code: "GRT405",
        name: "grant-beyond-the-policy",
        summary: "a grant that the key's policy denies to make",
        level: Warning,
        since: "0.1.0",
        covers: ["L51"],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let Some((world, key)) = view.collection.world().zip(subject.facts.arn.as_ref()) else {
        return;
    };
    let Some(entry) = world.key(key) else { return };
    let denying = denying(view);
    let [first, ..] = denying.as_slice() else { return };
    if !denying.iter().all(is_of_the_grant) {
        return;
    }
    let account = subject.grant.issuing_account.unwrap_or(key.account());
    let caller = CallerPrincipal::Root(PrincipalArn::root(key.partition(), account));
    let grant = &subject.grant;
    let created = CreatedGrant::new(
        &grant.grantee,
        grant.retiring.as_ref(),
        grant.operations,
        &grant.constraints,
    );
    let asked = |facts| ask::in_world_with(world, entry, &caller, Action::CreateGrant, facts);
    // What is denied whatever is granted says nothing of this grant.
    if asked(OperationFacts::default()) == Decision::ExplicitDeny
        || asked(created.facts()) != Decision::ExplicitDeny
    {
        return;
    }
    let message = "nobody could make this grant any more: the key's policy denies it";
    let mut finding = Finding::at(subject.span, message)
        .help("revoke it, and make one that the policy lets be made");
    if let Some(condition) = first.statement.condition.first() {
        let document = first.document.document;
        finding = finding.related_in(document, condition.operator.span, "limits grants");
    }
    findings.push(finding);
}

/// The statements of the key's policies that deny making grants.
fn denying<'c>(view: &GrantView<'c>) -> Vec<StatementView<'c>> {
    let collection = view.collection;
    let on_key = collection.documents.iter().filter(|document| {
        document.kind == PolicyKind::Key
            && document.key.as_ref().is_some_and(|facts| facts.arn == view.subject.facts.arn)
    });
    let views = on_key.filter_map(|document| {
        Some(DocumentView { document, syntax: document.syntax()?, collection })
    });
    views
        .flat_map(|document| document.statements().collect::<Vec<_>>())
        .filter(|one| !one.is_allow() && one.actions().contains(Action::CreateGrant))
        .collect()
}

/// Whether a statement denies to everybody what depends on the grant alone.
fn is_of_the_grant(view: &StatementView<'_>) -> bool {
    use KnownKey as K;
    key_policy::everybody(view).is_some()
        && view.conditions().all(|(_, one)| {
            matches!(
                one.key.value.known(),
                Some(
                    K::KmsEncryptionContext
                        | K::KmsEncryptionContextKeys
                        | K::KmsGrantConstraintSourceArn
                        | K::KmsGrantConstraintType
                        | K::KmsGrantOperations
                        | K::KmsGranteePrincipal
                        | K::KmsGranteeServicePrincipal
                        | K::KmsRetiringPrincipal
                        | K::KmsRetiringServicePrincipal
                )
            )
        })
}
