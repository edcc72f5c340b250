//! What is wrong with a text.

use crate::model::{PolicyKind, Span};

/// One error of a policy's text and its place.
///
/// ```
/// use keyproof::model::PolicyKind;
/// use keyproof::syntax::parse;
///
/// let text = r#"{"Statment": []}"#;
/// let errors = parse(text, PolicyKind::Key).errors;
/// let error = errors.last().ok_or("no error")?;
/// assert_eq!(error.to_string(), "`Statment` is not a member of a policy");
/// assert_eq!(error.kind.help().as_deref(), Some("did you mean `Statement`?"));
/// assert_eq!(error.span.line_column(text), (1, 2));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// Where it stands.
    pub span: Span,
}

/// What is wrong with a text. Texts of the user inside are cut to a readable length, their control
/// characters escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// Occurs when the text starts with U+FEFF.
    #[error("the text starts with a byte order mark")]
    ByteOrderMark,
    /// Occurs when a statement has both of a pair: one of them would be ignored.
    #[error("a statement has either `{first}` or `{second}`, not both")]
    ConflictingMembers {
        /// The member that came first.
        first: &'static str,
        /// Its opposite.
        second: &'static str,
    },
    /// Occurs when a string holds a control character that JSON wants escaped.
    #[error("control character U+{byte:04X} in a string")]
    ControlCharacter {
        /// The character.
        byte: u8,
    },
    /// Occurs when an operator has a condition key twice, in any case: names of keys are compared
    /// without case.
    #[error("condition key `{name}` is given twice in one operator")]
    DuplicateConditionKey {
        /// The name as written the second time.
        name: String,
    },
    /// Occurs when an object has two members of one name.
    #[error("member `{name}` is given twice")]
    DuplicateMember {
        /// The name.
        name: String,
    },
    /// Occurs when two statements have the same name.
    #[error("statement id `{sid}` is given twice")]
    DuplicateSid {
        /// The name.
        sid: String,
    },
    /// Occurs when a list that has to hold something is empty.
    #[error("`{name}` is empty")]
    EmptyList {
        /// The member.
        name: &'static str,
    },
    /// Occurs when a resource of a session policy has fewer than the six parts of an ARN.
    #[error("resource `{text}` is an incomplete ARN")]
    IncompleteArn {
        /// The resource.
        text: String,
    },
    /// Occurs when an action is neither `*` nor `<service>:<name>`.
    #[error("action `{text}` {problem}")]
    InvalidAction {
        /// The action.
        text: String,
        /// What is wrong with it.
        problem: ActionProblem,
    },
    /// Occurs when an operand of a date operator is no date.
    #[error("`{text}` is not a date")]
    InvalidDate {
        /// The operand.
        text: String,
    },
    /// Occurs when a principal cannot be named so.
    #[error("principal `{text}` {problem}")]
    InvalidPrincipal {
        /// The principal.
        text: String,
        /// What is wrong with it.
        problem: PrincipalProblem,
    },
    /// Occurs when a resource is neither `*` nor an ARN, outside key policies.
    #[error("resource `{text}` is neither an ARN nor `*`")]
    InvalidResource {
        /// The resource.
        text: String,
    },
    /// Occurs when a statement id has other characters than letters and digits, outside resource
    /// policies.
    #[error("statement id `{sid}` has other characters than letters and digits")]
    InvalidSid {
        /// The statement id.
        sid: String,
    },
    /// Occurs when a member that has to be there is not.
    #[error("{place} has no {name}")]
    MissingMember {
        /// The object: "the statement".
        place: &'static str,
        /// What it lacks, in backticks.
        name: &'static str,
    },
    /// Occurs when a policy of this kind has to name its version and does not name 2012-10-17.
    #[error("{} must have the version `2012-10-17`", with_article(*kind))]
    MissingVersion {
        /// The kind of policy.
        kind: PolicyKind,
    },
    /// Occurs when the text is not JSON.
    #[error("not JSON: {problem}")]
    NotJson {
        /// What is wrong.
        problem: &'static str,
    },
    /// Occurs when a policy that names no principals names some.
    #[error("{} must not have `{member}`", with_article(*kind))]
    PrincipalForbidden {
        /// `Principal` or `NotPrincipal`.
        member: &'static str,
        /// The kind of policy.
        kind: PolicyKind,
    },
    /// Occurs when a resource control policy has what its kind must not have.
    #[error("a resource control policy must not have {what}")]
    ResourceControl {
        /// What it has.
        what: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// Occurs when the text is longer than a policy may be.
    #[error("the text has {bytes} bytes, more than {limit}")]
    TextTooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Occurs when objects and arrays nest too deeply.
    #[error("nested more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Occurs when there are more of something than any policy of AWS can hold.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Occurs when an effect is neither `Allow` nor `Deny`.
    #[error("`{text}` is not an effect")]
    UnknownEffect {
        /// What is written.
        text: String,
    },
    /// Occurs when an object has a member that it cannot have.
    #[error("`{name}` is not a member of {place}")]
    UnknownMember {
        /// The name.
        name: String,
        /// The object, with an article.
        place: &'static str,
        /// The names it may have.
        expected: &'static [&'static str],
        /// The name that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// Occurs when a condition operator does not exist.
    #[error("`{text}` is not a condition operator")]
    UnknownOperator {
        /// What is written.
        text: String,
        /// The operator that was probably meant.
        suggestion: Option<String>,
    },
    /// Occurs when the version does not exist.
    #[error("`{text}` is not a version of the policy language")]
    UnknownVersion {
        /// What is written.
        text: String,
    },
    /// Occurs when a value has the wrong JSON type.
    #[error("{what} must be {expected}, not {found}")]
    WrongType {
        /// What has the wrong type, in backticks where it is a member.
        what: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
}

impl SyntaxErrorKind {
    /// What to write instead, or why it is so, where the message does not say it already.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::ByteOrderMark => "save the file as UTF-8 without a byte order mark",
            Self::ConflictingMembers { .. } => "split it into two statements",
            Self::ControlCharacter { .. } => r"write an escape such as `\n` or `\u0000`",
            Self::DuplicateConditionKey { .. } => {
                "put the values into one list; names of condition keys are compared without case"
            }
            Self::DuplicateMember { .. } => "remove one of them, or put the values into one list",
            Self::DuplicateSid { .. } => "statement ids are unique within a policy; rename one",
            Self::EmptyList { .. } => "name at least one, or remove the statement",
            Self::IncompleteArn { .. } => {
                "session policies take complete ARNs alone: \
                 `arn:<partition>:<service>:<region>:<account>:<resource>`"
            }
            Self::InvalidAction { problem, .. } => problem.help(),
            Self::InvalidDate { .. } => "write ISO 8601, such as `2026-01-31T12:00:00Z`",
            Self::InvalidPrincipal { problem, .. } => problem.help(),
            Self::InvalidResource { text } if text.starts_with("alias/") => {
                return Some(format!(
                    "write the ARN of the key; for actions on the alias itself, \
                     `arn:aws:kms:<region>:<account>:{text}`"
                ));
            }
            Self::InvalidResource { text } if is_key_id(text.trim_start_matches("key/")) => {
                let id = text.trim_start_matches("key/");
                return Some(format!("write `arn:aws:kms:<region>:<account>:key/{id}`"));
            }
            Self::InvalidResource { .. } => {
                "write `*` or an ARN such as `arn:aws:kms:<region>:<account>:key/<key id>`"
            }
            Self::InvalidSid { .. } => {
                "IAM and Organizations take `A` to `Z`, `a` to `z`, `0` to `9`"
            }
            Self::MissingMember { name: "`Effect`", .. } => {
                r#"write `"Effect": "Allow"` or `"Effect": "Deny"`"#
            }
            Self::MissingVersion { .. } => r#"write `"Version": "2012-10-17"`"#,
            Self::PrincipalForbidden { .. } => {
                "remove it: whom the policy speaks of follows from what it is attached to"
            }
            Self::ResourceControl { instead, .. } => instead,
            Self::UnknownEffect { .. } => "write `Allow` or `Deny`; the case counts",
            Self::UnknownMember { suggestion: Some(name), .. } => {
                return Some(format!("did you mean `{name}`?"));
            }
            Self::UnknownMember { place, expected, .. } => {
                return Some(format!("{place} has `{}`", expected.join("`, `")));
            }
            Self::UnknownOperator { suggestion: Some(name), .. } => {
                return Some(format!("did you mean `{name}`?"));
            }
            Self::UnknownOperator { .. } => {
                "write an operator such as `StringEquals`, `ArnLike` or `Bool`; the case counts"
            }
            Self::UnknownVersion { .. } => "write `2012-10-17`, or `2008-10-17` for an old policy",
            Self::MissingMember { .. }
            | Self::NotJson { .. }
            | Self::TextTooLong { .. }
            | Self::TooDeep { .. }
            | Self::TooMany { .. }
            | Self::WrongType { .. } => return None,
        };
        Some(text.to_owned())
    }
}

