//! From JSON to a document: the document and its statements.

use std::borrow::Cow;
use std::collections::HashSet;
use std::str::FromStr;

use foldhash::fast::RandomState;

use super::error::shown;
use super::json::{self, Member, Value};
use super::suggest::closest;
use super::{SyntaxError, SyntaxErrorKind, resource_control};
use crate::model::{PolicyDocument, PolicyKind, Span, Spanned, Statement, Version};

/// The most statements of a document. The largest policy AWS stores, a key's with 32,768 bytes, has
/// room for fewer than two thousand.
pub const MAX_STATEMENTS: usize = 10_000;

/// The most principals, actions and resources of a document together. 32,768 bytes have room for
/// fewer.
pub const MAX_ENTRIES: usize = 20_000;

/// The most condition values of a document. 32,768 bytes have room for fewer.
pub const MAX_CONDITION_VALUES: usize = 20_000;

/// What a text holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What could be read, for tools that show more than errors; without errors it is the whole
    /// document. `None` when there is no statement in it.
    pub document: Option<PolicyDocument>,
    /// Every error, by place.
    pub errors: Vec<SyntaxError>,
}

impl Parsed {
    /// The document, if the text has no error. Only what comes out of here may decide anything:
    /// a document with errors may lack a `Deny`.
    ///
    /// # Errors
    /// All errors, when there are any.
    pub fn into_result(self) -> Result<PolicyDocument, Vec<SyntaxError>> {
        match self {
            Self { document: Some(document), errors } if errors.is_empty() => Ok(document),
            // INVARIANT (document or error): `parse` leaves out the document with an error alone.
            Self { errors, .. } => Err(errors),
        }
    }
}

/// Reads a document as a policy of a kind.
///
/// All errors are found at once, save that a text which is no JSON has one error. `text` may be
/// part of a larger one; places count from its start.
#[must_use]
pub fn parse(text: &str, kind: PolicyKind) -> Parsed {
    match json::read(text) {
        Ok(root) => parse_value(root, kind),
        Err(error) => Parsed { document: None, errors: vec![error] },
    }
}

/// [`parse`] for a value that was read already, such as a part of a file: its places stay.
#[must_use]
pub fn parse_value(root: Spanned<Value<'_>>, kind: PolicyKind) -> Parsed {
    let mut reader = Reader { kind, errors: Vec::new(), entries: 0, values: 0 };
    let document = reader.document(root);
    let mut errors = reader.errors;
    if let Some(document) = document.as_ref().filter(|_| kind == PolicyKind::ResourceControl) {
        resource_control::check(document, &mut errors);
    }
    errors.sort_by_key(|error| error.span);
    Parsed { document, errors }
}

/// Collects errors while the document is read.
pub(super) struct Reader {
    pub(super) kind: PolicyKind,
    pub(super) errors: Vec<SyntaxError>,
    /// How many principals, actions and resources there were.
    pub(super) entries: usize,
    /// How many condition values there were.
    pub(super) values: usize,
}

impl Reader {
    pub(super) fn error(&mut self, span: Span, kind: SyntaxErrorKind) {
        self.errors.push(SyntaxError { kind, span });
    }

    pub(super) fn wrong_type(
        &mut self,
        value: &Spanned<Value<'_>>,
        what: &'static str,
        expected: &'static str,
    ) {
        let found = value.value.type_name();
        self.error(value.span, SyntaxErrorKind::WrongType { what, expected, found });
    }

