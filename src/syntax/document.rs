//! JSON → [`PolicyDocument`].

use super::SyntaxError;
use super::json::{self, Json, JsonValue};
use crate::model::{
    Condition, ConditionEntry, ConditionKey, ConditionOperator, ConditionValue, Effect, Element,
    InvalidText, PolicyDocument, PolicyKind, Principal, PrincipalArnKind, PrincipalElement, Span,
    Spanned, Statement, Version, lower,
};

/// The most statements read in one document.
const MAX_STATEMENTS: usize = 10_000;
/// The most values read in one list.
const MAX_VALUES: usize = 20_000;

/// What reading a document gave: a document only when there are no errors.
#[derive(Clone, Debug)]
pub struct Parsed {
    document: Option<PolicyDocument>,
    errors: Vec<SyntaxError>,
}

impl Parsed {
    /// The document, if it has no errors.
    ///
    /// # Errors
    /// Every error of the document, in order.
    pub fn into_result(self) -> Result<PolicyDocument, Vec<SyntaxError>> {
        match (self.document, self.errors) {
            (Some(document), errors) if errors.is_empty() => Ok(document),
            (_, errors) => Err(errors),
        }
    }

    /// Every error, in order.
    #[must_use]
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }
}

/// Reads a policy document that is used as `kind`.
#[must_use]
pub fn parse(text: &str, kind: PolicyKind) -> Parsed {
    let mut reader = Reader { kind, errors: Vec::new() };
    let document = match json::read(text) {
        Ok(json) => reader.document(json),
        Err(error) => {
            reader.errors.push(error);
            None
        }
    };
    let mut errors = reader.errors;
    errors.sort_by_key(|error| error.span);
    Parsed { document: document.filter(|_| errors.is_empty()), errors }
}

struct Reader {
    kind: PolicyKind,
    errors: Vec<SyntaxError>,
}

type Members = Vec<(Spanned<String>, Json)>;

