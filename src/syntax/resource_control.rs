//! What a resource control policy must not have.
//!
//! Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>.

use super::{SyntaxError, SyntaxErrorKind};
use crate::model::{
    Effect, Element, PolicyDocument, Principal, PrincipalElement, Span, Spanned, Statement,
};

/// Refuses what customers' policies must not have. `RCPFullAWSAccess`, the only policy with `Allow`,
/// is AWS's own, and attached wherever resource control policies are in use.
pub(super) fn check(document: &PolicyDocument, errors: &mut Vec<SyntaxError>) {
    if is_full_access(document) {
        return;
    }
    for statement in &document.statements {
        let mut refuse = |span: Span, what, instead| {
            errors.push(SyntaxError {
                kind: SyntaxErrorKind::ResourceControl { what, instead },
                span,
            });
        };
        if statement.effect.value == Effect::Allow {
            refuse(statement.effect.span, "`Allow`", "write `Deny`; `RCPFullAWSAccess` allows");
        }
        match &statement.principal {
            Some(PrincipalElement::Is(principals)) => {
                for principal in principals {
                    if principal.value != Principal::Everyone {
                        let instead = r#"write `"Principal": "*"` and a condition"#;
                        refuse(principal.span, r#"a principal other than `"*"`"#, instead);
                    }
                }
            }
            Some(PrincipalElement::IsNot(principals)) => {
                let instead = r#"write `"Principal": "*"` and a condition"#;
                refuse(place(principals, statement), "`NotPrincipal`", instead);
            }
            None => {}
        }
        match &statement.action {
            Some(Element::Is(actions)) => {
                for action in actions.iter().filter(|action| action.value == "*") {
                    refuse(action.span, "the action `*`", "name the service, as in `kms:*`");
                }
            }
            Some(Element::IsNot(actions)) => {
                let instead = "name the actions under `Action`";
                refuse(place(actions, statement), "`NotAction`", instead);
            }
            None => {}
        }
    }
}

fn place<T>(entries: &[Spanned<T>], statement: &Statement) -> Span {
    entries.first().map_or(statement.span, |entry| entry.span)
}

fn is_full_access(document: &PolicyDocument) -> bool {
    let is_star = |element: &Option<Element>| match element {
        Some(Element::Is(entries)) => {
            matches!(entries.as_slice(), [entry] if entry.value == "*")
        }
        _ => false,
    };
    let is_everyone = |element: &Option<PrincipalElement>| match element {
        Some(PrincipalElement::Is(principals)) => {
            matches!(principals.as_slice(), [one] if one.value == Principal::Everyone)
        }
        _ => false,
    };
    match document.statements.as_slice() {
        [statement] => {
            statement.effect.value == Effect::Allow
                && is_everyone(&statement.principal)
                && is_star(&statement.action)
                && is_star(&statement.resource)
                && statement.condition.is_empty()
        }
        _ => false,
    }
}
