//! L38.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{AccountId, AliasArn, KnownKey, Operator, PrincipalArn, PrincipalArnKind};
use crate::pattern::Template;
use crate::syntax::closest;

declare_rule! {
    /// ## What it does
    /// Finds values that the condition key never has: a key spec or operation that does not exist,
    /// an alias ARN where alias names are compared, an account id of the wrong length, a session
    /// where `aws:PrincipalArn` names its role, `SourceArn` as a type of grant constraint.
    ///
    /// ## Why is this bad?
    /// The comparison is made and never succeeds. Nobody gets an error: an `Allow` never applies,
    /// and a `Deny` never or always does.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {
    ///         "StringEquals": {
    ///           "kms:RequestAlias": "arn:aws:kms:eu-central-1:111122223333:alias/orders"
    ///         }
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"StringEquals": {"kms:RequestAlias": "alias/orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static IMPOSSIBLE_VALUE = {
        code: "CON338",
        name: "impossible-value",
        summary: "a condition value that never occurs",
        level: Error,
        since: "0.1.0",
        covers: ["L25", "L38"],
        analyzer: ["INVALID_VPC_FORMAT", "INVALID_VPCE_FORMAT"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        let Some(key) = one.key.value.known() else { continue };
        let how = match operator.value.operator {
            Operator::ArnEquals
            | Operator::ArnLike
            | Operator::ArnNotEquals
            | Operator::ArnNotLike
            | Operator::StringLike
            | Operator::StringNotLike => How::Pattern,
            Operator::StringEquals | Operator::StringNotEquals => How::Exact,
            Operator::StringEqualsIgnoreCase | Operator::StringNotEqualsIgnoreCase => How::AnyCase,
            _ => continue,
        };
        for value in &one.values {
            let text = value.value.as_str();
            // Wildcards where none are taken are another rule's.
            if text.contains("${") || (how != How::Pattern && text.contains(['*', '?'])) {
                continue;
            }
            let Some(wrong) = wrong(key, text, how) else { continue };
            let message = format!("`{}` is never `{text}`: {}", one.key.value, wrong.why);
            let mut finding = Finding::at(value.span, message);
            if let Some(right) = &wrong.right {
                let negated = operator.value.operator.is_negated();
                let change = if negated { Change::Fewer } else { Change::More };
                let fix = condition::fix(view, change, format!("write `{right}`"));
                finding = finding.fix(fix.replace_string(value.span, right));
            }
            finding = match (&wrong.right, wrong.help) {
                (_, Some(help)) => finding.help(help),
                (Some(right), None) => finding.help(format!("write `{right}`")),
                (None, None) => finding,
            };
            findings.push(finding);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    AnyCase,
    Exact,
    Pattern,
}

struct Wrong {
    why: &'static str,
    right: Option<String>,
    help: Option<String>,
}

fn because(why: &'static str, right: Option<String>) -> Option<Wrong> {
    Some(Wrong { why, right, help: None })
}

/// Why a key never has a value.
fn wrong(key: KnownKey, text: &str, how: How) -> Option<Wrong> {
    use KnownKey as K;
    let is_account = |text: &str| text.parse::<AccountId>().is_ok();
    match key {
        K::KmsRequestAlias | K::KmsResourceAliases => alias(text),
        K::AwsPrincipalAccount
        | K::AwsResourceAccount
        | K::AwsSourceAccount
        | K::AwsVpceAccount
        | K::KmsCallerAccount => account(text),
        K::AwsPrincipalArn => principal(text),
        K::AwsSourceArn | K::AwsSourceVpcArn | K::KmsGrantConstraintSourceArn
            if is_account(text) =>
        {
            because("it is an ARN, not an account", None)
        }
        K::KmsGranteePrincipal | K::KmsRetiringPrincipal => match text {
            _ if is_account(text) => because("it is an ARN, not an account", None),
            _ if text.ends_with(".amazonaws.com") => {
                let service = match key {
                    K::KmsGranteePrincipal => "kms:GranteeServicePrincipal",
                    _ => "kms:RetiringServicePrincipal",
                };
                let help = Some(format!("a service stands in `{service}`"));
                Some(Wrong { why: "it is an ARN, not a service", right: None, help })
            }
            _ => None,
        },
        K::AwsPrincipalServiceName
        | K::KmsGranteeServicePrincipal
        | K::KmsRetiringServicePrincipal
            if text.starts_with("arn:") =>
        {
            because("it is a service's name, not an ARN", None)
        }
        K::AwsPrincipalOrgId | K::AwsResourceOrgId | K::AwsSourceOrgId | K::AwsVpceOrgId
            if is_account(text) || text.starts_with("ou-") || text.starts_with("r-") =>
        {
            because("it is the id of an organization, which begins with `o-`", None)
        }
        K::AwsPrincipalOrgPaths
        | K::AwsResourceOrgPaths
        | K::AwsSourceOrgPaths
        | K::AwsVpceOrgPaths
            if !text.contains(['/', '*']) =>
        {
            because("it is a path such as `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`", None)
        }
        K::AwsSourceVpce if text.starts_with("vpc-") => {
            because("it is the id of an endpoint, which begins with `vpce-`", None)
        }
        K::AwsSourceVpc if text.starts_with("vpce-") => {
            because("it is the id of a VPC, which begins with `vpc-`", None)
        }
        K::AwsRequestedRegion | K::KmsPrimaryRegion | K::KmsReplicaRegion if is_zone(text) => {
            let region = text.get(..text.len() - 1).map(str::to_owned);
            because("it is a Region, not an Availability Zone", region)
        }
        _ => listed(key, text, how),
    }
}

/// Keys whose values are known one by one.
fn listed(key: KnownKey, text: &str, how: How) -> Option<Wrong> {
    let values = key.values()?;
    let pattern = Template::glob(text);
    let is_there = values.iter().any(|one| match how {
        How::AnyCase => one.eq_ignore_ascii_case(text),
        How::Exact => *one == text,
        How::Pattern => pattern.matches_text(one),
    });
    if is_there {
        return None;
    }
    if key == KnownKey::KmsGrantConstraintType && text == "SourceArn" {
        let help = Some("require it by a condition on `kms:GrantConstraintSourceArn`".to_owned());
        let why = "it tells constraints on the encryption context alone";
        return Some(Wrong { why, right: None, help });
    }
    let action = text.strip_prefix("kms:").unwrap_or(text);
    if key == KnownKey::KmsGrantOperations && action.starts_with("ReEncrypt") {
        let help = Some("write `ReEncryptFrom` and `ReEncryptTo`".to_owned());
        return Some(Wrong { why: "there is no such operation", right: None, help });
    }
    let right = closest(action, &values).map(str::to_owned);
    let few = (values.len() <= 6).then(|| format!("its values are `{}`", values.join("`, `")));
    let help = few.filter(|_| right.is_none());
    Some(Wrong { why: "there is no such value", right, help })
}

/// Names of aliases begin with `alias/` in both keys (kms developer guide, "kms:RequestAlias").
fn alias(text: &str) -> Option<Wrong> {
    const PREFIX: &str = "alias/";
    if text.starts_with("arn:") {
        let right = match text.parse::<AliasArn>() {
            Ok(arn) => Some(arn.name.as_str().to_owned()),
            Err(_) => text.find(":alias/").and_then(|at| text.get(at + 1..)).map(str::to_owned),
        };
        return because("it is the name of an alias, not an ARN", right);
    }
    let literal = text.split(['*', '?']).next().unwrap_or_default();
    if literal.starts_with(PREFIX) || (literal.len() < text.len() && PREFIX.starts_with(literal)) {
        return None;
    }
    because("names of aliases begin with `alias/`", Some(format!("{PREFIX}{text}")))
}

fn account(text: &str) -> Option<Wrong> {
    if let Ok(arn) = text.parse::<PrincipalArn>() {
        return because("it is an account, not an ARN", Some(arn.account().to_string()));
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_id = text.chars().all(|c| c.is_ascii_digit() || c == '-') && !digits.is_empty();
    if !is_id || text.parse::<AccountId>().is_ok() {
        return None;
    }
    let right = digits.parse::<AccountId>().is_ok().then_some(digits);
    because("an account has twelve digits", right)
}

/// Of a session of a role, `aws:PrincipalArn` is the role (iam user guide, "aws:PrincipalArn").
fn principal(text: &str) -> Option<Wrong> {
    if text.parse::<AccountId>().is_ok() {
        return because("it is an ARN, not an account", None);
    }
    let mut parts = text.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next()?, parts.nth(2)?);
    if service != "sts" || !resource.starts_with("assumed-role/") {
        return None;
    }
    let right =
        text.parse::<PrincipalArn>().ok().filter(|arn| arn.kind() == PrincipalArnKind::AssumedRole);
    let right = right.and_then(|arn| {
        Some(format!("arn:{}:iam::{}:role/{}", arn.partition(), arn.account(), arn.role_name()?))
    });
    because("of a session it is the role's ARN", right)
}

fn is_zone(text: &str) -> bool {
    let mut last = text.chars().rev();
    last.next().is_some_and(|c| c.is_ascii_lowercase())
        && last.next().is_some_and(|c| c.is_ascii_digit())
        && last.next() == Some('-')
}