    /// Counts one more of something; past the limit it is refused, once.
    pub(super) fn count(
        &mut self,
        count: impl Fn(&mut Self) -> &mut usize,
        (what, limit): (&'static str, usize),
        span: Span,
    ) -> bool {
        let counted = count(self);
        *counted += 1;
        let counted = *counted;
        if counted == limit + 1 {
            self.error(span, SyntaxErrorKind::TooMany { what, limit });
        }
        counted <= limit
    }

    /// The members of an object, each name once: the grammar wants no member twice
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>).
    pub(super) fn members<'a>(&mut self, members: Vec<Member<'a>>) -> Vec<Member<'a>> {
        let mut names: HashSet<_, RandomState> = HashSet::default();
        let mut once = Vec::with_capacity(members.len());
        for member in members {
            if names.insert(member.key.value.clone()) {
                once.push(member);
            } else {
                let name = shown(&member.key.value);
                self.error(member.key.span, SyntaxErrorKind::DuplicateMember { name });
            }
        }
        once
    }

    pub(super) fn unknown(
        &mut self,
        key: &Spanned<Cow<'_, str>>,
        place: &'static str,
        expected: &'static [&'static str],
    ) {
        let (name, suggestion) = (shown(&key.value), closest(&key.value, expected));
        self.error(key.span, SyntaxErrorKind::UnknownMember { name, place, expected, suggestion });
    }

    fn missing(&mut self, object: Span, place: &'static str, name: &'static str) {
        self.error(brace(object), SyntaxErrorKind::MissingMember { place, name });
    }

    fn document(&mut self, root: Spanned<Value<'_>>) -> Option<PolicyDocument> {
        let span = root.span;
        let Value::Object(members) = root.value else {
            self.wrong_type(&root, "a policy", "an object");
            return None;
        };
        let (mut version, mut id, mut statements) = (None, None, None);
        for Member { key, value } in self.members(members) {
            match &*key.value {
                "Version" => version = Some(value),
                "Id" => id = Some(value),
                "Statement" => statements = Some(value),
                _ => self.unknown(&key, "a policy", &["Version", "Id", "Statement"]),
            }
        }
        let version = self.version(version, span);
        let id = id.and_then(|value| self.string(value, "`Id`"));
        let statements = match statements {
            Some(statements) => self.statements(statements),
            None => {
                self.missing(span, "the policy", "`Statement`");
                Vec::new()
            }
        };
        (!statements.is_empty()).then_some(PolicyDocument { version, id, statements })
    }

    fn version(
        &mut self,
        value: Option<Spanned<Value<'_>>>,
        document: Span,
    ) -> Option<Spanned<Version>> {
        // Service and resource control policies have to say 2012-10-17:
        // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
        // CreatePolicy has been seen to insist on it for managed policies, too; for inline policies
        // that is not known, and a document does not say which of the two it is.
        let kind = self.kind;
        let insists = matches!(kind, PolicyKind::ResourceControl | PolicyKind::ServiceControl);
        let Some(value) = value else {
            if insists {
                self.error(brace(document), SyntaxErrorKind::MissingVersion { kind });
            }
            return None;
        };
        let version =
            self.named(value, "`Version`", |text| SyntaxErrorKind::UnknownVersion { text })?;
        if insists && version.value != Version::V2012 {
            self.error(version.span, SyntaxErrorKind::MissingVersion { kind });
        }
        Some(version)
    }

    fn statements(&mut self, value: Spanned<Value<'_>>) -> Vec<Statement> {
        let values = match value.value {
            Value::Object(_) => vec![value],
            Value::Array(values) if values.is_empty() => {
                self.error(value.span, SyntaxErrorKind::EmptyList { name: "Statement" });
                return Vec::new();
            }
            Value::Array(values) => values,
            _ => {
                self.wrong_type(&value, "`Statement`", "an object or an array of objects");
                return Vec::new();
            }
        };
        if let Some(value) = values.get(MAX_STATEMENTS) {
            let kind = SyntaxErrorKind::TooMany { what: "statements", limit: MAX_STATEMENTS };
            self.error(value.span, kind);
        }
        let mut sids = HashSet::new();
        let mut statements = Vec::new();
        for value in values.into_iter().take(MAX_STATEMENTS) {
            statements.extend(self.statement(value, &mut sids));
        }
        statements
    }

    fn statement(
        &mut self,
        value: Spanned<Value<'_>>,
        sids: &mut HashSet<String>,
    ) -> Option<Statement> {
        let span = value.span;
        let Value::Object(members) = value.value else {
            self.wrong_type(&value, "a statement", "an object");
            return None;
        };
        let (mut sid, mut effect, mut condition) = (None, None, None);
        let (mut principals, mut actions, mut resources) = (Vec::new(), Vec::new(), Vec::new());
        for member in self.members(members) {
            match &*member.key.value {
                "Sid" => sid = Some(member.value),
                "Effect" => effect = Some(member.value),
                "Principal" | "NotPrincipal" => principals.push(member),
                "Action" | "NotAction" => actions.push(member),
                "Resource" | "NotResource" => resources.push(member),
                "Condition" => condition = Some(member.value),
                _ => self.unknown(&member.key, "a statement", STATEMENT),
            }
        }
        let sid = sid.and_then(|value| self.sid(value, sids));
        let effect = match effect {
            Some(value) => {
                self.named(value, "`Effect`", |text| SyntaxErrorKind::UnknownEffect { text })
            }
            None => {
                self.missing(span, "the statement", "`Effect`");
                None
            }
        };
        if principals.is_empty() && self.kind.has_principals() {
            self.missing(span, "the statement", "`Principal` or `NotPrincipal`");
        }
        // A key policy's statement without either is stored and has no effect:
        // https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
        if self.kind != PolicyKind::Key {
            if actions.is_empty() {
                self.missing(span, "the statement", "`Action` or `NotAction`");
            }
            if resources.is_empty() {
                self.missing(span, "the statement", "`Resource` or `NotResource`");
            }
        }
        let principal = self.principal_element(principals);
        let action = self.action_element(actions);
        let resource = self.resource_element(resources);
        let condition = condition.map_or_else(Vec::new, |value| self.condition(value));
        Some(Statement { sid, effect: effect?, principal, action, resource, condition, span })
    }

    fn sid(
        &mut self,
        value: Spanned<Value<'_>>,
        sids: &mut HashSet<String>,
    ) -> Option<Spanned<String>> {
        let sid = self.string(value, "`Sid`")?;
        // IAM takes letters and digits; KMS and other services take more in resource policies:
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
        let is_free = matches!(self.kind, PolicyKind::Endpoint | PolicyKind::Key);
        if !is_free && !sid.value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            self.error(sid.span, SyntaxErrorKind::InvalidSid { sid: shown(&sid.value) });
        }
        // IAM takes any number of empty ones.
        if !sid.value.is_empty() && !sids.insert(sid.value.clone()) {
            self.error(sid.span, SyntaxErrorKind::DuplicateSid { sid: shown(&sid.value) });
        }
        Some(sid)
    }

    fn string(&mut self, value: Spanned<Value<'_>>, what: &'static str) -> Option<Spanned<String>> {
        match value.value {
            Value::String(text) => Some(Spanned::new(text.into_owned(), value.span)),
            _ => {
                self.wrong_type(&value, what, "a string");
                None
            }
        }
    }

    /// A string that is one of a few words.
    fn named<T: FromStr>(
        &mut self,
        value: Spanned<Value<'_>>,
        what: &'static str,
        error: impl Fn(String) -> SyntaxErrorKind,
    ) -> Option<Spanned<T>> {
        let text = self.string(value, what)?;
        match text.value.parse() {
            Ok(value) => Some(Spanned::new(value, text.span)),
            Err(_) => {
                self.error(text.span, error(shown(&text.value)));
                None
            }
        }
    }
}

const STATEMENT: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// The opening brace of an object: where it is said that something is missing.
fn brace(object: Span) -> Span {
    Span::new(object.start(), object.start() + 1)
}
