//! Principals, actions and resources.

use super::document::{MAX_ENTRIES, Reader};
use super::error::shown;
use super::json::{Member, Value};
use super::{ActionProblem, PrincipalProblem, SyntaxErrorKind};
use crate::model::{
    Element, PolicyKind, Principal, PrincipalArn, PrincipalArnKind, PrincipalElement, Span, Spanned,
};

impl Reader {
    /// `Principal` or `NotPrincipal`, of those a statement has.
    pub(super) fn principal_element(
        &mut self,
        members: Vec<Member<'_>>,
    ) -> Option<PrincipalElement> {
        let (member, name) = self.one(members, ["Principal", "NotPrincipal"])?;
        if !self.kind.has_principals() {
            let kind = SyntaxErrorKind::PrincipalForbidden { member: name, kind: self.kind };
            self.error(member.key.span, kind);
        }
        let principals = self.principals(member.value, name);
        Some(match name {
            "Principal" => PrincipalElement::Is(principals),
            _ => PrincipalElement::IsNot(principals),
        })
    }

    /// `Action` or `NotAction`, of those a statement has.
    pub(super) fn action_element(&mut self, members: Vec<Member<'_>>) -> Option<Element> {
        let (member, name) = self.one(members, ["Action", "NotAction"])?;
        let actions = self.strings(member.value, name);
        for action in &actions {
            if let Err(problem) = is_action(&action.value) {
                let text = shown(&action.value);
                self.error(action.span, SyntaxErrorKind::InvalidAction { text, problem });
            }
        }
        Some(if name == "Action" { Element::Is(actions) } else { Element::IsNot(actions) })
    }

    /// `Resource` or `NotResource`, of those a statement has.
    pub(super) fn resource_element(&mut self, members: Vec<Member<'_>>) -> Option<Element> {
        let (member, name) = self.one(members, ["Resource", "NotResource"])?;
        let resources = self.strings(member.value, name);
        for resource in &resources {
            self.resource(resource);
        }
        Some(if name == "Resource" { Element::Is(resources) } else { Element::IsNot(resources) })
    }

    fn resource(&mut self, resource: &Spanned<String>) {
        let text = resource.value.as_str();
        // KMS stores any string; what is not `*` or the key's own ARN does no good there.
        if self.kind == PolicyKind::Key || text == "*" {
            return;
        }
        if !text.starts_with("arn:") {
            let kind = SyntaxErrorKind::InvalidResource { text: shown(text) };
            self.error(resource.span, kind);
        } else if self.kind == PolicyKind::Session && text.split(':').count() < 6 {
            // Elsewhere the missing parts become `*`; AssumeRole and its kin refuse the policy:
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
            let kind = SyntaxErrorKind::IncompleteArn { text: shown(text) };
            self.error(resource.span, kind);
        }
    }

    /// The member of a pair that is there; both are refused, for one would be ignored.
    fn one<'a>(
        &mut self,
        members: Vec<Member<'a>>,
        names: [&'static str; 2],
    ) -> Option<(Member<'a>, &'static str)> {
        let named = |member: &Member<'_>| {
            let [is, is_not] = names;
            if member.key.value == is { (is, is_not) } else { (is_not, is) }
        };
        let mut members = members.into_iter();
        let member = members.next()?;
        let (first, second) = named(&member);
        for other in members {
            self.error(other.key.span, SyntaxErrorKind::ConflictingMembers { first, second });
        }
        Some((member, first))
    }

    /// A string or a list of strings.
    fn strings(&mut self, value: Spanned<Value<'_>>, name: &'static str) -> Vec<Spanned<String>> {
        let (what, expected) = match name {
            "Action" => ("`Action`", "a string or an array of strings"),
            "NotAction" => ("`NotAction`", "a string or an array of strings"),
            "Resource" => ("`Resource`", "a string or an array of strings"),
            "NotResource" => ("`NotResource`", "a string or an array of strings"),
            _ => ("a principal", "a string or an array of strings"),
        };
        let span = value.span;
        let values = match value.value {
            Value::String(_) => vec![value],
            Value::Array(values) => values,
            _ => {
                self.wrong_type(&value, what, expected);
                return Vec::new();
            }
        };
        if values.is_empty() {
            self.empty(span, name);
        }
        let mut strings = Vec::with_capacity(values.len());
        for value in values {
            if !self.count(|reader| &mut reader.entries, ENTRIES, value.span) {
                break;
            }
            match value.value {
                Value::String(text) => strings.push(Spanned::new(text.into_owned(), value.span)),
                _ => self.wrong_type(&value, what, expected),
            }
        }
        strings
    }

    /// IAM refuses an empty list; KMS stores a statement that lacks actions or resources, and it has
    /// no effect. What an empty list would mean that is negated nobody says: refused everywhere.
    fn empty(&mut self, span: Span, name: &'static str) {
        if self.kind != PolicyKind::Key || name.starts_with("Not") {
            self.error(span, SyntaxErrorKind::EmptyList { name });
        }
    }

    fn principals(
        &mut self,
        value: Spanned<Value<'_>>,
        name: &'static str,
    ) -> Vec<Spanned<Principal>> {
        let what = if name == "Principal" { "`Principal`" } else { "`NotPrincipal`" };
        let span = value.span;
        let members = match value.value {
            Value::String(text) if text == "*" => {
                return vec![Spanned::new(Principal::Everyone, span)];
            }
            Value::String(text) => {
                let (text, problem) = (shown(&text), PrincipalProblem::Bare);
                self.error(span, SyntaxErrorKind::InvalidPrincipal { text, problem });
                return Vec::new();
            }
            Value::Object(members) => members,
            _ => {
                self.wrong_type(&value, what, r#"`"*"` or an object"#);
                return Vec::new();
            }
        };
        let mut principals = Vec::new();
        let mut is_empty = true;
        for Member { key, value } in self.members(members) {
            let parse = match &*key.value {
                "AWS" => aws,
                "CanonicalUser" => |text: &str| literal(text).map(Principal::CanonicalUser),
                "Federated" => |text: &str| literal(text).map(Principal::Federated),
                "Service" => service,
                _ => {
                    is_empty = false;
                    self.unknown(&key, "a principal", PRINCIPAL);
                    continue;
                }
            };
            is_empty &= matches!(&value.value, Value::Array(values) if values.is_empty());
            // The name only chooses words here: an empty list is judged below, for all members.
            for text in self.principal_strings(value) {
                match parse(&text.value) {
                    Ok(principal) => principals.push(Spanned::new(principal, text.span)),
                    Err(problem) => {
                        let kind =
                            SyntaxErrorKind::InvalidPrincipal { text: shown(&text.value), problem };
                        self.error(text.span, kind);
                    }
                }
            }
        }
        if is_empty {
            self.empty(span, name);
        }
        principals
    }

    fn principal_strings(&mut self, value: Spanned<Value<'_>>) -> Vec<Spanned<String>> {
        match &value.value {
            Value::Array(values) if values.is_empty() => Vec::new(),
            _ => self.strings(value, "Principal"),
        }
    }
}

