//! The statement that is added: one principal, one action, one resource, and the conditions that
//! keep it from allowing more.

use super::Place;
use crate::authorize::Side;
use crate::compile::{Caller, Policy};
use crate::model::{
    Action, CallerPrincipal, Condition, ConditionEntry, ConditionKey, ConditionOperator,
    ConditionValue, ContextValue, Effect, Element, EncryptionContext, Operator, PolicyDocument,
    Principal, PrincipalElement, Span, Spanned, Statement, Version,
};
use crate::syntax;

/// What a statement is to allow.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) caller: &'a Caller,
    pub(super) side: Side,
    pub(super) action: Action,
    pub(super) resource: &'a str,
    pub(super) context: Option<&'a EncryptionContext>,
}

impl Wish<'_> {
    /// The statement for a document that says the rest of `document` already; `None` when the
    /// caller cannot be named there.
    pub(super) fn statement(&self, place: &Place, document: &PolicyDocument) -> Option<Statement> {
        let has_principals = matches!(place, Place::KeyPolicy(_) | Place::Endpoint(_));
        let principal = if has_principals {
            Some(PrincipalElement::Is(vec![spanned(self.principal()?)]))
        } else {
            None
        };
        // In a key policy `*` is the key itself (R9).
        let resource =
            if matches!(place, Place::KeyPolicy(_)) { "*" } else { self.resource }.to_owned();
        let variables =
            document.version.as_ref().is_some_and(|version| version.value == Version::V2012);
        Some(Statement {
            sid: Some(spanned(self.sid(document))),
            effect: spanned(Effect::Allow),
            principal,
            action: Some(Element::Is(vec![spanned(self.action.as_str().to_owned())])),
            resource: Some(Element::Is(vec![spanned(resource)])),
            condition: self.condition(place, variables),
            span: Span::default(),
        })
    }

    /// The narrowest durable name: the role of a session, the user, the service. A federated
    /// session has no other name than its own.
    fn principal(&self) -> Option<Principal> {
        Some(match &self.caller.principal {
            CallerPrincipal::Anonymous => return None,
            CallerPrincipal::Root(arn) => Principal::Account {
                account: arn.account(),
                partition: Some(arn.partition().into()),
            },
            CallerPrincipal::Service { names } => Principal::Service(names.first()?.clone()),
            other => Principal::Arn(other.policy_arn()?.clone()),
        })
    }

    /// Letters and digits, which every kind of policy takes (P6); not yet in the document.
    fn sid(&self, document: &PolicyDocument) -> String {
        // The permissions of one operation that share an action are told apart.
        let side = match self.side {
            Side::Alias => "Alias",
            Side::Current => "Current",
            Side::Target => "Target",
            Side::Account | Side::Destination | Side::Key | Side::Source => "",
        };
        let name = format!("Allow{}{side}", self.action.name());
        let is_taken = |sid: &str| {
            let mut sids = document.statements.iter().filter_map(|one| one.sid.as_ref());
            sids.any(|known| known.value == sid)
        };
        let mut sid = name.clone();
        let mut number = 2;
        while is_taken(&sid) {
            sid = format!("{name}{number}");
            number += 1;
        }
        sid
    }

    fn condition(&self, place: &Place, variables: bool) -> Vec<ConditionEntry> {
        let principal = &self.caller.principal;
        let mut pairs: Vec<(String, &str)> = Vec::new();
        // What names others beside the caller is bound to the caller: boundaries and SCPs are
        // shared, a root user's ARN means its account, and a user's policies are also those of its
        // federated sessions.
        let is_shared = match place {
            Place::Boundary(_) | Place::ServiceControl(_) => true,
            Place::Identity(_) => matches!(principal, CallerPrincipal::FederatedUser { .. }),
            Place::Endpoint(_) | Place::KeyPolicy(_) => {
                matches!(principal, CallerPrincipal::Root(_))
            }
            Place::ResourceControl(_) | Place::Session => false,
        };
        if let (true, Some(arn)) = (is_shared, principal.policy_arn()) {
            pairs.push(("aws:PrincipalArn".to_owned(), arn.as_str()));
        }
        // A service calls for many customers: the request's resource and account are named (iam
        // user guide, "The confused deputy problem").
        if matches!(principal, CallerPrincipal::Service { .. }) {
            for (name, lower) in
                [("aws:SourceAccount", "aws:sourceaccount"), ("aws:SourceArn", "aws:sourcearn")]
            {
                if let Some(ContextValue::One(value)) = self.caller.context.stated(lower) {
                    pairs.push((name.to_owned(), value));
                }
            }
        }
        for (name, value) in self.context.iter().flat_map(|context| context.iter()) {
            pairs.push((format!("kms:EncryptionContext:{name}"), value));
        }
        if pairs.is_empty() {
            return Vec::new();
        }
        let conditions = pairs.into_iter().map(|(key, value)| Condition {
            key: spanned(ConditionKey::new(&key)),
            values: vec![spanned(ConditionValue::String(literal(value, variables)))],
            span: Span::default(),
        });
        let operator = ConditionOperator {
            qualifier: None,
            operator: Operator::StringEquals,
            if_exists: false,
        };
        vec![ConditionEntry { operator: spanned(operator), conditions: conditions.collect() }]
    }
}

/// The document of a policy, read again from its text.
pub(super) fn document(policy: &Policy) -> Option<PolicyDocument> {
    syntax::parse(&policy.source.text, policy.kind).into_result().ok()
}

/// A document with one statement.
pub(super) fn alone(statement: Statement) -> PolicyDocument {
    PolicyDocument { statements: vec![statement], ..empty() }
}

/// A document of the current version without statements.
pub(super) fn empty() -> PolicyDocument {
    PolicyDocument { version: Some(spanned(Version::V2012)), id: None, statements: Vec::new() }
}

/// A value that means itself, also where `${…}` would be a variable (C17, C18).
fn literal(value: &str, variables: bool) -> String {
    if variables { value.replace("${", "${$}{") } else { value.to_owned() }
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::default())
}