impl Reader {
    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(SyntaxError::new(span, message));
    }

    fn invalid(&mut self, span: Span, error: &InvalidText) {
        self.error(span, error.to_string());
    }

    /// The members of an object, each name once and each known.
    fn object(&mut self, json: Json, what: &str, known: &[&str]) -> Option<Members> {
        let JsonValue::Object(members) = json.value else {
            self.error(json.span, format!("{what} is {}, not an object", json.value.kind()));
            return None;
        };
        self.refuse_duplicates(&members);
        for (name, _) in &members {
            if !known.is_empty() && !known.contains(&name.value.as_str()) {
                let mut error =
                    SyntaxError::new(name.span, format!("{what} has no member `{}`", name.value));
                if let Some(near) = nearest(&name.value, known) {
                    error = error.help(format!("did you mean `{near}`?"));
                }
                self.errors.push(error);
            }
        }
        Some(members)
    }

    /// The grammar forbids a member twice; a reader that keeps the last would hide a Deny.
    fn refuse_duplicates(&mut self, members: &Members) {
        let mut seen: Vec<&str> = Vec::with_capacity(members.len());
        for (name, _) in members {
            if seen.contains(&name.value.as_str()) {
                self.error(name.span, format!("member `{}` stands twice", name.value));
            }
            seen.push(&name.value);
        }
    }

    fn string(&mut self, json: &Json, what: &str) -> Option<Spanned<String>> {
        match &json.value {
            JsonValue::String(text) => Some(Spanned::new(text.clone(), json.span)),
            other => {
                self.error(json.span, format!("{what} is {}, not a string", other.kind()));
                None
            }
        }
    }

    /// A string or an array of strings.
    fn strings(&mut self, json: Json, what: &str) -> Vec<Spanned<String>> {
        match json.value {
            JsonValue::Array(elements) => {
                if elements.len() > MAX_VALUES {
                    let message = format!("{what} has more than {MAX_VALUES} entries");
                    self.error(json.span, message);
                    return Vec::new();
                }
                let entry = format!("an entry of {what}");
                elements.iter().filter_map(|element| self.string(element, &entry)).collect()
            }
            _ => self.string(&json, what).into_iter().collect(),
        }
    }

    fn document(&mut self, json: Json) -> Option<PolicyDocument> {
        let span = json.span;
        let members = self.object(json, "the policy", &["Version", "Id", "Statement"])?;
        let mut document = PolicyDocument { version: None, id: None, statements: Vec::new() };
        let mut has_statement = false;
        for (name, value) in members {
            match name.value.as_str() {
                "Version" => {
                    if let Some(text) = self.string(&value, "`Version`") {
                        match text.value.parse::<Version>() {
                            Ok(version) => {
                                document.version = Some(Spanned::new(version, text.span))
                            }
                            Err(error) => self.invalid(text.span, &error),
                        }
                    }
                }
                "Id" => document.id = self.string(&value, "`Id`"),
                "Statement" => {
                    has_statement = true;
                    document.statements = self.statements(value);
                }
                _ => {}
            }
        }
        if !has_statement {
            self.error(Span::new(span.start(), span.start() + 1), "the policy has no `Statement`");
        }
        self.unique_sids(&document.statements);
        Some(document)
    }

    fn statements(&mut self, json: Json) -> Vec<Statement> {
        let span = json.span;
        let statements = match json.value {
            JsonValue::Array(elements) => elements,
            _ => vec![json],
        };
        if statements.is_empty() {
            self.error(span, "`Statement` is empty");
        }
        if statements.len() > MAX_STATEMENTS {
            self.error(span, format!("the policy has more than {MAX_STATEMENTS} statements"));
            return Vec::new();
        }
        statements.into_iter().filter_map(|statement| self.statement(statement)).collect()
    }

    fn unique_sids(&mut self, statements: &[Statement]) {
        let mut seen: Vec<&str> = Vec::new();
        let mut twice = Vec::new();
        for sid in statements.iter().filter_map(|statement| statement.sid.as_ref()) {
            if !sid.value.is_empty() && seen.contains(&sid.value.as_str()) {
                twice.push((sid.span, format!("`Sid` `{}` stands twice", sid.value)));
            }
            seen.push(&sid.value);
        }
        for (span, message) in twice {
            self.error(span, message);
        }
    }

    fn statement(&mut self, json: Json) -> Option<Statement> {
        const MEMBERS: &[&str] = &[
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
        let span = json.span;
        let opening = Span::new(span.start(), span.start() + 1);
        let members = self.object(json, "a statement", MEMBERS)?;
        for (positive, negative) in
            [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")]
        {
            let has = |wanted| members.iter().any(|(name, _)| name.value == wanted);
            if has(positive) && has(negative) {
                self.error(opening, format!("a statement has both `{positive}` and `{negative}`"));
            }
        }
        let (mut sid, mut effect, mut principal, mut action, mut resource) =
            (None, None, None, None, None);
        let mut has_effect = false;
        let mut condition = Vec::new();
        for (name, value) in members {
            match name.value.as_str() {
                "Sid" => sid = self.sid(&value),
                "Effect" => {
                    has_effect = true;
                    effect = self.effect(&value);
                }
                "Principal" => {
                    principal = Some(PrincipalElement::Is(self.principals(name.span, value)));
                }
                "NotPrincipal" => {
                    principal = Some(PrincipalElement::IsNot(self.principals(name.span, value)));
                }
                "Action" => action = Some(Element::Is(self.actions(value, "`Action`"))),
                "NotAction" => action = Some(Element::IsNot(self.actions(value, "`NotAction`"))),
                "Resource" => resource = Some(Element::Is(self.resources(value, "`Resource`"))),
                "NotResource" => {
                    resource = Some(Element::IsNot(self.resources(value, "`NotResource`")));
                }
                "Condition" => condition = self.condition(value),
                _ => {}
            }
        }
        if !has_effect {
            self.error(opening, "a statement has no `Effect`");
        }
        // A key policy's statement without Action or Resource is accepted and has no effect (kms
        // developer guide, "Key policy overview"); everywhere else it is refused.
        if self.kind != PolicyKind::Key {
            for (element, what) in [(&action, "Action"), (&resource, "Resource")] {
                if element.is_none() {
                    self.error(opening, format!("a statement has no `{what}`"));
                }
            }
        }
        if self.kind.has_principals() && principal.is_none() {
            let message = format!("a statement of a {} has no `Principal`", self.kind.as_str());
            self.error(opening, message);
        }
        Some(Statement { sid, effect: effect?, principal, action, resource, condition, span })
    }

    fn sid(&mut self, json: &Json) -> Option<Spanned<String>> {
        let sid = self.string(json, "`Sid`")?;
        let plain = sid.value.bytes().all(|b| b.is_ascii_alphanumeric());
        if self.kind != PolicyKind::Key && self.kind != PolicyKind::Endpoint && !plain {
            let message =
                format!("`Sid` `{}` has characters other than letters and digits", sid.value);
            self.error(sid.span, message);
        }
        Some(sid)
    }

    fn effect(&mut self, json: &Json) -> Option<Spanned<Effect>> {
        let text = self.string(json, "`Effect`")?;
        match text.value.parse() {
            Ok(effect) => Some(Spanned::new(effect, text.span)),
            Err(error) => {
                self.invalid(text.span, &error);
                None
            }
        }
    }

    fn actions(&mut self, json: Json, what: &str) -> Vec<Spanned<String>> {
        let span = json.span;
        let actions = self.strings(json, what);
        if actions.is_empty() && self.kind != PolicyKind::Key {
            self.error(span, format!("{what} is empty"));
        }
        for action in &actions {
            let text = action.value.as_str();
            let wrong = match text.split_once(':') {
                _ if text == "*" => None,
                None => Some("has no service prefix such as `kms:`"),
                Some((_, name)) if name.contains(':') => Some("has more than one colon"),
                Some((prefix, _)) if prefix.contains(['*', '?']) => {
                    Some("has a wildcard in its service prefix")
                }
                Some((prefix, _))
                    if prefix.is_empty()
                        || !prefix
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b)) =>
                {
                    Some("has a service prefix that is none")
                }
                Some(_) => None,
            };
            if let Some(wrong) = wrong {
                self.error(action.span, format!("action `{text}` {wrong}"));
            }
        }
        actions
    }

    fn resources(&mut self, json: Json, what: &str) -> Vec<Spanned<String>> {
        let span = json.span;
        let resources = self.strings(json, what);
        if self.kind == PolicyKind::Key {
            return resources;
        }
        if resources.is_empty() {
            self.error(span, format!("{what} is empty"));
        }
        for resource in &resources {
            let text = resource.value.as_str();
            if text != "*" && !text.starts_with("arn:") {
                self.errors.push(
                    SyntaxError::new(
                        resource.span,
                        format!("resource `{text}` is neither an ARN nor `*`"),
                    )
                    .help(
                        "a key is named by its ARN: `arn:aws:kms:<region>:<account>:key/<key id>`",
                    ),
                );
            }
            // AssumeRole refuses session policies with fewer than six ARN parts (iam user guide,
            // "Grammar").
            if self.kind == PolicyKind::Session && text != "*" && text.split(':').count() < 6 {
                let message = format!(
                    "resource `{text}` has fewer than six parts, which a session policy must have"
                );
                self.error(resource.span, message);
            }
        }
        resources
    }

    fn principals(&mut self, name: Span, json: Json) -> Vec<Spanned<Principal>> {
        if !self.kind.has_principals() {
            let kind = self.kind.as_str();
            self.error(name, format!("a statement of a {kind} names no principals"));
            return Vec::new();
        }
        match &json.value {
            JsonValue::String(text) if text == "*" => {
                return vec![Spanned::new(Principal::Everyone, json.span)];
            }
            JsonValue::String(text) => {
                self.errors.push(
                    SyntaxError::new(json.span, format!("principal `{text}` stands alone")).help(
                        "only `\"*\"` may; write `{\"AWS\": \"…\"}` or `{\"Service\": \"…\"}`",
                    ),
                );
                return Vec::new();
            }
            _ => {}
        }
        let known = ["AWS", "CanonicalUser", "Federated", "Service"];
        let Some(members) = self.object(json, "a principal", &known) else { return Vec::new() };
        let mut principals = Vec::new();
        for (name, value) in members {
            let what = format!("`{}`", name.value);
            for text in self.strings(value, &what) {
                match principal(&name.value, &text.value) {
                    Ok(principal) => principals.push(Spanned::new(principal, text.span)),
                    Err(error) => self.errors.push(SyntaxError { span: text.span, ..error }),
                }
            }
        }
        principals
    }

    fn condition(&mut self, json: Json) -> Vec<ConditionEntry> {
        let Some(operators) = self.object(json, "`Condition`", &[]) else { return Vec::new() };
        let mut entries = Vec::new();
        for (name, value) in operators {
            let keys = self.keys(&name, value);
            match name.value.parse::<ConditionOperator>() {
                Ok(operator) => entries.push(ConditionEntry {
                    operator: Spanned::new(operator, name.span),
                    conditions: keys,
                }),
                Err(error) => self.invalid(name.span, &error),
            }
        }
        entries
    }

    fn keys(&mut self, operator: &Spanned<String>, json: Json) -> Vec<Condition> {
        let what = format!("`{}`", operator.value);
        let Some(members) = self.object(json, &what, &[]) else { return Vec::new() };
        let mut seen: Vec<String> = Vec::new();
        let mut conditions = Vec::new();
        for (name, value) in members {
            let key = lower(&name.value);
            // Two keys that differ by case alone are one key (Access Analyzer,
            // DUPLICATE_KEYS_WITH_DIFFERENT_CASE); the same text was told of already.
            if seen.contains(&key) && !self.errors.iter().any(|error| error.span == name.span) {
                self.error(
                    name.span,
                    format!("condition key `{}` stands twice, in another case", name.value),
                );
            }
            seen.push(key);
            let span = Span::new(name.span.start(), value.span.end());
            let values = self.values(&name.value, value);
            let key = Spanned::new(ConditionKey::new(&name.value), name.span);
            conditions.push(Condition { key, values, span });
        }
        conditions
    }

    fn values(&mut self, key: &str, json: Json) -> Vec<Spanned<ConditionValue>> {
        let span = json.span;
        let elements = match json.value {
            JsonValue::Array(elements) => elements,
            _ => vec![json],
        };
        if elements.len() > MAX_VALUES {
            self.error(span, format!("`{key}` has more than {MAX_VALUES} values"));
            return Vec::new();
        }
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            let value = match element.value {
                JsonValue::String(text) => ConditionValue::String(text),
                JsonValue::Number(text) => ConditionValue::Number(text),
                JsonValue::Boolean(value) => ConditionValue::Boolean(value),
                other => {
                    let message = format!("a value of `{key}` is {}, not a string", other.kind());
                    self.error(element.span, message);
                    continue;
                }
            };
            values.push(Spanned::new(value, element.span));
        }
        values
    }
}

