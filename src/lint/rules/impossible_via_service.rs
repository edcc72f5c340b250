//! L26.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{KnownKey, OTHER_SERVICE_NAMES, Operator, VIA_SERVICES};
use crate::syntax::closest;

declare_rule! {
    /// ## What it does
    /// Finds values of `kms:ViaService` that are not `<service>.<region>.amazonaws.com`, or whose
    /// service has another name there, such as `ebs` for `ec2`.
    ///
    /// ## Why is this bad?
    /// The key's value always has this form, with `.amazonaws.com` in every partition, and names the
    /// service as KMS's table of services does. Another value is compared and never found.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:ViaService": "s3.amazonaws.com"}}
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static IMPOSSIBLE_VIA_SERVICE = {
        code: "CON026",
        name: "impossible-via-service",
        summary: "a value of `kms:ViaService` that never occurs",
        level: Error,
        since: "0.1.0",
        covers: ["L26"],
        analyzer: ["INVALID_SERVICE_PRINCIPAL_FORMAT"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        if one.key.value.known() != Some(KnownKey::KmsViaService) {
            continue;
        }
        let like = match operator.value.operator {
            Operator::StringLike | Operator::StringNotLike => true,
            Operator::StringEquals | Operator::StringNotEquals => false,
            _ => continue,
        };
        for value in &one.values {
            let text = value.value.as_str();
            // Wildcards where none are taken are another rule's.
            if text.contains("${") || (!like && text.contains(['*', '?'])) {
                continue;
            }
            let Some((why, right)) = wrong(text) else { continue };
            let message = format!("`{text}` is never the service: {why}");
            let mut finding = Finding::at(value.span, message);
            finding = match right {
                None => finding.help("write `<service>.<region>.amazonaws.com`"),
                Some(right) => {
                    let change = match operator.value.operator.is_negated() {
                        true => Change::Fewer,
                        false => Change::More,
                    };
                    let fix = condition::fix(view, change, format!("write `{right}`"));
                    finding
                        .help(format!("write `{right}`"))
                        .fix(fix.replace_string(value.span, &right))
                }
            };
            findings.push(finding);
        }
    }
}

/// Why a value or pattern never occurs, and what was probably meant.
fn wrong(text: &str) -> Option<(String, Option<String>)> {
    const SUFFIX: &str = ".amazonaws.com";
    let lower = text.to_ascii_lowercase();
    if lower != text {
        return Some(("services and Regions are in lower case".to_owned(), Some(lower)));
    }
    if let Some(cut) = text.strip_suffix(".cn") {
        let why = "it ends with `.amazonaws.com` in every partition";
        return Some((why.to_owned(), cut.ends_with(SUFFIX).then(|| cut.to_owned())));
    }
    let literal = text.rsplit(['*', '?']).next().unwrap_or_default();
    if !literal.ends_with(SUFFIX) && (literal.len() == text.len() || !SUFFIX.ends_with(literal)) {
        return Some(("it does not end with `.amazonaws.com`".to_owned(), None));
    }
    let head = text.strip_suffix(SUFFIX)?;
    let (service, region) = match head.split_once('.') {
        Some(parts) => parts,
        None if head.contains('*') => return None,
        None => return Some(("the Region is missing".to_owned(), None)),
    };
    if service.contains(['*', '?']) {
        return None;
    }
    if is_region(service) {
        let swapped =
            (!region.contains(['*', '?', '.'])).then(|| format!("{region}.{service}{SUFFIX}"));
        return Some(("the service comes before the Region".to_owned(), swapped));
    }
    if looks_like_region(region) && !is_region(region) {
        return Some((format!("`{region}` is no Region"), None));
    }
    let name = known_as(service)?;
    let why = format!("KMS calls this service `{name}`");
    Some((why, Some(format!("{name}.{region}{SUFFIX}"))))
}

fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|it| it.len() == 1 && it.bytes().all(|b| b.is_ascii_digit()))
    };
    is_number(parts.next()) && parts.count() >= 2
}

/// Whether a text begins as Regions do; others may be placeholders.
fn looks_like_region(text: &str) -> bool {
    const AREAS: [&str; 10] = ["af", "ap", "ca", "cn", "eu", "il", "me", "mx", "sa", "us"];
    let area = text.split_once('-').map(|(area, _)| area);
    area.is_some_and(|area| AREAS.contains(&area))
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// How `kms:ViaService` names a service that is called otherwise here, or misspelt.
fn known_as(service: &str) -> Option<&'static str> {
    if VIA_SERVICES.contains(&service) {
        return None;
    }
    let other = OTHER_SERVICE_NAMES.iter().find(|(name, _)| *name == service);
    if let Some((_, name)) = other {
        return Some(name);
    }
    // Only what is nearly a name: there are services that the table does not list yet.
    let near = closest(service, VIA_SERVICES)?;
    let same_start = near.get(..2) == service.get(..2);
    (near.len() > 5 && same_start && near.len().abs_diff(service.len()) <= 1).then_some(near)
}