/// Whether a text has the form of the ids that KMS gives keys.
fn is_key_id(text: &str) -> bool {
    let hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.strip_prefix("mrk-") {
        Some(rest) => rest.len() == 32 && hexadecimal(rest),
        None => {
            text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(hexadecimal)
        }
    }
}

/// What is wrong with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionProblem {
    /// There is no colon.
    #[error("has no service prefix")]
    NoPrefix,
    /// There are several colons.
    #[error("has more than one colon")]
    SeveralColons,
    /// Something else than `[A-Za-z0-9.-]+` stands before the colon.
    #[error("has a service prefix with other characters than letters, digits, `.` and `-`")]
    Prefix,
    /// `*` or `?` stands before the colon.
    #[error("has a wildcard in its service prefix")]
    WildcardPrefix,
}

impl ActionProblem {
    fn help(self) -> &'static str {
        match self {
            Self::NoPrefix => "write `<service>:<action>` such as `kms:Decrypt`, or `*`",
            Self::SeveralColons => "write one action a string, such as `kms:Decrypt`",
            Self::Prefix | Self::WildcardPrefix => {
                "write the service out, as in `kms:*`, or `*` for every action of every service"
            }
        }
    }
}

/// What is wrong with a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrincipalProblem {
    /// A string other than `*` instead of an object.
    #[error("stands outside an object")]
    Bare,
    /// The name under `CanonicalUser` or `Federated` is empty.
    #[error("is empty")]
    Empty,
    /// A group: it is no principal.
    #[error("is a group")]
    Group,
    /// An organization or a part of one: only conditions name those.
    #[error("is an organization")]
    Organization,
    /// What stands under `Service` is no service's name.
    #[error("is not the name of a service")]
    Service,
    /// None of the forms that `AWS` takes.
    #[error("is not an account, user, role, session or unique id")]
    Unknown,
    /// A wildcard that is not the whole principal, or one where there can be none.
    #[error("has a wildcard")]
    Wildcard,
}

