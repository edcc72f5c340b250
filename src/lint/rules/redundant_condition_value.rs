//! Access Analyzer.

use std::net::IpAddr;

use crate::compile::Cidr;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView};
use crate::model::Operator;
use crate::pattern::Template;

declare_rule! {
    /// ## What it does
    /// Finds values that stand twice in one list, that a pattern of the same list matches, or that
    /// lie in another range of addresses.
    ///
    /// ## Why is this bad?
    /// They change nothing, and readers look for the difference they make.
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
    ///       "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "203.0.113.7"]}}
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
    ///       "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static REDUNDANT_CONDITION_VALUE = {
        code: "CON410",
        name: "redundant-condition-value",
        summary: "a condition value that another one covers",
        level: Note,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        let operator = operator.value.operator;
        for (at, value) in one.values.iter().enumerate() {
            let text = value.value.as_str();
            let covering = one.values.iter().enumerate().find(|(other, it)| {
                let it = it.value.as_str();
                // Of two that cover each other the first stays.
                *other != at
                    && covers(operator, it, text)
                    && (*other < at || !covers(operator, text, it))
            });
            let Some((_, by)) = covering else { continue };
            let message = format!("`{text}` is covered by another value of the list");
            let finding = Finding::at(value.span, message).related(by.span, "covers it");
            let fix =
                Fix::safe("take it out").remove_element(view.document.document.text(), value.span);
            findings.push(finding.help("take it out").fix(fix));
        }
    }
}

/// Whether one value finds all that another finds.
fn covers(operator: Operator, one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    if one.contains("${") || other.contains("${") {
        return false;
    }
    match operator {
        Operator::StringLike | Operator::StringNotLike => {
            !other.contains(['*', '?']) && Template::glob(one).matches_text(other)
        }
        Operator::IpAddress | Operator::NotIpAddress => is_in(one, other),
        _ => false,
    }
}

/// Whether a range holds another address or range: the wider one holds the other's first address.
fn is_in(range: &str, other: &str) -> bool {
    let length = |text: &str| match text.split_once('/') {
        Some((_, length)) => length.parse::<u8>().ok(),
        None => Some(u8::MAX),
    };
    let address = other.split('/').next().and_then(|it| it.parse::<IpAddr>().ok());
    match (Cidr::parse(range), address, length(range), length(other)) {
        (Some(cidr), Some(address), Some(wide), Some(narrow)) => {
            wide <= narrow && cidr.contains(address)
        }
        _ => false,
    }
}