/// Reads one principal of a member of `Principal`.
fn principal(member: &str, text: &str) -> Result<Principal, SyntaxError> {
    let error = |message: String| SyntaxError::new(Span::default(), message);
    match member {
        "AWS" if text == "*" => Ok(Principal::EveryAws),
        "AWS" if text.contains(['*', '?']) => Err(error(format!(
            "principal `{text}` has a wildcard"
        ))
        .help(
            "only a whole `*` may stand here; narrow it with the condition key aws:PrincipalArn",
        )),
        "AWS" => {
            if let Ok(account) = text.parse() {
                return Ok(Principal::Account { account, partition: None });
            }
            if let Ok(id) = text.parse() {
                return Ok(Principal::Unique(id));
            }
            match text.parse::<crate::model::PrincipalArn>() {
                Ok(arn) if arn.kind() == PrincipalArnKind::Root => Ok(Principal::Account {
                    account: arn.account(),
                    partition: Some(arn.partition().into()),
                }),
                Ok(arn) => Ok(Principal::Arn(arn)),
                Err(_) if text.contains(":group/") => Err(error(format!(
                    "principal `{text}` is a group, which cannot be a principal"
                ))),
                Err(invalid) => {
                    Err(error(format!("principal {invalid}, a 12-digit account id or `*`")))
                }
            }
        }
        "Service" => match text.parse() {
            Ok(service) => Ok(Principal::Service(service)),
            Err(invalid) => Err(error(format!("principal {invalid}"))),
        },
        "Federated" => Ok(Principal::Federated(text.into())),
        "CanonicalUser" => Ok(Principal::CanonicalUser(text.into())),
        _ => Err(error(format!("`{member}` names no kind of principal"))),
    }
}

/// The known name that is at most two edits away.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    known
        .iter()
        .map(|candidate| (edits(&name, &candidate.to_ascii_lowercase()), *candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements between two short names.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let above = *cell;
            left = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}