const ENTRIES: (&str, usize) = ("principals, actions and resources", MAX_ENTRIES);

const PRINCIPAL: &[&str] = &["AWS", "CanonicalUser", "Federated", "Service"];

/// `*`, or `<service>:<anything>`; unknown services and actions are stored as they are. The words of
/// IAM's answers are in `InvalidAction`'s messages.
fn is_action(text: &str) -> Result<(), ActionProblem> {
    if text == "*" {
        return Ok(());
    }
    let Some((prefix, name)) = text.split_once(':') else {
        return Err(ActionProblem::NoPrefix);
    };
    if name.contains(':') {
        Err(ActionProblem::SeveralColons)
    } else if prefix.contains(['*', '?']) {
        Err(ActionProblem::WildcardPrefix)
    } else if prefix.is_empty() {
        Err(ActionProblem::NoPrefix)
    } else if prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-') {
        Ok(())
    } else {
        Err(ActionProblem::Prefix)
    }
}

/// What `AWS` takes:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
fn aws(text: &str) -> Result<Principal, PrincipalProblem> {
    if text == "*" {
        return Ok(Principal::EveryAws);
    }
    if text.contains(['*', '?']) {
        // A wildcard cannot stand for a part of a principal: the document is refused.
        return Err(PrincipalProblem::Wildcard);
    }
    if let Ok(account) = text.parse() {
        return Ok(Principal::Account { account, partition: None });
    }
    if let Ok(arn) = text.parse::<PrincipalArn>() {
        return Ok(match arn.kind() {
            PrincipalArnKind::Root => Principal::Account {
                account: arn.account(),
                partition: Some(arn.partition().into()),
            },
            _ => Principal::Arn(arn),
        });
    }
    if let Ok(id) = text.parse() {
        return Ok(Principal::Unique(id));
    }
    let is_group = text.split(':').nth(5).is_some_and(|name| name.starts_with("group/"));
    let is_organization = ["o-", "ou-", "r-"].iter().any(|start| text.starts_with(start))
        || text.split(':').nth(2) == Some("organizations");
    Err(if is_group {
        PrincipalProblem::Group
    } else if is_organization {
        PrincipalProblem::Organization
    } else {
        PrincipalProblem::Unknown
    })
}

fn service(text: &str) -> Result<Principal, PrincipalProblem> {
    if text.contains(['*', '?']) {
        return Err(PrincipalProblem::Wildcard);
    }
    text.parse().map(Principal::Service).map_err(|_| PrincipalProblem::Service)
}

/// A name that is kept as it is, for it matches nobody in KMS.
fn literal(text: &str) -> Result<Box<str>, PrincipalProblem> {
    if text.is_empty() {
        Err(PrincipalProblem::Empty)
    } else if text.contains(['*', '?']) {
        Err(PrincipalProblem::Wildcard)
    } else {
        Ok(text.into())
    }
}
