//! L14.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, DocumentView, Finding, Findings, StatementView, identity};
use crate::model::{Action, Element, PolicyKind, Principal, PrincipalArn, ResourceKind};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds users and roles that a key policy lets create, change or delete aliases of the key, while
    /// none of their identity policies, which the input tells, allows it on an alias.
    ///
    /// ## Why is this bad?
    /// Alias operations need permission on the key and on the alias. The one on the alias can only come
    /// from an identity policy.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Use",
    ///                   "Effect": "Allow",
    ///                   "Action": "kms:Decrypt",
    ///                   "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///                 }
    ///               ]
    ///             }
    ///           }
    ///         ]
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
    ///         "Sid": "Name",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:CreateAlias", "kms:DescribeKey"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": []
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
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Name",
    ///                   "Effect": "Allow",
    ///                   "Action": "kms:CreateAlias",
    ///                   "Resource": "arn:aws:kms:eu-central-1:111122223333:alias/orders"
    ///                 }
    ///               ]
    ///             }
    ///           }
    ///         ]
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
    ///         "Sid": "Name",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:CreateAlias", "kms:DescribeKey"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": []
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static ALIAS_ACTION_WITHOUT_IDENTITY_POLICY = {
        code: "WLD014",
        name: "alias-action-without-identity-policy",
        summary: "an alias action in a key policy for somebody whose own policies allow it on no alias",
        level: Warning,
        since: "0.1.0",
        covers: ["L14"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if view.kind() != PolicyKind::Key || !view.is_allow() {
        return;
    }
    for entry in identity::actions(view).unwrap_or_default() {
        // The console writes `kms:Create*` for whoever manages a key.
        if !identity::is_only(&entry.value, ResourceKind::AliasAndKey) {
            continue;
        }
        for principal in view.principals() {
            let Principal::Arn(arn) = &principal.value else { continue };
            let collection = view.document.collection;
            let named = pattern::actions(&entry.value);
            let mut entities = collection.entities.iter();
            let is_told = entities.any(|one| one.arn == *arn && one.unread.is_empty());
            if !is_told || named.iter().any(|action| is_allowed(collection, arn, action)) {
                continue;
            }
            let message =
                format!("no identity policy allows `{arn}` to `{}` on an alias", entry.value);
            let help = "allow it there on `arn:aws:kms:<region>:<account>:alias/<name>`, too";
            let finding = Finding::at(entry.span, message)
                .related(principal.span, "its own policies lack it");
            findings.push(finding.help(help));
        }
    }
}

/// Whether a statement of its own policies allows somebody an action on some alias; a policy with
/// errors may.
fn is_allowed(collection: &Collection, arn: &PrincipalArn, action: Action) -> bool {
    let own = collection.documents.iter().filter(|document| {
        document.kind == PolicyKind::Identity && document.entity.as_ref() == Some(arn)
    });
    own.into_iter().any(|document| {
        let Some(syntax) = document.syntax().filter(|_| document.is_whole()) else { return true };
        let view = DocumentView { document, syntax, collection };
        view.statements().any(|one| {
            let on_alias = match &one.statement.resource {
                Some(Element::Is(entries)) => {
                    entries.iter().any(|entry| identity::reach(&entry.value).aliases)
                }
                Some(Element::IsNot(_)) => true,
                None => false,
            };
            one.is_allow() && one.actions().contains(action) && on_alias
        })
    })
}