impl PrincipalProblem {
    fn help(self) -> &'static str {
        match self {
            Self::Bare => r#"write `"*"`, or an object such as `{"AWS": "111122223333"}`"#,
            Self::Empty => "name somebody, or remove the entry",
            Self::Group => "groups are no principals; name the account, or roles and users",
            Self::Organization => {
                "write the principal `*` and a condition on `aws:PrincipalOrgID` or \
                 `aws:PrincipalOrgPaths`"
            }
            Self::Service => "write a service principal such as `logs.us-east-1.amazonaws.com`",
            Self::Unknown => {
                "write an account id or the ARN of a root user, user, role, assumed-role session \
                 or federated user"
            }
            Self::Wildcard => {
                "name the principal in full; for a pattern write the principal `*` and a condition \
                 on `aws:PrincipalArn`"
            }
        }
    }
}

fn with_article(kind: PolicyKind) -> String {
    let article = if kind == PolicyKind::Identity { "an" } else { "a" };
    format!("{article} {}", kind.as_str())
}

/// How much of a user's text a message shows.
const SHOWN: usize = 120;

/// A user's text as a message shows it: cut, and without characters that would move a cursor.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut chars = text.chars();
    for c in chars.by_ref().take(SHOWN) {
        if c.is_control() || is_invisible(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Zero-width characters and those that turn the direction of writing: they would let one text look
/// like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn texts_are_cut_and_control_characters_escaped() {
        assert_eq!(shown("a\u{1b}[31m\nb"), r"a\u{1b}[31m\nb");
        assert_eq!(shown("a\u{202e}b"), r"a\u{202e}b");
        assert_eq!(shown(&"é".repeat(120)), "é".repeat(120));
        assert_eq!(shown(&"é".repeat(121)), "é".repeat(120) + "…");
    }
}
