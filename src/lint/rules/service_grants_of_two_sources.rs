//! L52.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, Finding, Findings, grants};
use crate::model::{Action, GrantPrincipal};

declare_rule! {
    /// ## What it does
    /// Finds services that may re-encrypt from one key and to another by grants whose `SourceArn`
    /// differ, with no pair of grants that has one.
    ///
    /// ## Why is this bad?
    /// When a service re-encrypts by grants, the grant on the source key and the one on the destination
    /// key must have the same `SourceArn`. Otherwise every call is denied.
    ///
    /// ## Example
    /// ```json
    /// {
    ///   "Grants": [
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteeServicePrincipal": "dynamodb.amazonaws.com",
    ///       "RetiringServicePrincipal": "dynamodb.amazonaws.com",
    ///       "Operations": ["ReEncryptFrom"],
    ///       "Constraints": {"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/orders"}
    ///     },
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321",
    ///       "GrantId": "2222222222222222222222222222222222222222222222222222222222222222",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteeServicePrincipal": "dynamodb.amazonaws.com",
    ///       "RetiringServicePrincipal": "dynamodb.amazonaws.com",
    ///       "Operations": ["ReEncryptTo"],
    ///       "Constraints": {
    ///         "SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/order-history"
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json
    /// {
    ///   "Grants": [
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteeServicePrincipal": "dynamodb.amazonaws.com",
    ///       "RetiringServicePrincipal": "dynamodb.amazonaws.com",
    ///       "Operations": ["ReEncryptFrom"],
    ///       "Constraints": {"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/orders"}
    ///     },
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321",
    ///       "GrantId": "2222222222222222222222222222222222222222222222222222222222222222",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteeServicePrincipal": "dynamodb.amazonaws.com",
    ///       "RetiringServicePrincipal": "dynamodb.amazonaws.com",
    ///       "Operations": ["ReEncryptTo"],
    ///       "Constraints": {"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/orders"}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static SERVICE_GRANTS_OF_TWO_SOURCES = {
        code: "GRT052",
        name: "service-grants-of-two-sources",
        summary: "grants for a service's re-encryption with two source ARNs",
        level: Error,
        since: "0.1.0",
        covers: ["L52"],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    // Grants without a source are older than the constraint, or of somebody else.
    let of = |action: Action| {
        collection.grants.iter().filter_map(move |one| match &one.grant.grantee {
            GrantPrincipal::Service(service) if one.grant.operations.contains(action) => {
                Some((service, one.grant.constraints.source_arn.as_deref()?, one))
            }
            _ => None,
        })
    };
    for (service, source, from) in of(Action::ReEncryptFrom) {
        let mut others = of(Action::ReEncryptTo)
            .filter(|(other, _, to)| *other == service && !grants::are_on_one_key(from, to));
        let is_paired =
            of(Action::ReEncryptTo).any(|(other, arn, _)| other == service && arn == source);
        let Some((_, other, to)) = others.next().filter(|_| !is_paired) else { continue };
        // A destination that another source goes with is not for this one.
        let is_for_another = of(Action::ReEncryptFrom)
            .any(|(of_service, arn, _)| of_service == service && arn == other);
        if is_for_another {
            continue;
        }
        let message = format!(
            "`{service}` re-encrypts from here for `{source}`, and to the other key for `{other}`: every call is denied"
        );
        let finding = Finding::at(from.constraints, message)
            .related_in(to, to.constraints, "another `SourceArn`")
            .help("make both grants out for one `SourceArn`");
        findings.push_in(from, finding);
    }
}
